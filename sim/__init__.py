# SPDX-License-Identifier: BSD-2-Clause
"""Verification: the RTL of a unit in simulation, judged by its golden model."""

from .mismatch import Mismatch
from .verify import Report, verify

__all__ = ["Mismatch", "Report", "verify"]
