# SPDX-License-Identifier: BSD-2-Clause
"""The golden model's fast paths against the integers that define every bit.

Each path takes operands that are random, corners, and built to break its theorem: sums one bit from
a tie that float64 cannot hold, values next to the midpoints of the result's format, subnormals,
infinities, NaN, zeros of both signs. It prints results and differences, and fails if there are any.

Example: python -m benchmarks.speed.paths --results 100000
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np

from macaw.golden import format, unit
from macaw.golden.arithmetic.codec import _decode
from macaw.golden.arithmetic.exact import unpack
from macaw.golden.arithmetic.projection import Direction, project, resolve_overflow
from macaw.golden.formats.block import AnyFormat, Block, scalar
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.formats.scalar import FORMATS as ALL
from macaw.golden.formats.scalar import Float, Format, Posit
from macaw.golden.tensors import matmul as matmuls_by
from macaw.golden.tensors.matmul import matmul
from macaw.golden.units.specification import Unit
from macaw.sim.proof.outsiders.scalars import operands, stimulus

ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "rod")
FORMATS = (
    *("fp64", "fp32", "fp16", "bf16", "tf32", "e5m2", "e4m3", "e4m3fnuz", "ue4m3", "e6m9", "e3m2"),
    *("dlfloat16", "e5m10ftz", "binary8p3se", "binary8p4ue", "e4m3fnuzftz", "e5m4finiteftz"),
)
PIECE = 1 << 17
Outcome = tuple[np.ndarray, np.ndarray]
"""What a fast path and the integers gave."""


@np.errstate(over="ignore", under="ignore")
def near_midpoints(fmt: Float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Float64 at the values of a format and the midpoints between them, and next to those."""
    codes = rng.integers(0, fmt.max_code + 1, count)
    lower, upper = (fmt.decode(np.minimum(codes + n, fmt.max_code)) for n in (0, 1))
    past = upper == lower
    middle = lower + (upper - lower) / 2
    middle[past] = fmt.max + (fmt.max - fmt.decode(fmt.max_code - 1)) / 2
    values = np.where(rng.random(count) < 0.25, lower, middle)
    side = rng.integers(0, 3, count)
    for n, towards in ((1, -np.inf), (2, np.inf)):
        values[side == n] = np.nextafter(values[side == n], towards)
    special = rng.choice([0.0, np.inf, np.nan, 5e-324, fmt.min_subnormal, 1e308], count)
    values = np.where(rng.random(count) < 0.05, special, values)
    return np.where(rng.random(count) < 0.5, -values, values)


def encoded(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
    """Encoding of float64."""
    wide = ALL["fp64"]
    for name in FORMATS:
        fmt = format(name)
        assert isinstance(fmt, Float)
        for rounding in ROUNDINGS:
            for overflow in (None, "saturate"):
                values = near_midpoints(fmt, count, rng)
                random = operands(wide, count, rng).view(np.float64)
                values = np.where(rng.random(count) < 0.2, random, values)
                policy = None if overflow is None else Overflow.parse(overflow)
                exact = unpack(values.view(np.uint64), wide)
                direction = Direction(Rounding.parse(rounding))
                want = project(exact, fmt, direction, resolve_overflow(policy, fmt))[0]
                got = fmt.encode(values, rounding=rounding, overflow=overflow)
                yield f"encode {name}", (got, want)


@np.errstate(over="ignore", under="ignore", invalid="ignore")
def encoded_from(
    source: str, names: tuple[str, ...]
) -> Callable[..., Iterator[tuple[str, Outcome]]]:
    """Encoding of shorter floats, or to formats whose results are looked up."""
    floats = {"fp64": np.float64, "fp32": np.float32, "fp16": np.float16}[source]

    def outcomes(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
        for name in names:
            fmt = scalar(format(name))
            near = (
                near_midpoints(fmt, count, rng) if isinstance(fmt, Float) else _halves(count, rng)
            )
            with np.errstate(over="ignore", invalid="ignore"):
                values = near.astype(floats)
            codes = values.view(ALL[source].code_dtype)
            random = operands(ALL[source], count, rng)
            codes = np.where(rng.random(count) < 0.2, random, codes)
            for rounding in ROUNDINGS if not isinstance(fmt, Posit) else ("rne",):
                exact = unpack(codes, ALL[source])
                direction = Direction(Rounding.parse(rounding))
                want = project(exact, fmt, direction, resolve_overflow(None, fmt))[0]
                got = fmt.encode(codes.view(floats), rounding=rounding)
                yield f"encode {source} to {name}", (got, want)

    return outcomes


def _halves(count: int, rng: np.random.Generator) -> np.ndarray:
    values = rng.integers(-40, 41, count) / 2
    side = rng.integers(0, 3, count)
    return np.where(side == 0, values, np.nextafter(values, np.where(side == 1, np.inf, -np.inf)))


def decoded(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
    """Values of codes, in few and in many, by their bits but for those of NaN."""
    for name in FORMATS:
        fmt = scalar(format(name))
        codes = operands(fmt, count, rng)
        want = np.concatenate([_decode(piece, fmt) for piece in np.array_split(codes, 16)])
        for got in (
            fmt.decode(codes),
            np.concatenate([*map(fmt.decode, np.split(codes, [99, 499]))]),
        ):
            made = [np.where(np.isnan(each), 0, each).view(np.uint64) for each in (got, want)]
            assert (np.isnan(got) == np.isnan(want)).all()
            yield f"decode {name}", (made[0], made[1])


@np.errstate(all="ignore")
def beside_ties(
    codes: dict[str, np.ndarray], factors: dict[str, Format], c: Format, out: Format
) -> dict[str, np.ndarray]:
    """Operands whose product is all but half the last place of the addend, or the rest of one.

    A third of the addends are midpoints of the result's format, if theirs has them, with products
    near them or far below.
    """
    count = codes["c"].size
    rng = np.random.default_rng(count)
    made = dict(codes)
    third = rng.random(count) < 0.3
    if isinstance(out, Float):
        middle = c.encode(near_midpoints(out, count, rng), overflow="saturate")
        made["c"] = np.where(third, middle, codes["c"])
    addend = np.abs(c.decode(made["c"]))
    addend[~np.isfinite(addend) | (addend == 0)] = 1.0
    precision = out.precision if isinstance(out, Float) else out.width
    least = out.quantum if isinstance(out, Float) else -1
    place = np.maximum(np.frexp(addend)[1] - precision, least) - 1
    place -= rng.choice([0, 0, 30, 45, 60], count) * third
    share = [place] if len(factors) == 1 else [place // 2, place - place // 2]
    for (name, fmt), exponent in zip(factors.items(), share, strict=True):
        last = 2.0 ** (1 - fmt.precision) if isinstance(fmt, Float) else 0.0
        mantissa = 1 + last * rng.choice([-1, -0.5, 0, 1], count) * (rng.random(count) < 0.7)
        sign = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        near = fmt.encode(np.ldexp(sign * mantissa, exponent), overflow="saturate")
        made[name] = np.where(third | (rng.random(count) < 0.4), near, codes[name])
    return made


@np.errstate(all="ignore")
def small_products(
    codes: dict[str, np.ndarray], a: Format, b: Format, out: Format
) -> dict[str, np.ndarray]:
    """Operands of which a half have products about the least normal number, of few or many bits."""
    if not (isinstance(a, Float) and isinstance(b, Float) and isinstance(out, Float)):
        return codes
    count = codes["a"].size
    rng = np.random.default_rng(count)
    place = out.emin - rng.integers(-3, out.mantissa + 5, count)
    share = np.clip(place // 2 + rng.integers(-3, 4, count), a.emin, a.emax)
    made = {}
    for name, fmt, exponent in (("a", a, share), ("b", b, place - share)):
        bits = rng.integers(0, fmt.mantissa + 1, count)
        ones = 1 + rng.integers(0, 1 << bits) / (1 << bits)
        sign = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        made[name] = fmt.encode(np.ldexp(sign * ones, exponent), overflow="saturate")
    # Of some the product is next to a midpoint of subnormal numbers.
    middle = np.ldexp(rng.integers(0, 8, count) + 0.5, out.quantum) / np.abs(a.decode(made["a"]))
    near = b.encode(middle, overflow="saturate")
    made["b"] = np.where(rng.random(count) < 0.5, near, made["b"])
    half = rng.random(count) < 0.5
    return codes | {name: np.where(half, made[name], codes[name]) for name in made}


def units(kind: str, shapes: list[dict[str, Any]]) -> Callable[..., Iterator[tuple[str, Outcome]]]:
    """One unit in all directions, for formats of operands and result."""

    def outcomes(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
        for shape in shapes:
            for rounding in ROUNDINGS:
                spec = unit(kind, rounding=rounding, **shape)
                codes = stimulus(spec, count, rng)
                formats = {name: port.format for name, port in spec.ports.inputs.items()}
                if kind == "fma":
                    factors = {name: formats[name] for name in "ab"}
                    codes = beside_ties(
                        codes, factors, formats["c"], spec.ports.outputs["r"].format
                    )
                elif kind == "add":
                    asked = {"a": codes["a"], "c": codes["b"]}
                    out = spec.ports.outputs["r"].format
                    made = beside_ties(asked, {"a": formats["a"]}, formats["b"], out)
                    codes = {"a": made["a"], "b": made["c"]}
                elif kind == "mul":
                    out = spec.ports.outputs["r"].format
                    codes = small_products(codes, formats["a"], formats["b"], out)
                want = by_integers(spec, codes)
                yield (
                    f"{kind} {'/'.join(map(str, shape.values()))}",
                    (
                        spec.evaluate(**codes)["r"],
                        want,
                    ),
                )

    return outcomes


def matrix(fmt: AnyFormat, shape: tuple[int, int], rng: np.random.Generator) -> Any:
    """Rows whose sums of products cancel, tie and span more bits than float64 has.

    Elements are powers of two, some with the last bit of the format set, times signs; in some rows
    any code may be, NaN and infinities too.
    """
    element = scalar(fmt)
    if isinstance(fmt, Block) or not isinstance(element, Float):
        return rng.standard_normal(shape) * 2.0 ** rng.integers(-3, 4, (shape[0], 1))
    middle = (element.emin + element.emax) // 2
    reach = rng.choice([2, 6, 13, 26, max((element.emax - element.emin) // 3, 2)])
    exponent = middle + rng.integers(-reach, reach + 1, shape)
    ones = 1 + (rng.random(shape) < 0.4) * element.epsilon
    sign = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    ones *= rng.random(shape) < 0.9
    codes = element.encode(np.ldexp(sign * ones, exponent), overflow="saturate")
    every = operands(element, codes.size, rng).reshape(shape)
    codes = np.where(rng.random((shape[0], 1)) < 0.2, every, codes)
    # A sum that rounds to a zero, of either sign, and zeros from there on.
    last = rng.random((shape[0], 1)) < 0.2
    first = element.encode(sign * np.where(np.arange(shape[1]) == 0, element.min_subnormal, 0.0))
    return np.where(last, first, codes)


def matmuls(accumulation: str) -> Callable[..., Iterator[tuple[str, Outcome]]]:
    """Products of matrices, against the unit's own stream."""

    def outcomes(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
        columns = max(math.isqrt(count), 1)
        rows = -(-count // columns)
        for name, acc in MATRICES:
            if accumulation != "exact" and acc == "exact":
                continue
            for rounding in ("rne", "rne", "rtz", "rup", "rdn"):
                length = int(rng.integers(1, 12))
                a = matrix(format(name), (rows, length), rng)
                b = matrix(format(name), (columns, length), rng).T
                options: dict[str, Any] = {"acc": acc, "rounding": rounding}
                if not isinstance(format(name), Block):
                    options["lanes"] = int(rng.integers(1, 6))
                options["accumulation"] = accumulation
                got = matmul(a, b, name, **options)
                with (
                    mock.patch.object(matmuls_by, "_decided", _nothing),
                    mock.patch.object(matmuls_by.hosted, "product", return_value=None),
                    mock.patch.object(matmuls_by._Fast, "of", return_value=None),
                ):
                    yield f"{name} in {acc}, {rounding}", (got, matmul(a, b, name, **options))

    return outcomes


def _nothing(spec: Unit, x: Any, y: Any, result: np.ndarray) -> np.ndarray:
    return np.zeros(result.shape, bool)


MATRICES = (
    ("fp16", "fp32"),
    ("fp16", "fp16"),
    ("fp16", "exact"),
    ("bf16", "fp32"),
    ("bf16", "bf16"),
    ("bf16", "exact"),
    ("fp32", "fp32"),
    ("fp32", "fp16"),
    ("fp32", "fp64"),
    ("e5m2", "fp16"),
    ("e4m3", "e4m3"),
    ("e5m2", "e4m3fnuz"),
    ("int8", "fp16"),
    ("mxfp8-e5m2", "bf16"),
    ("nvfp4", "fp32"),
    ("mxint8", "fp32"),
)
"""Formats of operands and of accumulators."""


def by_integers(spec: Unit, codes: dict[str, np.ndarray]) -> np.ndarray:
    """What a unit with one result an element gives without any fast path."""
    count = len(next(iter(codes.values())))
    pieces = [
        Unit._compute(spec, {name: array[start : start + 8192] for name, array in codes.items()})
        for start in range(0, count, 8192)
    ]
    return np.concatenate([piece["r"] for piece in pieces])


def _same(*names: str) -> list[dict[str, Any]]:
    return [{"a": name} for name in names]


PATHS: dict[str, Callable[[int, np.random.Generator], Iterator[tuple[str, Outcome]]]] = {
    "encode": encoded,
    "encode fp32": encoded_from("fp32", ("fp64", "fp32", "fp16", "bf16", "tf32", "e8m5", "e6m9")),
    "encode fp16": encoded_from("fp16", ("fp64", "fp32", "fp16", "bf16", "tf32", "e4m3")),
    "encode by tables": encoded_from(
        "fp64", ("e4m3", "e5m2fnuz", "binary8p4ue", "e3m2", "e2m1", "e5m4ftz", "int4", "posit8es0")
    ),
    "encode fp32 by tables": encoded_from("fp32", ("e4m3", "e5m2", "e2m1", "e6m9", "int8")),
    "decode": decoded,
    "mul": units(
        "mul",
        [
            *_same(*FORMATS, "e8m5", "e8m8", "e8m11"),
            {"a": "bf16", "b": "fp16", "out": "fp32"},
            {"a": "int8", "out": "e6m9"},
        ],
    ),
    "add": units(
        "add",
        [
            *_same(*FORMATS),
            {"a": "fp32", "b": "fp16", "out": "bf16"},
            {"a": "fp32", "b": "fp32", "out": "fp16", "subtract": True},
            {"a": "int8", "b": "bf16", "out": "fp32"},
            {"a": "e8m26"},
            {"a": "e7m13", "out": "bf16"},
            {"a": "bf16", "out": "fp16"},
            *({"a": name, "subtract": True} for name in ("fp64", "fp16", "bf16", "e8m10", "e8m11")),
        ],
    ),
    "fma": units(
        "fma",
        [
            *({"a": name, "out": name} for name in FORMATS),
            {"a": "fp16", "out": "fp32"},
            {"a": "bf16", "out": "fp32"},
            {"a": "e4m3", "b": "e5m2", "out": "fp16"},
            {"a": "bf16", "c": "fp32", "out": "e4m3"},
        ],
    ),
    "cast": units(
        "cast",
        [{"a": a, "out": out} for a in ("fp32", "fp64", "bf16", "int16") for out in FORMATS],
    ),
    "matmul exact": matmuls("exact"),
    "matmul sequential": matmuls("sequential"),
    "tables": units(
        "mul",
        [
            {"a": "e4m3", "flags": True},
            {"a": "int8", "out": "int8"},
            {"a": "e2m1", "b": "uint4", "out": "int4", "overflow": "wrap"},
            {"a": "e4m3", "b": "e3m2", "out": "fp32"},
        ],
    ),
}
"""Paths by name: each yields cases of ``count`` results."""


def differences(name: str, count: int, seed: int = 1) -> Iterator[tuple[str, int, int]]:
    """Yield cases of a path, how many results they had, and how many of those differ."""
    for case, (got, want) in PATHS[name](count, np.random.default_rng(seed)):
        assert got.dtype == want.dtype
        yield case, got.size, int(np.count_nonzero(got != want))


def main() -> None:
    """Compare at least so many results of each path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=10_000_000, help="of each path")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="of " + ", ".join(PATHS))
    arguments = parser.parse_args()
    unknown = {*arguments.paths} - {*PATHS}
    if unknown:
        parser.error(f"{sorted(unknown)[0]}: must be of {', '.join(PATHS)}")
    wrong = 0
    for name in arguments.paths or PATHS:
        done = differs = 0
        seed = arguments.seed
        while done < arguments.results:
            for case, results, differing in differences(name, min(PIECE, arguments.results), seed):
                done, differs = done + results, differs + differing
                if differing:
                    print(f"{name}: {case}, seed {seed}: {differing} of {results} differ")
            seed += 1
        wrong += differs
        print(f"{name}: {done} results, {differs} differences", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
