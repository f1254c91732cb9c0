# SPDX-License-Identifier: BSD-2-Clause
"""docs/flexpoint-training.md and its pictures: does Flexpoint train as fp32 does?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

CURVES = {
    "fp32": "#bbbbbb",
    "flex8+5": "#ff9896",
    "flex8+5, stochastic": "#e377c2",
    "bf16": "#1f77b4",
    "fp8": "#2ca02c",
    "mxfp8": "#9467bd",
    "hbfp8": "#8c564b",
    "flex16+5": "#d62728",
}
"""What is drawn, the last one on top, and its colour."""
WIDE = ("fp32",)
MEANING = {
    "0.z": "products of the first layer",
    "loss": "gradient of the loss",
    "1.dw": "gradient of the second layer's weights",
    "2.w": "weights of the last layer",
}
NETWORKS = {"mlp": "Multilayer perceptron", "conv": "Convolutional network"}
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 470, 300, 58, 12, 34, 42


# ------------------------------------------------------------------------------------- pictures


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Points of a curve; ``steps``: constant between them; ``width`` in pixels."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    name: str
    steps: bool = False
    width: float = 1.6


def panel(
    head: str, lines: Sequence[Line], y_title: str, ticks: Sequence[tuple[float, str]]
) -> list[str]:
    """SVG of one plot; the ticks of the ordinate also bound it."""
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    right = max(max(line.x) for line in lines)
    low, high = ticks[0][0], ticks[-1][0]

    def at(x: float, y: float) -> str:
        share = (min(max(y, low), high) - low) / (high - low)
        return f"{_LEFT + width * x / right:.1f},{_TOP + height * (1 - share):.1f}"

    parts = [f'<text x="{_LEFT}" y="20" class="head">{head}</text>']
    for y, label in ticks:
        where = at(0, y).split(",")[1]
        parts.append(f'<path d="M{_LEFT},{where}h{width}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{where}" dy="4" class="y">{label}</text>')
    apart = 10 ** math.floor(math.log10(max(right, 1)))
    apart *= next(n for n in (0.2, 0.5, 1, 2) if right / (n * apart) <= 6)
    for n in range(int(right / apart) + 1):
        where = at(n * apart, low).split(",")[0]
        parts.append(
            f'<text x="{where}" y="{_HEIGHT - _BOTTOM + 16}" class="x">{n * apart:.0f}</text>'
        )
    parts.append(f'<text x="{_LEFT + width / 2}" y="{_HEIGHT - 8}" class="x">step</text>')
    middle = _TOP + height / 2
    parts.append(
        f'<text x="14" y="{middle}" class="x" transform="rotate(-90 14 {middle})">{y_title}</text>'
    )
    for line in lines:
        points = [at(x, y) for x, y in zip(line.x, line.y)]
        if line.steps:
            after = [at(x, y) for x, y in zip(line.x[1:], line.y)]
            points = [point for pair in zip(points, after) for point in pair] + points[-1:]
        parts.append(
            f'<polyline points="{" ".join(points)}" stroke="{line.colour}" '
            f'stroke-width="{line.width}">'
            f"<title>{line.name}</title></polyline>"
        )
    return parts


def picture(panels: Sequence[list[str]], columns: int, legend: Sequence[tuple[str, str]]) -> str:
    """Plots in rows of ``columns``, and names of colours below them."""
    rows = -(-len(panels) // columns)
    per_line = min(4, len(legend))
    foot = 20 * -(-len(legend) // per_line) + 12
    width, height = columns * _WIDTH, rows * _HEIGHT + foot
    parts = [
        "<!-- SPDX-License-Identifier: BSD-2-Clause -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        "<style>polyline{fill:none;stroke-linejoin:round}.grid{stroke:#ddd}.head{font-weight:bold}"
        ".y{text-anchor:end}.x{text-anchor:middle}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for n, body in enumerate(panels):
        place = f"translate({n % columns * _WIDTH} {n // columns * _HEIGHT})"
        parts += [f'<g transform="{place}">', *body, "</g>"]
    for n, (name, colour) in enumerate(legend):
        x = _LEFT + n % per_line * (width - _LEFT) / per_line
        y = rows * _HEIGHT + 14 + n // per_line * 20
        parts.append(f'<path d="M{x:.0f},{y}h22" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(f'<text x="{x + 28:.0f}" y="{y + 4}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def losses(made: dict[str, Any]) -> str:
    """Training losses, means over the seeds."""
    panels = []
    ticks = [(math.log10(v), f"{v:g}") for v in (0.01, 0.03, 0.1, 0.3, 1, 3)]
    for kind in made["networks"]:
        lines = []
        for name, colour in CURVES.items():
            runs = [
                run["curve"]
                for run in made["runs"]
                if (run["network"], run["name"]) == (kind, name)
            ]
            if runs:
                y = np.log10(np.mean(runs, axis=0)).tolist()
                x = (np.arange(len(y)) + 0.5) * made["curve_steps"]
                width = 5.0 if name in WIDE else 1.6
                lines.append(Line(x=x.tolist(), y=y, colour=colour, name=name, width=width))
        panels.append(panel(NETWORKS[kind], lines, "training loss", ticks))
    return picture(panels, 2, list(CURVES.items()))


def exponents(made: dict[str, Any]) -> str:
    """What each exponent lets a tensor hold, and the largest magnitude that it had to hold."""
    held, true = "#d62728", "#1f77b4"
    panels = []
    for name, entries in made["trace"].items():
        steps, exponents, _, maxima = zip(*entries)
        top = [exponent + made["trace_width"] - 1 for exponent in exponents]
        needed = [math.log2(value) if value else min(top) - 20.0 for value in maxima]
        low = math.floor(min(*top, *needed)) - 1
        high = math.ceil(max(*top, *needed)) + 1
        step = max(1, (high - low) // 6)
        ticks = [(float(n), f"2^{n}") for n in range(low, high + step, step)]
        lines = [
            Line(x=steps, y=needed, colour=true, name="largest magnitude"),
            Line(x=steps, y=[float(t) for t in top], colour=held, name="held", steps=True),
        ]
        panels.append(panel(f"{name}: {MEANING[name]}", lines, "magnitude", ticks))
    return picture(
        panels,
        2,
        [("largest magnitude before rounding", true), ("what the exponent can hold", held)],
    )


# ------------------------------------------------------------------------------------------ page


def of(made: dict[str, Any], kind: str, name: str, key: str) -> np.ndarray:
    """A figure of all seeds of a recipe, by seed."""
    runs = [run for run in made["runs"] if (run["network"], run["name"]) == (kind, name)]
    return np.array([run[key] for run in sorted(runs, key=lambda run: run["seed"])])


def spread(values: np.ndarray, digits: int) -> str:
    """Mean and standard deviation of a sample."""
    deviation = values.std(ddof=1) if len(values) > 1 else 0.0
    return f"{values.mean():.{digits}f} ± {deviation:.{digits}f}"


def against(made: dict[str, Any], kind: str, name: str, key: str) -> tuple[float, float]:
    """Mean difference to fp32, seed by seed, and half its 99 % interval by Student's t."""
    difference = of(made, kind, name, key) - of(made, kind, "fp32", key)
    count = len(difference)
    if count < 2:
        return float(difference.mean()), math.inf
    error = difference.std(ddof=1) / count**0.5
    return float(difference.mean()), float(student.ppf(0.995, count - 1) * error)


def table(made: dict[str, Any], kind: str) -> str:
    """Accuracy and loss of every recipe, and their differences to fp32."""
    lines = [
        "| arithmetic | test accuracy, % | worst | final loss | accuracy − fp32's | overflows |",
        "|---|---|---|---|---|---|",
    ]
    for name in made["recipes"]:
        accuracy = 100 * of(made, kind, name, "accuracy")
        mean, error = against(made, kind, name, "accuracy")
        delta = "" if name == "fp32" else f"{100 * mean:+.2f} ± {100 * error:.2f}"
        over = int(of(made, kind, name, "overflows").sum()) if name.startswith("flex") else ""
        lines.append(
            f"| {name} | {spread(accuracy, 2)} | {accuracy.min():.2f} | "
            f"{spread(of(made, kind, name, 'loss'), 4)} | {delta} | {over} |"
        )
    return "\n".join(lines)


def verdict(made: dict[str, Any]) -> str:
    """Whether flex16+5 and fp32 can be told apart, in the figures of this study."""
    if made["steps"] < 100:
        return f"{made['steps']} steps say nothing of a format."
    parts, equal, tested = [], True, made["settings"]["tested"]
    for kind in made["networks"]:
        accuracy, error = against(made, kind, "flex16+5", "accuracy")
        loss, loss_error = against(made, kind, "flex16+5", "loss")
        equal &= abs(accuracy) <= max(error, 1 / tested) and abs(loss) <= loss_error
        equal &= abs(accuracy) <= of(made, kind, "fp32", "accuracy").std(ddof=1)
        parts.append(
            f"{NETWORKS[kind].lower()}: accuracy {100 * accuracy:+.2f} ± {100 * error:.2f} points, "
            f"loss {loss:+.4f} ± {loss_error:.4f}"
        )
    head = (
        "**Confirmed here: flex16+5 trains as fp32 does, with nothing tuned.** No difference to "
        "fp32 can be seen"
        if equal
        else "**Not confirmed here: flex16+5 differs from fp32**"
    )
    return f"{head} (means and 99 % intervals of equal seeds; {'; '.join(parts)})."


def findings(made: dict[str, Any]) -> str:
    """What else the figures say."""

    def accuracies(name: str) -> str:
        shown = (
            f"{100 * of(made, kind, name, 'accuracy').mean():.1f}" for kind in made["networks"]
        )
        return " and ".join(shown)

    def overflows(name: str) -> int:
        return sum(int(of(made, kind, name, "overflows").sum()) for kind in made["networks"])

    apart = [
        f"{name} ({kind})"
        for kind in made["networks"]
        for name in made["recipes"]
        for mean, error in [against(made, kind, name, "accuracy")]
        if name != "fp32" and abs(mean) > max(error, 1 / made["settings"]["tested"])
    ]
    told = ", ".join(apart) if apart else "none"
    writes = sum(int(of(made, kind, "flex16+5", "writes").sum()) for kind in made["networks"])
    lines = [
        f"- Accuracies that {len(made['seeds'])} seeds tell from those of fp32 (99 %): {told}."
    ]
    if {"flex8+5", "flex8+5, stochastic", "flex8+5, weights flex16+5"} <= set(made["recipes"]):
        lines.append(
            f"""\
- flex8+5 with everything in 8 bits and rounding to nearest: {accuracies("flex8+5")} %, where fp32
  has {accuracies("fp32")} %: updates of less than half a last place of a weight are lost. The same
  8 bits with stochastic rounding: {accuracies("flex8+5, stochastic")} %; with weights and momenta
  in flex16+5: {accuracies("flex8+5, weights flex16+5")} %."""
        )
    count = overflows("flex16+5")
    over = f"- Of {writes} tensors written in flex16+5 {count} overflowed with the paper's\n"
    if "flex16+5, ngraph's Autoflex" in made["recipes"]:
        other = overflows("flex16+5, ngraph's Autoflex")
        over += f"  Autoflex, and {other} with ngraph's, which has a bit less of\n  headroom."
    else:
        over += "  Autoflex."
    return "\n".join([*lines, over])


def page(made: dict[str, Any]) -> str:
    """The page."""
    settings = made["settings"]
    tables = "\n\n".join(f"## {NETWORKS[kind]}\n\n{table(made, kind)}" for kind in made["networks"])
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/studies/flexpoint_training.py measured. -->
# Training in Flexpoint and other formats

{verdict(made)}

`python -m benchmarks.studies.flexpoint_training` repeats all of this.
{len(made["recipes"])} arithmetics,
{len(made["seeds"])} seeds each (of weights, order and division of the data), scikit-learn's digits:
{settings["tested"]} images of 8 by 8 for the test, the others for training. SGD, batches of
{settings["batch"]}, {settings["epochs"]} epochs ({made["steps"]} steps), rate {settings["rate"]},
momentum {settings["momentum"]}: the same for all arithmetics. The perceptron has layers of 64,
64, 32 and 10; the other network two convolutions of 3 by 3 (8 channels and stride 2, then 16) and
one dense layer. Means over the seeds ± standard deviation; the loss is that of the last epoch's
batches. The difference to fp32 is that of equal seeds, its mean ± half its 99 % interval.

Every matrix product, forward and backward, is that of macaw's golden model, bit for bit. In
Flexpoint *every* tensor is in the format, weights and momenta too, each with an Autoflex manager,
and each operation is one of integers; an *overflow* is a tensor written with a largest mantissa
that may have been saturated. In the other formats the operands of matrix products are quantised,
their sums are exact and rounded once to fp32, and weights, momenta and what lies between the
products are fp32. fp8: e4m3 forward, e5m2 for gradients, without scales, or with a loss that is
2^12 times as large. *Stochastic*: fp8's gradients, or all tensors in Flexpoint, are rounded by
random words of 16 bits. The softmax and the loss are float64.

![Training losses](images/flexpoint-losses.svg)

{findings(made)}

{tables}

## Exponents

![Exponents of four tensors and their largest magnitudes](images/flexpoint-exponents.svg)

Perceptron in flex16+5, seed {made["seeds"][0]}. Red: what the exponent that Autoflex predicted
can hold; blue: the largest magnitude that was then written.
"""
