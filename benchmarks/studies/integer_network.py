# SPDX-License-Identifier: BSD-2-Clause
"""A trained network in integers: accuracy, bits in gates and in two runtimes, formats per layer.

Trains the digits' network (digits_network.py), quantises it (quantised_network.py), and

- measures its accuracy as runtimes round, with int8 and fewer bits of weights;
- compares every layer with the integers of LiteRT and onnxruntime (network_runtimes.py);
- chooses weight formats for its layers by what they lose and cost (macaw.synth.chooser);
- with ``--simulate`` moves every layer of every test image through the gates.

Needs ``pip install 'macaw[choose,studies]'``. Beside its results it writes the layers as ``macaw
choose`` reads them.

Example: python -m benchmarks.studies.integer_network --simulate
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from macaw.golden.errors import MacawError
from macaw.golden.tensors.integer_layers import Layer
from macaw.sim.bench.bulk import TRAFFIC
from macaw.sim.layers import LayerPipeline, LayerSimulation, PoolSimulation, Residual
from macaw.synth import TARGETS, chooser, front
from macaw.synth.chooser import LOSS, Assignment, Chooser

from .. import positive, results
from .digits_network import SHAPES, Arrays, Digits, Network, accuracy, load, softmax, train
from .network_runtimes import litert_tensors, onnxruntime_tensors
from .quantised_network import (
    DEPLOYMENTS,
    INPUTS,
    POOLS,
    REAL,
    Engine,
    QuantisedNetwork,
    Scale,
    calibrate,
    rounded,
)

FORMATS = ("int8", "int6", "int4", "power4", "int3", "ternary", "binary")
"""Weight formats that a layer may have."""
SHARE = 0.75
"""Of int8's area: what the chosen assignments may take."""
OTHERS = ("ecp5",)
"""Targets that the choice is made on besides."""
POINTS = 100
"""Of the front, about."""
COMPARED = ("conv1", "residual", "pool1", "conv3", "conv4", "pool2", "logits")
LITERT, ONNXRUNTIME = "LiteRT, reference kernels", "onnxruntime"


# ------------------------------------------------------------------------------------ formats


def sensitivities(network: Network, images: np.ndarray) -> dict[str, dict[str, float]]:
    """What each format loses in each layer: Kullback-Leibler divergence, nats an image.

    Of the network's probabilities on calibration images from those with this layer's weights
    rounded to the format, and nothing else.
    """
    exact = network.run(images)["logits"]
    return {
        layer: {
            fmt: divergence(exact, rounded(network, {layer: fmt}).run(images)["logits"])
            for fmt in FORMATS
        }
        for layer in SHAPES
    }


def divergence(exact: np.ndarray, other: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of ``exact``'s probabilities from ``other``'s, in nats."""
    chance = softmax(exact)
    terms = chance * (np.log(chance + 1e-300) - np.log(softmax(other) + 1e-300))
    return max(0.0, float(terms.sum(axis=1).mean()))


def problem_of(losses: dict[str, dict[str, float]], macs: dict[str, int], target: str) -> Any:
    """The layers as ``macaw choose`` reads them."""
    return {
        "target": target,
        "layers": [
            {
                "name": layer,
                "macs": macs[layer],
                "weights": int(np.prod(SHAPES[layer])),
                "formats": losses[layer],
            }
            for layer in SHAPES
        ],
    }


def restricted(problem: Chooser, formats: tuple[str, ...]) -> Chooser:
    """The same layers with fewer formats."""
    return Chooser(
        layers={
            layer: {fmt: found for fmt, found in offered.items() if fmt in formats}
            for layer, offered in problem.layers.items()
        }
    )


# -------------------------------------------------------------------------------------- gates


@dataclass(kw_only=True, slots=True)
class Gates:
    """Layers by simulated gates, the clocks full of pauses. A pipeline is built when first met."""

    network: QuantisedNetwork
    built: dict[tuple, Any] = field(default_factory=dict)
    stages: int = 6

    def layer(
        self,
        name: str,
        layer: Layer,
        x: np.ndarray,
        other: np.ndarray | None = None,
        residual: Residual | None = None,
    ) -> np.ndarray:
        form = self.network.deployment.residual if residual is not None else None
        key = (self.network.formats[name], str(layer.profile), form)
        if key not in self.built:
            pipeline = LayerPipeline(weight=key[0], profile=key[1], residual=form)  # type: ignore[arg-type]
            self.built[key] = LayerSimulation.open(pipeline, flow="stream", stages=self.stages)
        return self.built[key].run(layer, x, other, residual, traffic=TRAFFIC[1])

    def mean(self, x: np.ndarray, size: int, profile: str) -> np.ndarray:
        key = ("mean", size, profile)
        if key not in self.built:
            self.built[key] = PoolSimulation.open(size**2, profile, flow="stream", stages=2)
        return self.built[key].run(x, size, traffic=TRAFFIC[1])

    @property
    def beats(self) -> int:
        return sum(each.beats for each in self.built.values())


def layer_by_layer(network: QuantisedNetwork, engine: Engine, tensors: Arrays) -> Arrays:
    """What ``engine`` makes of each layer, from the tensors that a runtime computed before it."""
    found = {}
    for name in COMPARED:
        if name == "residual":
            x = tensors["conv1"]
            found[name] = engine.layer("conv2", network.layers["conv2"], x, x, network.residual)
        elif name in POOLS:
            source, size = POOLS[name]
            found[name] = engine.mean(tensors[source], size, network.deployment.mean)
        else:
            layer = "dense" if name == "logits" else name
            x = tensors[INPUTS[layer]]
            x = x.reshape(len(x), -1) if name == "logits" else x
            found[name] = engine.layer(layer, network.layers[layer], x)
    return found


def differing(a: Arrays, b: Arrays) -> dict[str, int]:
    """How many integers differ, by tensor."""
    return {name: int((a[name] != b[name]).sum()) for name in COMPARED}


def ties(tensors: Arrays, computed: Arrays) -> bool:
    """Whether all means in which ``computed`` differs lie halfway between two integers."""
    for name, (source, size) in POOLS.items():
        x = tensors[source].astype(np.int64)
        batch, height, width, channels = x.shape
        shape = (batch, height // size, size, width // size, size, channels)
        sums = x.reshape(shape).sum(axis=(2, 4))
        wrong = tensors[name] != computed[name]
        if np.any(sums[wrong] % size**2 != size**2 // 2):
            return False
    return True


# ------------------------------------------------------------------------------------ the run


class Study:
    """One trained network and everything that is measured on it."""

    def __init__(self, digits: Digits, epochs: int, images: int | None) -> None:
        self.digits = digits
        self.network = train(digits, epochs=epochs)
        self.scales: dict[str, Scale] = calibrate(self.network, digits.images)
        self.exact = self.network.run(digits.images)["logits"]
        self.images = digits.test_images[:images]
        self.labels = digits.test_labels[:images]

    def quantised(self, formats: dict[str, str], deployment: str) -> QuantisedNetwork:
        return QuantisedNetwork.of(self.network, self.scales, formats, DEPLOYMENTS[deployment])

    def accuracy(self, formats: dict[str, str], deployment: str = "tflite") -> float:
        found = self.quantised(formats, deployment).run(self.images)
        return accuracy(found["logits"], self.labels)

    def digest(self) -> str:
        """Of the trained weights: whether figures belong to this network."""
        parts = [np.ascontiguousarray(a) for pair in self.network.layers.values() for a in pair]
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]

    def choose(self, target: str, progress: Any) -> dict[str, Any]:
        """Sensitivities, costs, the front with what it keeps, and two chosen assignments."""
        macs = self.quantised({}, "tflite").macs()
        data = problem_of(sensitivities(self.network, self.digits.images), macs, target)
        costs, problem, chosen = self._chosen(data, target, progress)
        best = problem.front("area", points=POINTS)
        uniform = front.uniform(problem)
        others = {}
        for other in OTHERS:
            measured, priced, found = self._chosen(data, other, progress)
            whole = priced.assignment(dict.fromkeys(SHAPES, "int8")).totals["area"]
            others[other] = {
                "costs": measured,
                "chosen": {
                    name: {"formats": each.formats, "share": each.totals["area"] / whole}
                    for name, each in found.items()
                },
            }
        return {
            "data": data,
            "costs": costs,
            "layers": problem.layers,
            "front": [self._point(each) for each in best],
            "uniform": {fmt: self._point(each) for fmt, each in uniform.items()},
            "chosen": {name: self._point(each) for name, each in chosen.items()},
            "others": others,
        }

    def _chosen(self, data: Any, target: str, progress: Any) -> tuple[Any, ...]:
        """Costs on a target, the problem with these, and two assignments within the limit."""
        costs = chooser.mac_costs(FORMATS, target, progress=progress)
        problem = chooser.from_json(data, costs)
        whole = problem.assignment(dict.fromkeys(SHAPES, "int8")).totals["area"]
        limit = {"area": SHARE * whole}
        few = restricted(problem, ("int8", "int4")).solve(LOSS, limit)
        chosen = {"int4/int8": few, "any": problem.solve(LOSS, limit)}
        for name, assignment in chosen.items():
            if assignment is None:
                message = f"no assignment of {name} within {SHARE:.0%} of int8's area on {target}"
                raise MacawError(f"{message}: {costs}")
        return costs, problem, chosen

    def _point(self, assignment: Assignment) -> dict[str, Any]:
        """An assignment with its accuracy, and its own divergence beside the sum's."""
        exact = self.exact
        other = rounded(self.network, assignment.formats).run(self.digits.images)["logits"]
        return {
            **assignment.to_json(),
            "divergence": divergence(exact, other),
            "accuracy": self.accuracy(assignment.formats),
        }

    def runtimes(self, mixed: dict[str, str]) -> list[dict[str, Any]]:
        """Golden against the runtimes, layer by layer from the runtime's own tensors."""
        rows = []
        for label, formats in (("int8", {}), ("int4/int8", mixed)):
            for runtime, deployment in (
                (LITERT, "tflite"),
                ("LiteRT, XNNPACK", "xnnpack"),
                (ONNXRUNTIME, "onnxruntime"),
            ):
                network = self.quantised(formats, deployment)
                tensors = self.tensors(runtime, network)
                found = layer_by_layer(network, network, tensors)
                rows.append(
                    {
                        "runtime": runtime,
                        "deployment": deployment,
                        "weights": label,
                        "values": {name: int(tensors[name].size) for name in COMPARED},
                        "differing": differing(found, tensors),
                        "means_differ_in_ties_only": ties(tensors, found),
                        "accuracy": accuracy(tensors["logits"], self.labels),
                    }
                )
        return rows

    def tensors(self, runtime: str, network: QuantisedNetwork) -> Arrays:
        if runtime == ONNXRUNTIME:
            return onnxruntime_tensors(network, self.images)
        kernels = "reference" if runtime == LITERT else "xnnpack"
        return litert_tensors(network, self.images, kernels)

    def profiles(self) -> list[dict[str, Any]]:
        """How often other profiles differ from each runtime, in int8, over all layers."""
        rows = []
        for runtime in (LITERT, ONNXRUNTIME):
            for profile in ("tflite_single", "tflite_double", "hawq", "truncate", REAL):
                network = self.quantised({}, "onnxruntime")
                tensors = self.tensors(runtime, network)
                wrong = total = 0
                for name in ("conv1", "conv3", "conv4"):
                    layer = network.layers[name]
                    if profile == REAL:
                        found = network.layer(name, layer, tensors[INPUTS[name]])
                    else:
                        found = _with_profile(layer, profile)(tensors[INPUTS[name]])
                    wrong, total = wrong + int((found != tensors[name]).sum()), total + found.size
                rows.append(
                    {"runtime": runtime, "profile": profile, "differing": wrong, "values": total}
                )
        return rows

    def simulate(self, mixed: dict[str, str], progress: Any) -> list[dict[str, Any]]:
        """The gates against golden and against the runtimes, layer by layer."""
        rows, built = [], {}
        for label, formats, runtime, deployment in (
            ("int8", {}, LITERT, "tflite"),
            ("int4/int8", mixed, LITERT, "tflite"),
            ("int8", {}, ONNXRUNTIME, "onnxruntime"),
        ):
            reference = self.quantised(formats, deployment)
            network = QuantisedNetwork.of(
                self.network, self.scales, formats, DEPLOYMENTS[deployment].in_gates
            )
            tensors = self.tensors(runtime, reference)
            gates = Gates(network=network, built=built)
            start, before = time.monotonic(), gates.beats
            found = layer_by_layer(network, gates, tensors)
            progress(f"{label} as {deployment}: {gates.beats - before:,} beats simulated")
            rows.append(
                {
                    "runtime": runtime,
                    "weights": label,
                    "images": len(self.images),
                    "beats": gates.beats - before,
                    "seconds": round(time.monotonic() - start, 1),
                    "values": {name: int(tensors[name].size) for name in COMPARED},
                    "from_golden": differing(found, layer_by_layer(network, network, tensors)),
                    "from_runtime": differing(found, tensors),
                    "means_differ_in_ties_only": ties(tensors, found),
                }
            )
        return rows


def _with_profile(layer: Layer, profile: str) -> Layer:
    from dataclasses import replace

    return replace(layer, profile=profile)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--simulate", action="store_true", help="every layer in gates too")
    parser.add_argument("--images", type=positive, help="test images (default: all)")
    parser.add_argument("--epochs", type=positive, default=40)
    parser.add_argument(
        "--target", default="asic", choices=list(TARGETS), help="that areas are measured on"
    )
    results.add_output(parser)
    options = parser.parse_args()
    for name in ("images", "epochs"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} {value}: must be 1 or more")

    def progress(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    # The matrices are too small to be divided between threads.
    with threadpool_limits(1):
        made = measure(options, progress)
    made = with_gates(made, results.read("integer_network", options.output, {}))
    print(results.write("integer_network", made, options.output))
    print(results.write("integer_network_layers", made["choice"]["data"], options.output))


def with_gates(made: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Add gates that were simulated before: they stay true for the same network and choice."""
    same = all(before.get(key) == made[key] for key in ("digest", "images"))
    if "gates" in made or "gates" not in before or not same:
        return made
    if before["choice"]["chosen"] != made["choice"]["chosen"]:
        return made
    return made | {"gates": before["gates"]}


def measure(options: argparse.Namespace, progress: Any) -> dict[str, Any]:
    """All figures."""
    progress("training")
    study = Study(load(), options.epochs, options.images)
    progress("choosing formats")
    made: dict[str, Any] = {
        "digest": study.digest(),
        "images": len(study.labels),
        "calibration": len(study.digits.labels),
        "epochs": options.epochs,
        "float": accuracy(study.network.run(study.images)["logits"], study.labels),
        "share": SHARE,
        "target": options.target,
        "choice": study.choose(options.target, progress),
    }
    chosen = {name: point["formats"] for name, point in made["choice"]["chosen"].items()}
    mixed = chosen["int4/int8"]
    assignments = {fmt: dict.fromkeys(SHAPES, fmt) for fmt in FORMATS} | chosen
    made["accuracy"] = {
        name: {deployment: study.accuracy(formats, deployment) for deployment in DEPLOYMENTS}
        for name, formats in assignments.items()
    }
    progress("running LiteRT and onnxruntime")
    made["runtimes"] = study.runtimes(mixed)
    made["profiles"] = study.profiles()
    if options.simulate:
        made["gates"] = study.simulate(mixed, progress)
    return made


if __name__ == "__main__":
    try:
        main()
    except MacawError as error:
        sys.exit(f"macaw: {error}")
