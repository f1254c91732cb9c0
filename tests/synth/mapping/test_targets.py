# SPDX-License-Identifier: BSD-2-Clause
from typing import Any

import pytest

from macaw.golden.errors import SpecError
from macaw.golden.units import unit
from macaw.hdl import generate
from macaw.synth import TARGETS, breakdown, run, target
from macaw.synth.flow import Source
from macaw.synth.mapping.targets import OPTIMISE


def known(value: float | None) -> float:
    assert value is not None
    return value


SUM = "module wide (input [31:0] i_a, input [31:0] i_b, output [31:0] o_r);\nassign o_r = {};\n"
ADDER = Source(
    name="wide",
    verilog=SUM.format("i_a + i_b") + "endmodule\n",
    metadata={"name": "wide", "ports": [], "latency": 0},
)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))


def test_a_library_is_mapped_for_area_or_for_delay():
    made: Any = [run(ADDER, "asic", optimise=how) for how in ("area", "balanced", "delay")]
    small, usual, fast = made
    assert small.gate_equivalents < usual.gate_equivalents < fast.gate_equivalents
    assert small.logic_fo4 > 1.5 * usual.logic_fo4
    assert fast.logic_fo4 < 0.6 * usual.logic_fo4
    # What it is mapped for is a part of the key.
    assert not any(each.cached for each in made)
    assert run(ADDER, "asic") == usual


def test_ecp5_is_mapped_for_area_without_wide_luts():
    spec = unit("mul", a="e4m3", out="e4m3")
    usual, small, compact = (
        known(run(spec, name, optimise=how, area_only=True).lut_equivalents)
        for name, how in (("ecp5", "balanced"), ("ecp5", "area"), ("ecp5-compact", "balanced"))
    )
    assert small == compact < usual


def test_a_design_says_what_it_is_mapped_for():
    spec = unit("add", a="e4m3", out="e4m3")
    design = generate(spec, target="asic", optimise="area")
    assert design.name.endswith("_asic_area")
    assert run(design, "asic") == run(spec, "asic", optimise="area")
    fast, slow = (run(design, "asic", optimise=how).logic_fo4 for how in ("delay", None))
    assert known(fast) < known(slow)
    parts = breakdown(spec, "asic", optimise="area")
    assert parts.whole.cost == run(design, "asic").gate_equivalents


@pytest.mark.parametrize("name", TARGETS)
def test_balanced_is_the_target_itself(name):
    chosen = target(name)
    assert chosen.optimised("balanced") == chosen
    assert "mapping" not in chosen.to_dict()
    for how in OPTIMISE:
        again = chosen.optimised(how)
        assert again.name == name
        assert (again == chosen) == (how not in chosen.recipes)
        # Of what a key holds, a recipe changes just what it says.
        key, usual = again.to_dict(), chosen.to_dict()
        assert {part for part in key if key[part] != usual.get(part)} == {
            *chosen.recipes.get(how, {})
        }


def test_another_word_is_refused():
    with pytest.raises(SpecError, match=r"optimise=fast: must be one of balanced, area, delay"):
        run(ADDER, "asic", optimise="fast")
    with pytest.raises(SpecError, match=r"optimise=fast: must be one of balanced, area, delay"):
        run(unit("add", a="e4m3", out="e4m3"), "asic", optimise="fast")
