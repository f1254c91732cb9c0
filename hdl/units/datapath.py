# SPDX-License-Identifier: BSD-2-Clause
"""What every unit's gates have in common: a specification, an implementation, and ``build``."""

import typing
from dataclasses import dataclass
from typing import ClassVar

from macaw.golden.errors import SpecError
from macaw.golden.formats import Book, Float, Posit
from macaw.golden.formats.block import Block
from macaw.golden.formats.choices import Overflow
from macaw.golden.units import Unit
from macaw.golden.units.specification.counting import Counting

from ..arithmetic.statistics import statistics
from ..arithmetic.words.lfsr import random_words
from ..options.implementation import Implementation
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat

__all__ = ["FLOATS", "Datapath"]

FLOATS = 32
"""Bits of the widest floats that gates take."""


@dataclass(frozen=True)
class Datapath:
    """The arithmetic of one unit specification, to be built into any scheduler.

    A subclass writes it in :meth:`build`, from operand wires to result wires; where registers go is
    the scheduler's choice. :class:`macaw.hdl.component.Component` makes a module of it, and
    :class:`~.chain.ChainDatapath` a part of a larger one.

    Parameters
    ----------
    spec : Unit
    implementation : Implementation

    Attributes
    ----------
    folds : bool
        True if lanes can take turns: ``Implementation(fold=...)``.
    iterates : bool
        True if digits can be found one after another: ``Implementation(digits=...)``.
    sums : bool
        True if an exact sum is built, which ``Implementation(widest_sum=...)`` bounds.
    floats : bool
        False if the only floats are what the family's own formats are made of, or none is wider.
    wraps : bool
        True if what is rounded is one value, and no sum: it wraps whatever the operands are.

    Raises
    ------
    SpecError
        If lanes or digits are to take turns and cannot.
    """

    spec: Unit
    implementation: Implementation

    folds: ClassVar[bool] = False
    iterates: ClassVar[bool] = False
    sums: ClassVar[bool] = False
    floats: ClassVar[bool] = True
    wraps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.implementation.fold > 1 and not self.folds:
            raise SpecError(
                f"fold={self.implementation.fold}: the lanes of {self.spec.kind} take no turns"
            )
        if self.implementation.digits is not None and not self.iterates:
            raise SpecError(
                f"digits={self.implementation.digits}: {self.spec.kind} has none to find one after "
                "another"
            )

    def build(self, p: Scheduler, **operands: Wire) -> dict[str, Wire]:
        """Results from operands; ``done``, if given, says which beats have one.

        Of a unit with statistics, in the place of each count what is counted: a bit for each lane.
        """
        raise NotImplementedError

    def complete(self, p: Scheduler, **operands: Wire) -> dict[str, Wire]:
        """:meth:`build` with what the unit makes itself: random words, and statistics."""
        spec = self.spec
        bits: int = getattr(spec, "statistics", 0)
        end = operands.pop("end") if bits else None
        if spec.random == "lfsr":
            lanes = spec.fed.ports.inputs["random"].lanes
            words = random_words(p, operands.pop("reseed"), spec.source, lanes or 1)
            operands["random"] = cat(*words)
        found = self.build(p, **operands)
        if end is None:
            return found
        assert isinstance(spec, Counting)
        fmt = spec.ports.outputs["largest"].format
        assert isinstance(fmt, Float)
        marks = {name: found[name] for name in spec.counts}
        sizes = self.sizes(found["r"], operands).lanes(fmt.width)
        return found | statistics(p, marks, sizes, end, found.get("done"), fmt, bits)

    def sizes(self, r: Wire, operands: dict[str, Wire]) -> Wire:
        """Codes of which statistics tell the largest magnitude."""
        return r

    @classmethod
    def limits(cls, kind: type[Unit]) -> list[str]:
        """What golden evaluates and :meth:`check` refuses of a kind of unit, in words.

        Besides, frequencies that no registers reach, and what :class:`Implementation` says.
        """
        hints = typing.get_type_hints(kind)
        floats = any({Float, Block} & {hint, *typing.get_args(hint)} for hint in hints.values())
        found = []
        if floats and cls.floats:
            found.append(f"floats of more than {FLOATS} bits (fp64)")
            if kind.rounds and not cls.wraps:
                found.append("overflow=wrap unless all operands are fixed point")
        if Book in typing.get_args(hints.get("acc")):
            found.append("a code book as acc")
        if cls.sums:
            found.append("exact sums of more bits than widest_sum")
        return found

    @classmethod
    def check(cls, spec: Unit) -> None:
        """SpecError if the gates do not offer what the specification asks for."""
        for fmt in {port.format for port in (spec.ports.inputs | spec.ports.outputs).values()}:
            if isinstance(fmt, Float) and fmt.width > FLOATS:
                raise SpecError(f"{fmt.name}: gates take floats of at most {FLOATS} bits")
        if isinstance(acc := getattr(spec, "acc", None), Book):
            raise SpecError(f"acc={acc.name}: gates accumulate in floats and fixed point")
        if spec.overflow is Overflow.WRAP and not (cls.wraps or _fixed(spec)):
            raise SpecError("overflow=wrap: gates wrap sums of fixed-point operands only")


def _fixed(spec: Unit) -> bool:
    """Whether what wraps is a sum of fixed-point terms."""
    inputs = dict(spec.ports.inputs)
    if isinstance(spec.ports.outputs["r"].format, Float):
        # Only the inner sums of a chunked accumulation wrap.
        inputs = {name: port for name, port in inputs.items() if name in ("a", "b")}
    return not any(
        isinstance(fmt, Float | Posit) or (isinstance(fmt, Book) and not fmt.uniform)
        for fmt in (port.format for port in inputs.values())
    )
