# SPDX-License-Identifier: BSD-2-Clause
"""docs/proven.md, docs/kinds.md and docs/netlists.md, and tables in docs/verification.md."""

from . import coverage, kinds, mutants, netlists, proven

__all__ = ["coverage", "kinds", "mutants", "netlists", "proven"]
