# SPDX-License-Identifier: BSD-2-Clause
"""Units of Flexpoint tensors: integers, one exponent each, and statistics of what is stored.

Koster et al., "Flexpoint", NeurIPS 2017 (arXiv 1711.02213), sections 3 and 4. A result is rounded
once and saturates; then the largest magnitude of its tensor so far, and whether that reaches the
end of the range, go to whoever chooses the exponents (:mod:`macaw.golden.tensors.autoflex`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.flex import aligned_sum, check_flex, rescale
from ..arithmetic.integers import codes_of, integers_of
from ..arithmetic.operands import CHUNK, Operand, Operands, rows
from ..arithmetic.projection import check_random
from ..arithmetic.streams import Stream
from ..errors import SpecError
from ..formats.block import Block, scalar
from ..formats.checks import check_integer
from ..formats.choices import Overflow
from ..formats.scalar import Fixed, Format
from .naming import counted, named, rounding_words, word
from .specification import ROUNDING, UNSET, Ports, Unit

__all__ = ["FlexAdd", "FlexMac", "FlexMatmul", "FlexMul"]

_BIT = Operand(format=Fixed(width=1, signed=False))
_NARROW = 62
"""Bits of the magnitude of a sum that one int64 holds."""
_LIMB = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Flex(Unit):
    """Base of the units whose operands and result are Flexpoint tensors."""

    dynamic: ClassVar[bool] = False

    a: Block = UNSET
    b: Block = UNSET
    out: Block = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        for name, default in (("a", None), ("b", "a"), ("out", "a")):
            value = getattr(self, name)
            if value is None and default is not None:
                value = getattr(self, default)
            if value is None:
                raise SpecError(f"{self.kind}: parameter {name} is missing")
            self._set(name, check_flex(name, value))
        if self.overflow not in (None, Overflow.SATURATE):
            raise SpecError(f"overflow={self.overflow.value}: Flexpoint saturates")
        self._set("overflow", Overflow.SATURATE)
        if self.rounding.stochastic:
            check_random(self._out, self.random_bits)

    @property
    def stateful(self) -> bool:
        """Whether something outlives a beat: the statistics do."""
        return True

    @property
    def _out(self) -> Format:
        return scalar(self.out)

    @property
    def elements(self) -> tuple[Fixed, Fixed, Fixed]:
        """Formats of the mantissas of ``a``, ``b`` and ``out``."""
        a, b, out = scalar(self.a), scalar(self.b), scalar(self.out)
        assert isinstance(a, Fixed)
        assert isinstance(b, Fixed)
        assert isinstance(out, Fixed)
        return a, b, out

    @property
    def lane_counts(self) -> tuple[int | None, int | None, int | None]:
        """Lanes of ``a``, ``b`` and ``r``; None for a scalar."""
        raise NotImplementedError

    @property
    def ports(self) -> Ports:
        a, b, out = self.elements
        lanes_a, lanes_b, lanes_r = self.lane_counts
        inputs = {"a": Operand(format=a, lanes=lanes_a), "b": Operand(format=b, lanes=lanes_b)}
        for name in ("a", "b", "out"):
            port = "r_scale" if name == "out" else f"{name}_scale"
            inputs[port] = Operand(format=getattr(self, name).scale)
        if self.accumulates:
            inputs["last"] = _BIT
        inputs["end"] = _BIT
        outputs = {
            "r": Operand(format=out, lanes=lanes_r),
            "maximum": Operand(format=Fixed(width=out.width, signed=False)),
            "overflow": _BIT,
        }
        return Ports(inputs=inputs | self._random(lanes_r), outputs=outputs)

    def _evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; the beats are the only axis, but for lanes."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "the beats must be the only axis")
        mantissas, ends = self._results_of(operands)
        _, _, out = self.elements
        return {"r": codes_of(mantissas, out), **statistics(mantissas, ends, out)}

    def _results_of(self, operands: Operands) -> tuple[np.ndarray, np.ndarray]:
        """Return the mantissas of all results in order, and which of them end a tensor."""
        raise NotImplementedError

    def _exponent(self, chunk: dict[str, np.ndarray], name: str, axes: int = 1) -> np.ndarray:
        """Return the exponents of an operand or of the ``out``, with ``axes`` axes."""
        port = "r_scale" if name == "out" else f"{name}_scale"
        exponent = chunk[port].astype(np.int64) - getattr(self, name).scale.bias
        return exponent.reshape(-1, *[1] * (axes - 1))

    def _stage(self, chunk: dict[str, np.ndarray]) -> dict[str, Any]:
        """Return how results are rounded."""
        random = chunk.get("random")
        return {"rounding": self.rounding, "random": random, "random_bits": self.random_bits}


def statistics(mantissas: np.ndarray, ends: np.ndarray, fmt: Fixed) -> dict[str, np.ndarray]:
    """Return the largest magnitude of each tensor up to each result, and whether it overflows.

    Parameters
    ----------
    mantissas : ndarray of signed integers, shape (n,) or (n, lanes)
        After saturation.
    ends : ndarray, shape (n,)
        Which results are the last of their tensor.

    Returns
    -------
    dict of ndarray, shape (n,)
        ``maximum``: codes of ``fmt.width`` bits, unsigned, since ``|-2**(N - 1)|`` counts as
        ``2**(N - 1)``. ``overflow``: 1 where it is at least ``2**(N - 1) - 1``.
    """
    magnitude = np.abs(rows(mantissas).astype(np.int64)).max(1, initial=0)
    ended = np.asarray(ends, bool)
    tensor = np.cumsum(ended) - ended
    # Numbered tensors keep each maximum above those of all tensors before.
    step = 1 << fmt.width
    running = np.maximum.accumulate(tensor * step + magnitude) - tensor * step
    return {
        "maximum": running.astype(fmt.code_dtype),
        "overflow": (running >= fmt.max_integer).astype(np.uint8),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Elementwise(Flex):
    """Base of the units with a result for each pair of operands."""

    lanes: int = 1

    def __post_init__(self) -> None:
        Flex.__post_init__(self)
        check_integer("lanes", self.lanes, 1, 4096)

    @property
    def lane_counts(self) -> tuple[int | None, int | None, int | None]:
        lanes = None if self.lanes == 1 else self.lanes
        return lanes, lanes, lanes

    def _results_of(self, operands: Operands) -> tuple[np.ndarray, np.ndarray]:
        chunk = operands.arrays
        first, second, _ = self.elements
        a, b = integers_of(chunk["a"], first), integers_of(chunk["b"], second)
        return self._mantissas(a, b, chunk), chunk["end"]

    def _mantissas(self, a: np.ndarray, b: np.ndarray, chunk: dict[str, np.ndarray]) -> np.ndarray:
        """Return the results of pairs of integers."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexAdd(Elementwise):
    """Sum of Flexpoint tensors: ``r = saturate(round((a * 2**ea + b * 2**eb) / 2**er))``.

    Exact, then one rounding; the exponents are those of the beat. The statistics are those of
    the tensor so far, this beat included, until ``end=1``.

    Parameters
    ----------
    a, b, out : Block
        Flexpoint formats; ``b`` and ``out`` default to ``a``.
    lanes : int
        Elements per beat, 1 to 4096. With one lane ``a``, ``b`` and ``r`` are scalars.
    rounding, random_bits
        As of :class:`Mul`; a random word for each lane. Results saturate.
    """

    kind: ClassVar[str] = "flex-add"

    @property
    def macs(self) -> int:
        return 0

    def _mantissas(self, a: np.ndarray, b: np.ndarray, chunk: dict[str, np.ndarray]) -> np.ndarray:
        ea, eb, er = (self._exponent(chunk, name, a.ndim) for name in ("a", "b", "out"))
        return aligned_sum((a, b), (ea, eb), er, self.out, **self._stage(chunk))


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexMul(Elementwise):
    """Product of Flexpoint tensors: ``r = saturate(round(a * b * 2**(ea + eb - er)))``.

    Element by element, with one rounding. The statistics are those of the tensor so far, this
    beat included, until ``end=1``.

    Parameters
    ----------
    a, b, out, lanes, rounding, random_bits
        As of :class:`FlexAdd`.
    """

    kind: ClassVar[str] = "flex-mul"

    @property
    def macs(self) -> int:
        return self.lanes

    def _mantissas(self, a: np.ndarray, b: np.ndarray, chunk: dict[str, np.ndarray]) -> np.ndarray:
        ea, eb, er = (self._exponent(chunk, name, a.ndim) for name in ("a", "b", "out"))
        return rescale(a * b, ea + eb, er, self.out, **self._stage(chunk))


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexSum(Flex):
    """Base of the units that add up products until ``last``."""

    accumulates: ClassVar[bool] = True

    terms: int = 65536

    @property
    def sum_bits(self) -> int:
        """Bits of the largest magnitude of a sum."""
        a, b, _ = self.elements
        return (a.min_integer * b.min_integer * self.terms).bit_length()

    @property
    def per_beat(self) -> int:
        """Products of a beat that join one sum."""
        raise NotImplementedError

    def _products(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the products of beats of integers, shape (beats, results, products of each)."""
        raise NotImplementedError

    def _results_of(self, operands: Operands) -> tuple[np.ndarray, np.ndarray]:
        stream = Stream.of(operands)
        stream.check(self.per_beat, self.terms, self.kind)
        width = self.lane_counts[2] or 1
        results = np.empty((stream.ends.size, width), np.int64)
        for start, stop, sums in self._sums(stream, width):
            chunk = stream.take(stream.ends[start:stop])
            results[start:stop] = self._rounded(sums, chunk)
        if self.lane_counts[2] is None:
            results = results[:, 0]
        return results, stream.arrays["end"][stream.ends]

    def _sums(self, stream: Stream, width: int):
        """Yield runs of sequences with their exact sums: (first, last + 1, list of limbs).

        The sum is ``limbs[0] + limbs[1] * 2**32``, int64 of shape (sequences, results).
        """
        a, b, _ = self.elements
        narrow = self.sum_bits <= _NARROW
        step = max(CHUNK // (self.per_beat * width), 64)
        starts, ends = stream.starts, stream.ends
        begin = 0
        carried: list[np.ndarray] | None = None
        beats = int(ends[-1]) + 1 if ends.size else 0
        for first in range(0, beats, step):
            stop = min(first + step, beats)
            x = integers_of(stream.arrays["a"][first:stop], a)
            y = integers_of(stream.arrays["b"][first:stop], b)
            products = self._products(rows(x), rows(y))
            parts = [products] if narrow else [products & 0xFFFFFFFF, products >> _LIMB]
            end = int(np.searchsorted(ends, stop))
            cuts = np.maximum(starts[begin : end + 1], first) - first
            cuts = cuts[cuts < stop - first]
            limbs = [np.add.reduceat(part.sum(-1), cuts, axis=0) for part in parts]
            if carried is not None:
                for limb, rest in zip(limbs, carried, strict=True):
                    limb[0] += rest
            whole = end - begin
            carried = [limb[whole] for limb in limbs] if len(cuts) > whole else None
            if whole:
                yield begin, end, [limb[:whole] for limb in limbs]
            begin = end

    def _rounded(self, limbs: list[np.ndarray], chunk: dict[str, np.ndarray]) -> np.ndarray:
        """Return the mantissas of sums, scaled by the exponents of ``chunk``."""
        if "random" in chunk:
            chunk["random"] = chunk["random"].reshape(limbs[0].shape)
        ea, eb, er = (self._exponent(chunk, name, 2) for name in ("a", "b", "out"))
        integers: Any = limbs[0]
        if len(limbs) == 2:
            low, high = limbs
            integers = high + (low >> _LIMB), low & 0xFFFFFFFF
        return rescale(integers, ea + eb, er, self.out, **self._stage(chunk))


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexMac(FlexSum):
    """Multiply-accumulate of Flexpoint: ``r = saturate(round(sum(a * b) * 2**(ea + eb - er)))``.

    Each beat adds ``lanes`` products of integers, exactly. The beat with ``last=1`` gives a
    result, with the exponents of that beat, and the next one starts from zero. ``maximum`` and
    ``overflow`` are those of the tensor so far, this result included; ``end=1`` beside ``last=1``
    ends the tensor, and counts for nothing in other beats. The first axis of every array is the
    beat; a sequence that the arrays leave unfinished gives nothing.

    Parameters
    ----------
    a, b, out : Block
        Flexpoint formats; ``b`` and ``out`` default to ``a``.
    lanes : int
        Products per beat, 1 to 4096. With one lane ``a`` and ``b`` are scalars.
    terms : int
        Most products of a sequence; CodeError for longer ones. The accumulator is as wide as
        they need: 48 bits for 65536 products of flex16+5.
    rounding, random_bits
        As of :class:`Mul`, with the random word of the last beat. Results saturate.
    """

    kind: ClassVar[str] = "flex-mac"

    lanes: int = 1

    def __post_init__(self) -> None:
        Flex.__post_init__(self)
        check_integer("lanes", self.lanes, 1, 4096)
        check_integer("terms", self.terms, 1, 1 << 30)
        if self.terms < self.lanes:
            raise SpecError(f"terms={self.terms}: must be at least lanes={self.lanes}")

    @property
    def macs(self) -> int:
        return self.lanes

    @property
    def lane_counts(self) -> tuple[int | None, int | None, int | None]:
        lanes = None if self.lanes == 1 else self.lanes
        return lanes, lanes, None

    @property
    def per_beat(self) -> int:
        return self.lanes

    def _products(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a * b)[:, None, :]


@dataclass(frozen=True, kw_only=True, slots=True)
class FlexMatmul(FlexSum):
    """Tile of a matrix product of Flexpoint tensors: ``rows`` by ``columns`` sums at once.

    A beat brings a column of ``a`` (``rows`` lanes) and a row of ``b`` (``columns`` lanes), and
    adds their outer product. The beat with ``last=1`` gives the tile, row by row, each element
    as :class:`FlexMac` would: ``r[i * columns + j] = saturate(round(sum(a[i] * b[j]) *
    2**(ea + eb - er)))``. ``maximum`` and ``overflow`` are those of the tensor so far, whose last
    tile ``end=1`` beside ``last=1`` marks.

    Parameters
    ----------
    a, b, out, terms, rounding, random_bits
        As of :class:`FlexMac`; a random word for each element of the tile.
    rows, columns : int
        Of the tile, 1 to 64 each.
    """

    kind: ClassVar[str] = "flex-matmul"

    rows: int = 4
    columns: int = 4

    def __post_init__(self) -> None:
        Flex.__post_init__(self)
        check_integer("rows", self.rows, 1, 64)
        check_integer("columns", self.columns, 1, 64)
        check_integer("terms", self.terms, 1, 1 << 30)

    @property
    def macs(self) -> int:
        return self.rows * self.columns

    @property
    def lane_counts(self) -> tuple[int | None, int | None, int | None]:
        return self.rows, self.columns, self.rows * self.columns

    @property
    def per_beat(self) -> int:
        return 1

    def _products(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return rows(a[:, :, None] * b[:, None, :])[..., None]


named(Elementwise, stem=counted("lanes", but=1))
named(
    FlexSum,
    words=lambda spec: word("t", spec.terms, 65536) + rounding_words(spec),
    last=("terms", *ROUNDING),
)
named(FlexMac, stem=counted("lanes", but=1))
named(FlexMatmul, stem=lambda spec: f"flex_matmul{spec.rows}x{spec.columns}")
