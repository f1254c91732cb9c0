# SPDX-License-Identifier: BSD-2-Clause
"""Random words: against polynomial arithmetic, periods, and units that make theirs themselves."""

from typing import Any

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, unit
from macaw.golden.arithmetic.running.lfsr import PRIMITIVE, Register, parse, spell
from macaw.sim.proof.outsiders.check import by_reference
from macaw.sim.proof.reference.arithmetic import lfsr as reference
from macaw.sim.stimulus import stimulus

FORMS = ("fibonacci", "galois")


def prime_factors(number: int) -> set[int]:
    found, divisor = set(), 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            found.add(divisor)
            number //= divisor
        divisor += 1
    return found | ({number} - {1})


def prime_factors_of_order(degree: int) -> set[int]:
    """Those of 2**degree - 1."""
    if degree == 61:
        return {2**61 - 1}  # A prime of Mersenne's.
    half = 2 ** (degree // 2)
    if degree % 2 == 0:
        return prime_factors(half - 1) | prime_factors(half + 1)
    return prime_factors(2**degree - 1)


@pytest.mark.parametrize("degree", range(2, 65))
def test_polynomials_of_the_table_are_primitive(degree: int):
    # x has the order 2**degree - 1, and no less.
    polynomial, order = PRIMITIVE[degree], 2**degree - 1
    assert polynomial.bit_length() == degree + 1
    assert reference.power(polynomial, order) == 1
    factors = prime_factors_of_order(degree)
    assert all(reference.power(polynomial, order // p) != 1 for p in factors)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("degree", range(2, 15))
def test_all_states_but_zero_come_in_turn(degree: int, form: str):
    spec = unit("lfsr", polynomial=degree, width=degree, steps=1, form=form)
    period = 2**degree - 1
    words = spec.evaluate(reseed=np.zeros(2 * period, np.uint8))["r"]
    assert sorted(words[:period].tolist()) == list(range(1, period + 1))
    assert (words[:period] == words[period:]).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"polynomial": 64, "width": 64, "seed": 2**64 - 1, "steps": 64},
        {"polynomial": "x9+1", "width": 4, "steps": 3, "seed": 5},
        {"polynomial": "x16+x12+x5+1", "width": 16, "steps": 24, "lanes": 5},
        {"polynomial": 2, "width": 2, "steps": 48},
    ],
    ids=str,
)
def test_words_are_those_of_polynomial_arithmetic(parameters: dict[str, Any], form: str):
    spec = unit("lfsr", form=form, **parameters)
    for codes in stimulus(spec, vectors=2000, seed=2):
        assert by_reference(spec, codes) == 2000


def test_blocks_of_states_follow_one_another():
    register = Register(polynomial=PRIMITIVE[17], form="galois", seed=1, steps=7, width=17)
    words = register.words(300_000)
    assert (words[2**17 - 1 :] == words[: 300_000 - 2**17 + 1]).all()
    last = reference.product(1, reference.power(register.polynomial, 7 * 299_999), 1 << 17)
    assert words[-1] == last


def test_the_first_words_by_hand():
    # x4 + x + 1 from 1: the bits fed back are those of places 3 and 0 of the state.
    spec = unit("lfsr", polynomial="x4+x+1", width=4, steps=1)
    assert spec.evaluate(reseed=[0] * 6)["r"].tolist() == [1, 3, 7, 15, 14, 13]
    spec = unit("lfsr", polynomial="x4+x+1", width=4, steps=1, form="galois")
    assert spec.evaluate(reseed=[0] * 6)["r"].tolist() == [1, 2, 4, 8, 3, 6]
    assert spec.evaluate(reseed=[0, 1, 1, 0, 0, 0])["r"].tolist() == [1, 2, 1, 1, 2, 4]


@pytest.mark.parametrize("value", [16, "16", "x16+x5+x3+x2+1", "1 + x^2 + X^3 + x5 + x16"])
def test_spellings_of_a_polynomial(value: Any):
    assert parse("polynomial", value) == PRIMITIVE[16]
    assert unit("lfsr", polynomial=value).parameters["polynomial"] == spell(PRIMITIVE[16])


@pytest.mark.parametrize("value", ["", "1", "65", 0, True, "x65+1", "x8", "x8+x8+1", "x8+y+1", "x"])
def test_what_is_no_polynomial(value: Any):
    with pytest.raises(SpecError, match=r"^polynomial=.*: must be a degree from 2 to 64"):
        unit("lfsr", polynomial=value, width=1)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"width": 33}, "width=33: must be an integer from 1 to 32"),
        ({"seed": 0}, f"seed=0: must be an integer from 1 to {2**32 - 1}"),
        ({"polynomial": 3, "width": 3, "seed": 8}, "seed=8: must be an integer from 1 to 7"),
        ({"steps": 65}, "steps=65: must be an integer from 1 to 64"),
        ({"form": "other"}, "form=other: must be one of fibonacci, galois"),
        ({"lanes": 0}, "lanes=0: must be an integer from 1 to 4096"),
    ],
)
def test_refusals(parameters: dict[str, Any], said: str):
    with pytest.raises(SpecError, match=f"^{said}$"):
        unit("lfsr", **parameters)


# Units that make their words.

INSIDE: list[tuple[str, dict[str, Any]]] = [
    ("cast", {"a": "fp32", "out": "e4m3"}),
    ("add", {"a": "fp16", "rounding": "src", "random_bits": 5, "random_seed": 2**32 - 1}),
    ("dot", {"a": "e4m3", "out": "bf16", "lanes": 2, "rounding": "srb"}),
    ("mac", {"a": "e4m3", "out": "fp16", "acc": "fp16", "contexts": 2}),
    ("mac", {"a": "e4m3", "out": "fp16"}),
    ("block-quantize", {"a": "bf16", "out": "mxfp4", "size": 4}),
    ("block-dot", {"a": "mxfp4", "out": "bf16", "size": 4, "lanes": 2}),
    ("block-mac", {"a": "mxfp4", "out": "bf16", "acc": "bf16", "lanes": 32}),
    ("block-dequantize", {"a": "mxfp4", "out": "e2m1", "size": 3}),
    ("hadamard", {"a": "fp16", "size": 4}),
    ("flex-mac", {"a": "flex8+5"}),
    ("flex-matmul", {"a": "flex8+5", "rows": 2, "columns": 2}),
    ("int-exp2", {"x": "fx16.8", "out": "fp16"}),
]


@pytest.mark.parametrize(("kind", "parameters"), INSIDE, ids=str)
def test_units_with_their_words_inside(kind: str, parameters: dict[str, Any]):
    spec = unit(kind, **{"rounding": "sr", "random": "lfsr", "random_seed": 77} | parameters)
    assert "reseed" in spec.ports.inputs
    assert "random" not in spec.ports.inputs
    assert unit(kind, **spec.parameters) == spec
    for codes in stimulus(spec, vectors=200, seed=4):
        assert by_reference(spec, codes) > 0


def test_words_are_those_of_the_unit_lfsr():
    parameters: dict[str, Any] = {"a": "bf16", "out": "mxfp4", "size": 4, "rounding": "sr"}
    inside = unit("block-quantize", random="lfsr", random_seed=3, **parameters)
    words = unit("lfsr", width=8, lanes=4, seed=3)
    (codes,) = stimulus(inside, vectors=100, seed=1)
    random = words.evaluate(reseed=codes["reseed"])["r"]
    want = unit("block-quantize", **parameters).evaluate(a=codes["a"], random=random)
    have = inside.evaluate(**codes)
    assert all((have[name] == want[name]).all() for name in want)


def test_nothing_of_it_shows_where_words_come_from_outside():
    spec = unit("cast", a="fp32", out="bf16", rounding="sr")
    assert not {"random", "random_seed"} & spec.parameters.keys()
    assert list(spec.ports.inputs) == ["a", "random"]


def test_refusals_of_units_with_words_inside():
    cast: dict[str, Any] = {"a": "fp32", "out": "bf16"}
    with pytest.raises(SpecError, match="random=lfsr: rounding=rne takes no random words"):
        unit("cast", random="lfsr", **cast)
    with pytest.raises(SpecError, match="random=dice: must be one of port, lfsr"):
        unit("cast", rounding="sr", random="dice", **cast)
    with pytest.raises(SpecError, match="random_seed=0: must be an integer from 1 to"):
        unit("cast", rounding="sr", random="lfsr", random_seed=0, **cast)
    with pytest.raises(SpecError, match="random_seed=5: must be 1 unless random=lfsr"):
        unit("cast", rounding="sr", random_seed=5, **cast)
    with pytest.raises(SpecError, match="random=lfsr: rounding=rtz takes no random words"):
        unit(
            "dot",
            a="bf16",
            rounding="sr",
            random="lfsr",
            accumulation="aligned(9,2,rtz)",
            out="fp32",
        )
    spec = unit("cast", rounding="sr", random="lfsr", **cast)
    with pytest.raises(CodeError, match=r"shape \(2, 3\): must have one axis"):
        spec.evaluate(a=np.zeros((2, 3), np.uint32), reseed=0)
    with pytest.raises(CodeError, match="operand reseed is missing"):
        spec.evaluate(a=[0])
    with pytest.raises(CodeError, match="reseed: empty array"):
        spec.evaluate(a=[0], reseed=np.zeros(0, np.uint8))
    with pytest.raises(CodeError, match="no operand random; it has a, reseed"):
        spec.evaluate(a=[0], reseed=[0], random=[0])
