# SPDX-License-Identifier: BSD-2-Clause
"""Formats that nobody thought of: any sentence of the grammar, and any registered name.

What all random proofs draw from: that of the golden model against fractions, and that of the gates
against the golden model. Formats are made of their fields, so a field that is added to them is
drawn, or :func:`scalar` fails for want of it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from macaw.golden.errors import FormatError
from macaw.golden.formats import (
    BOOKS,
    FORMATS,
    POSITS,
    POWERS,
    Book,
    Fixed,
    Float,
    Format,
    Posit,
    Specials,
    Subnormals,
    format,
)
from macaw.golden.formats import posits as posit_formats
from macaw.golden.formats.block import BLOCKS, Block, register_book
from macaw.golden.formats.books import WIDEST

REGISTERED: dict[str, Format] = FORMATS | POWERS | BOOKS | POSITS

OWN = register_book("skewed", ["-0.0", "1/3", 5, -0.75, 0, 5, "0x1.8p-9", "-2/7"])
"""As a user's own book: without order, with a value that stands twice and zeros of both signs."""
NAMED_BOOKS: dict[str, Format] = {
    name: format(name)
    for name in ("lns4.1", "lns5.0nozero", "lns8.3", "nupes4a1.5", "nupes3a0.5", "nupes8a2")
} | {"skewed": OWN}
"""Code books that are proven beside the registered ones."""

_EXPONENTS = (1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 8, 9, 11)
_MANTISSAS = (1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 9, 10, 13, 23, 52)
_WIDTHS = (1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 8, 9, 11, 12, 16, 17, 24, 32, 33, 63, 64)


def scalar(rng: random.Random, *, widest: int = 64) -> Format:
    """A format of one number, of at most ``widest`` bits: registered, a float, fixed point, a code
    book, or a posit."""
    draw = rng.choices((registered, floating, fixed, book, posit), (5, 9, 4, 1, 2))[0]
    return draw(rng, widest=widest)


def registered(rng: random.Random, *, widest: int = 64) -> Format:
    """A format that has a name."""
    return rng.choice([fmt for fmt in REGISTERED.values() if fmt.width <= widest])


def floating(rng: random.Random, *, widest: int = 64) -> Float:
    """A float of any fields: odd widths and biases, any specials, with and without zero."""
    if rng.random() < 0.25:
        floats = [f for f in REGISTERED.values() if isinstance(f, Float) and f.width <= widest]
        return rng.choice(floats)
    if rng.random() < 0.03:  # a sign and nothing else
        specials = rng.choice((Specials.FINITE, Specials.FNUZ))
        fixed_fields = {"subnormals": Subnormals.NONE, "specials": specials, "zero": False}
        return Float(exponent=0, mantissa=0, bias=_bias(rng, 0), **fixed_fields)
    choices, empty = rng.choice(SHAPES)
    while True:
        exponent = rng.choice(_EXPONENTS)
        mantissa = 0 if empty else rng.choice(_MANTISSAS)
        bias = _bias(rng, exponent)
        try:
            fmt = Float(exponent=exponent, mantissa=mantissa, bias=bias, **choices)
        except FormatError:
            continue
        if fmt.width <= widest:
            return fmt


def _shapes() -> list[tuple[dict[str, Any], bool]]:
    """All choices of the grammar of floats that go together, and whether without a mantissa."""
    values: dict[str, Sequence[Any]] = {
        "signed": (True, False),
        "subnormals": tuple(Subnormals),
        "specials": tuple(Specials),
        "zero": (True, False),
    }
    unknown = {field.name for field in fields(Float)} - values.keys()
    unknown -= {"exponent", "mantissa", "bias"}
    if unknown:
        raise LookupError(f"no rule to draw {', '.join(sorted(unknown))} of a float")
    found = []
    for empty in (True, False):
        for row in itertools.product(*values.values()):
            choices = dict(zip(values, row, strict=True))
            try:
                Float(exponent=4, mantissa=0 if empty else 2, **choices)
            except FormatError:
                continue
            found.append((choices, empty))
    return found


SHAPES = _shapes()


def _bias(rng: random.Random, exponent: int) -> Any:
    usual = (1 << exponent) >> 1
    near = usual + rng.randint(-3, 3)
    any_ = rng.randint(-(2 << exponent), 4 << exponent)
    return rng.choices((None, near, any_, rng.randint(-20, -1)), (5, 2, 2, 1))[0]


def fixed(
    rng: random.Random, *, widest: int = 64, integer: bool | None = None, signed: bool | None = None
) -> Fixed:
    """Fixed point of any width, the point anywhere; or an integer."""
    if integer and rng.random() < 0.3:
        named = [f for f in REGISTERED.values() if isinstance(f, Fixed) and f.width <= widest]
        named = [f for f in named if signed in (None, f.signed)]
        if named:
            return rng.choice(named)
    width = rng.choice([width for width in _WIDTHS if width <= widest])
    values = {
        "width": width,
        "fraction": rng.choices((0, rng.randint(1, width), rng.randint(1, width + 12)), (4, 5, 2))[
            0
        ],
        "signed": rng.random() < 0.65 if signed is None else signed,
    }
    if integer:
        values["fraction"] = 0
    values["symmetric"] = bool(values["signed"]) and width >= 2 and rng.random() < 0.3
    return Fixed(**_every(Fixed, values))


def book(rng: random.Random, *, widest: int = 64) -> Format:
    """A code book that has a name, or a spelling; any format, where none is so narrow."""
    if widest >= 2 and rng.random() < 0.6:
        return power_book(rng, widest=widest)
    named = [fmt for fmt in (*BOOKS.values(), OWN) if fmt.width <= widest]
    return rng.choice(named) if named else registered(rng, widest=widest)


def power_book(rng: random.Random, *, widest: int = 64) -> Format:
    """An LNS of any fields, or a power function of NUPES of any power."""
    width = rng.randint(2, min(widest, WIDEST))
    if rng.random() < 0.6:
        return format(f"lns{width}.{rng.randint(0, width - 2)}{rng.choice(('', '', 'nozero'))}")
    return format(f"nupes{width}a{rng.choice((0.37, 0.5, 1, 1.5, 2, 2.75, 4))}")


def any_book(rng: random.Random) -> Book:
    """A book of any values, in any order: some twice, or of both signs, some zeros of a sign."""
    width = rng.randint(1, 6)
    exponents = rng.choice(((0,), (-3, 0, 2), (-14, 9)))
    signs = rng.choice(((1, -1), (1, -1), (1, 1)))
    while True:
        values = [
            rng.choice(signs)
            * rng.randint(0, 1 << rng.choice((2, 3, 12)))
            * 2.0 ** rng.choice(exponents)
            for _ in range(1 << width)
        ]
        if rng.random() < 0.4:
            values = [value or 1.0 for value in values]
        try:
            return Book(name="any", values=tuple(values))
        except FormatError:
            continue


_SIZES = range(posit_formats.MOST_EXPONENT + 1)
"""Of the exponents of posits."""


def posit(rng: random.Random, *, widest: int = 64) -> Format:
    """A posit of any width and exponent; any format, where none is so narrow."""
    most = min(widest, posit_formats.WIDEST)
    if most < posit_formats.NARROWEST:
        return registered(rng, widest=widest)
    widths = (rng.randint(posit_formats.NARROWEST, most), min(most, 8), min(most, 16))
    values = {
        "width": rng.choice(widths),
        "exponent": rng.choice((posit_formats.STANDARD, *_SIZES)),
    }
    return Posit(**_every(Posit, values))


def _every(cls: type, values: dict) -> dict:
    """``values``; LookupError unless they are all fields of ``cls``."""
    unknown = {field.name for field in fields(cls)} ^ values.keys()
    if unknown:
        raise LookupError(f"{cls.__name__}: no rule to draw {', '.join(sorted(unknown))}")
    return values


def block(rng: random.Random, *, sizes: Sequence[int] = (1, 2, 4, 8), widest: int = 16) -> Block:
    """Elements and scales of any formats of at most ``widest`` bits that may be in a block."""
    if rng.random() < 0.2:
        return rng.choice(list(BLOCKS.values()))
    asymmetric = rng.random() < 0.15
    while True:
        values = {
            "element": scalar(rng, widest=widest),
            "scale": floating(rng, widest=widest),
            "size": None if rng.random() < 0.1 else rng.choice(sizes),
            "second_scale": floating(rng, widest=32) if rng.random() < 0.1 else None,
            "tile": rng.choice((1, 1, 1, 2, 4)),
            "zero_point": None,
            "minimum": False,
        }
        if asymmetric:
            values["element"] = fixed(rng, widest=min(widest, 16))
            zero = fixed(rng, widest=min(widest, 16), integer=True)
            values["zero_point"] = replace(zero, fraction=values["element"].fraction)
            if rng.random() < 0.4:
                values["zero_point"] = floating(rng, widest=widest)
                values["minimum"] = rng.random() < 0.5
        if values["size"] is None:
            values["tile"] = 1
        try:
            return Block(**_every(Block, values))
        except FormatError:
            continue


def flex(rng: random.Random) -> Block:
    """A Flexpoint format of any widths."""
    from macaw.golden.formats.block import format

    fmt = format(f"flex{rng.randint(2, 18)}+{rng.randint(1, 8)}")
    assert isinstance(fmt, Block)
    return fmt


def marks(fmt: Format) -> frozenset[str]:
    """What makes a format special: its registered name, and each suffix of the grammar.

    The suffixes are those that it has, spelled or by default; ``m0``, ``e1``, ``odd`` are no
    suffixes but corners of the fields.
    """
    found = {fmt.name} & REGISTERED.keys()
    if isinstance(fmt, Book):
        return frozenset(found)
    if isinstance(fmt, Posit):
        return frozenset(found | {f"es{fmt.exponent}"})
    if isinstance(fmt, Fixed):
        found.add("fx" if fmt.fraction else "int")
        found |= {"fraction above width"} if fmt.fraction > fmt.width else set()
        found |= {"sym"} if fmt.symmetric else set()
        found |= {"odd"} if fmt.width not in (1, 2, 4, 8, 16, 32, 64) else set()
        return frozenset(found | ({"u"} if not fmt.signed else set()))
    centred = fmt.specials in (Specials.FNUZ, Specials.EXTENDED)
    usual = ((1 << fmt.exponent) >> 1) - (not centred)
    usual = usual if fmt.exponent else 0
    if fmt.bias != usual:
        found.add("bn" if fmt.bias < 0 else "b")
    found |= {fmt.specials.value, fmt.subnormals.value}
    found |= set() if fmt.zero else {"nozero"}
    found |= set() if fmt.signed else {"ue"}
    found |= {"m0"} if fmt.mantissa == 0 else set()
    found |= {"e1"} if fmt.exponent == 1 else set()
    return frozenset(found)


SUFFIXES: dict[str, frozenset[str]] = {
    "float": frozenset(
        {"b", "bn", "ue", "nozero", "m0", "e1"}
        | {choice.value for choice in Specials}
        | {choice.value for choice in Subnormals}
    ),
    "fixed": frozenset({"int", "fx", "u", "sym", "odd", "fraction above width"}),
    "posit": frozenset(f"es{n}" for n in _SIZES),
}
"""The suffixes that :func:`marks` finds, by the kind of format."""
