# SPDX-License-Identifier: BSD-2-Clause
"""The golden model against outsiders: ml_dtypes, gfloat, SoftFloat, MPFR, and fractions.

Every function compares arrays and returns the number of cases, or raises :class:`ProofFailure`
with the first mismatch. ``count`` bounds the work, so that tests can run a sample of what
:func:`checks` runs in full. Where an outsider is known to differ from its own documentation the
reason stands beside the exception.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from macaw.golden import FORMATS, Fixed, Float, Format, Specials, Subnormals, Unit, unit
from macaw.golden.errors import MacawError
from macaw.golden.formats import BOOKS, POSITS, Book, Posit, format
from macaw.golden.units.dots import Mac, SumOfProducts

from ..cases import block_dots, dots
from ..random.units import draw_unit
from ..reference.arithmetic import scalar as reference
from ..rules.formats import NAMED_BOOKS
from .check import Check, agree, as_value, by_reference, same_values

EVERYTHING = 1 << 62
DIRECTED = ("rne", "rna", "rtz", "rup", "rdn")
STOCHASTIC = ("sr", "srb", "src")
NAMES = tuple(name for name, fmt in FORMATS.items() if isinstance(fmt, Float))
OPERATIONS = ("mul", "add", "fma", "div", "sqrt")
ODD = ("e5m10", "e6m9", "e3m4", "e4m7", "e8m5", "e5m3", "e7m16")
"""IEEE-like formats without hardware, for MPFR."""
GRAMMAR = ("e4m3ieee", "e3m3", "e2m5", "e3m2fn", "e4m2fnuz", "e5m10ftz", "e3m6b5", "ue3m4fn")
"""Formats of the grammar that go through the encode checks beside the registered ones."""
ANY_POSITS = ("posit8es0", "posit8es1", "posit16es1", "posit3es0", "posit5es4", "posit11es3")
"""Posits that do so."""


# ---------------------------------------------------------------------------------- decode


def decode_ml_dtypes(name: str) -> int:
    """Value of every code against ml_dtypes' or numpy's dtype."""
    fmt = format(name)
    codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    assert fmt.dtype is not None
    with np.errstate(invalid="ignore"):
        want = fmt.to_numpy(codes).astype(np.float64)
    got = fmt.decode(codes)
    return agree(f"decode {name}", got, want, same_values(got, want), code=codes)


def gfloat_format(fmt: Format) -> Any:
    """Return gfloat's description of ``fmt``; None where it has none of those semantics."""
    import gfloat
    from gfloat.types import Domain

    if not isinstance(fmt, Float) or fmt.subnormals is Subnormals.FLUSH:
        return None
    if fmt.subnormals is Subnormals.NONE and fmt.zero:
        return None
    if not fmt.zero:
        from gfloat.formats import format_info_ocp_e8m0

        return format_info_ocp_e8m0 if fmt.name == "e8m0" else None
    high = {
        Specials.IEEE: (1 << fmt.mantissa) - 1,
        Specials.FN: 1,
        Specials.EXTENDED: int(not fmt.signed),
    }.get(fmt.specials, 0)
    return gfloat.FormatInfo(
        name=fmt.name,
        k=fmt.width,
        precision=fmt.precision,
        bias=fmt.bias,
        is_signed=fmt.signed,
        domain=Domain.Extended if fmt.has_inf else Domain.Finite,
        has_nz=fmt.negative_zero,
        num_high_nans=high,
        has_subnormals=True,
        is_twos_complement=False,
    )


def decode_gfloat(name: str) -> int:
    """Value of every code against gfloat."""
    import gfloat

    fmt = format(name)
    assert isinstance(fmt, Float)
    codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    want = gfloat.decode_ndarray(gfloat_format(fmt), codes.astype(np.int64))
    got = fmt.decode(codes)
    return agree(f"decode {name}", got, want, same_values(got, want), code=codes)


def decode_fractions(name: str) -> int:
    """Value of every code against the scalar reference."""
    fmt = format(name)
    codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    words = {"nan": np.nan, "snan": np.nan, "inf": np.inf, "-inf": -np.inf, "-0": -0.0}
    values = [reference.value(int(code), fmt) for code in codes]
    want = np.array([words[x] if isinstance(x, str) else float(x) for x in values])
    got = fmt.decode(codes)
    return agree(f"decode {name}", got, want, same_values(got, want), code=codes)


# ---------------------------------------------------------------------------------- encode


@functools.lru_cache(maxsize=4)
def boundaries(name: str) -> np.ndarray:
    """Return every value and midpoint of a format of up to 16 bits, with the neighbouring
    float32 on each side, the overflow threshold, infinities and both zeros, as float32."""
    fmt = format(name)
    values = fmt.decode(np.arange(1 << fmt.width, dtype=fmt.code_dtype))
    values = np.unique(values[np.isfinite(values)])
    step = values[-1] - values[-2] if len(values) > 1 else 1.0
    values = np.concatenate([[values[0] - step], values, [values[-1] + step]])
    middles = (values[1:] + values[:-1]) / 2
    if isinstance(fmt, Posit):
        # Where a posit is half way is a posit of one bit more.
        wider = Posit(width=fmt.width + 1, exponent=fmt.exponent)
        halves = wider.decode(np.arange(1 << wider.width))
        middles = np.concatenate([middles, halves[np.isfinite(halves)]])
    points = np.concatenate([values, middles])
    points = points[np.abs(points) < float(np.finfo(np.float32).max)].astype(np.float32)
    largest = np.finfo(np.float32).max
    special = np.array([np.inf, largest, 1e-45, 0.0, 2.0**-128, 0.3, 1e30], np.float32)
    low = np.nextafter(points, np.float32(-np.inf))
    high = np.nextafter(points, np.float32(np.inf))
    return np.unique(np.concatenate([points, low, high, special, -special, -points]))


def _sample(points: np.ndarray, count: int) -> np.ndarray:
    if points.size > count:
        points = points[:: points.size // count + 1]
    signs = np.array([np.nan, -0.0, 0.0], points.dtype)
    return np.concatenate([points, signs])


def encode_ml_dtypes(name: str, count: int = EVERYTHING) -> int:
    """RNE of every boundary against ml_dtypes' cast from float32 (from float64 it is wrong)."""
    fmt = format(name)
    assert isinstance(fmt, Float)
    points = _sample(boundaries(name), count)
    overflow = "nonfinite" if fmt.has_nan else "saturate"
    got = fmt.encode(points, overflow=overflow)
    assert fmt.dtype is not None
    with np.errstate(all="ignore"):
        want = points.astype(fmt.dtype).view(fmt.code_dtype)
    same = got == want
    # NaN: signs differ, and formats without NaN give -0 (FP4, FP6).
    same |= (
        np.isnan(points)
        if not fmt.has_nan
        else np.isnan(fmt.decode(got)) & np.isnan(fmt.decode(want))
    )
    return agree(f"encode {name}", got, want, same, value=points)


def encode_gfloat(name: str, rounding: str, count: int = EVERYTHING) -> int:
    """Every boundary under one rounding against gfloat, saturating and not."""
    import gfloat
    from gfloat import RoundMode

    fmt = format(name)
    assert isinstance(fmt, Float)
    info = gfloat_format(fmt)
    modes = {
        "rne": RoundMode.TiesToEven,
        "rna": RoundMode.TiesToAway,
        "rtz": RoundMode.TowardZero,
        "rup": RoundMode.TowardPositive,
        "rdn": RoundMode.TowardNegative,
        "sr": RoundMode.StochasticFastest,
        "srb": RoundMode.StochasticFast,
        "src": RoundMode.Stochastic,
    }
    points = _sample(boundaries(name), count)
    if not fmt.has_nan:
        points = points[~np.isnan(points)]
    if not fmt.signed:
        # gfloat raises or encodes nothing below zero in unsigned formats.
        points = points[~(points < 0) & ~(np.signbit(points))]
    if not fmt.zero:
        points = points[~(points < fmt.min_normal)]  # gfloat #62
    cases = 0
    random = np.random.default_rng(7).integers(0, 1 << 16, points.size, dtype=np.uint16)
    words: dict[str, Any] = {"random": random} if rounding in STOCHASTIC else {}
    for saturate in (True, False):
        if not saturate and not fmt.has_nan:
            continue
        values = points.astype(np.float64)
        rounded = gfloat.round_ndarray(
            info,
            values,
            modes[rounding],
            saturate,
            random.astype(np.int64) if rounding in STOCHASTIC else None,
            16 if rounding in STOCHASTIC else 0,
        )
        want = gfloat.encode_ndarray(info, rounded)
        if saturate and fmt.has_inf:
            keep = ~np.isnan(points)
        else:
            keep = np.ones(points.size, bool)
        policy = "saturate" if saturate else None if fmt.has_inf else "nonfinite"
        if not saturate and not fmt.has_inf and rounding in ("rtz", "rup", "rdn"):
            policy = "directed"  # the largest value, as in formats with infinities
        got = fmt.encode(points, rounding=rounding, overflow=policy, **words)
        same = (got == want) | (np.isnan(points)) | ~keep
        same |= np.isnan(fmt.decode(got)) & np.isnan(rounded)
        cases += agree(
            f"encode {name} {rounding} saturate={saturate}", got, want, same, value=points
        )
    return cases


def encode_fractions(name: str, rounding: str, count: int = EVERYTHING) -> int:
    """Every boundary against the scalar reference; up to 20000 under other overflow policies."""
    fmt = format(name)
    policies = [None, "saturate"]
    policies += ["wrap"] if isinstance(fmt, Fixed) else ["propagate"]
    policies += ["nonfinite", "directed"] if fmt.has_nan and isinstance(fmt, Float) else []
    cases = 0
    for overflow in policies:
        points = _sample(boundaries(name), count if overflow is None else min(count, 20_000))
        random = np.random.default_rng(11).integers(0, 1 << 16, points.size, dtype=np.uint16)
        words: dict[str, Any] = {"random": random} if rounding in STOCHASTIC else {}
        got = fmt.encode(points, rounding=rounding, overflow=overflow, **words)
        want = np.array(
            [
                reference.project(as_value(x), fmt, rounding, overflow, word)[0]
                for x, word in zip(points.tolist(), random.tolist(), strict=True)
            ]
        )
        what = f"encode {name} {rounding} {overflow}"
        cases += agree(what, got, want, got == want, value=points)
    return cases


# ------------------------------------------------------------------------------ arithmetic


def operands(fmt: Format, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random codes: uniform, corners and their neighbours, and exponents close together."""
    codes = rng.integers(0, 1 << fmt.width, count, dtype=np.uint64, endpoint=False)
    if isinstance(fmt, Fixed):
        edges = [0, 1, fmt.max_integer, fmt.min_integer, fmt.min_integer + 1, -1]
        corners = np.array([edge % (1 << fmt.width) for edge in edges], np.uint64)
        near = np.zeros(count, bool)
    elif isinstance(fmt, Book):
        corners = np.array([fmt.code(fmt.max), fmt.code(fmt.min), fmt.zero_code], np.uint64)
        near = np.zeros(count, bool)
    elif isinstance(fmt, Posit):
        one = fmt.nar >> 1
        edges = [0, 1, one - 1, one, one + 1, fmt.max_code, fmt.nar]
        corners = np.array([code % (1 << fmt.width) for n in edges for code in (n, -n)], np.uint64)
        # Around one, and sparse: codes whose last bits are zeros.
        few = rng.random(count) < 0.3
        codes = np.where(
            few, codes >> np.uint64(fmt.width // 2) << np.uint64(fmt.width // 2), codes
        )
    else:
        corners = _corners(fmt)
        field = np.uint64((1 << fmt.exponent) - 1) << np.uint64(fmt.mantissa)
        middle = int(rng.integers(1, max(1 << fmt.exponent, 2)))
        spread = rng.integers(0, 4, count).astype(np.uint64) + np.uint64(max(middle - 3, 0))
        close = (codes & ~field) | ((spread << np.uint64(fmt.mantissa)) & field)
        near = rng.random(count) < 0.5
        codes = np.where(near, close, codes)
        sparse = rng.random(count) < 0.2
        ones = np.uint64(fmt.mantissa + 1)
        cut = rng.integers(0, fmt.mantissa + 1, count).astype(np.uint64) % ones
        codes = np.where(sparse, (codes >> cut) << cut, codes)
    pick = rng.random(count) < 0.15
    chosen = corners[rng.integers(0, corners.size, count)]
    return np.where(pick, chosen, codes).astype(fmt.code_dtype)


def stimulus(spec: Unit, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return operands of ``count`` operations; a tenth of the addends of ``fma`` and ``dot``
    all but cancel a product."""
    codes = {}
    for name, port in spec.ports.inputs.items():
        lanes = port.lanes or 1
        array = operands(port.format, count * lanes, rng).reshape(count, lanes)
        if isinstance(spec, SumOfProducts | Mac):
            array = _few_specials(array, port.format, rng)
        codes[name] = array if port.lanes else array[:, 0]
    if spec.kind in ("fma", "dot"):
        addend = spec.ports.inputs["c"].format
        a, b = (codes[name].reshape(count, -1)[:, 0] for name in "ab")
        formats = {name: spec.ports.inputs[name].format for name in "ab"}
        rounding = "rne" if isinstance(addend, Posit) else "rtz"
        product = unit("mul", **formats, out=addend, rounding=rounding).evaluate(a=a, b=b)["r"]
        mask = np.uint64((1 << addend.width) - 1)
        near = product.astype(np.uint64) + rng.integers(0, 5, count).astype(np.uint64)
        near = ((near - np.uint64(2)) ^ np.uint64(1 << (addend.width - 1))) & mask
        near = near.astype(addend.code_dtype)
        codes["c"] = np.where(rng.random(count) < 0.1, near, codes["c"])
    return codes


def _few_specials(rows: np.ndarray, fmt: Format, rng: np.random.Generator) -> np.ndarray:
    """Replace NaN and infinities in most rows, or hardly any sum of many terms is finite."""
    special = ~np.isfinite(fmt.decode(rows))
    special[rng.random(len(rows)) < 0.05] = False
    return np.where(special, (rows << 1 & ((1 << fmt.width) - 1)) >> 2, rows)


def _corners(fmt: Float) -> np.ndarray:
    one = fmt.bias << fmt.mantissa
    edges = [0, fmt.min_code, fmt.max_code, 1 << fmt.mantissa, one, one - (1 << fmt.mantissa)]
    codes = {code + d for code in edges for d in (-1, 0, 1)}
    codes |= {code for code in (fmt.nan_code, fmt.inf_code) if code is not None}
    top = 1 << (fmt.exponent + fmt.mantissa)
    codes = {code % top for code in codes} | {fmt.nan_code or 0}
    if fmt.specials is Specials.IEEE and fmt.mantissa > 1:
        codes.add((fmt.inf_code or 0) + 1)
    if fmt.signed:
        codes |= {code ^ top for code in codes}
    return np.array(sorted(codes), np.uint64)


def _batches(count: int, size: int = 1 << 16) -> Iterable[tuple[int, int]]:
    for seed, start in enumerate(range(0, count, size)):
        yield seed, min(size, count - start)


def softfloat(kind: str, name: str, count: int) -> int:
    """One operation of fp16 or fp32, with flags of both kinds, against Berkeley SoftFloat."""
    import softfloatpy as sf

    fmt = format(name)
    assert isinstance(fmt, Float)
    flagged = unit(kind, a=name, out=name, flags=True)
    operation = getattr(sf, f"f{fmt.width}_{'mul_add' if kind == 'fma' else kind}")
    wrap = (sf.Float16 if fmt.width == 16 else sf.Float32).from_bytes
    size = fmt.width // 8
    modes, when = softfloat_settings(sf)
    raise_flags, read_flags = sf.set_exception_flags, sf.get_exception_flags
    cases = 0
    for rounding, tininess in itertools.product(modes, when):
        parameters = {"rounding": rounding, "tininess": tininess}
        spec = unit(kind, **(flagged.parameters | parameters))
        sf.set_rounding_mode(modes[rounding])
        sf.set_tininess_mode(when[tininess])
        for seed, n in _batches(-(-count // (len(modes) * len(when)))):
            rng = np.random.default_rng([fmt.width, seed])
            codes = stimulus(spec, n, rng)
            got = spec.evaluate(**codes)
            rows = [
                [wrap(raw[i : i + size]) for i in range(0, size * n, size)]
                for raw in (array.astype(f">u{size}").tobytes() for array in codes.values())
            ]
            results, flags = [], np.zeros(n, np.uint8)
            for i, row in enumerate(zip(*rows, strict=True)):
                raise_flags(0)
                results.append(operation(*row).to_bytes())
                flags[i] = read_flags()
            want = np.frombuffer(b"".join(results), f">u{size}").astype(fmt.code_dtype)
            nan = np.isnan(fmt.decode(want)) & (got["r"] == fmt.nan_code)
            what = f"{kind} {name} {rounding} {tininess}"
            bits = softfloat_flags(flags, sf)
            agree(what, got["r"], want, (got["r"] == want) | nan, **codes)
            cases += agree(f"flags of {what}", got["flags"], bits, got["flags"] == bits, **codes)
    return cases


def softfloat_settings(sf: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """SoftFloat's directions of rounding, and its ways to detect tininess, by macaw's words."""
    modes = {
        "rne": sf.RoundingMode.NEAR_EVEN,
        "rna": sf.RoundingMode.NEAR_MAX_MAG,
        "rtz": sf.RoundingMode.MIN_MAG,
        "rup": sf.RoundingMode.MAX,
        "rdn": sf.RoundingMode.MIN,
    }
    when = {
        "after": sf.TininessMode.AFTER_ROUNDING,
        "before": sf.TininessMode.BEFORE_ROUNDING,
    }
    return modes, when


def softfloat_flags(flags: np.ndarray, sf: Any) -> np.ndarray:
    """SoftFloat's exception flags in macaw's order of bits."""
    kinds = sf.ExceptionFlag
    order = (kinds.INEXACT, kinds.UNDERFLOW, kinds.OVERFLOW, kinds.INVALID, kinds.INFINITE)
    result = np.zeros_like(flags)
    for bit, kind in enumerate(order):
        result |= ((flags & int(kind)) != 0).astype(np.uint8) << np.uint8(bit)
    return result


def mpfr(kind: str, name: str, count: int) -> int:
    """One operation of an IEEE-like format against GMP/MPFR through gmpy2."""
    # Through Any: gmpy2's stubs leave out what this needs.
    gmpy2: Any = importlib.import_module("gmpy2")
    fmt = format(name)
    assert isinstance(fmt, Float)
    assert fmt.has_inf
    modes = {
        "rne": gmpy2.RoundToNearest,
        "rtz": gmpy2.RoundToZero,
        "rup": gmpy2.RoundUp,
        "rdn": gmpy2.RoundDown,
    }
    cases = 0
    for rounding, mode in modes.items():
        spec = unit(kind, a=name, out=name, rounding=rounding, flags=True)
        context = gmpy2.context(
            precision=fmt.precision,
            emax=fmt.emax + 1,
            emin=fmt.quantum + 1,
            subnormalize=True,
            round=mode,
        )
        operation = getattr(context, kind)
        for seed, n in _batches(-(-count // len(modes))):
            rng = np.random.default_rng([fmt.width, fmt.mantissa, seed])
            codes = stimulus(spec, n, rng)
            got = spec.evaluate(**codes)
            columns = [
                [gmpy2.mpfr(x) for x in fmt.decode(array).tolist()] for array in codes.values()
            ]
            values = np.array([float(operation(*row)) for row in zip(*columns, strict=True)])
            decoded = fmt.decode(got["r"])
            cases += agree(
                f"{kind} {name} {rounding}", decoded, values, same_values(decoded, values), **codes
            )
    return cases


def fractions(spec: Unit, count: int, seed: int = 0) -> int:
    """Any unit, with its flags, against the scalar reference."""
    rng = np.random.default_rng([seed, count])
    codes = stimulus(spec, count, rng)
    if spec.accumulates:
        assert isinstance(spec, SumOfProducts | Mac)
        last = rng.random(count) < 0.3
        longest = min(12, spec.terms // spec.lanes)  # type: ignore[union-attr]
        last[longest - 1 :: longest] = True
        codes["last"] = last.astype(np.uint8)
    return by_reference(spec, codes)


# ---------------------------------------------------------------------------------- checks


def random_specs(kinds: Iterable[str], count: int, seed: int) -> Iterable[Unit]:
    """Yield units with random formats and options."""
    kinds = list(kinds)
    rng = random.Random(f"{kinds}/{seed}")
    while count:
        try:
            spec = draw_unit(rng, rng.choice(kinds))
        except MacawError:
            continue
        count -= 1
        yield spec


def fractions_of_many(kind: str, specs: int, count: int, seed: int = 0) -> int:
    """Units of one kind with random formats and options against the scalar reference."""
    chosen = random_specs([kind], specs, seed)
    return sum(fractions(spec, count, i) for i, spec in enumerate(chosen))


def lmul_codes(name: str, count: int = 0) -> int:
    """L-Mul against the one integer addition that the paper makes of it (arXiv 2410.00907).

    All pairs of codes of a format that flushes subnormals, or ``count`` random ones.
    """
    fmt: Any = format(name)
    m, top = fmt.mantissa, 1 << (fmt.width - 1)
    if count:
        x, y = np.random.default_rng(2026).integers(0, 1 << fmt.width, (2, count))
    else:
        x, y = (grid.ravel() for grid in np.indices((1 << fmt.width,) * 2))
    offset = 1 << (m - (m if m <= 3 else 3 if m == 4 else 4))
    total = x % top + y % top - (fmt.bias << m) + offset
    want = np.minimum(np.where(total < 1 << m, 0, total), fmt.max_code)
    want[(x % top < 1 << m) | (y % top < 1 << m)] = 0
    want += (x ^ y) & top
    spec = unit("mul", a=fmt, out=fmt, product="lmul", overflow="saturate")
    codes = {n: v.astype(fmt.code_dtype) for n, v in (("a", x), ("b", y))}
    have = spec.evaluate(**codes)["r"]
    # What the paper leaves open is not compared: infinities and NaNs.
    same = (have == want) | (x % top > fmt.max_code) | (y % top > fmt.max_code)
    return agree(f"lmul {name}", have, want, same, **codes)


PRODUCTS = (
    {"kind": "dot", "a": "e4m3", "out": "fp32", "lanes": 8},
    {"kind": "dot", "a": "fp16", "out": "fp16", "lanes": 8},
    {"kind": "dot", "a": "bf16", "out": "fp32", "lanes": 8},
    {"kind": "dot", "a": "bf16", "out": "fp32", "lanes": 8, "accumulation": "aligned(24)"},
    {"kind": "dot", "a": "int4", "b": "fp16", "out": "fp16", "lanes": 8},
    {"kind": "dot", "a": "e2m1", "out": "e4m3", "lanes": 16},
    {"kind": "mac", "a": "e4m3", "b": "e5m2", "out": "fp32"},
    {"kind": "mac", "a": "fp16", "out": "fp16", "lanes": 2},
    {"kind": "mac", "a": "bf16", "out": "fp32", "acc": "fp32"},
    {"kind": "mac", "a": "int8", "out": "int32", "acc": "int32", "overflow": "wrap"},
    {"kind": "mac", "a": "int8", "out": "int16", "acc": "int16", "overflow": "saturate"},
    {"kind": "mac", "a": "fp32", "out": "fp32"},
)


_REGISTERED = (
    *("mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e3m2", "mxfp6-e2m3", "mxfp4", "mxint8", "mxint4"),
    *("nvfp4", "nvint4", "ue5m3fp4", "ue5m3int4", "hbfp8", "hbfp12", "dfp16"),
)
BLOCK_SUMS = (
    *({"kind": "block-dot", "a": name, "out": "fp32"} for name in _REGISTERED),
    *({"kind": "block-mac", "a": name, "out": "fp32"} for name in _REGISTERED),
    {"kind": "block-dot", "a": "mxfp8-e4m3", "b": "mxfp4", "out": "bf16"},
    {"kind": "block-dot", "a": "int8", "b": "mxint4", "out": "fp32"},
    {
        "kind": "block-dot",
        "a": "nvfp4",
        "out": "fp32",
        "size": 64,
        "accumulation": "aligned(35,16)",
    },
    {"kind": "block-dot", "a": "dfp16", "out": "fp32", "accumulation": "chunk(auto,int32)"},
    {"kind": "block-dot", "a": "mxfp8-e5m2", "out": "fp32", "lanes": 8},
    {"kind": "block-mac", "a": "mxfp4", "out": "fp32", "lanes": 8},
    {"kind": "block-mac", "a": "mxfp8-e4m3", "out": "fp32", "acc": "exact"},
    {"kind": "block-mac", "a": "mxint8", "out": "fp32", "contexts": 4},
    {"kind": "block-mac", "a": "mxfp4", "out": "bf16", "rounding": "sr"},
)
"""Block formats at the default size, beats, profiles and accumulators."""


def checks() -> list[Check]:
    """Return every comparison in full, each of at most a few minutes."""
    result: list[Check] = []

    def add(
        name: str, function: Callable[..., int], *arguments: Any, kind: str | None = None
    ) -> None:
        run = functools.partial(function, *arguments)
        result.append(Check(name=name, run=run, kind=kind))

    small = [n for n in (*NAMES, *GRAMMAR) if format(n).width <= 16]
    fixed = ["int2", "ternary", "int4", "int8", "uint8", "fx8.6", "ufx6.9", "int16"]
    for name in small:
        if format(name).dtype is not None:
            add(f"decode-ml_dtypes-{name}", decode_ml_dtypes, name)
            if name != "e8m0":  # its cast is another rule: ties up, zero and negatives to NaN
                add(f"encode-ml_dtypes-{name}", encode_ml_dtypes, name)
        if gfloat_format(format(name)) is not None:
            add(f"decode-gfloat-{name}", decode_gfloat, name)
            for rounding in (*DIRECTED, *STOCHASTIC):
                add(f"encode-gfloat-{name}-{rounding}", encode_gfloat, name, rounding)
    books = [*BOOKS, *NAMED_BOOKS]
    posits = [name for name in (*POSITS, *ANY_POSITS) if format(name).width <= 16]
    for name in (*small, *fixed, *books, *posits):
        add(f"decode-fractions-{name}", decode_fractions, name)
        roundings = (*DIRECTED, "rod", *(() if name in books else STOCHASTIC))
        for rounding in ("rne",) if name in posits else roundings:
            # Where gfloat has judged every boundary a sample is enough.
            judged = rounding != "rod" and gfloat_format(format(name)) is not None
            count = 40_000 if judged else EVERYTHING
            add(f"encode-fractions-{name}-{rounding}", encode_fractions, name, rounding, count)
    for kind, name in itertools.product(OPERATIONS, ("fp16", "fp32")):
        add(f"softfloat-{kind}-{name}", softfloat, kind, name, 2_000_000, kind=kind)
    for kind, name in itertools.product(OPERATIONS, ODD):
        add(f"mpfr-{kind}-{name}", mpfr, kind, name, 1_200_000, kind=kind)
    for name in ("e4m3ftz", "e5m2ftz", "e3m4ftz", "e2m1ftz"):
        add(f"lmul-codes-{name}", lmul_codes, name, kind="mul")
    for name in ("e8m7ftz", "e5m10ftz", "e8m23ftz"):
        add(f"lmul-codes-{name}", lmul_codes, name, 4_000_000, kind="mul")
    for kind in ("cast", *OPERATIONS, "dot", "mac"):
        for part in range(4):
            name = f"fractions-{kind}-{part}"
            add(name, fractions_of_many, kind, 400, 250, 100 * part, kind=kind)
    for parameters in PRODUCTS:
        spec = unit(**parameters)
        add(f"fractions-{spec.name}", fractions, spec, 100_000, kind=spec.kind)
    for kind in ("block-dot", "block-mac"):
        for part in range(4):
            name = f"fractions/{kind}-{part}"
            add(name, fractions_of_many, kind, 400, 120, 100 * part, kind=kind)
    for parameters in BLOCK_SUMS:
        spec = unit(**parameters)
        name = f"fractions/{spec.name.replace('_', '-', 1)}"
        add(name, fractions, spec, 20_000, kind=spec.kind)
    for spec in (*dots.MACHINES.values(), *block_dots.MACHINES.values()):
        add(f"fractions/machines/{spec.name}", fractions, spec, 6_000, kind=spec.kind)
    return result
