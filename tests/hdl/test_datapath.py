# SPDX-License-Identifier: BSD-2-Clause
"""Datapaths without a module of their own: plain objects that build arithmetic anywhere."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from in_bulk import differing
from simulated import simulated

from macaw.golden import SpecError, unit
from macaw.hdl import (
    DATAPATHS,
    DELAY_MODELS,
    Component,
    Datapath,
    Implementation,
    Scheduler,
    build,
    generate,
)
from macaw.hdl.component import _scratch

PRODUCT = unit("mul", a="int4", b="int4", out="int8")
HALVES = np.arange(256) & 15, np.arange(256) >> 4


def datapath(spec, **options) -> Datapath:
    return DATAPATHS[type(spec)](spec, Implementation(**options))


def test_a_datapath_builds_into_any_scheduler():
    product = datapath(PRODUCT)
    got = simulated(lambda p, word: product.build(p, a=word[:4], b=word[4:])["r"], 8, range(256))
    assert got == PRODUCT.evaluate(a=HALVES[0], b=HALVES[1])["r"].tolist()


@pytest.mark.parametrize("period", [float("inf"), 4.0])
def test_datapaths_compose(period: float):
    total = unit("add", a="int8", b="int4", out="int9")
    steps = datapath(PRODUCT), datapath(total)

    def multiply_add(p, word):
        a, b = word[:4], word[4:]
        return steps[1].build(p, a=steps[0].build(p, a=a, b=b)["r"], b=b)["r"]

    got = simulated(multiply_add, 8, range(256), period)
    a, b = ((half + 8) % 16 - 8 for half in HALVES)
    assert got == ((a * b + b) % 512).tolist()


def test_a_datapath_is_its_specification_and_its_implementation():
    assert datapath(PRODUCT, stages=2) == datapath(PRODUCT, stages=2) != datapath(PRODUCT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        datapath(PRODUCT).spec = PRODUCT  # type: ignore[misc]


def test_a_component_holds_a_datapath():
    component = build(PRODUCT, Implementation(stages=2))
    assert component.datapath == datapath(PRODUCT, stages=2)
    assert (component.spec, component.implementation.stages, component.latency) == (PRODUCT, 2, 2)
    assert [port.name for port in component.port_list] == ["clk", "rst", "i_a", "i_b", "o_r"]


def test_lanes_that_take_no_turns_are_refused_by_the_datapath():
    with pytest.raises(SpecError, match="fold=2: the lanes of mul take no turns"):
        datapath(PRODUCT, fold=2, flow="valid")
    with pytest.raises(SpecError, match="fold=3: must divide length=16"):
        datapath(unit("autoflex", out="flex8+5", length=16), fold=3, flow="valid")


def test_digits_that_there_are_not_are_refused_by_the_datapath():
    with pytest.raises(SpecError, match="digits=1: mul has none to find one after another"):
        datapath(PRODUCT, digits=1, flow="valid")


def test_state_without_a_beginning_is_refused_by_the_component():
    spec = unit("int-mac", a="int8")
    part = datapath(spec, reset="none")
    with pytest.raises(SpecError, match="reset=none: int-mac keeps something from beat to beat"):
        Component(part)


SCHEDULED = [
    (unit("fma", a="e4m3", out="fp16"), {"target": "asic"}),  # products that are split
    (unit("dot", a="int9", lanes=4, out="int24"), {"target": "asic", "optimise": "delay"}),
    (unit("fma", a="fp16", out="fp16"), {"target": "asic", "optimise": "delay"}),  # rows
    (unit("mac", a="e4m3", out="e5m2"), {"flow": "valid"}),  # a sum in segments, a loop
    (unit("mac", a="int12", out="int32"), {"multiplier": "dsp"}),  # the registers of products
    (unit("autoflex", out="flex8+5", length=2), {"fold": 2, "flow": "stream"}),
]


SUMMED = (
    unit("fma", a="e5m2", b="e4m3", c="fp16", out="fp16"),
    unit("fma", a="fp16", out="fp16", rounding="rdn"),
    unit("fma", a="bf16", c="fp32", out="fp32"),
    unit("fma", a="e4m3", c="int8", out="int16"),
    unit("fma", a="ue4m3", out="bf16"),
    unit("fpu", a="e5m2", operations="madd,nmsub,mul"),
)

ANTICIPATED = (
    unit("fma", a="e3m2ieee", out="e3m2ieee", rounding="dynamic", flags=True),
    unit("fma", a="e5m2", out="e5m2", rounding="rup", flags=True, tininess="before"),
    unit("fma", a="e4m3", out="fp16", rounding="sr", random_bits=4),
    unit("add", a="e4m3", out="e4m3", rounding="dynamic", flags=True),
    unit("add", a="e5m2", b="e4m3", out="fp16", rounding="rdn"),
    unit("add", a="fp16", out="e5m2", flags=True),
    unit("block-dot", a="mxfp4", out="bf16"),
    unit("block-quantize", a="ue5m3", out="int6-k4-fp32-zint9"),  # adds nothing to the largest
    unit("dot", a="e5m2", lanes=3, out="fp16"),
    unit("dot", a="e5m2", lanes=2, out="fp16", accumulation="chunk(2, fx12.4)"),
    unit("fpu", a="e5m2"),
)


NEAR_AND_FAR = (
    *(unit("add", a=name, rounding="dynamic", flags=True) for name in ("e4m3", "e5m2", "e3m4")),
    unit("add", a="e3m2ieee", subtract=True, rounding="dynamic", flags=True, tininess="before"),
    unit("add", a="e5m2", b="e5m1", out="e5m2", rounding="rod", flags=True),
    unit("add", a="e4m3fnuz", rounding="rdn", overflow="saturate"),
    unit("add", a="e4m0", rounding="rup", flags=True),
    unit("add", a="ue4m3", subtract=True, rounding="rne", flags=True),
    unit("add", a="e5m2", rounding="srb", random_bits=4, flags=True),
    unit("add", a="e5m2", out="e5m10", flags=True),
    # A difference may be too large, though many digits cancel.
    unit("add", a="e5m2", out="e4m10", rounding="dynamic", flags=True),
    unit("add", a="fp32", rounding="dynamic", flags=True),
    unit("fpu", a="e3m2ieee", operations="add,sub,min"),
)
"""Sums whose terms have a leading one in the same place, or are subnormal together."""


IN_STEPS = (
    *ANTICIPATED,
    unit("fma", a="e5m2", out="e5m2", rounding="dynamic", flags=True),
    unit("fma", a="e4m0", out="e4m0", rounding="rup", flags=True),
    unit("fma", a="e3m2ftz", out="e3m2ftz", flags=True),
    unit("fma", a="e5m2", out="e5m4ftz", rounding="dynamic", flags=True),
    unit("fma", a="e2m3", c="bf16", out="ue4m3", rounding="rdn"),
    unit("fma", a="fp16", out="e4m3fnuz", overflow="saturate"),
    unit("cast", a="int16", out="e5m2", rounding="dynamic", flags=True),
    unit("cast", a="fx12.8", out="e3m2", flags=True),
    unit("cast", a="int32", out="fp32", rounding="rod"),
    # -1 has no digit but what is added to it, and a shift that reaches further than its word
    unit("cast", a="int20", out="fp32", rounding="dynamic", flags=True),
    unit("dot", a="e2m1", b="e2m3", lanes=2, out="fp16", c="fx20.6"),
    unit("mac", a="e2m1", out="fp16", lanes=8),
    unit("mac", a="e4m3", out="fp16"),
    unit("mac", a="e5m2", acc="fp16", out="fp16", contexts=2),
)
"""Units for area, in which the leading digit of what is rounded can be anywhere."""


@pytest.mark.parametrize("stages", [0, 3])
def test_digits_that_are_moved_to_in_steps(stages):
    made = [generate(spec, target="ecp5", optimise="area").verilog for spec in IN_STEPS]
    assert sum("normalise_moves" in verilog for verilog in made) > 14
    assert not differing(IN_STEPS, target="ecp5", optimise="area", stages=stages)


@pytest.mark.parametrize("stages", [0, 2])
def test_products_that_come_into_a_sum_as_two_words(stages):
    assert not differing(SUMMED, target="asic", optimise="delay", stages=stages)


@pytest.mark.parametrize("stages", [0, 3])
def test_digits_of_sums_that_are_anticipated(stages):
    assert not differing(ANTICIPATED, target="asic", optimise="delay", stages=stages)


def test_sums_of_near_and_of_far_numbers_are_made_apart():
    options: dict[str, Any] = {"target": "asic", "optimise": "delay"}
    assert all("near" in generate(spec, stages=0, **options).verilog for spec in NEAR_AND_FAR)
    assert not differing(NEAR_AND_FAR, stages=0, **options)
    # The others have results that are rounded, or numbers without a leading one that are normal.
    for out in ("e4m3", "e5m1", "e6m9"):
        spec = unit("add", a="e5m2", out=out)
        assert "near" not in generate(spec, stages=0, **options).verilog
    # Registers would have to keep both.
    assert "near" not in generate(NEAR_AND_FAR[0], stages=1, **options).verilog


def test_a_scaled_sum_that_is_in_a_hurry_is_not_moved():
    def swapped(kind: str, optimise: str) -> bool:
        acc = {"acc": "fp32"} if kind == "block-mac" else {}
        spec = unit(kind, a="mxfp4", out="fp32", lanes=4, **acc)
        return "order_" in generate(spec, target="asic", optimise=optimise).verilog

    assert swapped("block-dot", "balanced")
    assert not swapped("block-dot", "delay")
    # In a loop the addend comes last, and would be moved in a wider window.
    assert swapped("block-mac", "delay")


def registers(component, period, module):
    """All that a clock period decides: every signal with its stage, and what is counted."""
    p, results = component._run(module, period)
    ends = {name: (wire.stage, wire.low, wire.high) for name, wire in results.items()}
    return p, (ends, p.last_stage, p.registers, p.products, p.turns, p.waits, p.slowest)


@pytest.mark.parametrize(
    ("spec", "options"), SCHEDULED, ids=lambda value: getattr(value, "name", "")
)
def test_a_trial_has_the_registers_of_the_module(spec, options):
    component = Component(datapath(spec, **options))
    _, first = registers(component, float("inf"), _scratch())
    several = 0
    for period in (1e3 / frequency for frequency in (50.0, 200.0, 900.0, 2500.0)):
        trial, found = registers(component, period, _scratch())
        made, alike = registers(component, period, Module())
        assert found == alike
        assert (trial.fits, trial.over) == (made.fits, made.over)
        several += found != first
    assert several > 0


def test_periods_that_are_alike_are_tried_once(monkeypatch):
    tried = []
    run = Component._run

    def counted(self, module, period, *rest):
        tried.append(period)
        return run(self, module, period, *rest)

    monkeypatch.setattr(Component, "_run", counted)
    component = Component(datapath(PRODUCT, stages=2))
    # A search has a dozen periods and more; a product has few operations.
    assert len(tried) <= 8
    assert len(set(tried)) == len(tried)
    assert component.depth == 2
    tried.clear()
    Component(datapath(PRODUCT, frequency=50.0))
    assert tried == [20.0]


def test_the_estimate_is_the_longest_way_between_registers():
    spec = unit("fma", a="fp16", out="fp16")

    def estimate(**options) -> float:
        return build(spec, Implementation(target="ecp5", **options)).estimate

    by_stages = [estimate(stages=stages) for stages in (0, 1, 3, 8)]
    assert by_stages == sorted(by_stages, reverse=True)
    assert by_stages[-1] < by_stages[0] / 4
    assert estimate(frequency=100) <= 10.0
    p = Scheduler(Module(), delays=DELAY_MODELS["ecp5"])
    total = p.input(Signal(16)) + p.input(Signal(16))
    assert p.longest == total.time == p.delays.register + p.delays.adder(17)
