# SPDX-License-Identifier: BSD-2-Clause
"""Layers of integer-only networks, from numpy integer tensors: what their datapaths compute.

A tensor of integers q stands for ``scale * (q - zero_point)``. Images are (batch, height, width,
channels), weights of convolutions (outputs, height, width, inputs / groups), those of fully
connected layers (outputs, inputs). Sums are exact; with the bias added they go into the
accumulator's format once, by the overflow policy: ``wrap``, as a register of that width ends
whatever the order of its additions, or ``saturate``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .dyadic import (
    BELOW_ONE,
    BITS,
    Profile,
    check_bits,
    check_integers,
    check_out,
    common_shift,
    integer_dtype,
    left_shift,
    multipliers,
    reciprocal,
    requantize,
    residual_profile,
    saturate,
    scale_products,
    scale_sum,
)
from .errors import CodeError, SpecError
from .formats import Fixed
from .rounding import Overflow

Pair = int | tuple[int, int]
Padding = str | Pair | tuple[tuple[int, int], tuple[int, int]]

_EXACT_IN_FLOAT = 1 << 53


def fully_connected(
    x: Any,
    weight: Any,
    bias: Any = 0,
    *,
    x_zero: int = 0,
    weight_zero: Any = 0,
    acc: str | Fixed = "int32",
    overflow: str | Overflow = "wrap",
) -> np.ndarray:
    """Return ``bias[o] + sum((x[..., i] - x_zero) * (weight[o, i] - weight_zero[o]))`` in ``acc``.

    Parameters
    ----------
    x : array_like of integers, shape (..., inputs)
    weight : array_like of integers, shape (outputs, inputs)
    bias : array_like of integers, shape (outputs,), or a number
    x_zero : int
    weight_zero : int, or array_like of shape (outputs,)
    acc : Fixed
        Integers of at most 32 bits.
    overflow : Overflow
        ``wrap`` or ``saturate``.

    Returns
    -------
    ndarray of shape (..., outputs), in the dtype of ``acc``'s integers.

    Raises
    ------
    CodeError for shapes that do not fit, and for sums of 63 bits or more.
    """
    x, weight = check_integers("x", x), check_integers("weight", weight)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise CodeError(
            f"weight: shape {weight.shape}: must be (outputs, inputs), with the inputs of x "
            f"{x.shape}"
        )
    weight = weight - _per_output("weight_zero", weight_zero, weight)
    return _accumulator(_matmul(x - int(x_zero), weight.T), bias, acc, overflow)


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = 0,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    x_zero: int = 0,
    weight_zero: Any = 0,
    acc: str | Fixed = "int32",
    overflow: str | Overflow = "wrap",
) -> np.ndarray:
    """Return the two-dimensional convolution (correlation) of integers, with zero points.

    Parameters
    ----------
    x : array_like of integers, shape (batch, height, width, inputs)
    weight : array_like of integers, shape (outputs, height, width, inputs / groups)
        A depthwise convolution has as many groups as inputs.
    stride, dilation : int or (int, int)
    padding : "valid", "same", or rows and columns on all, or on both, or on each side
        ``same`` is TensorFlow's: the odd one goes to the end. What is padded is ``x_zero``.
    bias, x_zero, weight_zero, acc, overflow
        As of :func:`fully_connected`.

    Returns
    -------
    ndarray of shape (batch, height, width, outputs), in the dtype of ``acc``'s integers.
    """
    x, weight = check_integers("x", x), check_integers("weight", weight)
    if x.ndim != 4 or weight.ndim != 4:
        raise CodeError(f"x {x.shape}, weight {weight.shape}: both must have four axes")
    outputs = weight.shape[0]
    if groups < 1 or outputs % groups or weight.shape[3] * groups != x.shape[3]:
        raise CodeError(
            f"groups={groups}: does not fit x {x.shape} and weight {weight.shape}, whose last "
            "axes are inputs, and inputs / groups"
        )
    weight = weight - _per_output("weight_zero", weight_zero, weight)
    windows = _windows(x - int(x_zero), weight.shape[1:3], stride, padding, dilation, 0)
    batch, height, width = windows.shape[:3]
    windows = windows.reshape(*windows.shape[:5], groups, -1)
    parts = []
    for group, kernel in enumerate(np.split(weight, groups)):
        rows = windows[..., group, :].reshape(batch * height * width, -1)
        parts.append(_matmul(rows, kernel.reshape(len(kernel), -1).T))
    total = np.concatenate(parts, axis=1).reshape(batch, height, width, outputs)
    return _accumulator(total, bias, acc, overflow)


def residual_add(
    a: Any,
    b: Any,
    multiplier: tuple[int, ...],
    shift: int | tuple[int, ...],
    *,
    a_zero: int = 0,
    b_zero: int = 0,
    zero_point: int = 0,
    form: str = "separate",
    profile: str | Profile | None = None,
    out: str | Fixed = "int8",
    bits: int = BITS,
) -> np.ndarray:
    """Return the sum of two tensors of different scales.

    Parameters
    ----------
    a, b : array_like of integers
        They broadcast like numpy.
    multiplier, shift
        Of a and of b, in units of the result's scale: ``real = multiplier * 2**(shift - bits)``.
        With ``form="tflite"`` three each, those of :func:`export_residual`.
    form : "separate", "single" or "tflite"
        ``separate``: each branch is rounded to an integer, then both and ``zero_point`` are added
        and saturated (HAWQ-V3). ``single``: the products are added exactly and rounded once; both
        have one shift then (:func:`macaw.golden.dyadic.common_shift`). ``tflite``: branches are
        shifted left by 20 (results of more than 8 bits: by 15), scaled by less than one and
        rounded; their sum is scaled by less than one and rounded again (TensorFlow Lite's ADD:
        kernels/add.cc and reference/integer_ops/add.h).
    profile : Profile, optional
        By default ``tflite_single``. Of ``form="tflite"`` it is ``tflite_double``, or
        ``tflite_single`` for builds with TFLITE_SINGLE_ROUNDING.

    Returns
    -------
    ndarray of the broadcast shape, in the smallest numpy dtype for the integers of ``out``.

    Raises
    ------
    SpecError for what the form does not have; CodeError for arrays that are not integers, and
    with ``form="tflite"`` for differences from zero points beyond 255, or with a left shift of 15
    beyond 65535.
    """
    fmt = check_out(out)
    profile = residual_profile(form, profile)
    check_bits(bits)
    shifts = (shift, shift) if isinstance(shift, int) else tuple(shift)
    values = [
        check_integers(name, value) - int(zero)
        for name, value, zero in (("a", a, a_zero), ("b", b, b_zero))
    ]
    if form == "tflite":
        width, left = left_shift(fmt)
        for name, value in zip("ab", values, strict=True):
            if np.abs(value).max(initial=0) >> width:
                raise CodeError(f"{name}: must be within {(1 << width) - 1} of {name}_zero")
        *factors, last = _three("multiplier", multiplier, 0, (1 << bits) - 1)
        *branches, after = _three("shift", shifts, *BELOW_ONE)
        terms = [value * each for value, each in zip(values, factors, strict=True)]
        total = scale_sum(terms, branches, last, after, left=left, profile=profile, bits=bits)
        return saturate(total, fmt, zero_point)
    terms = [value * int(each) for value, each in zip(values, multiplier, strict=True)]
    if form == "separate":
        first, second = (
            np.clip(scale_products(term, each, profile, bits), -(1 << 40), 1 << 40)
            for term, each in zip(terms, shifts, strict=True)
        )
        return saturate(first + second, fmt, zero_point)
    if shifts[0] != shifts[1]:
        raise SpecError(f"shift={shifts}: form=single takes one shift for both branches")
    return saturate(scale_products(terms[0] + terms[1], shifts[0], profile, bits), fmt, zero_point)


def average_pool2d(
    x: Any,
    size: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    profile: str | Profile = "half_away",
    out: str | Fixed = "int8",
    bits: int = BITS,
) -> np.ndarray:
    """Return means over windows, by a dyadic reciprocal of the number of values in each.

    What is padded is not counted. Scale and zero point of the result are those of ``x``. With
    ``half_away`` it is the rounded division of TensorFlow Lite
    (:func:`macaw.golden.dyadic.reciprocal`).
    """
    x = check_integers("x", x)
    size, stride = _pair(size), _pair(size if stride is None else stride)
    total = _windows(x, size, stride, padding, 1, 0).sum(axis=(3, 4))
    there = _windows(np.ones_like(x[:1, :, :, :1]), size, stride, padding, 1, 0).sum(axis=(3, 4))
    if there.min() < 1:
        raise SpecError(f"padding={padding}: a window of {size} has no value")
    counts = {int(n): reciprocal(int(n), bits=bits) for n in np.unique(there)}
    multiplier = np.vectorize(lambda n: counts[n].multiplier, otypes=[np.int64])(there)
    shift = np.vectorize(lambda n: counts[n].shift, otypes=[np.int64])(there)
    return requantize(total, multiplier, shift, profile=profile, out=out, bits=bits)


def max_pool2d(
    x: Any, size: Pair, *, stride: Pair | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return the largest value of each window; what is padded is below all. Dtype as ``x``."""
    array = np.asarray(x)
    size, stride = _pair(size), _pair(size if stride is None else stride)
    lowest = np.iinfo(np.int64).min
    windows = _windows(check_integers("x", x), size, stride, padding, 1, lowest)
    return windows.max(axis=(3, 4)).astype(array.dtype)


def fold_batch_norm(
    weight: Any,
    bias: Any,
    *,
    gamma: Any,
    beta: Any,
    mean: Any,
    variance: Any,
    epsilon: float = 1e-5,
) -> tuple[np.ndarray, np.ndarray]:
    """Return real (weight, bias) that do a batch normalisation besides, in float64.

    ``weight * f`` and ``(bias - mean) * f + beta`` with ``f = gamma / sqrt(variance + epsilon)``;
    outputs are the first axis of ``weight``.
    """
    factor = np.asarray(gamma, np.float64) / np.sqrt(np.asarray(variance, np.float64) + epsilon)
    weight = np.asarray(weight, np.float64)
    folded = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
    moved = np.asarray(bias, np.float64) - np.asarray(mean, np.float64)
    return folded, moved * factor + np.asarray(beta, np.float64)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Export:
    """Integer parameters of a layer: int32 ``bias``, and ``multiplier`` and ``shift``, scalars or
    of shape (outputs,)."""

    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray


def export_layer(
    *,
    x_scale: float,
    weight_scale: Any,
    out_scale: float,
    bias: Any = 0.0,
    choice: str = "tflite",
    bits: int = BITS,
) -> Export:
    """Return bias and multipliers of a layer from real scales.

    The bias is ``bias / (x_scale * weight_scale)`` to nearest, ties to even, saturated to int32;
    the multiplier is for ``x_scale * weight_scale / out_scale``, in float64 in this order. Scales
    of weights may be one for each output.
    """
    product = np.float64(x_scale) * np.asarray(weight_scale, np.float64)
    integers = np.rint(np.asarray(bias, np.float64) / product)
    limit = np.iinfo(np.int32)
    multiplier, shift = multipliers(product / np.float64(out_scale), bits=bits, choice=choice)
    return Export(
        bias=np.clip(integers, limit.min, limit.max).astype(np.int32),
        multiplier=multiplier,
        shift=shift,
    )


def export_residual(
    a_scale: float,
    b_scale: float,
    out_scale: float,
    *,
    form: str = "separate",
    out: str | Fixed = "int8",
    bits: int = BITS,
) -> tuple[tuple[int, ...], int | tuple[int, ...]]:
    """Return (multipliers, shift or shifts) of :func:`residual_add` from real scales.

    With ``form="tflite"`` branches are in units of twice the larger scale of a and b, divided by
    ``2**left``, and their sum goes from these to ``out_scale``: quotients in float64, which are
    TensorFlow Lite's for scales that are float32 (kernels/add.cc).

    Raises
    ------
    SpecError for scales that are no numbers from 0 on; and with ``form="tflite"`` for those that
    are zero, and for an ``out_scale`` of at most twice the larger one divided by ``2**left``,
    which TensorFlow Lite refuses.
    """
    residual_profile(form, None)
    if form == "tflite":
        _, left = left_shift(check_out(out))
        scales = {"a_scale": a_scale, "b_scale": b_scale, "out_scale": out_scale}
        for name, scale in scales.items():
            if not 0 < scale < np.inf:
                raise SpecError(f"{name}={scale}: must be a positive number")
        a, b, total = (np.float64(scale) for scale in scales.values())
        twice = 2 * max(a, b)
        ratios = [a / twice, b / twice, twice / (2**left * total)]
        multiplier, shift = multipliers(ratios, bits=bits)
        if shift[2] > 0:
            raise SpecError(f"out_scale={out_scale}: form=tflite needs more than {twice / 2**left}")
        return tuple(multiplier.tolist()), tuple(shift.tolist())
    ratios = [np.float64(scale) / np.float64(out_scale) for scale in (a_scale, b_scale)]
    if form == "single":
        (first, second), shift = common_shift([float(each) for each in ratios], bits=bits)
        return (first, second), shift
    multiplier, shift = multipliers(ratios, bits=bits, choice="hawq")
    return (int(multiplier[0]), int(multiplier[1])), (int(shift[0]), int(shift[1]))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layer:
    """A quantised convolution or fully connected layer, with its requantisation and clamp.

    Parameters
    ----------
    weight : ndarray of integers
        Two axes make it fully connected, four a convolution.
    bias, x_zero, weight_zero, acc, overflow
        As of :func:`fully_connected`.
    stride, padding, dilation, groups
        As of :func:`conv2d`.
    multiplier, shift, zero_point, profile, out, bits
        As of :func:`macaw.golden.dyadic.requantize`; multiplier and shift may be per output.
    low, high : int, optional
        Limits of the result within ``out``: a rectifier has ``low = zero_point``.
    """

    weight: np.ndarray
    multiplier: Any
    shift: Any
    bias: Any = 0
    x_zero: int = 0
    weight_zero: Any = 0
    stride: Pair = 1
    padding: Padding = 0
    dilation: Pair = 1
    groups: int = 1
    acc: str | Fixed = "int32"
    overflow: str | Overflow = "wrap"
    profile: str | Profile = "tflite_single"
    out: str | Fixed = "int8"
    zero_point: int = 0
    bits: int = BITS
    low: int | None = None
    high: int | None = None

    def accumulate(self, x: Any) -> np.ndarray:
        """Return the accumulators, bias included."""
        common = {name: getattr(self, name) for name in ("x_zero", "weight_zero", "acc")}
        if np.ndim(self.weight) == 2:
            return fully_connected(x, self.weight, self.bias, overflow=self.overflow, **common)
        shape = {n: getattr(self, n) for n in ("stride", "padding", "dilation", "groups")}
        return conv2d(x, self.weight, self.bias, overflow=self.overflow, **shape, **common)

    def __call__(self, x: Any) -> np.ndarray:
        """Return the results: integers of ``out``."""
        result = requantize(
            self.accumulate(x),
            self.multiplier,
            self.shift,
            profile=self.profile,
            out=self.out,
            zero_point=self.zero_point,
            bits=self.bits,
        )
        return clamp(result, self.low, self.high)


def clamp(x: np.ndarray, low: int | None = None, high: int | None = None) -> np.ndarray:
    """Return ``min(max(x, low), high)`` in the dtype of ``x``; None is no limit."""
    limits = np.iinfo(x.dtype)
    low = limits.min if low is None else max(low, limits.min)
    high = limits.max if high is None else min(high, limits.max)
    return np.clip(x, low, high)


def _three(name: str, values: tuple[int, ...], low: int, high: int) -> list[int]:
    """The multipliers or shifts of form tflite."""
    if len(values) != 3 or not all(low <= each <= high for each in values):
        raise SpecError(f"{name}={values}: form=tflite has three, each from {low} to {high}")
    return [int(each) for each in values]


def _matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The exact product of integer matrices; in float64 where that is exact, which is faster."""
    largest = int(np.abs(a).max(initial=0)) * int(np.abs(b).max(initial=0)) * max(b.shape[0], 1)
    if largest < _EXACT_IN_FLOAT:
        return (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    if largest >> 62:
        raise CodeError(f"x, weight: sums of up to {largest} exceed 62 bits")
    return a @ b


def _accumulator(
    total: np.ndarray, bias: Any, acc: str | Fixed, overflow: str | Overflow
) -> np.ndarray:
    fmt, policy = check_out(acc, "acc"), Overflow.parse(overflow, "overflow")
    bias = check_integers("bias", bias)
    if bias.ndim > 1 or bias.size not in (1, total.shape[-1]):
        raise CodeError(f"bias: shape {bias.shape}: must be one number, or one for each output")
    return store(total + bias, fmt, policy)


def store(total: np.ndarray, fmt: Fixed, policy: Overflow) -> np.ndarray:
    """Return int64 sums in an integer format: wrapped, or saturated."""
    if policy is Overflow.SATURATE:
        return np.clip(total, fmt.min_integer, fmt.max_integer).astype(integer_dtype(fmt))
    if policy is not Overflow.WRAP:
        raise SpecError(f"overflow={policy}: must be one of wrap, saturate")
    wrapped = total & ((1 << fmt.width) - 1)
    if fmt.signed:
        wrapped -= (wrapped >> (fmt.width - 1)) << fmt.width
    return wrapped.astype(integer_dtype(fmt))


def _per_output(name: str, values: Any, weight: np.ndarray) -> np.ndarray:
    array = check_integers(name, values)
    if array.ndim > 1 or array.size not in (1, len(weight)):
        raise CodeError(f"{name}: shape {array.shape}: must be one number, or one for each output")
    return array.reshape(-1, *[1] * (weight.ndim - 1))


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _sides(
    padding: Padding, extent: tuple[int, int], reach: tuple[int, int], stride: tuple[int, int]
) -> list[tuple[int, int]]:
    """Padding before and behind of rows and of columns."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        sides = []
        for length, window, step in zip(extent, reach, stride, strict=True):
            missing = max((-(-length // step) - 1) * step + window - length, 0)
            sides.append((missing // 2, missing - missing // 2))
        return sides
    if isinstance(padding, str):
        raise SpecError(f"padding={padding}: must be valid, same, or numbers")
    pair = (padding, padding) if isinstance(padding, int) else padding
    return [(each, each) if isinstance(each, int) else each for each in pair]


def _windows(
    x: np.ndarray,
    size: tuple[int, ...],
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    fill: int,
) -> np.ndarray:
    """Shape (batch, rows, columns, size, size, channels)."""
    stride, dilation = _pair(stride), _pair(dilation)
    if x.ndim != 4:
        raise CodeError(f"x: shape {x.shape}: must be (batch, height, width, channels)")
    if min(*stride, *dilation) < 1:
        raise SpecError(f"stride={stride}, dilation={dilation}: must be at least 1")
    reach = ((size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1)
    sides = _sides(padding, x.shape[1:3], reach, stride)
    x = np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=fill)
    if x.shape[1] < reach[0] or x.shape[2] < reach[1]:
        raise CodeError(f"x: {x.shape[1]} x {x.shape[2]} values, padded, for windows of {reach}")
    views = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    views = views[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    return views.transpose(0, 1, 2, 4, 5, 3)
