# SPDX-License-Identifier: BSD-2-Clause
"""Units that tell what became of a tensor's elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...arithmetic.exact import Exact
from ...arithmetic.operands import Operand, Operands
from ...arithmetic.projection import Direction, Split, project
from ...arithmetic.running.statistics import MARKS, marked, statistics
from ...errors import SpecError
from ...formats.checks import check_integer
from ...formats.choices import Nan, Overflow, Tininess
from ...formats.scalar import Fixed, Float, Format
from ..naming import named
from . import ROUNDING, Unit

_BIT = Operand(format=Fixed(width=1, signed=False))
_MARKS = Fixed(width=len(MARKS), signed=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counting(Unit):
    """Base of the units whose results are elements of tensors, and may be counted.

    With ``statistics=N`` there is an operand ``end``, 1 in a tensor's last result, and behind the
    results there are counts of N bits, the largest magnitude, and ``last``, which is ``end``. See
    :mod:`macaw.golden.arithmetic.running.statistics`.

    Attributes
    ----------
    counts : tuple of str
        What is counted, of :data:`macaw.golden.arithmetic.running.statistics.MARKS`.
    """

    counts: ClassVar[tuple[str, ...]] = ("overflows", "underflows")

    statistics: int = 0

    @property
    def _measured(self) -> Format:
        """Format of the largest magnitude."""
        return self._out

    def _check_statistics(self) -> None:
        check_integer("statistics", self.statistics, 0, 32)
        if self.statistics and not isinstance(self._measured, Float):
            raise SpecError(
                f"statistics={self.statistics}: {self._measured.name} is no float; must be 0"
            )

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        found = super(Counting, self).parameters
        if not self.statistics:
            del found["statistics"]
        return found

    @property
    def stateful(self) -> bool:
        """With statistics a tensor is known at its end."""
        return bool(self.statistics) or super(Counting, self).stateful

    def _control(self) -> dict[str, Operand]:
        found = super(Counting, self)._control()
        return found | {"end": _BIT} if self.statistics else found

    def _results(self) -> dict[str, Operand]:
        return super(Counting, self)._results() | self._told

    @property
    def _told(self) -> dict[str, Operand]:
        """The results that statistics are."""
        if not self.statistics:
            return {}
        count = Operand(format=Fixed(width=self.statistics, signed=False))
        found = dict.fromkeys(self.counts, count)
        return found | {"largest": Operand(format=self._measured), "last": _BIT}

    @property
    def _given(self) -> dict[str, Operand]:
        """In the place of statistics, what they are of."""
        told = self._told
        found = {name: port for name, port in self.ports.outputs.items() if name not in told}
        if told:
            found["marks"] = Operand(format=_MARKS, lanes=found["r"].lanes)
        return found

    @property
    def _plain(self) -> bool:
        own = type(self)._evaluate is Counting._evaluate and type(self)._run is Counting._run
        return own and not self.statistics and self.random == "port"

    def _run(self, **codes: Any) -> dict[str, np.ndarray]:
        """Return the results, and the marks of those that are counted."""
        return Unit._evaluate(self, **codes)

    def _evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        if not self.statistics:
            return self._run(**codes)
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "must have one axis, the elements of tensors")
        arrays = operands.arrays
        found, end = self._run(**arrays), arrays["end"]
        if "last" in arrays:
            end = end[arrays["last"] != 0]
        fmt = self._measured
        assert isinstance(fmt, Float)
        marks, sizes = found.pop("marks"), self._sizes(found["r"], arrays)
        found |= statistics(marks, sizes, end, fmt, self.counts, self.statistics) | {"last": end}
        return {name: found[name] for name in self.ports.outputs}

    def _sizes(self, r: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Return codes of :attr:`_measured`: what the largest magnitude is one of."""
        return r

    def _projected(
        self,
        exact: Exact | Split,
        direction: Direction,
        overflow: Overflow | None,
        poles: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Return the results of one rounding, with the flags or marks that are wanted.

        ``poles`` are flags of what went before.
        """
        flags = getattr(self, "flags", False)
        nan: Nan | None = getattr(self, "nan", None)
        tininess: Tininess = getattr(self, "tininess", Tininess.AFTER)
        wanted = flags or self.statistics > 0
        codes, raised = project(exact, self._out, direction, overflow, wanted, nan, tininess)
        found = {"r": codes}
        if raised is None:
            return found
        if poles is not None:
            raised = raised | poles
        if flags:
            found["flags"] = raised
        if self.statistics:
            assert isinstance(exact, Exact)
            assert isinstance(self._out, Float)
            found["marks"] = marked(exact.special, codes, raised, self._out)
        return found


named(Counting, last=(*ROUNDING, "statistics"))
