# SPDX-License-Identifier: BSD-2-Clause
"""The points of a design space: which there are, and how one is measured and kept."""

from __future__ import annotations

import itertools
import math
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from macaw.golden.errors import FormatError, MacawError, SpecError, ToolError, check_whole
from macaw.golden.formats import Format
from macaw.golden.formats import format as scalar_format
from macaw.golden.formats.block import AnyFormat
from macaw.tools import sources, store

from .. import accuracy, row, work
from ..clock import units_of
from ..columns import DONE, FAILED, REFUSED, command, figures, tidy
from ..compare import check_routed, place_of, settled
from ..flow import tools_for
from ..mapping.targets import Target
from ..row import Settings
from ..work import Pair
from . import ranges

MOST = 10_000
"""Points of a sweep, unless more are asked for."""

AXES = ("unit", "lanes", "stages", "clock", "optimise")
"""Settings that may have several values."""

_WHOLE = ("lanes", "stages")
_DECIDE = ("macaw.golden", "macaw.hdl", "macaw.sim", "macaw.synth", "macaw.tools")


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One format on one target, by settings that are decided.

    Attributes
    ----------
    name : str
        The format's as it was given; ``fmt`` is None where it names none, ``error`` says why then.
        So it does where no unit takes the pair.
    liberty : str or None
        The file that ``place`` was read from, as it was given.
    accuracy : bool
        Whether the signal-to-noise ratios are wanted, too.
    """

    name: str
    fmt: Pair | None
    place: Target
    how: Settings
    liberty: str | None = None
    accuracy: bool = True
    error: str | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """The text of macaw and the tools that the figures come from, on this machine."""
        used = tools_for(self.place, area_only=False)
        return {
            "source": sources.digest(*_DECIDE),
            "tools": [f"{tool.name.removeprefix('yowasp-')} {tool.version}" for tool in used],
        }

    @property
    def key(self) -> str:
        """Of the finished row, in the store."""
        how = {k: v for k, v in asdict(self.how).items() if k not in ("cache", "timeout")}
        place = self.place.to_dict()
        if self.place.digest:
            place |= {"liberty": self.place.digest, "file": [self.place.library, self.liberty]}
        return store.key(
            what="point",
            fmt=repr(self.fmt),
            place=place,
            how=how,
            accuracy=self.accuracy,
            **self.identity,
        )

    @property
    def asked(self) -> dict[str, Any]:
        """The columns that are known before anything is measured."""
        found: dict[str, Any] = {
            "format": self.name,
            "target": self.place.name,
            "optimise": self.how.optimise,
            "lanes": self.how.lanes,
            "stages": self.how.stages,
            "clock": self.how.clock,
            "seed": self.how.seed if self.place.nextpnr else None,
            "seeds": self.how.seeds if self.place.nextpnr else None,
            "library": self.place.library or None,
        }
        if self.fmt is not None:
            found |= {
                "format": self.fmt.name,
                "weight": self.fmt.weight.name,
                "activation": self.fmt.activation.name,
                "bits": float(self.fmt.bits),
            }
        return found

    def kept(self) -> dict[str, Any] | None:
        """The row as it was kept, or None."""
        return store.get(self.key, _row)

    def keep(self, found: dict[str, Any]) -> None:
        """Keep a row that is the same each time it is measured; ToolError if it cannot be."""
        if found["status"] != FAILED:
            store.keep(self.key, found)

    def without(self, status: str, error: object) -> dict[str, Any]:
        """The row of a point that has no figures."""
        return tidy(self.asked | {"status": status, "error": " ".join(str(error).split())})


def _row(stored: dict[str, Any]) -> dict[str, Any]:
    if stored != tidy(stored) or stored["status"] not in (DONE, REFUSED):
        raise TypeError("not a row")
    return stored


def measure(point: Point, identity: dict[str, Any] | None = None) -> dict[str, Any]:
    """The row of a point: whatever goes wrong with it is told there.

    ``identity`` is that of the machine which asks: another macaw would give other figures.
    """
    try:
        if identity is not None and identity != point.identity:
            raise ToolError(
                f"the worker on {socket.gethostname()} has another macaw or other tools"
            )
        if point.fmt is None or point.error is not None:
            return point.without(REFUSED, point.error)
        found = point.asked | {"accumulator": work.accumulator(point.fmt).name}
        priced = row.price(point.fmt, point.place, point.how)
        found |= figures(priced) | {"command": command(priced, point.how, point.liberty)}
        for name in accuracy.DISTRIBUTIONS if point.accuracy else ():
            found[f"sqnr_{name.replace('-', '_')}"] = point.how.keeps(point.fmt, name)
        return tidy(found)
    except ToolError as error:
        return point.without(FAILED, error)
    except MacawError as error:
        return point.without(REFUSED, error)
    except Exception as error:  # a defect in one of a thousand units is no reason to lose the rest
        return point.without(FAILED, f"this is a defect of macaw: {type(error).__name__}: {error}")


def plan(
    formats: Iterable[str | AnyFormat | Pair],
    targets: Iterable[str | Target] = ("asic",),
    *,
    liberty: str | Path | None = None,
    accumulator: Any = None,
    accuracy: bool = True,
    most: int = MOST,
    **settings: Any,
) -> list[Point]:
    """Every point of a design space, the formats taking turns; as :func:`macaw.synth.sweep` has it.

    Raises :class:`SpecError` for what is none of these, and for more than ``most`` points, before
    they are made.
    """
    unknown = settings.keys() - ({field.name for field in fields(Settings)} - {"reference"})
    if unknown:
        raise SpecError(f"sweep has no setting {min(unknown)!r}")
    check_whole("most", most, 1, 10**9)
    formats = ranges.several(formats)
    if not formats:
        raise SpecError("formats: must be one at least, as 'e<2-5>m<1-4>'")
    if not isinstance(liberty, str | Path | None):
        raise SpecError(f"liberty={liberty!s:.60}: must be a path or the name of a process")
    places = [place_of(target) for target in ranges.several(targets)]
    places += [place_of("asic", liberty)] if liberty else []
    places = places or [place_of("asic")]
    sums = ranges.listed("accumulator", accumulator)
    axes = {
        name: ranges.listed(name, settings.pop(name), whole=name in _WHOLE)
        for name in AXES
        if settings.get(name) is not None
    }
    count = math.prod(sum(map(len, values)) for values in (sums, *axes.values())) * len(places)
    count *= sum(ranges.count_names("formats", f) if isinstance(f, str) else 1 for f in formats)
    if count > most:
        raise SpecError(f"points: {count:,} are more than {most:,}; most={count} allows so many")

    chosen = [
        replace(Settings(reference="", proof=False), **settings, **dict(zip(axes, values)))
        for values in itertools.product(*map(_flat, axes.values()))
    ]
    check_routed(chosen[0].seeds, places)
    pairs = _pairs(formats, [_sums(each) for each in _flat(sums)])
    wanted = [pair for _, pair, _ in pairs if pair is not None]
    decided: dict[Any, tuple[Settings, str | None]] = {}
    points: dict[tuple[str, str, str], Point] = {}
    for how, place in _fitting(chosen, places):
        for name, pair, error in pairs:
            each = how if place.nextpnr else replace(how, seeds=1)
            if pair is not None:
                known = name, how.unit, how.lanes
                if known not in decided:
                    found = settled(pair, wanted, how)
                    decided[known] = found, _refusal(pair, found)
                found, error = decided[known]
                each = replace(each, unit=found.unit, lanes=found.lanes)
            point = Point(
                name=name,
                fmt=pair,
                place=place,
                how=each,
                liberty=str(liberty) if liberty and place.digest else None,
                accuracy=accuracy,
                error=error,
            )
            points.setdefault((name, place.name, repr(each)), point)
    return list(points.values())


def _flat(values: Sequence[Sequence[Any]]) -> list[Any]:
    return list(itertools.chain.from_iterable(values))


def _sums(given: Any) -> Any:
    if given is not None and not isinstance(given, str | Format):
        raise SpecError(f"accumulator={given!s:.60}: must be a scalar format, as fp32 or int32")
    return scalar_format(given) if isinstance(given, str) else given


def _pairs(
    formats: Sequence[str | AnyFormat | Pair], sums: Sequence[Any]
) -> list[tuple[str, Pair | None, str | None]]:
    """(name, pair, why there is none) of every format by every accumulator, each once.

    A name in a range may be none; one that stands alone must be a format, and a range have one.
    """
    found: dict[str, tuple[str, Pair | None, str | None]] = {}
    for given in formats:
        several = isinstance(given, str) and ranges.ranged(given)
        errors: list[FormatError] = []
        names = list(ranges.names("formats", given)) if isinstance(given, str) else [given]
        for name in names:
            try:
                pair = work.pair(name)
            except FormatError as error:
                errors.append(error)
                found.setdefault(str(name), (str(name), None, str(error)))
                continue
            for each in sums if pair.sums is None else [None]:
                summed = pair if each is None else replace(pair, sums=each)
                found.setdefault(summed.name, (summed.name, summed, None))
        if errors and (not several or len(errors) == len(names)):
            raise errors[0]
    return list(found.values())


def _fitting(
    chosen: Sequence[Settings], places: Sequence[Target]
) -> Iterable[tuple[Settings, Target]]:
    """Settings and targets that go together: a clock may be in a unit that one target lacks.

    SpecError for a clock that fits no target, and a target that no clock fits.
    """

    def fits(how: Settings, place: Target) -> bool:
        return how.asked is None or how.asked.unit in units_of(place)

    for how in chosen:
        if how.asked and not any(fits(how, place) for place in places):
            how.asked.check(places[0])
    for place in places:
        if chosen[0].asked and not any(fits(how, place) for how in chosen):
            chosen[0].asked.check(place)
    return [(how, place) for how in chosen for place in places if fits(how, place)]


def _refusal(pair: Pair, how: Settings) -> str | None:
    """Why no unit takes the pair, or None."""
    try:
        work.candidates(pair, how.unit, how.lanes or 1)
    except SpecError as error:
        return str(error)
    return None
