# SPDX-License-Identifier: BSD-2-Clause
"""docs/proven.md, and tables in docs/verification.md."""

from . import coverage, mutants, proven

__all__ = ["coverage", "mutants", "proven"]
