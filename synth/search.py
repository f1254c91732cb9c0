# SPDX-License-Identifier: BSD-2-Clause
"""Choosing a pipeline by measurement: the fewest stages for a clock, and the best value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from macaw.golden.errors import SpecError, check_whole
from macaw.tools.yosys import Notify

from . import source
from .clock import Clock, clock, units_of
from .flow import Result, Source, run
from .mapping import targets
from .mapping.targets import Target

if TYPE_CHECKING:
    from macaw.golden.units import Unit

MOST_STAGES = 24
"""More register stages than this are not tried."""

NEAR = 0.8
"""Share of a clock from which on registers are moved to reach it."""

LADDER = (0, 1, 2, 4, 8, 12)
"""Stages that :meth:`Pipelines.best` tries: neighbours differ by enough to see in the clock."""

TRIES = 12
"""Pipelines that are measured after the first, at most."""
LESS, LEAST = 0.98, 0.4
"""What the slowest stage is left of its time, at once and at last."""
SHARE = 0.97
"""What a pipeline is worth for the search with each that was made of it."""

Budgets = tuple[float, ...]


@dataclass(frozen=True)
class Pipelines:
    """Measurements of one unit on one target, by number of register stages.

    ``options`` go to :func:`macaw.synth.run`, ``implementation`` to :func:`macaw.hdl.generate`.
    """

    spec: Unit
    target: Target
    options: dict[str, Any]
    implementation: dict[str, Any]
    progress: Notify | None = None
    retime: bool = False
    """Whether registers are moved, of so many stages, or where a clock is nearly reached: see
    :func:`balanced`."""

    @cached_property
    def _known(self) -> dict[int, Result]:
        return {}

    def design(self, stages: int, budgets: Budgets | None = None) -> Source:
        """The unit with so many stages, of what each has of the period."""
        return source.generate(
            self.spec,
            cache=self.options.get("cache", True),
            stages=stages,
            **({"target": self.target.model} | self.implementation),
            **({} if budgets is None else {"budgets": budgets}),
        )

    def price(self, design: Source) -> Result:
        """A design of the unit on the target."""
        return run(design, self.target, progress=self.progress, **self.options)

    def measure(self, stages: int) -> Result:
        """The unit with so many stages, on the target."""
        if stages not in self._known:
            if self.progress is not None:
                self.progress(f"{self.spec.name}, {stages} stages, on {self.target.name}")
            self._known[stages] = self.price(self.design(stages))
        return self._known[stages]

    def retimed(
        self, stages: int, better: Callable[[Result], float], enough: float | None = None
    ) -> Result:
        """The unit with so many stages, its registers moved to where ``better`` is largest.

        With what is ``enough`` of it nothing more is tried.
        """

        def told(result: Result) -> Result:
            if self.progress is not None:
                self.progress(
                    f"{self.spec.name}, {stages} stages: {better(result):.4g}, the slowest path "
                    f"begins in stage {result.slowest_stage}"
                )
            return result

        self._known[stages] = balanced(
            stages,
            lambda budgets: self.design(stages, budgets),
            lambda design: told(self.price(design)),
            better,
            enough,
        )
        return self._known[stages]

    def built(self, stages: int) -> Result:
        """The unit with so many stages; with ``retime``, its registers moved to the fastest."""
        if not self.retime:
            return self.measure(stages)
        return self.retimed(stages, Clock(1.0, units_of(self.target)[0]).speed)

    def fewest(self, megahertz: float) -> tuple[int, Result]:
        """Of the stages that reach ``megahertz``, the fewest, and the result.

        The clock does not rise strictly with the stages (placement is a heuristic), so every
        count is tried, from the first that could do it: s registers cut a path into s + 1 parts.
        """
        alone = self.measure(0).fmax_mhz or 0.0
        if alone >= megahertz:
            return 0, self.measure(0)
        first = max(1, min(MOST_STAGES, math.ceil(megahertz / alone) - 1)) if alone else 1
        for stages in range(first, MOST_STAGES + 1):
            result = self.measure(stages)
            if (result.fmax_mhz or 0.0) >= megahertz:
                return stages, result
        best = max(self._known.values(), key=lambda result: result.fmax_mhz or 0.0)
        raise SpecError(
            f"frequency: {megahertz:g} MHz is not reached by {self.spec.name} on"
            f" {self.target.name}; the most is {best.fmax_mhz:g} MHz with {best.latency} stages"
        )

    def reaching(self, clock: Clock, start: int) -> tuple[int, Result, bool]:
        """The fewest stages that reach ``clock``, the result, and True; else the fastest found.

        By :func:`fewest_reaching`, which takes the clock to rise with the stages, from what the
        delay model says, or from ``start`` where it holds that no pipeline reaches the clock.
        """

        def speed(stages: int) -> float:
            result = self.measure(stages)
            if self.retime and stages and NEAR <= clock.speed(result) < 1:
                result = self.retimed(stages, clock.speed, enough=1.0)
            if self.progress is not None:
                measured = clock.measured(result)
                found = "no clock" if measured is None else f"{measured:.4g} {clock.unit}"
                self.progress(f"{self.spec.name}, {stages} stages: {found} of {clock}")
            return clock.speed(result)

        options = {"target": self.target.model} | self.implementation
        guess = source.depth(
            self.spec,
            cache=self.options.get("cache", True),
            frequency=clock.frequency(self.target),
            **options,
        )
        stages = fewest_reaching(speed, start if guess is None else guess)
        if stages is not None:
            return stages, self.measure(stages), True
        fastest = max(self._known, key=lambda n: (clock.speed(self._known[n]), -n))
        return fastest, self._known[fastest], False

    def best(self, value: Callable[[Result], float], start: int) -> tuple[int, Result]:
        """The rung of :data:`LADDER` with the largest ``value`` near the rung ``start``."""

        def worth(rung: int) -> float:
            return value(self.measure(LADDER[rung])) if 0 <= rung < len(LADDER) else -1.0

        rung = min(range(len(LADDER)), key=lambda i: (abs(LADDER[i] - start), i))
        step = 1 if worth(rung + 1) > worth(rung) else -1
        while worth(rung + step) > worth(rung):
            rung += step
        return LADDER[rung], self.measure(LADDER[rung])


def fewest_reaching(
    speed: Callable[[int], float], start: int, most: int = MOST_STAGES
) -> int | None:
    """Fewest stages up to ``most`` whose ``speed`` is at least 1, tried from ``start``; None if no.

    In doubling steps away from ``start``, then by halves between what reaches it and what does not:
    about 2 log2 of the distance trials. That takes more stages to be no slower. Where they are, the
    answer still reaches it and one stage less was tried and does not, but a pipeline with fewer
    stages yet may, and after None one that was not tried.
    """
    below, reached = -1, most + 1
    at, step = min(max(start, 0), most), 1
    while True:
        if speed(at) >= 1:
            reached = at
        else:
            below = at
        if reached - below == 1:
            return reached if reached <= most else None
        if reached > most:
            at = min(at + step, most)
        elif below < 0:
            at = max(at - step, 0)
        else:
            at = (below + reached) // 2
        step *= 2


def balanced(
    stages: int,
    design: Callable[[Budgets], Any],
    measure: Callable[[Any], Result],
    better: Callable[[Result], float],
    enough: float | None = None,
) -> Result:
    """Give the slowest stage of the best pipeline less time, and return the best so found.

    Pipelines that have led on nowhere give way to others, :data:`SHARE` of what they are worth for
    each that was made of them.

    Parameters
    ----------
    stages : int
        Register stages.
    design : callable
        From what each stage has of the clock's period to a design.
    measure : callable
        From a design to its result, which tells its ``slowest_stage``.
    better : callable
        From a result to what is to be largest, above 0.
    enough : float, optional
        Of ``better``: nothing more is tried.
    """
    first = design((1.0,) * (stages + 1))
    found = [Tried(measure(first), [1.0] * (stages + 1))]
    known = {gates(first)}
    while len(found) <= TRIES:
        best = max(better(each.result) for each in found)
        movable = [each for each in found if each.movable]
        if not movable or (enough is not None and best >= enough):
            break
        at = max(movable, key=lambda each: better(each.result) * SHARE**each.children)
        made = at.less(design, known)
        if made is not None:
            found.append(Tried(measure(made), list(at.budgets)))
            at.children += 1
            known.add(gates(made))
    return max(found, key=lambda each: better(each.result)).result


@dataclass
class Tried:
    """A pipeline that was measured, and what its stages are to have of the period next."""

    result: Result
    budgets: list[float]
    children: int = 0

    @property
    def movable(self) -> bool:
        """Whether the slowest stage is one that can be given less."""
        slowest = self.result.slowest_stage
        return slowest is not None and slowest < len(self.budgets) and self.budgets[slowest] > LEAST

    def less(self, design: Callable[[Budgets], Any], known: set[str]) -> Any | None:
        """The next pipeline with less in the slowest stage that is none of ``known``, if any is."""
        slowest = self.result.slowest_stage
        assert slowest is not None
        while self.budgets[slowest] > LEAST:
            self.budgets[slowest] = round(self.budgets[slowest] * LESS, 4)
            made = design(tuple(self.budgets))
            if gates(made) not in known:
                return made
        return None


def gates(design: Any) -> str:
    """A design's Verilog without what it is called, and how it was made."""
    return re.sub(r"^//.*\n", "", design.verilog, flags=re.MULTILINE).replace(design.name, "")


def at_clock(
    spec: Unit,
    target: str | Target,
    asked: Any,
    /,
    *,
    liberty: str | Path | None = None,
    options: dict[str, Any] | None = None,
    retime: bool = False,
    progress: Notify | None = None,
    **implementation: Any,
) -> tuple[int, Result, bool]:
    """Fewest register stages with which ``spec`` is measured to reach a clock, and the result.

    ``asked`` is what :func:`macaw.synth.clock.clock` takes, ``options`` go to
    :func:`macaw.synth.run`, ``implementation`` to :func:`macaw.hdl.generate`. Where the clock is
    not reached, it is the fastest pipeline found, and False. With ``retime`` the registers of a
    pipeline that nearly reaches it are moved, and on libraries cells sized, as :func:`retimed`
    does. SpecError for a target that has no clock in this unit, and for ``stages``, ``frequency``
    or ``budgets`` besides.
    """
    wanted = clock(asked)
    for name in ("stages", "frequency", "budgets"):
        if implementation.get(name) is not None:
            raise SpecError(f"{name}={implementation[name]}: clock={wanted} decides the stages")
    chosen = targets.target(target, liberty)
    chosen = chosen.sized() if retime and chosen.liberty else chosen
    wanted.check(chosen)
    pipelines = Pipelines(spec, chosen, options or {}, implementation, progress, retime)
    return pipelines.reaching(wanted, 8 if chosen.nextpnr else 4)


def stages_for(
    spec: Unit,
    target: str | Target,
    megahertz: float,
    /,
    *,
    options: dict[str, Any] | None = None,
    progress: Notify | None = None,
    **implementation: Any,
) -> tuple[int, Result]:
    """Fewest register stages with which ``spec`` is measured to reach ``megahertz`` on ``target``.

    Raises :class:`SpecError` when the target gives no frequency, or none this high.
    """
    chosen = targets.target(target)
    if not megahertz > 0:
        raise SpecError(f"frequency: {megahertz:g} is not a positive number of MHz")
    if not chosen.nextpnr and chosen.name in targets.TARGETS:
        raise SpecError(f"frequency: target {chosen.name} has none that is measured in MHz")
    pipelines = Pipelines(spec, chosen, options or {}, implementation, progress)
    return pipelines.fewest(megahertz)


def retimed(
    spec: Unit,
    target: str | Target,
    stages: int,
    /,
    *,
    liberty: str | Path | None = None,
    options: dict[str, Any] | None = None,
    progress: Notify | None = None,
    **implementation: Any,
) -> Result:
    """Measure a pipeline, move its registers by what is measured, and return the fastest found.

    The delay model places registers before anything is mapped. Here the stage in which the slowest
    path begins is given less of the clock's period, and the next pipeline is measured, up to
    :data:`macaw.synth.search.TRIES` times; each is kept in the cache as any other. ``budgets`` of
    the result is the option of :func:`macaw.hdl.generate` that makes it, empty where the model's
    pipeline is the fastest. On a library each is measured with ``sizing``. Clocks of place and
    route scatter by some percent: ``seeds`` among the ``options``, which are those of
    :func:`macaw.synth.run`, takes the median of several.

    SpecError for ``stages`` below 1, a target that has no clock, and ``frequency`` or ``budgets``
    besides.
    """
    chosen = targets.target(target, liberty)
    if not units_of(chosen) or (options or {}).get("area_only"):
        raise SpecError(f"retime: target {chosen.name} gives area only, no clock")
    chosen = chosen.sized() if chosen.liberty else chosen
    check_whole("stages", stages, 1, MOST_STAGES)
    for name in ("frequency", "budgets"):
        if implementation.get(name) is not None:
            raise SpecError(f"{name}={implementation[name]}: retime decides where registers are")
    return Pipelines(spec, chosen, options or {}, implementation, progress, True).built(stages)
