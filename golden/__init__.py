# SPDX-License-Identifier: BSD-2-Clause
"""The golden model: what every bit of every unit must be. Needs numpy only."""

from .arithmetic.butterfly import TE_SIGNS
from .errors import CodeError, FormatError, MacawError, SpecError, ToolError
from .formats.block import BLOCKS, AnyFormat, Block, format
from .formats.choices import Flag, Overflow, Rounding, Tininess
from .formats.scalar import FORMATS, Fixed, Float, Format, Specials, Subnormals
from .tensors.autoflex import Autoflex
from .tensors.flexpoint import FlexTensor
from .tensors.matmul import matmul
from .tensors.multipoint import multipoint, side_by_side
from .tensors.packing import pack, unpack
from .tensors.quantized import MinScale, Order, Quantized, Rules, ScaleRule, quantize
from .tensors.rotation import hadamard
from .units.registry import UNITS, Add, Cast, Dot, Fma, Mac, Mul, Operand, Ports, Unit, unit

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
    "Tininess",
    "ToolError",
    "Unit",
    "format",
    "hadamard",
    "matmul",
    "multipoint",
    "pack",
    "quantize",
    "side_by_side",
    "unit",
    "unpack",
]
