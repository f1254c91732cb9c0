# SPDX-License-Identifier: BSD-2-Clause
"""A weight format for every layer: the cheapest that loses little enough, or the best for a cost.

HAWQ-V3's integer program (arXiv 2011.10680, section 3.4): one binary variable for each layer and
format, each layer takes one format, sums of what the choices lose and cost are bounded or
minimised. Losses are taken as additive, each layer's measured with the others left alone. Solved
by HiGHS, through scipy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from macaw.golden.errors import MacawError, SpecError, ToolError
from macaw.golden.units import Unit
from macaw.tools.yosys import Notify

from . import work
from .clock import clock
from .mapping import targets
from .mapping.targets import Target
from .result import Result
from .search import at_clock
from .work import ACTIVATION, LANES

LOSS = "sensitivity"
"""Name of the figure that says what a format loses in a layer."""

_LARGEST = 1e4
# What the largest coefficient of an objective is made: HiGHS stops within 1e-6 of the optimum.
_MOST_CUTS = 1000
_OPTIONS = {"mip_rel_gap": 0.0, "presolve": False}
# With presolve HiGHS was seen to print on standard output.


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """A format for each layer, and the sums of all figures."""

    formats: dict[str, str]
    totals: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Formats and totals, as what ``json.dumps`` takes."""
        return {"formats": dict(self.formats), "totals": dict(self.totals)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Chooser:
    """Layers, and for each the formats that it may have, with what they lose and cost.

    Parameters
    ----------
    layers : dict
        Layer to format to figure to number, from 0 on: ``{"conv1": {"int8": {"sensitivity": 0.1,
        "area": 40}, "int4": ...}}``. All have the same figures; smaller is better.

    Raises
    ------
    SpecError for layers without formats, and for figures that are missing or no such numbers.
    """

    layers: dict[str, dict[str, dict[str, float]]]

    def __post_init__(self) -> None:
        if not self.layers or not all(self.layers.values()):
            raise SpecError("layers: there must be one at least, and each must have formats")
        for layer, formats in self.layers.items():
            for fmt, found in formats.items():
                if found.keys() != set(self.figures):
                    raise SpecError(
                        f"{layer}, {fmt}: has {', '.join(sorted(found)) or 'no figure'}; others "
                        f"have {', '.join(sorted(self.figures))}"
                    )
                for name, value in found.items():
                    number = isinstance(value, int | float) and not isinstance(value, bool)
                    if not number or not 0 <= value < math.inf:
                        raise SpecError(f"{layer}, {fmt}: {name}={value}: must be a number >= 0")

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of what is lost and paid."""
        return tuple(next(iter(next(iter(self.layers.values())).values())))

    def assignment(self, formats: Mapping[str, str]) -> Assignment:
        """The sums of these formats. SpecError for a layer that has none, or not this one."""
        for layer, offered in self.layers.items():
            if formats.get(layer) not in offered:
                raise SpecError(
                    f"{layer}={formats.get(layer)}: must be one of {', '.join(offered)}"
                )
        chosen = {layer: formats[layer] for layer in self.layers}
        totals = {
            name: math.fsum(self.layers[layer][fmt][name] for layer, fmt in chosen.items())
            for name in self.figures
        }
        return Assignment(formats=chosen, totals=totals)

    def largest(self, figure: str) -> float:
        """Sum over the layers of the largest ``figure`` that a format has."""
        self._check(figure)
        return math.fsum(
            max(found[figure] for found in formats.values()) for formats in self.layers.values()
        )

    def solve(self, minimise: str, limits: Mapping[str, float]) -> Assignment | None:
        """Return the assignment with the smallest ``minimise`` within ``limits``; None if none is.

        Limits hold exactly. The optimum is exact to 1e-10 of the largest figure of a choice.
        Raises ToolError without scipy.
        """
        milp, constraint, bounds = scipy()
        for figure in (minimise, *limits):
            self._check(figure)
        pairs = [(layer, fmt) for layer, formats in self.layers.items() for fmt in formats]
        values = {
            figure: np.array([self.layers[layer][fmt][figure] for layer, fmt in pairs])
            for figure in {minimise, *limits}
        }
        owner = np.array([list(self.layers).index(layer) for layer, _ in pairs])
        one_each = (np.arange(len(self.layers))[:, None] == owner).astype(float)
        rows = [constraint(one_each, 1, 1)]
        allowed = np.ones(len(pairs))
        for figure, limit in limits.items():
            if not limit >= 0:
                raise SpecError(f"{figure}={limit}: a limit must be a number from 0 on")
            allowed[values[figure] > limit] = 0
            weights = np.minimum(values[figure], limit)
            rows.append(constraint(weights[None] / (limit or 1), -np.inf, 1 if limit else 0))
        objective = values[minimise] * (_LARGEST / (values[minimise].max() or 1))
        for _ in range(_MOST_CUTS):
            found = milp(
                objective,
                integrality=np.ones(len(pairs)),
                bounds=bounds(0, allowed),
                constraints=rows,
                options=_OPTIONS,
            )
            if found.status == 2:
                return None
            if found.x is None:
                raise ToolError(f"scipy's milp: {found.message}")
            taken = np.asarray(found.x) > 0.5
            result = self.assignment({pairs[i][0]: pairs[i][1] for i in np.flatnonzero(taken)})
            if all(result.totals[figure] <= limit for figure, limit in limits.items()):
                return result
            # Within the solver's tolerance, and beyond the limit: not this one.
            rows.append(constraint(taken[None].astype(float), -np.inf, len(self.layers) - 1))
        raise ToolError(f"scipy's milp: {_MOST_CUTS} assignments lie just beyond a limit")

    def front(self, cost: str, loss: str = LOSS, *, points: int | None = None) -> list[Assignment]:
        """Return the assignments that no other one beats in both figures, dearest first.

        With ``points`` neighbours are at least this part of the largest cost apart, so that there
        are not many more than this number.
        """
        step = self.largest(cost) / points if points else 0.0
        found: list[Assignment] = []
        limits: dict[str, float] = {}
        while (best := self.solve(loss, limits)) is not None:
            # Of those that lose as little, the cheapest.
            best = self.solve(cost, {loss: best.totals[loss]}) or best
            found.append(best)
            limits = {cost: math.nextafter(best.totals[cost] - step, -math.inf)}
            if limits[cost] < 0:
                break
        return found

    def _check(self, figure: str) -> None:
        if figure not in self.figures:
            raise SpecError(f"{figure}: must be one of {', '.join(self.figures)}")


def parse_limit(text: str, chooser: Chooser) -> tuple[str, float]:
    """Return figure and number of ``figure=number``, or of ``figure=share%`` of the largest sum."""
    figure, equals, value = text.partition("=")
    try:
        number = float(value.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not equals or not math.isfinite(number) or number < 0:
        raise SpecError(f"limit {text!r}: must be figure=number, or figure=share%, from 0 on")
    return figure, number / 100 * chooser.largest(figure) if value.endswith("%") else number


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """What multiply-accumulates cost at a clock: of those formats whose units reach it.

    ``stages`` are the fewest that do, by format; ``missed`` says of the others what they reach.
    """

    costs: dict[str, float]
    stages: dict[str, int]
    missed: dict[str, str]


def costs_at(
    asked: Any, formats: Iterable[str] | Mapping[str, str], target: str = "asic", **options: Any
) -> Costs:
    """Return what :func:`mac_costs` does at a clock, which takes the same options besides.

    Each unit has the fewest register stages that are measured to reach it: see
    :func:`macaw.synth.clock.clock`, and :func:`macaw.synth.search.at_clock` for what is refused.
    """
    wanted = clock(asked)
    wanted.check(targets.target(target))
    stages: dict[str, int] = {}
    missed: dict[str, str] = {}

    def measured(name: str, spec: Unit, place: Target, **given: Any) -> Result | None:
        kept = {"cache": given.get("cache", True)}
        choice = work.price(spec, place, area_only=True, **given)[1] if place.liberty else "lut"
        progress = given.pop("progress", None)
        found, result, reached = at_clock(
            spec, place, wanted, options=given | kept, progress=progress, multiplier=choice
        )
        if reached:
            stages[name] = found
            return result
        told = f"{found} stage{'s' * (found != 1)}"
        missed[name] = f"{wanted.measured(result) or 0.0:.4g} {wanted.unit}, {told}"
        return None

    return Costs(costs=_costs(formats, target, measured, **options), stages=stages, missed=missed)


def mac_costs(
    formats: Iterable[str] | Mapping[str, str], target: str = "asic", **options: Any
) -> dict[str, float]:
    """Return the cost of one multiply-accumulate a clock for each weight format, as measured.

    That of a unit of ``lanes`` products (:func:`mac_unit`), divided by the lanes, in the target's
    unit of area (:func:`macaw.synth.work.price`).

    Parameters
    ----------
    formats : iterable of str, or mapping
        Weight formats, or ``weight:activation``; a mapping has beside each where it is needed,
        for messages (:func:`unpriced`).
    target : str
    activation : str
        Of formats that name none.
    lanes : int
    progress : callable, optional
        Gets lines of text.
    **options
        Go to :func:`macaw.synth.run`.

    Raises
    ------
    SpecError
        Before anything is measured: a target, a name, or a pair that no unit takes or no gates
        hold; it says where, which formats, and what to write instead.
    ToolError
        A measurement failed. The others are made first, and stay in the cache.
    """

    def measured(name: str, spec: Unit, place: Target, **given: Any) -> Result:
        return work.price(spec, place, area_only=True, **given)[0]

    return _costs(formats, target, measured, **options)


def _costs(
    formats: Iterable[str] | Mapping[str, str],
    target: str,
    measured: Callable[..., Result | None],
    *,
    activation: str = ACTIVATION,
    lanes: int = LANES,
    progress: Notify | None = None,
    **options: Any,
) -> dict[str, float]:
    """Costs by what ``measured`` gives of each format's unit; it has none where that is None."""
    places = dict(formats) if isinstance(formats, Mapping) else dict.fromkeys(formats, "")
    chosen = targets.target(target)
    specs = {}
    for name, where in places.items():
        if progress is not None:
            progress(f"{name}: its unit")
        try:
            specs[name] = mac_unit(name, activation, lanes, cache=options.get("cache", True))
        except MacawError as error:
            raise SpecError(f"{where and where + ', '}{name}: {error}") from None
    found, failed = {}, []
    for name, spec in specs.items():
        if progress is not None:
            progress(f"{name} on {target}")
        try:
            result = measured(name, spec, chosen, progress=progress, **options)
        except ToolError as error:
            failed.append(f"{places[name] and places[name] + ', '}{name} ({spec.name}): {error}")
            continue
        if result is not None:
            found[name] = result.cost / lanes
    if failed:
        kept = f"; measured and kept: {', '.join(found)}" if found else ""
        raise ToolError("; ".join(failed) + kept + "; or give the figure area for this format")
    return found


def mac_unit(
    weight: str, activation: str = ACTIVATION, lanes: int = LANES, *, cache: bool = True
) -> Unit:
    """Return the multiply-accumulate unit that a weight format is priced by.

    ``weight`` may be ``weight:activation``. SpecError where no unit takes the pair, with what to
    write instead.
    """
    both = work.pair(weight, activation)
    try:
        return work.settle(both, work.kind_of([both]), lanes, cache=cache)
    except SpecError as error:
        raise SpecError(
            f"no unit multiplies it by activations in {both.activation.name}: {error}; "
            "or give the figure area"
        ) from None


def from_json(data: Any, costs: Mapping[str, float] | None = None) -> Chooser:
    """Return the chooser for ``{"layers": [{"name", "macs", "weights", "formats"}, ...]}``.

    ``formats`` maps formats to figures, or to the sensitivity alone. Layers with ``weights`` (how
    many) get the figure ``bits``; where ``costs`` are given (:func:`mac_costs`), layers with
    ``macs`` get ``area``: what it takes to do all of the layer's products in each clock. Figures
    that are given stay. SpecError says what is missing.
    """
    layers: dict[str, dict[str, dict[str, float]]] = {}
    for name, layer, formats in _entries(data):
        if name in layers:
            raise SpecError(f"layers: {name} is there twice")
        layers[name] = {}
        for fmt, figures in formats.items():
            found = _given(figures)
            if "weights" in layer and "bits" not in found:
                found["bits"] = layer["weights"] * _width(name, fmt)
            if costs is not None and "macs" in layer and "area" not in found:
                if fmt not in costs:
                    raise SpecError(f"{name}, {fmt}: has no area, and there is none in costs")
                found["area"] = layer["macs"] * costs[fmt]
            layers[name][fmt] = found
    return Chooser(layers=layers)


def without(data: Any, missed: Mapping[str, str]) -> Any:
    """Return the same network without the formats of which ``missed`` says why they have no area.

    Where a layer gives their area itself they stay. SpecError for a layer that has none left.
    """
    layers = []
    for name, layer, formats in _entries(data):
        left = {
            fmt: figures
            for fmt, figures in formats.items()
            if fmt not in missed or "macs" not in layer or "area" in _given(figures)
        }
        if formats and not left:
            told = "; ".join(f"{fmt}: {missed[fmt]}" for fmt in formats)
            raise SpecError(f"{name}: no format reaches the clock ({told})")
        layers.append({**layer, "name": name, "formats": left})
    return {**data, "layers": layers}


def unpriced(data: Any) -> dict[str, str]:
    """Return the formats whose area follows from ``macs`` and is not given, and in which layers."""
    layers: dict[str, list[str]] = {}
    for name, layer, formats in _entries(data):
        for fmt, figures in formats.items():
            if "macs" in layer and "area" not in _given(figures):
                layers.setdefault(fmt, []).append(name)
    return {fmt: ", ".join(names) for fmt, names in layers.items()}


def _given(figures: Any) -> dict[str, Any]:
    return dict(figures) if isinstance(figures, Mapping) else {LOSS: figures}


def _entries(data: Any) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Name, description and formats of each layer."""
    entries = data.get("layers") if isinstance(data, Mapping) else None
    if not isinstance(entries, list):
        raise SpecError("layers: must be a list of layers")
    for number, layer in enumerate(entries, 1):
        formats = layer.get("formats") if isinstance(layer, Mapping) else None
        if not isinstance(formats, Mapping):
            raise SpecError(f"layers: number {number} must have formats, with their sensitivities")
        for count in ("macs", "weights"):
            value = layer.get(count, 0)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise SpecError(f"layers: number {number}: {count}={value}: must be an integer")
        yield str(layer.get("name", f"layer{number}")), layer, formats


def _width(layer: str, name: str) -> float:
    try:
        return work.pair(name).bits
    except MacawError as error:
        raise SpecError(f"{layer}, {name}: {error}; or give the figure bits") from None


def scipy() -> tuple[Any, Any, Any]:
    """What the integer program needs of scipy; ToolError without it."""
    try:
        from scipy.optimize import Bounds, LinearConstraint, milp
    except ImportError:
        raise ToolError("choosing formats needs scipy: pip install 'macaw[choose]'") from None
    return milp, LinearConstraint, Bounds
