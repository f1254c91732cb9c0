# SPDX-License-Identifier: BSD-2-Clause
"""Tables of functions: of integers, and of few bits."""

from . import integers, tables

__all__ = ["integers", "tables"]
