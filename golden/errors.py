# SPDX-License-Identifier: BSD-2-Clause
"""Errors that a user of macaw can cause; each message is one line that says what to change."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np


class MacawError(ValueError):
    """Base of every error that is about the input, not about macaw itself."""

    def __init__(self, message: object = "") -> None:
        # Values that it names, arrays among them, may print in several lines.
        super().__init__(" ".join(str(message).split()))


class FormatError(MacawError):
    """A number format that does not exist or cannot be built."""


class SpecError(MacawError):
    """A unit, parameter or option that does not exist, or a value that it does not take."""


class CodeError(MacawError):
    """Operand arrays of the wrong dtype, shape or range."""


class ToolError(MacawError):
    """An external tool that is missing, too old, or failed."""


def did_you_mean(
    name: str,
    known: Iterable[str],
    otherwise: str = "",
    *,
    aliases: Mapping[str, str] = MappingProxyType({}),
    most: int = 1,
    cutoff: float = 0.6,
) -> str:
    """Return ``did you mean …?`` with the names closest to ``name``, or else ``otherwise``.

    Parameters
    ----------
    name : str
        One that is not known.
    known : iterable of str
        Those that are.
    otherwise : str
        What to say where nothing is close.
    aliases : mapping of str to str
        Other spellings, each with the name that is shown in its place.
    most : int
        Names that are shown.
    cutoff : float
        How close they are at least, as :func:`difflib.get_close_matches` has it.
    """
    close = difflib.get_close_matches(name, [*known, *aliases], n=most, cutoff=cutoff)
    shown = dict.fromkeys(aliases.get(each, each) for each in close)
    return f"did you mean {' or '.join(shown)}?" if shown else otherwise


def check_whole(
    name: str, value: Any, low: int, high: int, error: type[MacawError] = SpecError
) -> None:
    """Raise ``error`` unless ``value`` is a Python integer from ``low`` to ``high``."""
    if type(value) is not int or not low <= value <= high:
        shown = value if isinstance(value, str) else repr(value)
        raise error(f"{name}={shown}: must be an integer from {low} to {high}")


def check_axis(axis: Any, shape: tuple[int, ...], error: type[MacawError]) -> None:
    """Raise ``error`` unless an array of ``shape`` has ``axis``, which may count from the end."""
    integer = isinstance(axis, int | np.integer) and not isinstance(axis, bool)
    if not integer or not -len(shape) <= axis < len(shape):
        raise error(f"axis={axis!s}: the array has shape {shape}")
