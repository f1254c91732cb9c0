# SPDX-License-Identifier: BSD-2-Clause
"""Tables of functions: of integers, of few bits, of floats, and of rows of these."""

from . import elementary, integers, rows, tables

__all__ = ["elementary", "integers", "rows", "tables"]
