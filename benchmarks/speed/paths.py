# SPDX-License-Identifier: BSD-2-Clause
"""The golden model's fast paths against the integers that define every bit.

Each path takes operands that are random, corners, and built to break its theorem: sums one bit from
a tie that float64 cannot hold, values next to the midpoints of the result's format, subnormals,
infinities, NaN, zeros of both signs. It prints results and differences, and fails if there are any.

Example: python -m benchmarks.speed.paths --results 100000
"""

import argparse
import functools
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
from macaw.golden.formats.block import Block, scalar
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.formats.scalar import FORMATS as ALL
from macaw.golden.formats.scalar import Float, Posit
from macaw.golden.tensors import matmul as matmuls_by
from macaw.golden.tensors.matmul import matmul
from macaw.golden.units import dots as dots_by
from macaw.golden.units.specification import Unit
from macaw.sim.proof.outsiders.scalars import operands, stimulus

from .. import positive
from .adversaries import (
    beside_ties,
    matrix,
    near_halves,
    near_midpoints,
    small_products,
    sum_rows,
)
from .compiled import from_the_first

ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "rod")
FORMATS = (
    *("fp64", "fp32", "fp16", "bf16", "tf32", "e5m2", "e4m3", "e4m3fnuz", "ue4m3", "e6m9", "e3m2"),
    *("dlfloat16", "e5m10ftz", "binary8p3se", "binary8p4ue", "e4m3fnuzftz", "e5m4finiteftz"),
)
PIECE = 1 << 17
_FEW = 900
"""Elements of a call that is a short one."""
Outcome = tuple[np.ndarray, np.ndarray]
"""What a fast path and the integers gave."""


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
                encode = functools.partial(fmt.encode, rounding=rounding, overflow=overflow)
                yield f"encode {name}", (encode(values), want)
                if rounding == "rne":
                    yield f"encode {name}, few", (in_few(encode, values), want)


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
                near_midpoints(fmt, count, rng)
                if isinstance(fmt, Float)
                else near_halves(count, rng)
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
                encode = functools.partial(fmt.encode, rounding=rounding)
                given = codes.view(floats)
                yield f"encode {source} to {name}", (encode(given), want)
                if rounding == "rne":
                    yield f"encode {source} to {name}, few", (in_few(encode, given), want)

    return outcomes


def decoded(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
    """Values of codes, in few and in many, by their bits but for those of NaN."""
    for name in FORMATS:
        fmt = scalar(format(name))
        codes = operands(fmt, count, rng)
        want = np.concatenate([_decode(piece, fmt) for piece in np.array_split(codes, 16)])
        for got in (fmt.decode(codes), in_few(fmt.decode, codes)):
            made = [np.where(np.isnan(each), 0, each).view(np.uint64) for each in (got, want)]
            assert (np.isnan(got) == np.isnan(want)).all()
            yield f"decode {name}", (made[0], made[1])


def compiled(
    outcomes: Callable[..., Iterator[tuple[str, Outcome]]],
) -> Callable[..., Iterator[tuple[str, Outcome]]]:
    """The same in compiled passes, where there are any, from the first number on."""

    def by_passes(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
        with from_the_first():
            yield from outcomes(count, rng)

    return by_passes


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
                case = f"{kind} {'/'.join(map(str, shape.values()))}"
                yield case, (spec.evaluate(**codes)["r"], want)
                if rounding == "rne":
                    yield f"{case}, few", (in_few(functools.partial(_result, spec), **codes), want)

    return outcomes


def _result(spec: Unit, **codes: np.ndarray) -> np.ndarray:
    return spec.evaluate(**codes)["r"]


def in_few(call: Callable[..., np.ndarray], *arrays: np.ndarray, **named: np.ndarray) -> np.ndarray:
    """What a call gives of few elements at a time."""
    count = len([*arrays, *named.values()][0])
    pieces = [slice(start, start + _FEW) for start in range(0, count, _FEW)]
    return np.concatenate(
        [
            call(*[array[piece] for array in arrays], **{n: a[piece] for n, a in named.items()})
            for piece in pieces
        ]
    )


def dots(shapes: list[dict[str, Any]]) -> Callable[..., Iterator[tuple[str, Outcome]]]:
    """Sums of products: any, those that cancel or span many bits, and those next to a tie."""

    def outcomes(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
        for shape in shapes:
            for rounding in ("rne", "rne", "rtz", "rdn", "rup", "rod"):
                if rounding != "rne" and "(" in shape.get("accumulation", "") and _fixed(shape):
                    continue
                spec = unit("dot", rounding=rounding, **shape)
                codes = stimulus(spec, count, rng)
                formats = {name: port.format for name, port in spec.ports.inputs.items()}
                codes |= sum_rows(codes, formats, spec.ports.outputs["r"].format, rng)
                got = spec.evaluate(**codes)["r"]
                yield (
                    f"dot {'/'.join(map(str, shape.values()))}, {rounding}",
                    (
                        got,
                        by_integers(spec, codes),
                    ),
                )

    return outcomes


def macs(shapes: list[dict[str, Any]]) -> Callable[..., Iterator[tuple[str, Outcome]]]:
    """Sums over beats, against the same without float64; ``count`` products."""

    def outcomes(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
        for shape in shapes:
            for rounding in ("rne", "rtz", "rdn", "rup", "rod"):
                spec = unit("mac", rounding=rounding, **shape)
                codes = stimulus(spec, count, rng)
                for name, port in spec.ports.inputs.items():
                    if name in "ab" and isinstance(port.format, Float):
                        whole = (count, port.lanes or 1)
                        made = matrix(port.format, whole, rng).reshape(codes[name].shape)
                        one = np.ones(codes[name].ndim - 1, int)
                        few = (rng.random(count) < 0.7).reshape(-1, *one)
                        codes[name] = np.where(few, made, codes[name])
                codes["last"] = (rng.random(count) < 0.3).astype(np.uint8)
                got = spec.evaluate(**codes)["r"]
                with mock.patch.object(dots_by.Mac, "_host", return_value=None):
                    want = spec.evaluate(**codes)["r"]
                yield f"mac {'/'.join(map(str, shape.values()))}, {rounding}", (got, want)

    return outcomes


def _fixed(shape: dict[str, Any]) -> bool:
    return shape["accumulation"].startswith("tensor-core")


def matmuls(
    accumulation: str,
    roundings: tuple[str, ...] = ("rne", "rne", "rtz", "rup", "rdn"),
    accs: tuple[str, ...] = (),
) -> Callable[..., Iterator[tuple[str, Outcome]]]:
    """Products of matrices, against the unit's own stream; with ``accs`` in those alone."""

    def outcomes(count: int, rng: np.random.Generator) -> Iterator[tuple[str, Outcome]]:
        columns = max(math.isqrt(count), 1)
        rows = -(-count // columns)
        for name, acc in MATRICES:
            if (accumulation != "exact" and acc == "exact") or (accs and acc not in accs):
                continue
            for rounding in roundings:
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
        spec._by_integers({name: array[start : start + 8192] for name, array in codes.items()})
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
    "encode compiled": compiled(encoded_from("fp64", ("bf16",))),
    "encode fp32 compiled": compiled(encoded_from("fp32", ("bf16",))),
    "decode": decoded,
    "decode compiled": compiled(decoded),
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
            *({"a": name, "out": name} for name in (*FORMATS, "e8m5", "e8m11")),
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
    "dot exact": dots(
        [
            {"a": "e4m3", "out": "fp32", "lanes": 8},
            {"a": "e5m2", "out": "fp32", "lanes": 5},
            {"a": "fp16", "out": "fp16", "lanes": 4},
            {"a": "fp16", "out": "fp32", "lanes": 3},
            {"a": "bf16", "out": "fp32", "lanes": 4},
            {"a": "bf16", "out": "bf16", "lanes": 7},
            {"a": "fp32", "out": "fp32", "lanes": 2},
            {"a": "int4", "b": "fp16", "out": "fp16", "lanes": 3},
            {"a": "e4m3", "c": "bf16", "out": "e4m3fnuz", "lanes": 1},
        ]
    ),
    "dot in steps": dots(
        [
            {"a": "e4m3", "out": "fp32", "lanes": 4, "accumulation": "sequential"},
            {"a": "fp16", "out": "fp16", "lanes": 3, "accumulation": "sequential"},
            {"a": "bf16", "c": "fp32", "out": "bf16", "lanes": 3, "accumulation": "sequential"},
            {"a": "e4m3", "out": "fp32", "lanes": 6, "accumulation": "chunk(2,fp16)"},
            {"a": "fp16", "out": "fp32", "lanes": 4, "accumulation": "chunk(2,bf16)"},
            {"a": "e5m2", "out": "bf16", "lanes": 4, "accumulation": "chunk(4,e6m9)"},
            {"a": "bf16", "out": "ue6m9", "lanes": 3, "accumulation": "sequential"},
            {"a": "e4m3", "out": "fp16", "lanes": 6, "accumulation": "chunk(3,ue5m4)"},
        ]
    ),
    "dot aligned": dots(
        [
            {"a": "bf16", "out": "fp32", "lanes": 4, "accumulation": "aligned(24)"},
            {"a": "e4m3", "out": "fp16", "lanes": 8, "accumulation": "aligned(13,4)"},
            {"a": "e5m2", "c": "bf16", "out": "fp32", "lanes": 4, "accumulation": "aligned(6)"},
            {"a": "fp16", "out": "fp16", "lanes": 3, "accumulation": "aligned(40)"},
            {"a": "dlfloat16", "out": "fp32", "lanes": 2, "accumulation": "aligned(10)"},
            {"a": "fp16", "out": "fp32", "lanes": 8, "accumulation": "tensor-core(volta)"},
            {"a": "fp16", "out": "fp16", "lanes": 8, "accumulation": "tensor-core(turing)"},
            {"a": "bf16", "out": "fp32", "lanes": 8, "accumulation": "tensor-core(ampere)"},
            {
                "a": "e4m3",
                "b": "e5m2",
                "out": "fp16",
                "lanes": 16,
                "accumulation": "tensor-core(ada)",
            },
        ]
    ),
    "mac exact": macs(
        [
            {"a": "e4m3", "out": "fp32"},
            {"a": "int8", "out": "fp16", "lanes": 3},
            {"a": "e4m3", "b": "e2m1", "out": "e4m3", "lanes": 2},
            {"a": "e3m2", "out": "bf16", "terms": 64},
        ]
    ),
    "mac rounded": macs(
        [
            {"a": "bf16", "out": "fp32", "acc": "fp32"},
            {"a": "e4m3", "out": "e4m3", "acc": "fp16", "lanes": 3},
            {"a": "fp16", "out": "bf16", "acc": "fp32", "lanes": 2, "contexts": 3},
            {"a": "int8", "out": "fp16", "acc": "bf16"},
        ]
    ),
    "matmul exact": matmuls("exact"),
    "matmul exact compiled": compiled(matmuls("exact", ("rne",), ("fp32",))),
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
    parser.add_argument("--results", type=positive, default=10_000_000, help="of each path")
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
