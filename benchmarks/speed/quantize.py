# SPDX-License-Identifier: BSD-2-Clause
"""How fast block quantisation is, beside gfloat's block functions and plain numpy.

Contestants take turns,
and each figure is the median of its rounds in processor time, so that a busy machine changes
little. One thread. The first call of each, which fills tables, is left out.

Example: python -m benchmarks.speed.quantize --elements 100000 --rounds 3
"""

import argparse
import platform
import sys
from importlib.metadata import version
from typing import Any

import ml_dtypes
import numpy as np
from gfloat import block as gfloat_block
from gfloat.formats import format_info_ocp_e8m0, format_info_ocp_int8

from macaw.golden import Block, Fixed, Float, format
from macaw.sim.proof.outsiders.scalars import gfloat_format

from .. import positive, results
from .golden import measure

FORMATS = ("mxfp8-e4m3", "mxfp6-e2m3", "mxfp4", "mxint8", "nvfp4", "nvint4")
SOURCES = ("float32", "bfloat16", "float16", "float64")
COLUMNS = ("macaw, codes", "macaw, values", "numpy", "numpy and ml_dtypes", "gfloat")


def block_format(name: str) -> Block:
    block = format(name)
    assert isinstance(block, Block)
    return block


def scales(x: np.ndarray, block: Block) -> np.ndarray:
    """A factor for each row: as one writes it in numpy, powers of two by ``log2``."""
    amax = np.abs(x).max(axis=-1, keepdims=True)
    if block.power_of_two:
        return np.exp2(np.clip(np.floor(np.log2(amax)) - block.element_emax, -127, 127))
    scale = amax / np.float32(block.element.max)
    tensor = np.float32(1)
    if block.second_scale is not None:
        tensor = amax.max() / np.float32(block.element.max * block.scale.max)
    fine = np.clip(scale / tensor, 0, 448).astype(ml_dtypes.float8_e4m3fn).astype(np.float32)
    return fine * tensor


def by_numpy(x: np.ndarray, block: Block) -> np.ndarray:
    """Quantised values: divide, round on the grid of each value's binade, multiply."""
    scale = scales(x, block)
    y = x / scale
    element = block.element
    if isinstance(element, Fixed):
        step = np.float32(2.0**-element.fraction)
    else:
        assert isinstance(element, Float)
        exponent = np.floor(np.log2(np.abs(y) + np.float32(1e-30)))
        step = np.exp2(np.maximum(exponent, element.emin) - element.mantissa)
    top = np.float32(element.max)
    return np.clip(np.rint(y / step) * step, -top, top) * scale


def by_ml_dtypes(x: np.ndarray, block: Block) -> np.ndarray:
    """Elements as an ml_dtypes array (integers: int8)."""
    y = x / scales(x, block)
    element = block.element
    top = np.float32(element.max)
    if isinstance(element, Fixed):
        return np.clip(np.rint(y * 2.0**element.fraction), -127, 127).astype(np.int8)
    return np.clip(y, -top, top).astype(element.dtype)


def by_gfloat(x: np.ndarray, block: Block) -> list[np.ndarray]:
    """Quantised values by gfloat's block functions, a block at a time."""
    element = block.element
    scalar = format_info_ocp_int8 if isinstance(element, Fixed) else gfloat_format(element)
    info = gfloat_block.BlockFormatInfo("mx", scalar, x.shape[1], format_info_ocp_e8m0)
    scale = gfloat_block.compute_scale_amax
    return [gfloat_block.quantize_block(info, row, scale) for row in x]


def contest(name: str, elements: int) -> dict[str, Any]:
    """Who quantises float32 to a format."""
    block = block_format(name)
    size = block.size or 32
    x = np.random.default_rng(1).standard_normal((elements // size, size)).astype(np.float32)
    few = x[: max(len(x) // 1000, 1)].astype(np.float64)
    result: dict[str, Any] = {
        COLUMNS[0]: (lambda: block.quantize(x), x.size),
        COLUMNS[1]: (lambda: block.quantize(x).dequantize(), x.size),
        COLUMNS[2]: (lambda: by_numpy(x, block), x.size),
        COLUMNS[3]: (lambda: by_ml_dtypes(x, block), x.size),
    }
    if block.power_of_two:
        result[COLUMNS[4]] = (lambda: by_gfloat(few, block), few.size)
    return result


def sources(name: str, elements: int) -> dict[str, Any]:
    """macaw alone, from several dtypes, and with stochastic rounding."""
    block = block_format(name)
    size = block.size or 32
    rng = np.random.default_rng(2)
    x = rng.standard_normal((elements // size, size))
    result: dict[str, Any] = {}
    for dtype in SOURCES:
        array = x.astype(getattr(ml_dtypes, dtype, dtype))
        result[dtype] = (lambda array=array: block.quantize(array), x.size)
    single = x.astype(np.float32)
    bits = 8 if block.element.width <= 4 else 16
    words = rng.integers(0, 1 << bits, x.shape).astype(np.uint16)
    result["float32, sr"] = (lambda: block.quantize(single, rounding="sr", random=words), x.size)
    if not block.power_of_two:
        result["float32, exact"] = (lambda: block.quantize(single, order="exact"), x.size)
    return result


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=positive, default=4_000_000)
    parser.add_argument("--rounds", type=positive, default=5)
    results.add_output(parser)
    arguments = parser.parse_args()
    made: dict[str, Any] = {
        "elements": arguments.elements,
        "rounds": arguments.rounds,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "ml_dtypes", "gfloat")},
        "contests": [],
        "sources": [],
    }
    for table, make in (("contests", contest), ("sources", sources)):
        for name in FORMATS:
            nanoseconds = measure(make(name, arguments.elements), arguments.rounds)
            made[table].append({"format": name, "nanoseconds": nanoseconds})
            shown = ", ".join(f"{who} {ns:.1f} ns" for who, ns in nanoseconds.items())
            sys.stdout.write(f"{name}: {shown}\n")
            sys.stdout.flush()
    print(results.write("quantize", made, arguments.output))


if __name__ == "__main__":
    main()
