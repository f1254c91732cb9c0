# SPDX-License-Identifier: BSD-2-Clause
"""The scales of a sum of lanes: how far they and an addend are apart, and what they multiply.

A scale that is a power of two only shifts. One with a significand multiplies the sum, and that is
as hard to decide as any product: it is taken out of both sides too. Of it is known that it has the
sign of the sum, and is zero where the sum or a scale is; and it is asked beside whether both sides
multiply by the same number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from macaw.golden.formats import Float

from .graph import FALSE, Bit, Graph, constant
from .linear import Net, NoForm
from .numbers import Case, Class, Kind, Numbers, Word

SUM = "sum"
"""The name of a sum in a case."""
SIDES = ("gates", "reference")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaled(Numbers):
    """Two scales and an addend, in cases of how far they are apart.

    ``low`` and ``high`` are the distances of the scales' exponents together from the addend's
    between which the scaled sum and the addend meet.
    """

    scale: Float
    low: int
    high: int
    product: bool = True

    def format(self, name: str) -> Float:
        """Of a scale, or of the addend, which is last."""
        return self.fmt if name == self.names[-1] else self.scale

    @property
    def offset(self) -> int:
        """Of fields as they are."""
        return 0

    def cases(self) -> Iterator[Case]:
        """First those of a sum that is zero, then those of another."""
        every = (Class.SPECIAL, Class.ZERO, Class.SUBNORMAL, Class.NORMAL)
        lacks = {Class.ZERO, Class.SUBNORMAL} if not self.scale.zero else set[Class]()
        of_scale = [kind for kind in every if kind not in lacks]
        for total in (Class.ZERO, Class.NORMAL):
            for kinds in itertools.product(of_scale, of_scale, every):
                named: dict[str, Kind] = {SUM: total, **dict(zip(self.names, kinds, strict=True))}
                none = Class.ZERO in kinds or total is Class.ZERO
                if Class.SPECIAL in kinds or none:
                    yield Case(kinds=named)
                else:
                    yield from self._apart(named, self.low, self.high)

    def _between(self, kinds: dict[str, Kind]) -> tuple[int, int]:
        def ends(name: str) -> tuple[int, int]:
            least = int(self.format(name).zero)
            return least, self._highest(name) if kinds[name] is Class.NORMAL else least

        *scales, (least, most) = map(ends, self.names)
        return sum(low for low, _ in scales) - most, sum(high for _, high in scales) - least

    def _highest(self, name: str) -> int:
        """The largest field of a number's exponent."""
        fmt = self.format(name)
        return fmt.max_code >> fmt.mantissa

    def _is(self, graph: Graph, name: str, kind: Kind, word: Word) -> int:
        fmt = self.format(name)
        every = (1 << fmt.exponent) - 1
        if self._highest(name) < every or kind not in (Class.SPECIAL, Class.NORMAL):
            return Numbers._is(self, graph, name, kind, word)
        # Numbers have the last exponent as well: all ones are none, or there are none.
        full = graph.every(word[: fmt.mantissa + fmt.exponent])
        special = full if fmt.max_code & 1 == 0 else FALSE
        if kind is Class.SPECIAL:
            return special
        return graph.both(graph.some(self.exponent(name, word)), special ^ 1)


def understood(scale: Any) -> bool:
    """Whether :class:`Scaled` says of a format which of its codes are numbers."""
    if not isinstance(scale, Float) or scale.signed or scale.nan_for_negative_zero:
        return False
    codes = (1 << scale.exponent + scale.mantissa) - 1 - scale.max_code
    return codes in (0, 1, 1 << scale.mantissa) and (scale.zero or not scale.mantissa)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """The multiplications of the sums of both sides, whose results are inputs of the circuit.

    ``widths`` are those of the results, with a sign.
    """

    widths: tuple[int, int]

    @classmethod
    def taken_out(cls, module: dict[str, Any], sums: Sequence[Sequence[Net]]) -> Scaling:
        """Make ports of them: ``gates_scaled``, ``reference_scale`` and so on.

        Raises
        ------
        NoForm
            A side does not multiply its sum, once.
        """
        widths = []
        for side, total in zip(SIDES, sums, strict=True):
            cell, factor = _multiplied(module["cells"], side, total)
            made = module["cells"].pop(cell)["connections"]["Y"]
            widths.append(len(made))
            for name, bits, direction in (
                (f"{side}_scaled", made, "input"),
                (f"{side}_scale", factor, "output"),
            ):
                module["ports"][name] = {"direction": direction, "bits": bits}
                module["netnames"][name] = {"hide_name": 0, "bits": bits, "attributes": {}}
        return cls(widths=(widths[0], widths[1]))

    def inputs(
        self,
        graph: Graph,
        case: Case,
        number: Word,
        ends: tuple[int, int],
        shifts: Sequence[int],
    ) -> tuple[dict[str, Word], int]:
        """What is multiplied of a case, and whether that may be so.

        Parameters
        ----------
        number : list of int
            The sum, with a sign, which both sides have with ``shifts`` zeros behind it.
        ends : tuple of int
            The least and the largest product.
        """
        kinds = [case.kinds[f"i_{x}_scale"] for x in "ab"]
        size = digits(ends)
        if Class.SPECIAL in kinds:
            return {f"{side}_scaled": graph.word(f"{side}_scaled", width)
                    for side, width in zip(SIDES, self.widths, strict=True)}, 1  # fmt: skip
        none = Class.ZERO in (*kinds, case.kinds[SUM])
        product = [FALSE] * size if none else graph.word("scaled", size)
        may = 1
        if not none:
            same = graph.differ(product[-1], number[-1]) ^ 1
            may = graph.every([graph.some(product), same, within(graph, product, ends)])
        return {
            f"{side}_scaled": [*[FALSE] * shift, *product, *product[-1:] * width][:width]
            for side, shift, width in zip(SIDES, shifts, self.widths, strict=True)
        }, may

    def holds(self, ends: tuple[int, int], shifts: Sequence[int]) -> bool:
        """Whether no product between these ends runs over."""
        size = digits(ends)
        return all(size + shift <= width for shift, width in zip(shifts, self.widths, strict=True))

    def wrong(self, graph: Graph, case: Case, made: dict[Bit, int]) -> int:
        """Whether the sides multiply by different numbers."""
        if Class.SPECIAL in (case.kinds[f"i_{x}_scale"] for x in "ab"):
            return FALSE  # nothing was said of the products
        factors = [
            [made[port, bit] for port, bit in sorted(made) if port == f"{side}_scale"]
            for side in SIDES
        ]
        return graph.unequal(*factors)


def digits(ends: tuple[int, int]) -> int:
    """The bits of a number with a sign between two."""
    low, high = ends
    return max(high, -low - 1).bit_length() + 1


def within(graph: Graph, number: Word, ends: tuple[int, int]) -> int:
    """Whether a number with a sign is between two."""
    width = len(number) + 1
    wide = [*number, number[-1]]
    low, high = ends
    below = graph.sum(wide, constant(-low, width), width)[-1]
    not_above = graph.sum(wide, constant(-high - 1, width), width)[-1]
    return graph.both(below ^ 1, not_above)


def _multiplied(cells: dict[str, Any], side: str, total: Sequence[Net]) -> tuple[str, list[Net]]:
    """The cell that multiplies a sum, and what it multiplies it by, which is not below zero."""
    found: list[tuple[str, list[Net]]] = []
    for name, cell in cells.items():
        if cell["type"] != "$mul" or f"{side}." not in name:
            continue
        pins, signed = cell["connections"], "1" in cell["parameters"]["A_SIGNED"]
        for one, other in ("AB", "BA"):
            word = [*pins[one]]
            same = word[: len(total)] == [*total] and {*word[len(total) :]} <= {total[-1]}
            if same and signed and pins[other][-1] == "0":
                found.append((name, [*pins[other]]))
    if len(found) != 1:
        raise NoForm(f"{len(found)} products of a sum")
    return found[0]
