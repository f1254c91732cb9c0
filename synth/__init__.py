# SPDX-License-Identifier: BSD-2-Clause
"""What units cost: Yosys and nextpnr flows, targets, comparison at equal work."""

from macaw.synth.flow import Result, run
from macaw.synth.targets import TARGETS, Target, target

__all__ = ["TARGETS", "Result", "Target", "run", "target"]
