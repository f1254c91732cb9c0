# SPDX-License-Identifier: BSD-2-Clause
"""What units cost: Yosys and nextpnr flows, targets, comparison at equal work."""

from .breakdown import Breakdown, Share, breakdown
from .compare import Comparison, Row, Settings, compare
from .flow import Mapped, Result, mapped, run
from .mapping.targets import TARGETS, Target, target
from .search import stages_for

__all__ = [
    "TARGETS",
    "Breakdown",
    "Comparison",
    "Mapped",
    "Result",
    "Row",
    "Settings",
    "Share",
    "Target",
    "breakdown",
    "compare",
    "mapped",
    "run",
    "stages_for",
    "target",
]
