# SPDX-License-Identifier: BSD-2-Clause
"""Which unit a format's multiply-accumulates are priced as, and at what price.

``compare``, ``choose`` and the benchmarks ask here, so that a format has one unit and one price.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from macaw.golden.errors import FormatError, SpecError
from macaw.golden.formats import Book, Fixed, Float, Format, Posit
from macaw.golden.formats import format as scalar_format
from macaw.golden.formats.block import AnyFormat, Block
from macaw.golden.formats.block import format as format_of
from macaw.golden.units import Unit, unit
from macaw.golden.units.integer_dots import IntegerSum
from macaw.tools.yosys import Notify

from . import source
from .energy.operands import WEIGHTS
from .flow import Result, run

if TYPE_CHECKING:
    from .mapping.targets import Target

KINDS = ("auto", "fma", "mac", "dot")

ALIGNED_BITS = 32
"""Fraction bits of a `dot` whose exact sum the hardware refuses."""

BLOCK_LANES = 32
"""Products per clock where one of the formats has blocks; the most that a block format has."""

LANES = 8
"""Products per clock where there are weights without multipliers: a sum, and one accumulator."""

ACTIVATION = "int8"
"""What weights that need no multiplier are multiplied by, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is multiplied: formats of ``weight`` and ``activation``; and of ``sums``, if given."""

    weight: AnyFormat
    activation: AnyFormat
    sums: Format | None = None

    @property
    def name(self) -> str:
        """``weight:activation->sums``, without what :func:`pair` adds to the rest by itself."""
        sums = f"->{self.sums.name}" if self.sums is not None else ""
        if self.activation == pair(self.weight).activation:
            return f"{self.weight.name}{sums}"
        return f"{self.weight.name}:{self.activation.name}{sums}"

    @property
    def bits(self) -> float:
        """Storage of a weight, its share of a block's scale included."""
        return self.weight.bits if isinstance(self.weight, Block) else self.weight.width

    @property
    def blocks(self) -> bool:
        """Whether one of them is a block format."""
        return isinstance(self.weight, Block) or isinstance(self.activation, Block)

    @property
    def multiplierless(self) -> bool:
        """Whether the weight is one of a sign and a power of two, or ternary."""
        return self.weight in WEIGHTS


def pair(name: str | AnyFormat | Pair, activation: str | AnyFormat | None = None) -> Pair:
    """Return the pair that ``name`` means: a format, ``weight:activation``, ``weight*activation``.

    ``->sums`` behind it says what the products are summed in. The partner of a format alone is
    ``activation``. Without one it is itself, but for weights that need no multiplier (``binary``,
    ``ternary``, ``shift<n>``, ``power<n>``), whose partner is :data:`ACTIVATION`. FormatError for a
    name that is no format.
    """
    if isinstance(name, Pair):
        return name
    sums: Format | None = None
    if isinstance(name, str):
        whole, (name, arrow, after) = name, name.partition("->")
        sums = scalar_format(after) if after.strip() else None
        sign = next((sign for sign in ":*" if sign in name), "")
        if sign:
            name, _, activation = name.partition(sign)
        if (sign and not (name.strip() and str(activation).strip())) or (arrow and sums is None):
            raise FormatError(f"format {whole!r}: must be weight:activation, or with ->sums")
    weight = format_of(name)
    if activation is None:
        activation = ACTIVATION if weight in WEIGHTS else weight
    return Pair(weight, format_of(activation), sums)


def accumulator(fmt: str | AnyFormat | Pair) -> Format:
    """Return the format that sums of products of ``fmt`` are kept in.

    Block formats, code books and floats up to 32 bits: ``fp32``, as in every tensor unit that we
    know. Fixed point of up to 8 bits, and of up to 16 bits by weights that need no multiplier:
    ``int32``; wider: the width of a product and 16 bits for 65536 terms. SpecError for wider ones.
    Posits of up to 16 bits: ``fp32``; wider ones, whose products leave its range: themselves.
    What the pair itself says goes before all that.
    """
    both = pair(fmt)
    if both.sums is not None:
        return both.sums
    factors = [both.activation, both.weight]
    for factor in factors:
        if isinstance(factor, Float) and factor.width > 32:
            raise SpecError(
                f"{factor.name}: is wider than the accumulator fp32; take one of at most 32 bits"
            )
    for factor in factors:
        if isinstance(factor, Posit) and factor.width > 16:
            return factor
    rounded = Block | Book | Float | Posit
    if any(isinstance(factor, rounded) and factor not in WEIGHTS for factor in factors):
        return scalar_format("fp32")
    fixed = [factor for factor in factors if isinstance(factor, Fixed)]
    total = sum(factor.width for factor in fixed)
    small = 16 if any(factor in WEIGHTS for factor in factors) else 8
    width = 32 if all(factor.width <= small for factor in fixed) else total + 16
    if width > 64:
        raise SpecError(f"{both.name}: needs an accumulator of {width} bits, of at most 64")
    return Fixed(width=width, fraction=sum(factor.fraction for factor in fixed))


def lanes_of(
    fmt: str | AnyFormat | Pair, formats: Iterable[str | AnyFormat | Pair], kind: str = "auto"
) -> int:
    """Return the products per clock of ``fmt`` in a comparison of ``formats``.

    One for each, unless there are blocks, or weights that need no multiplier. With blocks scalar
    formats have 32, and a block format the products of one block, or, if its blocks are larger,
    the most up to 32 that divide one: 32 for MX, 16 for NVFP4, 24 for HBFP's tiles. With such
    weights and no blocks all have 8 (:data:`LANES`), since it is the sum that is shared.
    """
    everything = [pair(other) for other in formats]
    if kind in ("fma", "mac"):
        return 1
    if not any(each.blocks for each in everything):
        return LANES if any(each.multiplierless for each in everything) else 1
    both = pair(fmt)
    sizes = [f.size or BLOCK_LANES for f in (both.weight, both.activation) if isinstance(f, Block)]
    size = math.gcd(*sizes) if sizes else BLOCK_LANES
    return max(lanes for lanes in range(1, BLOCK_LANES + 1) if size % lanes == 0)


def kind_of(formats: Iterable[str | AnyFormat | Pair], kind: str = "auto") -> str:
    """Return the kind of unit in a comparison of ``formats``: with blocks all are dot products."""
    blocks = any(pair(other).blocks for other in formats)
    return "dot" if blocks and kind == "auto" else kind


def candidates(fmt: str | AnyFormat | Pair, kind: str = "auto", lanes: int = 1) -> list[Unit]:
    """Units that multiply-accumulate ``fmt``, one of which is priced: see :func:`settle`.

    ``fma``
        ``r = a * b + c`` with ``c`` and ``r`` in the accumulator's format: one rounding a step.
        The partial sums live in its pipeline registers, so it sums as many vectors as it has
        stages.
    ``mac``
        Accumulates inside: floats exactly, in fixed point (for sums of up to 1024 terms), with one
        rounding at the read-out; integers and powers of two as ``int-mac``, with a bias.
    ``dot``
        ``lanes`` products and an addend, one rounding; of block formats ``block-dot``, the one
        unit for them, and with powers of two ``int-dot``.
    ``auto``
        ``fma`` and, for floats whose exact accumulator the hardware takes, ``mac``; of weights
        that need no multiplier ``int-mac``. More than one lane: ``mac``, then ``dot``.

    SpecError where no unit takes the pair.
    """
    if kind not in KINDS:
        raise SpecError(f"unit: {kind!r} is none of {', '.join(KINDS)}")
    both = pair(fmt)
    out = accumulator(both)
    operands: dict[str, Any] = {"a": both.activation, "b": both.weight}
    exact = all(isinstance(each, Fixed) for each in operands.values())
    sums = ("exact",) if exact else ("exact", f"aligned({ALIGNED_BITS})")
    if both.blocks:
        for factor, other in (operands.values(), reversed(operands.values())):
            if not isinstance(factor, Block):
                raise SpecError(
                    f"{factor.name} is no block format, and blocks are multiplied by blocks: "
                    f"write {other.name}:{other.name}, or another block format in its place"
                )
        if kind not in ("auto", "dot"):
            raise SpecError(f"unit: {kind} takes no block format, as {both.name} is; use dot")
        return [unit("block-dot", **operands, out=out, size=lanes, accumulation=s) for s in sums]
    integers = _integers(both, out, lanes)
    power = integers is not None and any(each in WEIGHTS for each in operands.values())
    macs: list[Unit] = [integers] if integers is not None else []
    if kind == "mac" or (kind == "auto" and not macs and (lanes > 1 or not exact)):
        acc: Any = out if exact else "exact"
        macs = macs or [unit("mac", **operands, acc=acc, out=out, lanes=lanes)]
    if kind == "mac":
        return macs
    if kind == "dot" and power:
        return [unit("int-dot", **operands, acc=out, lanes=lanes)]
    dots = [unit("dot", **operands, out=out, lanes=lanes, accumulation=s) for s in sums]
    if kind == "dot":
        return dots
    if kind == "auto" and lanes > 1:
        return macs[:1] if integers is not None else [*macs, *dots]
    if lanes > 1:
        raise SpecError(f"lanes: fma has one, not {lanes}")
    fma = unit("fma", **operands, out=out)
    if kind == "fma":
        return [fma]
    return macs if power else [fma] if exact else [fma, *macs]


def _integers(both: Pair, acc: Format, lanes: int) -> Unit | None:
    """The ``int-mac`` of the pair, None where it does not take it."""
    try:
        return unit("int-mac", a=both.activation, b=both.weight, acc=acc, lanes=lanes)
    except SpecError:
        return None


def settle(
    fmt: str | AnyFormat | Pair,
    kind: str = "auto",
    lanes: int = 1,
    *,
    cache: bool = True,
    **options: Any,
) -> Unit:
    """Return the candidate that is priced: with one lane that of fewest gate equivalents,
    unpipelined, otherwise the first one that builds.

    ``options`` go to :func:`macaw.synth.run`. SpecError where none can be built.
    """
    refused: SpecError | None = None
    priced: list[tuple[float, Unit]] = []
    options_of = candidates(fmt, kind, lanes)
    for spec in options_of:
        try:
            design = source.generate(spec, cache=cache, stages=0)
        except SpecError as error:
            refused = error
            continue
        if len(options_of) == 1 or lanes > 1 or kind == "dot":
            return spec
        priced.append((run(design, "asic", cache=cache, **options).cost, spec))
    if not priced:
        raise refused or SpecError(f"no unit for {pair(fmt).name}")
    return min(priced, key=lambda item: item[0])[1]


def multipliers(spec: Unit, place: Target) -> tuple[str, ...]:
    """Return who makes the multipliers that are measured, the smaller of which is the price.

    On FPGAs macaw, from logic cells: hard multipliers have no price in them. On libraries Yosys,
    and for integers also macaw: which is smaller depends on the widths.
    """
    if not place.liberty:
        return ("lut",)
    return ("auto", "lut") if isinstance(spec, IntegerSum) else ("auto",)


def price(
    spec: Unit,
    place: Target,
    *,
    cache: bool = True,
    progress: Notify | None = None,
    **options: Any,
) -> tuple[Result, str]:
    """Return figures of ``spec`` without pipeline registers, and the multipliers that give them.

    Those of :func:`multipliers` with the smaller cost; ``options`` go to :func:`macaw.synth.run`.
    """
    found: list[tuple[Result, str]] = []
    for choice in multipliers(spec, place):
        design = source.generate(spec, cache=cache, stages=0, target=place.model, multiplier=choice)
        found.append((run(design, place, cache=cache, progress=progress, **options), choice))
    return min(found, key=lambda item: item[0].cost)
