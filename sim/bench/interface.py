# SPDX-License-Identifier: BSD-2-Clause
"""What a testbench needs to know of a module's pins, read from the generated metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from macaw.golden.units import Ports

Codes = dict[str, np.ndarray]

MARK = "tlast"
"""Name of the end of a packet that is no operand of the unit."""

_DATA = ("operand", "result", "last")


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
    padding : int
        Bits above the last lane that belong to the field.
    signed : bool
        Of a result: whether its padding repeats its highest bit, or else is zero.
    """

    name: str
    width: int
    lanes: int | None
    offset: int
    padding: int = 0
    signed: bool = False

    @property
    def end(self) -> int:
        """Position behind the last lane: that of the padding."""
        return self.offset + self.count * self.width

    @property
    def count(self) -> int:
        """Lanes; 1 for a scalar."""
        return 1 if self.lanes is None else self.lanes

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned dtype that holds a code."""
        return np.min_scalar_type((1 << self.width) - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One data port of the module and the fields in it."""

    name: str
    width: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interface:
    """Pins of a module by role. A pin that the module does not have is None.

    Attributes
    ----------
    inputs, outputs : tuple of Pin
        Data ports. An AXI4-Stream ``tdata`` is one wire with all operands.
    latency, interval : int
        Clocks from an operand to its result, and between two operands.
    flow : str
        ``none``, ``valid`` or ``stream``; an AXI4-Stream bus is a ``stream``.
    waits : bool
        Whether results come when their row has ended: no more clocks than ``latency`` later, but
        with ``flow=none`` just so many.
    pause : int
        Clocks, of those of ``latency``, in which an operation may keep all others from moving.
    registered : bool
        Whether ``ready_in`` does not depend on ``ready_out`` within a clock.
    """

    module: str
    inputs: tuple[Pin, ...]
    outputs: tuple[Pin, ...]
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
    registered: bool = False
    waits: bool = False
    pause: int = 0

    @property
    def drain(self) -> int:
        """Clocks until all results have left, where nothing stalls them."""
        return self.latency + self.pause * (self.latency - self.pause) + 2 * self.interval

    @classmethod
    def of(cls, metadata: Mapping[str, Any], ports: Ports) -> Interface:
        """The interface that ``metadata`` (a design's JSON) describes for a unit's ``ports``."""
        pins = metadata["ports"]

        def pin(role: str, direction: str) -> str | None:
            found = [p["name"] for p in pins if p["role"] == role and p["direction"] == direction]
            return found[0] if found else None

        def wires(direction: str, operands: Mapping[str, Any]) -> tuple[Pin, ...]:
            found = []
            for port in pins:
                if port["direction"] == direction and port["role"] in _DATA:
                    name = port.get("operand")
                    if "fields" in port:
                        fields = tuple(_field(operands, field) for field in port["fields"])
                    elif name is not None:
                        fields = (_field(operands, {"name": name, "offset": 0}),)
                    else:
                        fields = (Field(name=MARK, width=1, lanes=None, offset=0),)
                    found.append(Pin(name=port["name"], width=port["width"], fields=fields))
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
            registered=metadata.get("ready") == "registered",
            waits="waits" in metadata,
            pause=metadata.get("pause", 0),
        )

    def offered(self, codes: Codes, seed: int) -> Codes:
        """``codes``, with random ends of packets where the module takes them beside operands."""
        if MARK in codes or not _has_mark(self.inputs):
            return codes
        rows = len(next(iter(codes.values())))
        return codes | {MARK: np.random.default_rng(seed).integers(0, 2, rows, np.uint8)}

    def expected(self, codes: Codes, results: Codes) -> Codes:
        """``results`` of what :meth:`offered` gave, with the ends of packets that belong to them.

        A result ends a packet where it ends a row or a tensor; else where its operands end one,
        which a sequence always does.
        """
        if not _has_mark(self.outputs):
            return results
        if "end" in results:
            marks = results["end"]
        elif "last" in codes:
            ends = np.asarray(codes["last"]) != 0
            marks = np.asarray(codes["end"])[ends] if "end" in codes else np.ones(ends.sum())
        else:
            marks = np.asarray(codes["end" if "end" in codes else MARK])
        return results | {MARK: marks.astype(np.uint8)}


def _has_mark(wires: tuple[Pin, ...]) -> bool:
    return any(field.name == MARK for wire in wires for field in wire.fields)


def _field(operands: Mapping[str, Any], field: Mapping[str, Any]) -> Field:
    """The field at ``offset`` that a port of one operand is, or that a bus's map tells of."""
    operand = operands[field["name"]]
    return Field(
        name=field["name"],
        width=operand.format.width,
        lanes=operand.lanes,
        offset=field["offset"],
        padding=field.get("padded_width", operand.width) - operand.width,
        signed=field.get("padding") == "sign",
    )


def pack(
    wire: Pin, codes: Mapping[str, np.ndarray], noise: np.random.Generator | None = None
) -> np.ndarray:
    """Codes of a wire's fields as 64-bit words: uint64 of shape (vectors, words), low word first.

    ``codes[name]`` has shape (vectors,) or (vectors, lanes). Padding is that of results, or comes
    from ``noise``.
    """
    rows = len(codes[wire.fields[0].name])
    words = np.zeros((rows, -(-wire.width // 64)), np.uint64)

    def put(column: np.ndarray, offset: int, width: int) -> None:
        word, shift = divmod(offset, 64)
        words[:, word] |= column << np.uint64(shift)
        if shift + width > 64:
            words[:, word + 1] |= column >> np.uint64(64 - shift)

    for field in wire.fields:
        columns = np.asarray(codes[field.name]).reshape(rows, field.count).astype(np.uint64)
        for lane in range(field.count):
            put(columns[:, lane], field.offset + lane * field.width, field.width)
        if field.padding and noise is not None:
            fill = noise.integers(0, 1 << field.padding, rows, np.uint64)
            put(fill, field.end, field.padding)
        elif field.padding and field.signed:
            sign = columns[:, -1] >> np.uint64(field.width - 1)
            put(sign * np.uint64((1 << field.padding) - 1), field.end, field.padding)
    return words


def unpack(wire: Pin, words: np.ndarray) -> Codes:
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
