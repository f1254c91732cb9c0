# SPDX-License-Identifier: BSD-2-Clause
"""Registers that are moved by what is measured, and the option that says where they are."""

import json
from dataclasses import dataclass

import pytest

from macaw.cli import main
from macaw.golden.errors import SpecError
from macaw.golden.units import unit
from macaw.hdl import Implementation, build, generate
from macaw.sim import verify
from macaw.synth import Settings, at_clock, compare, retimed, run, search
from macaw.synth.mapping import stages
from macaw.synth.result import Result
from macaw.synth.search import LEAST, LESS, TRIES, balanced, gates

SPEC = unit("fma", a="e4m3", out="fp16")
SMALL = unit("add", a="e2m3")


@dataclass(frozen=True)
class Design:
    """Three stages whose steps are divided by what each has of the period."""

    budgets: tuple[float, ...]
    steps: int = 30

    @property
    def name(self) -> str:
        return f"of_{len(str(self.budgets))}"

    @property
    def verilog(self) -> str:
        return f"// made by {self.budgets}\nmodule {self.name} {self.cuts}\n"

    @property
    def cuts(self) -> list[int]:
        whole, share = sum(self.budgets), self.budgets
        first = round(self.steps * share[0] / whole)
        second = round(self.steps * share[1] / whole)
        return [first, second, self.steps - first - second]


def measured(design: Design) -> Result:
    """Steps of the middle stage take twice as long as the model has it."""
    times = [cut * factor for cut, factor in zip(design.cuts, (1, 2, 1), strict=True)]
    slow = max(range(3), key=times.__getitem__)
    return Result(name="x", target="x", fmax_mhz=100 / times[slow], slowest_stage=slow)


def test_the_slowest_stage_gets_less_until_all_are_alike():
    tried = []

    def measure(design):
        tried.append(design.cuts)
        return measured(design)

    best = balanced(2, Design, measure, lambda result: result.fmax_mhz)
    assert tried[0] == [10, 10, 10]
    assert len({*map(tuple, tried)}) == len(tried) <= TRIES + 1  # none twice
    assert best.fmax_mhz == 100 / 12  # 12 steps, 6 of twice the time, 12 steps


def test_what_leads_to_nothing_better_gives_way():
    """The slowest stage of the first pipeline is cut further where what it led to is worse."""
    worth = {30: 20.0, 29: 10.0, 28: 11.0, 27: 25.0}  # by what the middle stage has

    @dataclass(frozen=True)
    class Step(Design):
        @property
        def cuts(self) -> list[int]:
            return [30, max(27, round(30 * self.budgets[1])), round(30 * self.budgets[2])]

    def measure(design):
        _, middle, last = design.cuts
        return Result(
            name="x", target="x", slowest_stage=1 if middle == 30 else 2,
            fmax_mhz=worth[middle] - (30 - last),
        )  # fmt: skip

    best = balanced(2, Step, measure, lambda result: result.fmax_mhz)
    assert best.fmax_mhz == 25.0


def test_the_best_pipeline_is_not_gone_on_from_for_ever():
    """Cutting its slowest stage again and again gives nothing; another, a little worse, does."""

    @dataclass(frozen=True)
    class Each(Design):
        @property
        def cuts(self) -> list[int]:
            return [round(1000 * share) for share in self.budgets]

    def measure(design):
        _, middle, last = design.cuts
        worth = 20.0 if middle == 1000 else 19.9 if last == 1000 else 30.0
        slow = 1 if middle == 1000 else 2
        return Result(name="x", target="x", slowest_stage=slow, fmax_mhz=worth)

    best = balanced(2, Each, measure, lambda result: result.fmax_mhz)
    assert best.fmax_mhz == 30.0


def test_what_is_enough_ends_it():
    tried = []

    def measure(design):
        tried.append(design)
        return measured(design)

    found = balanced(2, Design, measure, lambda result: result.fmax_mhz, enough=5.5)
    assert found.fmax_mhz == 100 / 18
    assert [design.cuts[1] for design in tried] == [10, 9]


def test_a_stage_that_cannot_be_cut_ends_it():
    count = []

    def measure(design):
        count.append(1)
        return Result(name="x", target="x", fmax_mhz=10.0, slowest_stage=1)

    fixed = lambda budgets: Design((1.0, 1.0, 1.0))  # noqa: E731
    assert balanced(2, fixed, measure, lambda result: result.fmax_mhz).fmax_mhz == 10.0
    assert len(count) == 1
    assert LEAST < LESS < 1


@pytest.mark.parametrize("stage", [None, 3])
def test_without_a_stage_of_the_pipeline_there_is_nothing_to_move(stage):
    only = Result(name="x", target="x", fmax_mhz=10.0, slowest_stage=stage)
    assert balanced(2, Design, lambda design: only, lambda result: result.fmax_mhz) is only


def test_gates_are_compared_without_their_names():
    plain, named = (generate(SPEC, stages=2, name=name) for name in (None, "another"))
    assert gates(plain) == gates(named)
    assert gates(plain) != gates(generate(SPEC, stages=2, budgets=(0.6, 1, 1)))


# --- where registers are


def cuts(**options):
    """Bits of registers of each stage."""
    component = build(SPEC, Implementation(**options))
    component.elaborate(None)
    found = {}
    for place in component.places.values():
        if place.register:
            found[place.stage] = found.get(place.stage, 0) + 1
    return found


def test_a_stage_with_less_time_does_less():
    alike, less = cuts(stages=2), cuts(stages=2, budgets="0.5,1,1")
    assert alike != less
    assert {*alike} == {*less} == {1, 2}
    slow, fast = (
        build(SPEC, Implementation(stages=2, budgets=b)).estimate for b in ((1, 1, 1), (0.5, 1, 1))
    )
    assert fast > slow  # by the model, which had them alike


@pytest.mark.parametrize("budgets", ["0.5,1,1", (1.0, 0.7, 1.2), [1, 1, 3]])
def test_no_bit_depends_on_it(budgets):
    report = verify(SPEC, simulator="bulk", vectors=3000, stages=2, budgets=budgets)
    assert report.passed, report


def test_alike_is_the_default():
    assert Implementation(stages=1, budgets="2,2") == Implementation(stages=1)
    design = generate(SPEC, stages=2, budgets=(1, 0.75, 1))
    assert design.name == "fma_e4m3_fp16_s2_budgets1x0p75x1"
    assert design.command.endswith("--stages 2 --budgets 1,0.75,1")
    assert design.metadata["implementation"]["budgets"] == "1,0.75,1"


def test_the_command_says_all_of_it():
    option = Implementation(stages=1, budgets=(1 / 3, 1.0000001))
    assert option.budgets == (0.333333, 1.0)
    assert option == Implementation(**option.parameters)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"stages": 2, "budgets": "1,1"}, "budgets=1,1: must be 3 numbers, for 2 stages, each"),
        ({"stages": 1, "budgets": "1,x"}, "budgets=1,x: must be 2 numbers"),
        ({"stages": 1, "budgets": (1, 0)}, r"budgets=\(1, 0\): must be .* from 0.1 to 10"),
        ({"stages": 1, "budgets": "1,nan"}, "budgets=1,nan: must be 2 numbers"),
        ({"stages": 1, "budgets": 3}, "budgets=3: must be 2 numbers"),
        ({"frequency": 100.0, "budgets": "1,1"}, "budgets=1,1: needs stages, not frequency"),
    ],
)
def test_wrong_budgets(options, why):
    with pytest.raises(SpecError, match=why):
        Implementation(**options)


# --- which stage is slowest


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("unit.align_shifted_s1_2_TRELLIS_FF_Q_3", 1),
        ("sum_s12", 12),
        ("out_s2_s3_DI_LUT4_Z", 3),
        ("unit.round_up_LUT4_A", None),
        ("classes", None),
    ],
)
def test_the_stage_of_a_name(name, stage):
    assert stages.of_name(name) == stage


def test_the_stage_of_registers():
    kinds = {"product_s1_MULT": "MULT18X18D", "sum_s2_FF": "TRELLIS_FF", "feed_3": "TRELLIS_FF"}
    cells = {name: {"type": kind} for name, kind in kinds.items()}
    netlist = {"modules": {"macaw_bench": {"cells": cells}}}
    found = [stages.of_register(name, netlist) for name in (*kinds, "other")]
    assert found == [2, 2, 0, None]


def test_nets_have_the_stages_of_their_names():
    ports = {
        "i_a": {"direction": "input", "bits": [2, 3]},
        "o_r_s9": {"direction": "output", "bits": [7]},
    }
    names = {
        "i_a": [2, 3], "unpack_a_s0": [2], "sum_s1": [4, 5], "late_s2": [5, 6], "other": [8],
        "fed_s1": [3],
    }  # fmt: skip
    module = {"ports": ports, "netnames": {name: {"bits": bits} for name, bits in names.items()}}
    assert stages.by_net(module) == {2: 0, 3: 0, 4: 1, 5: 1, 6: 2}
    assert stages.by_net(module, 9) == {2: 0, 3: 0, 4: 1, 5: 1, 6: 2, 7: 9}
    starts = {2: 5.0, 3: 7.0, 6: 4.0, 8: 99.0}
    assert stages.slowest(starts, stages.by_net(module)) == (7.0, 0.0, 4.0)
    assert stages.slowest({8: 99.0}, {}) == ()


def test_a_library_s_result_tells_what_each_stage_takes():
    """The slowest one is as slow as the whole; without registers there are none to compare."""
    budgets = (0.1, 10.0, 0.1)
    result = run(SMALL, "asic", stages=2, budgets=budgets)
    assert len(result.stage_fo4) == 3
    assert max(result.stage_fo4) == result.stage_fo4[1] == result.delay_fo4
    assert min(result.stage_fo4) > 0
    assert run(SMALL, "asic").stage_fo4 == ()
    assert run(SMALL, "ecp5", stages=2, budgets=budgets).stage_fo4 == ()


@pytest.mark.parametrize("target", ["asic", "ecp5"])
def test_a_result_tells_its_slowest_stage(target):
    """A stage with most of the gates is the slowest one."""
    for slow in (0, 1, 2):
        budgets = [0.1, 0.1, 0.1]
        budgets[slow] = 10.0
        assert run(SMALL, target, stages=2, budgets=budgets).slowest_stage == slow
    assert run(unit("mul", a="e2m1"), target).slowest_stage == 0


# --- the whole


def test_registers_are_moved_on_a_library(monkeypatch):
    monkeypatch.setattr(search, "TRIES", 5)
    before = run(SMALL, "asic", stages=2, optimise="delay", sizing=True)
    said = []
    after = retimed(SMALL, "asic", 2, optimise="delay", progress=said.append)
    assert after.delay_fo4 is not None
    assert before.delay_fo4 is not None
    assert after.delay_fo4 < before.delay_fo4
    assert any("begins in stage" in line for line in said)
    assert len(after.budgets) == 3
    assert after.sizing
    again = run(SMALL, "asic", stages=2, optimise="delay", sizing=True, budgets=after.budgets)
    assert (again.delay_fo4, again.hash) == (after.delay_fo4, after.hash)


def test_a_clock_is_reached_with_fewer_stages(monkeypatch):
    """What a stage more would do, moving registers does."""

    def price(self, design):
        at = design.metadata["latency"]
        moved = design.metadata["implementation"].get("budgets") is not None
        return Result(
            name=design.name, target="ecp5", latency=at, slowest_stage=0,
            fmax_mhz=30.0 * (at + 1) + 20 * moved,
        )  # fmt: skip

    monkeypatch.setattr(search.Pipelines, "price", price)
    alone, moved = (at_clock(SPEC, "ecp5", 100.0, retime=retime) for retime in (False, True))
    assert (alone[0], alone[1].fmax_mhz, alone[2]) == (3, 120.0, True)
    assert (moved[0], moved[1].fmax_mhz, moved[2]) == (2, 110.0, True)


@pytest.mark.parametrize(
    ("target", "asked", "options", "why"),
    [
        ("xilinx7", 2, {}, "target xilinx7 gives area only"),
        ("ecp5", 2, {"options": {"area_only": True}}, "area only"),
        ("ecp5", 0, {}, "stages=0"),
        ("ecp5", 2, {"budgets": "1,1,1"}, "budgets=1,1,1: retime decides where"),
        ("ecp5", 2, {"frequency": 10.0}, "frequency=10.0: retime decides where"),
    ],
)
def test_what_cannot_be_retimed(target, asked, options, why):
    with pytest.raises(SpecError, match=why):
        retimed(SPEC, target, asked, **options)


def test_formats_are_compared_with_their_registers_moved(monkeypatch):
    monkeypatch.setattr(search, "TRIES", 4)
    shown = {"targets": ["asic"], "stages": 2, "optimise": "delay", "proof": True, "vectors": 1000}
    plain, moved = (
        compare(["e2m1"], **shown, reference="e2m1", retime=retime) for retime in (False, True)
    )
    (before,), (after,) = plain.rows, moved.rows
    assert before.period_fo4 is not None
    assert after.period_fo4 is not None
    assert before.period_fo4 > after.period_fo4
    assert after.stages == 2
    assert after.proven == 1000
    budgets = after.implementation["budgets"]
    assert f"--budgets {budgets}" in after.result["generated_by"]
    assert "budgets" not in before.implementation
    assert moved.to_json()["settings"]["retime"] is True
    assert "retime" not in plain.to_json()["settings"]
    assert "Registers were moved by measurement" in moved.html()
    assert "Registers were moved by measurement" not in plain.html()
    spec = unit("mac", a="e2m1", out="fp32")
    how = {"optimise": "delay", "budgets": budgets, "sizing": True}
    again = run(spec, "asic", stages=2, energy=True, **how)
    priced = compare(["e2m1"], **shown, reference="e2m1", retime=True, energy=True).rows[0]
    assert priced.result["energy_per_operation"] == again.energy_per_operation
    assert priced.result["hash"] == again.hash == after.result["hash"]


@pytest.mark.parametrize("stages", [None, 0])
def test_a_comparison_moves_registers_only_where_there_are_any(stages):
    with pytest.raises(SpecError, match="retime: needs stages from 1 on, or a clock"):
        Settings(retime=True, stages=stages)


def test_the_command(monkeypatch, capsys):
    monkeypatch.setattr(search, "TRIES", 5)
    words = "synth add a=e2m3 --target asic --optimise delay --stages 2 --retime --json"
    assert main(words.split()) == 0
    (result,) = json.loads(capsys.readouterr().out)
    budgets = ",".join(f"{each:g}" for each in result["budgets"])
    assert f"--budgets {budgets}" in result["generated_by"]
    assert result["sizing"] is True
    assert result["delay_fo4"] == retimed(SMALL, "asic", 2, optimise="delay").delay_fo4
    assert main(["synth", "mul", "a=e4m3", "--target", "asic", "--retime"]) == 2
    assert "retime: needs --stages from 1 on, or --clock" in capsys.readouterr().err
