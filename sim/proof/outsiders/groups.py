# SPDX-License-Identifier: BSD-2-Clause
"""Groups with zero points against outsiders: numpy's fp32, onnxruntime, and fractions.

As in :mod:`macaw.sim.proof.outsiders.blocks`, from where the stimulus comes. Functions return the
number of groups, or raise :class:`~macaw.sim.proof.outsiders.check.ProofFailure`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from macaw.golden import FORMATS, Block, Fixed, format
from macaw.golden.arithmetic.block_rules import Order, Rules
from macaw.golden.arithmetic.groups.zero_points import Groups, quantize_groups

from ..reference.arithmetic import groups as reference
from .blocks import GRIDS, KINDS, ROUNDINGS, nearest, stimulus
from .check import Check, ProofFailure, as_value

NAMES = (
    "uint4-k128-fp16-zuint4",
    "uint4-k32-bf16-zuint4",
    "uint2-k64-fp16-zuint2",
    "int8-k64-fp32-zint8",
    "uint8-tensor-fp32-zuint8",
    "uint3-k16-e4m3-zint8",
    "fx6.2-k8-ue5m3-zfx9.2",
)
"""As GPTQ and AWQ have them, as ONNX, and what else the grammar says."""
FLOATS = (
    "uint4-k64-fp16-zfp16",
    "uint2-k16-bf16-zbf16",
    "fx6.2-k8-ue5m3-ze4m3",
    "uint4-k32-fp16-mfp16",
    "uint2-k64-fp16-mfp16",
    "int4-k32-bf16-mbf16",
    "fx6.2-k8-fp32-me5m2",
)
"""With zero points that are floats, as HQQ, and minimums, as ggml, decoupleQ and tinygemm."""
ORDERS = ("paper", "te", "ct", "exact")


def _group(name: str) -> Block:
    block = format(name)
    assert isinstance(block, Block)
    return block


def _same(name: str, what: str, got: Any, want: Any, rows: np.ndarray) -> None:
    """ProofFailure with the first row of which something differs."""
    differ = np.asarray(got != want)
    if differ.any():
        at = int(np.argwhere(differ)[0][0])
        raise ProofFailure(
            f"{name}: {what}: {int(differ.sum())} of {differ.size} differ, first of group "
            f"{rows[at].tolist()}: golden {np.asarray(got)[at]}, expected {np.asarray(want)[at]}"
        )


def judge(block: Block, rows: np.ndarray, order: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of elements, scales and zero points of finite rows, by numpy's own fp32."""
    element, zero, f = block.element, block.zero_point, np.float32
    assert isinstance(element, Fixed)
    assert isinstance(zero, Fixed)
    place, huge = 2.0**-element.fraction, np.finfo(f).max
    with np.errstate(all="ignore"):
        low, high = np.minimum(rows.min(1), 0), np.maximum(rows.max(1), 0)
        span, top = np.minimum(high - low, huge), f((2**element.width - 1) * place)
        wanted = span / top
        if order == "te":
            wanted = span * (f(1) / top)
        elif order == "exact":
            wanted = span.astype(np.float64) / float(top)
        scale = nearest(np.minimum(wanted, block.scale.max).astype(np.float64), block.scale)
        s = block.scale.decode(scale).astype(f)

        def over(x: np.ndarray) -> np.ndarray:
            """In last places of the element, rounded."""
            if order == "ct":
                by = x / s[:, None]
            elif order == "exact":
                by = x.astype(np.float64) / s[:, None]
            else:
                by = x * np.minimum(f(1) / s, huge)[:, None]
            return np.rint(np.nan_to_num(by).astype(np.float64) / place)

        point = element.min_integer - over(low[:, None])[:, 0]
        point = np.clip(point, zero.min_integer, zero.max_integer)
        codes = np.clip(over(rows) + point[:, None], element.min_integer, element.max_integer)
    codes[s == 0], point[s == 0] = 0, 0
    whole = codes.astype(np.int64) % 2**element.width
    return whole, scale, point.astype(np.int64) % 2**zero.width


def _made(rows: np.ndarray, block: Block, rules: Rules, random: Any = None) -> Groups:
    fp32 = FORMATS["fp32"]
    return quantize_groups(rows.view(np.uint32), fp32, block, rules, random=random)


def by_numpy(name: str, order: str, count: int) -> int:
    """Groups of every kind, to nearest, against :func:`judge`."""
    block = _group(name)
    size = block.size or 32
    for n, kind in enumerate(KINDS):
        rows = stimulus(kind, -(-count // len(KINDS)), size, np.random.default_rng([5, n, size]))
        got = _made(rows, block, Rules(order=Order.parse(order)))
        finite = np.asarray(np.isfinite(rows).all(1))
        elements, scales, zeros = judge(block, np.where(finite[:, None], rows, 0), order)
        scales = np.where(finite, scales, block.scale.nan_code or 0)
        _same(name, f"{kind} {order} scale", got.scales, scales, rows)
        _same(name, f"{kind} {order} zero", got.zeros, zeros, rows)
        _same(name, f"{kind} {order} elements", got.elements, elements, rows)
    return count


def by_fractions(name: str, count: int, **options: Any) -> int:
    """Groups of every kind against the scalar reference."""
    block, rules = _group(name), Rules(**options)
    bits = rules.word_bits(block)
    for n, kind in enumerate(KINDS):
        rng = np.random.default_rng([6, n, block.size or 32])
        rows = stimulus(kind, -(-count // len(KINDS)), block.size or 32, rng)
        words = rng.integers(0, 1 << bits, rows.shape) if rules.rounding.stochastic else None
        made = _made(rows, block, rules, words)
        for i, row in enumerate(rows.tolist()):
            want = reference.quantize(
                [as_value(x) for x in row],
                block,
                words=None if words is None else words[i].tolist(),
                bits=bits,
                **options,
            )
            got = made.elements[i].tolist(), int(made.scales[i]), int(made.zeros[i])
            if got != want:
                raise ProofFailure(f"{name} {options}: {row}: golden {got}, expected {want}")
    return count


def by_float32(name: str, count: int) -> int:
    """Groups with zero points that are floats, to nearest, by numpy's own fp32: ``order=ct``."""
    block, f = _group(name), np.float32
    element, zero = block.element, block.float_zero
    assert isinstance(element, Fixed)
    assert zero is not None
    least, top = f(element.min), f((2**element.width - 1) * 2.0**-element.fraction)
    size = block.size or 32
    for n, kind in enumerate(("gaussian", "heavy", "outlier")):
        rows = stimulus(kind, -(-count // 3), size, np.random.default_rng([8, n, size]))
        with np.errstate(all="ignore"):
            rows = rows / np.abs(rows).max(1, keepdims=True)
        rows = rows[np.isfinite(rows).all(1)]
        low, high = rows.min(1), rows.max(1)
        scale = nearest(((high - low) / top).astype(np.float64), block.scale)
        s = block.scale.decode(scale).astype(f)
        with np.errstate(all="ignore"):
            wanted = low - least * s if block.minimum else least - low / s
            zeros = nearest(np.nan_to_num(wanted).astype(np.float64), zero)
            z = zero.decode(zeros).astype(f)[:, None]
            steps = (rows - z) / s[:, None] if block.minimum else rows / s[:, None] + z
            codes = np.rint(np.ldexp(np.nan_to_num(steps).astype(np.float64), element.fraction))
        codes = np.clip(codes, element.min_integer, element.max_integer).astype(np.int64)
        # Groups of one value, or far from zero, go a way of their own.
        usual = (s > 0) & (np.abs(wanted) <= zero.max)
        got = _made(rows, block, Rules(order=Order.CT))
        for what, have, want in (
            ("scale", got.scales, scale),
            ("zero", got.zeros, zeros),
            ("elements", got.elements, codes % 2**element.width),
        ):
            _same(name, f"{kind} {what}", have[usual], want[usual], rows[usual])
        if usual.mean() < 0.5:
            raise ProofFailure(f"{name} {kind}: {usual.sum()} of {usual.size} groups are judged")
    return count


def by_onnxruntime(count: int, size: int = 64) -> int:
    """Tensors of uint8 against DynamicQuantizeLinear, which divides (``order=ct``)."""
    import onnx
    import onnxruntime

    helper, float32, uint8 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8
    graph = helper.make_graph(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])],
        "g",
        [helper.make_tensor_value_info("x", float32, [size])],
        [
            helper.make_tensor_value_info("y", uint8, [size]),
            helper.make_tensor_value_info("scale", float32, []),
            helper.make_tensor_value_info("zero", uint8, []),
        ],
    )
    opset = [helper.make_opsetid("", 21)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    block = _group("uint8-tensor-fp32-zuint8")
    kinds = ("gaussian", "heavy", "outlier")
    for n in range(count):
        kind = kinds[n % len(kinds)]
        (row,) = stimulus(kind, 1, size, np.random.default_rng([7, n]))
        row += np.float32(n % 5 - 2) * np.abs(row).max()
        q = block.quantize(row, order="ct")
        want = [np.asarray(each).tolist() for each in session.run(None, {"x": row})]
        got = [q.elements.tolist(), float(block.scale.decode(q.scales)), np.asarray(q.zeros).item()]
        if got != want:
            raise ProofFailure(f"{kind} {row.tolist()}: golden {got}, onnxruntime {want}")
    return count


def options_of() -> Iterator[dict[str, Any]]:
    """Yield the options under which the scalar reference judges a format."""
    for order in ORDERS:
        yield {"order": order}
    for rounding in ROUNDINGS:
        yield {"rounding": rounding}
    for least, order in (("modelopt", "paper"), ("torchao", "exact"), ("ct", "ct")):
        yield {"order": order, "min_scale": least}
    for order, grid in zip(ORDERS, GRIDS):
        yield {"order": order, "scale_rule": "mse", "grid": grid}


def checks() -> list[Check]:
    """Every comparison in full."""
    result = []
    for name in NAMES:
        for order in ORDERS:
            run = functools.partial(by_numpy, name, order, 100_000)
            result.append(Check(name=f"groups/numpy-{name}-{order}", run=run))
        for options in options_of():
            label = "-".join(str(value) for value in options.values())
            run = functools.partial(by_fractions, name, 210, **options)
            result.append(Check(name=f"groups/fractions-{name}-{label}", run=run))
    for name in FLOATS:
        run = functools.partial(by_float32, name, 100_000)
        result.append(Check(name=f"groups/numpy-{name}", run=run))
        for options in options_of():
            label = "-".join(str(value) for value in options.values())
            run = functools.partial(by_fractions, name, 210, **options)
            result.append(Check(name=f"groups/fractions-{name}-{label}", run=run))
    run = functools.partial(by_onnxruntime, 20_000)
    result.append(Check(name="groups/onnxruntime-uint8", run=run))
    return result
