# SPDX-License-Identifier: BSD-2-Clause
"""What every unit specification has: ports, parameters, a name, and ``evaluate``."""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

import numpy as np

from ...arithmetic.binary64.host import Kernel
from ...arithmetic.exact import Exact
from ...arithmetic.operands import Operand, Operands
from ...arithmetic.projection import (
    Direction,
    Split,
    check_random,
    check_rounding,
    project,
    resolve_overflow,
)
from ...arithmetic.running.lfsr import PRIMITIVE, Register
from ...errors import SpecError
from ...formats.block import Block
from ...formats.checks import check_format, check_integer
from ...formats.choices import Overflow, Rounding, Tininess
from ...formats.scalar import Book, Fixed, Float, Format, Posit
from .. import naming
from .plan import Plan

UNSET: Any = None
"""Default of a format that follows from another one."""

ROUNDING = ("rounding", "overflow", "random_bits", "random", "random_seed")
"""Parameters that say how results are rounded."""

_INSIDE = ("random", "random_seed")
"""Those of them that a unit with its random words from outside does not list."""

RANDOM = {"reseed": Operand(format=Fixed(width=1, signed=False))}
"""The input of a unit that makes random words itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Operands that a unit takes and results that it gives, by name, in order."""

    inputs: dict[str, Operand]
    outputs: dict[str, Operand]


class Planning:
    """What remembers its :class:`Plan`, which is no part of its value."""

    __slots__ = ("_plan",)

    @property
    def plan(self) -> Plan:
        """How arrays are evaluated."""
        try:
            return self._plan  # type: ignore[no-any-return]
        except AttributeError:
            object.__setattr__(self, "_plan", Plan(self))  # type: ignore[arg-type]
            return self._plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit(Planning):
    """Base of every unit specification.

    Attributes
    ----------
    kind : str
        Name in :data:`UNITS`.
    accumulates : bool
        True if a result belongs to several beats, up to the one with ``last=1``.
    dynamic : bool
        True if ``rounding=dynamic`` and ``flags`` are offered.
    rounds : bool
        False if the definition says how each step rounds: :data:`ROUNDING` are no parameters.
    examples : tuple of dict
        Parameters that the unit can be made with, where formats alone are not enough: help tries
        them to say what the unit takes.
    """

    kind: ClassVar[str]
    accumulates: ClassVar[bool] = False
    dynamic: ClassVar[bool] = True
    rounds: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ()
    waits: ClassVar[bool] = False

    rounding: Rounding = Rounding.RNE
    overflow: Overflow | None = None
    random_bits: int = 16
    random: Literal["port", "lfsr"] = "port"
    random_seed: int = 1

    def __post_init__(self) -> None:
        self._set("rounding", Rounding.parse(self.rounding, "rounding"))
        if self.overflow is not None:
            default = str(self.overflow).lower() == "default"
            policy = None if default else Overflow.parse(self.overflow, "overflow")
            self._set("overflow", policy)
        if self.rounding is Rounding.DYNAMIC and not self.dynamic:
            raise SpecError(f"rounding=dynamic: {self.kind} takes one fixed direction")
        check_integer("random_bits", self.random_bits, 1, 32)
        if not self.rounding.stochastic:
            self._set("random_bits", 16)
        self._check_source()
        if not self.rounds and (self.rounding is not Rounding.RNE or self.overflow is not None):
            name = "overflow" if self.rounding is Rounding.RNE else "rounding"
            raise SpecError(
                f"{name}={getattr(self, name)}: {self.kind} rounds as its definition says"
            )

    @property
    def stateful(self) -> bool:
        """Whether something outlives a beat: the first axis of every array is then time.

        ``last`` ends a sequence. What is kept of a whole tensor the input ``end`` closes: after
        a beat with ``end=1`` (and ``last=1``, where there is one) it is as after reset. After one
        with ``reseed=1`` the random words are.
        """
        return self.accumulates or self.random == "lfsr"

    @property
    def source(self) -> Register:
        """What gives the random words of ``random=lfsr``."""
        return Register(
            polynomial=PRIMITIVE[32],
            form="fibonacci",
            seed=self.random_seed,
            steps=self.random_bits,
            width=self.random_bits,
        )

    @property
    def fed(self) -> Unit:
        """The unit that takes its random words at a port, and else does the same."""
        return replace(self, random="port", random_seed=1)

    def _check_source(self) -> None:
        """Check where random words come from."""
        self._set("random", str(self.random).lower())
        if self.random not in ("port", "lfsr"):
            raise SpecError(f"random={self.random:.60}: must be one of port, lfsr")
        check_integer("random_seed", self.random_seed, 1, (1 << 32) - 1)
        if self.random == "port" and self.random_seed != 1:
            raise SpecError(f"random_seed={self.random_seed}: must be 1 unless random=lfsr")
        if self.random == "lfsr" and not self.rounding.stochastic:
            raise SpecError(
                f"random=lfsr: rounding={self.rounding} takes no random words; must be port"
            )

    def _check_result(self) -> None:
        """Check what depends on the result format, and settle the overflow policy."""
        self._set("overflow", resolve_overflow(self.overflow, self._out))
        check_rounding(self._out, self.rounding)
        if self.rounding.stochastic:
            check_random(self._out, self.random_bits)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _formats(self, **defaults: str | None) -> None:
        for name, default in defaults.items():
            value = getattr(self, name)
            if value is None and default is not None:
                value = getattr(self, default)
            if value is None:
                raise SpecError(f"{self.kind}: parameter {name} is missing")
            self._set(name, check_format(name, value))

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        raise NotImplementedError

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation; 0 for units that do not multiply."""
        return 1

    @property
    def multiplied(self) -> tuple[str, ...]:
        """Names of the operands that a term of the result is the product of."""
        return ("a", "b") if self.macs else ("a",)

    @property
    def samples(self) -> dict[str, np.ndarray]:
        """Codes of operands beside which the results change their course, integers."""
        return {}

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        """JSON-able parameters: ``unit(self.kind, **self.parameters) == self``."""
        result: dict[str, str | int | bool] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "random_bits" and not self.rounding.stochastic:
                continue
            if item.name in ROUNDING and not self.rounds:
                continue
            if item.name in _INSIDE and self.random == "port":
                continue
            if isinstance(value, Float | Fixed | Book | Posit | Block):
                result[item.name] = value.name
            elif isinstance(value, enum.Enum):
                result[item.name] = value.value
            elif value is not None:
                result[item.name] = value
        return {name: result[name] for name in naming.order(self) if name in result}

    @property
    def essential(self) -> dict[str, str | int | bool]:
        """Those :attr:`parameters` that do not follow from the others.

        ``unit(self.kind, **self.essential) == self``.
        """
        kept = every = self.parameters
        unusual = naming.unusual(self)
        for name in reversed(every):
            fewer = {other: value for other, value in kept.items() if other != name}
            if name not in unusual or naming.made(self, fewer, every) == self:
                kept = fewer
        return kept

    @property
    def name(self) -> str:
        """Name of the module: kind, formats (trailing equal ones left out), then options.

        No two units share one. A digest of all parameters stands behind words that are too many,
        or that do not tell of some parameter.
        """
        return naming.name(self)

    @property
    def _out(self) -> Format:
        return getattr(self, "out")  # noqa: B009

    def _random(self, lanes: int | None = None) -> dict[str, Operand]:
        """Return the input that random words come from, one for each of the ``lanes``."""
        if self.random == "lfsr":
            return dict(RANDOM)
        if self.rounding.stochastic:
            word = Fixed(width=self.random_bits, signed=False)
            return {"random": Operand(format=word, lanes=lanes)}
        return {}

    def _control(self) -> dict[str, Operand]:
        if self.rounding.stochastic:
            return self._random()
        if self.rounding is Rounding.DYNAMIC:
            return {"rm": Operand(format=Fixed(width=3, signed=False))}
        return {}

    def _results(self) -> dict[str, Operand]:
        outputs = {"r": Operand(format=self._out)}
        if getattr(self, "flags", False):
            outputs["flags"] = Operand(format=Fixed(width=4, signed=False))
        return outputs

    @property
    def _given(self) -> dict[str, Operand]:
        """What :meth:`_compute` returns."""
        return self.ports.outputs

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Compute the results for arrays of operand codes.

        Parameters
        ----------
        **codes : array_like of unsigned integers
            One per input port. They broadcast like numpy; lanes are the last axis.

        Returns
        -------
        dict of ndarray
            One per output port, codes in the smallest unsigned dtype that holds the format.

        Raises
        ------
        CodeError for missing, surplus, empty or badly typed arrays and codes out of range.
        """
        if (found := self.plan.evaluate(codes)) is not None:
            return found
        if self.random == "port":
            return self._evaluate(**codes)
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "must have one axis, that of the random words")
        fed = self.fed
        port = fed.ports.inputs["random"]
        words = self.source.drawn(operands.arrays.pop("reseed"), port.lanes or 1)
        words = words.reshape(-1, *port.tail).astype(port.format.code_dtype)
        return fed._evaluate(**operands.arrays, random=words)

    def _evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Return the results, where no random words have to be made."""
        plan = self.plan
        operands = Operands.of(plan.inputs, codes, self.kind)
        if (tables := plan.tables(operands.count)) is not None:
            return tables.look_up(operands)
        given = plan.given
        results = {
            name: np.empty((operands.count, *port.tail), port.format.code_dtype)
            for name, port in given.items()
        }
        for piece, chunk in operands.chunks(plan.widest):
            for name, array in self._compute(chunk).items():
                results[name][piece] = array
        return {
            name: results[name].reshape(operands.shape + port.tail) for name, port in given.items()
        }

    @property
    def _plain(self) -> bool:
        """Whether :meth:`evaluate` is no more than :meth:`_compute` of checked operands."""
        return type(self)._evaluate is Unit._evaluate and self.random == "port"

    def _kernel(self) -> Kernel | None:
        """Return what gives the one result ``r`` of operands of one axis, if there is such."""
        return None

    def _by_integers(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what :meth:`_compute` does, by no other way than the one that defines it."""
        return self._compute(chunk)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the results of some operations: flat arrays, lanes on a second axis."""
        direction = self._direction(chunk)
        exact = self._exact(direction.down, **chunk)
        flags = getattr(self, "flags", False)
        nan = getattr(self, "nan", None)
        tininess = getattr(self, "tininess", Tininess.AFTER)
        codes, raised = project(exact, self._out, direction, self.overflow, flags, nan, tininess)
        return {"r": codes} if raised is None else {"r": codes, "flags": raised}

    def _direction(self, chunk: dict[str, np.ndarray]) -> Direction:
        """Take the rounding operands out of ``chunk``."""
        modes, random = chunk.pop("rm", None), chunk.pop("random", None)
        return Direction(self.rounding, modes, random, self.random_bits)

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        """Return the values to be rounded; an exact zero sum is negative where ``down``."""
        raise NotImplementedError


naming.named(
    Unit,
    stem=naming.kind_word,
    formats=naming.operand_formats,
    words=naming.rounding_words,
    overflow=lambda spec: resolve_overflow(None, spec._out),
    last=ROUNDING,
)
