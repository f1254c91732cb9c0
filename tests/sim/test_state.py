# SPDX-License-Identifier: BSD-2-Clause
"""State that ``end`` closes: stimulus, handshakes and drain beats, with a unit made for it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from macaw.golden.arithmetic.operands import Operands
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed
from macaw.golden.units import Operand, Ports, Unit
from macaw.hdl import Datapath, generate
from macaw.hdl import units as hdl_units
from macaw.sim import verify
from macaw.sim.bench.interface import Interface
from macaw.sim.stimulus import exhaustive, stimulus
from macaw.tools import simulators

WORD, BIT = Fixed(width=11, signed=False), Fixed(width=1, signed=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak(Unit):
    """Largest operand of a tensor so far; with ``sequences``, one result for each of them."""

    kind: ClassVar[str] = "peak"

    sequences: bool = False
    forgetful: bool = True

    @property
    def accumulates(self) -> bool:  # type: ignore[override]
        return self.sequences

    @property
    def stateful(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return f"peak_{self.sequences:d}{self.forgetful:d}"

    @property
    def ports(self) -> Ports:
        names = ("last", "end") if self.sequences else ("end",)
        inputs = {"a": Operand(format=WORD)} | {name: Operand(format=BIT) for name in names}
        return Ports(inputs=inputs, outputs={"r": Operand(format=WORD)})

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        arrays = Operands.of(self.ports.inputs, codes, self.kind).arrays
        beats = arrays.get("last", np.ones_like(arrays["end"]))
        peak, results = 0, []
        for a, last, end in zip(arrays["a"], beats, arrays["end"], strict=True):
            peak = max(peak, int(a))
            if last:
                results.append(peak)
                peak = 0 if end else peak
        return {"r": np.array(results, WORD.code_dtype)}


class PeakDatapath(Datapath):
    spec: Peak

    def build(self, p, *, a, end, last=None):
        last = p.constant(1, 1) if last is None else last
        with p.loop(a, end, last) as loop:
            held = loop.state(11, "peak", init=0)
            peak = p.mux(held < a, a, held)
            closed = (last & end) if self.spec.forgetful else p.constant(0, 1)
            loop.close(held, peak & ~closed)
        return {"r": peak, "done": last} if self.spec.sequences else {"r": peak}


@pytest.fixture(autouse=True)
def catalogue(monkeypatch):
    monkeypatch.setitem(hdl_units.DATAPATHS, Peak, PeakDatapath)


OPTIONS = [
    {"stages": 0},
    {"stages": 2},
    {"stages": 1, "flow": "valid"},
    {"stages": 2, "flow": "stream"},
    {"stages": 1, "bus": "axis", "ready": "registered"},
]


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_results_are_golden_s(options, sequences):
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    # More than one chunk: each begins as after reset.
    spec = Peak(sequences=sequences)
    report = verify(spec, simulator="bulk", vectors=300_000, seed=1, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("options", [OPTIONS[1], OPTIONS[4]], ids=str)
def test_cocotb(options, sequences):
    if "icarus" not in simulators.available():
        pytest.skip("icarus is missing")
    spec = Peak(sequences=sequences)
    report = verify(spec, simulator="icarus", vectors=1000, seed=1, **options)
    assert report.passed, str(report)


def test_state_that_end_does_not_close_is_found():
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    spec = Peak(forgetful=False)
    assert not verify(spec, simulator="bulk", vectors=1000, seed=1).passed


@pytest.mark.parametrize("sequences", [False, True])
def test_stimulus_ends_tensors_of_many_lengths(sequences):
    chunks = list(stimulus(Peak(sequences=sequences), vectors=300_000, seed=3))
    assert all(chunk["end"][-1] for chunk in chunks)
    codes = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    end = codes["end"]
    if sequences:
        assert all(chunk["last"][-1] for chunk in chunks)
        assert 0.1 < end[codes["last"] == 0].mean() < 0.3, "means nothing there"
        end = end[codes["last"] != 0]
    lengths = np.diff(np.flatnonzero(end), prepend=-1)
    assert lengths.min() == 1
    assert lengths.max() > 90


def test_nothing_exhaustive_about_state():
    with pytest.raises(SpecError, match="has state"):
        next(exhaustive(Peak()))


@pytest.mark.parametrize(("sequences", "boundary"), [(False, "end"), (True, "last")])
def test_tlast(sequences, boundary):
    design = generate(Peak(sequences=sequences), bus="axis")
    pins = {pin["name"]: pin for pin in design.metadata["ports"]}
    assert pins["s_axis_tlast"]["operand"] == boundary
    # 11 bits in two bytes, and `end` in one more where `last` is TLAST
    assert pins["s_axis_tdata"]["width"] == (24 if sequences else 16)
    interface = Interface.of(design.metadata, design.spec.ports)
    fields = [[field.name for field in wire.fields] for wire in interface.inputs]
    assert fields == [["a", "end"] if sequences else ["a"], [boundary]]
