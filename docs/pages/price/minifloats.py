# SPDX-License-Identifier: BSD-2-Clause
"""docs/minifloats.md and its picture: floats and integers of three to eight bits."""

from collections.abc import Callable
from typing import Any

from benchmarks.studies.price.minifloats import CLOCK, FORMATS, LANES, STAGES
from macaw.synth.page import charts

from ..markdown import table
from .sheet import PLACES, Row, area, energy, front, library, rows

Made = dict[str, Any]
Figure = Callable[[Row], float]
FIGURES: dict[tuple[str, str], tuple[Figure, str]] = {
    ("ecp5", "area"): (area, "LUT/MAC"),
    ("gowin", "area"): (area, "Gowin LUT/MAC"),
    ("asic", "area"): (area, "GE/MAC"),
    ("asic", "energy"): (energy, "inv/MAC"),
    ("process", "area"): (lambda row: row["area_um2"] / row["macs"], "um2/MAC"),
    ("process", "energy"): (energy, "pJ/MAC"),
}
"""By target and what it is: the figure and its unit."""
KEPT = {"logits": "SQNR of logits", "accuracy": "accuracy"}


def _bits(name: str) -> int:
    if name.startswith("int"):
        return int(name[3:])
    exponent, _, mantissa = name.removeprefix("e").removesuffix("finite").partition("m")
    return 1 + int(exponent) + int(mantissa)


def _kept(made: Made) -> dict[str, Row]:
    return {row["format"]: row for row in made["network"]["rows"]}


def _measured(made: Made) -> dict[tuple[str, str], dict[str, float]]:
    """Every figure that there is, by target and what it is, of each format."""
    found = {}
    for key, (figure, _) in FIGURES.items():
        values = {name: figure(row) for name, row in rows(made, key[0]).items()}
        if values:
            found[key] = values
    return found


def _short(name: str) -> str:
    return name.removesuffix("finite")


def fronts(made: Made) -> str:
    """Formats that no other one beats, for each figure and for what is kept."""
    kept = _kept(made)
    lines = []
    for key, values in _measured(made).items():
        names = [name for name in values if name in kept]
        for what, title in KEPT.items():
            best = front([(values[name], kept[name][what]) for name in names])
            on = sorted((n for n, yes in zip(names, best, strict=True) if yes), key=values.get)  # type: ignore[arg-type]
            integers, magnitudes = (
                sum(name.startswith(begin) for name in on) for begin in ("int", "e1")
            )
            lines.append(
                [
                    f"{key[1]} on {PLACES[key[0]]}",
                    title,
                    f"{integers} and {magnitudes} of {len(on)}",
                    ", ".join(map(_short, on)),
                ]
            )
    return table(["less", "more", "integers, and e1", "on the front, the cheapest first"], lines, 4)


def widths(made: Made) -> str:
    """The integer of each width beside the float of that width that keeps most."""
    kept, found = _kept(made), _measured(made)
    head = ["bits", "the float that keeps most", "SQNR of logits, of int beside it"]
    head += [f"{what} of int beside it, {PLACES[target]}" for target, what in found]
    lines = []
    for width in sorted({_bits(name) for name in kept}):
        others = [n for n in kept if _bits(n) == width and not n.startswith("int")]
        integer = f"int{width}"
        if not others or integer not in kept:
            continue
        best = max(others, key=lambda name: kept[name]["logits"])
        line = [
            str(width),
            _short(best),
            f"{kept[integer]['logits'] - kept[best]['logits']:+.1f} dB",
        ]
        for values in found.values():
            both = integer in values and best in values
            line.append(f"{values[integer] / values[best]:.2f}" if both else "-")
        lines.append(line)
    return table(head, lines, 2)


def costs(made: Made) -> str:
    """All figures of all formats."""
    kept, found = _kept(made), _measured(made)
    data = rows(made, "asic")
    head = ["format", "bits", "accuracy", "logits, dB", "normal, dB", "heavy-tailed, dB"]
    head += [FIGURES[key][1] for key in found]
    lines = []
    for name in (name for name in FORMATS if name in kept):
        row = data.get(name)
        line = [_short(name), str(_bits(name)), f"{100 * kept[name]['accuracy']:.1f} %"]
        line += [f"{kept[name]['logits']:.1f}"]
        line += [f"{row['sqnr'][d]:.1f}" if row else "-" for d in ("gaussian", "heavy-tailed")]
        line += [_number(values.get(name)) for values in found.values()]
        lines.append(line)
    return table(head, lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def drawing(made: Made) -> str:
    """What is kept over what it costs."""
    kept = _kept(made)
    plots = []
    for (target, what), values in _measured(made).items():
        names = [name for name in values if name in kept]
        best = front([(values[name], kept[name]["logits"]) for name in names])
        points = [
            charts.Point(x=values[name], y=kept[name]["logits"], name=_short(name), best=on)
            for name, on in zip(names, best, strict=True)
        ]
        plots.append(
            charts.Plot(
                head=f"{PLACES[target].strip('`')}, {what}",
                points=points,
                x_title=f"{FIGURES[target, what][1]} (left is less)",
                y_title="SQNR of logits, dB",
                x_log=True,
                steps="step-after",
            )
        )
    return charts.picture([charts.chart(plot) for plot in plots])


def page(made: Made) -> str:
    """The page."""
    kept = made["network"]
    named = [target for target in ("ecp5", "gowin", "asic") if target in made]
    measured = " ".join([*named, *(["FILE"] if "process" in made else [])])
    clock = CLOCK.replace("FO4", " FO4")
    float64 = f"{100 * kept['accuracy']:.1f} %"
    of = f"\nThe process's library: {library(made)}.\n" if "process" in made else ""
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/studies/price/minifloats.py measured. -->
# Minifloats and integers of three to eight bits

![What a network keeps over what a multiply-accumulate costs](images/minifloats.svg)

All splits of a few bits into exponent and mantissa, without infinities and NaN, beside integers. Is
the integer often Pareto-optimal on FPGAs, as "Post-training quantization with low-precision
minifloats and integers on FPGAs" (arXiv 2311.12359) says? Made by `python -m
benchmarks.studies.price.minifloats --targets {measured}`.

What is kept: a network trained on scikit-learn's digits
([digits_network.py](../benchmarks/studies/digits_network.py)), weights and activations of all
layers in the format, each tensor times the real factor of least squared error, sums exact, without
retraining; accuracy on {kept["images"]} images that it has not seen (in float64 {float64}), and the
signal-to-noise ratio of the logits, which tells more. *Normal* and *heavy-tailed* are dot products
of 1024 such elements, scaled by a power of two.

What it costs: {LANES} products a clock, added exactly, divided by {LANES}; integers to int32,
floats to fp32 at the end. On `ecp5` it is the area (LUT4 + 2 * CCU2C, on `gowin` LUT4 + ALU, or
flip-flops where these are more) with {STAGES} stages, multipliers from logic cells; on libraries
each has the fewest stages that reach {clock}.
{of}
## The Pareto fronts

Floats with one exponent bit (e1) are integers too: sign and magnitude, with one value less. Formats
that no other one beats, less of the first figure and more of the second being better:

{fronts(made)}

## Integer and float of the same width

{widths(made)}

Floats with few mantissa bits have wide sums, since these are exact: a wider exponent costs more
here than it would with an accumulator that rounds.

## All formats

{costs(made)}
"""
