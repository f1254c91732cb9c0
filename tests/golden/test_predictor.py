# SPDX-License-Identifier: BSD-2-Clause
"""The exponent predictor in fixed point: against fractions, and against the one in float64."""

import math
from collections import deque
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macaw.golden import CodeError, SpecError, unit
from macaw.golden.arithmetic.predictor import Predictor, bit_length, integer_root
from macaw.golden.formats.block import format
from macaw.golden.tensors.autoflex import Autoflex
from macaw.golden.units.training import ExponentPredictor
from macaw.sim.stimulus import stimulus

UNITS: list[dict[str, Any]] = [
    {},
    {"profile": "ngraph"},
    {"precision": 16, "length": 7, "contexts": 3},
    {"profile": "ngraph", "contexts": 2, "gamma": 0.5},
    {"out": "flex8+5", "precision": 6},
    {"out": "flex12+5", "alpha": 3, "beta": 0},
    {"out": "flex2+1", "length": 2, "gamma": 2.0**-16},
    {"out": "flex32+8", "precision": 20, "length": 64, "beta": 14},
    {"out": "flex5+3", "alpha": 16, "profile": "ngraph", "gamma": 1000.0},
]


def _name(parameters: dict[str, Any]) -> str:
    return _unit(**parameters).name


def _unit(**parameters: Any) -> ExponentPredictor:
    spec = unit("autoflex", **({"out": "flex16+5"} | parameters))
    assert isinstance(spec, ExponentPredictor)
    return spec


class Reference:
    """One tensor, a step at a time, in fractions and Python's integers."""

    def __init__(self, spec: ExponentPredictor) -> None:
        assert spec.gamma is not None
        self.spec = spec
        self.gamma = Fraction(spec.gamma)
        self.width = spec.out.element.width
        self.top = 2**spec.out.scale.exponent - 1
        self.forget()

    def forget(self) -> None:
        self.history: deque[int] = deque(maxlen=self.spec.length)
        self.tries = 0

    def step(self, maximum: int, scale: int, init: bool, end: bool) -> tuple[int, bool]:
        over = maximum >= 2 ** (self.width - 1) - 1
        if init:
            tries = self.tries
            self.history.clear()
            code, settled = self.initial(maximum, scale, over)
            self.tries = 0 if settled else tries + 1
        else:
            if over:
                self.history.clear()
            self.history.appendleft(maximum * 2**over * 2**scale)
            code, settled = self.predict(self.gamma * 2**scale), True
        if end:
            self.forget()
        return code, settled

    def initial(self, maximum: int, scale: int, over: bool) -> tuple[int, bool]:
        """Golden's own :class:`Autoflex` has been judged by the paper's algorithm."""
        other = Autoflex(self.spec.out, self.spec.profile, gamma=1.0, exponent=scale - self.top)
        other._tries = self.tries
        settled = other.initialise(min(maximum, 2 ** (self.width - 1)))
        return other.scale, settled

    def predict(self, headroom: Fraction) -> int:
        spec, count = self.spec, len(self.history)
        bits = max(0, _power(headroom) + 1, *(f.bit_length() for f in self.history))
        ulp = Fraction(2) ** (bits - spec.precision)
        terms = [math.floor(f / ulp) for f in self.history]
        variance = count * sum(g * g for g in terms) - sum(terms) ** 2
        expected = count * (max(terms) + math.floor(headroom / ulp))
        expected += spec.beta * math.isqrt(variance)
        return self.code(spec.alpha * expected * ulp / count)

    def code(self, value: Fraction) -> int:
        if value == 0:
            return 0
        power = _power(value)
        if self.spec.profile == "paper":
            power += value > Fraction(2) ** power
            power -= self.width - 1
        else:
            power -= self.width - 2
        return min(max(power, 0), self.top)


def _power(value: Fraction) -> int:
    """The largest k with ``2**k <= value``."""
    power = value.numerator.bit_length() - value.denominator.bit_length()
    return power - (Fraction(2) ** power > value)


@pytest.mark.parametrize("parameters", UNITS, ids=_name)
def test_steps_are_those_of_the_reference(parameters: dict[str, Any]):
    spec = _unit(**parameters)
    (codes,) = stimulus(spec, vectors=3000, seed=5)
    results = spec.evaluate(**codes)
    references = [Reference(spec) for _ in range(spec.contexts)]
    rows = zip(*(codes[name].tolist() for name in spec.ports.inputs), strict=True)
    for number, (maximum, scale, init, end) in enumerate(rows):
        reference = references[number % spec.contexts]
        wanted = reference.step(maximum, scale, bool(init), bool(end))
        got = results["r"][number], results["settled"][number]
        assert got == wanted, (number, maximum, scale, init, end)


def _exact(predictor: Predictor, maxima: list[int], scales: list[int]) -> tuple[Fraction, Fraction]:
    """X of a history, in units of the smallest scale: at least the first, below the second."""
    assert predictor.gamma is not None
    values = [
        maximum * (2 if maximum >= predictor.overflow else 1) << scale
        for maximum, scale in zip(maxima, scales, strict=True)
    ]
    count, digits = len(values), 80
    variance = count * sum(f * f for f in values) - sum(values) ** 2
    root = math.isqrt(variance << 2 * digits)
    rest = max(values) + Fraction(predictor.gamma) * 2 ** scales[0]
    low = rest + Fraction(predictor.beta * root, count << digits)
    exact = root * root == variance << 2 * digits
    return low, low + (0 if exact else Fraction(predictor.beta, count << digits))


@given(st.data())
@settings(deadline=None)
def test_bound(data: st.DataObject):
    """The predicted value is where the proof says; the code that of real numbers, or next to it."""
    name = data.draw(st.sampled_from(["flex16+5", "flex8+5", "flex4+3"]))
    profile = data.draw(st.sampled_from(["paper", "ngraph"]))
    predictor = Predictor(
        format=format(name),  # type: ignore[arg-type]
        profile=profile,
        precision=data.draw(st.integers(6, 20)),
        beta=data.draw(st.integers(0, 14)),
        length=data.draw(st.sampled_from([2, 3, 16])),
    )
    count = data.draw(st.integers(1, predictor.length))
    top = 1 << (predictor.width - 1)
    near = data.draw(st.integers(1, top))
    maximum = st.one_of(st.integers(0, top), st.integers(max(near - 2, 0), near))
    base = data.draw(st.integers(0, predictor.largest_code))
    scale = st.integers(max(base - 2, 0), base)
    maxima = data.draw(st.lists(maximum, min_size=count, max_size=count))
    scales = data.draw(st.lists(scale, min_size=count, max_size=count))

    padding = [0] * (predictor.length - count)
    window = np.array(maxima + padding), np.array(scales + padding), np.array(count)
    expected, power = (int(x) for x in predictor.expected(*window))
    low, high = _exact(predictor, maxima, scales)
    got = Fraction(expected) * Fraction(2) ** power / count
    below, above = predictor.bound
    if power > -predictor.precision:
        assert low * (1 + Fraction(below)) <= got <= high * (1 + Fraction(above))
        assert got > low * (1 + Fraction(below)) or low != high

    spec = _unit(out=name, profile=profile, length=predictor.length)
    reference, alpha = Reference(spec), predictor.factors[0]
    code, wanted = int(predictor.predict(*window)), reference.code(alpha * low)
    if reference.code(alpha * high) == wanted and code != wanted:
        assert abs(code - wanted) == 1
        edge = Fraction(2) ** (_power(alpha * max(got, low)))
        assert alpha * min(got, low) <= edge <= alpha * max(got, low)


def _recorded(kind: str) -> np.ndarray:
    """Largest values of a tensor over time."""
    time, rng = np.arange(400), np.random.default_rng(7)
    return {
        "constant": np.full(400, 0.3),
        "growing": np.exp2(time / 40 - 8),
        "shrinking": np.exp2(2 - time / 30),
        "wandering": np.exp2(np.cumsum(rng.normal(0, 0.3, 400)) - 3),
        "spiking": np.where(time % 50 == 49, 40.0, 0.1) * np.exp2(rng.normal(0, 0.1, 400)),
        "zero": np.where((time // 40) % 2, 0.0, 0.2),
        "leaping": np.where(time < 200, 2.0**-12, 2.0**3),
    }[kind]


KINDS = ["constant", "growing", "shrinking", "wandering", "spiking", "zero", "leaping"]


def _write(value: float, exponent: int) -> int:
    return min(round(math.ldexp(value, -exponent)), 2**15 - 1)


@pytest.mark.parametrize("profile", ["paper", "ngraph"])
@pytest.mark.parametrize("kind", KINDS)
def test_recorded_sequences(kind: str, profile: str):
    """Beside the float64 predictor, on its scales: the same code but near a power of two."""
    spec, other = _unit(profile=profile), Autoflex(profile=profile)
    predictor = spec.predictor
    steps: list[tuple[int, int, int, int]] = []
    wanted: list[tuple[int, bool]] = []
    init = True
    for value in _recorded(kind):
        maximum = _write(value, other.exponent)
        steps.append((maximum, other.scale, int(init), 0))
        if init:
            settled = other.initialise(maximum)
            wanted.append((other.scale, settled))
            init = not settled
        else:
            other.update(maximum)
            wanted.append((other.scale, True))
    columns = dict(zip(spec.ports.inputs, np.array(steps, np.uint16).T, strict=True))
    results = spec.evaluate(**columns)
    codes, settled = (np.array(column) for column in zip(*wanted, strict=True))
    np.testing.assert_array_equal(results["settled"], settled)
    different = np.flatnonzero(results["r"] != codes)
    for row in different:
        # Move alpha * X by the bound: its code must then be the one that was found.
        start = max(row - spec.length + 1, 1 + np.flatnonzero(columns["init"])[-1])
        over = np.flatnonzero(columns["maximum"][start : row + 1] >= predictor.overflow)
        start += over[-1] if over.size else 0
        maxima = columns["maximum"][start : row + 1][::-1].tolist()
        low, high = _exact(predictor, maxima, columns["scale"][start : row + 1][::-1].tolist())
        below, above = (1 + Fraction(number) for number in predictor.bound)
        found, reference = int(results["r"][row]), Reference(spec)
        alpha = predictor.factors[0]
        assert reference.code(alpha * low * below) <= found <= reference.code(alpha * high * above)
    assert different.size <= 4, different


def test_overflow_and_recovery():
    """After an overflow the history is the doubled maximum; the scale grows until it fits."""
    spec = _unit()
    exponent, codes, maximum = -15, [], np.zeros(0)
    for value in [0.4] * 20 + [300.0] * 10:
        codes.append((_write(value, exponent), exponent + 31))
        maximum, scale = (np.array(column, np.uint16) for column in zip(*codes, strict=True))
        flat = np.zeros(maximum.size, np.uint8)
        exponent = int(spec.evaluate(maximum=maximum, scale=scale, init=flat, end=flat)["r"][-1])
        exponent -= 31
    overflowed = maximum >= 2**15 - 1
    assert not overflowed[:20].any()
    assert overflowed[20:].any()
    assert not overflowed[-3:].any()
    assert 2**12 < maximum[-1] <= 2**14


def test_end_forgets():
    spec = _unit(length=4)
    maximum = np.array([20000, 100, 100, 100], np.uint16)
    scale, none = np.full(4, 20, np.uint8), np.zeros(4, np.uint8)
    kept = spec.evaluate(maximum=maximum, scale=scale, init=none, end=none)["r"]
    cut = spec.evaluate(maximum=maximum, scale=scale, init=none, end=np.array([1, 0, 0, 0]))["r"]
    assert kept.tolist() == [21, 22, 22, 22]
    assert cut.tolist() == [21, 14, 14, 14]


@given(st.lists(st.integers(0, 2**52 - 1), min_size=1))
def test_roots_and_lengths(values: list[int]):
    words = np.array(values)
    assert integer_root(words).tolist() == [math.isqrt(n) for n in values]
    assert bit_length(words).tolist() == [n.bit_length() for n in values]


def test_names():
    assert _unit().name == "autoflex_flex16_5"
    assert _unit(length=8, profile="ngraph", contexts=4).name == "autoflex_flex16_5_ngraph_l8_x4"
    for parameters in UNITS:
        spec = _unit(**parameters)
        assert unit(spec.kind, **spec.parameters) == spec
    assert _unit(gamma="6.25") == _unit(gamma=6.25)
    assert _unit(out="flex8+5").gamma == 100 / 256


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"out": "int8"}, "out|format"),
        ({"profile": "keras"}, "profile=keras: must be one of paper, ngraph"),
        ({"length": 1}, "length=1: must be an integer from 2 to 64"),
        ({"alpha": 0}, "alpha=0: must be an integer from 1 to 16"),
        ({"beta": 1.5}, "beta=1.5: must be an integer"),
        ({"gamma": 0}, r"gamma=0: must be a multiple of 2\*\*-16 above 0"),
        ({"gamma": "1/3"}, "gamma=1/3: must be a multiple"),
        ({"precision": 5}, "precision=5: must be an integer from 6 to 20"),
        ({"contexts": 65}, "contexts=65: must be an integer from 1 to 64"),
        ({"rounding": "rtz"}, "rounding"),
    ],
    ids=lambda x: str(x)[:24],
)
def test_bad_parameters(parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError, match=message):
        _unit(**parameters)


def test_time_is_the_only_axis():
    with pytest.raises(CodeError, match="must have one axis"):
        _unit().evaluate(**dict.fromkeys(_unit().ports.inputs, np.zeros((2, 2), np.uint8)))


def test_integer_roots_of_squares_and_what_is_beside_them():
    """Float64 holds no squares of more than 53 bits: there its root is only near."""
    random = np.random.default_rng(1).integers(1 << 26, 1 << 31, 20_000)
    roots = np.concatenate([np.arange(1, 300), random, (1 << 31) - np.arange(1, 300)])
    for beside, expected in ((-1, roots - 1), (0, roots), (1, roots)):
        assert (integer_root(roots * roots + beside) == expected).all()
    assert (integer_root(roots * (roots + 1)) == roots).all()
