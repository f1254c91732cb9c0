# SPDX-License-Identifier: BSD-2-Clause
"""Fused multiply-add by way of float32, where that rounds twice, against the integers."""

import numpy as np
import pytest

from benchmarks.speed import paths
from macaw.golden import format, unit
from macaw.golden.arithmetic.binary64.fused import Fused, fused
from macaw.golden.arithmetic.binary64.scratch import FEW
from macaw.golden.formats.scalar import Float

FORMATS = ("bf16", "tf32", "e8m1", "e8m11")
COUNT = 4 * FEW


def float_of(name: str) -> Float:
    fmt = format(name)
    assert isinstance(fmt, Float)
    return fmt


def drawn(
    fmt: Float, low: int, high: int, rng: np.random.Generator, count: int = COUNT
) -> np.ndarray:
    """Codes of either sign with exponents of a range, cut to what the format has."""
    fields = np.clip(rng.integers(low, high, count) + fmt.bias, 0, 2 * fmt.bias)
    fractions = rng.integers(0, 1 << fmt.mantissa, count) & -(
        1 << rng.integers(0, fmt.mantissa + 1, count)
    )
    signs = rng.integers(0, 2, count)
    codes = (signs << (fmt.width - 1)) | (fields << fmt.mantissa) | fractions
    return codes.astype(fmt.code_dtype)


def operands(fmt: Float, kind: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Products of one kind, beside addends of it."""
    bounds = {
        "beyond the range": ((60, 69), (60, 69), (124, 128)),
        "below the least": ((-80, -60), (-80, -60), (-136, -120)),
        "far below": ((-126, -90), (-126, -90), (-140, -126)),
        "ties": ((-3, 1), (-9, 1), (-2, 3)),
        "subnormal factors": ((-128, -126), (-20, 20), (-140, -100)),
    }[kind]
    made = {name: drawn(fmt, *bound, rng) for name, bound in zip("abc", bounds, strict=True)}
    few = rng.random(COUNT) < 0.1
    made["c"][few] &= 1 << (fmt.width - 1)  # zeros of both signs
    return made


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "kind", ["beyond the range", "below the least", "far below", "ties", "subnormal factors"]
)
def test_sums_that_float32_does_not_tell(kind: str, name: str) -> None:
    fmt, spec = float_of(name), unit("fma", a=name, out=name)
    assert isinstance(spec.plan.kernel, Fused)
    for seed in range(5):
        codes = operands(fmt, kind, np.random.default_rng(seed))
        want = paths.by_integers(spec, codes)
        np.testing.assert_array_equal(spec.evaluate(**codes)["r"], want)
        few = {port: array[:FEW] for port, array in codes.items()}
        np.testing.assert_array_equal(spec.evaluate(**few)["r"], want[:FEW])


@pytest.mark.parametrize("name", FORMATS)
def test_what_stands_beside_specials(name: str) -> None:
    """All triples of zeros, ones, the least, the largest, infinities and NaN, of both signs."""
    fmt, spec = float_of(name), unit("fma", a=name, out=name)
    one = int(fmt.encode(1.0))
    positive = [0, 1, fmt.min_code, one, one + 1, fmt.max_code, fmt.max_code + 1]
    nans = [fmt.max_code + 2, fmt.nan_code, (1 << (fmt.width - 1)) - 1]
    every = np.array([*positive, *nans], np.uint32)
    every = np.concatenate([every, every | (1 << (fmt.width - 1))]).astype(fmt.code_dtype)
    grid = np.meshgrid(every, every, every, indexing="ij")
    codes = dict(zip("abc", (array.ravel() for array in grid), strict=True))
    want = paths.by_integers(spec, codes)
    np.testing.assert_array_equal(spec.evaluate(**codes)["r"], want)
    wide = {port: array.reshape(grid[0].shape) for port, array in codes.items()}
    np.testing.assert_array_equal(spec.evaluate(**wide)["r"].ravel(), want)


@pytest.mark.parametrize("size", [1, FEW, FEW + 1])
def test_sizes_and_strides(size: int) -> None:
    fmt, spec = float_of("bf16"), unit("fma", a="bf16", out="bf16")
    codes = operands(fmt, "ties", np.random.default_rng(size))
    apart = {port: array[: 2 * size : 2] for port, array in codes.items()}
    want = spec._by_integers({port: array.copy() for port, array in apart.items()})["r"]
    np.testing.assert_array_equal(spec.evaluate(**apart)["r"], want)


@pytest.mark.parametrize(
    "parameters",
    [
        {"a": "bf16", "out": "fp32"},
        {"a": "bf16", "out": "bf16", "rounding": "rtz"},
        {"a": "bf16", "out": "bf16", "overflow": "saturate"},
        {"a": "bf16", "out": "bf16", "flags": True},
        {"a": "e8m12", "out": "e8m12"},
        {"a": "fp16", "out": "fp16"},
    ],
)
def test_others_go_another_way(parameters: dict) -> None:
    assert not isinstance(unit("fma", **parameters).plan.kernel, Fused)


def test_products_of_more_bits_are_no_float32() -> None:
    assert fused(format("e8m11")) is not None
    assert fused(format("e8m12")) is None
