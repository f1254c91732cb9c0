# SPDX-License-Identifier: BSD-2-Clause
"""docs/flexpoint-training.md and its pictures: does Flexpoint train as fp32 does?"""

import math
from typing import Any

import numpy as np
from scipy.stats import t as student

from macaw.synth.page import charts

from ..curves import Line, panel

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
TRUE, HELD = "largest magnitude before rounding", "what the exponent can hold"
MEANING = {
    "0.z": "products of the first layer",
    "loss": "gradient of the loss",
    "1.dw": "gradient of the second layer's weights",
    "2.w": "weights of the last layer",
}
NETWORKS = {"mlp": "Multilayer perceptron", "conv": "Convolutional network"}


def losses(made: dict[str, Any]) -> str:
    """Training losses, means over the seeds."""
    panels = []
    ticks = {value: f"{value:g}" for value in (0.01, 0.03, 0.1, 0.3, 1, 3)}
    for kind in made["networks"]:
        lines = []
        for name, colour in CURVES.items():
            runs = [
                run["curve"]
                for run in made["runs"]
                if (run["network"], run["name"]) == (kind, name)
            ]
            if runs:
                y = np.mean(runs, axis=0).tolist()
                x = (np.arange(len(y)) + 0.5) * made["curve_steps"]
                width = 5.0 if name in WIDE else 1.6
                lines.append(Line(x=x.tolist(), y=y, colour=colour, name=name, width=width))
        panels.append(panel(NETWORKS[kind], lines, "training loss", ticks))
    return charts.picture(panels)


def exponents(made: dict[str, Any]) -> str:
    """What each exponent lets a tensor hold, and the largest magnitude that it had to hold."""
    held, true = "#d62728", "#1f77b4"
    panels = []
    for name, entries in made["trace"].items():
        steps, exponents, _, maxima = zip(*entries)
        top = [exponent + made["trace_width"] - 1 for exponent in exponents]
        needed = [value or 2.0 ** (min(top) - 20) for value in maxima]
        low = math.floor(math.log2(min(needed + [2.0**n for n in top]))) - 1
        high = math.ceil(math.log2(max(needed + [2.0**n for n in top]))) + 1
        step = max(1, (high - low) // 6)
        ticks = {2.0**n: f"2^{n}" for n in range(low, high + step, step)}
        lines = [
            Line(x=steps, y=needed, colour=true, name=TRUE),
            Line(x=steps, y=[2.0**n for n in top], colour=held, name=HELD, steps=True),
        ]
        panels.append(panel(f"{name}: {MEANING[name]}", lines, "magnitude", ticks))
    return charts.picture(panels)


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
