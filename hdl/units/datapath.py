# SPDX-License-Identifier: BSD-2-Clause
"""What every unit's gates have in common: a specification, an implementation, and ``build``."""

from dataclasses import dataclass
from typing import ClassVar

from macaw.golden.errors import SpecError
from macaw.golden.units import Unit

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .implementation import Implementation

__all__ = ["Datapath"]


@dataclass(frozen=True)
class Datapath:
    """The arithmetic of one unit specification, to be built into any scheduler.

    A subclass writes it in :meth:`build`, from operand wires to result wires; where registers go is
    the scheduler's choice. :class:`~.component.Component` makes a module of it, and
    :class:`~.chain.ChainDatapath` a part of a larger one.

    Parameters
    ----------
    spec : Unit
    implementation : Implementation

    Attributes
    ----------
    folds : bool
        True if lanes can take turns: ``Implementation(fold=...)``.
    sums : bool
        True if an exact sum is built, which ``Implementation(widest_sum=...)`` bounds.

    Raises
    ------
    SpecError
        If lanes are to take turns and cannot.
    """

    spec: Unit
    implementation: Implementation

    folds: ClassVar[bool] = False
    sums: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.implementation.fold > 1 and not self.folds:
            raise SpecError(
                f"fold={self.implementation.fold}: the lanes of {self.spec.kind} take no turns"
            )

    def build(self, p: Scheduler, **operands: Wire) -> dict[str, Wire]:
        """Results from operands; ``done``, if given, says which beats have one."""
        raise NotImplementedError
