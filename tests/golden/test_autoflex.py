# SPDX-License-Identifier: BSD-2-Clause
"""Autoflex: arXiv 1711.02213, algorithms 1 and 2, and recorded sequences of maxima."""

import itertools
import json
import math

import numpy as np
import pytest

from macaw.golden import Autoflex, CodeError, FlexTensor, SpecError
from macaw.sim.proof.reference.arithmetic import flexpoint

# Largest magnitudes of tensors, step by step.
STEPS = range(60)
SEQUENCES = {
    "constant": [0.3] * 60,
    "power of two": [0.25] * 60,
    "growing": [0.01 * 1.3**n for n in STEPS],
    "shrinking": [0.7**n for n in STEPS],
    "spiking": [0.02 if n % 9 else 3.0 for n in STEPS],
    "one spike": [0.02 if n != 20 else 60.0 for n in STEPS],
    "zero": [0.0] * 60,
    "zero, then not": [0.0 if n < 30 else 0.5 for n in STEPS],
    "noise": list(np.abs(np.random.default_rng(1).normal(0, 0.1, 60)) + 0.01),
}
PARAMETERS = ("profile", "length", "alpha", "beta", "gamma")


def written(amax, exponent, width):
    """The largest mantissa of a tensor: rounded and saturated, alone or with its negative."""
    return min(round(amax * 2.0**-exponent), 2 ** (width - 1) - 1)


def run(flex, sequence):
    """Maxima and exponents of a tensor that is written once for each of ``sequence``."""
    width = flex.format.element.width
    maxima, exponents = [], [flex.exponent]
    for amax in sequence:
        maxima.append(written(amax, flex.exponent, width))
        flex.update(maxima[-1])
        exponents.append(flex.exponent)
    return maxima, exponents


def initialised(amax, **parameters):
    """A manager whose initialisation is done, and how many steps that took."""
    flex, tries = Autoflex(**parameters), 1
    while not flex.initialise(written(amax, flex.exponent, flex.format.element.width)):
        tries += 1
        assert tries < 40
    return flex, tries


# ------------------------------------------------------------------------------------ by hand


def test_prediction_by_hand():
    """One value of 10000: no deviation. 2 * (10000 + 100) = 20200 <= 2**15: kappa stays."""
    assert Autoflex(exponent=-10).update(10000) == -10
    # 2 * (16284 + 100) = 2**15 exactly, and one more.
    assert Autoflex(exponent=-10).update(16284) == -10
    assert Autoflex(exponent=-10).update(16285) == -9
    # 2 * (8092 + 100) = 2**14 exactly, and one more.
    assert Autoflex(exponent=-10).update(8092) == -11
    assert Autoflex(exponent=-10).update(8093) == -10


def test_deviation_by_hand():
    """1000 and 3000 have mean 2000, deviation 1000: 2 * (3000 + 3 * 1000 + 100) <= 2**14."""
    flex = Autoflex(exponent=-10)
    assert flex.update(1000) == -13  # 2 * 1100 <= 2**12
    assert flex.exponent == -13
    # The second write, of the same last place, is 24000 with the new one.
    assert flex.update(24000) == -11  # 2 * (3000 + 3000 + 100 / 8) of 2**-10: 2**14 holds it


def test_prediction_of_ngraph_by_hand():
    """16284 + 100 = 2**14 is the first that takes the next exponent."""
    assert Autoflex(profile="ngraph", exponent=-10).update(16283) == -11
    assert Autoflex(profile="ngraph", exponent=-10).update(16284) == -10
    assert Autoflex(profile="ngraph", exponent=-10).update(32666) == -10


def test_overflow_by_hand():
    """32767 counts as 65534, alone: 2 * (65534 + 100) > 2**17; 32766 is no overflow."""
    flex = Autoflex(exponent=-10)
    for _ in range(5):
        flex.update(9000)
    assert len(flex.history) == 5
    assert flex.update(32767) == -7
    assert flex.history == ((65534, -10),)
    flex = Autoflex(exponent=-10)
    assert flex.update(32766) == -8  # 2 * (32766 + 100) > 2**16
    assert flex.history == ((32766, -10),)


def test_rarely_written_tensors_of_ngraph():
    """Written once in 16 steps: the last two values and 2**12 last places."""
    flex = Autoflex(profile="ngraph", exponent=-10)
    assert flex.update(20000, age=16) == -10  # 24096 lies in [2**14, 2**15)
    assert flex.update(20000, age=16) == -10  # the second write is no longer rare
    with pytest.raises(SpecError, match="age=3: is for profile=ngraph"):
        Autoflex().update(1, age=3)


def test_initialisation_by_hand():
    """0.1 and kappa 1: zero, so 2**-14; 1638 jumps by 11 - 14, which is good as 1638 > 32."""
    flex = Autoflex()
    assert not flex.initialise(0)
    assert flex.exponent == -14
    assert flex.initialise(1638)
    assert flex.exponent == -17
    # 32 is too little for a jump that is sure, 33 is enough; 2**14 is good, 2**14 - 1 jumps by 0.
    assert not Autoflex(exponent=-3).initialise(32)
    assert Autoflex(exponent=-3).initialise(33)
    flex = Autoflex(exponent=-3)
    assert flex.initialise(16383)
    assert flex.exponent == -3
    flex = Autoflex(exponent=-20)
    assert not flex.initialise(32767)
    assert flex.exponent == -13
    assert flex.initialise(32766)
    assert flex.exponent == -13


def test_initialisation_of_ngraph_by_hand():
    """16383 has 14 bits and is brought to 15; 32 is enough; ten tries end at kappa 1."""
    flex = Autoflex(profile="ngraph")
    assert flex.exponent == -8
    assert flex.initialise(16383)
    assert flex.exponent == -9
    flex = Autoflex(profile="ngraph")
    assert flex.initialise(32)
    assert flex.exponent == -17
    flex = Autoflex(profile="ngraph")
    assert [flex.initialise(0) for _ in range(10)] == [False] * 9 + [True]
    assert flex.exponent == 0


@pytest.mark.parametrize("profile", ["paper", "ngraph"])
@pytest.mark.parametrize("amax", [1e-4, 0.1, 1.0, 777.0, 20000.0])
@pytest.mark.parametrize("start", [0, -8, -31])
def test_initialisation_uses_the_bits(profile, amax, start):
    """It ends with 14 to 15 bits in use, wherever it starts."""
    flex, tries = initialised(amax, profile=profile, exponent=start)
    assert 2**13 <= written(amax, flex.exponent, 16) < 2**15 - 1
    assert tries <= 7


def test_a_zero_tensor_ends_the_initialisation():
    flex, tries = initialised(0.0)
    assert (flex.exponent, tries) == (-31, 4)


def test_a_tensor_beyond_the_range_ends_the_initialisation():
    flex, tries = initialised(1e9)
    assert (flex.exponent, tries) == (0, 1)


# --------------------------------------------------------------------------- recorded sequences


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("profile", ["paper", "ngraph"])
@pytest.mark.parametrize("format", ["flex16+5", "flex8+5", "flex12+4", "flex24+6"])
def test_sequences_against_fractions(name, profile, format):
    sequence = SEQUENCES[name]
    flex, _ = initialised(sequence[0], format=format, profile=profile)
    maxima, exponents = run(flex, sequence)
    width, bits = flex.format.element.width, flex.format.scale.exponent
    settings = {n: getattr(flex, n) for n in PARAMETERS}
    assert exponents[1:] == flexpoint.adjusted(maxima, exponents[0], width, bits, **settings)


@pytest.mark.parametrize(
    ("length", "alpha", "beta", "gamma"), [(1, 1, 0, 0), (3, 4, 2.5, 10), (64, 1.5, 3, 1)]
)
def test_parameters_against_fractions(length, alpha, beta, gamma):
    settings = {"length": length, "alpha": alpha, "beta": beta, "gamma": gamma}
    for name, sequence in SEQUENCES.items():
        flex = Autoflex(exponent=-14, **settings)
        maxima, exponents = run(flex, sequence)
        want = flexpoint.adjusted(maxima, -14, 16, 5, "paper", **settings)
        assert exponents[1:] == want, name


def test_constant_tensors_settle():
    """In (2**13, 2**14] but for gamma, and for good."""
    for amax in (1e-3, 0.25, 0.3, 5.0, 1000.0):
        flex, _ = initialised(amax)
        maxima, exponents = run(flex, [amax] * 50)
        assert len(set(exponents[1:])) == 1
        assert 2**13 - 100 <= maxima[-1] <= 2**14 - 100
        assert not any(m >= 32767 for m in maxima)


def test_growing_and_shrinking_tensors_are_followed():
    """By a factor of 1.3 a step, with no overflow. What shrinks is seen 16 steps late."""
    flex, _ = initialised(SEQUENCES["growing"][0])
    maxima, exponents = run(flex, SEQUENCES["growing"][:50])
    assert max(maxima) < 32767
    assert exponents == sorted(exponents)
    flex, _ = initialised(1.0)
    maxima, exponents = run(flex, SEQUENCES["shrinking"][:40])
    assert max(maxima) < 32767
    assert exponents[1:] == sorted(exponents[1:], reverse=True)
    assert min(maxima[:16]) >= 16  # 0.7**15 of 2**14, and a bit for the deviation


def test_a_spike_overflows_and_is_forgotten():
    """60 after 0.02 saturates, and the exponent rises until it holds; what was saturated, and
    counted double, is forgotten 16 steps later, and so is 60."""
    flex, _ = initialised(0.02)
    settled = run(flex, [0.02] * 20)[1][-1]
    _, rising = run(flex, [60.0] * 24)
    assert rising[0] == settled
    assert all(b - a <= 3 for a, b in itertools.pairwise(rising))
    assert 2**13 - 100 <= written(60.0, flex.exponent, 16) < 32767
    _, falling = run(flex, [0.02] * 40)
    assert falling[-1] == settled


def test_recovery_from_overflow():
    """Each overflow leaves the doubled maximum alone in the history: three places, with gamma."""
    flex = Autoflex(exponent=-20)
    maxima, exponents = run(flex, [1.0] * 8)
    assert maxima[0] == 32767
    first = next(n for n, m in enumerate(maxima) if m < 32767)
    assert all(b - a == 3 for a, b in itertools.pairwise(exponents[: first + 1]))
    assert all(m < 32767 for m in maxima[first:])


def test_zero_tensors_end_at_the_bound():
    flex, _ = initialised(0.3)
    _, exponents = run(flex, [0.0] * 40)
    assert exponents[-1] == -31
    _, exponents = run(flex, [0.3] * 20)
    assert written(0.3, exponents[-1], 16) < 32767


def test_exponents_stay_in_range():
    flex = Autoflex(exponent=-1)
    assert [flex.update(32767) for _ in range(3)] == [0, 0, 0]
    flex = Autoflex("flex16+3", exponent=-7)
    assert flex.update(0) == -7


def test_gamma_of_few_bits():
    """gamma is in proportion to the mantissas. A literal 100 last places are most of 8 bits, and
    the exponent would never stop."""
    assert Autoflex().gamma == 100.0
    assert Autoflex("flex8+5").gamma == 100.0 / 256
    for gamma, settled in ((None, True), (100.0, False)):
        flex, _ = initialised(0.3, format="flex8+5", gamma=gamma)
        _, exponents = run(flex, [0.3] * 40)
        assert (exponents[-1] < 0) is settled


def test_no_prediction_without_values():
    assert Autoflex(gamma=0, exponent=-5).update(0) == 0


def test_with_tensors():
    """The statistics are those of FlexTensor."""
    flex = Autoflex()
    rng = np.random.default_rng(3)
    values = rng.normal(size=200)
    while not flex.initialise(FlexTensor.of(values, flex.exponent).maximum):
        pass
    for _ in range(30):
        written_tensor = FlexTensor.of(values, flex.exponent)
        flex.update(written_tensor.maximum)
        values = values * rng.uniform(0.8, 1.2)
        assert not written_tensor.overflow
        assert written_tensor.maximum >= 2**11


# ---------------------------------------------------------------------------------------- state


@pytest.mark.parametrize("profile", ["paper", "ngraph"])
def test_state_is_saved_and_restored(profile):
    """Through JSON, after every number of steps, in the midst of an initialisation too."""
    sequence = SEQUENCES["noise"] + SEQUENCES["one spike"]
    for stop in (0, 1, 5, 16, 17, 50, 85):
        flex, _ = initialised(0.1, profile=profile)
        run(flex, sequence[:stop])
        again = Autoflex.restore(json.loads(json.dumps(flex.state())))
        assert again.state() == flex.state()
        assert run(again, sequence[stop:]) == run(flex, sequence[stop:])
    flex = Autoflex(profile="ngraph")
    for _ in range(4):
        flex.initialise(0)
    again = Autoflex.restore(flex.state())
    assert [again.initialise(0) for _ in range(6)] == [False] * 5 + [True]


def test_history_can_be_forgotten():
    flex = Autoflex(exponent=-10)
    flex.update(9000)
    exponent = flex.exponent
    flex.forget()
    assert (flex.history, flex.exponent) == ((), exponent)
    flex.update(9000)
    flex.initialise(9000)
    assert flex.history == ()


def test_every_step_is_deterministic():
    runs = [run(initialised(0.1)[0], SEQUENCES["noise"]) for _ in range(2)]
    assert runs[0] == runs[1]


def test_history_is_bounded():
    flex = Autoflex(length=3, exponent=-10)
    for maximum in (9000, 9001, 9002, 9003):
        flex.update(maximum)
    assert [maximum for maximum, _ in flex.history] == [9001, 9002, 9003]


STATE = Autoflex().state()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Autoflex("bf16"), SpecError, "format=bf16: must be a Flexpoint format"),
        (lambda: Autoflex(profile="neon"), SpecError, "profile=neon: must be one of paper, ngraph"),
        (lambda: Autoflex(length=0), SpecError, "length=0: must be an integer from 1 to 1024"),
        (lambda: Autoflex(alpha=0), SpecError, "alpha=0: must be a number from"),
        (lambda: Autoflex(beta=-1), SpecError, "beta=-1: must be a number from 0 to 65536"),
        (lambda: Autoflex(gamma=math.nan), SpecError, "gamma=nan"),
        (lambda: Autoflex(beta="3"), SpecError, "beta=3: must be a number"),
        (lambda: Autoflex(exponent=1), SpecError, "exponent=1: must be an integer from -31 to 0"),
        (lambda: Autoflex().update(32769), CodeError, "maximum=32769: must be an integer from 0 t"),
        (lambda: Autoflex().update(-1), CodeError, "maximum=-1"),
        (lambda: Autoflex().update(1.5), CodeError, "maximum=1.5"),
        (lambda: Autoflex().initialise(True), CodeError, "maximum=True"),
        (lambda: Autoflex(profile="ngraph").update(1, age=-1), SpecError, "age=-1"),
        (lambda: Autoflex.restore({}), SpecError, "state: is not that of an Autoflex: 'history'"),
        (lambda: Autoflex.restore({**STATE, "what": 1}), SpecError, "unexpected keyword argument"),
        (lambda: Autoflex.restore({**STATE, "history": 3}), SpecError, "not iterable"),
        (lambda: Autoflex.restore({**STATE, "tries": 11}), SpecError, "state: tries=11"),
        (
            lambda: Autoflex.restore({**STATE, "history": [[1, 1]], "count": 1}),
            SpecError,
            "state: exponent=1",
        ),
        (
            lambda: Autoflex.restore({**STATE, "history": [[1 << 17, 0]], "count": 1}),
            SpecError,
            "state: maximum=131072",
        ),
        (
            lambda: Autoflex.restore({**STATE, "history": [[1, 0]] * 17, "count": 17}),
            SpecError,
            "length of the history=17",
        ),
        (
            lambda: Autoflex.restore({**STATE, "history": [[1, 0]]}),
            SpecError,
            "state: count=0",
        ),
    ],
)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("name", ["flex2+1", "flex8+5", "flex16+5", "flex32+8"])
def test_defaults_suit_every_width(name: str):
    auto = Autoflex(name)
    assert auto.gamma == 100 * 2.0 ** (auto.format.element.width - 16)
    assert Autoflex.restore(auto.state()).gamma == auto.gamma
