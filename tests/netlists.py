# SPDX-License-Identifier: BSD-2-Clause
"""Mapped netlists by hand, as Yosys' JSON has them."""

from typing import Any


def cell(kind: str, **pins: int | str) -> dict[str, Any]:
    """A cell of a library, a net or constant at each pin."""
    return {"type": kind, "connections": {name: [net] for name, net in pins.items()}}


def module(cells: dict[str, Any], inputs: Any = (), outputs: Any = ()) -> dict[str, Any]:
    """A module with a port for each net of ``inputs`` and ``outputs``."""
    ports = {f"i{n}": {"direction": "input", "bits": [n]} for n in inputs}
    ports |= {f"o{n}": {"direction": "output", "bits": [n]} for n in outputs}
    return {"ports": ports, "cells": cells}
