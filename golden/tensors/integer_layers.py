# SPDX-License-Identifier: BSD-2-Clause
"""Layers of integer-only networks, from numpy integer tensors: what their datapaths compute.

A tensor of integers q stands for ``scale * (q - zero_point)``. Images are (batch, height, width,
channels), weights of convolutions (outputs, height, width, inputs / groups), those of fully
connected layers (outputs, inputs). Sums are exact; with the bias added they go into the
accumulator's format once, by the overflow policy: ``wrap``, as a register of that width ends
whatever the order of its additions, or ``saturate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic.dyadic import (
    BELOW_ONE,
    BITS,
    LARGEST_SHIFT,
    LEAST_SHIFT,
    Profile,
    branch_format,
    check_bits,
    check_integers,
    check_magnitude,
    check_out,
    check_zero_point,
    common_shift,
    left_shift,
    multipliers,
    reciprocal,
    requantize,
    residual_profile,
    saturate,
    scale_products,
    scale_sum,
    store,
)
from ..arithmetic.integers import reach
from ..arithmetic.operands import rows
from ..arrays import common_shape, element, integer, integers, positive, real, reals
from ..errors import CodeError, SpecError
from ..formats.choices import Overflow
from ..formats.scalar import Fixed

Pair = int | tuple[int, int]
Padding = str | Pair | tuple[tuple[int, int], tuple[int, int]]

_EXACT_IN_FLOAT = 1 << 53
_MOST = 61
"""Bits of integers before zero points and biases are added, so that int64 holds the sums."""


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
    weight = _less("weight", weight, _per_output("weight_zero", weight_zero, weight))
    x = _less("x", x, np.int64(integer("x_zero", x_zero)))
    return _accumulator(_matmul(x, weight.T), bias, acc, overflow)


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
    outputs, groups = weight.shape[0], integer("groups", groups)
    if groups < 1 or outputs % groups or weight.shape[3] * groups != x.shape[3]:
        raise CodeError(
            f"groups={groups}: does not fit x {x.shape} and weight {weight.shape}, whose last "
            "axes are inputs, and inputs / groups"
        )
    weight = _less("weight", weight, _per_output("weight_zero", weight_zero, weight))
    x = _less("x", x, np.int64(integer("x_zero", x_zero)))
    windows = _windows(x, weight.shape[1:3], stride, padding, dilation, 0)
    batch, height, width = windows.shape[:3]
    windows = windows.reshape(*windows.shape[:5], groups, weight.shape[3])
    parts = []
    for group, kernel in enumerate(np.split(weight, groups)):
        columns = rows(kernel).T
        taken = windows[..., group, :].reshape(batch * height * width, len(columns))
        parts.append(_matmul(taken, columns))
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
    branch: str | Fixed | None = None,
    bits: int = BITS,
) -> np.ndarray:
    """Return the sum of two tensors of different scales, bit for bit as the unit ``residual-add``.

    Parameters
    ----------
    a, b : array_like of integers
        They broadcast like numpy.
    multiplier, shift
        Of a and of b, in units of the result's scale: ``real = multiplier * 2**(shift - bits)``.
        With ``form="tflite"`` three each, those of :func:`export_residual`.
    form : "separate", "single" or "tflite"
        ``separate``: each branch is rounded to an integer and saturated to ``branch``, then both
        and ``zero_point`` are added and saturated (HAWQ-V3)::

            scaled(x, i) = saturate(round(x * multiplier[i] * 2**(shift[i] - bits)), branch)
            r = saturate(scaled(a - a_zero, 0) + scaled(b - b_zero, 1) + zero_point, out)

        ``single``: the products are added exactly and rounded once; both
        have one shift then (:func:`macaw.golden.arithmetic.dyadic.common_shift`). ``tflite``:
        branches are shifted left by 20 (results of more than 8 bits: by 15), scaled by less than
        one and rounded; their sum is scaled by less than one and rounded again (TensorFlow Lite's
        ADD: kernels/add.cc and reference/integer_ops/add.h).
    profile : Profile, optional
        By default ``tflite_single``. Of ``form="tflite"`` it is ``tflite_double``, or
        ``tflite_single`` for builds with TFLITE_SINGLE_ROUNDING.
    branch : Fixed, optional
        Of separate branches: an integer format of at most 32 bits, by default signed, of twice the
        bits of ``out``.

    Returns
    -------
    ndarray of the broadcast shape, in the smallest numpy dtype for the integers of ``out``.

    Raises
    ------
    SpecError for what the form does not have; CodeError for arrays that are not integers, for
    multipliers that have not ``bits`` bits, for shifts beyond -32 and 31 (``form="tflite"``: -31
    and 0), zero points that are not in ``out``, and differences from zero points whose products
    would exceed 61 bits; with ``form="tflite"`` for those beyond 255, or with a left shift of 15
    beyond 65535.
    """
    fmt = check_out(out)
    profile = residual_profile(form, profile)
    check_bits(bits)
    width, left = left_shift(fmt) if form == "tflite" else (_MOST - bits, 0)
    values = []
    for name, value, zero in (("a", a, a_zero), ("b", b, b_zero)):
        value = _less(name, check_integers(name, value), np.int64(integer(f"{name}_zero", zero)))
        most = (1 << width) - (form == "tflite")
        wrong = np.abs(value) > most
        if wrong.any():
            raise CodeError(f"{name}: must be within {most} of {name}_zero")
        values.append(value)
    common_shape(*(value.shape for value in values))
    zero_point = int(check_zero_point("zero_point", integer("zero_point", zero_point), fmt))
    if branch is not None and form != "separate":
        raise SpecError(f"branch={branch}: form={form} has no rounded branches")
    if form == "tflite":
        *factors, last = _factors("multiplier", multiplier, form, 3, 0, (1 << bits) - 1)
        *branches, after = _factors("shift", shift, form, 3, *BELOW_ONE)
        terms = [value * each for value, each in zip(values, factors, strict=True)]
        total = scale_sum(terms, branches, last, after, left=left, profile=profile, bits=bits)
        return saturate(total, fmt, zero_point)
    factors = _factors("multiplier", multiplier, form, 2, 0, (1 << bits) - 1)
    shifts = _factors("shift", shift, form, 2, LEAST_SHIFT, LARGEST_SHIFT, alike=True)
    terms = [value * each for value, each in zip(values, factors, strict=True)]
    if form == "separate":
        limits = branch_format(fmt, branch)
        first, second = (
            saturate(scale_products(term, each, profile, bits), limits).astype(np.int64)
            for term, each in zip(terms, shifts, strict=True)
        )
        return saturate(first + second, fmt, zero_point)
    if shifts[0] != shifts[1]:
        raise SpecError(f"shift={shift}: form=single takes one shift for both branches")
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
    (:func:`macaw.golden.arithmetic.dyadic.reciprocal`).
    """
    x = check_magnitude("x", check_integers("x", x), 62 - BITS)
    size, stride = _pair("size", size), _pair("stride", size if stride is None else stride)
    total = _windows(x, size, stride, padding, 1, 0).sum(axis=(3, 4))
    there = _windows(np.ones((1, *x.shape[1:3], 1), np.int64), size, stride, padding, 1, 0).sum(
        axis=(3, 4)
    )
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
    array = integers("x", x)
    size, stride = _pair("size", size), _pair("stride", size if stride is None else stride)
    lowest = np.iinfo(np.int64).min
    windows = _windows(check_integers("x", array), size, stride, padding, 1, lowest)
    there = _windows(np.ones((1, *array.shape[1:3], 1), np.int64), size, stride, padding)
    if not there.any(axis=(3, 4)).all():
        raise SpecError(f"padding={padding}: a window of {size} has no value")
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
    outputs are the first axis of ``weight``, and each of the others is one number or one for each
    output.

    Raises
    ------
    SpecError for what is not finite, and for a variance that is not above 0 with ``epsilon``;
    CodeError for what is no number, and for shapes.
    """
    weight = reals("weight", weight)
    if not weight.ndim:
        raise CodeError("weight: shape (): the first axis must be the outputs")
    given = {"bias": bias, "gamma": gamma, "beta": beta, "mean": mean, "variance": variance}
    found = {n: _each_output(n, reals(n, value), len(weight)) for n, value in given.items()}
    spread = found["variance"] + real("epsilon", epsilon)
    if (spread <= 0).any():
        bad = element("variance", found["variance"], spread <= 0)
        raise SpecError(f"{bad}: must be above 0 with epsilon={epsilon}")
    factor = found["gamma"] / np.sqrt(spread)
    folded = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
    return folded, (found["bias"] - found["mean"]) * factor + found["beta"]


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

    The bias is ``bias / (x_scale * weight_scale)`` to nearest, ties to even; the multiplier is for
    ``x_scale * weight_scale / out_scale``, in float64 in this order, and 0 where that is so small
    that no accumulator of 32 bits makes half a count of it
    (:class:`macaw.golden.arithmetic.dyadic.Choice`).

    Parameters
    ----------
    x_scale, out_scale : float
        Above 0.
    weight_scale : array_like of float
        One, or one for each output. Those of *dead channels*, whose weights are all zero, may be
        0, as a largest magnitude divided by 127 is: their sums are the bias alone, which is taken
        in steps of ``out_scale``, with a multiplier for 1.
    bias : array_like of float
        One, or one for each output.

    Raises
    ------
    SpecError for scales that are negative, zero (but of dead channels), infinite or NaN, for a
    bias that is no finite number or beyond int32 in these steps, and for a product of scales of
    ``2**30`` times ``out_scale`` or more; it names the output. CodeError for shapes.
    """
    taken, given = positive("x_scale", x_scale), positive("out_scale", out_scale)
    scales, real_bias = reals("weight_scale", weight_scale, 0.0), reals("bias", bias)
    for name, array in (("weight_scale", scales), ("bias", real_bias)):
        if array.ndim > 1:
            raise CodeError(f"{name}: shape {array.shape}: must be one number, or one an output")
    common_shape(scales.shape, real_bias.shape)
    with np.errstate(all="ignore"):
        product = np.where(scales == 0, given, taken * scales)
        ratio = product / given
        steps = np.rint(real_bias / product)
    small, large = (product == 0) | (ratio == 0), ratio >= 2.0**30
    for wrong, why in ((small, "is below all float64"), (large, "is 2**30 or more")):
        if wrong.any():
            bad = element("weight_scale", scales, wrong)
            raise SpecError(f"{bad}: x_scale * weight_scale / out_scale {why}")
    limit = np.iinfo(np.int32)
    beyond = ~((steps >= limit.min) & (steps <= limit.max))
    if beyond.any():
        bad = element("bias", np.broadcast_to(real_bias, steps.shape), beyond)
        raise SpecError(
            f"{bad}: is {steps[beyond][0]:.4g} steps of x_scale * weight_scale, beyond int32: a "
            "larger scale holds it"
        )
    multiplier, shift = multipliers(ratio, bits=bits, choice=choice)
    return Export(bias=steps.astype(np.int32), multiplier=multiplier, shift=shift)


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
    SpecError for scales of branches that are no numbers from 0 on, or ``2**31`` times
    ``out_scale`` or more, and an ``out_scale`` that is none above 0; and with ``form="tflite"``
    for scales that are zero, and for an ``out_scale`` of at most twice the larger one divided by
    ``2**left``, which TensorFlow Lite refuses.
    """
    residual_profile(form, None)
    total = positive("out_scale", out_scale)
    if form == "tflite":
        _, left = left_shift(check_out(out))
        a, b = (
            np.float64(positive(*each)) for each in (("a_scale", a_scale), ("b_scale", b_scale))
        )
        twice = 2 * max(a, b)
        ratios = [a / twice, b / twice, twice / (2**left * total)]
        multiplier, shift = multipliers(ratios, bits=bits)
        if shift[2] > 0:
            raise SpecError(f"out_scale={out_scale}: form=tflite needs more than {twice / 2**left}")
        return tuple(multiplier.tolist()), tuple(shift.tolist())
    ratios = []
    for name, scale in (("a_scale", a_scale), ("b_scale", b_scale)):
        with np.errstate(over="ignore"):
            ratio = np.float64(real(name, scale, 0.0)) / np.float64(total)
        if ratio >= 2.0**31:
            raise SpecError(f"{name}={scale}: must be below 2**31 times out_scale={out_scale}")
        ratios.append(ratio)
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
        As of :func:`macaw.golden.arithmetic.dyadic.requantize`; multiplier and shift may be per
        output.
    low, high : int, optional
        Limits of the result within ``out``: a rectifier has ``low = zero_point``.

    Raises
    ------
    SpecError, CodeError for a zero point and limits that ``out`` does not hold.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", integers("weight", self.weight))
        fmt = check_out(self.out)
        check_zero_point("zero_point", integer("zero_point", self.zero_point), fmt)
        check_limits(self.low, self.high, fmt.name, *reach(fmt))

    def accumulate(self, x: Any) -> np.ndarray:
        """Return the accumulators, bias included."""
        common = {name: getattr(self, name) for name in ("x_zero", "weight_zero", "acc")}
        if self.weight.ndim == 2:
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


def clamp(x: Any, low: int | None = None, high: int | None = None) -> np.ndarray:
    """Return ``min(max(x, low), high)`` in the dtype of ``x``; None is no limit.

    SpecError for limits that this dtype does not hold, CodeError for an ``x`` that is no integers.
    """
    array = integers("x", x)
    limits = np.iinfo(array.dtype)
    check_limits(low, high, array.dtype.name, int(limits.min), int(limits.max))
    return np.clip(array, limits.min if low is None else low, limits.max if high is None else high)


def check_limits(low: Any, high: Any, where: str, least: int, largest: int) -> None:
    """SpecError unless limits that are given are integers from ``least`` to ``largest``."""
    for name, value in (("low", low), ("high", high)):
        if value is not None and not least <= integer(name, value) <= largest:
            raise SpecError(f"{name}={value}: must be from {least} to {largest}, in {where}")


def _factors(
    name: str, values: Any, form: str, count: int, low: int, high: int, *, alike: bool = False
) -> list[int]:
    """The multipliers or shifts of a form of the residual sum; ``alike``: a number is for all."""
    array = check_integers(name, values)
    if alike and not array.ndim:
        array = np.repeat(array, count)
    if array.shape != (count,) or ((array < low) | (array > high)).any():
        words = {2: "two", 3: "three"}
        raise SpecError(
            f"{name}={values}: form={form} has {words[count]}, each from {low} to {high}"
        )
    return array.tolist()


def _less(name: str, values: np.ndarray, zero: np.ndarray | np.int64) -> np.ndarray:
    """Values less their zero point; CodeError where int64 would not hold what follows."""
    check_magnitude(name, values, _MOST)
    check_magnitude(f"{name}_zero", np.asarray(zero), _MOST)
    return values - zero


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
    bias = check_magnitude("bias", check_integers("bias", bias), _MOST)
    if bias.ndim > 1 or bias.size not in (1, total.shape[-1]):
        raise CodeError(f"bias: shape {bias.shape}: must be one number, or one for each output")
    return store(total + bias, fmt, policy)


def _per_output(name: str, values: Any, weight: np.ndarray) -> np.ndarray:
    array = _each_output(name, check_integers(name, values), len(weight))
    return array.reshape(-1, *[1] * (weight.ndim - 1))


def _each_output(name: str, array: np.ndarray, outputs: int) -> np.ndarray:
    """CodeError unless an array is one number, or one for each output."""
    if array.ndim > 1 or array.size not in (1, outputs):
        raise CodeError(f"{name}: shape {array.shape}: must be one number, or one for each output")
    return array


def _pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """One integer for rows and columns, or both; SpecError below ``least``."""
    array = integers(name, value)
    if array.shape not in ((), (2,)):
        raise SpecError(f"{name}={value}: must be an integer, or two")
    if (array < least).any():
        raise SpecError(f"{name}={value}: must be at least {least}")
    rows, columns = np.broadcast_to(array, 2).tolist()
    return rows, columns


def _sides(
    padding: Padding, extent: tuple[int, int], reach: tuple[int, int], stride: tuple[int, int]
) -> list[tuple[int, int]]:
    """Padding before and behind of rows and of columns."""
    if isinstance(padding, str) and padding == "valid":
        padding = 0
    if isinstance(padding, str) and padding == "same":
        sides = []
        for length, window, step in zip(extent, reach, stride, strict=True):
            missing = max((-(-length // step) - 1) * step + window - length, 0)
            sides.append((missing // 2, missing - missing // 2))
        return sides
    if isinstance(padding, str):
        raise SpecError(f"padding={padding}: must be valid, same, or numbers")
    pair = padding if isinstance(padding, Sequence) else (padding, padding)
    if len(pair) != 2:
        raise SpecError(f"padding={padding}: must be valid, same, or numbers of rows and columns")
    return [_pair("padding", each, 0) for each in pair]


def _windows(
    x: np.ndarray,
    size: tuple[int, ...],
    stride: Pair,
    padding: Padding,
    dilation: Pair = 1,
    fill: int = 0,
) -> np.ndarray:
    """Shape (batch, rows, columns, size, size, channels)."""
    stride, dilation = _pair("stride", stride), _pair("dilation", dilation)
    if x.ndim != 4:
        raise CodeError(f"x: shape {x.shape}: must be (batch, height, width, channels)")
    reach = ((size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1)
    sides = _sides(padding, x.shape[1:3], reach, stride)
    x = np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=fill)
    if x.shape[1] < reach[0] or x.shape[2] < reach[1]:
        raise CodeError(f"x: {x.shape[1]} x {x.shape[2]} values, padded, for windows of {reach}")
    views = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    views = views[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    return views.transpose(0, 1, 2, 4, 5, 3)
