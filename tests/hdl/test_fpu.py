# SPDX-License-Identifier: BSD-2-Clause
"""Gates of the floating-point unit: all its operations, and what is not built is not there."""

from itertools import pairwise
from typing import Any

import pytest
from amaranth.sim import Simulator, SimulatorContext

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.sim import verify


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({"a": "e5m6ieee"}, {"stages": 3, "flow": "stream"}),
        ({"a": "e5m2", "integer": "int10", "tininess": "before"}, {}),
        # 1 is the largest binade, the least one, and integers have fewer bits than significands
        ({"a": "e3m4b6ieee", "operations": "-div,-sqrt"}, {}),
        ({"a": "e4m12ieee", "integer": "int2", "operations": "-class"}, {}),
        # one path alone, or without the others
        ({"a": "e4m5ieee", "operations": "add,sub"}, {}),
        ({"a": "e4m3ieee", "operations": "mul,msub"}, {}),
        ({"a": "e4m5ieee", "operations": "add,mul,to-uint"}, {}),
        ({"a": "e4m5ieee", "operations": "sqrt,div,sgnjx"}, {"bus": "axis"}),
        ({"a": "bf16", "operations": "max,lt"}, {"flow": "valid"}),
        # quotients and roots that all others wait for
        ({"a": "e5m6ieee"}, {"digits": 1, "flow": "stream"}),
        ({"a": "e4m3ieee", "operations": "-sqrt"}, {"digits": 5, "stages": 6, "flow": "stream"}),
        ({"a": "e2m7ieee"}, {"digits": 2, "bus": "axis", "ready": "registered"}),
        ({"a": "e4m3b3ieee", "operations": "div"}, {"digits": 1, "flow": "stream"}),
        ({"a": "e8m1ieee", "operations": "sqrt"}, {"digits": 64, "flow": "stream"}),
        ({"a": "e3m2ieee", "operations": "sqrt,div"}, {"digits": 3, "bus": "axis", "stages": 4}),
    ],
    ids=lambda x: "_".join(str(v) for v in x.values()),
)
def test_bits_are_golden(parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit("fpu", **parameters)
    report = verify(spec, simulator="bulk", vectors=6000, seed=3, **options)
    assert report.passed, str(report)


def test_one_multiplier_does_all_of_multiply_add():
    """And none is there where nothing is multiplied."""
    whole = generate(unit("fpu", a="fp16"))
    assert whole.component.multipliers == [(11, 11)]
    assert generate(unit("fpu", a="fp16", operations="add,sub,div")).component.multipliers == []


def test_quotients_and_roots_alone_take_turns():
    """A sum leaves a clock after the one before it, a quotient or root its digits later."""
    spec = unit("fpu", a="e4m3ieee")
    design = generate(spec, digits=2, flow="stream")
    words = ("add", "div", "mul", "sqrt", "sqrt", "lt", "add", "div", "sgnj")
    left: list[int] = []

    async def feed(ctx: SimulatorContext) -> None:
        top = design.component
        for word in words:
            ctx.set(top.i_op, spec.code(word))
            ctx.set(top.i_valid, 1)
            taken = 0
            while not taken:
                *_, taken = await ctx.tick().sample(top.i_ready)
        ctx.set(top.i_valid, 0)

    async def drain(ctx: SimulatorContext) -> None:
        top, clock = design.component, 0
        ctx.set(top.o_ready, 1)
        while len(left) < len(words):
            *_, valid = await ctx.tick().sample(top.o_valid)
            clock += 1
            if valid:
                left.append(clock)

    simulator = Simulator(design.component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed)
    simulator.add_testbench(drain)
    simulator.run()
    turns = design.metadata["pause"]
    waits = [turns if word in ("div", "sqrt") else 0 for word in words]
    assert [b - a for a, b in pairwise(left)] == [1 + wait for wait in waits[1:]]
    # as many digits as fit a significand, two to round by, and one that may be zero
    assert turns == -(-(4 + 2 + 1) // 2)
    assert design.latency == left[0] + turns - 1


def test_digits_that_cannot_be_had():
    with pytest.raises(SpecError, match="flow=valid: with digits= of fpu how late a result is"):
        generate(unit("fpu", a="fp16"), digits=1, flow="valid")
    with pytest.raises(SpecError, match="digits=1: operations=add has no div or sqrt"):
        generate(unit("fpu", a="fp16", operations="add"), digits=1, flow="stream")
