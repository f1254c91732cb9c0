# SPDX-License-Identifier: BSD-2-Clause
"""What a module was mapped to, as Verilog that any simulator takes: cells replaced by their models.

A library's cells are what their functions in the Liberty file say; an FPGA's are Yosys' simulation
models, and ECP5's multiplier, for which Yosys has none, is a model of our own of as much of it as
Yosys uses.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from macaw.golden.errors import ToolError
from macaw.tools.yosys import ToolFailure

from .measurement import Measurement, read_json, write

_A, _B, _P = (
    ", ".join(f"{side}{i}" for i in reversed(range(bits)))
    for side, bits in (("A", 18), ("B", 18), ("P", 36))
)
MULT18X18D = f"""
module MULT18X18D (
  input {_A}, {_B}, {_A.replace("A", "C")},
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, RST0,
  output {_P}
);
  parameter REG_OUTPUT_CLK = "NONE";
  parameter REG_OUTPUT_CE = "CE0";
  parameter REG_OUTPUT_RST = "RST0";
  parameter GSR = "ENABLED";
  wire signed [18:0] a = {{SIGNEDA & A17, {_A}}};
  wire signed [18:0] b = {{SIGNEDB & B17, {_B}}};
  wire signed [37:0] now = a * b;
  reg [35:0] kept;
  always @(posedge CLK0)
    if (RST0) kept <= 0;
    else if (CE0) kept <= now;
  assign {{{_P}}} = REG_OUTPUT_CLK == "NONE" ? now[35:0] : kept;
endmodule
"""
"""Lattice FPGA-TN-02205: the sign of each factor, and the register of the product."""


def verilog(measurement: Measurement) -> tuple[str, dict[str, int]]:
    """Map the module; (the netlist with its cells' models put in, how many cells of each kind).

    ToolError where a cell has no model.
    """
    target, name = measurement.target, measurement.design.name
    work = measurement.work
    if target.liberty:
        measurement.map_to_library()
        models, file = "read_liberty -ignore_miss_func cells.lib\n", "netlist.json"
    else:
        measurement.fpga(routed=False)
        write(work / "models.v", MULT18X18D)
        own = "read_verilog models.v\n" if "ecp5" in target.name else ""
        # Compiled when a cell needs it: ice40's large memory, which none is, takes a minute.
        models, file = f"read_verilog -defer -DNO_INCLUDES {target.models}\n{own}", "unit.json"
    netlist = read_json(work / file)
    module = netlist["modules"][name]
    netlist["modules"] = {name: module | {kind: _shorter(module, kind) for kind in _NAMED}}
    write(work / "mapped.json", json.dumps(netlist))
    text = f"{models}read_json mapped.json\nhierarchy -check -top {name}\nproc\nflatten\n"
    try:
        measurement.script(f"{text}opt_clean\nwrite_verilog -noattr mapped.v\n", "models")
    except ToolFailure as error:
        raise ToolError(f"netlist of {name} for {target.name}: {error}") from error
    # Adders of the models leave out bits that nothing needs, which a simulator may find odd.
    quiet = "/* verilator lint_off WIDTH */\n/* verilator lint_off CASEOVERLAP */\n"
    kinds = (cell["type"] for cell in module["cells"].values())
    cells = Counter(kind for kind in kinds if not kind.startswith("$"))
    return quiet + (work / "mapped.v").read_text(encoding="utf-8"), dict(sorted(cells.items()))


LONGEST_NAME = 80
"""Characters of a name that is left as it is. Yosys names a cell and its nets after the cells that
they come from, so that deep in a netlist most of its text would be names."""
_NAMED = ("cells", "netnames")


def _shorter(module: dict[str, Any], kind: str) -> dict[str, Any]:
    """A module's cells or nets, of which long names are a number; ports keep theirs."""
    named = module[kind]
    return {
        name if len(name) <= LONGEST_NAME or name in module["ports"] else f"{kind}_{number}_": each
        for number, (name, each) in enumerate(named.items())
    }
