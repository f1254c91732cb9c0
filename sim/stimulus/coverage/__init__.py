# SPDX-License-Identifier: BSD-2-Clause
"""Bins of stimulus: which vectors matter for a unit, and how often they came.

A bin is a question about the operands and the results that golden has for them. It is declared in
the file of a family, with the reason where a unit has no such vector. The simulator is asked only
for what source and sink did when they paused.
"""

from .bins import Bin, Count, Coverage
from .pauses import paused
from .tally import Tally, coverage

__all__ = ["Bin", "Count", "Coverage", "Tally", "coverage", "paused"]
