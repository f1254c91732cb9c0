# SPDX-License-Identifier: BSD-2-Clause
"""Tables in docs/verification.md."""

from . import mutants

__all__ = ["mutants"]
