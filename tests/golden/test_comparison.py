# SPDX-License-Identifier: BSD-2-Clause
"""Order, class and sign of numbers: the standard's own cases, every pair of codes, refusals."""

import itertools

import numpy as np
import pytest

from macaw.golden import SpecError, format, unit
from macaw.golden.formats import Float
from macaw.sim.proof.reference import comparison as reference

NAN, SNAN, INF, ONE, ZERO, TINY = 0x7E, 0x7D, 0x7C, 0x3C, 0x00, 0x01
MINUS = 0x80
KINDS = ("compare", "minimum", "maximum")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["e5m2", "e3m2", "e4m3fnuz", "ue4m3", "e3m2ftz", "int5", "shift3"])
def test_every_pair(kind: str, name: str):
    spec = unit(kind, a=name, flags=True)
    step = 5 if spec.a.width > 6 else 1
    codes = np.arange(0, 1 << spec.a.width, step)
    a, b = (grid.ravel() for grid in np.meshgrid(codes, codes))
    got = spec.evaluate(a=a, b=b)
    for i, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        want = reference.operation(spec, {"a": x, "b": y})
        assert {name: int(array[i]) for name, array in got.items()} == want, (x, y)


def test_zeros_and_nans():
    less = unit("compare", a="e5m2", flags=True).evaluate(
        a=[ZERO, MINUS, NAN, SNAN, INF | MINUS], b=[MINUS, ZERO, ONE, ONE, INF]
    )
    assert less["less"].tolist() == [0, 0, 0, 0, 1]
    assert less["equal"].tolist() == [1, 1, 0, 0, 0]
    assert less["unordered"].tolist() == [0, 0, 1, 1, 0]
    assert less["flags"].tolist() == [0, 0, 0, 8, 0]
    loud = unit("compare", a="e5m2", flags=True, signaling=True)
    assert loud.evaluate(a=[NAN, ONE], b=[ONE, ONE])["flags"].tolist() == [8, 0]
    pairs = {"a": [ZERO, MINUS, NAN, SNAN, NAN], "b": [MINUS, ZERO, ONE, ONE, NAN]}
    assert unit("minimum", a="e5m2").evaluate(**pairs)["r"].tolist() == [MINUS, MINUS, *[NAN] * 3]
    assert unit("maximum", a="e5m2").evaluate(**pairs)["r"].tolist() == [ZERO, ZERO, *[NAN] * 3]
    number = unit("minimum", a="e5m2", number=True, flags=True).evaluate(**pairs)
    assert number["r"].tolist() == [MINUS, MINUS, ONE, ONE, NAN]
    assert number["flags"].tolist() == [0, 0, 0, 8, 0]


def test_fp64_against_the_machine():
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 1 << 64, (2, 20_000), np.uint64)
    bits[1, ::4] = bits[0, ::4] ^ np.uint64(1)
    x, y = bits.view(np.float64)
    got = unit("compare", a="fp64").evaluate(a=bits[0], b=bits[1])
    assert np.array_equal(got["less"], x < y)
    assert np.array_equal(got["equal"], x == y)
    low = unit("minimum", a="fp64").evaluate(a=bits[0], b=bits[1])["r"].view(np.float64)
    assert np.array_equal(low, np.minimum(x, y), equal_nan=True)
    words = rng.integers(0, 1 << 64, (2, 1000), np.uint64)
    most = unit("maximum", a="uint64").evaluate(a=words[0], b=words[1])["r"]
    assert np.array_equal(most, np.maximum(*words))


@pytest.mark.parametrize("name", ["e5m2", "e4m3", "e4m3fnuz", "e8m0", "ue4m3", "e3m2ftz", "fp16"])
def test_classes(name: str):
    fmt = format(name)
    assert isinstance(fmt, Float)
    codes = np.arange(0, 1 << fmt.width, 1 if fmt.width <= 8 else 37)
    got = unit("classify", a=name).evaluate(a=codes)["r"]
    assert got.tolist() == [1 << reference.place(code, fmt) for code in codes.tolist()]


def test_classes_in_their_order():
    codes = [INF | MINUS, ONE | MINUS, TINY | MINUS, MINUS, ZERO, TINY, ONE, INF, SNAN, NAN]
    got = unit("classify", a="e5m2").evaluate(a=codes)["r"]
    assert got.tolist() == [1 << place for place in range(10)]


def test_signs_are_injected():
    for operation, signs in (
        ("copy", (0, 1, 0, 1)),
        ("negate", (1, 0, 1, 0)),
        ("xor", (0, 1, 1, 0)),
    ):
        spec = unit("copy-sign", a="e5m2", operation=operation)
        pairs = itertools.product((NAN, NAN | MINUS), (ONE, ONE | MINUS))
        a, b = zip(*pairs, strict=True)
        assert spec.evaluate(a=a, b=b)["r"].tolist() == [NAN | sign << 7 for sign in signs]


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("compare", {"a": "nf4"}, "a=nf4: must be a float or fixed-point format"),
        ("compare", {"a": "e4m3", "signaling": True}, "without flags=true nothing tells of it"),
        ("minimum", {"a": "e2m1", "number": True}, "number=true: e2m1 has no NaN"),
        ("maximum", {"a": "int8", "number": True}, "number=true: int8 has no NaN"),
        ("classify", {"a": "int8"}, "a=int8: must be a float"),
        ("copy-sign", {"a": "ue4m3"}, "a=ue4m3: must have a sign, of zero too"),
        ("copy-sign", {"a": "e4m3fnuz"}, "a=e4m3fnuz: must have a sign, of zero too"),
        ("copy-sign", {"a": "e4m3", "operation": "flip"}, "must be one of copy, negate, xor"),
        ("minimum", {"a": "e4m3", "rounding": "rtz"}, "minimum has no parameter 'rounding'"),
    ],
)
def test_what_is_refused(kind: str, parameters: dict, message: str):
    with pytest.raises(SpecError, match=message):
        unit(kind, **parameters)
