# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue of datapaths: which gates belong to which unit specification."""

import typing

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.formats import Float
from macaw.golden.formats.block import Block
from macaw.golden.formats.choices import Overflow
from macaw.golden.units import Unit
from macaw.golden.units.flex import Flex
from macaw.golden.units.requantize import IntegerUnit

from .block_dots import BlockDotDatapath, BlockMacDatapath
from .chain import ChainDatapath
from .component import Component
from .conversions import BlockDequantizeDatapath, BlockQuantizeDatapath, HadamardDatapath
from .datapath import Datapath
from .dots import DotDatapath, MacDatapath
from .elementwise import AddDatapath, CastDatapath, FmaDatapath, MulDatapath
from .flex import FlexAddDatapath, FlexMacDatapath, FlexMatmulDatapath, FlexMulDatapath
from .functions import (
    IntegerExp2Datapath,
    IntegerGeluDatapath,
    IntegerLayerNormDatapath,
    IntegerSoftmaxDatapath,
    IntegerSquareRootDatapath,
)
from .implementation import Implementation
from .integer_dots import IntDotDatapath, IntMacDatapath
from .predictor import ExponentPredictorDatapath
from .requantize import AveragePoolDatapath, ClampDatapath, RequantizeDatapath, ResidualAddDatapath

__all__ = ["DATAPATHS", "build", "limits"]


DATAPATHS: dict[type[Unit], type[Datapath]] = {
    units.Mul: MulDatapath,
    units.Add: AddDatapath,
    units.Fma: FmaDatapath,
    units.Cast: CastDatapath,
    units.Dot: DotDatapath,
    units.Mac: MacDatapath,
    units.BlockDot: BlockDotDatapath,
    units.BlockMac: BlockMacDatapath,
    units.BlockQuantize: BlockQuantizeDatapath,
    units.BlockDequantize: BlockDequantizeDatapath,
    units.Hadamard: HadamardDatapath,
    units.FlexMac: FlexMacDatapath,
    units.FlexMatmul: FlexMatmulDatapath,
    units.FlexAdd: FlexAddDatapath,
    units.FlexMul: FlexMulDatapath,
    units.ExponentPredictor: ExponentPredictorDatapath,
    units.IntegerSquareRoot: IntegerSquareRootDatapath,
    units.IntegerExp2: IntegerExp2Datapath,
    units.IntegerGelu: IntegerGeluDatapath,
    units.IntegerSoftmax: IntegerSoftmaxDatapath,
    units.IntegerLayerNorm: IntegerLayerNormDatapath,
    units.IntDot: IntDotDatapath,
    units.IntMac: IntMacDatapath,
    units.Requantize: RequantizeDatapath,
    units.ResidualAdd: ResidualAddDatapath,
    units.AveragePool: AveragePoolDatapath,
    units.Clamp: ClampDatapath,
    units.Chain: ChainDatapath,
}


FLOATS = 32
"""Bits of the widest floats that gates take."""


def limits(kind: type[Unit]) -> list[str]:
    """What golden evaluates and :func:`build` refuses of a kind of unit, in words.

    Besides, frequencies that no registers reach, and what :class:`Implementation` says.
    """
    hints = typing.get_type_hints(kind)
    floats = any({Float, Block} & {hint, *typing.get_args(hint)} for hint in hints.values())
    found = []
    if floats and not issubclass(kind, Flex | IntegerUnit | units.ExponentPredictor):
        found.append(f"floats of more than {FLOATS} bits (fp64)")
        if kind.rounds and not issubclass(
            kind, (*_WRAPPING, units.BlockQuantize, units.IntegerExp2)
        ):
            found.append("overflow=wrap unless all operands are fixed point")
    if kind is units.Chain:
        found.append("what they refuse of a stage")
    if DATAPATHS[kind].sums:
        found.append("exact sums of more bits than widest_sum")
    return found


def _check(spec: Unit) -> None:
    for fmt in {port.format for port in (spec.ports.inputs | spec.ports.outputs).values()}:
        if isinstance(fmt, Float) and fmt.width > FLOATS:
            raise SpecError(f"{fmt.name}: gates take floats of at most {FLOATS} bits")
    if spec.overflow is Overflow.WRAP and not _wraps(spec):
        raise SpecError("overflow=wrap: gates wrap sums of fixed-point operands only")


def build(spec: Unit, implementation: Implementation | None = None) -> Component:
    """The module of a specification, with its ports, latency and clock decided.

    Raises
    ------
    SpecError
        If the gates do not offer what the specification asks for, or the frequency is too high.
    """
    for stage in spec.chain if isinstance(spec, units.Chain) else (spec,):
        _check(stage)
    return Component(DATAPATHS[type(spec)](spec, implementation or Implementation()))


_WRAPPING = (units.Cast, units.Mul, units.BlockDequantize)
"""What rounds one value, and no sum: it wraps whatever the operands are."""


def _wraps(spec: Unit) -> bool:
    """Whether what wraps is a single value, or a sum of fixed-point terms."""
    if isinstance(spec, _WRAPPING):
        return True
    inputs = dict(spec.ports.inputs)
    if isinstance(spec.ports.outputs["r"].format, Float):
        # Only the inner sums of a chunked accumulation wrap.
        inputs = {name: port for name, port in inputs.items() if name in ("a", "b")}
    return not any(isinstance(port.format, Float) for port in inputs.values())
