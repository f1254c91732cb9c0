# SPDX-License-Identifier: BSD-2-Clause
"""Gates of the random words: against golden, alone and in units with stochastic rounding."""

from typing import Any

import pytest

from macaw.golden import SpecError, unit
from macaw.golden.arithmetic.running.lfsr import PRIMITIVE
from macaw.hdl import generate
from macaw.hdl.arithmetic.words.lfsr import after
from macaw.sim import verify
from macaw.sim.proof.reference.arithmetic import lfsr as reference
from macaw.tools import simulators

BULK: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("lfsr", {}, {"stages": 0}),
    ("lfsr", {"form": "galois", "lanes": 3, "polynomial": 64}, {"stages": 1, "flow": "stream"}),
    ("cast", {"a": "fp16", "out": "e4m3"}, {"stages": 2, "flow": "stream"}),
    ("block-quantize", {"a": "bf16", "out": "mxfp4", "size": 4},
     {"fold": 2, "stages": 5, "bus": "axis"}),
    ("mac", {"a": "e4m3", "acc": "bf16", "out": "bf16"}, {"flow": "valid"}),
    ("pipeline", {"stages": "cast(a=fp16, out=int8, rounding=sr, random=lfsr) | clamp"},
     {"stages": 2, "flow": "stream", "ready": "registered"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parameters", "options"), BULK, ids=str)
def test_bits_are_golden_s(kind: str, parameters: dict[str, Any], options: dict[str, Any]):
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    inside = {} if kind in ("lfsr", "pipeline") else {"rounding": "sr", "random": "lfsr"}
    spec = unit(kind, **inside | parameters)
    report = verify(spec, simulator="bulk", vectors=20_000, seed=3, **options)
    assert report.passed, str(report)


def test_cocotb():
    if "icarus" not in simulators.available():
        pytest.skip("icarus is missing")
    spec = unit("cast", a="e5m2", out="e2m1", rounding="sr", random="lfsr", random_seed=4)
    report = verify(spec, simulator="icarus", vectors=600, seed=3, stages=2, flow="stream")
    assert report.passed, str(report)


@pytest.mark.parametrize("form", ["fibonacci", "galois"])
def test_many_steps_at_once(form: str):
    # The state after n steps, from the rows, and from polynomial arithmetic.
    polynomial, seed = PRIMITIVE[16], 0xACE1
    rows = after(polynomial, form, 1000)
    state = sum((seed & row).bit_count() % 2 << bit for bit, row in enumerate(rows))
    *_, want = reference.FORMS[form](polynomial, seed, 1000, 16, 2)
    assert state == want


def test_ports():
    design = generate(unit("lfsr", width=5, lanes=3), flow="valid")
    ports = {port["name"]: port["width"] for port in design.metadata["ports"]}
    assert ports == {"clk": 1, "rst": 1, "i_valid": 1, "i_reseed": 1, "o_valid": 1, "o_r": 15}


def test_a_beat_a_clock_needs_a_beginning():
    spec = unit("cast", a="fp16", out="e4m3", rounding="sr", random="lfsr")
    with pytest.raises(SpecError, match="reset=none: cast keeps something from beat to beat"):
        generate(spec, reset="none")
