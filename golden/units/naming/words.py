# SPDX-License-Identifier: BSD-2-Clause
"""Words that names of units are made of: formats, rounding, numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ...formats.block import AnyFormat, Block, scalar
from ...formats.books import Book
from ...formats.choices import Rounding
from .names import Unit, part


def kind_word(spec: Unit) -> str:
    """Return a stem: the kind."""
    return spec.kind.replace("-", "_")


def counted(parameter: str, *, but: int | None = None) -> Callable[[Unit], str]:
    """Return the stem of the kind with how many of something, unless these are ``but``."""

    def stem(spec: Unit) -> str:
        count = getattr(spec, parameter)
        return kind_word(spec) if count == but else f"{kind_word(spec)}{count}"

    return stem


def operand_formats(spec: Unit) -> list[str]:
    """Return words for ``a``, ``b``, ``c`` and ``out``, those that it has, as defaults go."""
    names = [identifier(getattr(spec, n)) for n in ("a", "b", "c", "out") if hasattr(spec, n)]
    if len(set(names)) == 1:
        return names[:1]
    if len(names) == 4:
        if names[2] == names[3]:
            names.pop(2)
        else:
            return names
    return names[:1] + names[2:] if len(names) == 3 and names[0] == names[1] else names


def alike(*parameters: str) -> Callable[[Unit], list[str]]:
    """Return the function to words for these formats, to one where they are the same."""

    def formats(spec: Unit) -> list[str]:
        names = [identifier(getattr(spec, parameter)) for parameter in parameters]
        return names[:1] if len(set(names)) == 1 else names

    return formats


def rounding_words(spec: Unit) -> list[str]:
    """Return words for rounding, overflow and flags."""
    words = []
    if spec.rounding.stochastic:
        words += [f"{spec.rounding.value}{'' if spec.random_bits == 16 else spec.random_bits}"]
        words += word("", spec.random, "port") + word("seed", spec.random_seed, 1)
    elif spec.rounding is not Rounding.RNE:
        words += [spec.rounding.value]
    if spec.overflow is not None and spec.overflow is not part(type(spec), "overflow")(spec):
        words += [spec.overflow.value]
    return words + ["flags"] * getattr(spec, "flags", False)


def product_words(spec: Any) -> list[str]:
    """Return the word for how a unit multiplies, if not exactly."""
    return [] if spec.multiplication is None else [spec.multiplication.identifier]


def word(letters: str, value: Any, usual: Any) -> list[str]:
    """Return the word for a value behind letters that say whose it is; none if it is the usual."""
    return [] if value == usual else [f"{letters}{value}"]


def signed(value: int) -> str:
    """Return an integer as part of a Verilog identifier: ``3``, ``n3`` for the negative one."""
    return f"{value}" if value >= 0 else f"n{-value}"


def digits(value: float) -> str:
    """Return a number, all of it, as part of a Verilog identifier: ``12p5``, ``m3``."""
    text = format(Decimal(repr(value)), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace(".", "p").replace("-", "m")


def identifier(fmt: AnyFormat) -> str:
    """Return the format's name as part of a Verilog identifier."""
    text = fmt.name
    if isinstance(fmt, Block) and fmt.second_scale is not None and text == fmt.spelling:
        # Behind an underscore the second scale would read as the next operand's format.
        text = f"{text.removesuffix(f'-{fmt.second_scale.name}')}x{fmt.second_scale.name}"
    if isinstance(fmt, Block) and fmt.zero_point is not None:
        words = fmt.zero_words
        text = f"{text.removesuffix(words)}{words[1:]}"
    if isinstance(book := scalar(fmt), Book):
        text = text.replace(book.name, book.word)
    return text.replace(".", "p").replace("-", "_").replace("+", "_")


def spelled(value: str | int | float | bool) -> str:
    """Return a parameter's value as the command line has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
