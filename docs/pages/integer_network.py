# SPDX-License-Identifier: BSD-2-Clause
"""docs/integer-network.md and its picture: a quantised network, its integers and formats."""

from __future__ import annotations

from typing import Any

from benchmarks.studies.digits_network import SHAPES
from macaw.synth.chooser import LOSS
from macaw.synth.page import charts

from .markdown import table

SHOWN = 12
"""Points of the front in the table, at most."""


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def accuracies(made: dict[str, Any]) -> str:
    names = {"int4/int8": "chosen of int8, int4", "any": "chosen of all"}
    deployments = list(next(iter(made["accuracy"].values())))
    rows = [
        [names.get(name, name), *(percent(found[each]) for each in deployments)]
        for name, found in made["accuracy"].items()
    ]
    return table(["weights", *deployments], rows)


def counts(row: dict[str, Any], key: str) -> list[str]:
    """Differences by tensor, then all of them."""
    found = row[key]
    return [f"{found[name]:,}" for name in found] + [
        f"{sum(found.values()):,} of {sum(row['values'].values()):,}"
    ]


def runtimes(made: dict[str, Any]) -> str:
    tensors = list(made["runtimes"][0]["differing"])
    rows = [
        [row["runtime"], row["weights"], *counts(row, "differing"), percent(row["accuracy"])]
        for row in made["runtimes"]
    ]
    return table(["runtime", "weights", *tensors, "all", "its accuracy"], rows, 2)


def profiles(made: dict[str, Any]) -> str:
    found = {(row["runtime"], row["profile"]): row for row in made["profiles"]}
    names = list(dict.fromkeys(row["profile"] for row in made["profiles"]))
    runtimes = list(dict.fromkeys(row["runtime"] for row in made["profiles"]))
    rows = [
        [runtime, *(f"{found[runtime, name]['differing']:,}" for name in names)]
        for runtime in runtimes
    ]
    return table(["runtime", *(f"`{name}`" for name in names)], rows)


def gates(made: dict[str, Any]) -> str:
    if "gates" not in made:
        return (
            "Not simulated in this run: `python -m benchmarks.studies.integer_network --simulate`."
        )
    tensors = list(made["gates"][0]["values"])
    rows = []
    for row in made["gates"]:
        for key, against in (("from_golden", "golden"), ("from_runtime", row["runtime"])):
            rows.append([row["weights"], against, *counts(row, key), f"{row['beats']:,}"])
    return table(["weights", "against", *tensors, "all", "beats"], rows, 2)


def ties_note(rows: list[dict[str, Any]]) -> str:
    """What the differing means are, as found."""
    wrong = [row for row in rows if not row["means_differ_in_ties_only"]]
    if wrong:
        return "of the means that differ, not all lie halfway between two integers."
    return "all means that differ lie halfway between two integers."


def losses(made: dict[str, Any]) -> str:
    layers = made["choice"]["layers"]
    formats = list(next(iter(layers.values())))
    macs = {layer["name"]: layer["macs"] for layer in made["choice"]["data"]["layers"]}
    rows = [
        [name, f"{macs[name]:,}", *(f"{found[fmt][LOSS]:.2g}" for fmt in formats)]
        for name, found in layers.items()
    ]
    costs = {made["target"]: made["choice"]["costs"]}
    costs |= {other: found["costs"] for other, found in made["choice"]["others"].items()}
    for target, each in costs.items():
        area = (f"{each[fmt]:.0f}" for fmt in formats)
        rows.append([f"area of a MAC, {target}", "", *area])
    return table(["layer", "MACs", *formats], rows)


def share(made: dict[str, Any], point: dict[str, Any]) -> float:
    """Of the area of int8 everywhere."""
    return point["totals"]["area"] / made["choice"]["uniform"]["int8"]["totals"]["area"]


def assignments(made: dict[str, Any]) -> str:
    def row(name: str, point: dict[str, Any]) -> list[str]:
        return [
            name,
            *(point["formats"][layer] for layer in SHAPES),
            f"{100 * share(made, point):.1f} %",
            f"{point['totals']['bits'] / 8:,.0f}",
            f"{point['totals'][LOSS]:.2g}",
            f"{point['divergence']:.2g}",
            percent(point["accuracy"]),
        ]

    choice = made["choice"]
    names = {"int4/int8": "**of int8, int4**", "any": "**of all**"}
    rows = [row(names[name], point) for name, point in choice["chosen"].items()]
    rows += [row(f"all {name}", point) for name, point in choice["uniform"].items()]
    points = choice["front"]
    step = max(1, -(-len(points) // SHOWN))
    rows += [row("front", point) for point in points[::step]]
    head = ["", *SHAPES, "area", "bytes", "sum", "measured", "accuracy"]
    return table(head, rows, 1 + len(SHAPES))


def picture(made: dict[str, Any]) -> str:
    """Sensitivity, and accuracy of the integer network, against area."""
    choice = made["choice"]
    points = [("", True, point) for point in choice["front"]]
    points += [(name, False, point) for name, point in choice["uniform"].items()]
    points += [("chosen", False, choice["chosen"]["any"])]
    points += [("int4/int8", False, choice["chosen"]["int4/int8"])]

    def marks(value: Any) -> tuple[charts.Point, ...]:
        return tuple(
            charts.Point(
                x=100 * share(made, point),
                y=value(point),
                best=best,
                name=name,
                text=", ".join(f"{layer} {fmt}" for layer, fmt in point["formats"].items())
                + f": {100 * share(made, point):.1f} %, {point['totals'][LOSS]:.2g} nats, "
                + percent(point["accuracy"]),
            )
            for name, best, point in points
        )

    x_title = f"area of the multiply-accumulates ({made['target']}), % of int8's"
    return charts.picture([
        charts.chart(charts.Plot(
            head=f"what {len(choice['front'])} best assignments lose",
            points=marks(lambda point: point["totals"][LOSS]),
            x_title=x_title,
            y_title="sensitivity, sum over the layers, nats",
            x_zero=True,
            y_log=True,
            steps="step-after",
        )),
        charts.chart(charts.Plot(
            head=f"and keep: {made['images']} test images, in integers",
            points=marks(lambda point: 100 * point["accuracy"]),
            x_title=x_title,
            y_title="accuracy, %",
            x_zero=True,
        )),
    ])  # fmt: skip


def named(formats: dict[str, str]) -> str:
    return ", ".join(f"{layer} {fmt}" for layer, fmt in formats.items())


def elsewhere(made: dict[str, Any]) -> str:
    """What the same limit gives on other targets."""
    lines = []
    for target, found in made["choice"]["others"].items():
        few, every = found["chosen"]["int4/int8"], found["chosen"]["any"]
        lines.append(
            f"On {target} (LUT4 + 2 * CCU2C, no hard multipliers) the same limit gives\n"
            f"{named(few['formats'])}, at {100 * few['share']:.1f} %; of all formats\n"
            f"{named(every['formats'])}, at {100 * every['share']:.1f} %."
        )
    return "\n".join(lines)


def page(made: dict[str, Any]) -> str:
    chosen = made["choice"]["chosen"]["int4/int8"]
    kept = named(chosen["formats"])
    limit = f"--limit area={100 * made['share']:.0f}% --target {made['target']}"
    onnx = [row for row in made["runtimes"] if row["runtime"] == "onnxruntime"]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/studies/integer_network.py measured. -->
# A network in integers

A small convolutional network with a residual connection, trained on scikit-learn's digits, run
in integers by the golden model, by the gates of a composed pipeline, and by two runtimes:

```sh
pip install 'macaw[choose,studies]'
python -m benchmarks.studies.integer_network --simulate
```

Weights are symmetric with a scale for each output, normalisations folded into them; activations
are int8 with a zero point, biases int32, as in TensorFlow Lite. All figures are of
{made["images"]} test images, of which one is {100 / made["images"]:.2f} %. In floating point the
network has {percent(made["float"])}. It is trained in fp32, whose last bits depend on the machine:
elsewhere accuracies may be others, and the integers agree all the same.

## Accuracy

By how a deployment rounds (below), and by the format of the weights:

{accuracies(made)}

*tflite*: convolutions `tflite_double`, dense layer `tflite_single`, residual sum rounded three
times (`form=tflite`), means half away from zero, which is what LiteRT's reference kernels do.
*tflite, single rounding*: `tflite_single` throughout. *onnxruntime*: real-valued scales, means to
even. *hawq*: ties to even, the branches of the residual sum rounded each. *xnnpack*, LiteRT's
default on CPUs: real-valued scales, means half away from zero.

## The same integers as runtimes

How many of golden's integers differ from the runtime's, by tensor. Each layer gets the tensors
that the runtime computed before it.

{runtimes(made)}

onnxruntime computes means in fp32, whose rounding errors decide ties:
{ties_note(onnx)}
XNNPACK rounds residual sums in a way of its own.

A wrong profile is seen. Differences by profile, of {made["profiles"][0]["values"]:,} values
(conv1, conv3, conv4; int8):

{profiles(made)}

## The same integers in gates

Every layer goes through `int-mac | add | requantize | clamp`, conv2 on through
`residual-add | clamp`, and means through `average-pool`. Layers of a weight format share a
pipeline, whose memory gets bias (with the zero point of what comes in), multiplier, shift, zero
points and limits of each output through its write port.
Simulated with valid/ready handshake and pauses on both sides; compared layer by layer with golden
and with the runtime. Real-valued scales have no gates: against onnxruntime it is single rounding.

{gates(made)}

In Python: `macaw.sim.layers.LayerSimulation.open(LayerPipeline(weight="int4"), flow="stream")`
has `.run(layer, x)`, where `layer` is a `macaw.golden.tensors.integer_layers.Layer`.

## Formats for each layer

What a format loses in a layer (its *sensitivity*) is measured: Kullback-Leibler divergence of the
float network's probabilities on the {made["calibration"]:,} training images from those with the
weights of this layer alone rounded, in nats. What it costs is measured too: area of an
`int-mac` of 8 lanes with such weights and int8 activations, per lane.

{losses(made)}

The area of a layer is that of a MAC times its MACs, so that all layers take equally long;
divide by the clocks that an image may take. `macaw choose` solves the integer program of
HAWQ-V3 (each layer takes one format; the sum of sensitivities is minimised within a limit on the
sum of areas, or the other way round) with scipy's `milp`:

```sh
macaw choose benchmarks/results/integer_network_layers.json {limit}
```

Within {100 * made["share"]:.0f} % of int8's area, of int8 and int4:
{kept}.

{elsewhere(made)}

![Sensitivity and accuracy against area](images/integer-network.svg)

Sum: of the sensitivities, what is minimised; measured: with all layers rounded together.
Accuracy: of the integer network, *tflite*. Of the front, {SHOWN} points at most are listed.

{assignments(made)}
"""
