# SPDX-License-Identifier: BSD-2-Clause
"""Ranges in text: ``e<2-5>m<1-4>`` is sixteen names, ``0-2,4`` four numbers.

What is to be made is counted before it is made.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from macaw.golden.errors import SpecError

_CHOICES = re.compile(r"<([^<>]*)>")
_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")


def _parts(parameter: str, text: str, whole: str | None = None) -> list[Sequence[Any]]:
    """The parts of ``2-5,8,fp16`` as sequences: a range, and a number or a word each.

    SpecError for what is wrong, which shows ``whole``, if it is a part of that.
    """
    shown = f"{parameter}={text if whole is None else whole}"
    found: list[Sequence[Any]] = []
    for part in (each.strip() for each in text.split(",")):
        between = _RANGE.fullmatch(part)
        if not part:
            raise SpecError(
                f"{shown}: must be numbers, words and ranges with commas between, as 2-5,8"
            )
        if between is None:
            found.append([part])
            continue
        low, high = int(between[1]), int(between[2])
        if low > high:
            raise SpecError(f"{shown}: {part} must go up, as {high}-{low}")
        found.append(range(low, high + 1))
    return found


def _pieces(parameter: str, name: str) -> list[list[Sequence[Any]]]:
    """What stands beside each other in a name, each with its choices."""
    pieces: list[list[Sequence[Any]]] = []
    for index, piece in enumerate(_CHOICES.split(name)):
        if index % 2:
            pieces.append(_parts(parameter, piece, name))
        elif "<" in piece or ">" in piece.replace("->", ""):
            raise SpecError(f"{parameter}={name}: < and > must stand around choices, as e<2-5>m3")
        else:
            pieces.append([[piece]])
    return pieces


def ranged(name: str) -> bool:
    """Whether a name has choices in it."""
    return _CHOICES.search(name) is not None


def count_names(parameter: str, name: str) -> int:
    """How many names ``name`` stands for; SpecError, which names ``parameter``, if it is wrong."""
    return math.prod(sum(map(len, choices)) for choices in _pieces(parameter, name))


def names(parameter: str, name: str) -> Iterator[str]:
    """Every name that ``name`` stands for; the last range goes first."""
    for chosen in itertools.product(
        *(itertools.chain.from_iterable(choices) for choices in _pieces(parameter, name))
    ):
        yield "".join(map(str, chosen))


def several(given: Any) -> list[Any]:
    """What is given as one or as several, as several."""
    if isinstance(given, str | bytes):
        return [given]
    try:
        return list(given)
    except TypeError:
        return [given]


def listed(parameter: str, given: Any, *, whole: bool = False) -> list[Sequence[Any]]:
    """Values of an option that takes several: text with commas and ranges, one value, or many.

    In sequences, so that ``0-999999999`` is counted and not made; ``whole`` ones are integers.
    Words keep a minus in them as it is. SpecError for what is no integer then, and for none at all.
    """
    found: list[Sequence[Any]] = []
    for each in several(given):
        if not isinstance(each, str):
            found.append([each])
        elif whole:
            found += [_whole(parameter, each, part) for part in _parts(parameter, each)]
        else:
            found += [[part[0]] if len(part) == 1 else part for part in _parts(parameter, each)]
    if not found:
        raise SpecError(f"{parameter}: must be one value at least")
    return found


def _whole(parameter: str, text: str, part: Sequence[Any]) -> Sequence[Any]:
    if isinstance(part, range):
        return part
    try:
        return [int(part[0])]
    except ValueError:
        raise SpecError(
            f"{parameter}={text}: must be integers and ranges of them, as 0-2,4"
        ) from None
