# SPDX-License-Identifier: BSD-2-Clause
"""How fast the golden model is, beside ml_dtypes and gfloat, and for each kind of unit.

Contestants take turns, and
each figure is the median of its rounds in processor time, so that a busy machine changes little.
One thread. The first turn of each, which fills tables, is left out.

Example: python -m benchmarks.speed.golden --elements 100000 --rounds 3
"""

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import gfloat
import ml_dtypes  # noqa: F401  (registers its casts)
import numpy as np

from macaw.golden import Float, format, unit
from macaw.sim.proof.outsiders.scalars import gfloat_format, operands, stimulus

from .. import positive, results
from .compiled import from_the_first

FORMATS = ("e4m3", "e5m2", "e2m1", "e3m2", "bf16", "fp16")
UNITS: tuple[dict[str, Any], ...] = (
    {"kind": "fma", "a": "e4m3", "out": "fp16"},
    {"kind": "fma", "a": "e4m3", "b": "e5m2", "out": "fp32"},
    {"kind": "fma", "a": "fp16", "out": "fp16"},
    {"kind": "fma", "a": "bf16", "out": "bf16"},
    {"kind": "fma", "a": "fp32", "out": "fp32"},
    {"kind": "fma", "a": "fp32", "out": "fp32", "rounding": "dynamic", "flags": True},
    {"kind": "mul", "a": "e4m3"},
    {"kind": "add", "a": "fp16"},
    {"kind": "cast", "a": "fp32", "out": "e4m3", "rounding": "sr"},
    {"kind": "dot", "a": "e4m3", "out": "fp32", "lanes": 8},
    {"kind": "dot", "a": "fp16", "out": "fp16", "lanes": 8},
    {"kind": "dot", "a": "bf16", "out": "fp32", "lanes": 8, "accumulation": "aligned(24)"},
    {"kind": "dot", "a": "bf16", "out": "fp32", "lanes": 8},
    {"kind": "dot", "a": "fp16", "out": "fp32", "lanes": 8, "accumulation": "sequential"},
    {"kind": "dot", "a": "e4m3", "out": "fp32", "lanes": 8, "accumulation": "chunk(4,fp16)"},
    {"kind": "dot", "a": "fp16", "out": "fp32", "lanes": 8, "accumulation": "tensor-core(ampere)"},
    {"kind": "dot", "a": "int4", "b": "fp16", "out": "fp16", "lanes": 8},
    {"kind": "mac", "a": "e4m3", "out": "fp32"},
    {"kind": "mac", "a": "fp16", "out": "fp32"},
    {"kind": "mac", "a": "bf16", "out": "fp32", "acc": "fp32"},
)
LEAST = 100_000
"""Elements of a turn, at least."""
Contest = dict[str, tuple[Callable[[], object], int]]
"""What to call, and how many elements that is, by contestant."""


def measure(contest: Contest, rounds: int) -> dict[str, float]:
    """Return the median time per element of each contestant, in ns.

    Calls on few elements are repeated, for one is shorter than what the clock tells apart. A turn
    begins with a call that does not count: whoever comes after one that gave memory back to the
    system would else pay for what the next ones find.
    """
    times: dict[str, list[float]] = {name: [] for name in contest}
    with np.errstate(all="ignore"):
        for turn in range(rounds + 1):
            for name, (call, count) in contest.items():
                calls = max(LEAST // count, 1)
                call()
                start = time.process_time()
                for _ in range(calls):
                    call()
                if turn:
                    took = (time.process_time() - start) / (calls * count)
                    times[name].append(took * 1e9)
    return {name: statistics.median(values) for name, values in times.items()}


def encode(name: str, elements: int) -> Contest:
    """float32 to codes, to nearest."""
    fmt, info = description(name)
    values = np.random.default_rng(1).standard_normal(elements).astype(np.float32)
    part = values[: max(elements // 10, 1)].astype(np.float64)

    def by_gfloat() -> object:
        rounded = gfloat.round_ndarray(info, part, gfloat.RoundMode.TiesToEven, True)
        return gfloat.encode_ndarray(info, rounded)

    return {
        "macaw": (lambda: fmt.encode(values), elements),
        "ml_dtypes": (lambda: values.astype(fmt.dtype), elements),
        "gfloat": (by_gfloat, part.size),
    }


def decode(name: str, elements: int) -> Contest:
    """Codes to float64."""
    fmt, info = description(name)
    codes = np.random.default_rng(2).integers(0, 1 << fmt.width, elements).astype(fmt.code_dtype)
    array, part = fmt.to_numpy(codes), codes[: max(elements // 10, 1)].astype(np.int64)
    return {
        "macaw": (lambda: fmt.decode(codes), elements),
        "ml_dtypes": (lambda: array.astype(np.float64), elements),
        "gfloat": (lambda: gfloat.decode_ndarray(info, part), part.size),
    }


def fma(name: str, elements: int) -> Contest:
    """``a * b + c`` from codes to codes; the others through floats that can round twice."""
    fmt, info = description(name)
    rng = np.random.default_rng(3)
    spec = unit("fma", a=name, out=name)
    codes = {port: operands(fmt, elements, rng) for port in "abc"}
    arrays = [fmt.to_numpy(array) for array in codes.values()]
    parts = [array[: max(elements // 10, 1)].astype(np.int64) for array in codes.values()]

    def by_ml_dtypes() -> object:
        a, b, c = (array.astype(np.float32) for array in arrays)
        return (a * b + c).astype(fmt.dtype)

    def by_gfloat() -> object:
        a, b, c = (gfloat.decode_ndarray(info, part) for part in parts)
        total = a * b + c
        if not fmt.has_nan:
            total = np.nan_to_num(total)
        rounded = gfloat.round_ndarray(info, total, gfloat.RoundMode.TiesToEven, True)
        return gfloat.encode_ndarray(info, rounded)

    return {
        "macaw": (lambda: spec.evaluate(**codes), elements),
        "ml_dtypes": (by_ml_dtypes, elements),
        "gfloat": (by_gfloat, parts[0].size),
    }


def description(name: str) -> tuple[Float, Any]:
    """The format, and gfloat's description of it."""
    fmt = format(name)
    assert isinstance(fmt, Float)
    return fmt, gfloat_format(fmt)


def throughput(parameters: dict[str, Any], elements: int) -> tuple[str, Contest]:
    """Results per second of one unit."""
    spec = unit(**parameters)
    codes = stimulus(spec, elements, np.random.default_rng(4))
    if spec.accumulates:
        codes["last"] = (np.arange(elements) % 32 == 31).astype(np.uint8)
    return spec.name, {"macaw": (lambda: spec.evaluate(**codes), elements)}


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=positive, default=1_000_000)
    parser.add_argument("--rounds", type=positive, default=7)
    results.add_output(parser)
    arguments = parser.parse_args()
    made: dict[str, Any] = {
        "elements": arguments.elements,
        "rounds": arguments.rounds,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "ml_dtypes", "gfloat")},
        "numba": version("numba") if find_spec("numba") else None,
        "contests": [],
        "units": [],
    }
    cases = [(operation, name, "") for operation in (encode, decode, fma) for name in FORMATS]
    if made["numba"]:
        cases += [(operation, "bf16", " compiled") for operation in (encode, decode)]
    for operation, name, how in cases:
        with from_the_first() if how else nullcontext():
            nanoseconds = measure(operation(name, arguments.elements), arguments.rounds)
        work = operation.__name__ + how
        row = {"operation": work, "format": name, "nanoseconds": nanoseconds}
        made["contests"].append(row)
        shown = ", ".join(f"{who} {ns:.1f} ns" for who, ns in nanoseconds.items())
        sys.stdout.write(f"{work} {name}: {shown}\n")
        sys.stdout.flush()
    for parameters in UNITS:
        name, contest = throughput(parameters, max(arguments.elements // 5, 1000))
        millions = 1e3 / measure(contest, arguments.rounds)["macaw"]
        made["units"].append({"unit": name, "millions": millions})
        sys.stdout.write(f"{name}: {millions:.2f} M/s\n")
        sys.stdout.flush()
    print(results.write("golden", made, arguments.output))


if __name__ == "__main__":
    main()
