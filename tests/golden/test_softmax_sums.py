# SPDX-License-Identifier: BSD-2-Clause
"""Sums that a softmax divides by: of rows in one pass, and of parts of rows."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from macaw.golden import SpecError, unit
from macaw.golden.units import SoftmaxMerge, SoftmaxSum
from macaw.sim.proof.outsiders.check import by_reference
from macaw.sim.stimulus.draw import stimulus

INF, NAN = np.inf, np.nan


def sums(**parameters: Any) -> SoftmaxSum:
    spec = unit("softmax-sum", **({"a": "fp16", "lanes": 2} | parameters))
    assert isinstance(spec, SoftmaxSum)
    return spec


def merge(spec: SoftmaxSum) -> SoftmaxMerge:
    outputs = spec.ports.outputs
    found = unit("softmax-merge", a=outputs["r"].format, exponent=outputs["exponent"].format)
    assert isinstance(found, SoftmaxMerge)
    return found


def beats(spec: SoftmaxSum, x: np.ndarray, end: Any) -> dict[str, np.ndarray]:
    return spec.evaluate(a=spec.a.encode(x), keep=np.ones(x.shape, int), end=end)


def of_two(spec: SoftmaxSum, found: dict[str, np.ndarray], a: Any, b: Any) -> dict[str, np.ndarray]:
    """The merged sums of beats, or rows, by their numbers."""
    names = {"a": ("r", a), "a_exponent": ("exponent", a), "a_nan": ("nan", a)}
    names |= {"b": ("r", b), "b_exponent": ("exponent", b), "b_nan": ("nan", b)}
    return merge(spec).evaluate(**{port: found[n][which] for port, (n, which) in names.items()})


def values(spec: SoftmaxSum, found: dict[str, np.ndarray]) -> list[Fraction]:
    outputs = spec.ports.outputs
    exponents = outputs["exponent"].format.decode(found["exponent"]).astype(int)
    last = Fraction(1, 1 << spec.power_sum.aligned)
    pairs = zip(found["r"].ravel().tolist(), exponents.ravel().tolist(), strict=True)
    return [s * last * Fraction(2) ** n for s, n in pairs]


def test_a_running_sum():
    """Of powers of two it is exact, and the exponent is that of the largest one so far."""
    spec = sums(base="2")
    found = beats(spec, np.array([[1.0, 2.0], [9.0, 0.0], [-3.0, 1.0], [1.0, -INF]]), [0, 0, 1, 1])
    assert values(spec, found) == [6, 6 + 513, 6 + 513 + Fraction(17, 8), 2]
    assert spec.ports.outputs["exponent"].format.decode(found["exponent"]).tolist() == [0, 8, 8, 0]
    assert found["end"].tolist() == [0, 0, 1, 1]
    assert not found["nan"].any()


def test_what_is_not_kept_and_minus_infinity_is_nothing_of_the_sum():
    spec = sums(base="2")
    a = spec.a.encode([[5.0, -INF], [-INF, 7.0], [0.0, 0.0]])
    found = spec.evaluate(a=a, keep=[[0, 1], [1, 0], [0, 1]], end=[0, 1, 1])
    assert found["r"][:2].tolist() == [0, 0]
    exponent = spec.ports.outputs["exponent"].format
    assert exponent.decode(found["exponent"]).tolist() == [exponent.min, exponent.min, 0.0]
    assert values(spec, found)[2] == 1


def test_a_nan_stays_until_the_row_ends():
    rows = np.array([[1.0, 1.0], [NAN, 2.0], [1.0, 1.0], [0.0, 0.0], [INF, 0.0], [-INF, 0.0]])
    found = beats(sums(), rows, [0, 0, 1, 1, 1, 1])
    assert found["nan"].tolist() == [0, 1, 1, 0, 1, 0]


def test_it_is_what_softmax_divides_by():
    """Its results are powers over the sum; bits are chosen so that fp16 does not see the rest."""
    rng = np.random.default_rng(2)
    x = rng.normal(0, 3, (40, 8))
    spec = sums(lanes=8, row=8, bits=20, aligned=30)
    total = np.array(values(spec, beats(spec, x, np.ones(40, int))), float)[:, None]
    softmax = unit("softmax", a="fp16", lanes=8, row=8, bits=20, aligned=30)
    codes = spec.a.encode(x)
    r = softmax.evaluate(a=codes, keep=np.ones_like(codes), end=np.ones(40, int))["r"]
    share = np.exp(spec.a.decode(codes)) / total
    place = np.exp2(np.maximum(np.frexp(share)[1] - 1, -14) - 10)
    assert (np.abs(spec.a.decode(r) - share) <= 0.51 * place).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"lanes": 4, "row": 40},
        {"a": "bf16", "base": "2", "row": 6},
        {"a": "e4m3", "lanes": 1, "row": 3, "bits": 4, "aligned": 4, "reach": 2},
        {"a": "fp32", "bits": 20, "aligned": 21},
    ],
    ids=str,
)
def test_bits_are_those_of_fractions(parameters: dict[str, Any]):
    spec = sums(**parameters)
    for each in (spec, merge(spec)):
        for codes in stimulus(each, vectors=300, seed=5):
            by_reference(each, codes)


@pytest.mark.parametrize("a", ["fp16", "bf16"])
def test_two_parts_are_the_row_but_for_what_is_lost(a: str):
    """A last place for each element, each rise of the exponent, and each part."""
    spec = sums(a=a, lanes=8, row=64)
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (200, 64)) * rng.uniform(1, 40, (200, 1))
    whole = beats(spec, x.reshape(-1, 8), np.tile([0] * 7 + [1], 200))
    parts = beats(spec, x.reshape(-1, 8), np.tile([0, 0, 1, 0, 0, 0, 0, 1], 200))
    last = np.arange(200) * 8 + 7
    found = of_two(spec, parts, last - 5, last)
    assert (found["exponent"] == whole["exponent"][last]).all()
    lost = np.abs(found["r"].astype(np.int64) - whole["r"][last].astype(np.int64))
    assert lost.max() <= 64 + 8 + 2
    # with default fraction bits that is little of the sum
    assert (lost < 2.0**-12 * whole["r"][last]).all()


def test_the_order_of_two_parts_does_not_matter_and_nothing_changes_nothing():
    spec = sums()
    rows = np.array([[3.0, 11.5], [-4.0, 0.25], [-INF, -INF], [60.0, -60.0]])
    found = beats(spec, rows, [1, 1, 1, 1])
    first, second = np.divmod(np.arange(16), 4)
    one, other = of_two(spec, found, first, second), of_two(spec, found, second, first)
    assert all((one[name] == other[name]).all() for name in one)
    with_nothing = of_two(spec, found, np.arange(4), np.full(4, 2))
    assert all((with_nothing[name] == found[name]).all() for name in with_nothing)


def test_merged_by_hand():
    spec = unit("softmax-merge", a="uint4", exponent="int3")
    got = spec.evaluate(
        a=[9, 9, 15, 15, 7],
        a_exponent=[0, 0, 1, 0b100, 0b111],
        a_nan=[0, 1, 0, 0, 0],
        b=[5, 5, 15, 15, 7],
        b_exponent=[1, 0, 1, 0b011, 0b001],
        b_nan=[0, 0, 0, 0, 0],
    )
    assert got["r"].tolist() == [9, 14, 15, 15, 8]
    assert got["exponent"].tolist() == [1, 0, 1, 0b011, 0b001]
    assert got["nan"].tolist() == [0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("softmax-sum", {"a": "int8"}, "a=int8: must be a float of at most 32 bits"),
        ("softmax-sum", {"a": "fp16", "base": "E3"}, "base=E3: must be e or 2"),
        ("softmax-sum", {"a": "fp16", "row": 0}, "row=0: must be an integer from 1 to 65536"),
        (
            "softmax-sum",
            {"a": "fp16", "bits": 15, "aligned": 45},
            "aligned=45: must be an integer from 15 to 44",
        ),
        (
            "softmax-merge",
            {"a": "fx8.4"},
            "a=fx8.4: must be unsigned fixed point of at most 62 bits",
        ),
        ("softmax-merge", {"a": "fp16"}, "a=fp16: must be unsigned fixed point of at most 62 bits"),
        (
            "softmax-merge",
            {"a": "ufx63.4"},
            "a=ufx63.4: must be unsigned fixed point of at most 62 bits",
        ),
        (
            "softmax-merge",
            {"a": "uint8", "exponent": "uint8"},
            "exponent=uint8: must be a signed integer format of at most 32 bits",
        ),
        (
            "softmax-merge",
            {"a": "uint8", "exponent": "int8sym"},
            "exponent=int8sym: must be a signed integer format of at most 32 bits",
        ),
    ],
)
def test_refused(kind: str, parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as error:
        unit(kind, **parameters)
    assert str(error.value) == message


def test_formats():
    ports = sums(lanes=8).ports
    assert {n: o.format.name for n, o in ports.outputs.items()} == {
        "r": "ufx43.25",
        "exponent": "int18",
        "nan": "uint1",
        "end": "uint1",
    }
    assert sums(a="e4m3", base="2", row=1).ports.outputs["exponent"].format.width == 11
