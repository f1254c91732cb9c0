# SPDX-License-Identifier: BSD-2-Clause
"""``macaw choose``: the assignments found, and what is refused unmeasured."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_line import Run

from macaw.synth import at_clock, chooser
from macaw.synth.chooser import LOSS
from macaw.synth.mapping.targets import Target

LAYERS = {
    "layers": [
        {"name": "first", "macs": 10, "weights": 4, "formats": {"int8": 0.0, "int4": 0.5}},
        {"macs": 100, "weights": 2, "formats": {"int8": {"sensitivity": 0}, "int4": 0.125}},
    ]
}


def test_assignments(run: Run) -> None:
    Path("layers.json").write_text(json.dumps(LAYERS))
    arguments = ("choose", "layers.json", "--cost", "bits", "--json")
    outcome = run(*arguments, "--limit", "bits=30", "--plot", "front.svg")
    assert outcome.code == 0, outcome.err
    assert outcome.json["chosen"]["formats"] == {"first": "int4", "layer2": "int4"}
    assert Path("front.svg").read_text().startswith("<svg")
    outcome = run(*arguments)
    assert outcome.code == 0, outcome.err
    front = outcome.json["front"]
    assert [point["totals"]["bits"] for point in front] == [48, 40, 32, 24]
    assert run(*arguments, "--limit", "bits=3").code == 1
    assert run("choose", "layers.json", "--limit", "bits").code == 2


def test_pairs_and_floats(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    areas = {"int-mac": 80, "mac": 160, "block-dot": 800}
    asked = []

    def price(spec: Any, place: Target, **_: object) -> tuple[SimpleNamespace, str]:
        factors = spec.parameters["b"], spec.parameters["a"]
        asked.append((place.name, spec.kind, spec.macs, *factors))
        return SimpleNamespace(cost=areas[spec.kind]), "lut"

    monkeypatch.setattr("macaw.synth.work.price", price)
    formats = {"int4*int8": 0.3, "e2m1": 0.2, "mxfp4:mxfp8-e4m3": 0.1}
    layer = {"name": "only", "macs": 2, "weights": 8, "formats": formats}
    Path("layers.json").write_text(json.dumps({"layers": [layer]}))
    outcome = run("choose", "layers.json", "--target", "xilinx7", "--json")
    assert outcome.code == 0, outcome.err
    assert asked == [
        ("xilinx7", "int-mac", 8, "int4", "int8"),
        ("xilinx7", "mac", 8, "e2m1", "int8"),
        ("xilinx7", "block-dot", 8, "mxfp4", "mxfp8-e4m3"),
    ]
    found = [(point["formats"]["only"], point["totals"]) for point in outcome.json["front"]]
    assert found == [
        ("mxfp4:mxfp8-e4m3", {LOSS: 0.1, "bits": 8 * 4 + 8 * 8 / 32, "area": 200}),
        ("e2m1", {LOSS: 0.2, "bits": 32, "area": 40}),
        ("int4*int8", {LOSS: 0.3, "bits": 32, "area": 20}),
    ]


def test_areas_at_a_clock(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [
        {"name": "first", "macs": 10, "formats": {"int2": 0.2, "int3": 0.1}},
        {"name": "last", "macs": 1, "formats": {"int3": 0.1, "e2m1": {"area": 5, LOSS: 0.3}}},
    ]
    Path("layers.json").write_text(json.dumps({"layers": layers}))
    arguments = ("choose", "layers.json", "--activation", "int2", "--clock", "50FO4")
    outcome = run(*arguments, "--json", "--limit", "sensitivity=9")
    assert outcome.code == 0, outcome.err
    told = outcome.json
    assert (told["clock"], told["not_reached"]) == ("50 FO4", {})
    stages = told["stages"]
    for name in ("int2", "int3"):
        spec = chooser.mac_unit(name, "int2")
        at, result, reached = at_clock(spec, "asic", "50FO4", multiplier="auto")
        other = at_clock(spec, "asic", "50FO4", multiplier="lut")
        assert reached
        assert told["costs"][name] * 8 in (result.cost, other[1].cost)
        assert stages[name] in (at, other[0])
    assert told["chosen"]["formats"] == {"first": "int2", "last": "e2m1"}

    # As if int2 were the slower one.
    real = chooser.at_clock

    def slow(spec, *rest, **options):
        found = real(spec, *rest, **options)
        return (*found[:2], spec.b.name != "int2")

    monkeypatch.setattr(chooser, "at_clock", slow)
    outcome = run(*arguments, "--limit", "sensitivity=9")
    assert outcome.code == 0, outcome.err
    assert "int2 not reached (" in outcome.out
    assert f"int3 {stages['int3']} stage" in outcome.out
    told = run(*arguments, "--json", "--limit", "sensitivity=9").json
    assert told["chosen"]["formats"] == {"first": "int3", "last": "e2m1"}
    assert list(told["not_reached"]) == ["int2"]
    assert "int2" not in told["costs"]
    layers[0]["formats"].pop("int3")
    Path("layers.json").write_text(json.dumps({"layers": layers}))
    outcome = run(*arguments)
    assert outcome.code == 2
    assert "macaw: first: no format reaches the clock (int2: " in outcome.err.splitlines()[-1]


def network(**second: object) -> dict[str, object]:
    return {
        "layers": [
            {"name": "conv1", "macs": 1, "weights": 1, "formats": {"binary": 0.5}},
            {"name": "conv2", "macs": 1, "weights": 1, "formats": {"binary": 0.5, **second}},
        ]
    }


@pytest.mark.parametrize(
    ("network", "arguments", "words"),
    [
        (network(fp64=0.1), [], ["conv2, fp64", "int8", "at most 32 bits", "figure area"]),
        (network(mxfp4=0.1), [], ["conv2, mxfp4", "int8", "mxfp4:mxfp4", "figure area"]),
        (network(**{"mxfp4*int8": 0.1}), [], ["conv2, mxfp4*int8", "int8 is no block format"]),
        (network(**{"int4:mxfp4": 0.1}), [], ["conv2, int4:mxfp4", "int4 is no block format"]),
        (network(**{"fp64:fp32": 0.1}), [], ["conv2, fp64:fp32", "at most 32 bits"]),
        (network(**{"int4*": 0.1}), [], ["conv2, int4*", "must be weight:activation"]),
        (network(fp8=0.1), [], ["conv2, fp8", "e4m3 or e5m2"]),
        (network(e2m1=-0.5), [], ["conv2, e2m1", "sensitivity=-0.5"]),
        (network(e2m1={"sensitivity": 0.1, "power": 1}), [], ["conv2, e2m1", "power"]),
        (network(), ["--limit", "power=3"], ["power", "sensitivity, bits, area"]),
        (network(), ["--limit", "area=-3"], ["area=-3", "from 0 on"]),
        (network(), ["--minimise", "power", "--limit", "area=3"], ["power: must be one of"]),
        (network(), ["--target", "nowhere"], ["nowhere"]),
        (network(), ["--clock", "fast"], ["clock=fast: must be MHz"]),
        (network(), ["--clock", "200"], ["clock=200 MHz: target asic takes FO4"]),
        (network(), ["--clock", "50FO4", "--cost", "bits"], ["clock=50FO4: no area is measured"]),
        (network(), ["--activation", "int7x"], ["conv1, conv2, binary", "int7x"]),
        (network(), ["--plot", "nowhere/front.svg"], ["nowhere/front.svg", "no such folder"]),
        (network(), ["--plot", "."], [". cannot be written: Is a directory"]),
    ],
)
def test_all_is_checked_before_anything_is_measured(
    run: Run, network, arguments, words, monkeypatch
):
    def measure(*_: object, **__: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr("macaw.synth.work.run", measure)
    Path("layers.json").write_text(json.dumps(network))
    outcome = run("choose", "layers.json", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    (*_, line) = outcome.err.splitlines()
    assert [word for word in words if word not in line] == []
