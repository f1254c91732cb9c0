# SPDX-License-Identifier: BSD-2-Clause
"""What units cost: Yosys and nextpnr flows, targets, comparison at equal work, design spaces."""

from .breakdown import Breakdown, Share, breakdown
from .compare import Comparison, compare
from .flow import Mapped, Result, mapped, run
from .mapping.targets import TARGETS, Target, target
from .row import Row, Settings
from .search import at_clock, retimed, stages_for
from .sweep.run import Sweep, sweep

__all__ = [
    "TARGETS",
    "Breakdown",
    "Comparison",
    "Mapped",
    "Result",
    "Row",
    "Settings",
    "Share",
    "Sweep",
    "Target",
    "at_clock",
    "breakdown",
    "compare",
    "mapped",
    "retimed",
    "run",
    "stages_for",
    "sweep",
    "target",
]
