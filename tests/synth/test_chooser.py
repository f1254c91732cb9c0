# SPDX-License-Identifier: BSD-2-Clause
"""Formats for layers: the integer program against all assignments, one after another."""

import itertools

import numpy as np
import pytest

from macaw.golden import SpecError, ToolError
from macaw.golden.units import unit
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
    assert chooser.unpriced(LAYERS) == {"int8": "first, layer2", "int4": "first, layer2"}


GIVEN = {
    "layers": [
        {
            "name": "first",
            "macs": 10,
            "weights": 4,
            "formats": {
                "int8": 0.0,
                "int4": {"sensitivity": 0.5, "area": 3},
                "ours": {"sensitivity": 0.1, "area": 7, "bits": 12},
            },
        },
        {"name": "second", "macs": 1, "weights": 1, "formats": {"int8:int16": 0.25}},
    ]
}


def test_figures_that_are_given_stay_and_are_not_asked_for():
    assert chooser.unpriced(GIVEN) == {"int8": "first", "int8:int16": "second"}
    problem = chooser.from_json(GIVEN, {"int8": 20.0, "int8:int16": 50.0})
    assert problem.layers["first"] == {
        "int8": {"sensitivity": 0.0, "bits": 32, "area": 200},
        "int4": {"sensitivity": 0.5, "bits": 16, "area": 3},
        "ours": {"sensitivity": 0.1, "bits": 12, "area": 7},
    }
    assert problem.layers["second"]["int8:int16"] == {"sensitivity": 0.25, "bits": 8, "area": 50}
    with pytest.raises(SpecError, match="second, int8:int16: has no area"):
        chooser.from_json(GIVEN, {"int8": 20.0})


@pytest.mark.parametrize(
    ("weight", "kind", "a", "b"),
    [
        ("int8", "int-mac", "int8", "int8"),
        ("e2m1", "mac", "int8", "e2m1"),
        ("e4m3", "mac", "int8", "e4m3"),
        ("bf16", "dot", "int8", "bf16"),
        ("fx8.6", "mac", "int8", "fx8.6"),
        ("e4m3:e5m2", "mac", "e5m2", "e4m3"),
        ("binary:bf16", "dot", "bf16", "binary"),
        ("mxfp4:mxfp8-e4m3", "block-dot", "mxfp8-e4m3", "mxfp4"),
    ],
)
def test_any_pair_that_units_take_has_one(weight, kind, a, b):
    spec = chooser.mac_unit(weight)
    assert (spec.kind, spec.macs) == (kind, 8)
    assert (spec.parameters["a"], spec.parameters["b"]) == (a, b)


def test_a_pair_and_a_float_are_measured_in_their_own_unit():
    found = chooser.mac_costs(["int2*int3", "e1m1"], activation="int2", lanes=2)
    specs = {
        "int2*int3": unit("int-mac", a="int3", b="int2", lanes=2),
        "e1m1": unit("mac", a="int2", b="e1m1", out="fp32", lanes=2),
    }
    place = chooser.targets.target("asic")
    assert found == {
        name: chooser.work.price(spec, place, area_only=True)[0].cost / 2
        for name, spec in specs.items()
    }


def test_what_was_measured_is_kept_when_another_format_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    real, asked = chooser.work.run, []

    def run(design, place, **options):
        asked.append(design.name)
        if "ternary" in design.name:
            raise ToolError("yosys: out of memory")
        return real(design, place, **options)

    monkeypatch.setattr("macaw.synth.work.run", run)
    with pytest.raises(ToolError) as caught:
        chooser.mac_costs({"ternary": "conv1, conv3", "binary": "conv2"}, "ice40")
    told = str(caught.value)
    for words in ("conv1, conv3, ternary", "out of memory", "kept: binary", "figure area"):
        assert words in told
    assert [name.partition("_s")[0] for name in asked] == [
        "int_mac8_int8_ternary",
        "int_mac8_int8_binary",
    ]
    spec = chooser.mac_unit("binary")
    result, _ = chooser.work.price(spec, chooser.targets.target("ice40"), area_only=True)
    assert result.cached


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
