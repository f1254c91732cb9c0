# SPDX-License-Identifier: BSD-2-Clause
"""The golden model's speed beside that of others, all in one run, with ratios to the best of them.

Contestants take turns; a figure is the median of their rounds in processor time, on one thread, an
element or a multiply-accumulate. Peers are apytypes, C++ with floats of any width, and what numpy
and ml_dtypes compute in their own dtypes; one that is not installed has no figures. Matrix products
of apytypes round after each operation. Last come matrix products on more threads, by the clock.
Beside gfloat there is benchmarks.speed.golden.

Example: python -m benchmarks.speed.peers --quick
"""

import argparse
import functools
import importlib
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from macaw.golden import format, matmul, unit
from macaw.golden.arithmetic.binary64.scratch import FEW
from macaw.golden.formats.scalar import FORMATS, Fixed, Float, Format

from .. import positive, results
from .compiled import from_the_first
from .golden import Contest, measure

PEERS = ("apytypes", "ml_dtypes", "pychop")
SIZES = {"100": 100, "10 thousand": 10_000, "10 million": 10_000_000}
ELEMENTWISE = ("bf16", "fp16", "fp32", "e4m3")
PRODUCTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("fp16", {}),
    ("bf16", {}),
    ("fp32", {}),
    ("fp16", {"accumulation": "sequential"}),
    ("bf16", {"accumulation": "sequential"}),
    ("e4m3", {}),
    ("e4m3", {"accumulation": "sequential"}),
    ("int8", {}),
    ("mxfp8-e4m3", {}),
    ("mxfp4", {}),
    ("nvfp4", {}),
)
"""Formats of operands, and parameters of ``matmul`` with sums in fp32."""
PARTS = ("table", "registry", "threads", "memory")
"""What is measured: the last two by the clock and by the system, which takes an idle machine."""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
PEAK = """
import resource, numpy as np
from macaw import matmul
rng = np.random.default_rng(1)
a, b = rng.standard_normal((4096, 4096), np.float32), rng.standard_normal((4096, {}), np.float32)
matmul(a, b, "mxfp8-e4m3")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


SCALED = (
    ("matmul", "fp16", 2048),
    ("matmul", "bf16", 2048),
    ("matmul", "fp32", 2048),
    ("matmul", "e4m3", 2048),
    ("matmul sequential", "fp16", 512),
    ("numpy's own", "float64", 2048),
)
"""Matrix products on several threads: what, formats, rows and columns."""
SCALING = """
import sys, time, numpy as np
from macaw import format, matmul
work, name, size = *sys.argv[1:3], int(sys.argv[3])
rng = np.random.default_rng(1)
a, b = (rng.standard_normal((size, size)) for _ in range(2))
options = {"accumulation": "sequential"} if "sequential" in work else {}
if work.startswith("matmul"):
    a, b = (format(name).encode(x) for x in (a, b))
for _ in range(2):
    start = time.perf_counter()
    matmul(a, b, name, **options) if work.startswith("matmul") else a @ b
    took = time.perf_counter() - start
print(took / size**3 * 1e9)
"""


@functools.cache
def peer(name: str) -> Any:
    """A module of others, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def parts(fmt: Format) -> tuple[int, int] | None:
    """Exponent and mantissa bits of what apytypes has too; its floats are those of IEEE 754."""
    if isinstance(fmt, Float) and fmt.signed and fmt.exponent >= 2 and fmt.mantissa >= 1:
        return fmt.exponent, fmt.mantissa
    return None


def encode(name: str, elements: int) -> Contest:
    """float64 to codes, to nearest."""
    fmt = _scalar(name)
    values = np.random.default_rng(1).standard_normal(elements)
    contest: Contest = {"macaw": (lambda: fmt.encode(values), elements)}
    if peer("apytypes") and (wide := parts(fmt)):
        of = peer("apytypes").APyFloatArray.from_float
        contest["apytypes"] = (lambda: of(values, *wide), elements)
    if fmt.dtype is not None and isinstance(fmt, Float):
        contest["numpy"] = (lambda: values.astype(fmt.dtype), elements)
    if (chop := _chop(fmt)) is not None:
        contest["pychop"] = (lambda: chop(values), elements)
    return contest


def _chop(fmt: Format) -> Callable[[np.ndarray], np.ndarray] | None:
    """What rounds float64 to the values of a format, by pychop, which stays in float64."""
    if not peer("pychop") or not (wide := parts(fmt)):
        return None
    peer("pychop").backend("numpy")
    return peer("pychop").Chop(exp_bits=wide[0], sig_bits=wide[1], rmode=1)


def decode(name: str, elements: int) -> Contest:
    """Codes to float64."""
    fmt = _scalar(name)
    codes = fmt.encode(np.random.default_rng(2).standard_normal(elements))
    contest: Contest = {"macaw": (lambda: fmt.decode(codes), elements)}
    if peer("apytypes") and (wide := parts(fmt)):
        array = peer("apytypes").APyFloatArray.from_float(fmt.decode(codes), *wide)
        contest["apytypes"] = (array.to_numpy, elements)
    if fmt.dtype is not None and isinstance(fmt, Float):
        typed = fmt.to_numpy(codes)
        contest["numpy"] = (lambda: typed.astype(np.float64), elements)
    return contest


def operation(kind: str, name: str, elements: int) -> Contest:
    """``mul``, ``add`` or ``fma`` of codes; numpy's fma rounds twice."""
    fmt, rng = _scalar(name), np.random.default_rng(3)
    spec = unit(kind, a=name, **({"out": name} if kind == "fma" else {}))
    ports = list(spec.ports.inputs)
    values = [rng.standard_normal(elements) for _ in ports]
    codes = [fmt.encode(each) for each in values]
    operands = dict(zip(ports, codes, strict=True))
    contest: Contest = {"macaw": (lambda: spec.evaluate(**operands), elements)}
    compute: dict[str, Callable[..., Any]] = {
        "mul": lambda a, b: a * b,
        "add": lambda a, b: a + b,
        "fma": lambda a, b, c: a * b + c,
    }
    if peer("apytypes") and (wide := parts(fmt)) and kind != "fma":
        of = peer("apytypes").APyFloatArray.from_float
        arrays = [of(fmt.decode(each), *wide) for each in codes]
        contest["apytypes"] = (lambda: compute[kind](*arrays), elements)
    if fmt.dtype is not None and isinstance(fmt, Float):
        typed = [fmt.to_numpy(each) for each in codes]
        contest["numpy"] = (lambda: compute[kind](*typed), elements)
    return contest


def product(name: str, options: dict[str, Any], size: int) -> Contest:
    """A matrix product, per multiply-accumulate; operands of macaw are codes, blocks quantised."""
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((size, size)), rng.standard_normal((size, size))
    fmt = format(name)
    if isinstance(fmt, Float | Fixed):
        x, y = (fmt.encode(each * (20 if isinstance(fmt, Fixed) else 1)) for each in (a, b))
    else:
        x, y = (fmt.quantize(each, axis=axis) for each, axis in ((a, 1), (b, 0)))  # type: ignore[union-attr]
    count = size**3
    contest: Contest = {"macaw": (lambda: matmul(x, y, name, **options), count)}
    if peer("apytypes") and isinstance(fmt, Float) and (wide := parts(fmt)):
        of = peer("apytypes").APyFloatArray.from_float
        left, right = (of(each, *wide) for each in (a, b))
        contest["apytypes"] = (lambda: left @ right, count)
    return contest


def _scalar(name: str) -> Any:
    return format(name)


def row(work: str, name: str, size: str, nanoseconds: dict[str, float]) -> dict[str, Any]:
    """A record: figures, and how many times as long as each peer macaw takes."""
    ours = nanoseconds["macaw"]
    ratios = {who: ours / ns for who, ns in nanoseconds.items() if who != "macaw"}
    return {"work": work, "format": name, "size": size, "ns": nanoseconds, "ratios": ratios}


def timed(contest: Contest, rounds: int) -> dict[str, float]:
    """Processor time by contestant; what takes very long has its turns after all others.

    Beside it the others would have to ask the system for memory each time.
    """
    last = {name: each for name, each in contest.items() if name == "pychop"}
    first = {name: each for name, each in contest.items() if name not in last}
    return measure(first, rounds) | (measure(last, rounds) if last else {})


def table(quick: bool, rounds: int) -> Iterator[dict[str, Any]]:
    """The works that people ask for, in three sizes."""
    for size, whole in SIZES.items():
        elements = min(whole, 200_000) if quick else whole
        for name in ELEMENTWISE:
            for work in ("encode", "decode", "mul", "add", "fma"):
                yield row(work, name, size, timed(contest(work, name, elements), rounds))
        for work in ("encode", "decode") if elements > FEW and find_spec("numba") else ():
            with from_the_first():
                took = timed(contest(work, "bf16", elements), rounds)
            yield row(f"{work} compiled", "bf16", size, took)
    for name, options in PRODUCTS:
        size = 64 if quick else 256
        work = "matmul" + "".join(f" {value}" for value in options.values())
        made = measure(product(name, options, size), min(rounds, 3))
        yield row(work, name, f"{size}^3", made)


def contest(work: str, name: str, elements: int) -> Contest:
    """Who does an elementwise work."""
    if work in ("encode", "decode"):
        return {"encode": encode, "decode": decode}[work](name, elements)
    return operation(work, name, elements)


def registry(quick: bool, rounds: int) -> Iterator[dict[str, Any]]:
    """Every scalar format through the works that it has."""
    elements, size = (2_000, 32) if quick else (200_000, 64)
    for name, fmt in FORMATS.items():
        for work in ("encode", "mul", "add"):
            yield row(work, name, str(elements), timed(contest(work, name, elements), rounds))
        if isinstance(fmt, Float | Fixed) and fmt.width <= 32 and fmt.decode(0) == 0:
            made = measure(product(name, {}, size), rounds)
            yield row("matmul", name, f"{size}^3", made)


def peak(columns: int) -> int:
    """Peak memory in MiB of a product of 4096 x 4096 and 4096 x ``columns``, quantised before."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK.format(columns)], check=True, capture_output=True, text=True
    )
    return int(done.stdout) >> 10


def scaling(quick: bool, rounds: int) -> Iterator[dict[str, Any]]:
    """Matrix products by numbers of threads: the least of the rounds by the clock, in ns.

    The second of a program, when what is compiled is there.
    """
    most = os.cpu_count() or 1
    counts = sorted({1, min(2, most), most})
    for work, name, size in SCALED:
        size = 128 if quick else size
        least = dict.fromkeys(counts, math.inf)
        for _ in range(rounds):
            for count in counts:
                environment = os.environ | dict.fromkeys(THREADS, str(count))
                command = [sys.executable, "-c", SCALING, work, name, str(size)]
                done = subprocess.run(
                    command, env=environment, check=True, capture_output=True, text=True
                )
                least[count] = min(least[count], float(done.stdout))
        ns = {str(count): took for count, took in least.items()}
        yield {"work": work, "format": name, "size": f"{size}^3", "ns": ns}


def shown(made: dict[str, Any]) -> str:
    """A record as a line of text."""
    figures = ", ".join(f"{who} {ns:.3g} ns" for who, ns in made["ns"].items())
    ratios = ", ".join(f"{ratio:.2f} of {who}" for who, ratio in made["ratios"].items())
    return f"{made['work']} {made['format']}, {made['size']}: {figures}; {ratios or 'no peer'}"


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--quick", action="store_true", help="smaller arrays, for a first look")
    parser.add_argument(
        "--columns",
        type=positive,
        default=4096,
        help="of the product whose peak memory is measured",
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        help="what to measure; the rest stays as it was recorded (default: all)",
    )
    results.add_output(parser)
    arguments = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in THREADS):
        # The library of matrix products reads them when it is loaded.
        environment = os.environ | dict.fromkeys(THREADS, "1")
        command = [sys.executable, "-m", "benchmarks.speed.peers", *sys.argv[1:]]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    found = {name: version(name) if peer(name) else None for name in PEERS}
    for name, which in found.items():
        print(f"{name}: {which or 'is not installed'}")
    made: dict[str, Any] = {"rounds": arguments.rounds, "quick": arguments.quick, "versions": found}
    kept = {} if {*arguments.parts} == {*PARTS} else results.read("peers", arguments.output)
    for part, rows in (("table", table), ("registry", registry)):
        made[part] = [] if part in arguments.parts else kept[part]
        for record in rows(arguments.quick, arguments.rounds) if part in arguments.parts else ():
            made[part].append(record)
            print(shown(record), flush=True)
    compared = [record for record in made["registry"] if record["ratios"]]
    ranked = sorted(compared, key=lambda record: -max(record["ratios"].values()))
    print("worst of the registry:")
    for record in ranked[:10]:
        print(" ", shown(record))
    made["threads"] = [] if "threads" in arguments.parts else kept["threads"]
    if "threads" in arguments.parts:
        for record in scaling(arguments.quick, min(arguments.rounds, 3)):
            made["threads"].append(record)
            took = ", ".join(f"{count}: {ns:.3g} ns" for count, ns in record["ns"].items())
            which = f"{record['work']} {record['format']}, {record['size']}"
            print(f"{which}, by threads {took}", flush=True)
    made |= {name: kept.get(name) for name in ("columns", "mebibytes")}
    if "memory" in arguments.parts:
        columns = 32 if arguments.quick else arguments.columns
        made["columns"], made["mebibytes"] = columns, peak(columns)
    print(f"peak memory of 4096 x 4096 x {made['columns']} in mxfp8: {made['mebibytes']} MiB")
    print(results.write("peers", made, arguments.output))


if __name__ == "__main__":
    main()
