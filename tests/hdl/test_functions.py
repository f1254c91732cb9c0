# SPDX-License-Identifier: BSD-2-Clause
"""Gates of integer functions: against golden, and their pieces against Python's integers."""

import math
from typing import Any

import numpy as np
import pytest
from simulated import simulated

from macaw.golden import SpecError, unit
from macaw.hdl import Implementation, build
from macaw.hdl.arithmetic.divide import floor_divide
from macaw.hdl.arithmetic.shift import floored
from macaw.hdl.arithmetic.words.square_root import squared
from macaw.hdl.schedule.scheduler import Scheduler
from macaw.hdl.schedule.table import lookup
from macaw.hdl.schedule.wire import cat
from macaw.sim import verify
from macaw.sim.stimulus import crossing, exhaustive_bits, stimulus

Parameters = dict[str, Any]

# units with every code
SMALL: list[tuple[str, Parameters, Parameters]] = [
    ("isqrt", {"x": "ufx9.2"}, {"stages": 1}),
    ("int-exp2", {"x": "fx12.7", "precision": 9}, {"stages": 3, "flow": "stream"}),
    ("int-exp2", {"x": "ufx14.13", "precision": 6}, {}),
    ("int-exp2", {"x": "fx7.9"}, {"stages": 1}),
    ("int-exp2", {"x": "fx10.6", "out": "fp16", "base": "e"}, {"flow": "valid"}),
    ("int-gelu", {"x": "fx8.4"}, {}),
    ("int-gelu", {"x": "int8", "scale": "0.03", "shift": 3}, {"stages": 3, "flow": "stream"}),
    ("int-gelu", {"x": "int5", "scale": "1"}, {}),
    ("int-softmax", {"x": "fx4.1", "lanes": 3}, {"stages": 2}),
    ("int-softmax", {"x": "fx4.1", "lanes": 3, "out": "int8"}, {"stages": 2, "flow": "valid"}),
    ("int-softmax", {"x": "fx4.1", "lanes": 2, "out": "fx9.4", "zero_point": -96}, {"stages": 1}),
    ("int-layernorm", {"x": "int4", "lanes": 3, "out": "int8", "reciprocal": 9}, {}),
]
# units with some
LARGE: list[tuple[str, Parameters, Parameters]] = [
    ("isqrt", {"x": "uint32"}, {}),
    ("int-gelu", {"x": "int32", "scale": "0.0001"}, {"stages": 2}),
    ("int-softmax", {"x": "int8", "scale": "0.05", "lanes": 5}, {"stages": 3, "flow": "stream"}),
    ("int-softmax", {"x": "fx12.8", "lanes": 4, "reciprocal": 24}, {"fold": 2, "flow": "stream"}),
    ("int-layernorm", {"x": "int8", "lanes": 6}, {"stages": 2, "flow": "valid"}),
    ("int-layernorm", {"x": "uint8", "lanes": 4, "shift": 2}, {"fold": 4, "flow": "valid"}),
]


@pytest.mark.parametrize(("kind", "parameters", "options"), SMALL, ids=lambda x: str(x)[:60])
def test_every_code_is_golden(kind: str, parameters: Parameters, options: Parameters):
    spec = unit(kind, **parameters)
    report = verify(spec, simulator="bulk", exhaustive=True, seed=3, **options)
    assert report.passed, str(report)
    assert report.vectors >= 1 << exhaustive_bits(spec)


@pytest.mark.parametrize(("kind", "parameters", "options"), LARGE, ids=lambda x: str(x)[:60])
def test_bits_are_golden(kind: str, parameters: Parameters, options: Parameters):
    report = verify(unit(kind, **parameters), simulator="bulk", vectors=8000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize("divisor", [1, 2, 3, 12, 14, 16, 255, 300])
def test_floor_divide_by_constants(divisor: int):
    def pair(p: Scheduler, word: Any) -> Any:
        quotient, rest = floor_divide(p, word, p.constant(divisor))
        return cat(quotient.bits(8), rest.bits(9))

    got = simulated(pair, 8, range(256))
    assert [(word & 255, word >> 8) for word in got] == [divmod(n, divisor) for n in range(256)]


def test_floor_divide_by_numbers():
    def pair(p: Scheduler, word: Any) -> Any:
        quotient, rest = floor_divide(p, word[:6], word[6:].within(3, 15))
        return cat(quotient.bits(6), rest.bits(4))

    words = [n | d << 6 for n in range(64) for d in range(3, 16)]
    got = simulated(pair, 10, words)
    assert [(word & 63, word >> 6) for word in got] == [divmod(w & 63, w >> 6) for w in words]


@pytest.mark.parametrize("size", [1, 2, 5, 16, 41])
def test_lookup(size: int):
    values = np.random.default_rng(size).integers(-300, 300, size).tolist()
    width = max((size - 1).bit_length(), 1)
    got = simulated(lambda p, word: lookup(p, word, values).bits(16), width, range(1 << width))
    assert got == [values[min(n, size - 1)] % (1 << 16) for n in range(1 << width)]


@pytest.mark.parametrize("multiplier", ["auto", "lut"])
def test_squared(multiplier: str):
    def square(p: Scheduler, word: Any) -> Any:
        p.multiplier = multiplier
        return cat(squared(p, word).bits(16), squared(p, word.as_signed()).bits(16))

    got = simulated(square, 8, range(256))
    for code, word in enumerate(got):
        assert (word & 65535, word >> 16) == (code**2, (code - (code >> 7 << 8)) ** 2)


def test_floored():
    got = simulated(lambda p, word: floored(word.as_signed(), 3).bits(8), 6, range(64))
    assert got == [((n - (n >> 5 << 6)) >> 3) % 256 for n in range(64)]


def test_stimulus_has_what_bends_the_functions():
    codes = crossing(unit("isqrt", x="uint16"))
    assert codes is not None
    roots = np.array([math.isqrt(int(x)) for x in codes["x"]])
    assert (roots**2 == codes["x"]).sum() > 200
    spec = unit("int-gelu", x="int32", scale="0.0001")
    bound: int = spec.constants.bound  # type: ignore[attr-defined]
    found = np.concatenate([part["x"] for part in stimulus(spec, vectors=2000, seed=1)])
    assert set(np.array([bound - 1, bound, -bound - 1]).astype(np.uint32)) <= set(found)


def test_lanes_are_folded_only_evenly():
    spec = unit("int-softmax", x="fx8.4", lanes=5)
    with pytest.raises(SpecError, match="fold=2: must divide the 5 lanes of int-softmax"):
        build(spec, Implementation(fold=2, flow="valid"))
