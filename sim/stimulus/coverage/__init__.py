# SPDX-License-Identifier: BSD-2-Clause
"""Bins of stimulus: which vectors matter for a unit, and how often they came.

A bin is a question about the operands and the results that golden has for them. It is declared in
the file of a family, with the reason where a unit has no such vector. The simulator is not asked.
"""

from .bins import Bin, Count, Coverage
from .tally import Tally, coverage

__all__ = ["Bin", "Count", "Coverage", "Tally", "coverage"]
