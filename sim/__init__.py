# SPDX-License-Identifier: BSD-2-Clause
"""Verification: the RTL of a unit in simulation, judged by its golden model."""

from macaw.sim.scoreboard import Mismatch
from macaw.sim.verify import Report, verify

__all__ = ["Mismatch", "Report", "verify"]
