# SPDX-License-Identifier: BSD-2-Clause
"""A design as Amaranth writes it, before Yosys: what is equal here is equal in Verilog."""

from __future__ import annotations

import hashlib

from macaw.hdl import Design
from macaw.hdl.emit import rtlil_of


def netlist(design: Design) -> str:
    """The text of a design, and what a bench is told of its clocks."""
    text = rtlil_of(design)
    return f"{text}\n{design.latency} {design.initiation_interval}\n"


def digest(design: Design) -> str:
    """A short hash of :func:`netlist`."""
    return hashlib.sha256(netlist(design).encode()).hexdigest()[:16]
