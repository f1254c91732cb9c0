# SPDX-License-Identifier: BSD-2-Clause
"""The network in integers: golden, gates and two runtimes give the same."""

import numpy as np
import pytest

from benchmarks.studies import integer_network as study
from benchmarks.studies.digits_network import SHAPES, accuracy
from benchmarks.studies.network_runtimes import litert_tensors, onnxruntime_tensors
from benchmarks.studies.quantised_network import DEPLOYMENTS, REAL
from macaw.golden import format

MIXED = {"conv2": "int4", "conv4": "int4"}


@pytest.fixture(scope="module")
def made() -> study.Study:
    return study.Study(study.load(), epochs=3, images=None)


def test_float_and_integers_agree(made: study.Study):
    """Few of 497 images: the quantisation is that of this network."""
    exact = made.network.run(made.images)["logits"]
    assert accuracy(exact, made.labels) > 0.85
    for deployment in DEPLOYMENTS:
        found = made.quantised({}, deployment).run(made.images)["logits"]
        same = (found.argmax(axis=1) == exact.argmax(axis=1)).mean()
        assert same > 0.97, deployment


@pytest.mark.parametrize("formats", [{}, MIXED], ids=["int8", "mixed"])
@pytest.mark.parametrize("kernels", ["reference", "xnnpack"])
def test_litert_has_these_integers(made: study.Study, formats: dict, kernels: str):
    deployment = "tflite" if kernels == "reference" else "xnnpack"
    network = made.quantised(formats, deployment)
    tensors = litert_tensors(network, made.images, kernels)
    wrong = study.differing(study.layer_by_layer(network, network, tensors), tensors)
    if kernels == "xnnpack":
        # It rounds residual sums in a way of its own.
        assert wrong.pop("residual") < 100
    assert not any(wrong.values()), wrong


@pytest.mark.parametrize("formats", [{}, MIXED], ids=["int8", "mixed"])
def test_onnxruntime_has_these_integers(made: study.Study, formats: dict):
    network = made.quantised(formats, "onnxruntime")
    tensors = onnxruntime_tensors(network, made.images)
    found = study.layer_by_layer(network, network, tensors)
    wrong = study.differing(found, tensors)
    # Means in fp32: what lies halfway between two integers goes where the error pushes it.
    assert study.ties(tensors, found)
    assert not any(count for name, count in wrong.items() if name not in ("pool1", "pool2")), wrong


def test_wrong_profiles_are_seen(made: study.Study):
    rows = {(r["runtime"], r["profile"]): r["differing"] for r in made.profiles()}
    assert rows[study.LITERT, "tflite_double"] == 0
    assert rows[study.LITERT, "tflite_single"] > 0
    assert rows[study.ONNXRUNTIME, REAL] == 0
    assert rows[study.ONNXRUNTIME, "truncate"] > 0


def test_gates_have_these_integers(made: study.Study):
    """From the image to the logits, one image, with pauses; mixed formats."""
    network = made.quantised(MIXED, "tflite")
    gates = study.Gates(network=network)
    found = network.run(made.images[:2], gates)
    tensors = litert_tensors(network, made.images[:2], "reference")
    for name in study.COMPARED:
        assert np.array_equal(found[name], tensors[name]), name


def test_choice_keeps_within_its_area(made: study.Study):
    losses = study.sensitivities(made.network, made.digits.images[:200])
    assert set(losses) == set(SHAPES)
    macs = made.quantised({}, "tflite").macs()
    costs = {fmt: float(format(fmt).width) for fmt in study.FORMATS}
    data = study.problem_of(losses, macs, "asic")
    problem = study.chooser.from_json(data, costs)
    whole = problem.assignment(dict.fromkeys(SHAPES, "int8")).totals["area"]
    best = problem.solve("sensitivity", {"area": 0.6 * whole})
    assert best is not None
    assert best.totals["area"] <= 0.6 * whole
    # A layer's own rounding loses what its sensitivity says.
    only = study.rounded(made.network, {"conv1": "int3"})
    exact = made.network.run(made.digits.images[:200])["logits"]
    lost = study.divergence(exact, only.run(made.digits.images[:200])["logits"])
    assert lost == losses["conv1"]["int3"]
    assert losses["conv1"]["int8"] < losses["conv1"]["int4"] < losses["conv1"]["ternary"]
