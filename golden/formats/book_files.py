# SPDX-License-Identifier: BSD-2-Clause
"""Code books of the user's own: from JSON files, and registered in Python.

Their names end in a digest of the values, ``mine@9c31f2ab``: what is written down names one book
for ever, and elsewhere it means that one or nothing.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError
from .books import OWN, Book, own_name
from .power_books import DIGITS, rounded
from .texts import fraction

_HEXADECIMAL = re.compile(
    r"(?P<sign>[+-]?)0x(?P<whole>[0-9a-f]+)(?:\.(?P<below>[0-9a-f]*))?(?:p(?P<power>[+-]?\d{1,4}))?",
    re.IGNORECASE | re.ASCII,
)
_DECIMAL = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?|[+-]?\d+/\d+", re.IGNORECASE | re.ASCII
)
_LARGEST, _LEAST = Fraction(2) ** 127, Fraction(2) ** -126
"""Of the exponents that a value may have: those of float32's normal numbers."""
_BYTES = 1 << 16
"""More than 256 values need."""
_LETTERS = 1000
"""More than a value of a float64 in decimal needs."""

_KNOWN: dict[str, Book] = {}
"""Books that were read or registered, by name: a name with a digest needs no file twice."""
_REGISTERED: dict[str, Book] = {}
"""Books that were registered, by the name without a digest."""


def own_book(name: str) -> Book | None:
    """Return the user's book that a name means; None for names that are no such one's.

    ``<path>.json`` is that of a file (:func:`book_from_file`), a word one that was registered
    (:func:`register`). With ``@`` and a digest it is the one of these values.

    Raises
    ------
    FormatError for a file that has no book, for values that have another digest, and for a word
    with a digest where none was registered.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    match = OWN.fullmatch(name)
    if match is None:
        return None
    stem, digest = match["stem"], match["digest"]
    if digest and name in _KNOWN:
        return _KNOWN[name]
    if match["file"]:
        found = book_from_file(stem)
    elif digest:
        known = _REGISTERED.get(stem)
        if known is None:
            raise FormatError(f"{name}: no code book {stem} was registered here")
        found = known
    else:
        return None
    if digest and found.name != name:
        raise FormatError(f"{name}: {stem} has other values now, and with them is {found.name}")
    return found


def register(name: str, values: Iterable[Any]) -> Book:
    """Return the code book ``name``, which its name means from now on; see :func:`own_book`.

    ``values`` are numbers, of numpy too, or what a file may have (:func:`book_from_file`); each is
    rounded as there. Whether the name is free is for the caller to know.
    """
    try:
        entries = [value.item() if isinstance(value, np.generic) else value for value in values]
    except TypeError:
        raise FormatError(f"{name}: values must be a sequence of numbers") from None
    book = _book(name, entries)
    known = _REGISTERED.setdefault(name, book)
    if known != book:
        raise FormatError(f"{name}: is registered with other values, as {known.name}")
    return known


def book_from_file(path: str) -> Book:
    """Return the code book that a file has; its name is the path as given, and a digest.

    The file is a JSON list of values, in the order of their codes, or an object whose only entry
    is ``values``, that list. A value is a number, or a string: decimal, hexadecimal as in C
    (``0x1.8p-1``) or a fraction (``2/3``). Each becomes the nearest number of 24 significant bits,
    ties to even, from what is written: values of float32 are what they are. ``-0.0`` is a negative
    zero.

    Raises
    ------
    FormatError for a file that cannot be read or is not of that kind, for a value that is no
    number or out of the range of float32's normal numbers, and for lists that are no
    :class:`~.books.Book`.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(_BYTES + 1)
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}") from None
    if len(content) > _BYTES:
        raise FormatError(f"{path}: more than {_BYTES} bytes: too long for a code book")
    try:
        # Numbers stay the text that they are, so that each is rounded once.
        parsed = json.loads(content, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON: {error}") from None
    if isinstance(parsed, dict) and set(parsed) == {"values"}:
        parsed = parsed["values"]
    if not isinstance(parsed, list):
        raise FormatError(f"{path}: must be a list of values, or an object with values alone")
    return _book(path, parsed)


def _book(name: str, entries: list[Any]) -> Book:
    try:
        values = tuple(_value(code, entry) for code, entry in enumerate(entries))
        book = Book(name=own_name(name, values), values=values)
    except FormatError as error:
        # What is wrong with a book has nothing to do with its digest.
        message = str(error)
        message = message if message.startswith("value ") else message.partition(": ")[2]
        raise FormatError(f"{name}: {message}") from None
    _KNOWN[book.name] = book
    return book


def _value(code: int, entry: Any) -> float:
    number = _fraction(entry)
    if number is None:
        raise FormatError(
            f"value {_shown(entry)} of code {code}: must be a number, or a string as 0.25, "
            "0x1.8p-1 or 2/3"
        )
    nearest = rounded(number, DIGITS)
    if nearest and not _LEAST <= abs(nearest) < 2 * _LARGEST:
        raise FormatError(
            f"value {_shown(entry)} of code {code}: its magnitude must be 0, or within float32's "
            "normal numbers"
        )
    negative = not nearest and str(entry).strip().startswith("-")
    return math.copysign(float(nearest), -1.0) if negative else float(nearest)


def _shown(entry: Any) -> str:
    """A value for a message: not all of a long one."""
    try:
        return reprlib.repr(entry)
    except ValueError:  # an integer that is too long even for text
        return "of so many digits"


def _fraction(entry: Any) -> Fraction | None:
    """The number that a value is; None if it is none, or longer than one can be meant."""
    if isinstance(entry, bool) or not isinstance(entry, str | int | float | Fraction):
        return None
    if isinstance(entry, int | Fraction):
        return Fraction(entry)
    text = str(entry).strip()
    if len(text) > _LETTERS:
        return None
    if match := _HEXADECIMAL.fullmatch(text):
        below = match["below"] or ""
        places = int(match["power"] or 0) - 4 * len(below)
        magnitude = int(match["whole"] + below, 16) * Fraction(2) ** places
        return -magnitude if match["sign"] == "-" else magnitude
    return fraction(text) if _DECIMAL.fullmatch(text) else None
