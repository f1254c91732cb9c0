# SPDX-License-Identifier: BSD-2-Clause
"""What the lanes of a circuit have in linear forms, for all codes of a lane's operands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden.formats import Float, Format

from .graph import Circuit
from .linear import Bound, Form

_INT64 = 62


def special_codes(fmt: Format) -> list[int]:
    """The codes that are no numbers: of them, and of what they are in, nothing is said."""
    if not isinstance(fmt, Float):
        return []
    magnitude = (1 << (fmt.exponent + fmt.mantissa)) - 1
    return [code for code in range(1 << fmt.width)
            if code & magnitude > fmt.max_code or code == fmt.nan_code]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """The parts that lanes have in forms, for all codes of their operands that are numbers.

    Attributes
    ----------
    leaves, lanes : dict of int to int
        Of each bit its place in the output ``leaves`` of the circuit, and its lane.
    formats : dict of str to Format
        Of a lane's operands, by the names of their ports.
    """

    circuit: Circuit
    leaves: dict[int, int]
    lanes: dict[int, int]
    formats: dict[str, Format]
    columns: dict[int, int] = field(default_factory=dict[int, int])
    """Of each bit what it is for all codes of its lane, itself in bits."""

    @property
    def bits(self) -> int:
        """Of all operands of a lane."""
        return sum(fmt.width for fmt in self.formats.values())

    @property
    def _every(self) -> range:
        return range(1 + max(self.lanes.values()))

    @property
    def _usual(self) -> Any:
        """The codes of a lane of which none is special, in the order of the columns."""
        found = np.ones(1, bool)
        for fmt in self.formats.values():
            usual = np.ones(1 << fmt.width, bool)
            usual[special_codes(fmt)] = False
            found = np.logical_and.outer(usual, found).ravel()
        return found

    def __post_init__(self) -> None:
        literals = self.circuit.port("leaves")
        for lane in {*self.lanes.values()}:
            bits = [bit for bit, its in self.lanes.items() if its == lane]
            made = self._made([literals[self.leaves[bit]] for bit in bits], lane)
            self.columns.update(zip(bits, made, strict=True))

    def _made(self, literals: Sequence[int], lane: int) -> list[int]:
        count = self.bits
        every = (1 << (1 << count)) - 1
        values: dict[int, int] = {0: 0}
        place = 0
        for name, width in ((name, fmt.width) for name, fmt in self.formats.items()):
            for bit in range(width):
                # A column of a table of truth: so many zeros, as many ones, and so on.
                run = 1 << place
                column = (every // ((1 << 2 * run) - 1)) * (((1 << run) - 1) << run)
                node = self.circuit.inputs.index((name, width * lane + bit)) + 1
                values[node] = column
                place += 1
        first = len(self.circuit.inputs) + 1
        left = [literal >> 1 for literal in literals]
        needed: set[int] = set()
        while left:
            node = left.pop()
            if node >= first and node not in needed:
                needed.add(node)
                left += [x >> 1 for x in self.circuit.ands[node - first]]

        def value(literal: int) -> int:
            found = values.get(literal >> 1, 0)
            return found ^ every if literal & 1 else found

        for node in sorted(needed):
            a, b = self.circuit.ands[node - first]
            values[node] = value(a) & value(b)
        return [value(literal) for literal in literals]

    def part(self, form: Form, lane: int) -> Any:
        """What a lane has in a form: an integer for each code of its operands."""
        factors: dict[int, int] = {}
        for bit, factor in form.bits.items():
            if self.lanes[bit] == lane:
                column = self.columns[bit]
                factors[column] = factors.get(column, 0) + factor
        factors = {column: factor for column, factor in factors.items() if column and factor}
        count = 1 << self.bits
        small = sum(map(abs, factors.values())).bit_length() < _INT64
        found = np.zeros(count, np.int64 if small else object)
        for column, factor in factors.items():
            data = column.to_bytes(max(count // 8, 1), "little")
            bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[:count]
            found += bits.astype(found.dtype) * factor
        return found[self._usual]

    def ends(self, form: Form) -> tuple[int, int]:
        """The least and the largest number that a form is: its lanes have nothing in common."""
        parts = [self.part(form, lane) for lane in self._every]
        low, high = (sum(int(end(part)) for part in parts) for end in (np.min, np.max))
        return form.constant + low, form.constant + high

    def within(self, bounds: Iterable[Bound]) -> bool:
        """Whether no sum runs over."""
        for bound in bounds:
            low, high = self.ends(bound.form)
            least, most = bound.ends
            if low < least or high > most:
                return False
        return True

    def factor(self, gates: Form, reference: Form) -> Fraction | None:
        """How many times the gates' sum the reference's is, a power of two; None if it is not."""
        rest = Fraction(-reference.constant)
        factor: Fraction | None = None
        for lane in self._every:
            ours, theirs = self.part(gates, lane), self.part(reference, lane)
            if factor is None:
                spread = [int(each.max()) - int(each.min()) for each in (theirs, ours)]
                factor = Fraction(*spread) if all(spread) else None
                if factor is None or 1 not in (factor.numerator, factor.denominator):
                    return None
                if (factor.numerator * factor.denominator).bit_count() != 1:
                    return None
                rest += factor * gates.constant
            apart = theirs * factor.denominator - ours * factor.numerator
            if apart.min() != apart.max():
                return None
            rest -= Fraction(int(apart[0]), factor.denominator)
        return factor if rest == 0 else None
