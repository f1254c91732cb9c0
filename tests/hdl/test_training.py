# SPDX-License-Identifier: BSD-2-Clause
"""Gates of scales that follow tensors: against golden, on these and on arbitrary steps."""

from typing import Any

import pytest

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.sim import verify
from macaw.tools import simulators

BULK: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"stages": 0}),
    ({"profile": "ngraph", "contexts": 4, "precision": 8}, {"stages": 3, "flow": "stream"}),
    ({"out": "flex8+5", "length": 5, "alpha": 3, "beta": 2}, {"frequency": 60.0, "flow": "valid"}),
    ({"out": "flex12+5", "length": 8}, {"stages": 1}),
    ({"length": 4, "precision": 8}, {"fold": 4, "stages": 7, "bus": "axis"}),
]


@pytest.mark.parametrize(("parameters", "options"), BULK, ids=str)
def test_bits_are_golden_s(parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit("autoflex", **({"out": "flex16+5"} | parameters))
    report = verify(spec, simulator="bulk", vectors=30_000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_cocotb(simulator: str):
    if simulator not in simulators.available():
        pytest.skip(f"{simulator} is missing")
    spec = unit("autoflex", out="flex8+5", length=3, precision=6)
    report = verify(spec, simulator=simulator, vectors=600, seed=3, stages=2, flow="stream")
    assert report.passed, str(report)


def test_ports():
    design = generate(unit("autoflex", out="flex16+5"), stages=2, flow="stream")
    ports = {port["name"]: port["width"] for port in design.metadata["ports"]}
    assert ports == {
        "clk": 1,
        "rst": 1,
        "i_valid": 1,
        "i_ready": 1,
        "i_maximum": 16,
        "i_scale": 5,
        "i_init": 1,
        "i_end": 1,
        "o_valid": 1,
        "o_ready": 1,
        "o_r": 5,
        "o_settled": 1,
    }


def test_turns_divide_the_history():
    with pytest.raises(SpecError, match="fold=3: must divide length=16"):
        generate(unit("autoflex", out="flex16+5"), fold=3, flow="valid")


SCALES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"growth_interval": 5, "growth": 8, "highest_scale": "2^20"}, {"stages": 0}),
    ({"rule": "underflow", "growth_interval": 1, "allowed": 60_000, "contexts": 3},
     {"stages": 2, "flow": "stream"}),
    ({"rule": "largest", "a": "e5m2", "growth_interval": 2}, {"frequency": 60.0, "bus": "axis"}),
    ({"rule": "largest", "a": "ue4m3", "growth_interval": 1, "margin": 0}, {"flow": "valid"}),
    ({"running": True, "growth_interval": 1}, {"stages": 2}),
    ({"running": True, "rule": "largest", "a": "e5m2", "growth_interval": 2, "contexts": 3},
     {"stages": 3, "flow": "stream"}),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "options"), SCALES, ids=str)
def test_scales_are_golden_s(parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit("loss-scale", **parameters)
    report = verify(spec, simulator="bulk", vectors=30_000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize(("length", "fold"), [(2, 2), (3, 3), (4, 2), (4, 4)])
def test_no_clock_more_than_there_are_turns(length: int, fold: int):
    spec = unit("autoflex", out="flex8+5", length=length)
    assert generate(spec, fold=fold, flow="valid").latency == fold
