# SPDX-License-Identifier: BSD-2-Clause
"""What a unit takes, learned by trying it: the words, ranges and defaults that help prints.

Nothing is said here of any one unit. A unit is made in *contexts*, parameters that it can be made
with; a word is listed if some context takes it, a bound is quoted from the refusal of what is no
value at all, and a default is what is there when the parameter is left out.
"""

from __future__ import annotations

import enum
import functools
import itertools
import re
import typing
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.formats import Fixed, Float
from macaw.golden.formats.block import Block
from macaw.golden.formats.block import format as any_format
from macaw.golden.units.specification import ROUNDING

FAMILIES = (
    ("fp32", "fp16", "bf16", "tf32"),
    ("e4m3", "e2m1", "e3m2", "e4m3fnuz"),
    ("e2m1", "e3m2", "e2m3", "e2m1"),
    ("fx16.8", "fx12.4", "fx18.6", "fx20.8"),
    ("ufx16.8", "ufx12.4", "ufx18.6", "ufx20.8"),
    ("uint8", "uint16", "uint12", "uint6"),
    ("int24", "int28", "int20", "int26"),
    ("fx8.4", "fx10.8", "fx12.6", "fx14.8"),
    ("fx10.6", "int8", "uint8", "int16"),
    ("int8", "int16", "int12", "int6"),
    ("int4", "fp16", "bf16", "fp32"),
    ("mxfp4", "mxint8", "fp32", "fp16"),
    ("nvfp4", "nvint4", "bf16", "fp32"),
    ("fp16", "mxfp4"),
    ("fp32", "nvfp4"),
    ("int16sym", "dfp16", "int8sym", "int4sym"),
    ("flex16+5", "flex8+5", "flex12+5"),
    ("flex10+4", "flex16+5", "flex12+5"),
)
"""Formats of a unit's format parameters, in their order; what a parameter cannot be at all is
replaced by the first of its kind in other families."""

NOT_GIVEN = "from others"
"""Default of a parameter that follows from several others."""

_NOTHING = "?"
_SMALL = (2, 8)
_REFUSED = ("fp64", "fp32", "e3m4", "int64", "uint64", "fx8.4", "ufx9.3", "mxfp4", "flex16+5")
_RANGE = re.compile(r"an integer from (-?\d+) to (-?\d+)")


def hints_of(cls: type) -> dict[str, Any]:
    """Annotations of the parameters that a unit or ``Implementation`` has."""
    hints = typing.get_type_hints(cls)
    rounds = getattr(cls, "rounds", True)
    return {
        f.name: hints[f.name] for f in fields(cls) if f.init and (rounds or f.name not in ROUNDING)
    }


def kinds_of(hint: Any) -> set[type]:
    """The kinds of formats among what a parameter may be."""
    return {Float, Fixed, Block} & (set(typing.get_args(hint)) or {hint})


def made(cls: type, parameters: dict[str, Any]) -> Any:
    """The unit with these parameters, None if it refuses them."""
    try:
        return cls(**parameters)
    except MacawError:
        return None


def _without(context: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in context.items() if name not in names}


def _given(hints: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Formats for all format parameters, then for ever fewer from the last one on."""
    named = {name: kinds_of(hint) for name, hint in hints.items() if kinds_of(hint)}
    for family in FAMILIES:
        given: dict[str, Any] = {}
        for place, (name, kinds) in enumerate(named.items()):
            offers = (*family[place % len(family) :], *itertools.chain(*FAMILIES))
            given[name] = next(f for f in map(any_format, offers) if type(f) in kinds)
        yield dict(given)
        for name in reversed(named):
            del given[name]
            yield dict(given)


@functools.cache
def contexts(cls: type) -> tuple[dict[str, Any], ...]:
    """Parameters that ``cls`` can be made with, several of every kind that it takes.

    What formats alone do not make, the class has as ``examples``.
    """
    hints = hints_of(cls)
    found: list[dict[str, Any]] = []
    for context in (*_given(hints), *getattr(cls, "examples", ())):
        if context not in found and made(cls, context) is not None:
            found.append(context)
    # Each word of another parameter may open what the rest takes.
    for name, hint in hints.items():
        if name == "overflow" or kinds_of(hint):
            continue
        for word in _offered(cls, name, hint, found, small=True):
            more = [context | {name: word} for context in found]
            found += [m for m in more if m not in found and made(cls, m) is not None][:4]
    return tuple(found)


def _refusals(cls: type, name: str, value: Any, found: Any) -> list[str]:
    """What is said of ``value``, after the parameter's own name."""
    said: dict[str, None] = {}
    for context in found or [{}]:
        try:
            cls(**context | {name: value})
        except MacawError as error:
            first, _, rest = str(error).partition(": ")
            if first.split("=")[0].strip() == name:
                said[rest] = None
        except TypeError:
            return []
    return list(said)


def _offered(cls: type, name: str, hint: Any, found: Any, small: bool = False) -> list[Any]:
    """Words that a parameter may have, by its annotation or by a refusal; if asked, integers."""
    parts = [hint, *typing.get_args(hint)]
    for part in parts:
        if part is bool:
            return [True, False]
        if part is int:
            return list(_SMALL) if small else []
        if isinstance(part, type) and issubclass(part, enum.Enum):
            return [member.value for member in part]
        if typing.get_origin(part) is typing.Literal:
            return [word for word in typing.get_args(part) if word is not None]
    for said in _refusals(cls, name, _NOTHING, found):
        match = re.fullmatch(r"must be (?:one of )?((?:[\w-]+, )+[\w-]+)(?:, or .*)?", said)
        if match:
            return match[1].split(", ")
    return []


@functools.cache
def words(cls: type, name: str) -> tuple[Any, ...]:
    """Words that the parameter takes in some context, and ``default`` for an overflow."""
    hint, found = hints_of(cls)[name], contexts(cls)
    offered = _offered(cls, name, hint, found)
    if name == "overflow":
        offered = ["default", *offered]
    if cls.__dataclass_fields__[name].default is None:
        offered = [None if word == "none" else word for word in offered]
    return tuple(
        word
        for word in offered
        if any(made(cls, context | {name: word}) is not None for context in found)
    )


def default(cls: type, name: str) -> str:
    """What the parameter is when it is left out: ``required``, a value, ``as`` another one, or
    :data:`NOT_GIVEN`."""
    found = [_without(context, name) for context in contexts(cls)]
    units = [(c, unit) for c in found if (unit := made(cls, c)) is not None]
    if not units:
        return "required"
    for word in words(cls, name):
        # Typed, this word gives the very same unit wherever nothing is typed.
        if all(made(cls, context | {name: word}) == unit for context, unit in units):
            return text(word)
    values = [getattr(unit, name) for _, unit in units]
    if all(value == values[0] for value in values):
        return text(values[0])
    if kinds := kinds_of(hints_of(cls)[name]):
        for other, hint in hints_of(cls).items():
            if other != name and kinds_of(hint) & kinds:
                others = [getattr(unit, other) for _, unit in units]
                if values == others:
                    return f"as {other}"
    return NOT_GIVEN


def allowed(cls: type, name: str) -> str:
    """What the parameter takes, in words."""
    hint, found = hints_of(cls)[name], contexts(cls)
    listed = [text(word) for word in words(cls, name)]
    if kinds := kinds_of(hint):
        listed.append(_format_words(cls, name, hint, kinds))
        return ", or ".join(listed)
    said = [s for s in _refusals(cls, name, _NOTHING, found) if s.startswith("must be ")]
    ranges = {match[0] for s in said if (match := _RANGE.search(s))}
    if ranges and all(map(_RANGE.search, said)):
        if len(ranges) > 1:
            return "integer; the range follows from others"
        return said[0].removeprefix("must be ").replace("an integer", "integer")
    if listed and not (said and ", or " in said[0]):
        return ", ".join(listed)
    if said:
        return said[0].removeprefix("must be ").removeprefix("one of ").partition(": ")[0]
    plain = {int: "integer", float: "number", str: "text", bool: "true, false"}
    return " or ".join(
        plain[part] for part in (hint, *typing.get_args(hint)) if part in plain
    ) or str(hint)


_FORMATS = {
    frozenset({Float, Fixed}): "a format",
    frozenset({Float}): "a float format",
    frozenset({Fixed}): "a fixed-point format",
    frozenset({Block}): "a block format",
    frozenset({Float, Fixed, Block}): "a format, also of blocks",
}


def _format_words(cls: type, name: str, hint: Any, kinds: set[type]) -> str:
    """The kinds of formats, as far as what is said to one that is refused does not say more."""
    limits: dict[str, dict[str, tuple[int, str]]] = {"be": {}, "have": {}}
    for probe in map(any_format, _REFUSED):
        if type(probe) in kinds:
            for said in _refusals(cls, name, probe, contexts(cls)):
                if match := re.fullmatch(r"must (be|have) (.*)", said):
                    # Of bounds that differ by what the others are, the widest.
                    bits = max(map(int, re.findall(r"\d+", match[2])), default=0)
                    plain = re.sub(r"\d+", "", match[2])
                    widest = max((bits, match[2]), limits[match[1]].get(plain, (0, "")))
                    limits[match[1]][plain] = widest
    be, have = ([limit for _, limit in each.values()] for each in limits.values())
    words = ", ".join(be) or _FORMATS[frozenset(kinds)]
    return f"{words} with {' and '.join(have)}" if have else words


def text(value: Any) -> str:
    """A parameter's value as it is typed."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case enum.Enum():
            return str(value.value)
        case Float() | Fixed() | Block():
            return value.name
    return str(value)


def parameters(cls: type) -> list[dict[str, str]]:
    """Name, default and allowed values of each parameter of a unit or of ``Implementation``.

    First those that must be given, then formats, then the others, and rounding last.
    """
    hints = hints_of(cls)
    rows = [
        {"name": name, "default": default(cls, name), "allowed": allowed(cls, name)}
        for name in hints
    ]
    return sorted(
        rows,
        key=lambda row: (
            row["name"] in ROUNDING,
            row["default"] != "required",
            not kinds_of(hints[row["name"]]),
        ),
    )
