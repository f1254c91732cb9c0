# SPDX-License-Identifier: BSD-2-Clause
"""Words of a linear-feedback shift register that takes many steps a clock.

What is linear over GF(2) is, after any number of steps, an exclusive or of some bits of the state:
a row of which bits, for each bit.
"""

from amaranth.hdl import Cat, Value

from macaw.golden.arithmetic.running.lfsr import Register

from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire

__all__ = ["after", "parities", "random_words"]


def after(polynomial: int, form: str, steps: int) -> list[int]:
    """For each bit of the state ``steps`` steps on, the bits that it is the exclusive or of.

    ``form`` is ``fibonacci`` or ``galois``; bit j of ``polynomial`` is the coefficient of x**j.
    """
    degree = polynomial.bit_length() - 1
    rows = [1 << bit for bit in range(degree)]
    for _ in range(steps):
        highest = rows[-1]
        if form == "galois":
            moved = [0, *rows[:-1]]
            rows = [row ^ highest * (polynomial >> bit & 1) for bit, row in enumerate(moved)]
        else:
            fresh = 0
            for power in range(1, degree + 1):
                fresh ^= rows[power - 1] * (polynomial >> power & 1)
            rows = [fresh, *rows[:-1]]
    return rows


def parities(state: Value, rows: list[int]) -> Value:
    """The exclusive or of the bits of ``state`` that each row names."""
    return Cat(*(Cat(*(state[i] for i in _bits(row))).xor() for row in rows))


def _bits(row: int) -> list[int]:
    return [i for i in range(row.bit_length()) if row >> i & 1]


def random_words(p: Scheduler, reseed: Wire, register: Register, lanes: int) -> list[Wire]:
    """The words of a beat, one for each lane; those after ``reseed`` are the seed's."""
    degree = register.degree

    def on(words: int) -> list[int]:
        return after(register.polynomial, register.form, words * register.steps)

    with p.scope("random"):
        with p.loop(reseed) as loop:
            state = loop.state(degree, "lfsr", init=register.seed)
            following = _parities(p, state, on(lanes), "following")
            loop.close(state, p.mux(reseed, p.constant(register.seed, degree), following))
        return [_parities(p, state, on(lane)[: register.width], "word") for lane in range(lanes)]


def _parities(p: Scheduler, state: Wire, rows: list[int], name: str) -> Wire:
    most = max(row.bit_count() for row in rows)
    delay = p.delays.reduction(most) if most > 1 else 0.0
    return p.op(lambda word: parities(word, rows), state, delay=delay, name=name)
