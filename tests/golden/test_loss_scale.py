# SPDX-License-Identifier: BSD-2-Clause
"""The next scale of a loss: the rules on steps by hand, and against the reference."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, unit
from macaw.golden.arithmetic.running.loss_scale import ENDLESS, State, rooms
from macaw.golden.formats import FORMATS, Float
from macaw.golden.units.training import LossScale, exponent_of_two
from macaw.sim.proof.outsiders.check import by_reference
from macaw.sim.stimulus import stimulus


def scale(**parameters: Any) -> LossScale:
    spec = unit("loss-scale", **parameters)
    assert isinstance(spec, LossScale)
    return spec


def exponents(spec: LossScale, **steps: Any) -> list[int]:
    codes = {name: np.array(column) for name, column in steps.items()}
    codes.setdefault("end", np.zeros(len(codes["overflows"]), np.uint8))
    return spec.evaluate(**codes)["r"].view(np.int8).tolist()


def test_defaults_are_those_of_gradscaler():
    # growth_factor=2, backoff_factor=0.5, growth_interval=2000, init_scale=65536
    spec = scale()
    overflows = np.zeros(6001, np.uint16)
    overflows[2500] = 1
    r = exponents(spec, overflows=overflows)
    assert r[:1999] == [16] * 1999
    assert r[1999:2500] == [17] * 501
    assert r[2500:4500] == [16] * 2000
    assert r[4500:] == [17] * 1501


def test_bad_steps_are_to_be_left_out():
    results = scale().evaluate(overflows=[0, 3, 0, 65535], end=[0] * 4)
    assert results["skip"].tolist() == [0, 1, 0, 1]
    assert results["r"].tolist() == [16, 15, 15, 14]


def test_scales_stay_within_their_limits():
    spec = scale(
        growth_interval=1, growth=8, backoff="1/4", lowest_scale="2^14", highest_scale=2**18
    )
    assert exponents(spec, overflows=[0, 0, 1, 1, 1, 0]) == [18, 18, 16, 14, 14, 17]


def test_while_values_are_lost():
    spec = scale(rule="underflow", growth_interval=2, allowed=5)
    lost = [6, 5, 6, 9, 6, 6, 0]
    assert exponents(spec, overflows=[0] * 7, underflows=lost) == [16, 16, 16, 17, 17, 18, 18]
    assert exponents(spec, overflows=[0, 1, 0, 0], underflows=[9] * 4) == [16, 15, 15, 16]


def test_by_the_largest_magnitude():
    # 448 is the largest of e4m3; 1 may grow to 256, 1.75 to 448, 1.875 to 240.
    spec = scale(rule="largest", a="e4m3", growth_interval=1, margin=0)
    for value, grows in ((1, 8), (1.75, 8), (1.875, 7), (448, 0), (2**-9, 17), (-1, 8)):
        code = spec.a and spec.a.encode([value])
        assert exponents(spec, overflows=[0], largest=code) == [16 + grows]
    assert exponents(spec, overflows=[0], largest=[0x80]) == [127], "zero"
    assert exponents(spec, overflows=[0, 0], largest=[0x7F, 0xFF]) == [15, 14], "NaN"


def test_up_to_the_least_candidate_and_down_at_once():
    spec = scale(rule="largest", a="fp16", growth_interval=3)
    assert spec.a is not None
    # 2**15 is the largest power of two: the candidates are higher by 14 less the exponent.
    values = np.exp2([10.0, 3, 12, 15, 15, 0, 0])
    r = exponents(spec, overflows=[0] * 7, largest=spec.a.encode(values))
    assert r == [16, 16, 18, 17, 16, 16, 16]


def test_contexts_take_turns_and_end_begins_anew():
    spec = scale(growth_interval=2, contexts=2)
    assert exponents(spec, overflows=[0, 1, 0, 0, 0, 0]) == [16, 15, 17, 15, 17, 16]
    r = exponents(spec, overflows=[1, 1, 1, 1, 0, 0], end=[1, 0, 0, 0, 0, 0])
    assert r == [15, 15, 15, 14, 15, 14]


def test_running_counts_are_a_step_in_their_last_beat():
    spec = scale(growth_interval=1, contexts=2, running=True)
    overflows, last = [0, 0, 9, 1, 0, 1, 0], [1, 0, 0, 1, 1, 1, 0]
    assert exponents(spec, overflows=overflows, last=last) == [17, 15, 18, 14]
    # The end of a beat that is no step ends nothing.
    r = exponents(spec, overflows=[0, 0, 0], last=[1, 1, 1], end=[1, 0, 0])
    assert r == [17, 17, 17]
    r = exponents(spec, overflows=[0, 0, 0, 0], last=[0, 1, 1, 1], end=[1, 0, 0, 0])
    assert r == [17, 17, 18]
    assert exponents(spec, overflows=[3], last=[0]) == []


def test_running_is_a_truth():
    with pytest.raises(SpecError, match=r"^running=2: must be"):
        scale(running=2)


@pytest.mark.parametrize(
    "parameters",
    [
        {"growth_interval": 3},
        {"rule": "underflow", "growth_interval": 2, "allowed": 30_000, "contexts": 3},
        {"rule": "largest", "a": "e5m2", "growth_interval": 2},
        {"rule": "largest", "a": "e4m3ftz", "growth_interval": 1, "margin": 5},
        {"rule": "largest", "a": "e8m0", "lowest_scale": 1, "highest_scale": "2^16"},
        {"rule": "largest", "a": "dlfloat16", "growth_interval": 5, "contexts": 2},
        {"rule": "largest", "a": "e5m2", "growth_interval": 1, "contexts": 3, "running": True},
    ],
    ids=str,
)
def test_against_fractions(parameters: dict[str, Any]):
    spec = scale(**parameters)
    for codes in stimulus(spec, vectors=3000, seed=5):
        steps = int(codes["last"].sum()) if spec.running else 3000
        assert by_reference(spec, codes) == steps
        assert len(np.unique(spec.evaluate(**codes)["r"])) > 5


@pytest.mark.parametrize("name", ["e4m3", "e5m2", "e3m2", "ue4m3", "fp16"])
def test_room_is_the_largest_power_of_two(name: str):
    fmt = FORMATS[name]
    assert isinstance(fmt, Float)
    values = fmt.decode(np.arange(fmt.max_code + 1))
    for value, room in zip(values.tolist(), rooms(values, fmt.max).tolist(), strict=True):
        if not value:
            assert room == ENDLESS
            continue
        grown = Fraction(value) * Fraction(2) ** room
        assert grown <= Fraction(fmt.max) < 2 * grown


def test_a_loop_in_python_does_what_the_unit_does():
    spec = scale(rule="largest", a="fp16", growth_interval=3)
    assert spec.a is not None
    (codes,) = stimulus(spec, vectors=400, seed=1)
    codes["end"][:] = 0
    state, results = spec.scaler.start, []
    for overflows, value in zip(codes["overflows"], spec.a.decode(codes["largest"]), strict=True):
        state, skip = spec.scaler.step(state, int(overflows), largest=float(value))
        results.append((state.exponent, int(skip)))
    have = spec.evaluate(**codes)
    assert results == list(zip(have["r"].view(np.int8).tolist(), have["skip"].tolist()))
    assert spec.scaler.start == State(16, 0, 0)


@pytest.mark.parametrize(
    ("value", "exponent"),
    [(1, 0), ("2^16", 16), ("2**-3", -3), ("0.125", -3), (0.5, -1), ("1/4", -2), (2**70, 70)],
)
def test_powers_of_two(value: Any, exponent: int):
    assert exponent_of_two(value) == exponent


@pytest.mark.parametrize(
    "value", [0, -2, 3, "2^", "2^x", "1/3", "", True, None, "nan", float("inf")]
)
def test_what_is_no_power_of_two(value: Any):
    assert exponent_of_two(value) is None


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"rule": "other"}, "rule=other: must be one of dynamic, underflow, largest"),
        ({"rule": "largest"}, "a=none: must be a float format with rule=largest"),
        ({"a": "fp16"}, "a=fp16: must be none with rule=dynamic"),
        ({"rule": "largest", "a": "int8"}, "a=int8: must be a float format"),
        ({"growth": 3}, r"growth=3: must be a power of two from 2\^1 to 2\^64"),
        ({"backoff": 2}, r"backoff=2: must be a power of two from 2\^-64 to 2\^-1"),
        ({"init_scale": "2^130"}, r"init_scale=2\^130: must be a power of two from .* to 2\^127"),
        ({"highest_scale": "8"}, r"init_scale=2\^16: must be a power of two from 2\^-126 to 2\^3"),
        ({"growth_interval": 0}, "growth_interval=0: must be an integer from 1 to 65536"),
        ({"allowed": 4}, "allowed=4: must be 0 unless rule=underflow"),
        ({"margin": 2}, "margin=2: must be 1 unless rule=largest"),
        ({"rule": "largest", "a": "fp16", "growth": 4}, r"growth=2\^2: must be 2\^1 with .*"),
    ],
)  # fmt: skip
def test_refusals(parameters: dict[str, Any], said: str):
    with pytest.raises(SpecError, match=f"^{said}$"):
        unit("loss-scale", **parameters)


def test_refused_arrays():
    with pytest.raises(CodeError, match=r"loss-scale: shape \(2, 1\): must have one axis"):
        scale().evaluate(overflows=[[0], [1]], end=0)
    with pytest.raises(CodeError, match="loss-scale: no operand underflows; it has overflows, end"):
        scale().evaluate(overflows=[0], underflows=[0], end=[0])
