# SPDX-License-Identifier: BSD-2-Clause
"""Registers behind ECP5's multipliers go into them.

MULT18X18D has registers for its product, which synth_ecp5 leaves unused: flip-flops of the fabric
hold the product, after a trip through the routing. Where all bits of a product that are used go
into such flip-flops, and nowhere else, these are the multiplier's own as well. nextpnr knows the
timing of both. Input registers stay outside: with them nextpnr would see no path through the
multiplier at all, and call any clock possible.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

MULTIPLIER, REGISTER = "MULT18X18D", "TRELLIS_FF"
PRODUCT = tuple(f"P{bit}" for bit in range(36))

Netlist = dict[str, Any]
"""What Yosys' ``write_json`` writes."""


def absorb(netlist: Netlist) -> int:
    """Move the registers of products into the multipliers, in place.

    Parameters
    ----------
    netlist : dict
        Mapped for ECP5; flattened, or each module is seen by itself.

    Returns
    -------
    int
        Flip-flops that are gone.
    """
    return sum(_absorb(module) for module in netlist["modules"].values())


def _absorb(module: dict[str, Any]) -> int:
    cells = module["cells"]
    users: dict[int, list[str]] = defaultdict(list)
    for port in module["ports"].values():
        for bit in port["bits"]:
            users[bit].append("")
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                for bit in bits:
                    users[bit].append(name)
    gone = 0
    for cell in list(cells.values()):
        if cell["type"] != MULTIPLIER or cell["parameters"].get("REG_OUTPUT_CLK", "NONE") != "NONE":
            continue
        ports = {
            port: users[bits[0]]
            for port in PRODUCT
            if (bits := cell["connections"].get(port)) and users[bits[0]]
        }
        names = _registers(cells, ports.values())
        if not names:
            continue
        registers = [cells.pop(name) for name in names]
        for port, register in zip(ports, registers, strict=True):
            cell["connections"][port] = register["connections"]["Q"]
        clock, enable, set_reset = _control(registers[0])
        controls = {"CLK0": clock, "CE0": enable, "RST0": "0"}
        cell["connections"] |= {port: [bit] for port, bit in controls.items()}
        cell["port_directions"] |= dict.fromkeys(controls, "input")
        cell["parameters"] |= {f"REG_OUTPUT_{port[:-1]}": port for port in controls}
        cell["parameters"]["GSR"] = set_reset
        gone += len(registers)
    return gone


def _registers(cells: dict[str, Any], users: Iterable[list[str]]) -> list[str]:
    """The flip-flops behind the bits of a product, if these are all; else none."""
    names = []
    for found in users:
        if len(found) != 1 or cells.get(found[0], {}).get("type") != REGISTER:
            return []
        names += found
    registers = [cells[name] for name in names]
    plain = all(map(_is_plain, registers)) and len({_control(r) for r in registers}) == 1
    return names if plain and len(set(names)) == len(names) else []


def _is_plain(register: dict[str, Any]) -> bool:
    """Whether it starts at 0, has no reset, and takes its data at ``DI`` at rising edges."""
    options, bits = register["parameters"], register["connections"]
    return (
        "DI" in bits
        and bits.get("LSR", ["0"]) == ["0"]
        and options.get("LSRMUX", "LSR") == "LSR"
        and options.get("REGSET", "RESET") == "RESET"
        and options.get("CLKMUX", "CLK") == "CLK"
        and options.get("CEMUX", "1").strip() in ("1", "CE")
    )


def _control(register: dict[str, Any]) -> tuple[int | str, int | str, str]:
    """Clock, enable, and whether the device's global reset is heard."""
    bits = register["connections"]
    always = register["parameters"].get("CEMUX", "1").strip() == "1"
    enable = "1" if always else bits.get("CE", ["1"])[0]
    return bits["CLK"][0], enable, register["parameters"].get("GSR", "ENABLED").strip()
