# SPDX-License-Identifier: BSD-2-Clause
"""What a testbench needs to know of a module's pins, read from the generated metadata."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from macaw.golden.units import Ports

Codes = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """The bits of a wire that carry one operand or result.

    Attributes
    ----------
    name : str
        Operand or result name in the unit's ports.
    width : int
        Bits of one lane.
    lanes : int or None
        None for a scalar; lane 0 is in the lowest bits.
    offset : int
        Position of lane 0 in the wire.
    """

    name: str
    width: int
    lanes: int | None
    offset: int

    @property
    def count(self) -> int:
        """Lanes; 1 for a scalar."""
        return 1 if self.lanes is None else self.lanes

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned dtype that holds a code."""
        return np.min_scalar_type((1 << self.width) - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wire:
    """One data port of the module and the fields in it."""

    name: str
    width: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interface:
    """Pins of a module by role. A pin that the module does not have is None.

    Attributes
    ----------
    inputs, outputs : tuple of Wire
        Data ports. An AXI4-Stream ``tdata`` is one wire with all operands.
    latency, interval : int
        Clocks from an operand to its result, and between two operands.
    flow : str
        ``none``, ``valid`` or ``stream``; an AXI4-Stream bus is a ``stream``.
    """

    module: str
    inputs: tuple[Wire, ...]
    outputs: tuple[Wire, ...]
    clock: str | None
    reset: str | None
    reset_level: int
    valid_in: str | None
    ready_in: str | None
    valid_out: str | None
    ready_out: str | None
    flow: str
    latency: int
    interval: int

    @classmethod
    def of(cls, metadata: Mapping[str, Any], ports: Ports) -> Interface:
        """The interface that ``metadata`` (a design's JSON) describes for a unit's ``ports``."""
        pins = metadata["ports"]

        def pin(role: str, direction: str) -> str | None:
            found = [p["name"] for p in pins if p["role"] == role and p["direction"] == direction]
            return found[0] if found else None

        def wires(direction: str, operands: Mapping[str, Any]) -> tuple[Wire, ...]:
            data = [
                p
                for p in pins
                if p["direction"] == direction and p["role"] in ("operand", "result", "last")
            ]
            beside = {port.get("operand") for port in data}
            found = []
            for port in data:
                name = port.get("operand")
                if name is not None:
                    fields = (_field(name, operands[name], 0),)
                else:
                    fields = _bus_fields(operands, beside)
                found.append(Wire(name=port["name"], width=port["width"], fields=fields))
            return tuple(found)

        return cls(
            module=metadata["name"],
            inputs=wires("input", ports.inputs),
            outputs=wires("output", ports.outputs),
            clock=pin("clock", "input"),
            reset=pin("reset", "input"),
            reset_level=0 if metadata.get("reset_active") == "low" else 1,
            valid_in=pin("valid", "input"),
            ready_in=pin("ready", "output"),
            valid_out=pin("valid", "output"),
            ready_out=pin("ready", "input"),
            flow="stream" if metadata.get("bus") else metadata["flow"],
            latency=metadata["latency"],
            interval=metadata["initiation_interval"],
        )


def _field(name: str, operand: Any, offset: int) -> Field:
    return Field(name=name, width=operand.format.width, lanes=operand.lanes, offset=offset)


def _bus_fields(operands: Mapping[str, Any], beside: Container[str | None]) -> tuple[Field, ...]:
    """Operands side by side, each padded to whole bytes; those ``beside`` have their own wires."""
    fields, offset = [], 0
    for name, operand in operands.items():
        if name not in beside:
            fields.append(_field(name, operand, offset))
            offset += -(-operand.width // 8) * 8
    return tuple(fields)


def pack(wire: Wire, codes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Codes of a wire's fields as 64-bit words: uint64 of shape (vectors, words), low word first.

    ``codes[name]`` has shape (vectors,) or (vectors, lanes).
    """
    rows = len(codes[wire.fields[0].name])
    words = np.zeros((rows, -(-wire.width // 64)), np.uint64)
    for field in wire.fields:
        columns = np.asarray(codes[field.name]).reshape(rows, field.count).astype(np.uint64)
        for lane in range(field.count):
            word, shift = divmod(field.offset + lane * field.width, 64)
            words[:, word] |= columns[:, lane] << np.uint64(shift)
            if shift + field.width > 64:
                words[:, word + 1] |= columns[:, lane] >> np.uint64(64 - shift)
    return words


def unpack(wire: Wire, words: np.ndarray) -> Codes:
    """The inverse of :func:`pack`."""
    codes = {}
    for field in wire.fields:
        columns = np.empty((len(words), field.count), field.dtype)
        for lane in range(field.count):
            word, shift = divmod(field.offset + lane * field.width, 64)
            value = words[:, word] >> np.uint64(shift)
            if shift + field.width > 64:
                value = value | (words[:, word + 1] << np.uint64(64 - shift))
            columns[:, lane] = value & np.uint64((1 << field.width) - 1)
        codes[field.name] = columns[:, 0] if field.lanes is None else columns
    return codes
