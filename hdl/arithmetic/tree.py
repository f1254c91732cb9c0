# SPDX-License-Identifier: BSD-2-Clause
"""Trees of one operation over many words, of logarithmic depth."""

from collections.abc import Sequence

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire

__all__ = ["largest"]


@scoped("largest")
def largest(p: Scheduler, words: Sequence[Wire]) -> Wire:
    """The largest of unsigned words: a tree of comparisons."""
    level = list(words)
    while len(level) > 1:
        pairs = [
            p.mux(x < y, y, x, "larger") for x, y in zip(level[0::2], level[1::2], strict=False)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]
