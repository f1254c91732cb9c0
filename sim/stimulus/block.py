# SPDX-License-Identifier: BSD-2-Clause
"""Blocks of floats where quantisation goes wrong, and scales of the tensors they are part of."""

from __future__ import annotations

import numpy as np

from macaw.golden.arithmetic.operands import Operand
from macaw.golden.formats import Float, Subnormals

_Rng = np.random.Generator


def blocks(rng: _Rng, operand: Operand, count: int) -> np.ndarray:
    """Codes of shape (count, lanes) of a float operand, one block a row, all kinds mixed.

    Zeros; constants; one outlier; subnormals; a largest magnitude on a power of two, on
    ``2 - 2**-n`` times one (where the largest element lies) or a code beside either; exponents
    within a few steps of the largest; blocks at both ends of the range; NaN and infinities.
    """
    fmt, lanes = operand.format, operand.lanes
    assert isinstance(fmt, Float)
    assert lanes is not None
    top = _largest(rng, fmt, count)
    magnitudes = _below(rng, fmt, top, lanes)
    row = np.arange(count)
    magnitudes[row, rng.integers(0, lanes, count)] = top
    kind = rng.integers(0, 16, count)
    magnitudes = np.where((kind == 0)[:, None], 0, magnitudes)
    magnitudes = np.where((kind == 1)[:, None], top[:, None], magnitudes)
    special = (kind == 2)[:, None] & (rng.random((count, lanes)) < 1.5 / lanes)
    highest = (1 << (fmt.exponent + fmt.mantissa)) - 1
    beyond = rng.integers(fmt.max_code, highest, (count, lanes), endpoint=True)
    if fmt.nan_for_negative_zero:
        infinite = fmt.has_inf and rng.integers(0, 2, (count, lanes)) == 1
        beyond = np.where(infinite, fmt.max_code + 1, fmt.nan_code or 0)
    codes = np.where(special, beyond, magnitudes)
    if fmt.signed:
        negative = rng.integers(0, 2, (count, lanes))
        # every fourth block has one sign
        negative = np.where((rng.integers(0, 4, count) == 0)[:, None], negative[:, :1], negative)
        if fmt.nan_for_negative_zero:
            negative = np.where(codes == 0, 0, negative)
        codes |= negative << (fmt.exponent + fmt.mantissa)
    return codes.astype(fmt.code_dtype)


def tensor_scales(rng: _Rng, amax: np.ndarray, largest: float) -> tuple[np.ndarray, np.ndarray]:
    """fp32 codes of the encoding and the decoding scale of tensors.

    Most bring blocks of the largest magnitude ``amax`` (n,) to between ``2**-12`` and 2 times
    ``largest``, the product of the largest element and the largest scale; some are far off, and
    some are no positive finite numbers.
    """
    count = len(amax)
    with np.errstate(all="ignore"):
        ratio = np.exp2(rng.uniform(-20, 1, count)) * largest / amax
        ratio = np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
        ratio = np.where(rng.random(count) < 0.1, np.exp2(rng.uniform(-149, 127, count)), ratio)
        encode = np.clip(ratio, 1e-45, 3.4e38).astype(np.float32)
        encode = np.where(rng.random(count) < 0.2, np.exp2(np.round(np.log2(encode))), encode)
        encode = np.clip(encode, 1e-45, 3.4e38).astype(np.float32)
        decode = np.clip(np.float32(1) / encode, 1e-45, 3.4e38).astype(np.float32)
    pair = []
    for values in (encode, decode):
        codes = values.view(np.uint32).copy()
        # a code beside, anything, and what is no scale at all
        codes += (rng.random(count) < 0.1).astype(np.uint32)
        some = rng.random(count) < 0.02
        codes[some] = rng.integers(0, 1 << 32, int(some.sum()), np.uint32)
        wrong = rng.random(count) < 0.01
        codes[wrong] = rng.choice([0, 0x7F800000, 0x7FC00000, 0x80000000], int(wrong.sum()))
        pair.append(codes)
    return pair[0], pair[1]


def _largest(rng: _Rng, fmt: Float, count: int) -> np.ndarray:
    """Magnitude codes of the largest value of each block."""
    mantissa, fields = fmt.mantissa, 1 << fmt.exponent
    field = rng.integers(0, fields, count)
    ends = rng.integers(0, 6, count)
    reach = min(12, fields - 1)
    field = np.where(ends == 0, rng.integers(0, reach, count, endpoint=True), field)
    field = np.where(ends == 1, fields - 1 - rng.integers(0, min(4, fields), count), field)
    fraction = rng.integers(0, 1 << mantissa, count)
    # The first bits set, or none of them: 2 - 2**-n.
    ones = rng.integers(0, mantissa, count, endpoint=True) * rng.integers(0, 4, count).clip(0, 1)
    edge = ((1 << mantissa) - 1) ^ ((1 << (mantissa - ones)) - 1)
    code = (field << mantissa) | np.where(rng.integers(0, 4, count) > 0, edge, fraction)
    code += rng.choice([0, 0, 1, -1], count)
    if fmt.subnormals is Subnormals.GRADUAL:
        # A subnormal of every length.
        small = (1 << rng.integers(0, mantissa + 1, count)) + rng.choice([0, -1, 1], count)
        code = np.where(rng.integers(0, 12, count) == 0, small, code)
    return np.clip(code, 0, fmt.max_code)


def _below(rng: _Rng, fmt: Float, top: np.ndarray, lanes: int) -> np.ndarray:
    """Magnitude codes at most ``top``: most of them a few binades lower, in some blocks far."""
    shape = (len(top), lanes)
    spread = rng.choice([0, 1, 3, 8, 40], len(top))[:, None]
    field = (top >> fmt.mantissa)[:, None] - rng.integers(0, spread + 1, shape)
    fraction = rng.integers(0, 1 << fmt.mantissa, shape)
    # Every other one has few bits: ties, and exact quotients.
    cut = np.where(rng.integers(0, 2, shape) > 0, rng.integers(0, fmt.mantissa + 1, shape), 0)
    code = (np.maximum(field, 0) << fmt.mantissa) | (fraction >> cut << cut)
    code = np.where(rng.integers(0, 12, shape) == 0, 0, code)
    return np.minimum(code, top[:, None])
