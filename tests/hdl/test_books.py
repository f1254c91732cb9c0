# SPDX-License-Identifier: BSD-2-Clause
"""Code books in gates: any values as operands and as results."""

import itertools
import random
from dataclasses import replace

import pytest
from in_bulk import differing

from macaw.golden import SpecError, unit
from macaw.golden.formats import Book
from macaw.golden.units import Unit
from macaw.hdl import build, generate
from macaw.sim.proof.rules.formats import NAMED_BOOKS, any_book


def _units() -> list[Unit]:
    rng = random.Random(8)
    books = [replace(any_book(rng), name=f"any{number}") for number in range(8)]
    found = [unit("cast", a="fp16", out=book, rounding="dynamic", flags=True) for book in books]
    found += [unit("mul", a=a, b=b, out="fp16") for a, b in itertools.pairwise(books)]
    found += [unit("fma", a=books[0], b="e5m2", c=books[2], out=books[4], rounding="rod")]
    found += [unit("dot", a=books[5], b="e4m3", out="fp32", accumulation="aligned(9)")]
    for name in NAMED_BOOKS:
        found += [unit("cast", a="bf16", out=name, rounding="dynamic", flags=True)]
        found += [unit("fma", a=name, b="e4m3", out=name)]
    return [
        *found,
        *(unit("mul", a=name) for name in ("lns4.1", "lns5.1", "lns6.2", "lns8.3", "lns8.1")),
        unit("mul", a="lns5.2nozero"),
        unit("dot", a="nf4", out="fp32", lanes=2),
        *(
            unit("dot", a="e3m2", out="nf4", lanes=4, accumulation=steps)
            for steps in ("sequential", "aligned(9,2)", "chunk(2,fp16)")
        ),
        unit("block-dot", a="mxfp4", out="fp4bnb", size=4, accumulation="sequential"),
        unit("fma", a="lns4.1", b="nupes4a1.5", out="bf16"),
        unit("mul", a="lns5.2", b="lns3.1", out="fp32"),
        unit("dot", a="lns8.3", b="skewed", out="fp32", lanes=3),
        unit("mac", a="nupes4a1.5", b="int8", out="fp32", lanes=2),
        unit("block-quantize", a="bf16", out="lns4.1-k4-fp32"),
        unit("block-dequantize", a="skewed-k4-fp16", out="bf16"),
        unit("block-dot", a="lns4.1-k4-fp32", b="nupes4a1.5-k4-e8m0", out="fp32"),
        unit("mac", a="fp4bnb", b="nf4", out="fp32", lanes=2),
        unit("block-quantize", a="bf16", out="nf4-k4-fp16"),
        unit("block-dequantize", a="fp4bnb-k4-fp16", out="bf16"),
        unit("block-dot", a="nf4-k4-fp32", b="int8", out="fp32"),
    ]


def test_gates_agree_with_golden():
    assert differing(_units()) == []


def test_gates_refuse_results_too_far_apart():
    wide = Book(name="wide", values=(0.0, 2.0**-30, 2.0**10, 2.0**40))
    with pytest.raises(SpecError, match="wide: as results gates take books"):
        build(unit("cast", a="fp32", out=wide))
    assert build(unit("cast", a=wide, out="fp32")).port_list


@pytest.mark.parametrize("kind", ["mac", "block-mac"])
def test_gates_have_no_code_book_as_accumulator(kind: str):
    with pytest.raises(SpecError, match="acc=nf4: gates accumulate in floats and fixed point"):
        generate(unit(kind, a="e4m3", acc="nf4", out="fp32"))


def multipliers(target: str, **parameters: str) -> list[tuple[int, int]]:
    return generate(unit("mul", **parameters), target=target).component.multipliers


def test_products_of_few_long_constants_are_a_table():
    for name in ("nf4", "fp4bnb", "lns4.1", "nupes4a1.5"):
        assert multipliers("asic", a=name, out="fp32") == []
        assert multipliers("asic", a=name, b="int8", out="fp32") != []
    # Fewer partial products than entries.
    for a, b in (("nf4", "int4"), ("lns5.2", "lns5.2"), ("int4", "int4"), ("e2m1", "e2m1")):
        assert len(multipliers("asic", a=a, b=b, out="fp32")) == 1
    # Hard multipliers spare more cells than a table does, but for few products.
    assert multipliers("ecp5", a="nf4", out="fp32") != []
    assert multipliers("ecp5", a="lns4.1", out="fp32") == []


@pytest.mark.parametrize("width", range(2, 9))
def test_logarithmic_numbers_are_added(width: int):
    for fraction in range(width - 1):
        for zero in ("", "nozero"):
            name = f"lns{width}.{fraction}{zero}"
            assert multipliers("asic", a=name) == []
    # Where the nearest is not asked for, or more than the code, it is no sum of codes.
    name = f"lns{width}.{max(width - 4, 0)}"
    if width == 6:
        for other in ({"rounding": "rtz"}, {"flags": "true"}, {"out": "fp32"}, {"b": "lns4.1"}):
            assert multipliers("asic", a=name, **other) != []
