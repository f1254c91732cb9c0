# SPDX-License-Identifier: BSD-2-Clause
"""What the parts of a unit cost: area by part, and whose the slowest path is.

The module is cut at the parts of its arithmetic, each is mapped on its own, and they are put
together again. What the whole costs more or less than their sum, since tools optimise across
their borders when they may, is a line of its own: the lines add up to the whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from macaw.golden.errors import SpecError
from macaw.golden.units import Unit
from macaw.tools import processes, store
from macaw.tools.yosys import Notify

from .flow import TIMEOUT, Result, Source, key_of, prepare, run, tools_for
from .mapping import targets, timing
from .mapping.measurement import Measurement, library_of, read_json, slowest
from .mapping.targets import Target

__all__ = ["Breakdown", "Share", "breakdown"]

BREAKDOWN = 1
"""Part of each cache key: raised when this file tells otherwise what a part costs."""

OUTSIDE = "outside the parts"
ACROSS = "across the parts"
CLOCK = "clock to output, setup"


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What one part costs.

    Attributes
    ----------
    part : str
        Its scope; lanes and steps that differ in their number only are one line.
    copies : int
        So many of them.
    cost : float
        Area in the target's unit, of all copies. Negative for what mapping as one saves.
    ffs, dsps : int
        Flip-flops, and hard multipliers.
    delay : float or None
        What it adds to the slowest path: FO4 on the target ``asic``, ps on other libraries, ns on
        FPGAs. None without timing.
    """

    part: str
    copies: int = 1
    cost: float = 0.0
    ffs: int = 0
    dsps: int = 0
    delay: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Breakdown:
    """Shares that add up to the whole.

    Attributes
    ----------
    name, target, cost_unit, delay_unit : str
    shares : tuple of Share
        In the order of the arithmetic; :data:`OUTSIDE`, :data:`CLOCK` and :data:`ACROSS` last.
    whole : Share
        As :func:`macaw.synth.run` measures it.
    """

    name: str
    target: str
    cost_unit: str
    delay_unit: str
    shares: tuple[Share, ...]
    whole: Share

    def to_json(self) -> dict[str, Any]:
        """The figures as what ``json.dumps`` takes."""
        return asdict(self) | {"shares": [asdict(share) for share in self.shares]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Breakdown:
        """Inverse of :meth:`to_json`; TypeError where something is missing."""
        shares = tuple(Share(**share) for share in data["shares"])
        return cls(**{**data, "shares": shares, "whole": Share(**data["whole"])})

    def table(self) -> list[list[str]]:
        """Rows of text, the first with the heads, the last with the whole."""
        timed = self.whole.delay is not None
        lines = [["part", self.cost_unit, "%", "FF", "DSP"]]
        if timed:
            lines[0] += [self.delay_unit, "%"]
        for share in (*self.shares, self.whole):
            name = share.part if share.copies == 1 else f"{share.part} (x{share.copies})"
            line = [name, f"{share.cost:,.1f}", _percent(share.cost, self.whole.cost)]
            line += [f"{share.ffs:,}", f"{share.dsps:,}"]
            if timed:
                line += [f"{share.delay or 0:.2f}", _percent(share.delay or 0, self.whole.delay)]
            lines.append(line)
        return lines


def _percent(value: float, whole: float | None) -> str:
    return f"{100 * value / whole:.1f}" if whole else "-"


def breakdown(
    spec: Unit | Any,
    target: str | Target = "asic",
    /,
    *,
    liberty: str | Path | None = None,
    multiplier: str | None = None,
    optimise: str | None = None,
    sizing: bool = False,
    area_only: bool = False,
    cache: bool = True,
    timeout: float = TIMEOUT,
    seed: int = 1,
    progress: Notify | None = None,
    **implementation: Any,
) -> Breakdown:
    """What the parts of a unit cost; takes what :func:`macaw.synth.run` takes.

    Raises
    ------
    SpecError
        Unknown target or option, or a design that macaw did not generate.
    ToolError
        A tool is missing, failed, or ran out of time.
    """
    chosen = targets.target(target, liberty)
    chosen = chosen.sized() if sizing else chosen
    design, chosen, multiplier = prepare(spec, chosen, multiplier, optimise, implementation)
    if not hasattr(design, "cut"):
        raise SpecError(f"breakdown of {design.name}: only macaw's own designs know their parts")
    options: dict[str, Any] = {"cache": cache, "timeout": timeout, "progress": progress}
    options |= {"seed": seed, "area_only": area_only, "multiplier": multiplier}
    options["optimise"] = optimise
    whole = run(design, chosen, **options)
    cut = design.cut  # type: ignore[attr-defined]
    source = Source(name=design.name, verilog=cut.verilog, metadata=dict(design.metadata))
    used = tools_for(chosen, area_only)
    parts = {"breakdown": BREAKDOWN, "whole": design.verilog, "parts": cut.modules}
    digest = key_of(source, chosen, multiplier, used, seed, **parts)
    if cache and (stored := store.get(digest, Breakdown.from_json)) is not None:
        return stored
    with processes.temporary_folder() as work:
        measurement = Measurement(
            source, chosen, multiplier, work, timeout, used, progress, parts=True
        )
        (figures,) = measurement.figures([seed])
        if chosen.liberty:
            delays = _gate_delays(work, design.name, chosen)
        else:
            delays = _routed_delays(work) if len(used) > 1 else {}
        modules = read_json(work / "parts.json")["modules"]
    # Yosys and nextpnr put the name of an instance before those of the cells in it.
    found = _Sum(chosen, modules, cut.modules, delays, design.name)
    result = found.breakdown(design.name, whole)
    if cache and not (whole.notes or figures.get("notes")):
        store.put(digest, result.to_json())
    return result


def _gate_delays(work: Path, name: str, target: Target) -> dict[str, float]:
    """Picoseconds, or FO4, of the slowest path by the cell that takes them."""
    library = library_of(target.liberty)
    module = read_json(work / "netlist.json")["modules"][name]
    path = timing.longest_path(module, library)
    unit = library.fo4_ps if target.name == targets.ASIC.name else 1.0
    delays: Counter[str] = Counter()
    for step in path.steps:
        delays[step.name] += step.picoseconds / unit  # type: ignore[assignment]
    delays[CLOCK] = (path.picoseconds - path.logic_picoseconds) / unit  # type: ignore[assignment]
    return dict(delays)


def _routed_delays(work: Path) -> dict[str, float]:
    """Nanoseconds of nextpnr's slowest path by the cell that takes them, or is gone to."""
    delays: Counter[str] = Counter()
    for step in slowest(read_json(work / "report.json")):
        clock = step["type"] in ("clk-to-q", "setup")
        cell = CLOCK if clock else step["to" if step["type"] == "routing" else "from"]["cell"]
        delays[cell] += step["delay"]
    return dict(delays)


class _Sum:
    """Adds up the cells of parts."""

    def __init__(
        self,
        target: Target,
        modules: Mapping[str, Any],
        scopes: Mapping[str, tuple[str, ...]],
        delays: Mapping[str, float],
        top: str,
    ):
        self.target = target
        self.scopes = scopes
        self.timed = bool(delays)
        self.shares: dict[str, Share] = {}
        by_part: Counter[str] = Counter()
        for cell, delay in delays.items():
            by_part[self._part_of(cell)] += delay  # type: ignore[assignment]
        for module, scope in scopes.items():
            # Tools rename modules that they change for each instance; there is one of each.
            cells = modules[module]["cells"] if module in modules else {}
            self._add(_title(scope), cells)
        self._add(OUTSIDE, modules[top]["cells"])
        self.shares[CLOCK] = Share(part=CLOCK)
        for part, share in self.shares.items():
            delay = by_part[part] if self.timed else None
            self.shares[part] = Share(**{**asdict(share), "delay": delay})

    def _part_of(self, cell: str) -> str:
        if cell == CLOCK:
            return CLOCK
        for word in re.findall(r"part\d+_\w+", cell):
            if word in self.scopes:
                return _title(self.scopes[word])
        return OUTSIDE

    def _add(self, part: str, cells: Mapping[str, Any]) -> None:
        kinds = Counter(cell["type"] for cell in cells.values())
        known = self.shares.get(part)
        share = Share(
            part=part,
            copies=1 + (known.copies if known else 0),
            cost=self._cost(kinds) + (known.cost if known else 0),
            ffs=self._count(kinds, "ffs") + (known.ffs if known else 0),
            dsps=self._count(kinds, "dsps") + (known.dsps if known else 0),
        )
        self.shares[part] = share

    def _cost(self, kinds: Mapping[str, int]) -> float:
        if self.target.liberty:
            library = library_of(self.target.liberty)
            known = {kind: n for kind, n in kinds.items() if kind in library.cells}
            area = sum(library.cells[kind].area * n for kind, n in known.items())
            return area / library.nand2.area
        weights = self.target.lut_equivalents.items()
        return sum(weight * self._count(kinds, name) for name, weight in weights)

    def _count(self, kinds: Mapping[str, int], name: str) -> int:
        if self.target.liberty:
            cells = library_of(self.target.liberty).cells
            sequential = {kind for kind, cell in cells.items() if cell.sequential}
            return sum(n for kind, n in kinds.items() if kind in sequential and name == "ffs")
        patterns = self.target.cells.get(name, ())
        return sum(n for kind, n in kinds.items() if any(fnmatchcase(kind, p) for p in patterns))

    def breakdown(self, name: str, whole: Result) -> Breakdown:
        """With what the whole, mapped as one, costs more or less."""
        shares = list(self.shares.values())
        cost = whole.gate_equivalents if self.target.liberty else whole.lut_equivalents
        neutral = self.target.name == targets.ASIC.name
        if self.target.liberty:
            delay = whole.delay_fo4 if neutral else whole.delay_ps
        else:
            delay = 1e3 / whole.fmax_mhz if whole.fmax_mhz else None
        total = Share(
            part="whole", cost=cost or 0.0, ffs=whole.ffs or 0, dsps=whole.dsps or 0,
            delay=delay if self.timed else None,
        )  # fmt: skip
        across = Share(
            part=ACROSS,
            cost=total.cost - sum(share.cost for share in shares),
            ffs=total.ffs - sum(share.ffs for share in shares),
            dsps=total.dsps - sum(share.dsps for share in shares),
            delay=None if total.delay is None else total.delay - _total(s.delay for s in shares),
        )
        unit = "FO4" if neutral else "ps" if self.target.liberty else "ns"
        return Breakdown(
            name=name, target=self.target.name, cost_unit=self.target.units, delay_unit=unit,
            shares=(*shares, across), whole=total,
        )  # fmt: skip


def _total(values: Iterable[float | None]) -> float:
    return sum(value or 0.0 for value in values)


def _title(scope: tuple[str, ...]) -> str:
    """``("lane3", "multiply")`` as what it has in common with the other lanes."""
    return " ".join(re.sub(r"^(lane|step)\d+$", r"\1", word) for word in scope)
