# SPDX-License-Identifier: BSD-2-Clause
"""A unit between registers that a few pins feed, so that place and route times only the unit.

The inputs are the bits of one long shift register; the outputs are captured, and folded into a
second shift register by exclusive-or, so that nothing can be optimised away and neither needs a
control signal. Only the clock, one input and one output reach the pins.
"""

from collections.abc import Iterable, Mapping
from typing import Any

TOP = "macaw_bench"
OPERANDS = "feed"
"""The register in front of the unit."""


def wrap(name: str, ports: Iterable[Mapping[str, Any]]) -> str:
    """Verilog of the module :data:`TOP` round module ``name`` with the ports of its metadata.

    Each port has ``name``, ``direction`` (input or output), ``width`` and ``role`` (``clock`` for
    the clock).
    """
    ports = list(ports)
    inputs = [p for p in ports if p["direction"] == "input" and p["role"] != "clock"]
    outputs = [p for p in ports if p["direction"] == "output"]
    connections = [f".{p['name']}(clk)" for p in ports if p["role"] == "clock"]
    for vector, group in ((OPERANDS, inputs), ("result", outputs)):
        low = 0
        for port in group:
            connections.append(f".{port['name']}({vector}[{low + port['width'] - 1}:{low}])")
            low += port["width"]
    wide_in = max(1, sum(p["width"] for p in inputs))
    wide_out = max(1, sum(p["width"] for p in outputs))
    joined = ",\n    ".join(connections)
    return f"""{_declaration(name, ports)}
module {TOP} (input clk, input serial_in, output reg serial_out);
  reg [{wide_in}:0] {OPERANDS};
  wire [{wide_out - 1}:0] result;
  reg [{wide_out - 1}:0] held, drain;
  {name} unit (
    {joined}
  );
  always @(posedge clk) begin
    {OPERANDS} <= {{{OPERANDS}, serial_in}};
    held <= result;
    drain <= {{drain, 1'b0}} ^ held;
    serial_out <= drain[{wide_out - 1}];
  end
endmodule
"""


def _declaration(name: str, ports: Iterable[Mapping[str, Any]]) -> str:
    """The unit as a black box: it is mapped already, and put in afterwards."""
    listed = ",\n".join(f"  {p['direction']} [{p['width'] - 1}:0] {p['name']}" for p in ports)
    return f"(* blackbox *)\nmodule {name} (\n{listed}\n);\nendmodule\n"
