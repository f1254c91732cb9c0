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


def of_net(net: Any, module: Mapping[str, Any]) -> int | None:
    """The stage of a net of a module in Yosys' JSON: operands are in 0."""
    names = [name for name, each in module["netnames"].items() if net in each["bits"]]
    ports = module["ports"]
    if any(ports[name]["direction"] == "input" for name in names if name in ports):
        return 0
    told = (of_name(name) for name in names)
    return next((stage for stage in told if stage is not None), None)


def of_register(cell: str, netlist: Mapping[str, Any]) -> int | None:
    """The stage after a cell of what is placed and routed, which is a register or has one."""
    if cell.startswith(registers.OPERANDS):
        return 0
    stage = of_name(cell)
    known = netlist["modules"][registers.TOP]["cells"].get(cell)
    if stage is None or known is None or known["type"] != dsp_registers.MULTIPLIER:
        return stage
    return stage + 1  # it is called by its product, and keeps that
