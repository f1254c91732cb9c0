# SPDX-License-Identifier: BSD-2-Clause
"""Quantisation to blocks against outsiders: numpy and ml_dtypes, gfloat, and fractions.

Two judges. The vectorised one recomputes the scale of every block with ``frexp`` or numpy's own
fp32 arithmetic, and rounds with ml_dtypes where it has the format, else by searching a table of
midpoints. The scalar one is :mod:`macaw.sim.proof.reference.arithmetic.block_scales`. Functions
return the number of blocks, or raise :class:`~macaw.sim.proof.outsiders.check.ProofFailure` with
the first mismatch.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden import BLOCKS, Block, Fixed, Float, Format, format
from macaw.golden.arithmetic.block_scales import quantize_blocks
from macaw.golden.formats import Book
from macaw.golden.tensors.quantized import Rules

from ..reference.arithmetic import block_scales as reference_blocks
from .check import Check, ProofFailure, as_value
from .scalars import gfloat_format

KINDS = ("gaussian", "heavy", "subnormal", "huge", "constant", "outlier", "special")
SPELLED = (
    "e2m1-k16-e8m0",
    "fx4.2sym-k16-e8m0",
    "int4-k128-fp16",
    "int8sym-k64-bf16",
    "e4m3-k128-fp32",
    "e3m2fnuz-k32-e8m0",
    "uint4-k32-fp16",
    "e2m1-k16x16-ue4m3-fp32",
    "e4m3-k8-ue5m3-bf16",
    "e2m1-k16-ue4m3-e8m0",
    "e5m2-k4x4-e10m0",
    "flex8+4",
)
"""Formats of the grammar that go through the same checks."""
SCALE_RULES = ("floor", "ceil", "rceil", "even")
ORDERS = ("paper", "te", "torchao", "ct", "exact")
ROUNDINGS = ("rna", "rtz", "rup", "rdn", "rod", "sr", "srb", "src")
TENSOR = 4096
"""Blocks in a tensor, where the format has a second scale."""


# ------------------------------------------------------------------------------------- stimulus


def stimulus(kind: str, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` blocks of ``size`` float32 as rows."""
    shape = (count, size)
    match kind:
        case "gaussian":
            spread = np.ldexp(np.float32(1), rng.integers(-12, 13, (count, 1)).astype(np.int32))
            return rng.standard_normal(shape, np.float32) * spread
        case "heavy":
            values = rng.standard_normal(shape, np.float32) / (1 - rng.random(shape, np.float32))
            return values**3
        case "subnormal":
            width = rng.integers(1, 24, (count, 1))
            codes = rng.integers(0, 1 << width, shape).astype(np.uint32)
        case "huge":
            codes = rng.integers(0x7C00_0000, 0x7F80_0000, shape).astype(np.uint32)
        case "constant":
            # Few fraction bits, or one less or more in the last place: where rules change over.
            one = rng.integers(0, 255 * 8, (count, 1)).astype(np.int64) << 20
            one = np.clip(one + rng.integers(-1, 2, (count, 1)), 0, 0x7F7F_FFFF)
            codes = np.repeat(one, size, 1).astype(np.uint32)
        case "outlier":
            values = rng.standard_normal(shape, np.float32) / np.float32(256)
            rows = np.arange(count)
            values[rows, rng.integers(0, size, count)] *= np.float32(300)
            return values
        case _:
            values = stimulus("gaussian", count, size, rng)
            which = rng.integers(0, 8, count)
            extremes = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 3e38], np.float32)
            for n, extreme in enumerate(extremes):
                hit = (which == n)[:, None] & (rng.random(shape) < 1 / min(size, 64))
                values[hit] = extreme
            values[which == 7] *= 0
            return values
    codes |= rng.integers(0, 2, shape).astype(np.uint32) << np.uint32(31)
    return codes.view(np.float32)


def pieces(
    name: str, count: int, seed: int, kinds: tuple[str, ...] = KINDS
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ``count`` blocks of a format, all kinds in turn, in arrays of at most ``TENSOR``
    blocks (fewer if the blocks are large)."""
    block = _block(name)
    size = _size(block)
    step = max(min(TENSOR, (1 << 19) // size, -(-count // len(kinds))), 1)
    for n, start in enumerate(range(0, count, step)):
        rng = np.random.default_rng([seed, n, size])
        kind = kinds[n % len(kinds)]
        yield kind, stimulus(kind, min(step, count - start), size, rng)


def _block(name: str) -> Block:
    block = format(name)
    assert isinstance(block, Block)
    return block


def _size(block: Block) -> int:
    return (block.size or 32) * block.tile


def _quantize(block: Block, rows: np.ndarray, **options: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return element codes by block, scale codes, and the second scale's code, of one tensor."""
    if block.size is None:
        rules = Rules(**{k: v for k, v in options.items() if k != "random"})
        codes = rows.view(np.uint32)
        random = options.get("random")
        return *quantize_blocks(codes, format("fp32"), block, rules, random=random), None  # type: ignore[arg-type]
    nonfinite = "nan"
    if block.tile == 1:
        q = block.quantize(rows, nonfinite=nonfinite, **options)
        return q.elements, q.scales.reshape(-1), q.second_scale
    # Tiles stand below one another.
    shape = (len(rows) * block.tile, block.size)
    options = {k: v.reshape(shape) if k == "random" else v for k, v in options.items()}
    q = block.quantize(rows.reshape(shape), nonfinite=nonfinite, **options)
    return q.elements.reshape(rows.shape), q.scales.reshape(-1), q.second_scale


# -------------------------------------------------------------------------- the vectorised judge


@functools.lru_cache(maxsize=64)
def _table(fmt: Format) -> tuple[np.ndarray, np.ndarray]:
    """Positive values in the order of their codes, and the midpoints between them."""
    if isinstance(fmt, Fixed):
        values = np.arange(fmt.max_integer + 1) * 2.0**-fmt.fraction
    else:
        assert isinstance(fmt, Float)
        values = fmt.decode(np.arange(fmt.max_code + 1, dtype=fmt.code_dtype))
    return values, (values[1:] + values[:-1]) / 2


def nearest(x: np.ndarray, fmt: Format) -> np.ndarray:
    """Round float64 to nearest, ties to the even code, saturating: codes of ``fmt``."""
    dtype = fmt.dtype
    if isinstance(fmt, Fixed):
        integers = np.rint(x * 2.0**fmt.fraction)
        integers = np.clip(integers, fmt.min_integer, fmt.max_integer).astype(np.int64)
        return (integers & ((1 << fmt.width) - 1)).astype(fmt.code_dtype)
    narrow = x.astype(np.float32)
    if fmt.name == "fp32":
        return narrow.view(np.uint32)  # one rounding, and what is beyond was cut off before
    if fmt.signed and dtype is not None and fmt.width <= 8 and np.array_equal(narrow, x):
        top = np.float32(fmt.max)
        return np.clip(narrow, -top, top).astype(dtype).view(fmt.code_dtype)
    values, middles = _table(fmt)
    magnitude = np.abs(x)
    index = np.searchsorted(middles, magnitude)
    tie = middles[np.minimum(index, middles.size - 1)] == magnitude
    index = index + (tie & (index % 2 == 1))
    index = np.minimum(index, values.size - 1)
    minus = np.signbit(x) if fmt.signed else np.zeros(x.shape, bool)
    if not fmt.negative_zero:
        minus = minus & (index > 0)
    index = np.where(np.signbit(x) & (not fmt.signed), 0, index)
    return (index + (minus * (1 << (fmt.width - 1)))).astype(fmt.code_dtype)


def _exponent(amax: np.ndarray, element: Format, rule: str) -> np.ndarray:
    """Exponents of power-of-two scales from float64 amax > 0."""
    fraction, exponent = np.frexp(amax)
    top, emax = math.frexp(element.max)
    exponent = exponent.astype(np.int64) - emax
    if rule == "ceil":
        return exponent + (fraction > 0.5)
    if rule == "rceil":
        return exponent + (fraction > top)
    if rule == "even":
        digits = (
            element.mantissa if isinstance(element, Float) else element.width - element.signed - 1
        )
        return exponent + (fraction + 2.0 ** -(digits + 2) >= 1)
    return exponent


def judge_power_of_two(block: Block, rows: np.ndarray, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Return element codes and scale codes of finite rows."""
    x = rows.astype(np.float64)
    amax = np.abs(x).max(1)
    safe = np.where(amax > 0, amax, 1.0)
    code = _exponent(safe, block.element, rule) + block.scale.bias
    code = np.clip(code, 0, block.scale.max_code)
    elements = nearest(np.ldexp(x, -(code - block.scale.bias)[:, None]), block.element)
    code[amax == 0] = 0
    elements[amax == 0] = 0
    return elements, code.astype(block.scale.code_dtype)


def judge_fp32(
    block: Block, rows: np.ndarray, order: str, least: str
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return element codes, scale codes and the decoding scale of finite rows, one tensor."""
    f = np.float32
    huge = np.finfo(f).max
    element, scale = block.element, block.scale
    top = f(element.max)
    amax = np.abs(rows).max(1)
    encode = decode = f(1)
    if block.second_scale is not None:
        whole, product = amax.max(initial=f(0)), f(element.max * scale.max)
        if whole > 0 and order == "torchao":
            decode = whole / product
            decode = decode if decode > 0 else f(1)
            encode = min(f(1) / decode, huge)
        elif whole > 0:
            encode = min(product / whole, huge)
            decode = f(1) / encode
        if block.second_scale.name != "fp32":
            stored = f(
                block.second_scale.decode(
                    nearest(np.array([decode], np.float64), block.second_scale)[0]
                )
            )
            if stored != decode:
                decode, encode = stored, min(f(1) / stored, huge)
    if order == "exact":
        # 48 bits over few: float64 is nearer than any midpoint can be.
        wanted = amax.astype(np.float64) * np.float64(encode) / element.max
    elif order == "te":
        wanted = amax * (encode * (f(1) / top))
    elif order == "torchao":
        wanted = (amax / top) / decode
    else:
        wanted = (amax / top) * encode
    code = nearest(np.minimum(wanted, scale.max).astype(np.float64), scale)
    bounds = {"modelopt": 2.0**-9, "torchao": 2.0**-6, "ct": 0.125}
    if least in bounds:
        bound = nearest(np.array([bounds[least]]), scale)[0]
        code = np.where(code == 0, bound, code) if least == "ct" else np.maximum(code, bound)
    s = scale.decode(code).astype(f)
    dead = s == 0
    if order == "exact":
        x = rows.astype(np.float64) / np.where(dead, 1, s.astype(np.float64) * decode)[:, None]
    elif order == "ct":
        step = s / encode
        x = np.nan_to_num(rows / step[:, None], nan=0.0, posinf=float(huge), neginf=-float(huge))
    elif order == "torchao":
        x = rows * np.minimum(encode / s, huge)[:, None]
    else:
        x = rows * np.minimum(f(1) / (s * decode), huge)[:, None]
    elements = nearest(np.clip(x, -huge, huge).astype(np.float64), element)
    elements[dead] = 0
    return elements, code.astype(scale.code_dtype), float(decode)


def vectorised(name: str, choice: str, count: int, least: str = "none") -> int:
    """Every block of ``count`` under one scale rule or order, to nearest, and what is decoded."""
    block = _block(name)
    option = {"scale_rule" if block.power_of_two else "order": choice}
    done = 0
    for kind, rows in pieces(name, count, seed=1):
        with np.errstate(all="ignore"):
            option |= {} if least == "none" else {"min_scale": least}
            elements, scales, second = _quantize(block, rows, **option)
            finite = np.all(np.isfinite(rows), 1)
            # A tensor's scale is that of its finite values, those of other blocks included.
            clean = np.where(finite[:, None], rows, 0)
            if not block.scale.has_nan:
                want = judge_power_of_two(block, np.where(np.isfinite(rows), rows, 0), choice)
                far = np.nan_to_num(rows.astype(np.float64), nan=1e99, posinf=1e99, neginf=-1e99)
                want = np.where(np.isfinite(rows), want[0], nearest(far, block.element)), want[1]
                finite[:] = True
            elif block.power_of_two:
                want = judge_power_of_two(block, clean, choice)
            else:
                tallest = np.abs(rows[np.isfinite(rows)]).max(initial=0)
                extra = np.zeros((1, rows.shape[1]), np.float32)
                extra[0, 0] = tallest
                codes, scale, decode = judge_fp32(
                    block, np.concatenate([clean, extra]), choice, least
                )
                want = codes[:-1], scale[:-1]
                if block.second_scale is not None:
                    _same(name, choice, kind, block.second_scale.decode(second), np.array(decode))
        _same(name, choice, kind, scales, np.where(finite, want[1], block.scale.nan_code or 0))
        _same(name, choice, kind, elements, np.where(finite[:, None], want[0], 0), rows)
        done += len(rows)
    return done


def _same(
    name: str,
    choice: str,
    kind: str,
    got: np.ndarray,
    want: np.ndarray,
    rows: np.ndarray | None = None,
) -> None:
    if np.array_equal(got, want):
        return
    at = tuple(int(n) for n in np.argwhere(np.asarray(got != want))[0])
    what = "scale" if rows is None else "element"
    shown = "" if rows is None else f", value {rows[at]!r}, block {rows[at[0]].tolist()}"
    raise ProofFailure(
        f"{name} {choice}, {kind}: {int(np.sum(got != want))} of {want.size} {what}s differ, first "
        f"at {at}: golden {got[at]!r}, expected {want[at]!r}{shown}"
    )


# ---------------------------------------------------------------------------- the other judges


def by_fractions(name: str, count: int, seed: int = 2, **options: Any) -> int:
    """Blocks of every kind against the scalar reference."""
    block = _block(name)
    rules = Rules(**options)
    bits = rules.word_bits(block)
    done = 0
    step = max(count // (2 * len(KINDS)), 1)
    for n, start in enumerate(range(0, count, step)):
        rng = np.random.default_rng([seed, n, _size(block)])
        rows = stimulus(KINDS[n % len(KINDS)], min(step, count - start), _size(block), rng)
        words = {}
        if rules.rounding.stochastic:
            words = {"random": rng.integers(0, 1 << bits, rows.shape)}
        with np.errstate(all="ignore"):
            elements, scales, second = _quantize(block, rows, **options, **words)
        tensor = (Fraction(1), Fraction(1))
        if block.second_scale is not None:
            amax = Fraction(float(np.abs(rows[np.isfinite(rows)]).max(initial=0)))
            tensor = reference_blocks.tensor_scales(amax, block, str(rules.order))
            if float(tensor[1]) != float(block.second_scale.decode(second)):
                raise ProofFailure(f"{name} {options}: second scale {second}, expected {tensor}")
        for i, row in enumerate(rows.tolist()):
            want, scale = reference_blocks.quantize(
                [as_value(x) for x in row],
                block,
                tensor=tensor,
                words=words["random"][i].tolist() if words else None,
                bits=bits,
                **options,
            )
            if scale != scales[i] or want != elements[i].tolist():
                raise ProofFailure(
                    f"{name} {options}: block {row}: golden {scales[i]}, {elements[i].tolist()}, "
                    f"expected {scale}, {want}"
                )
        done += len(rows)
    return done


def by_gfloat(name: str, count: int) -> int:
    """Decoded MX blocks against gfloat's block functions, which are scalar."""
    from gfloat import block as gfloat_block
    from gfloat.formats import format_info_ocp_e8m0, format_info_ocp_int8

    block = _block(name)
    element = (
        format_info_ocp_int8 if isinstance(block.element, Fixed) else gfloat_format(block.element)
    )
    info = gfloat_block.BlockFormatInfo(name, element, _size(block), format_info_ocp_e8m0)
    done = 0
    for kind, rows in pieces(name, count, seed=3, kinds=("gaussian", "constant", "outlier")):
        # Its scale divides a float64 by 2.0**e, and it knows nothing of what is not finite; its
        # E8M0 cannot be 2**-127 (gfloat #62), and its int8 goes down to -128.
        amax = np.abs(rows).max(1)
        rows = rows[(amax > 1e-30) & (amax < 1e30)]
        got = block.quantize(rows).dequantize()
        for row, values in zip(rows.astype(np.float64), got):
            want = gfloat_block.quantize_block(info, row, gfloat_block.compute_scale_amax)
            if isinstance(block.element, Fixed):
                lowest = block.element.min * 2.0 ** (math.frexp(np.abs(row).max())[1] - 1)
                want = np.maximum(want, lowest)
            if not np.array_equal(values, want):
                raise ProofFailure(f"{name} {kind}: block {row.tolist()}: {values}, gfloat {want}")
            done += 1
    return done


# ------------------------------------------------------------------------------------- checks


def choices(name: str) -> tuple[str, ...]:
    """The scale rules or the orders that a format can have."""
    return SCALE_RULES if _block(name).power_of_two else ORDERS


def fraction_options(name: str) -> Iterator[dict[str, Any]]:
    """Yield the options under which the scalar reference judges a format."""
    power = _block(name).power_of_two
    key = "scale_rule" if power else "order"
    for choice in choices(name):
        yield {key: choice}
    for rounding, choice in zip(ROUNDINGS, itertools.cycle(choices(name))):
        yield {"rounding": rounding, key: choice}
    if not power:
        for least, order in zip(("modelopt", "torchao", "ct"), ("paper", "torchao", "ct")):
            yield {"order": order, "min_scale": least}
        yield {"order": "te", "te_zero_codes": True}


SEARCHED = ("int4sym-k7-fp32", "ternary-k16-fp16", "e2m1-k8-ue4m3", "nf4-k8-fp16", "nvfp4")
"""Of which the scale is searched for, with each of these grids."""
GRIDS = ("linear(1,0.4,6)", "geometric(1.5,0.5,5)", "linear(1,1.5,1)")


def search_options(name: str) -> Iterator[dict[str, Any]]:
    """Yield the options under which the scalar reference judges a search."""
    orders = itertools.cycle(("paper", "te", "torchao", "ct", "exact"))
    for grid, order in zip(GRIDS, orders):
        yield {"scale_rule": "mse", "grid": grid, "order": order}
    rounding = "rtz" if isinstance(_block(name).element, Book) else "sr"
    yield {"scale_rule": "mse", "grid": GRIDS[0], "order": "ct", "rounding": rounding}
    yield {"scale_rule": "mse", "grid": GRIDS[1], "order": "te", "te_zero_codes": True}


def checks() -> list[Check]:
    """Return every comparison in full: a million blocks of each registered format at least."""
    result: list[Check] = []

    def add(name: str, function: Callable[..., int], *arguments: Any, **options: Any) -> None:
        run = functools.partial(function, *arguments, **options)
        result.append(Check(name=f"quantize/{name}", run=run))

    for name in (*BLOCKS, *SPELLED):
        count = 1_000_000 if _size(_block(name)) <= 64 else 260_000
        if name in SPELLED:
            count //= 4
        for choice in choices(name):
            add(f"numpy-{name}-{choice}", vectorised, name, choice, count)
        if not _block(name).power_of_two:
            for least, order in (("modelopt", "paper"), ("torchao", "torchao"), ("ct", "ct")):
                add(f"numpy-{name}-least-{least}", vectorised, name, order, count // 4, least)
        for options in fraction_options(name):
            label = "-".join(str(value) for value in options.values())
            elements = 4_000 if name in SPELLED else 20_000
            blocks = max(elements // _size(_block(name)), len(KINDS))
            add(f"fractions-{name}-{label}", by_fractions, name, blocks, **options)
    for name in SEARCHED:
        for options in search_options(name):
            label = "-".join(str(value) for value in options.values())
            add(f"fractions-{name}-{label}", by_fractions, name, 400, **options)
    for name in ("mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e3m2", "mxfp6-e2m3", "mxfp4", "mxint8"):
        add(f"gfloat-{name}", by_gfloat, name, 5_000)
    return result
