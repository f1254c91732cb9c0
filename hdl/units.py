# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue of datapaths: which gates belong to which unit specification."""

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.formats import Float
from macaw.golden.rounding import Overflow
from macaw.golden.units import Unit

from .component import Datapath, Implementation
from .conversions import BlockDequantizeDatapath, HadamardDatapath
from .dots import DotDatapath, MacDatapath
from .elementwise import AddDatapath, CastDatapath, FmaDatapath, MulDatapath

__all__ = ["DATAPATHS", "build"]


DATAPATHS: dict[type[Unit], type[Datapath]] = {
    units.Mul: MulDatapath,
    units.Add: AddDatapath,
    units.Fma: FmaDatapath,
    units.Cast: CastDatapath,
    units.Dot: DotDatapath,
    units.Mac: MacDatapath,
    units.BlockDequantize: BlockDequantizeDatapath,
    units.Hadamard: HadamardDatapath,
}


def build(spec: Unit, implementation: Implementation | None = None) -> Datapath:
    """The datapath of a specification, with its ports, latency and clock decided.

    Raises
    ------
    SpecError
        If the gates do not offer what the specification asks for, or the frequency is too high.
    """
    for fmt in {port.format for port in (spec.ports.inputs | spec.ports.outputs).values()}:
        if isinstance(fmt, Float) and fmt.width > 32:
            raise SpecError(f"{fmt.name}: gates take floats of at most 32 bits")
    floats = any(isinstance(port.format, Float) for port in spec.ports.inputs.values())
    if spec.overflow is Overflow.WRAP and floats and not isinstance(spec, units.Cast | units.Mul):
        raise SpecError("overflow=wrap: gates wrap sums of fixed-point operands only")
    return DATAPATHS[type(spec)](spec, implementation or Implementation())
