# SPDX-License-Identifier: BSD-2-Clause
"""docs/proven.md, and tables in docs/verification.md."""

from . import mutants, proven

__all__ = ["mutants", "proven"]
