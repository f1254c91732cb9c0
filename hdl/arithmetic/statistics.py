# SPDX-License-Identifier: BSD-2-Clause
"""What became of the elements of a tensor: golden's :mod:`~macaw.golden.arithmetic.running`."""

from collections.abc import Sequence

from macaw.golden.formats import Float

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.state import Loop
from ..schedule.wire import Wire
from .number import unpack
from .projection import Projection
from .shift import largest

__all__ = ["marked", "statistics"]


def marked(projection: Projection, format: Float) -> dict[str, Wire]:
    """Golden's :func:`~macaw.golden.arithmetic.running.statistics.marked`: a bit for each count."""
    p = projection.code.pipeline
    with p.scope("statistics"):
        bad = p.name("bad", projection.wrong)
        zero = unpack(p, projection.code, format).zero
        return {"overflows": bad, "underflows": p.name("lost", projection.flags[0] & zero & ~bad)}


@scoped("statistics")
def statistics(
    p: Scheduler,
    marks: dict[str, Wire],
    sizes: Sequence[Wire],
    end: Wire,
    done: Wire | None,
    format: Float,
    bits: int,
) -> dict[str, Wire]:
    """Golden's :func:`~macaw.golden.arithmetic.running.statistics.statistics`, of a beat each.

    ``marks`` have a bit for each lane, and ``sizes`` a code. Beats in which ``done`` is 0 have no
    results.
    """
    magnitudes = [_magnitude(p, code, format) for code in sizes]
    size = largest(p, magnitudes)
    hits = {name: p.sum(mark.lanes(1)).within(0, len(mark)) for name, mark in marks.items()}
    if done is not None:
        size = size & done
        hits = {name: (hit.bits(len(hit)) & done).within(0, hit.high) for name, hit in hits.items()}
    inputs = [*hits.values(), size, end]
    with p.loop(*inputs, *([] if done is None else [done])) as loop:
        last = end if done is None else end & done
        found = {name: _count(p, loop, hit, last, bits, name) for name, hit in hits.items()}
        most, _ = loop.largest(size, last, "largest")
    return found | {"largest": most.bits(format.width), "last": end}


def _magnitude(p: Scheduler, code: Wire, format: Float) -> Wire:
    """A code without its sign; nothing of what is no finite number."""
    special = unpack(p, code, format).special
    return (code[:-1] if format.signed else code) & ~(special.nan | special.infinite)


def _count(p: Scheduler, loop: Loop, hit: Wire, last: Wire, bits: int, name: str) -> Wire:
    """A count of ``bits`` bits, which stays at its largest value."""
    most = (1 << bits) - 1
    kept = loop.state(bits, name, init=0)
    if hit.high == 1:
        total = p.add(kept, hit & (~kept).any()).within(0, most)
    else:
        total = p.add(kept, hit)
        total = p.mux(total > most, most, total).within(0, most)
    loop.close(kept, total, clear=last)
    return total
