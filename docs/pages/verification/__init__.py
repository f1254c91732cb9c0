# SPDX-License-Identifier: BSD-2-Clause
"""docs/proven.md and docs/kinds.md, and tables in docs/verification.md."""

from . import coverage, kinds, mutants, proven

__all__ = ["coverage", "kinds", "mutants", "proven"]
