# SPDX-License-Identifier: BSD-2-Clause
"""Ports of generated modules: operand by operand with a handshake, or as AXI4-Stream."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Value

from macaw.golden.formats import Fixed
from macaw.golden.units import Operand, Unit

from .options.implementation import Implementation

__all__ = ["Field", "Port", "boundary", "bus_inputs", "list_ports", "packets", "side_by_side"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """An operand or result, or several lanes of it, in the bits of an AXI4-Stream's ``tdata``.

    It stands at ``offset`` and is padded to whole bytes: as AMD's cores do it, padding of operands
    is ignored, and that of signed integer and fixed-point results has their sign, that of the
    last lane where there are several. Other results are padded with zeros.
    """

    name: str
    offset: int
    spec: Operand

    @property
    def padded(self) -> int:
        """The bits that it takes."""
        return (self.spec.width + 7) // 8 * 8

    @property
    def sign_extended(self) -> bool:
        """Whether as a result it is padded with its sign."""
        return isinstance(self.spec.format, Fixed) and self.spec.format.signed

    def pad(self, value: Value) -> Value:
        """A result's bits with those of its padding."""
        count = self.padded - self.spec.width
        return Cat(value, (value[-1] if self.sign_extended else Const(0, 1)).replicate(count))

    def metadata(self, direction: str) -> dict[str, Any]:
        """What the JSON file says of it."""
        padding = "ignored" if direction == "input" else "sign" if self.sign_extended else "zero"
        return {
            "name": self.name,
            "offset": self.offset,
            "width": self.spec.width,
            "padded_width": self.padded,
            "padding": padding,
            "signed": self.spec.format.signed,
            "format": self.spec.format.name,
            "lanes": self.spec.lanes,
        }


def side_by_side(operands: dict[str, Operand]) -> tuple[Field, ...]:
    """Operands side by side, the first in the low bits."""
    fields, offset = [], 0
    for name, operand in operands.items():
        fields.append(Field(name=name, offset=offset, spec=operand))
        offset += fields[-1].padded
    return tuple(fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """A port of the generated module; one with ``fields`` carries several operands or results."""

    name: str
    direction: str
    width: int
    role: str
    operand: str | None = None
    spec: Operand | None = None
    fields: tuple[Field, ...] = ()

    @property
    def metadata(self) -> dict[str, Any]:
        """What the JSON file says of the port."""
        mapped = {"fields": [field.metadata(self.direction) for field in self.fields]}
        return {
            "name": self.name,
            "direction": self.direction,
            "width": self.width,
            "role": self.role,
            "operand": self.operand,
            "format": self.spec.format.name if self.spec else None,
            "lanes": self.spec.lanes if self.spec else None,
        } | (mapped if self.fields else {})


def list_ports(spec: Unit, option: Implementation, *, clocked: bool) -> list[Port]:
    """The ports of a module, in the order of the documentation; ``clocked`` if it has state."""
    ports = []
    axis = option.bus == "axis"
    if clocked:
        name = "aclk" if axis else "clk"
        ports.append(Port(name=name, direction="input", width=1, role="clock"))
        if option.reset != "none":
            name = "aresetn" if axis else "rst" if option.active == "high" else "rst_n"
            ports.append(Port(name=name, direction="input", width=1, role="reset"))
    if axis:
        return ports + _axis_ports(spec, option)
    if option.flow != "none":
        ports.append(Port(name="i_valid", direction="input", width=1, role="valid"))
    if option.flow == "stream":
        ports.append(Port(name="i_ready", direction="output", width=1, role="ready"))
    for name, operand in spec.ports.inputs.items():
        role = "last" if name == "last" else "operand"
        ports.append(
            Port(name=f"i_{name}", direction="input", width=operand.width, role=role,
                 operand=name, spec=operand)
        )  # fmt: skip
    if option.flow != "none":
        ports.append(Port(name="o_valid", direction="output", width=1, role="valid"))
    if option.flow == "stream":
        ports.append(Port(name="o_ready", direction="input", width=1, role="ready"))
    for name, operand in spec.ports.outputs.items():
        ports.append(
            Port(name=f"o_{name}", direction="output", width=operand.width, role="result",
                 operand=name, spec=operand)
        )  # fmt: skip
    return ports


def _axis_ports(spec: Unit, option: Implementation) -> list[Port]:
    ports = []
    for prefix, operands, into in (
        ("s_axis", bus_inputs(spec), "input"),
        ("m_axis", spec.ports.outputs, "output"),
    ):
        back = "output" if into == "input" else "input"
        mapped = side_by_side(operands)
        role = "operand" if into == "input" else "result"
        ports += [
            Port(name=f"{prefix}_tdata", direction=into, role=role, fields=mapped,
                 width=sum(field.padded for field in mapped)),
            Port(name=f"{prefix}_tvalid", direction=into, width=1, role="valid"),
            Port(name=f"{prefix}_tready", direction=back, width=1, role="ready"),
        ]  # fmt: skip
        end = boundary(spec)
        if into == "input" and end is not None:
            ports.append(
                Port(name=f"{prefix}_tlast", direction=into, width=1, role="last",
                     operand=end, spec=spec.ports.inputs[end])
            )  # fmt: skip
        elif packets(spec, option):
            ports.append(Port(name=f"{prefix}_tlast", direction=into, width=1, role="last"))
    return ports


def boundary(spec: Unit) -> str | None:
    """The operand that is AXI4-Stream's TLAST: ``last``, or else ``end``."""
    return next((name for name in ("last", "end") if name in spec.ports.inputs), None)


def packets(spec: Unit, option: Implementation) -> bool:
    """Whether results have a TLAST."""
    return option.bus == "axis" and (
        option.tlast == "on" or (option.tlast == "auto" and boundary(spec) is not None)
    )


def bus_inputs(spec: Unit) -> dict[str, Operand]:
    """The operands in an AXI4-Stream's ``tdata``: all but the one that is TLAST."""
    end = boundary(spec)
    return {name: operand for name, operand in spec.ports.inputs.items() if name != end}
