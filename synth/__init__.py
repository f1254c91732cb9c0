# SPDX-License-Identifier: BSD-2-Clause
"""What units cost: Yosys and nextpnr flows, targets, comparison at equal work."""

from .compare import Comparison, Row, Settings, compare
from .flow import Result, run
from .search import stages_for
from .targets import TARGETS, Target, target

__all__ = [
    "TARGETS",
    "Comparison",
    "Result",
    "Row",
    "Settings",
    "Target",
    "compare",
    "run",
    "stages_for",
    "target",
]
