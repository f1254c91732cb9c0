# SPDX-License-Identifier: BSD-2-Clause
"""Accumulation profiles as values, and their names."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import SpecError
from ...formats.block import factor
from ...formats.choices import Overflow, Rounding
from ...formats.scalar import Fixed, Format
from ...formats.scalar import format as scalar_format
from ...formats.texts import whole
from ..factors import Factors
from ..projection import resolve_overflow
from .machines import CHIPS, MACHINES, MachineSum, find

_NAME = re.compile(r"([a-z0-9-]+)(?:\(([^()]*)\))?")
_KINDS = ("exact", "sequential", "chunk", "aligned")
_CORES = [name[len("tensor-core(") : -1] for name in MACHINES if name.startswith("tensor-core(")]
_MEANS = (
    "must be exact, sequential, chunk(L,format), aligned(F[,G[,rounding]]), tensor-core(machine), "
    "cdna3 or rvbna[(G)]"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Accumulation:
    """One of the profiles, with its parameters.

    Attributes
    ----------
    kind : str
        One of the names, or ``machine``.
    bits : int
        F of ``aligned``, 4 to 256; of a machine the fraction bits of its aligned terms.
    count : int
        Products in a group of ``aligned``, a chunk of ``chunk`` or a step of a machine; 0: all of
        them.
    format : Format or None
        Of the inner sums of ``chunk``.
    overflow: Overflow or None
        Their policy.
    machine : str
        Name of a machine's profile, as in :data:`.machines.MACHINES`.
    sum : MachineSum or None
        What the machine does.
    """

    kind: str = "exact"
    bits: int = 0
    count: int = 0
    format: Format | None = None
    overflow: Overflow | None = None
    machine: str = ""
    sum: MachineSum | None = None

    def __str__(self) -> str:
        match self.kind:
            case "chunk":
                assert self.format is not None
                return f"chunk({self.count},{self.format.name})"
            case "aligned":
                return f"aligned({self.bits}{f',{self.count}' if self.count else ''})"
            case "machine":
                return f"{self.machine}{f'({self.count})' if self._counts else ''}"
        return self.kind

    @property
    def _counts(self) -> bool:
        """Whether the name of a machine's profile says how many products a step has."""
        return self.sum is not None and self.sum.products == 0 and self.count != 0

    @property
    def identifier(self) -> list[str]:
        """Parts of a module name."""
        match self.kind:
            case "exact":
                return []
            case "chunk":
                assert self.format is not None
                return [f"chunk{self.count}{self.format.name.replace('.', 'p')}"]
            case "aligned":
                return [f"aligned{self.bits}{f'g{self.count}' if self.count else ''}"]
            case "machine":
                name = self.machine.removeprefix("tensor-core(").removesuffix(")")
                return [f"{name}{f'g{self.count}' if self._counts else ''}"]
        return [self.kind]

    @property
    def single(self) -> bool:
        """Whether there is one rounding only, whatever the number of products."""
        return self.kind == "exact" or (self.kind == "aligned" and not self.count)


@functools.lru_cache(maxsize=256)
def parse(
    text: str, factors: Factors, overflow: Overflow | None, addend: Format, out: Format
) -> tuple[Accumulation, Rounding | None]:
    """Return the profile that ``text`` names for sums of products of ``factors``.

    And the rounding, if it names one. ``addend`` and ``out`` are the formats of the addend and of
    the result. SpecError for anything else.
    """
    lanes = factors.count // factors.groups

    def fail(why: str) -> SpecError:
        return SpecError(f"accumulation={text}: {why}")

    match = _NAME.fullmatch(text)
    words = match[2].split(",") if match and match[2] else []
    kind = match[1] if match else ""
    if kind in ("tensor-core", "cdna3", "rvbna"):
        return _machine(kind, words, factors, addend, out, fail)
    plain = kind in ("exact", "sequential")
    if not match or kind not in _KINDS or plain != (match[2] is None):
        raise fail(_MEANS)
    if kind == "chunk":
        if len(words) != 2:
            raise fail("must be chunk(L,format)")
        try:
            fmt = scalar_format(words[1])
        except ValueError as error:
            raise fail(str(error)) from None
        policy = resolve_overflow(overflow, fmt)
        count = _fitting(factors, fmt, lanes) if words[0] == "auto" else _integer(words[0])
        if count is None or not 1 <= count <= lanes:
            raise fail(
                f"L must be an integer from 1 to {lanes}, or auto with an integer format that has "
                f"the last place of {factors}"
            )
        if lanes % count:
            raise fail(f"L={count} must divide the {lanes} products of a scale")
        return Accumulation(kind=kind, count=count, format=fmt, overflow=policy), None
    rounding = None
    if kind == "aligned":
        bits = _integer(words[0]) if words else None
        count = _integer(words[1]) if len(words) > 1 else 0
        if len(words) not in (1, 2, 3) or bits is None or not 4 <= bits <= 256:
            raise fail("must be aligned(F[,G[,rounding]]), F from 4 to 256")
        if count is None or not 0 <= count <= lanes or (count and lanes % count):
            raise fail(f"G={words[1]} must be 0, or divide the {lanes} products of a scale")
        if len(words) == 3:
            try:
                rounding = Rounding.parse(words[2], "rounding")
            except SpecError as error:
                raise fail(str(error)) from None
            if rounding is Rounding.DYNAMIC:
                raise fail("takes one fixed direction")
        count = 0 if count == factors.count else count
        return Accumulation(kind=kind, bits=bits, count=count), rounding
    return Accumulation(kind=kind), None


def _machine(
    kind: str,
    words: list[str],
    factors: Factors,
    addend: Format,
    out: Format,
    fail: Callable[[str], SpecError],
) -> tuple[Accumulation, Rounding]:
    name, count = kind, 0
    if kind == "tensor-core":
        word = words[0] if len(words) == 1 else ""
        name = f"tensor-core({CHIPS.get(word, word)})"
        if name not in MACHINES:
            raise fail(f"must be tensor-core of {', '.join([*_CORES, *CHIPS])}")
    elif kind == "cdna3" and words:
        raise fail("must be cdna3 alone")
    try:
        found = find(name, factors, addend, out)
    except SpecError as error:
        raise fail(str(error)) from None
    if words and kind == "rvbna":
        given = _integer(words[0]) if len(words) == 1 else None
        if given is None or not 1 <= given <= factors.count or factors.count % given:
            raise fail(f"G must divide the {factors.count} products")
        count = given
    count = count or found.products
    count = 0 if count >= factors.count else count
    bits = found.bits(count or factors.count)
    profile = Accumulation(kind="machine", machine=name, sum=found, count=count, bits=bits)
    return profile, found.rounding(out)


def _integer(text: str) -> int | None:
    return whole(text) if re.fullmatch(r"\d+", text) else None


def _fitting(factors: Factors, fmt: Format, lanes: int) -> int | None:
    """Return the most products that an integer accumulator cannot overflow on, at least 1.

    They divide ``lanes``.
    """
    a, b = factor(factors.a), factor(factors.b)
    if not (isinstance(fmt, Fixed) and isinstance(a, Fixed) and isinstance(b, Fixed)):
        return None
    if a.fraction + b.fraction != fmt.fraction:
        return None
    largest = max(abs(x * y) for x in _ends(a) for y in _ends(b))
    most = fmt.max_integer // max(largest, 1)
    return next((n for n in range(min(most, lanes), 1, -1) if lanes % n == 0), 1)


def _ends(fmt: Fixed) -> tuple[int, int]:
    return fmt.min_integer, fmt.max_integer
