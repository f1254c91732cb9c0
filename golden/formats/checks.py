# SPDX-License-Identifier: BSD-2-Clause
"""Checks of parameters, the same sentences everywhere."""

from __future__ import annotations

from typing import Any

from ..errors import SpecError
from .block import AnyFormat, Block
from .block import format as any_format
from .scalar import Format


def check_any_format(name: str, value: Any) -> AnyFormat:
    """Return the scalar or block format that ``value`` means; SpecError names the parameter."""
    try:
        return any_format(value)
    except ValueError as error:
        raise SpecError(f"{name}={value!s}: {error}") from None


def check_format(name: str, value: Any) -> Format:
    """Return the scalar format that ``value`` means; SpecError names the parameter."""
    fmt = check_any_format(name, value)
    if isinstance(fmt, Block):
        raise SpecError(f"{name}={fmt.name}: must be a scalar format, not a block of them")
    return fmt


def check_integer(name: str, value: Any, low: int, high: int) -> None:
    """SpecError unless ``value`` is an integer from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(f"{name}={value!s}: must be an integer from {low} to {high}")


def check_boolean(name: str, value: Any) -> None:
    """SpecError unless ``value`` is a truth value."""
    if not isinstance(value, bool):
        raise SpecError(f"{name}={value!s}: must be true or false")
