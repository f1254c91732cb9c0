# SPDX-License-Identifier: BSD-2-Clause
"""Sums as machines that exist make them: which products, how many at a time, how many bits.

All align terms to the largest exponent among them, where the exponent of a product is the sum of
those of its factors' fields, before any normalisation, and a product of zero has none. The sources:

- NVIDIA's tensor cores and AMD's CDNA3: what MMA-Sim (Xie et al., arXiv 2511.10909; here 2.1.1)
  found in silicon, and for FP8 mmaemu 0.1.0 (an H100 and an RTX 4060).
- RISC-V: the Bulk Normalization Algorithm of the unprivileged specification ("RVBNA"), and the sum
  of its result and the accumulator that Zvdota and Zvbdota ask for.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ...errors import SpecError
from ...formats.block import AnyFormat, Block, scalar
from ...formats.choices import Rounding
from ...formats.scalar import Format
from ...formats.scalar import format as scalar_format
from ..factors import Factors


class Scheme(enum.StrEnum):
    """How the terms of a step come together.

    JOINED: products and addend, aligned and truncated together; one rounding toward zero to fp32,
    or to nearest to fp16. BLOCKS: the same of the addend and of exact sums of 16 products, whose
    exponents are those of their scales. APART: products among themselves; their sum is aligned
    with the addend and rounded down to 31 bits, the addend to 24; one rounding to nearest. HALVES:
    as APART, from two sums of every second product, each rounded down to 24 bits at the larger of
    their exponents; an addend more than 25 bits below does not count. BULK: products aligned and
    rounded to odd, their sum rounded to odd, and so its sum with the addend.
    """

    JOINED = "joined"
    BLOCKS = "blocks"
    APART = "apart"
    HALVES = "halves"
    BULK = "bulk"


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineSum:
    """What one step of a machine adds up.

    Attributes
    ----------
    scheme : Scheme
    operands : tuple of str
        Formats of ``a`` and ``b``, which may differ; of blocks those of the elements.
    scales : tuple of (str, int)
        Format of a block's scale, and its elements; none where the operands have no scale.
    results : tuple of str
        Formats of the addend, which is the result of the step before, and of the result.
    products : int
        Of a step. 0: as many as the unit has, or as the profile says.
    fraction : int
        Fraction bits of an aligned term. With BULK as many are added as the products' number has.
    below : int
        How far the exponent of a zero addend is below that of its format's least normal number.
    kept : int
        Fraction bits of a result in fp32, which has more; 0 for all.
    """

    scheme: Scheme
    operands: tuple[str, ...]
    results: tuple[str, ...] = ("fp32",)
    products: int
    fraction: int
    below: int = 0
    kept: int = 0
    scales: tuple[tuple[str, int], ...] = ()

    @property
    def ones(self) -> bool:
        """Whether a NaN is a code of ones behind the sign, and not the format's own."""
        return self.scheme in (Scheme.JOINED, Scheme.BLOCKS)

    def rounding(self, out: Format) -> Rounding:
        """How a result in ``out`` is rounded."""
        if self.scheme is Scheme.BULK:
            return Rounding.ROD
        toward_zero = self.ones and out.name == "fp32"
        return Rounding.RTZ if toward_zero else Rounding.RNE

    def bits(self, count: int) -> int:
        """Fraction bits of an aligned term, in a step of ``count`` products."""
        guard = (count - 1).bit_length() if self.scheme is Scheme.BULK else 0
        return self.fraction + guard

    def takes(self, *operands: AnyFormat) -> bool:
        """Whether these may be its operands."""
        scales = [(fmt.scale.name, fmt.size) for fmt in operands if isinstance(fmt, Block)]
        if len(scales) != (len(operands) if self.scales else 0) or len(set(scales)) > 1:
            return False
        return all(scale in self.scales for scale in scales) and all(
            scalar(fmt).name in self.operands for fmt in operands
        )


_FP8 = ("e4m3", "e5m2")
_FP8_TO_FP4 = (*_FP8, "e3m2", "e2m3", "e2m1")
_BOTH = ("fp32", "fp16")


def _joined(products: int, fraction: int, below: int, *operands: str, **rest) -> MachineSum:
    return MachineSum(
        scheme=Scheme.JOINED,
        products=products,
        fraction=fraction,
        below=below,
        operands=operands,
        **rest,
    )


def _cores(products: int, fraction: int, below: int) -> tuple[MachineSum, ...]:
    """Return the three kinds that all tensor cores since Ampere have."""
    return (
        _joined(products, fraction, below, "fp16", results=_BOTH),
        _joined(products, fraction, below, "bf16"),
        _joined(products // 2, fraction, below, "tf32"),
    )


MACHINES: dict[str, tuple[MachineSum, ...]] = {
    "tensor-core(volta)": (_joined(4, 23, 5, "fp16", results=_BOTH),),
    "tensor-core(turing)": (_joined(8, 24, 6, "fp16", results=_BOTH),),
    "tensor-core(ampere)": _cores(8, 24, 6),
    "tensor-core(ada)": (*_cores(8, 24, 6), _joined(16, 13, 6, *_FP8, results=_BOTH, kept=13)),
    "tensor-core(hopper)": (*_cores(16, 25, 7), _joined(32, 13, 7, *_FP8, results=_BOTH, kept=13)),
    "tensor-core(blackwell)": (
        *_cores(16, 25, 7),
        _joined(32, 25, 7, *_FP8_TO_FP4, results=_BOTH),
        # Before the kind of FP8: two operands of FP4 have their own.
        MachineSum(
            scheme=Scheme.BLOCKS,
            operands=("e2m1",),
            scales=(("ue4m3", 16), ("e8m0", 16), ("e8m0", 32)),
            products=64,
            fraction=35,
            below=13,
        ),
        _joined(32, 25, 7, *_FP8_TO_FP4, scales=(("e8m0", 32),)),
    ),
    "cdna3": (
        MachineSum(scheme=Scheme.APART, operands=("fp16",), products=8, fraction=24),
        MachineSum(scheme=Scheme.APART, operands=("bf16",), products=8, fraction=24),
        MachineSum(scheme=Scheme.APART, operands=("tf32",), products=4, fraction=24),
        MachineSum(
            scheme=Scheme.HALVES, operands=("e4m3fnuz", "e5m2fnuz"), products=16, fraction=24
        ),
    ),
    "rvbna": (
        MachineSum(scheme=Scheme.BULK, operands=("bf16",), products=0, fraction=23),
        MachineSum(scheme=Scheme.BULK, operands=_FP8, products=0, fraction=23),
    ),
}
"""Profiles by their names, and what each can add up."""

CHIPS = {
    "v100": "volta",
    "t4": "turing",
    "a100": "ampere",
    "a10": "ampere",
    "l4": "ada",
    "l40s": "ada",
    "h100": "hopper",
    "h200": "hopper",
    "b200": "blackwell",
    "gb200": "blackwell",
}
"""Names of chips for those of their tensor cores."""


def find(name: str, factors: Factors, addend: Format, out: Format) -> MachineSum:
    """Return what the machine ``name`` does with products of ``factors``.

    SpecError, without the name of the parameter, for what it does not do.
    """
    kinds = MACHINES[name]
    found = next((kind for kind in kinds if kind.takes(factors.a, factors.b)), None)
    if found is None:
        said = dict.fromkeys(" and ".join(_operands(kind)) for kind in kinds)
        raise SpecError(f"adds no {factors}; a and b must be {', or '.join(said)}")
    for parameter, fmt in (("out", out), ("c", addend)):
        if fmt.name not in found.results:
            raise SpecError(f"{parameter}={fmt.name}: must be {' or '.join(found.results)}")
    if addend != out:
        raise SpecError(f"c={addend.name}: must be {out.name}, the format of the result")
    count = found.products
    whole = found.scales or factors.count > count
    if count and whole and factors.count % count:
        below = "" if found.scales else f"at most {count}, or "
        raise SpecError(
            f"adds {count} products at a time: {factors.parameter}={factors.count} must be "
            f"{below}a multiple of {count}"
        )
    return found


COLUMNS = ("profile", "a and b", "products", "fraction bits", "result")
"""Of what :func:`described` returns."""


def described() -> list[tuple[str, ...]]:
    """Return, in words, what the machines add up: rows of :data:`COLUMNS`."""
    rows = []
    for name, kinds in MACHINES.items():
        for kind in kinds:
            bulk = kind.scheme is Scheme.BULK
            results = [f"{fmt} ({kind.rounding(scalar_format(fmt))})" for fmt in kind.results]
            if kind.kept:
                results[0] = results[0].replace(" (", f" of {kind.kept} fraction bits (")
            rows.append((
                "rvbna, rvbna(G)" if bulk else name,
                *_operands(kind),
                "G, or all" if bulk else str(kind.products),
                f"{kind.fraction} + log2 G, rounded up" if bulk else str(kind.fraction),
                ", ".join(results),
            ))  # fmt: skip
    return rows


def _operands(kind: MachineSum) -> list[str]:
    """The formats of a kind's operands in words."""
    if not kind.scales:
        return ["/".join(kind.operands)]
    scales = "/".join(f"k{size}-{scale}" for scale, size in kind.scales)
    return [f"blocks {'/'.join(kind.operands)}-{scales}"]
