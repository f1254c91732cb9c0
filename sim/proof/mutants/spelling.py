# SPDX-License-Identifier: BSD-2-Clause
"""Units and how they are built as one line of text: what follows ``macaw verify``."""

from __future__ import annotations

import shlex
from typing import Any

from macaw.golden.units import Unit, unit


def read(text: str) -> tuple[Unit, dict[str, Any]]:
    """A unit and the options of its implementation.

    Raises
    ------
    SpecError
        The unit refuses its parameters.
    """
    kind, *words = shlex.split(text)
    parameters: dict[str, Any] = {}
    options: dict[str, Any] = {}
    waiting = iter(words)
    for word in waiting:
        if word.startswith("--"):
            options[word[2:].replace("-", "_")] = _value(next(waiting))
        else:
            name, _, value = word.partition("=")
            parameters[name] = value
    return unit(kind, **parameters), options


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
