# SPDX-License-Identifier: BSD-2-Clause
"""Pauses of source and sink: which of those that matter a run had, counted clock by clock.

The source pauses in a clock in which it has an operand left and offers none: a gap. The sink pauses
in a clock in which there is a result and it is not ready: the result waits. The harness of
:mod:`.harness` counts as :class:`Watch` does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that pauses make happen.

    Attributes
    ----------
    name : str
    meaning : str
    stalls : bool
        Whether it takes a sink that is not always ready.
    sequences : bool
        Whether it takes a unit that has one result for several operands.
    """

    name: str
    meaning: str
    stalls: bool = False
    sequences: bool = False


EVENTS = (
    Event(name="gap", meaning="an operand comes behind one clock without, or more"),
    Event(name="long gap", meaning="behind more than there are stages: the pipeline ran empty"),
    Event(name="gap, first", meaning="before the first operand"),
    Event(name="gap, last", meaning="before the last one"),
    Event(name="gap, inside", meaning="within a sequence", sequences=True),
    Event(name="gap, end", meaning="before the last of a sequence", sequences=True),
    Event(name="wait", meaning="a result waits for the sink", stalls=True),
    Event(name="long wait", meaning="for more clocks than there are stages", stalls=True),
    Event(name="wait, first", meaning="the first result", stalls=True),
    Event(name="wait, last", meaning="the last one", stalls=True),
    Event(name="held", meaning="an operand is offered that cannot move on", stalls=True),
    Event(
        name="held, end",
        meaning="one that ends a sequence, and is not the only one of it",
        stalls=True,
        sequences=True,
    ),
    Event(name="both", meaning="a gap while a result waits", stalls=True),
)
GAP, LONG_GAP, GAP_FIRST, GAP_LAST, GAP_INSIDE, GAP_END = range(6)
WAIT, LONG_WAIT, WAIT_FIRST, WAIT_LAST, HELD, HELD_END, BOTH = range(6, len(EVENTS))

EDGE = 2
"""Clocks that a source or sink that pauses at all does so at the first and the last of a run."""


def longest(latency: int) -> int:
    """Clocks of the longest pauses in bursts: some are longer than a pipeline."""
    return max(12, 2 * latency + 8)


class Watch:
    """Counts the events of one run.

    Parameters
    ----------
    latency : int
        Stages of the module.
    """

    def __init__(self, latency: int) -> None:
        self.latency = latency
        self.counts: Counter[str] = Counter()
        self.gap = self.waited = 0
        self.inside = False

    def _add(self, number: int) -> None:
        self.counts[EVENTS[number].name] += 1

    def source(self, *, offered: bool, taken: bool, first: bool, final: bool, last: bool) -> None:
        """A clock in which operands are left: ``first`` and ``final`` of the run, ``last`` of a
        sequence, of the one that is offered or would be."""
        if not offered:
            self.gap += 1
            return
        if self.gap:
            self._add(GAP)
            for number, here in (
                (LONG_GAP, self.gap > self.latency),
                (GAP_FIRST, first),
                (GAP_LAST, final),
                (GAP_INSIDE, self.inside),
                (GAP_END, self.inside and last),
            ):
                if here:
                    self._add(number)
            self.gap = 0
        if taken:
            self.inside = not last
            return
        self._add(HELD)
        if last and self.inside:
            self._add(HELD_END)

    def sink(self, *, valid: bool, ready: bool, first: bool, final: bool, gap: bool) -> None:
        """A clock: ``first`` and ``final`` are of the results, ``gap`` of the source."""
        if not valid:
            return
        if not ready:
            self.waited += 1
            if gap:
                self._add(BOTH)
            return
        if self.waited:
            self._add(WAIT)
            for number, here in (
                (LONG_WAIT, self.waited > self.latency),
                (WAIT_FIRST, first),
                (WAIT_LAST, final),
            ):
                if here:
                    self._add(number)
            self.waited = 0


WATCH = r"""
enum {
    GAP, LONG_GAP, GAP_FIRST, GAP_LAST, GAP_INSIDE, GAP_END,
    WAIT, LONG_WAIT, WAIT_FIRST, WAIT_LAST, HELD, HELD_END, BOTH
};
struct Watch {
    int64_t* counts;
    int64_t latency;
    int64_t gap = 0, waited = 0;
    bool inside = false;
    void source(bool offered, bool taken, bool first, bool final, bool last) {
        if (!offered) { ++gap; return; }
        if (gap) {
            ++counts[GAP];
            counts[LONG_GAP] += gap > latency;
            counts[GAP_FIRST] += first;
            counts[GAP_LAST] += final;
            counts[GAP_INSIDE] += inside;
            counts[GAP_END] += inside && last;
            gap = 0;
        }
        if (taken) { inside = !last; return; }
        ++counts[HELD];
        counts[HELD_END] += inside && last;
    }
    void sink(bool valid, bool ready, bool first, bool final, bool gap_too) {
        if (!valid) return;
        if (!ready) { ++waited; counts[BOTH] += gap_too; return; }
        if (waited) {
            ++counts[WAIT];
            counts[LONG_WAIT] += waited > latency;
            counts[WAIT_FIRST] += first;
            counts[WAIT_LAST] += final;
            waited = 0;
        }
    }
};
"""
"""The same in C++, with ``counts`` in the order of :data:`EVENTS`."""
