# SPDX-License-Identifier: BSD-2-Clause
"""Unit specifications: what a datapath computes, bit for bit.

A unit is a validated value. It names its operands and results (``ports``) and computes them
(``evaluate``); how gates do it is :mod:`macaw.hdl`'s matter. This is their catalogue.
"""

from __future__ import annotations

import re
from dataclasses import Field, fields
from typing import Any

from ..arithmetic.operands import Operand
from ..errors import SpecError, did_you_mean
from ..formats.texts import whole
from .block_dots import BlockDot, BlockMac
from .chain import Chain
from .comparison import Classify, Compare, CopySign, Maximum, Minimum
from .conversions import BlockDequantize, BlockQuantize, Hadamard
from .dots import Dot, Mac
from .elementwise import Add, Cast, Div, Fma, Mul, Relu, Sqrt
from .flex import FlexAdd, FlexMac, FlexMatmul, FlexMul
from .fpu import Fpu
from .functions import (
    IntegerExp2,
    IntegerGelu,
    IntegerLayerNorm,
    IntegerSoftmax,
    IntegerSquareRoot,
)
from .integer_dots import IntDot, IntMac
from .requantize import AveragePool, Clamp, Requantize, ResidualAdd
from .row_functions import (
    IntegerSoftmaxRows,
    LayerNorm,
    Norm,
    RmsNorm,
    Softmax,
    SoftmaxMerge,
    SoftmaxSum,
)
from .specification import ROUNDING, Ports, Unit
from .specification.rows import FloatRows, PowerRows, RowUnit
from .table import Function, Table
from .training import ExponentPredictor, Lfsr, LossScale

__all__ = [
    "UNITS",
    "Add",
    "AveragePool",
    "BlockDequantize",
    "BlockDot",
    "BlockMac",
    "BlockQuantize",
    "Cast",
    "Chain",
    "Clamp",
    "Classify",
    "Compare",
    "CopySign",
    "Div",
    "Dot",
    "ExponentPredictor",
    "FlexAdd",
    "FlexMac",
    "FlexMatmul",
    "FlexMul",
    "FloatRows",
    "Fma",
    "Fpu",
    "Function",
    "Hadamard",
    "IntDot",
    "IntMac",
    "IntegerExp2",
    "IntegerGelu",
    "IntegerLayerNorm",
    "IntegerSoftmax",
    "IntegerSoftmaxRows",
    "IntegerSquareRoot",
    "LayerNorm",
    "Lfsr",
    "LossScale",
    "Mac",
    "Maximum",
    "Minimum",
    "Mul",
    "Norm",
    "Operand",
    "Ports",
    "PowerRows",
    "Relu",
    "Requantize",
    "ResidualAdd",
    "RmsNorm",
    "RowUnit",
    "Softmax",
    "SoftmaxMerge",
    "SoftmaxSum",
    "Sqrt",
    "Table",
    "Unit",
    "unit",
]

UNITS: dict[str, type[Unit]] = {
    cls.kind: cls
    for cls in (
        Mul,
        Add,
        Fma,
        Cast,
        Div,
        Sqrt,
        Relu,
        Compare,
        Minimum,
        Maximum,
        Classify,
        CopySign,
        Fpu,
        Dot,
        Mac,
        BlockDot,
        BlockMac,
        BlockQuantize,
        BlockDequantize,
        Hadamard,
        FlexMac,
        FlexMatmul,
        FlexAdd,
        FlexMul,
        ExponentPredictor,
        LossScale,
        Lfsr,
        IntegerSquareRoot,
        IntegerExp2,
        IntegerGelu,
        Table,
        Function,
        Softmax,
        SoftmaxSum,
        SoftmaxMerge,
        RmsNorm,
        LayerNorm,
        IntegerSoftmaxRows,
        IntegerSoftmax,
        IntegerLayerNorm,
        IntDot,
        IntMac,
        Requantize,
        ResidualAdd,
        AveragePool,
        Clamp,
        Chain,
    )
}
"""Every kind of unit by name."""


def unit(kind: str, **parameters: Any) -> Unit:
    """Return the unit ``kind`` with ``parameters``: values, or strings as the command line has.

    SpecError for an unknown kind or parameter, and for a value that the parameter does not take.
    """
    if kind not in UNITS:
        raise SpecError(f"unknown unit {kind!r}: must be one of {', '.join(UNITS)}")
    cls = UNITS[kind]
    known = {f.name: f for f in fields(cls) if f.init and (cls.rounds or f.name not in ROUNDING)}
    values = {}
    for name, value in parameters.items():
        if name not in known:
            hint = did_you_mean(name, known, f"it has {', '.join(known)}")
            raise SpecError(f"{kind} has no parameter {name!r}: {hint}")
        values[name] = _parse(value, known[name])
    return cls(**values)


def _parse(value: Any, field: Field) -> Any:
    if not isinstance(value, str):
        return value
    if field.default is None and value.lower() == "none":
        return None  # as left out
    if isinstance(field.default, bool):
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        return words.get(value.lower(), value)
    if field.type in ("int", "int | None"):
        return whole(value) if re.fullmatch(r"-?\d+", value) else value
    return value
