# SPDX-License-Identifier: BSD-2-Clause
"""The golden model: what every bit of every unit must be. Needs numpy only."""

from .autoflex import Autoflex
from .blocks import BLOCKS, AnyFormat, Block, format
from .errors import CodeError, FormatError, MacawError, SpecError, ToolError
from .flexpoint import FlexTensor
from .formats import FORMATS, Fixed, Float, Format, Specials, Subnormals
from .hadamard import TE_SIGNS, hadamard
from .matmul import matmul
from .quantize import MinScale, Order, Quantized, Rules, ScaleRule, quantize
from .rounding import Flag, Overflow, Rounding
from .units import UNITS, Add, Cast, Dot, Fma, Mac, Mul, Operand, Ports, Unit, unit

__all__ = [
    "BLOCKS",
    "FORMATS",
    "TE_SIGNS",
    "UNITS",
    "Add",
    "AnyFormat",
    "Autoflex",
    "Block",
    "Cast",
    "CodeError",
    "Dot",
    "Fixed",
    "Flag",
    "FlexTensor",
    "Float",
    "Fma",
    "Format",
    "FormatError",
    "Mac",
    "MacawError",
    "MinScale",
    "Mul",
    "Operand",
    "Order",
    "Overflow",
    "Ports",
    "Quantized",
    "Rounding",
    "Rules",
    "ScaleRule",
    "SpecError",
    "Specials",
    "Subnormals",
    "ToolError",
    "Unit",
    "format",
    "hadamard",
    "matmul",
    "quantize",
    "unit",
]
