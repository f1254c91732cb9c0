# SPDX-License-Identifier: BSD-2-Clause
"""What a softmax divides by: sums of rows in one pass, and of parts of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.exact import unpack
from ..arithmetic.integers import codes_of, integers_of
from ..arithmetic.operands import Operand
from ..arithmetic.rows.beats import Rows
from ..arithmetic.rows.powers import PowerSum, Sum, merged
from ..errors import SpecError
from ..formats.scalar import Fixed, Float
from .naming import alike, named
from .specification import UNSET, Ports, Unit
from .specification.rows import BIT, LANES, ROW, PowerRows, power_words

_WIDEST, _WIDEST_EXPONENT = 62, 32
_EXPONENT = Fixed(width=18)


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftmaxSum(PowerRows):
    """The sum of a row so far, in one pass: ``r * 2**exponent`` is near ``sum(base**a)``.

    Online softmax's m and d, Milakov and Gimelshein 2018 (arXiv 1805.02867), of exponents: with
    each beat ``exponent`` is the largest so far, a multiple of 8, and ``r`` the sum in units of
    that. They are those of ``softmax``; in the beat with ``end=1`` they are the whole row's.
    Nothing waits, and no row is stored. ``nan`` is 1 where a row has had a NaN or plus infinity; a
    row of nothing but minus infinities has the sum 0. ``softmax-merge`` makes one sum of those of
    two parts of a row. The steps are those of
    :class:`macaw.golden.arithmetic.rows.powers.PowerSum`.

    Parameters
    ----------
    a : Float
        Of at most 32 bits.
    lanes : int
        Elements of a beat, 1 to 1024.
    row : int
        Elements of the longest row, 1 to 65536: one that is longer ends there.
    base : str
        ``e`` or ``2``.
    bits : int, optional
        Fraction bits of powers, 4 to 20; by default 4 more than the precision of ``a``, but 20 at
        most.
    aligned : int, optional
        Fraction bits of the sum, from ``bits``; by default so many more that the longest row
        loses no more by it than a last place of ``bits``.
    reach : int, optional
        Numbers of a magnitude of ``2**reach`` and more count as that, 1 to 16; by default 16.
    """

    kind: ClassVar[str] = "softmax-sum"
    rounds: ClassVar[bool] = False
    waits: ClassVar[bool] = False

    a: Float = UNSET
    lanes: int = LANES
    row: int = ROW
    base: str = "e"
    bits: int | None = None
    aligned: int | None = None
    reach: int | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None)
        self._check_row()
        self._check_powers(self.base, self.reach)

    @property
    def ports(self) -> Ports:
        sums = self.power_sum
        r = Fixed(width=sums.places(self.growth), fraction=sums.aligned, signed=False)
        outputs = {
            "r": Operand(format=r),
            "exponent": Operand(format=Fixed(width=sums.power.whole + 1)),
            "nan": Operand(format=BIT),
        }
        return self._ports("a", outputs)

    def _of_rows(
        self, codes: np.ndarray, present: np.ndarray, rows: Rows, **beside: np.ndarray
    ) -> dict[str, np.ndarray]:
        sums: PowerSum = self.power_sum
        return _codes(sums.running(sums.elements(unpack(codes, self.a), present), rows), self.ports)


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftmaxMerge(Unit):
    """One sum of two parts of a row: r * 2**exponent = a * 2**a_exponent + b * 2**b_exponent.

    Of results of ``softmax-sum``, or of its own: ``exponent`` is the larger one, each sum goes down
    to it and is rounded down, and their sum saturates. ``nan`` is 1 where one of them is. What has
    the sum 0 and the least exponent is the sum of nothing: it changes nothing. The order of two
    parts does not matter; that of more of them does, by a last place for each. The steps are those
    of :func:`macaw.golden.arithmetic.rows.powers.merged`.

    Parameters
    ----------
    a : Fixed
        Of the sums, unsigned, of at most 62 bits.
    exponent : Fixed
        Of the exponents: signed integers of at most 32 bits; by default of 18 bits, those of the
        largest reach.
    """

    kind: ClassVar[str] = "softmax-merge"
    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False

    a: Fixed = UNSET
    exponent: Fixed = _EXPONENT

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, exponent=None)
        if not isinstance(self.a, Fixed) or self.a.signed or self.a.width > _WIDEST:
            name, most = self.a.name, _WIDEST
            raise SpecError(f"a={name}: must be unsigned fixed point of at most {most} bits")
        fmt, most = self.exponent, _WIDEST_EXPONENT
        plain = isinstance(fmt, Fixed) and fmt.signed and not (fmt.fraction or fmt.symmetric)
        if not plain or fmt.width > most:
            raise SpecError(
                f"exponent={fmt.name}: must be a signed integer format of at most {most} bits"
            )

    @property
    def macs(self) -> int:
        return 0

    @property
    def _outputs(self) -> dict[str, Operand]:
        """Those of a sum."""
        return {
            "r": Operand(format=self.a),
            "exponent": Operand(format=self.exponent),
            "nan": Operand(format=BIT),
        }

    @property
    def ports(self) -> Ports:
        inputs = {
            letter if name == "r" else f"{letter}_{name}": port
            for letter in "ab"
            for name, port in self._outputs.items()
        }
        return Ports(inputs=inputs, outputs=self._outputs)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        a, b = (
            Sum(
                s=integers_of(chunk[letter], self.a),
                exponent=integers_of(chunk[f"{letter}_exponent"], self.exponent),
                nan=chunk[f"{letter}_nan"] != 0,
            )
            for letter in "ab"
        )
        return _codes(merged(a, b, self.a.max_integer), self.ports)


def _codes(sums: Sum, ports: Ports) -> dict[str, np.ndarray]:
    """Return the codes of sums, by name."""
    found = {"r": sums.s, "exponent": sums.exponent, "nan": sums.nan}
    outputs: dict[str, Any] = {name: ports.outputs[name].format for name in found}
    return {name: codes_of(array, outputs[name]) for name, array in found.items()}


named(
    SoftmaxSum,
    words=power_words,
    last=("row", "base", "bits", "aligned", "reach"),
)
named(SoftmaxMerge, formats=alike("a", "exponent"), words=lambda spec: [], last=())
