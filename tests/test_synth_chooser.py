# SPDX-License-Identifier: BSD-2-Clause
"""Formats for layers: the integer program against all assignments, one after another."""

import itertools
import json

import numpy as np
import pytest

from macaw.cli import main
from macaw.golden import SpecError
from macaw.synth import chooser
from macaw.synth.chooser import Assignment, Chooser

FORMATS = ("int8", "int4", "int2")


def draw(seed: int, layers: int = 5) -> Chooser:
    """Losses over six decades, costs that are equal here and there."""
    random = np.random.default_rng(seed)
    return Chooser(
        layers={
            f"layer{i}": {
                fmt: {
                    "sensitivity": float(10 ** random.uniform(-6, 0)),
                    "area": float(random.integers(1, 20)),
                    "bits": float(random.uniform(1, 8)),
                }
                for fmt in FORMATS
            }
            for i in range(layers)
        }
    )


def every(problem: Chooser) -> list[Assignment]:
    choices = itertools.product(*problem.layers.values())
    return [problem.assignment(dict(zip(problem.layers, formats))) for formats in choices]


@pytest.mark.parametrize("seed", range(8))
def test_optimum_is_that_of_all_assignments(seed: int):
    problem, random = draw(seed), np.random.default_rng(seed)
    candidates = every(problem)
    for minimise, others in (
        ("area", ["sensitivity"]),
        ("sensitivity", ["area"]),
        ("sensitivity", ["area", "bits"]),
        ("bits", ["area", "sensitivity"]),
    ):
        # Limits that an assignment meets exactly are the hard ones.
        model = candidates[random.integers(len(candidates))]
        limits = {name: model.totals[name] for name in others}
        found = problem.solve(minimise, limits)
        assert found is not None
        assert found == problem.assignment(found.formats)
        possible = [c for c in candidates if all(c.totals[n] <= v for n, v in limits.items())]
        assert found.totals[minimise] == min(c.totals[minimise] for c in possible)
        assert found in possible


@pytest.mark.parametrize("seed", range(3))
def test_front_is_that_of_all_assignments(seed: int):
    problem = draw(seed, 4)
    points = {(c.totals["area"], c.totals["sensitivity"]) for c in every(problem)}
    best = sorted(
        (p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)),
        reverse=True,
    )
    found = problem.front("area")
    assert [(c.totals["area"], c.totals["sensitivity"]) for c in found] == best


def test_no_assignment_is_good_enough():
    assert draw(1).solve("area", {"sensitivity": 0.0}) is None


LAYERS = {
    "layers": [
        {"name": "first", "macs": 10, "weights": 4, "formats": {"int8": 0.0, "int4": 0.5}},
        {"macs": 100, "weights": 2, "formats": {"int8": {"sensitivity": 0}, "int4": 0.125}},
    ]
}


def test_reads_json():
    problem = chooser.from_json(LAYERS, {"int8": 20.0, "int4": 8.0})
    assert problem.layers["first"]["int4"] == {"sensitivity": 0.5, "bits": 16, "area": 80}
    assert problem.layers["layer2"]["int8"] == {"sensitivity": 0, "bits": 16, "area": 2000}
    assert chooser.parse_limit("area=50%", problem) == ("area", 1100)
    assert chooser.parse_limit("bits=17", problem) == ("bits", 17)
    found = problem.solve("sensitivity", dict([chooser.parse_limit("area=50%", problem)]))
    assert found is not None
    assert found.formats == {"first": "int8", "layer2": "int4"}
    assert chooser.unpriced(LAYERS) == ["int8", "int4"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "layers: must be a list"),
        ({"layers": []}, "one at least"),
        ({"layers": [{"formats": {}}]}, "each must have formats"),
        ({"layers": [{"name": "a"}]}, "number 1 must have formats"),
        ({"layers": [{"macs": -1, "formats": {"int8": 0}}]}, "macs=-1"),
        ({"layers": [{"formats": {"int8": -1.0}}]}, "sensitivity=-1.0: must be a number >= 0"),
        ({"layers": [{"formats": {"int8": 0, "int4": {"bits": 1}}}]}, "int4: has bits; others"),
        ({"layers": [{"name": "a", "formats": {"int8": 0}}] * 2}, "a is there twice"),
        ({"layers": [{"weights": 3, "formats": {"frob": 0}}]}, "frob"),
    ],
)
def test_bad_layers(data, message: str):
    with pytest.raises(SpecError, match=message):
        chooser.from_json(data)


def test_bad_limits():
    problem = draw(1)
    for text, message in (
        ("area", "figure=number"),
        ("area=much", "figure=number"),
        ("frob=10%", "frob: must be one of sensitivity, area, bits"),
    ):
        with pytest.raises(SpecError, match=message):
            chooser.parse_limit(text, problem)
    with pytest.raises(SpecError, match="a limit must be"):
        problem.solve("area", {"bits": -1.0})
    with pytest.raises(SpecError, match="frob: must be one of"):
        problem.solve("frob", {})


def test_command_line(tmp_path, capsys):
    file, plot = tmp_path / "layers.json", tmp_path / "front.svg"
    file.write_text(json.dumps(LAYERS))
    arguments = ["choose", str(file), "--cost", "bits", "--json"]
    assert main([*arguments, "--limit", "bits=30", "--plot", str(plot)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chosen"]["formats"] == {"first": "int4", "layer2": "int4"}
    assert plot.read_text().startswith("<svg")
    assert main(arguments) == 0
    front = json.loads(capsys.readouterr().out)["front"]
    assert [point["totals"]["bits"] for point in front] == [48, 40, 32, 24]
    assert main([*arguments, "--limit", "bits=3"]) == 1
    assert main(["choose", str(file), "--limit", "bits"]) == 2
