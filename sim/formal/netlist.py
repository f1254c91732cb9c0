# SPDX-License-Identifier: BSD-2-Clause
"""A flat netlist of registers, simple gates and blocks: what its bits are, and where from."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GATES = {
    "$_NOT_": ("A",),
    "$_AND_": ("A", "B"),
    "$_OR_": ("A", "B"),
    "$_XOR_": ("A", "B"),
    "$_MUX_": ("A", "B", "S"),
}

Known = dict[Any, bool]


def _logic(kind: str, values: Sequence[bool | None]) -> bool | None:
    """What a gate gives for values of which some may be anything."""
    found = set()
    for chosen in itertools.product(*((v,) if v is not None else (False, True) for v in values)):
        match kind, chosen:
            case "$_NOT_", (a,):
                found.add(not a)
            case "$_AND_", (a, b):
                found.add(a and b)
            case "$_OR_", (a, b):
                found.add(a or b)
            case "$_XOR_", (a, b):
                found.add(a is not b)
            case _, (a, b, s):
                found.add(b if s else a)
            case _:
                raise AssertionError(kind)
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Netlist:
    """For each bit what drives it, a type and the bits at its pins; the bits of ports by name.

    Registers and simple gates have pins of one bit, adders and multipliers of several. Bits are
    numbers, constants are strings. ``initial`` has the bits that have a value at power-on.
    """

    drivers: dict[int, tuple[str, dict[str, list[Any]]]]
    ports: dict[str, list[Any]]
    initial: dict[int, str]

    @classmethod
    def of(cls, path: Path, module: str) -> Netlist:
        """A module of a file that Yosys' ``write_json`` wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))["modules"][module]
        drivers = {}
        for cell in found["cells"].values():
            pins = cell["connections"]
            for name, direction in cell["port_directions"].items():
                if direction == "output":
                    for bit in pins[name]:
                        drivers[bit] = cell["type"], pins
        ports = {name: port["bits"] for name, port in found["ports"].items()}
        initial = {}
        for net in found["netnames"].values():
            values = reversed(net["attributes"].get("init", ""))
            initial |= dict(zip(net["bits"], values, strict=False))
        return cls(drivers=drivers, ports=ports, initial=initial)

    @property
    def registers(self) -> dict[int, tuple[str, dict[str, list[Any]]]]:
        """Those of the drivers that are registers."""
        return {bit: driver for bit, driver in self.drivers.items() if "Q" in driver[1]}

    def value(self, bit: Any, known: Known) -> bool | None:
        """What ``known`` bits decide of another, through simple gates; None if they do not."""
        if isinstance(bit, str):
            return bit == "1" if bit in "01" else None
        values: dict[Any, bool | None] = {**known}
        waiting = [bit]
        while waiting:
            this = waiting[-1]
            kind, pins = self.drivers.get(this, ("", {}))
            if this in values or kind not in GATES:
                values.setdefault(this, None)
                waiting.pop()
                continue
            ins = [pins[name][0] for name in GATES[kind]]
            if left := [b for b in ins if not isinstance(b, str) and b not in values]:
                waiting += left
                continue
            values[this] = _logic(
                kind, [values[b] if not isinstance(b, str) else self.value(b, {}) for b in ins]
            )
            waiting.pop()
        return values[bit]

    def leaves(self, bits: Iterable[Any]) -> set[int]:
        """The bits in which the ways back through simple gates end."""
        found, seen, waiting = set[int](), set[int](), [*bits]
        while waiting:
            this = waiting.pop()
            if this in seen or isinstance(this, str):
                continue
            seen.add(this)
            kind, pins = self.drivers.get(this, ("", {}))
            if kind in GATES:
                waiting += [pins[name][0] for name in GATES[kind]]
            else:
                found.add(this)
        return found

    def latencies(self, inputs: Sequence[str], outputs: Sequence[str], latency: int) -> str:
        """What speaks against so many registers on each way from inputs to outputs.

        Constants are there at all times; a way may come back nowhere.
        """
        stage: dict[Any, int | None] = {bit: 0 for name in inputs for bit in self.ports[name]}
        for name in outputs:
            for bit in self.ports[name]:
                waiting, open_ = [bit], set()
                while waiting:
                    this = waiting[-1]
                    if this in stage or isinstance(this, str):
                        waiting.pop()
                        continue
                    if this not in self.drivers:
                        return f"a bit of {name} depends on no operand"
                    _, pins = self.drivers[this]
                    register = "Q" in pins
                    ins = [bits for n, bits in pins.items() if n not in ("Y", "Q", "C", "E")]
                    sources = [source for bits in ins for source in bits]
                    left = [b for b in sources if b not in stage and not isinstance(b, str)]
                    if left:
                        if this in open_:
                            return "it keeps something: a way through it comes back"
                        open_.add(this)
                        waiting += left
                        continue
                    ways = (stage[b] for b in sources if not isinstance(b, str))
                    found = {way for way in ways if way is not None}
                    if len(found) > 1:
                        return f"ways of {sorted(found)} registers meet on the way to {name}"
                    at = found.pop() if found else None
                    stage[this] = at + register if at is not None else None
                    waiting.pop()
                at = None if isinstance(bit, str) else stage[bit]
                if at not in (None, latency):
                    return f"{name} is {at} clocks after its operands, not {latency}"
        return ""
