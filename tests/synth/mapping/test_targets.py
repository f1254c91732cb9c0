# SPDX-License-Identifier: BSD-2-Clause
from dataclasses import replace
from typing import Any

import pytest

from macaw.golden.errors import SpecError
from macaw.golden.units import unit
from macaw.hdl import generate
from macaw.synth import TARGETS, breakdown, run, target
from macaw.synth.flow import Source
from macaw.synth.mapping.measurement import Measurement
from macaw.synth.mapping.targets import (
    AREA_SCRIPT,
    ASIC,
    DELAY_SCRIPT,
    LOAD_SCRIPT,
    OPTIMISE,
)
from macaw.synth.result import Result
from macaw.tools.yosys import ToolTimeout


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


def mapped(mapping: str, alternative: str) -> Result:
    return run(ADDER, replace(ASIC, mapping=mapping, alternative=alternative, recipes={}))


def test_of_two_mappings_the_faster_one_is_kept():
    alone = {script: mapped(script, "") for script in (DELAY_SCRIPT, AREA_SCRIPT)}
    fast, slow = alone[DELAY_SCRIPT], alone[AREA_SCRIPT]
    for first, second in ((DELAY_SCRIPT, AREA_SCRIPT), (AREA_SCRIPT, DELAY_SCRIPT)):
        made = mapped(first, second)
        assert not made.cached  # both are a part of the key
        assert (made.delay_fo4, made.gate_equivalents) == (fast.delay_fo4, fast.gate_equivalents)
    assert known(fast.delay_fo4) < known(slow.delay_fo4)


@pytest.mark.parametrize("other", [LOAD_SCRIPT, "no_such_command\n"])
def test_a_mapping_that_fails_leaves_the_other(other):
    # What weighs loads fails with macaw's own library.
    made, alone = mapped(DELAY_SCRIPT, other), mapped(DELAY_SCRIPT, "")
    assert (made.delay_fo4, made.gate_equivalents) == (alone.delay_fo4, alone.gate_equivalents)
    assert not made.notes


def test_a_mapping_that_does_not_finish_is_a_note(monkeypatch):
    real = Measurement.script

    def script(self: Measurement, text: str, name: str, timeout: float | None = None) -> None:
        if name == "mapping by loads":
            raise ToolTimeout("yosys: mapping did not finish")
        real(self, text, name, timeout)

    monkeypatch.setattr(Measurement, "script", script)
    assert mapped(DELAY_SCRIPT, AREA_SCRIPT).notes == (
        "mapped one way: ABC did not finish another",
    )


def test_a_library_of_a_process_is_mapped_two_ways_for_delay(tmp_path):
    file = tmp_path / "own.lib"
    file.write_text(ASIC.liberty)
    chosen = target("asic", file)
    assert chosen.optimised("delay").alternative == LOAD_SCRIPT
    assert not any(chosen.optimised(how).alternative for how in ("balanced", "area"))


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


@pytest.mark.parametrize("flow", ["none", "valid", "stream"])
def test_accumulators_begin_anew_by_the_reset_of_their_flip_flops(flow: str):
    """A mask in front of the sum would be a LUT for each of their bits."""
    made = run(unit("int-mac", a="int8", bias=False, wrap=True), "ecp5", flow=flow)
    assert known(made.dsps) == 1
    assert known(made.luts) < known(made.ffs) // 2


def test_luts_of_four_inputs_are_as_many_on_gowin_as_on_ecp5():
    # With wide LUTs, which Yosys takes by default, there are twice as many.
    spec = unit("add", a="e4m3", out="fp16")
    gowin = run(spec, "gowin", area_only=True)
    ecp5 = run(spec, "ecp5-compact", area_only=True)
    assert known(gowin.luts) < 1.25 * known(ecp5.luts)
