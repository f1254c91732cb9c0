# SPDX-License-Identifier: BSD-2-Clause
"""Code books: their values, what numbers between them become, sums and blocks of them."""

import itertools
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from macaw.golden import CodeError, FormatError, SpecError, format, unit
from macaw.golden.formats import BOOKS, Book
from macaw.golden.formats.block import Block
from macaw.golden.formats.block import format as any_format
from macaw.sim.proof.outsiders.check import as_value, by_reference
from macaw.sim.proof.reference.arithmetic import scalar as reference
from macaw.sim.proof.rules.formats import any_book
from macaw.sim.stimulus import stimulus

DIRECTIONS = ("rne", "rna", "rtz", "rup", "rdn", "rod")
NF4 = format("nf4")
FP4 = format("fp4bnb")


def test_values_are_float32_in_the_order_of_the_codes():
    for book in BOOKS.values():
        values = book.decode(np.arange(16))
        assert values.tolist() == list(book.values)
        assert (values.astype(np.float32) == values).all()
    assert (np.diff(NF4.decode(np.arange(16))) > 0).all()
    twelfths = np.float32([0, 0.0625, 8, 12, 4, 6, 2, 3]) / np.float32(12)
    assert FP4.decode(np.arange(8)).tolist() == twelfths.tolist()
    assert FP4.decode(np.arange(8, 16)).tolist() == (-twelfths).tolist()
    assert np.signbit(FP4.decode(8))


def test_nf4_to_nearest_is_a_search_among_midpoints():
    x = np.random.default_rng(1).normal(scale=0.6, size=50_000).astype(np.float32)
    values = np.array(NF4.values)
    middles = (values[1:] + values[:-1]) / 2
    assert (NF4.encode(x) == np.searchsorted(middles, x.astype(np.float64))).all()


@pytest.mark.parametrize("book", BOOKS)
def test_ties_directions_and_ends(book: str):
    fmt = BOOKS[book]
    ordered = fmt.ordered
    for low, high in itertools.pairwise(ordered):
        middle = (low + high) / 2
        codes = {value: fmt.code(value, negative=middle < 0) for value in (low, high)}
        even, odd = sorted(codes.values(), key=lambda code: code % 2)
        found = {each: int(fmt.encode(middle, rounding=each)) for each in DIRECTIONS}
        assert found["rne"] == even
        assert found["rod"] == odd
        assert (found["rdn"], found["rup"]) == (codes[low], codes[high])
        assert found["rtz"] == codes[min(low, high, key=abs)]
        assert found["rna"] == codes[max(low, high, key=abs)]
    for far in (1.5, 1e300, np.inf, np.nan):
        assert fmt.decode(fmt.encode(far)) == fmt.max
    assert fmt.decode(fmt.encode([-1.5, -np.inf])).tolist() == [fmt.min] * 2


def test_what_a_nan_becomes():
    assert NF4.encode(np.nan, nan="zero") == NF4.zero_code == 7
    assert FP4.encode(np.nan, nan="negative_zero") == 8
    with pytest.raises(SpecError, match="nan=negative_zero: nf4 has no such value"):
        NF4.encode(np.nan, nan="negative_zero")


def test_flags():
    x = np.float32([0.0, -1.0, 0.3, 2.0, -2.0, np.inf, np.nan]).view(np.uint32)
    result = unit("cast", a="fp32", out="nf4", flags=True).evaluate(a=x)
    assert result["flags"].tolist() == [0, 0, 1, 5, 5, 8, 8]


def test_zeros_keep_their_sign_where_there_are_two():
    assert FP4.encode([0.0, -0.0, 1e-9, -1e-9]).tolist() == [0, 8, 0, 8]
    assert NF4.encode([0.0, -0.0, 1e-9, -1e-9]).tolist() == [7, 7, 7, 7]


@pytest.mark.parametrize("seed", range(24))
def test_any_book_against_fractions(seed: int):
    """Values, midpoints, their neighbours and far numbers, in every direction."""
    fmt = any_book(random.Random(seed))
    assert fmt.decode(np.arange(1 << fmt.width)).tolist() == list(fmt.values)
    ordered = [Fraction(value) for value in fmt.ordered]
    middles = [(low + high) / 2 for low, high in itertools.pairwise(ordered)]
    marks = np.array([float(mark) for mark in (*ordered, *middles, 0, ordered[0] - 1)])
    points = [*marks, *np.nextafter(marks, -9e9), *np.nextafter(marks, 9e9), -0.0, np.nan, -np.inf]
    for rounding in DIRECTIONS:
        got = fmt.encode(points, rounding=rounding).tolist()
        want = [reference.project(as_value(x), fmt, rounding)[0] for x in points]
        assert got == want, (fmt, rounding)


@pytest.mark.parametrize("seed", range(12))
def test_units_of_any_book_against_fractions(seed: int):
    rng = random.Random(f"units/{seed}")
    book, other = any_book(rng), any_book(rng)
    out = rng.choice(("fp32", "fp16", "int8", book))
    specs = (
        unit("mul", a=book, b=other, out=out, flags=True),
        unit("fma", a=book, b="bf16", c=other, out=out, rounding="dynamic", flags=True),
        unit("dot", a=book, b=other, out=out, lanes=3),
        unit("dot", a=book, b="e4m3", out="fp16", lanes=3, accumulation="aligned(9)"),
    )
    draw = np.random.default_rng(seed)
    for spec in specs:
        codes = {
            name: draw.integers(0, 1 << port.format.width, (30, *port.tail), np.uint64)
            for name, port in spec.ports.inputs.items()
        }
        assert by_reference(spec, codes) == 30


def test_exact_integers_and_fractions():
    assert NF4.encode([Fraction(1, 3), 1, -2]).tolist() == [NF4.code(NF4.values[11]), 15, 0]
    assert NF4.encode_exact([1, 10**30], [-1, -99]).tolist() == [12, 15]


def test_blocks_of_nf4_are_divided_by_their_largest_magnitude():
    block = any_format("nf4-k64-fp32")
    assert isinstance(block, Block)
    x = np.random.default_rng(2).normal(size=(8, 128)).astype(np.float32)
    x[0, :64] = 0
    q = block.quantize(x, axis=1)
    amax = np.abs(x.reshape(8, 2, 64)).max(-1)
    assert (q.scales.view(np.float32) == amax).all()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = x.reshape(8, 2, 64) * (np.float32(1) / amax)[..., None]
    want = NF4.encode(np.nan_to_num(ratio)).reshape(8, 128)
    assert (q.elements == want).all()
    assert (q.elements[0, :64] == NF4.zero_code).all()


def test_stochastic_rounding_is_refused():
    with pytest.raises(SpecError, match="nf4 is a code book, which has no stochastic rounding"):
        NF4.encode([0.3], rounding="sr", random=np.zeros(1, np.uint16))
    with pytest.raises(SpecError, match="no stochastic rounding"):
        unit("mul", a="nf4", rounding="srb")
    for policy in ("wrap", "nonfinite", "directed"):
        with pytest.raises(SpecError, match=f"overflow={policy}"):
            unit("mul", a="nf4", overflow=policy)
    with pytest.raises(SpecError, match="scale_rule=even: nf4, a code book, has no ulp"):
        any_format("nf4-k32-e8m0").quantize(np.ones(32), scale_rule="even")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0,), "1 values: must be a power of two from 2 to 256"),
        ((1.0, 2.0, 3.0), "3 values"),
        ((0.0,) * 512, "512 values"),
        ((0.0, np.nan), "value nan of code 1 must be finite"),
        ((0.0, -np.inf), "must be finite"),
        ((2.0, 2.0), "all values are 2.0"),
        ((1.0, 1e-30), "more than 56 significant bits"),
        (("a", "b"), "mine: values must be a sequence of numbers"),
        ((None, 1.0), "must be a sequence of numbers"),
        ((10**400, 1), "must be a sequence of numbers"),
        (5, "must be a sequence of numbers"),
    ],
)
def test_what_is_no_book(values: Any, message: str):
    with pytest.raises(FormatError, match=message) as caught:
        Book(name="mine", values=values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "My", "a b", "a_", "4bit", 5, None])
def test_names_stand_in_names_of_modules(name: Any):
    with pytest.raises(FormatError, match="must be a small letter, then these and digits"):
        Book(name=name, values=(0.0, 1.0))


def test_codes_beyond_the_book_are_refused():
    with pytest.raises(CodeError, match="code 16 is out of range for nf4, 4 bits"):
        NF4.decode([16])


def test_shapes_and_byte_order():
    assert NF4.encode(np.zeros((0, 3))).shape == (0, 3)
    x = np.array([[0.3, -0.7]], ">f4")
    assert NF4.encode(x).tolist() == NF4.encode(x.astype("<f8")).tolist()
    assert NF4.encode(0.3).shape == ()


@pytest.mark.parametrize(
    "parameters",
    [
        {"kind": "block-quantize", "a": "bf16", "out": "nf4-k4-fp16", "order": "exact"},
        {"kind": "block-quantize", "a": "fp16", "out": "fp4bnb-k4-e8m0", "scale_rule": "rceil"},
        {"kind": "block-quantize", "a": "fp32", "out": "nf4-k4-fp32", "order": "te"},
        {"kind": "block-dequantize", "a": "nf4-k4-fp32", "out": "bf16"},
        {"kind": "block-dot", "a": "nf4-k4-fp32", "b": "int8", "out": "fp32"},
        {"kind": "block-dot", "a": "nf4-k4-e8m0", "out": "fp32", "accumulation": "sequential"},
        {"kind": "hadamard", "a": "fp4bnb", "out": "nf4", "size": 4},
        {"kind": "block-quantize", "a": "fp32", "out": "lns4.1-k4-fp32"},
        {"kind": "block-dot", "a": "skewed-k4-fp16", "b": "nupes4a1.5-k4-fp32", "out": "fp32"},
        {"kind": "hadamard", "a": "lns5.2", "out": "lns6.2", "size": 4},
        {"kind": "dot", "a": "lns8.0", "b": "nupes8a8", "out": "fp32", "lanes": 3},
    ],
    ids=lambda each: "-".join(map(str, each.values())),
)
def test_units_of_blocks_against_fractions(parameters: dict):
    spec = unit(**parameters)
    (codes,) = stimulus(spec, vectors=120, seed=4)
    assert by_reference(spec, codes) == 120
