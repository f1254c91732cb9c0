# SPDX-License-Identifier: BSD-2-Clause
"""Shares of parts add up to the whole."""

import json
from pathlib import Path

import pytest

from macaw.golden import SpecError, unit
from macaw.synth import Breakdown, breakdown, compare, run
from macaw.synth.flow import from_verilog


@pytest.mark.parametrize("target", ["asic", "ecp5", "ice40", "xilinx7"])
def test_shares_add_up(target: str):
    spec = unit("mul", a="e4m3", out="fp16")
    found = breakdown(spec, target, stages=2, area_only=target == "xilinx7", cache=False)
    whole = run(spec, target, stages=2, area_only=target == "xilinx7")
    cost = whole.gate_equivalents if target == "asic" else whole.lut_equivalents
    assert found.whole.cost == cost
    assert sum(share.cost for share in found.shares) == pytest.approx(cost, abs=1e-6)
    assert sum(share.ffs for share in found.shares) == found.whole.ffs == whole.ffs
    if target == "xilinx7":
        assert found.whole.delay is None
        return
    assert found.whole.delay is not None
    assert sum(share.delay or 0 for share in found.shares) == pytest.approx(found.whole.delay)
    parts = {share.part: share for share in found.shares}
    assert {"unpack_a", "multiply", "round", "pack"} <= parts.keys()
    # Most of the path is in parts, so their names were found in the netlist.
    inside = [s for s in found.shares if "the parts" not in s.part and "setup" not in s.part]
    assert sum(share.delay or 0 for share in inside) > found.whole.delay / 3


def test_lanes_are_one_line():
    found = breakdown(unit("dot", a="e2m1", out="fp16", lanes=4), "asic", cache=False)
    lanes = [share for share in found.shares if share.part == "lane multiply"]
    assert [share.copies for share in lanes] == [4]


def test_json_reads_back():
    found = breakdown(unit("mul", a="e2m1", out="e4m3"), "asic", cache=False)
    assert Breakdown.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_only_own_designs_have_parts(tmp_path: Path):
    path = tmp_path / "other.v"
    path.write_text("module other(input a, output b); assign b = ~a; endmodule\n")
    with pytest.raises(SpecError, match="only macaw's own designs know their parts"):
        breakdown(from_verilog(path), "asic")


def test_compare_tells_parts():
    made = compare(["e4m3"], ["asic"], reference="e4m3", proof=False, breakdown=True, cache=False)
    [row] = made.rows
    assert row.breakdown["whole"]["part"] == "whole"
    assert "the parts of" in made.table()
    assert "What the parts cost" in made.html()
    assert json.loads(json.dumps(made.to_json()))["rows"][0]["breakdown"]["shares"]
