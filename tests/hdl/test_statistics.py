# SPDX-License-Identifier: BSD-2-Clause
"""Gates that count what became of a tensor's elements, against golden, under stalls."""

from typing import Any

import pytest

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.hdl.emit import write_bodies
from macaw.sim.bench import bulk
from macaw.sim.stimulus import stimulus
from macaw.tools import simulators

DESIGNS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "cast", "a": "fp32", "out": "e5m2", "statistics": 16}, {"stages": 0}),
    ({"kind": "cast", "a": "bf16", "out": "e2m1", "statistics": 3}, {"flow": "stream"}),
    (
        {"kind": "cast", "a": "fp16", "out": "e4m3fnuz", "statistics": 2, "rounding": "sr",
         "random": "lfsr"},
        {"stages": 2, "flow": "valid"},
    ),
    (
        {"kind": "cast", "a": "fp32", "out": "binary8p3se", "statistics": 5,
         "overflow": "saturate"},
        {"stages": 2, "flow": "stream"},
    ),
    ({"kind": "cast", "a": "fp32", "out": "e5m2", "statistics": 5, "overflow": "saturate"}, {}),
    ({"kind": "mul", "a": "e4m3", "statistics": 1, "flags": True}, {"stages": 1}),
    (
        {"kind": "fma", "a": "e5m2", "out": "fp16", "statistics": 8, "rounding": "dynamic"},
        {"frequency": 60.0, "bus": "axis"},
    ),
    ({"kind": "div", "a": "e4m3", "statistics": 4}, {"stages": 2, "flow": "stream"}),
    ({"kind": "relu", "a": "fp16", "slope": "1/8", "out": "ue4m3", "statistics": 32},
     {"stages": 3, "flow": "stream", "reset": "async"}),
]  # fmt: skip


def test_bits_are_golden_s():
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    designs = [generate(unit(**parameters), **options) for parameters, options in DESIGNS]
    write_bodies(designs)
    wrong = []
    for design, model in zip(designs, bulk.Model.of_many(designs), strict=True):
        with model:
            chunks = stimulus(design.spec, vectors=4_000, seed=3, chunk=1_000)
            if bulk.compare(design.spec, [model], chunks).failures:
                wrong.append(design.name)
    assert wrong == []


def test_ports():
    design = generate(unit("cast", a="fp32", out="e5m2", statistics=10), flow="stream")
    ports = {port["name"]: port["width"] for port in design.metadata["ports"]}
    wanted = {"i_a": 32, "i_end": 1, "o_r": 8, "o_overflows": 10, "o_underflows": 10}
    assert wanted.items() <= ports.items()
    assert ports["o_largest"] == 8


def test_digits_in_turns_are_refused():
    with pytest.raises(SpecError) as error:
        generate(unit("div", a="fp16", statistics=8), digits=1, flow="valid")
    assert str(error.value) == (
        "digits=1: statistics are counted where all digits are found at once"
    )
