# SPDX-License-Identifier: BSD-2-Clause
"""A module cut into its parts is the same module."""

from pathlib import Path
from typing import Any

import pytest

from macaw.golden import unit
from macaw.hdl import generate
from macaw.tools import yosys

# Signals that correspond are merged, and what differs is left for the solver: nothing may.
PROOF = """\
read_verilog whole.v
prep -flatten -top {name}
memory_map
rename {name} gold
design -stash gold
read_verilog parts.v
setattr -mod -unset keep_hierarchy *
prep -flatten -top {name}
memory_map
rename {name} gate
design -stash gate
design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
miter -equiv -flatten gold gate miter
hierarchy -top miter
async2sync
techmap
opt -full -nodffe -nosdff
dfflegalize -cell $_DFF_P_ 0
opt_clean
abc -dff -g AND -script +strash;scorr;ifraig;scorr;dc2;strash;scorr
opt_clean
sat -verify -prove trigger 0 -seq 1 -set-init-undef
"""


def proven(folder: Path, name: str, whole: str, parts: str) -> None:
    """Have Yosys prove two modules of one name equal; it raises ToolError where they are not."""
    (folder / "whole.v").write_text(whole)
    (folder / "parts.v").write_text(parts)
    (folder / "proof.ys").write_text(PROOF.format(name=name))
    tool = yosys.find("yosys", prefer="yowasp")
    yosys.call(tool, ("-q", "-s", "proof.ys"), folder=folder, timeout=300, what="equivalence")


@pytest.mark.parametrize(
    ("kind", "parameters", "options"),
    [
        ("fma", {"a": "e4m3", "out": "fp16"}, {"stages": 3, "flow": "stream"}),
        ("add", {"a": "e5m2", "out": "e5m2"}, {}),
        ("block-dot", {"a": "mxfp4", "out": "fp32", "size": 4}, {"stages": 2}),
        ("mac", {"a": "e4m3", "out": "fp32", "acc": "exact", "lanes": 2}, {"flow": "valid"}),
        ("int-dot", {"a": "int8", "lanes": 4, "a_zero": True}, {"stages": 1}),
    ],
    ids=lambda x: str(x)[:9],
)
def test_parts_are_the_whole(
    kind: str, parameters: dict[str, Any], options: dict[str, Any], tmp_path: Path
):
    design = generate(unit(kind, **parameters), **options)
    cut = design.cut
    assert len(cut.modules) > 3
    proven(tmp_path, design.name, design.verilog, cut.verilog)


def test_the_proof_finds_a_difference(tmp_path: Path):
    design = generate(unit("add", a="e2m1", out="e3m2"))
    wrong = design.cut.verilog.replace(" + ", " - ", 1)
    assert wrong != design.cut.verilog
    with pytest.raises(yosys.ToolFailure):
        proven(tmp_path, design.name, design.verilog, wrong)


def test_memories_stay_outside(tmp_path: Path):
    stages = "mac(a=int8, out=int32, lanes=2, acc=int32) | add(b=int32) | cast(out=int8)"
    design = generate(unit("pipeline", stages=stages, channels=3, stored="add_b"))
    assert "parameters_memory [2:0]" in design.cut.verilog.split("endmodule")[0]
    proven(tmp_path, design.name, design.verilog, design.cut.verilog)
