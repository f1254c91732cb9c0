# SPDX-License-Identifier: BSD-2-Clause
"""Units that take rows of any length, some elements a beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...arithmetic.exact import Exact, unpack
from ...arithmetic.operands import Operand, Operands
from ...arithmetic.projection import Direction, Split, project
from ...arithmetic.real.powers import Power
from ...arithmetic.rows.beats import Rows
from ...arithmetic.rows.powers import PowerSum
from ...arithmetic.rows.sums import STEP
from ...errors import SpecError
from ...formats.checks import check_integer
from ...formats.scalar import Fixed, Float, Format
from ..naming import word
from . import UNSET, Ports, Unit

BIT = Fixed(width=1, signed=False)
LANES, ROW = 8, 1024
LONGEST_SUM = 62 - STEP
"""Bits of a sum of floats, without those above its unit's exponent."""
_LONGEST = 1 << 16
_MOST_PLACES, _REACH = 20, 16


@dataclass(frozen=True, kw_only=True, slots=True)
class RowUnit(Unit):
    """Base of the units that take rows, ``lanes`` elements a beat, ``row`` at most.

    A beat has an element a lane. Those whose ``keep`` is 0 are not there, and their results are
    zero. The beat with ``end=1`` is a row's last one, and so is each beat that fills the memory: of
    a row that is longer, the rest is another row. There is a result for each beat; its ``end`` is
    1 where a row does end. The first axis of every array is the beat, and the last beat of the
    arrays ends a row.
    """

    dynamic: ClassVar[bool] = False
    waits: ClassVar[bool] = True

    @property
    def stateful(self) -> bool:
        """What a row has had outlives a beat."""
        return True

    @property
    def macs(self) -> int:
        return 0

    def _check_row(self) -> None:
        """SpecError unless the lanes and the longest row are in their ranges."""
        lanes, row = self._shape
        check_integer("lanes", lanes, 1, 1024)
        check_integer("row", row, 1, _LONGEST)

    @property
    def _shape(self) -> tuple[int, int]:
        """(lanes, elements of the longest row)."""
        return getattr(self, "lanes"), getattr(self, "row")  # noqa: B009

    @property
    def beats(self) -> int:
        """Beats of the longest row."""
        lanes, row = self._shape
        return -(-row // lanes)

    @property
    def elements(self) -> int:
        """What the longest row can have: beats are whole."""
        return self.beats * self._shape[0]

    @property
    def operand(self) -> str:
        """The name of that of the elements."""
        return next(iter(self.ports.inputs))

    @property
    def beside(self) -> tuple[str, ...]:
        """Names of operands that come with each element."""
        return ()

    def _ports(self, operand: str, outputs: dict[str, Operand] | None = None) -> Ports:
        """Ports with the results ``outputs``, by default one for each element."""
        end, lanes = Operand(format=BIT), self._shape[0]
        names = (operand, *self.beside)
        inputs = {
            **{name: Operand(format=getattr(self, name), lanes=lanes) for name in names},
            "keep": Operand(format=BIT, lanes=lanes),
            "end": end,
        }
        if outputs is None:
            outputs = {"r": Operand(format=getattr(self, "out"), lanes=lanes)}  # noqa: B009
        return Ports(inputs=inputs, outputs={**outputs, "end": end})

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; the first axis of all arrays is the beat."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "must have one axis, the beats")
        arrays = operands.arrays
        elements, keep = arrays[self.operand], arrays["keep"] != 0
        rows = Rows.of(arrays["end"] != 0, self.beats)
        found = {
            name: np.zeros((operands.count, *port.tail), port.format.code_dtype)
            for name, port in self.ports.outputs.items()
        }
        for beats, part in rows.parts(self._shape[0]):
            beside = {name: arrays[name][beats] for name in self.beside}
            results = self._of_rows(elements[beats], keep[beats], part, **beside)
            for name, codes_of_beats in results.items():
                found[name][beats] = codes_of_beats
        found["end"][rows.ends] = 1
        return found

    def _of_rows(
        self, codes: np.ndarray, present: np.ndarray, rows: Rows, **beside: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the codes of the results of whole rows, but for ``end``; the beat comes first."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignedRows(RowUnit):
    """Base of those that add up floats ``a``, in fraction bits that they are told.

    They have parameters ``bits`` and ``aligned``.
    """

    def _check_row(self) -> None:
        if not isinstance(self._taken, Float) or self._taken.width > 32:
            raise SpecError(f"a={self._taken.name}: must be a float of at most 32 bits")
        super(AlignedRows, self)._check_row()

    @property
    def _taken(self) -> Float:
        """Format of the elements."""
        return getattr(self, "a")  # noqa: B009

    @property
    def growth(self) -> int:
        """Bits that the longest row's sum has above those of an element."""
        return (self.elements - 1).bit_length()

    @property
    def _usual_bits(self) -> int:
        out = getattr(self, "out", self._taken)
        places = out.width if isinstance(out, Fixed) else out.precision
        return min(places + 4, _MOST_PLACES)

    @property
    def _places(self) -> int:
        bits = getattr(self, "bits")  # noqa: B009
        assert isinstance(bits, int)
        return bits

    @property
    def _usual_aligned(self) -> int:
        return self._places + self.growth

    def _check_places(self, least: int, most: int) -> None:
        """Set ``bits``, from ``least``, and ``aligned``, ``most`` at most."""
        given = getattr(self, "bits"), getattr(self, "aligned")  # noqa: B009
        bits = max(self._usual_bits, least) if given[0] is None else given[0]
        check_integer("bits", bits, least, _MOST_PLACES)
        self._set("bits", bits)
        aligned = self._usual_aligned if given[1] is None else given[1]
        check_integer("aligned", aligned, bits, most)
        self._set("aligned", aligned)


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerRows(AlignedRows):
    """Base of those that add up powers of ``base``.

    They have parameters ``base`` and ``reach``, too.
    """

    def _check_powers(self, given: str, reach: int | None) -> None:
        """Set all four."""
        base = str(given).strip().lower()
        if base not in ("e", "2"):
            raise SpecError(f"base={given}: must be e or 2")
        self._set("base", base)
        self._check_places(4, LONGEST_SUM - self.growth)
        reach = self._usual_reach if reach is None else reach
        check_integer("reach", reach, 1, _REACH)
        self._set("reach", min(reach, self._usual_reach))

    @property
    def _usual_reach(self) -> int:
        return max(min(self._taken.emax + 1, _REACH), 1)

    @property
    def power_sum(self) -> PowerSum:
        """The steps of the sum."""
        base, aligned, reach = (getattr(self, name) for name in ("base", "aligned", "reach"))
        power = Power(bits=self._places, natural=base == "e", reach=reach)
        return PowerSum(power=power, aligned=aligned)


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatRows(AlignedRows):
    """Base of those that take floats, and round each result once."""

    a: Float = UNSET
    out: Format = UNSET
    lanes: int = LANES
    row: int = ROW

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        self._check_row()
        if self.rounding.stochastic:
            raise SpecError(f"rounding={self.rounding}: {self.kind} takes one fixed direction")
        self._check_result()

    @property
    def ports(self) -> Ports:
        return self._ports("a")

    def _of_rows(
        self, codes: np.ndarray, present: np.ndarray, rows: Rows, **beside: np.ndarray
    ) -> dict[str, np.ndarray]:
        exact = self.arithmetic(unpack(codes, self.a), present, rows)
        exact = self._finished(exact, present, **beside)
        return {"r": project(exact, self.out, Direction(self.rounding), self.overflow)[0]}

    def _finished(self, exact: Exact, present: np.ndarray, **beside: np.ndarray) -> Exact | Split:
        """Return what is to be rounded of what the steps give."""
        return exact

    @property
    def arithmetic(self) -> Callable[[Exact, np.ndarray, Rows], Exact]:
        """The steps: results of whole rows before they are rounded, shape (beats, lanes)."""
        raise NotImplementedError


def place_words(spec: AlignedRows, least: int) -> list[str]:
    """Return words for the fraction bits of a unit, of which it has ``least`` at least."""
    bits, aligned = getattr(spec, "bits"), getattr(spec, "aligned")  # noqa: B009
    return word("b", bits, max(spec._usual_bits, least)) + word("s", aligned, spec._usual_aligned)


def power_words(spec: PowerRows) -> list[str]:
    """Return words for a unit's row, and the powers in it."""
    row, base, reach = (getattr(spec, name) for name in ("row", "base", "reach"))
    words = word("n", row, ROW) + word("base", base, "e") + place_words(spec, 4)
    return words + word("x", reach, spec._usual_reach)
