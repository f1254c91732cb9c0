# SPDX-License-Identifier: BSD-2-Clause
"""What units are called, and in which order their parameters are listed.

A family says behind its units, with :func:`named`, what is not as usual in their names. How the
parts of a name are joined, and what keeps two units from sharing one, is here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import SpecError
from ..formats.block import AnyFormat, Block, scalar
from ..formats.books import Book
from ..formats.choices import Overflow, Rounding

if TYPE_CHECKING:
    from .specification import Unit

LONGEST_NAME = 80
"""Letters of a unit's name, but for a digest behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Naming:
    """How units of a class are named: functions of a unit; None is as of the class's base.

    Attributes
    ----------
    stem : function to str
        What comes first.
    formats : function to list of str
        Words for the formats, behind it.
    words : function to list of str
        Words for the other parameters that are not as usual.
    brief : function to list of str
        All words that stand before a digest, in place of the three.
    overflow : function to Overflow or None
        The policy that has no word.
    last : tuple of str
        Parameters that are listed behind the others.
    """

    stem: Callable[[Any], str] | None = None
    formats: Callable[[Any], list[str]] | None = None
    words: Callable[[Any], list[str]] | None = None
    brief: Callable[[Any], list[str]] | None = None
    overflow: Callable[[Any], Overflow | None] | None = None
    last: tuple[str, ...] | None = None


_NAMINGS: dict[type, Naming] = {}


def named(cls: type[Unit], **parts: Any) -> None:
    """Say how units of ``cls`` and of what derives from it are named: fields of `Naming`."""
    _NAMINGS[cls] = Naming(**parts)


def _part(cls: type[Unit], part: str) -> Any:
    found = (getattr(_NAMINGS[base], part) for base in cls.__mro__ if base in _NAMINGS)
    return next((each for each in found if each is not None), None)


def order(spec: Unit) -> list[str]:
    """Return the names of a unit's parameters as they are listed."""
    last = _part(type(spec), "last")
    return [n for f in fields(spec) if (n := f.name) not in last] + list(last)


@lru_cache(maxsize=1024)
def name(spec: Unit) -> str:
    """Return the name of a unit: kind, formats (trailing equal ones left out), then options.

    A digest of all parameters stands behind words that are too many, or that do not tell of some
    parameter.
    """
    words, parameters = _words(spec), spec.parameters
    text = "_".join(words)
    told = len(text) <= LONGEST_NAME
    for parameter in parameters if told else ():
        other = made(spec, [n for n in parameters if n != parameter])
        told = told and (other is None or other == spec or _words(other) != words)
    if told:
        return text
    brief = _part(type(spec), "brief")
    words = words if brief is None else brief(spec)
    return abbreviated("_".join(words), repr(parameters), LONGEST_NAME)


def _words(spec: Unit) -> list[str]:
    """The parts of a name: letters, digits and underscores, all of them lower case."""
    stem, formats, words = (_part(type(spec), part) for part in ("stem", "formats", "words"))
    return [stem(spec), *formats(spec), *words(spec)]


def made(spec: Unit, kept: Iterable[str]) -> Unit | None:
    """Return the unit with these parameters of ``spec``; None if it needs others."""
    from .registry import unit

    every = spec.parameters
    # By name a format may not be found: a code book's file need not be on every machine.
    formats = {n: v for n in kept if isinstance(v := getattr(spec, n), Book | Block)}
    parameters = {n: formats.get(n, every[n]) for n in kept}
    try:
        return unit(spec.kind, **parameters)
    except SpecError:
        return None


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
    if spec.overflow is not None and spec.overflow is not _part(type(spec), "overflow")(spec):
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


def abbreviated(text: str, identity: str, longest: int) -> str:
    """Return ``text``, cut after ``longest`` letters, and a digest of ``identity``."""
    return f"{text[:longest].rstrip('_')}_{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def spelled(value: str | int | float | bool) -> str:
    """Return a parameter's value as the command line has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
