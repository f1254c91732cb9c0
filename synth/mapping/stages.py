# SPDX-License-Identifier: BSD-2-Clause
"""In which pipeline stage of a unit a path of its mapped netlist begins.

The names of a datapath's signals end with the stage in which they are valid, as ``align_sum_s2``,
and mapping calls registers by the signals that they drive.
"""

import re
from collections.abc import Mapping
from typing import Any

from . import dsp_registers, registers

_STAGE = re.compile(r"_s(\d+)(?=_|$)")


def of_name(name: str) -> int | None:
    """The stage that a name tells; None where it tells none."""
    found = _STAGE.findall(name)
    return int(found[-1]) if found else None


def by_net(module: Mapping[str, Any], last: int | None = None) -> dict[Any, int]:
    """The stages of the nets of a module in Yosys' JSON that have one.

    Operands are in 0, results in the ``last`` one, if it is told.
    """
    found: dict[Any, int] = {}
    for port in module["ports"].values():
        if port["direction"] == "input":
            found |= dict.fromkeys(port["bits"], 0)
    for name, each in module["netnames"].items():
        stage = of_name(name)
        if stage is not None:
            for net in each["bits"]:
                found.setdefault(net, stage)
    for port in module["ports"].values():
        if port["direction"] == "output" and last is not None:
            found = dict.fromkeys(port["bits"], last) | found
    return found


def slowest(starts: Mapping[Any, float], of: Mapping[Any, int]) -> tuple[float, ...]:
    """The longest of what takes so long from its net on, by the nets' stages; 0 where none is."""
    times: dict[int, float] = {}
    for net, time in starts.items():
        if net in of:
            times[of[net]] = max(times.get(of[net], 0.0), time)
    return tuple(times.get(stage, 0.0) for stage in range(max(times, default=-1) + 1))


def of_register(cell: str, netlist: Mapping[str, Any]) -> int | None:
    """The stage after a cell of what is placed and routed, which is a register or has one."""
    if cell.startswith(registers.OPERANDS):
        return 0
    stage = of_name(cell)
    known = netlist["modules"][registers.TOP]["cells"].get(cell)
    if stage is None or known is None or known["type"] != dsp_registers.MULTIPLIER:
        return stage
    return stage + 1  # it is called by its product, and keeps that
