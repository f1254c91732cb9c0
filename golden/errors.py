# SPDX-License-Identifier: BSD-2-Clause
"""Errors that a user of macaw can cause; each message is one line that says what to change."""

from __future__ import annotations

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
