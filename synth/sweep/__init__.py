# SPDX-License-Identifier: BSD-2-Clause
"""Design spaces: every point of ranges of formats, lanes, stages …, in one tidy table."""

from .points import Point, plan
from .run import Sweep, sweep

__all__ = ["Point", "Sweep", "plan", "sweep"]
