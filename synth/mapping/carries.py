# SPDX-License-Identifier: BSD-2-Clause
"""Constants that enter chains of carries, in netlists for Lattice's Nexus.

A chain's first carry can come from a carry cell only. Yosys puts one there whose result is a
constant, and its optimisation takes it out again, which nextpnr-nexus refuses. This puts it back,
with the same functions.
"""

from typing import Any

__all__ = ["feed"]

_CONSTANTS = {"VLO": "0", "VHI": "1"}
"""Cells that drive a constant."""


def feed(netlist: dict[str, Any]) -> int:
    """Give each chain of a netlist, as Yosys' JSON has it, the cell that feeds it; how many."""
    return sum(_feed(module["cells"]) for module in netlist["modules"].values())


def _feed(cells: dict[str, Any]) -> int:
    known: dict[Any, str] = {"0": "0", "1": "1", "x": "0"}
    last = 1
    for cell in cells.values():
        for bits in cell["connections"].values():
            last = max([last, *(bit for bit in bits if isinstance(bit, int))])
            if cell["type"] in _CONSTANTS:
                known |= dict.fromkeys(bits, _CONSTANTS[cell["type"]])
    low, high = last + 1, last + 2
    made: dict[str, Any] = {}
    for name, cell in cells.items():
        into = cell["connections"].get("CIN") if cell["type"] == "CCU2" else None
        if not into or into[0] not in known:
            continue
        bit = high + len(made) + 1
        connections = {pin: [high] for pin in ("A0", "B0", "C0", "D0", "B1", "C1", "D1")}
        connections["A1"] = [high if known[into[0]] == "1" else low]
        made[f"{name}_feed"] = _cell("CCU2", {**connections, "COUT": [bit]}) | {
            "parameters": {"INIT0": "0xFFFF", "INIT1": "0x00AA", "INJECT": "NO"}
        }
        cell["connections"]["CIN"] = [bit]
    if made:
        cells |= {"feed_low": _cell("VLO", {"Z": [low]}), "feed_high": _cell("VHI", {"Z": [high]})}
    cells |= made
    return len(made)


def _cell(kind: str, connections: dict[str, list[int]]) -> dict[str, Any]:
    """A cell in Yosys' JSON."""
    outputs = ("COUT", "Z")
    return {
        "hide_name": 1,
        "type": kind,
        "parameters": {},
        "attributes": {},
        "port_directions": {n: "output" if n in outputs else "input" for n in connections},
        "connections": connections,
    }
