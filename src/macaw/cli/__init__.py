# SPDX-License-Identifier: BSD-2-Clause
"""The command line."""

from .verbs import _unit_and_implementation, cli, generate, main

__all__ = ["_unit_and_implementation", "cli", "generate", "main"]
