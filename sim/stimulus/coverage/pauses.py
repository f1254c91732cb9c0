# SPDX-License-Identifier: BSD-2-Clause
"""Bins of pauses: what source and sink did to the handshake of a module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...bench.interface import Interface
from ...bench.pauses import EVENTS, Event
from .bins import Count


def paused(
    interface: Interface, events: Mapping[str, int], *, sums: bool, pausing: bool = True
) -> Iterator[Count]:
    """The bins that a module's flow has, and how often each was hit.

    Parameters
    ----------
    interface : Interface
    events : mapping of str to int
        By name of :data:`macaw.sim.bench.pauses.EVENTS`, from the simulation.
    sums : bool
        Whether the unit has one result for several operands.
    pausing : bool
        Whether the run had pauses.
    """
    if interface.flow == "none":
        return
    for each in EVENTS:
        if (each.stalls and interface.flow != "stream") or (each.sequences and not sums):
            continue
        hits = events.get(each.name, 0)
        reason = "" if hits else _why(each, interface, pausing)
        yield Count(name=f"pauses/{each.name}", meaning=each.meaning, hits=hits, reason=reason)


def _why(event: Event, interface: Interface, pausing: bool) -> str:
    if not pausing:
        return "a run without pauses"
    if event.name == "both" and not interface.latency:
        return "without registers a result is there with its operand alone"
    return ""
