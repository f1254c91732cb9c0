# SPDX-License-Identifier: BSD-2-Clause
"""How the parts of a name are joined, and what keeps two units from sharing one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from ...errors import SpecError
from ...formats.block import Block
from ...formats.books import Book
from ...formats.choices import Overflow

Unit = Any
"""A unit's specification, which is written above."""

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


def part(cls: type[Unit], field: str) -> Any:
    """Return what is said of a class, or of the nearest one that it derives from."""
    found = (getattr(_NAMINGS[base], field) for base in cls.__mro__ if base in _NAMINGS)
    return next((each for each in found if each is not None), None)


def order(spec: Unit) -> list[str]:
    """Return the names of a unit's parameters as they are listed."""
    last = part(type(spec), "last")
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
    for parameter in unusual(spec) if told else ():
        other = made(spec, [n for n in parameters if n != parameter], parameters)
        told = told and (other is None or other == spec or _words(other) != words)
    if told:
        return text
    brief = part(type(spec), "brief")
    words = words if brief is None else brief(spec)
    return abbreviated("_".join(words), repr(parameters), LONGEST_NAME)


def _words(spec: Unit) -> list[str]:
    """The parts of a name: letters, digits and underscores, all of them lower case."""
    stem, formats, words = (part(type(spec), field) for field in ("stem", "formats", "words"))
    return [stem(spec), *formats(spec), *words(spec)]


def unusual(spec: Unit) -> list[str]:
    """Return the names of a unit's parameters that are not what they are where they are left out.

    Without one of the others it is the same unit.
    """
    usual = {field.name: field.default for field in fields(spec)}
    return [n for n in spec.parameters if getattr(spec, n) != usual[n]]


def made(spec: Unit, kept: Iterable[str], every: dict[str, Any]) -> Unit | None:
    """Return the unit with those of ``every`` parameter of ``spec``; None if it needs others."""
    # By name a format may not be found: a code book's file need not be on every machine.
    formats = {n: v for n in kept if isinstance(v := getattr(spec, n), Book | Block)}
    parameters = {n: formats.get(n, every[n]) for n in kept}
    try:
        return type(spec)(**parameters)
    except SpecError:
        return None


def abbreviated(text: str, identity: str, longest: int) -> str:
    """Return ``text``, cut after ``longest`` letters, and a digest of ``identity``."""
    return f"{text[:longest].rstrip('_')}_{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
