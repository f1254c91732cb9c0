# SPDX-License-Identifier: BSD-2-Clause
"""Tables of functions: of integers, of few bits, and of floats."""

from . import elementary, integers, tables

__all__ = ["elementary", "integers", "tables"]
