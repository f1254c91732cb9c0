# SPDX-License-Identifier: BSD-2-Clause
"""Bits of quantised blocks beside torchao's: its four MX scale rules, and NVFP4.

Needs torch and torchao in the environment (``pip install torch``, then ``pip install --no-deps
torchao``); neither is a dependency of macaw. Finite blocks must agree in every code, but for what
:func:`mx` leaves out. Exit code 1 if they do not, 2 if torchao is missing.

Example: python -m benchmarks.studies.torchao --blocks 100000
"""

import argparse
import importlib
import sys
from typing import Any

import numpy as np

from macaw.golden import BLOCKS, Block, format

from .. import positive

KINDS = ("gaussian", "cubes", "constant", "outlier", "bf16", "tiny", "huge")
MX = {
    "mxfp8-e4m3": "float8_e4m3fn",
    "mxfp8-e5m2": "float8_e5m2",
    "mxfp6-e3m2": "fp6_e3m2",
    "mxfp6-e2m3": "fp6_e2m3",
    "mxfp4": "float4_e2m1fn_x2",
}


def blocks(kind: str, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """float32 rows."""
    x = rng.standard_normal((count, size)).astype(np.float32)
    match kind:
        case "cubes":
            return x**3 * np.ldexp(np.float32(1), rng.integers(-40, 40, (count, 1)))
        case "constant":
            return np.repeat(np.ldexp(rng.integers(1, 64, (count, 1)), -3), size, 1).astype("f4")
        case "outlier":
            x[:, 3] *= 300
        case "bf16":
            return (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        case "tiny":
            return x * np.float32(2.0**-118)
        case "huge":
            return np.clip(x, -3, 3) * np.float32(2.0**125)
    return x


def unpacked(array: np.ndarray) -> np.ndarray:
    """Two 4-bit codes of each byte, the first in the low half."""
    return np.stack([array & 15, array >> 4], -1).reshape(*array.shape[:-1], -1)


def mx(name: str, rule: str, x: np.ndarray, torch: Any, module: Any) -> tuple[int, int, int]:
    """Return the differing scales and elements, and how many blocks were left out.

    Left out: scales of 2**-127, by which torchao does not divide, and under ``rceil`` blocks
    where its float32 logarithm of ``amax / max`` is an integer and the quotient no power of two
    (Blackwell's instruction, which it stands in for, is exact).
    """
    dtype = getattr(torch, MX[name], MX[name])
    mode = getattr(module.ScaleCalculationMode, rule.upper())
    scale, data = module.to_mx(torch.from_numpy(x), dtype, 32, mode)
    scale = scale.view(torch.uint8).numpy().reshape(-1)
    codes = data.view(torch.uint8).numpy().reshape(len(x), -1)
    if name == "mxfp4":
        codes = unpacked(codes)
    q = BLOCKS[name].quantize(x, scale_rule=rule)
    scales = q.scales.reshape(-1)
    keep = (scales > 0) & (scale > 0)
    if rule == "rceil":
        quotient = np.abs(x).max(1) / np.float32(BLOCKS[name].element.max)
        logarithm = torch.log2(torch.from_numpy(quotient)).numpy()
        keep &= (logarithm != np.rint(logarithm)) | (np.frexp(quotient)[0] == 0.5)
    wrong = (q.elements[keep] != codes[keep]).sum()
    return int((scales != scale)[keep].sum()), int(wrong), int((~keep).sum())


def nvfp4(x: np.ndarray, second: bool, torch: Any, module: Any) -> tuple[int, int, int]:
    """Return the differing scales and elements of a tensor, and whether its own scale differs."""
    per_tensor = None
    values = torch.from_numpy(x)
    if second:
        per_tensor = module.per_tensor_amax_to_scale(values.abs().max())
    scale, data = module.nvfp4_quantize(values, 16, per_tensor)
    scale = scale.view(torch.uint8).numpy().reshape(-1)
    codes = unpacked(data.view(torch.uint8).numpy().reshape(len(x), -1))
    block = format("nvfp4" if second else "e2m1-k16-ue4m3")
    assert isinstance(block, Block)
    q = block.quantize(x, order="torchao", min_scale="torchao")
    same = 0
    if per_tensor is not None:
        same = int(np.float32(per_tensor.item()).view(np.uint32) != q.second_scale)
    return int((q.scales.reshape(-1) != scale).sum()), int((q.elements != codes).sum()), same


def main() -> int:
    """Compare, print a line for each case, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blocks", type=positive, default=200_000, help="of each kind and rule")
    arguments = parser.parse_args()
    try:
        torch = importlib.import_module("torch")
        torchao = importlib.import_module("torchao")
        mx_tensor = importlib.import_module("torchao.prototype.mx_formats.mx_tensor")
        nvfp4_tensor = importlib.import_module("torchao.prototype.mx_formats.nvfp4_tensor")
    except ImportError as error:
        print(f"torchao is not here, nothing was compared: {error}", file=sys.stderr)
        return 2
    print(f"torch {torch.__version__}, torchao {torchao.__version__}")
    total = differing = 0
    for kind in KINDS:
        rng = np.random.default_rng(KINDS.index(kind))
        x = blocks(kind, arguments.blocks, 32, rng)
        for name in MX:
            for rule in ("floor", "ceil", "rceil", "even"):
                scales, elements, left = mx(name, rule, x, torch, mx_tensor)
                total += len(x) - left
                differing += scales + elements
                print(
                    f"{name} {rule}, {kind}: {scales} scales and {elements} elements differ in "
                    f"{len(x) - left} blocks, {left} left out"
                )
        y = x.reshape(-1, 16)
        for second in (False, True):
            scales, elements, tensor = nvfp4(y, second, torch, nvfp4_tensor)
            total += len(y)
            differing += scales + elements + tensor
            print(
                f"nvfp4 {'with' if second else 'without'} a tensor scale, {kind}: {scales} scales "
                f"and {elements} elements differ in {len(y)} blocks"
            )
    print(f"{differing} differences in {total} blocks")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
