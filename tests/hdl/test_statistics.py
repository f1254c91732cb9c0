# SPDX-License-Identifier: BSD-2-Clause
"""Gates that count what became of a tensor's elements, against golden, under stalls."""

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from macaw.golden import unit
from macaw.golden.formats import FORMATS, Fixed
from macaw.golden.units import Operand, Unit
from macaw.golden.units.specification import Ports
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
    ({"kind": "dot", "a": "e4m3", "out": "e5m2", "statistics": 8}, {"stages": 0}),
    (
        {"kind": "dot", "a": "e5m2", "out": "e4m3", "statistics": 3, "accumulation": "sequential"},
        {"stages": 2, "flow": "stream"},
    ),
    (
        {"kind": "dot", "a": "e5m2", "out": "fp16", "statistics": 9,
         "accumulation": "tensor-core(hopper)"},
        {"frequency": 60.0, "bus": "axis"},
    ),
    ({"kind": "mac", "a": "e4m3", "out": "e5m2", "statistics": 9}, {"stages": 2, "flow": "stream"}),
    (
        {"kind": "mac", "a": "fp16", "out": "e5m2", "acc": "fp32", "contexts": 3, "statistics": 4},
        {"stages": 5, "flow": "stream"},
    ),
    (
        {"kind": "mac", "a": "e5m2", "out": "e5m2", "acc": "e5m2", "overflow": "saturate",
         "statistics": 2},
        {"stages": 1, "flow": "valid"},
    ),
    (
        {"kind": "block-dot", "a": "mxfp8-e4m3", "out": "fp16", "lanes": 8, "statistics": 5},
        {"stages": 2, "flow": "stream"},
    ),
    (
        {"kind": "block-mac", "a": "mxfp8-e4m3", "out": "e5m2", "lanes": 8, "statistics": 16},
        {"stages": 3, "bus": "axis"},
    ),
    (
        {"kind": "block-quantize", "a": "bf16", "out": "mxfp8-e4m3", "size": 4, "statistics": 8},
        {"stages": 2, "flow": "stream"},
    ),
    (
        {"kind": "block-quantize", "a": "fp32", "out": "nvfp4", "size": 4, "statistics": 3},
        {"fold": 2, "flow": "stream"},
    ),
    (
        {"kind": "block-quantize", "a": "bf16", "out": "flex16+5", "size": 2, "statistics": 9},
        {"stages": 0},
    ),
    ({"kind": "div", "a": "e5m2", "statistics": 8}, {"digits": 2, "flow": "stream"}),
    ({"kind": "sqrt", "a": "e4m3", "statistics": 3}, {"digits": 1, "flow": "valid"}),
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
    assert ports["o_last"] == 1


CAST = unit("cast", a="fp32", out="e5m2", statistics=16)
SCALE = unit("loss-scale", rule="largest", a="e5m2", growth_interval=2, running=True)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "loss-scaling.md"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaledCast(Unit):
    """What the module of docs/loss-scaling.md is: a result for each tensor."""

    kind: ClassVar[str] = "scaled-cast"
    accumulates: ClassVar[bool] = True
    rounds: ClassVar[bool] = False

    @property
    def ports(self) -> Ports:
        bit = Operand(format=Fixed(width=1, signed=False))
        return Ports(
            inputs={"a": Operand(format=FORMATS["fp32"]), "last": bit},
            outputs={"r": SCALE.ports.outputs["r"], "skip": bit},
        )

    def _evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        counts = CAST.evaluate(a=codes["a"], end=codes["last"])
        beats = {name: counts[name] for name in SCALE.ports.inputs if name in counts}
        return SCALE.evaluate(**beats, end=np.zeros_like(codes["last"]))


def test_a_cast_feeds_a_scale_without_gates_between():
    """The module of the documentation, with gaps, against the golden models in a row."""
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    parts = [generate(CAST, stages=2, flow="valid"), generate(SCALE, stages=1, flow="valid")]
    (top,) = re.findall(r"```verilog\n(.*?)```", PAGE.read_text(), re.S)
    ports = [port for port in parts[0].metadata["ports"] if port["direction"] == "input"]
    ports += [port for port in parts[1].metadata["ports"] if port["direction"] == "output"]
    ports = [p | {"operand": "last", "role": "last"} if p["name"] == "i_end" else p for p in ports]
    metadata = parts[0].metadata | {"name": "scaled_cast", "ports": ports, "latency": 3}
    design = SimpleNamespace(
        spec=ScaledCast(),
        implementation=parts[0].implementation,
        metadata=metadata,
        name="scaled_cast",
        verilog="".join(part.verilog for part in parts) + top,
    )
    (model,) = bulk.Model.of_many([design])
    with model:
        tally = bulk.compare(design.spec, [model], stimulus(design.spec, vectors=20_000, seed=4))
    assert tally.failures == {}
    assert tally.vectors == 20_000
