# SPDX-License-Identifier: BSD-2-Clause
"""The training study: its gradients, its arithmetics, what it keeps and what it records."""

import json

import numpy as np
import pytest

from benchmarks.studies import flexpoint_training as study
from benchmarks.studies import training
from docs.pages.flexpoint import training as page
from macaw.golden import FlexTensor
from macaw.sim.proof.reference.arithmetic import flexpoint as reference_flex


def tiny():
    return training.Settings(epochs=1, batch=16, tested=1500)


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_gradients_are_those_of_differences(kind):
    """Backward in float64, against central differences of the loss."""

    class Real(training.FloatArithmetic):
        def load(self, name, values):
            return values.astype(np.float64)

        gradient = load

        def ones(self, count):
            return np.ones((1, count))

        def matmul(self, name, a, b, gradient=""):
            found[name] = a @ b
            return found[name]

        def times(self, name, tensor, factor):
            return tensor * factor

    found = {}
    images, labels, *_ = training.digits(3, 1700)
    images, labels = images[:6], labels[:6]
    arithmetic = Real(training.RECIPES["fp32"], 0)
    network = training.Network(kind, arithmetic, training.Settings(rate=0.0), 1)
    network.step(images, labels)
    gradients = dict(found)
    rng = np.random.default_rng(0)
    for layer in range(len(network.layers)):
        for part, name in (("w", f"{layer}.dw"), ("b", f"{layer}.db")):
            tensor = network.tensors[f"{layer}.{part}"]
            for _ in range(4):
                at = tuple(rng.integers(0, n) for n in tensor.shape)
                losses = []
                for shift in (1e-5, -1e-5):
                    moved = tensor.copy()
                    moved[at] += shift
                    network.tensors[f"{layer}.{part}"] = moved
                    logits, _ = network.forward(images)
                    losses.append(training.cross_entropy(logits, labels)[0])
                network.tensors[f"{layer}.{part}"] = tensor
                want = (losses[0] - losses[1]) / 2e-5
                assert gradients[name][at] == pytest.approx(want, abs=1e-7, rel=1e-4)


@pytest.mark.parametrize("name", ["fp32", "flex16+5", "flex8+5, stochastic", "fp8, stochastic"])
def test_training_repeats_itself(name):
    recipe, settings = training.RECIPES[name], tiny()
    one, two = (training.train(recipe, "mlp", 0, settings) for _ in "ab")
    assert one == two
    assert np.mean(one["losses"][-4:]) < np.mean(one["losses"][:4])


def test_recorded_products_are_what_they_say():
    """Against fractions, with the exponent that the product has."""
    products = training.record("conv", steps=1, batch=1)
    names = [product.name for product in products]
    assert len(set(names)) == 3 + 3 + 3 + 2  # forward, weights, biases, inputs but the first
    rng = np.random.default_rng(2)
    for product in products:
        for _ in range(3):
            i, j = (int(rng.integers(0, n)) for n in product.result.shape)
            exact = reference_flex.dot(
                product.a.mantissas[i].tolist(),
                product.a.exponent,
                product.b.mantissas[:, j].tolist(),
                product.b.exponent,
            )
            want = reference_flex.mantissa(exact, product.result.exponent, 16)
            assert product.result.mantissas[i, j] == want


def test_products_in_a_file(tmp_path):
    file = tmp_path / "new" / "products.npz"
    study.save_products(file, "mlp", 1, 0)
    with np.load(file) as arrays:
        listed = json.loads(str(arrays["products"]))
        assert len(listed) == 11
        for n, entry in enumerate(listed):
            a, b, result = (
                FlexTensor(
                    mantissas=arrays[f"{n:04d}.{role}"],
                    exponent=entry[f"{role}_exponent"],
                    format=entry["format"],
                )
                for role in ("a", "b", "result")
            )
            again = a.matmul(b, result.exponent)
            assert np.array_equal(again.mantissas, result.mantissas)
            assert (again.maximum, again.overflow) == (entry["maximum"], entry["overflow"])


def test_an_interrupted_study_goes_on(tmp_path, capsys, monkeypatch):
    """What is done is read; the page is made of it alone."""
    monkeypatch.setattr(training, "RECIPES", {n: training.RECIPES[n] for n in ("fp32", "flex16+5")})
    settings, kept = tiny(), study.Kept(tmp_path)
    first = study.study(["mlp"], [0], settings, kept, False, 1)
    assert "2 runs, 0 of them done before" in capsys.readouterr().err
    both = study.study(["mlp"], [0, 1], settings, kept, False, 1)
    assert "4 runs, 2 of them done before" in capsys.readouterr().err
    assert [run for run in both if run["seed"] == 0] == first
    assert [(run["name"], run["seed"]) for run in both] == [
        ("fp32", 0),
        ("fp32", 1),
        ("flex16+5", 0),
        ("flex16+5", 1),
    ]
    made = {
        "networks": ["mlp"],
        "recipes": ["fp32", "flex16+5"],
        "seeds": [0, 1],
        "settings": {"tested": 1500, "batch": 16, "epochs": 1, "rate": 0.03, "momentum": 0.9},
        "steps": both[0]["steps"],
        "curve_steps": training.CURVE,
        "runs": both,
        "trace_width": 16,
        "trace": study.exponents(settings, 0),
    }
    made = json.loads(json.dumps(made))
    text = page.page(made)
    assert "steps say nothing of a format" in text
    assert text.count("| flex16+5 |") == 1
    for picture in (page.losses, page.exponents):
        assert picture(made).endswith("</svg>\n")


def made_up(differences):
    """Results of fp32 and flex16+5 that differ so, seed by seed."""
    runs = []
    for seed, difference in enumerate(differences):
        base = {"network": "mlp", "seed": seed, "loss": 0.1 + 0.01 * seed}
        accuracy = 0.95 + 0.003 * seed
        runs.append(base | {"name": "fp32", "accuracy": accuracy})
        runs.append(base | {"name": "flex16+5", "accuracy": accuracy + difference})
    return {"networks": ["mlp"], "runs": runs, "steps": 252, "settings": {"tested": 447}}


def test_the_verdict_follows_the_figures():
    assert page.verdict(made_up([0.001, -0.001, 0.002, -0.001, 0.0])).startswith("**Confirmed")
    assert page.verdict(made_up([-0.02, -0.021, -0.019, -0.02, -0.02])).startswith(
        "**Not confirmed"
    )
