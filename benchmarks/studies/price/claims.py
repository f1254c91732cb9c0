# SPDX-License-Identifier: BSD-2-Clause
"""Four things that papers say, measured: what docs/claims.md sets beside their sentences.

``sums``        how far chunked sums are from exact ones where sequential ones are swamped
``orders``      how many results one dot product in bf16 has, by the order of its terms
``scales``      what rotations do to MXFP4 and NVFP4, and what scales that are powers of two cost
``throughput``  multiply-accumulates per area of HBFP8 beside floats, on an FPGA and in gates

Parts that are not asked for stay. Trained weights are there if their package is: see
benchmarks/studies/block_formats.py.

Example: python -m benchmarks.studies.price.claims --parts sums orders
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

import macaw
from macaw.golden.formats.block import format as format_of
from macaw.golden.tensors.rotation import hadamard
from macaw.golden.units import Unit
from macaw.synth import accuracy

from ... import positive, results
from ...stopwatch import stopwatch
from ..block_formats import data
from .rows import compared

OPERAND, SUM, CHUNK = "e5m2", "e6m9", 64
"""Of Wang et al. 2018 and HFP8: products of FP8, sums of 16 bits, 64 to a chunk."""
LENGTHS = (64, 256, 1024, 4096, 16384, 65536)
LANES = 4096
"""Products that one unit takes at most: longer sums go on from its result."""
ACCUMULATIONS = ("sequential", f"chunk({CHUNK},{SUM})", "exact")
ADDERS = {
    "sequential": f"mac a={OPERAND} acc={SUM} out={SUM}",
    "fp32": f"mac a={OPERAND} acc=fp32 out={SUM}",
    "exact": f"mac a={OPERAND} acc=exact terms=65536 out={SUM}",
    "second level": f"add a={SUM} out={SUM}",
}
"""Units as the command line has them; the second level adds once a chunk."""
ORDERS = 20
SCALES = ("mxfp4", "e2m1-k32-fp32", "nvfp4", "e2m1-k16-e8m0", "e2m1-k16-fp32")
ROTATIONS = (0, 16, 32, 128)
FLOATS = ("fp32", "fp16", "bf16")
BLOCKED = "hbfp8"


def operands(kind: str, shape: tuple[int, int], random: np.random.Generator) -> list[np.ndarray]:
    """Codes of both factors: ``positive`` ones of mean and deviation one by ones, or ``normal``."""
    fmt = macaw.format(OPERAND)
    if kind == "positive":
        half = np.sqrt(3.0)
        return [fmt.encode(random.uniform(1 - half, 1 + half, shape)), fmt.encode(np.ones(shape))]
    return [fmt.encode(random.standard_normal(shape)) for _ in range(2)]


def summed(spec: Unit, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Values of the dot products of rows, of any multiple of the unit's lanes."""
    total: Any = np.zeros(len(a), np.uint64)
    for first in range(0, a.shape[1], spec.macs):
        part = slice(first, first + spec.macs)
        total = spec.evaluate(a=a[:, part], b=b[:, part], c=total)["r"]
    return spec.ports.outputs["r"].format.decode(total)


def sums(rows: int, longest: int, seed: int) -> list[dict[str, Any]]:
    """Error of sums by how and how many are added, as a share of the exact sums' rms."""
    found = []
    fmt = macaw.format(OPERAND)
    for kind in ("positive", "normal"):
        for length in (each for each in LENGTHS if each <= longest):
            a, b = operands(kind, (rows, length), np.random.default_rng(seed))
            exact = np.sum(fmt.decode(a) * fmt.decode(b), axis=1)  # of few bits: exact in binary64
            for how in ACCUMULATIONS:
                spec = macaw.unit(
                    "dot", a=OPERAND, out=SUM, lanes=min(length, LANES), accumulation=how
                )
                error = summed(spec, a, b) - exact
                rms = np.sqrt(np.mean(error**2) / np.mean(exact**2))
                found.append({"data": kind, "length": length, "sum": how, "error": float(rms)})
    return found


def orders(rows: int, length: int, seed: int) -> list[dict[str, Any]]:
    """Results of dot products in bf16 whose terms are added one by one in 20 orders."""
    random = np.random.default_rng(seed)
    bf16 = macaw.format("bf16")
    a, b = (bf16.encode(random.standard_normal((rows, length))) for _ in range(2))
    exact = np.sum(bf16.decode(a) * bf16.decode(b), axis=1)
    shuffled = [np.argsort(random.random((rows, length)), axis=1) for _ in range(ORDERS)]
    found = []
    for out, how in (("bf16", "sequential"), ("fp32", "sequential"), ("bf16", "exact")):
        spec = macaw.unit("dot", a="bf16", out=out, lanes=length, accumulation=how)
        made = np.stack(
            [summed(spec, *(np.take_along_axis(x, order, 1) for x in (a, b))) for order in shuffled]
        )
        found.append(several(f"{how}, {out}", made, exact))
        if out == "fp32":
            found.append(
                several("sequential, fp32, then bf16", bf16.decode(bf16.encode(made)), exact)
            )
    return found


def several(name: str, made: np.ndarray, exact: np.ndarray) -> dict[str, Any]:
    """How many results each dot product has, and how far apart; ``made`` is (orders, rows)."""
    counts = [len(np.unique(column)) for column in made.T]
    spread = (made.max(axis=0) - made.min(axis=0)) / np.sqrt(np.mean(exact**2))
    return {
        "sum": name,
        "products": len(counts),
        "different": sum(count > 1 for count in counts),
        "results": float(np.mean(counts)),
        "spread": float(spread.max()),
    }


def scales(pairs: int, length: int, seed: int) -> list[dict[str, Any]]:
    """Signal-to-noise of quantisation in dB, by format, data and rotation."""
    found = []
    for name, values, _ in data(pairs, length, seed):
        for turn in ROTATIONS:
            signs = np.random.default_rng(seed).choice((-1, 1), turn) if turn else None
            turned = hadamard(values, turn, signs=signs) if turn else values
            for case in SCALES:
                fmt: Any = format_of(case)
                how = {"scale_rule": "rceil"} if fmt.power_of_two else {}
                kept = accuracy.ratio(turned, fmt.quantize(turned, **how).dequantize())
                found.append({"format": case, "data": name, "rotation": turn, "quantised": kept})
    return found


def throughput(targets: list[str], workers: int | None) -> dict[str, Any]:
    """Rows of HBFP8's dot product, and of the floats' fused multiply-adds, by target."""
    return {
        target: {
            "rows": compared([BLOCKED], target, workers)["rows"]
            + compared(FLOATS, target, workers, unit="fma")["rows"]
        }
        for target in targets
    }


def adders() -> dict[str, Any]:
    """Area and energy of what adds, on macaw's own library."""
    found = {}
    for name, row in ADDERS.items():
        kind, *parameters = row.split()
        spec = macaw.unit(kind, **dict(word.split("=", 1) for word in parameters))
        made = macaw.synthesize(spec, "asic", energy=True)
        found[name] = {
            "unit": row,
            "gate_equivalents": made.gate_equivalents,
            "delay_fo4": made.delay_fo4,
            "energy_per_operation": made.energy_per_operation,
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("sums", "orders", "scales", "throughput")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, metavar="PART")
    parser.add_argument("--rows", type=positive, default=64, help="dot products")
    parser.add_argument("--longest", type=positive, default=LENGTHS[-1], help="of their sums")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--targets", nargs="+", default=["ecp5", "asic"], metavar="TARGET")
    parser.add_argument("--workers", type=positive, help="parallel jobs (default: one per core)")
    results.add_output(parser)
    options = parser.parse_args()
    rows, longest, seed = options.rows, options.longest, options.seed
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "sums": lambda: {"sums": sums(rows, longest, seed), "adders": adders()},
        "orders": lambda: {
            "orders": orders(rows, min(longest, LANES), seed),
            "length": min(longest, LANES),
        },
        "scales": lambda: {"scales": scales(8 * rows, 1024, seed)},
        "throughput": lambda: {"throughput": throughput(options.targets, options.workers)},
    }
    found = results.read("claims", options.output, {})
    progress = stopwatch()
    for part in options.parts:
        found |= {"rows": rows, "seed": seed, **measures[part]()}
        progress(part)
        print(results.write("claims", found, options.output), part, flush=True)


if __name__ == "__main__":
    main()
