# SPDX-License-Identifier: BSD-2-Clause
"""Sums as machines make them: the numbers that tell one machine from another, by hand."""

from typing import Any

import numpy as np
import pytest

import macaw
from macaw.golden import SpecError, unit
from macaw.golden.arithmetic.accumulation.machines import CHIPS, MACHINES
from macaw.sim.proof.cases import block_dots, dots
from macaw.sim.proof.outsiders.scalars import fractions

INF, NAN, NEGATIVE_ZERO = 0x7F800000, 0x7FFFFFFF, 0x80000000


def codes(fmt: str, values: Any) -> np.ndarray:
    """Codes of values that the format has."""
    found = macaw.format(fmt).encode(np.asarray(values, float))
    assert np.array_equal(macaw.format(fmt).decode(found), values)
    return found


def dot(machine: str, a: str, x: Any, y: Any, c: float = 0.0, **rest: Any) -> float:
    """Value of one dot product; x and y are filled up with zeros."""
    spec: Any = unit(
        "dot", **{"a": a, "out": "fp32", "lanes": len(x), "accumulation": machine} | rest
    )
    code = spec.evaluate(a=codes(a, x), b=codes(spec.b.name, y), c=codes(spec.c.name, c))["r"]
    return float(spec.out.decode(code))


# What each has for a pair of formats: products of a step, fraction bits, fraction bits kept.
FACTS = {
    ("volta", "fp16"): (4, 23, 23),
    ("turing", "fp16"): (8, 24, 23),
    ("ampere", "fp16"): (8, 24, 23),
    ("ampere", "bf16"): (8, 24, 23),
    ("ampere", "tf32"): (4, 24, 23),
    ("ada", "fp16"): (8, 24, 23),
    ("ada", "e4m3"): (16, 13, 13),
    ("ada", "e5m2"): (16, 13, 13),
    ("hopper", "fp16"): (16, 25, 23),
    ("hopper", "bf16"): (16, 25, 23),
    ("hopper", "tf32"): (8, 25, 23),
    ("hopper", "e4m3"): (32, 13, 13),
    ("hopper", "e5m2"): (32, 13, 13),
    ("blackwell", "fp16"): (16, 25, 23),
    ("blackwell", "bf16"): (16, 25, 23),
    ("blackwell", "tf32"): (8, 25, 23),
    ("blackwell", "e5m2"): (32, 25, 23),
}


@pytest.mark.parametrize(("machine", "fmt"), FACTS)
def test_fraction_bits_of_tensor_cores(machine: str, fmt: str) -> None:
    """Fasi et al., PeerJ CS 330, find them by such sums."""
    _, fraction, kept = FACTS[machine, fmt]
    name = f"tensor-core({machine})"
    for bits in range(fraction - 2, fraction + 3):
        half = bits // 2
        small = [2.0**-half], [2.0 ** (half - bits)]
        got = dot(name, fmt, [1, *small[0]], [1, *small[1]], -1.0)
        assert got == (2.0**-bits if bits <= fraction else 0)
    # Below the last place that is kept nothing is rounded up, nor away.
    fine = 1 + 2.0**-kept + 2.0 ** -(kept + 1) if kept < 23 else 1 + 2.0**-kept
    assert dot(name, fmt, [0], [0], fine) == 1 + 2.0**-kept
    assert dot(name, fmt, [0], [0], -fine) == -1 - 2.0**-kept


@pytest.mark.parametrize(("machine", "fmt"), FACTS)
def test_products_of_a_step(machine: str, fmt: str) -> None:
    """A small product that leaves with the large one of its own step is kept in the next."""
    count, fraction, _ = FACTS[machine, fmt]
    name = f"tensor-core({machine})"
    x = np.zeros(2 * count)
    x[:2], x[count - 1], y = (1, -1), 2.0**-7, np.ones(2 * count)
    y[count - 1] = 2.0 ** -(fraction - 6)
    if fmt in ("e4m3", "e5m2") and fraction > 13:
        x[count - 1], y[count - 1] = 2.0**-13, 2.0 ** -(fraction - 12)
    assert dot(name, fmt, x, y) == 0
    moved, moved_y = np.roll(x, 1), np.roll(y, 1)
    moved[:3], moved_y[:3] = (1, -1, 0), 1
    assert dot(name, fmt, moved, moved_y) == 2.0 ** -(fraction + 1)


def test_half_precision_results_are_rounded_to_nearest() -> None:
    up = dot("tensor-core(ampere)", "fp16", [1, 2.0**-11], [1, 1.5], out="fp16")
    assert up == 1 + 2.0**-10
    assert dot("tensor-core(ampere)", "fp16", [1, 2.0**-11], [1, 1], out="fp16") == 1
    assert dot("tensor-core(ampere)", "fp16", [1, 2.0**-11], [1, 1.5]) == 1 + 1.5 * 2.0**-11
    assert dot(
        "tensor-core(hopper)", "e4m3", [2.0**-6] * 2, [2.0**-5, 2.0**-6], 1.0, out="fp16"
    ) == (1 + 2.0**-10)


def test_the_exponent_of_a_product_is_that_before_it_is_normalised() -> None:
    """1.5 * 1.5 has the exponent of 1: a bit more stays of what is beside it than with 2.25."""
    name, small = "tensor-core(ampere)", ([1.5, 2.0**-12], [1.5, 2.0**-12])
    assert dot(name, "fp16", *small, -2.25) == 0
    assert dot(name, "fp16", [1.5, 1.5, 2.0**-12], [1.5, -1.5, 2.0**-12]) == 2.0**-24


def evaluate(machine: str, a: str, x: Any, y: Any, c: int, **rest: Any) -> int:
    """Code of one dot product of codes."""
    spec: Any = unit(
        "dot", **{"a": a, "out": "fp32", "lanes": len(x), "accumulation": machine} | rest
    )
    return int(spec.evaluate(a=x, b=y, c=c)["r"])


@pytest.mark.parametrize(
    ("machine", "out", "nan"),
    [
        ("tensor-core(v100)", "fp32", NAN),
        ("tensor-core(h100)", "fp32", NAN),
        ("tensor-core(h100)", "fp16", 0x7FFF),
        ("cdna3", "fp32", 0x7FC00000),
    ],
)
def test_nans_infinities_and_zeros(machine: str, out: str, nan: int) -> None:
    infinity = macaw.format(out).inf_code

    def got(x: Any, y: Any, c: int = 0) -> int:
        return evaluate(machine, "fp16", x, y, c, out=out)

    one, inf = 0x3C00, 0x7C00
    assert got([inf, one], [one, one]) == infinity
    assert got([inf, one], [0xBC00, one]) == infinity | 1 << (macaw.format(out).width - 1)
    assert got([inf, inf], [one, 0xBC00]) == nan
    assert got([inf, one], [0, one]) == nan
    assert got([0x7C01, one], [one, one]) == nan
    assert got([one, one], [one, one], infinity + 1) == nan
    minus = 1 << (macaw.format(out).width - 1)
    assert got([0x8000, 0x8000], [one, one], minus) == 0


def test_sums_beyond_the_range_are_infinite_though_they_are_truncated() -> None:
    big = macaw.format("bf16").encode([2.0**64, 2.0**63]).tolist()
    largest = 0x7F7FFFFF
    for machine in ("tensor-core(hopper)", "cdna3", "rvbna"):
        assert evaluate(machine, "bf16", big[:1], big[1:], largest) == INF
        assert (
            evaluate(machine, "bf16", big[:1], [big[1] | 0x8000], largest | 1 << 31)
            == INF | 1 << 31
        )


@pytest.mark.parametrize("machine", ["tensor-core(volta)", "tensor-core(h100)", "cdna3", "rvbna"])
def test_products_of_zero_have_no_exponent(machine: str) -> None:
    """So zero times a large number cuts nothing off."""
    fmt = "fp16" if "volta" in machine else "bf16"
    big = [macaw.format(fmt).max_code]
    small = macaw.format("fp32").encode([2.0**-100]).item()
    assert evaluate(machine, fmt, [0], big, small) == small
    assert evaluate(machine, fmt, big, [1 << 15], small) == small


@pytest.mark.parametrize(("machine", "below"), [("ampere", 6), ("hopper", 7), ("blackwell", 7)])
def test_a_zero_addend_has_an_exponent_below_the_least_normal_number(
    machine: str, below: int
) -> None:
    """A subtrahend so small is kept, and the difference truncated, or cut off before."""
    last = -126 - below - FACTS[machine, "bf16"][1]
    for exponent, left in ((last, 0), (last - 1, 2.0**-149)):
        x, y = [2.0**-75, 2.0**-80], [2.0**-74, -(2.0 ** (exponent + 80))]
        assert dot(f"tensor-core({machine})", "bf16", x, y) == left


def test_groups_of_zeros_have_no_exponent_and_those_that_cancel_have() -> None:
    """On FP4: the scale of a group counts if one of its products is not zero."""
    ones, small = np.ones(64), 2.0**-60
    scales, others = np.array([127 + 60, 127]), [127, 127]
    x = np.zeros(64)
    assert block_dot("mxfp4", x, ones, scales, others, small) == small
    x[:2] = 1, -1
    assert block_dot("mxfp4", x, ones, scales, others, small) == 0


# ------------------------------------------------------------------------------------ CDNA3


def test_cdna3_rounds_the_addend_down_and_the_result_to_nearest() -> None:
    assert dot("cdna3", "fp16", [1], [1], 2.0**-30) == 1
    assert dot("cdna3", "fp16", [1], [1], -(2.0**-30)) == 1 - 2.0**-24
    # The sum of products has seven bits more.
    assert dot("cdna3", "fp16", [2.0**-13], [-(2.0**-12)], 1.0) == 1
    assert dot("cdna3", "fp16", [2.0**-13], [-(2.0**-11)], 1.0) == 1 - 2.0**-24
    # Products among themselves are truncated toward zero, at 24 bits.
    assert dot("cdna3", "fp16", [1, -(2.0**-13)], [1, 2.0**-12], -1.0) == 0
    assert dot("cdna3", "fp16", [1, -(2.0**-12)], [1, 2.0**-12], -1.0) == -(2.0**-24)


@pytest.mark.parametrize(
    ("fmt", "count"), [("fp16", 8), ("bf16", 8), ("tf32", 4), ("e4m3fnuz", 16)]
)
def test_products_of_a_step_of_cdna3(fmt: str, count: int) -> None:
    """What is cut beside a large product is kept in another step; and in the other half of FP8."""
    large, small = 64.0, 2.0**-10
    for place in (2, count - 2, count + 2):
        x = np.zeros(2 * count)
        x[[0, place]] = large, small
        y = np.ones(2 * count)
        y[[0, place]] = large, small
        got = dot("cdna3", fmt, x, y, -large * large)
        # 12 + 20 places apart: more than the 24 of products, fewer than the 31 of their sum.
        assert got == (2.0**-20 if place > count else 0)


def test_products_that_fp32_cannot_hold_are_infinite_in_cdna3() -> None:
    big = macaw.format("bf16").encode([2.0**64]).item()
    minus = big | 0x8000
    assert evaluate("cdna3", "bf16", [big, big], [big, minus], 0) == 0x7FC00000
    assert evaluate("cdna3", "bf16", [big, 0], [big, 0], INF) == INF
    assert evaluate("cdna3", "bf16", [big, 0], [big, 0], INF | 1 << 31) == 0x7FC00000
    assert evaluate("cdna3", "bf16", [big, 0x7FC0], [big, 0], 0) == 0x7FC00000
    assert evaluate("tensor-core(hopper)", "bf16", [big, big], [big, minus], 0) == 0


def test_cdna3_of_fp8_leaves_small_addends_out() -> None:
    one = np.zeros(16)
    one[0] = 1
    assert dot("cdna3", "e4m3fnuz", one, one, -(2.0**-25)) == 1 - 2.0**-24
    assert dot("cdna3", "e4m3fnuz", one, one, -(2.0**-26)) == 1
    assert dot("cdna3", "fp16", one[:8], one[:8], -(2.0**-26)) == 1 - 2.0**-24


# ------------------------------------------------------------------------------------ RISC-V


def test_rvbna_rounds_to_odd() -> None:
    assert dot("rvbna", "bf16", [1, 2.0**-60], [1, 1], 0.0) == 1 + 2.0**-23
    assert dot("rvbna", "bf16", [1, -(2.0**-60)], [1, 1], 0.0) == 1 - 2.0**-24
    assert dot("rvbna", "bf16", [1], [1], 2.0**-60) == 1 + 2.0**-23
    assert dot("rvbna", "bf16", [1, 0], [1, 1], 2.0**-23) == 1 + 2.0**-23
    # One step of two products, then another: the first has left its trace.
    two = dot("rvbna(2)", "bf16", [1, 2.0**-60, -1, 0], [1, 1, 1, 0])
    assert two == 2.0**-23
    # Of four products each has two guard bits, of two one: what is cut becomes 2**-25, or 2**-24.
    assert dot("rvbna", "bf16", [1, 2.0**-60, -1, 0], [1, 1, 1, 0]) == 2.0**-25
    assert dot("rvbna", "bf16", [1, 2.0**-60], [1, 1], -1.0) == 2.0**-23


def test_rvbna_has_positive_zeros_and_canonical_nans() -> None:
    one = 0x3F80
    assert evaluate("rvbna", "bf16", [0x8000], [one], NEGATIVE_ZERO) == 0
    assert evaluate("rvbna", "bf16", [0x7F80], [0], 0) == 0x7FC00000
    assert evaluate("rvbna", "bf16", [0x7F80], [one], INF | 1 << 31) == 0x7FC00000


# ------------------------------------------------------------------------------------ blocks


def block_dot(a: str, x: Any, y: Any, scale: Any, other: Any, c: float, **rest: Any) -> float:
    """Value of one block-dot on Blackwell; ``scale`` are codes of both operands' scales."""
    spec: Any = unit(
        "block-dot", a=a, out="fp32", size=len(x), accumulation="tensor-core(b200)", **rest
    )
    element = spec.a.element.name
    inputs = {"a": codes(element, x), "b": codes(element, y), "c": codes("fp32", c)}
    code = spec.evaluate(**inputs, a_scale=scale, b_scale=other)["r"]
    return float(spec.out.decode(code))


def test_blackwell_adds_sixteen_products_of_fp4_exactly() -> None:
    ones, x = np.ones(64), np.zeros(64)
    x[0], x[16] = 1, 1
    scales = np.array([127 + 18, 127 - 17])
    # 2**18 and 2**-17 are 35 places apart, which is as far as an aligned term reaches.
    got = block_dot("mxfp4", [1, *[0] * 31, 1, *[0] * 31], ones, scales, [127, 127], -(2.0**18))
    assert got == 2.0**-17
    scales = np.array([127 + 18, 127 - 18])
    got = block_dot("mxfp4", [1, *[0] * 31, 1, *[0] * 31], ones, scales, [127, 127], -(2.0**18))
    assert got == 0
    # Within a group nothing is lost: two halves of the least place are a whole one.
    got = block_dot("mxfp4", [1, *[0] * 31, 1, 1, *[0] * 30], ones, scales, [127, 127], -(2.0**18))
    assert got == 2.0**-17


def test_blackwell_scales_products_of_fp8() -> None:
    ones, x = np.ones(32), np.zeros(32)
    x[:2] = 1, 2.0**-9
    assert block_dot("mxfp8-e4m3", x, ones, 127 + 3, 127 - 1, 0.0) == 4 * (1 + 2.0**-9)
    x[2], x[1] = -1, 0
    assert block_dot("mxfp8-e4m3", x, ones, 127 + 3, 127 - 1, 2.0**-24) == 0
    assert block_dot("mxfp8-e4m3", x, ones, 127 + 3, 127 - 1, 2.0**-23) == 2.0**-23


# ------------------------------------------------------------------------ names and refusals


def test_chips_are_names_of_their_tensor_cores() -> None:
    for chip, core in CHIPS.items():
        spec = unit("dot", a="fp16", out="fp32", accumulation=f"Tensor-Core( {chip} )")
        assert spec.parameters["accumulation"] == f"tensor-core({core})"
        assert spec == unit("dot", **spec.parameters) == unit("dot", **spec.essential)
    assert spec.name.startswith("dot4_fp16_fp32_")
    assert unit("dot", a="bf16", out="fp32", lanes=8, accumulation="rvbna(4)").name.endswith(
        "rvbnag4"
    )


REFUSED = [
    ({"accumulation": "tensor-core"}, "must be tensor-core of volta, turing, ampere, ada, hopper"),
    ({"accumulation": "tensor-core(p100)"}, "must be tensor-core of volta"),
    ({"accumulation": "cdna3(4)"}, "must be cdna3 alone"),
    ({"accumulation": "rvbna(3)", "a": "bf16"}, "G must divide the 4 products"),
    ({"accumulation": "rvbna"}, "adds no products of fp16 and fp16; a and b must be bf16, or e4m3"),
    ({"a": "fp16", "b": "bf16"}, "a and b must be fp16, or bf16, or tf32, or e4m3/e5m2"),
    ({"accumulation": "tensor-core(turing)", "a": "bf16"}, "a and b must be fp16"),
    ({"out": "bf16"}, "out=bf16: must be fp32 or fp16"),
    ({"a": "bf16", "out": "fp16"}, "out=fp16: must be fp32"),
    ({"c": "fp16"}, "c=fp16: must be fp32, the format of the result"),
    ({"lanes": 24}, "adds 16 products at a time: lanes=24 must be at most 16, or a multiple of 16"),
    ({"rounding": "rup"}, "rounding=rup: accumulation=tensor-core(hopper) has rtz; leave it out"),
    ({"product": "lmul"}, "product=lmul(mitchell,4): accumulation=tensor-core(hopper) multiplies"),
    ({"overflow": "saturate"}, "overflow=saturate: accumulation=tensor-core(hopper) overflows to"),
]


@pytest.mark.parametrize(("parameters", "message"), REFUSED)
def test_a_refusal_says_what_the_machine_takes(parameters: dict[str, Any], message: str) -> None:
    base = {"a": "fp16", "out": "fp32", "lanes": 4, "accumulation": "tensor-core(h100)"}
    with pytest.raises(SpecError) as caught:
        unit("dot", **base | parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_blocks_must_be_whole_and_of_the_machine() -> None:
    base = {"out": "fp32", "accumulation": "tensor-core(blackwell)"}
    with pytest.raises(SpecError, match="64 products at a time: size=32 must be a multiple of 64"):
        unit("block-dot", a="mxfp4", **base)
    with pytest.raises(SpecError, match="adds no products of mxint8"):
        unit("block-dot", a="mxint8", **base)
    with pytest.raises(SpecError, match="adds no products of nvfp4 and mxfp4"):
        unit("block-dot", a="nvfp4", b="mxfp4", size=64, **base)
    assert unit("block-dot", a="mxfp8-e4m3", b="mxfp4", **base).parameters["size"] == 32


def test_a_running_accumulator_and_matmul_are_chains_of_dots() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(3, 64)), rng.normal(size=(64, 2))
    got = macaw.matmul(x, y, "e4m3", accumulation="tensor-core(hopper)", lanes=32)
    a, b = macaw.format("e4m3").encode(x), macaw.format("e4m3").encode(y)
    spec = unit("dot", a="e4m3", out="fp32", lanes=64, accumulation="tensor-core(hopper)")
    want = spec.evaluate(a=a[:, None], b=b.T[None], c=0)["r"]
    assert np.array_equal(got, want)


@pytest.mark.parametrize("spec", [*dots.MACHINES.values(), *block_dots.MACHINES.values()], ids=str)
def test_every_machine_against_fractions(spec: Any) -> None:
    assert fractions(spec, 60) > 0


def test_every_machine_is_proven() -> None:
    proven = {spec.profile.machine for spec in dots.MACHINES.values()}  # type: ignore[attr-defined]
    assert proven == set(MACHINES)


def test_a_running_accumulator_keeps_the_nan_of_the_machine() -> None:
    spec = unit("block-mac", a="fp16", out="fp32", lanes=2, accumulation="tensor-core(h100)")
    beats = {"a": [[0x7C01, 0], [0x3C00, 0]], "b": [[0x3C00, 0], [0x3C00, 0]], "last": [0, 1]}
    assert spec.evaluate(**beats)["r"].tolist() == [NAN]
