# SPDX-License-Identifier: BSD-2-Clause
"""A source of random words as a component; as a unit, with Verilog by command, it is ``lfsr``."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from macaw.golden.arithmetic.running.lfsr import PRIMITIVE, Register
from macaw.golden.errors import SpecError

from .arithmetic.words.lfsr import after, parities

__all__ = ["TAPS", "Lfsr", "sequence"]

TAPS: dict[int, tuple[int, ...]] = {
    degree: tuple(j for j in reversed(range(1, degree)) if PRIMITIVE[degree] >> j & 1)
    for degree in (15, 23, 31, 32, 63, 64)
}
"""Exponents of primitive trinomials and pentanomials over GF(2), beside the leading one."""


class Lfsr(wiring.Component):
    """Linear-feedback shift register that steps ``width`` bits a clock.

    The feedback is unrolled, so successive words share no bits. The state is never zero; with
    the taps of :data:`TAPS` it takes every other value, and its sequence of single bits repeats
    after ``2**degree - 1`` of them.

    Parameters
    ----------
    width : int
        Bits of a word, 1 to 32 (the ``random_bits`` of the unit that it feeds).
    degree : int
        Bits of the state, a key of :data:`TAPS` of at least ``width``.
    seed : int
        State after reset; any number but zero.

    Attributes
    ----------
    advance : In(1)
        Step to the next word. Tie it to the unit's accepted operand.
    word : Out(width)
    """

    def __init__(self, *, width: int, degree: int = 32, seed: int = 1):
        if degree not in TAPS:
            raise SpecError(f"degree={degree}: must be one of {', '.join(map(str, TAPS))}")
        if not 1 <= width <= min(32, degree):
            raise SpecError(f"width={width}: must be 1 to {min(32, degree)}")
        if not 0 < seed < 1 << degree:
            raise SpecError(f"seed={seed}: must be 1 to {(1 << degree) - 1}")
        self.width = width
        self.degree = degree
        self.seed = seed
        super().__init__({"advance": In(1), "word": Out(width)})

    def elaborate(self, platform: object) -> Module:
        """Feedback unrolled over the bits of a word."""
        m = Module()
        state = Signal(self.degree, init=self.seed, name="state")
        ports: dict[str, Signal] = {name: getattr(self, name) for name in self.signature.members}
        rows = after(PRIMITIVE[self.degree], "fibonacci", self.width)
        m.d.comb += ports["word"].eq(state[: self.width])
        with m.If(ports["advance"]):
            m.d.sync += state.eq(parities(state, rows))
        return m


def sequence(*, width: int, degree: int = 32, seed: int = 1, count: int) -> list[int]:
    """The first ``count`` words of an :class:`Lfsr` that advances at every clock."""
    register = Register(
        polynomial=PRIMITIVE[degree], form="fibonacci", seed=seed, steps=width, width=width
    )
    return register.words(count).tolist()
