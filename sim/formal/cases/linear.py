# SPDX-License-Identifier: BSD-2-Clause
"""Sums in a flat netlist of Yosys as linear forms: what they are of bits that are no sums.

However adders are nested, what they add up to is one constant and so many times each bit that goes
in, as long as nothing runs over. That two sides add the same is then seen term by term, where it is
hard to decide bit by bit: in another order of the operands nothing between them is equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

Net = int | str
"""A bit of a net, or a constant: "0", "1" and "x"."""
_BITWISE = ("$and", "$or", "$xor", "$xnor", "$not", "$mux")
_SUMS = ("$add", "$sub", "$neg")


class NoForm(Exception):
    """A sum is none of bits that are known, and for what reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """``constant`` and the sum of bits, each times its coefficient: an integer."""

    bits: dict[int, int] = field(default_factory=dict[int, int])
    constant: int = 0

    def plus(self, other: Form, times: int = 1) -> Form:
        """This and some times another."""
        found = Counter(self.bits)
        for bit, factor in other.bits.items():
            found[bit] += times * factor
        kept = {bit: factor for bit, factor in found.items() if factor}
        return Form(bits=kept, constant=self.constant + times * other.constant)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """What must be so: that a form is a number of so many bits."""

    form: Form
    width: int
    signed: bool

    @property
    def ends(self) -> tuple[int, int]:
        """The least and the largest of these numbers."""
        high = 1 << (self.width - self.signed)
        return (-high if self.signed else 0), high - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """Bits ``low`` to ``high`` of what a cell gives, as a number."""

    cell: str
    low: int
    high: int
    signed: bool


class Netlist:
    """The cells of a module without registers, and the forms of their sums.

    Parameters
    ----------
    module : dict
        As Yosys writes it in JSON.
    whole : dict of str to int
        Ports that have lanes, and the bits of one.

    Raises
    ------
    NoForm
        Its cells are in no order.
    """

    def __init__(self, module: dict[str, Any], whole: dict[str, int]) -> None:
        self.cells: dict[str, Any] = module["cells"]
        self.names: dict[str, Any] = module["netnames"]
        self.bounds: list[Bound] = []
        self.driver: dict[int, tuple[str, int]] = {}
        self._inputs: dict[int, int] = {}
        self._forms: dict[Slice, Form] = {}
        for name, cell in self.cells.items():
            for place, bit in enumerate(cell["connections"].get("Y", ())):
                self.driver[bit] = name, place
        self._lanes: dict[Net, int] = {}
        for name, port in module["ports"].items():
            if port["direction"] == "input":
                for place, bit in enumerate(port["bits"]):
                    self._lanes[bit] = 1 << (place // whole[name] + 1 if name in whole else 0)
        self.order = self._sorted()
        for name in self.order:
            self._propagate(name)
        self.same = self._last_bits()
        """Bits that are the last one of a sum, by those that are the same."""

    def _sorted(self) -> list[str]:
        """The cells, each behind what it is made of."""
        before = {
            name: {self.driver[bit][0] for bit in self.pins(name) if bit in self.driver}
            for name in self.cells
        }
        try:
            return [*TopologicalSorter(before).static_order()]
        except CycleError:
            raise NoForm("cells in a circle") from None

    def _last_bits(self) -> dict[int, int]:
        """Of an exclusive or beside a carry chain, which begins one bit later so."""
        last: dict[frozenset[Net], int] = {}
        for cell in self.cells.values():
            if cell["type"] == "$add":
                pins = cell["connections"]
                last[frozenset((pins["A"][0], pins["B"][0]))] = pins["Y"][0]
        found: dict[int, int] = {}
        for cell in self.cells.values():
            if cell["type"] == "$xor":
                pins = cell["connections"]
                for *pair, bit in zip(pins["A"], pins["B"], pins["Y"], strict=False):
                    if frozenset(pair) in last:
                        found[bit] = last[frozenset(pair)]
        return found

    def pins(self, cell: str) -> Iterable[Net]:
        """The bits that go into a cell."""
        pins = self.cells[cell]["connections"]
        return (bit for name, bits in pins.items() if name != "Y" for bit in bits)

    def _propagate(self, name: str) -> None:
        cell = self.cells[name]
        pins = cell["connections"]
        rows = [pins[pin] for pin in "AB" if pin in pins]
        if cell["type"] in _BITWISE and all(len(row) == len(pins["Y"]) for row in rows):
            chosen = self._union(pins.get("S", ()))
            for bit, *column in zip(pins["Y"], *rows, strict=True):
                self._lanes[bit] = chosen | self._union(column)
        else:
            whole = self._union(self.pins(name))
            self._lanes |= dict.fromkeys(pins.get("Y", ()), whole)

    def _union(self, bits: Iterable[Net]) -> int:
        found = 0
        for bit in bits:
            found |= self.lanes(bit)
        return found

    def lanes(self, bit: Net) -> int:
        """Which lanes decide a bit: a set, in bits; its last one is what is no lane."""
        return 0 if isinstance(bit, str) else self._lanes.get(bit, 1)

    def sums(self, side: str) -> list[str]:
        """Cells of a side that add bits of several lanes, and nothing else, in their order."""
        found = []
        for name in self.order:
            if self.cells[name]["type"] in _SUMS and f"{side}." in name:
                lanes = self._union(self.pins(name))
                if not lanes & 1 and lanes.bit_count() > 1:
                    found.append(name)
        return found

    def form(self, bits: Sequence[Net], *, signed: bool) -> Form:
        """What a word is as a number, of bits of one lane each.

        Raises
        ------
        NoForm
            There is something between that adds nothing.
        """
        found, constant = Counter[int](), 0
        for place, bit in enumerate(bits):
            factor = -(1 << place) if signed and place == len(bits) - 1 else 1 << place
            bit = self.same.get(bit, bit) if isinstance(bit, int) else bit
            if isinstance(bit, int):
                found[bit] += factor
            elif bit == "1":
                constant += factor
            elif bit != "0":
                raise NoForm(f"a bit that is {bit}")
        form = Form(constant=constant)
        sums: dict[str, dict[int, int]] = {}
        for bit, factor in found.items():
            if self.lanes(bit).bit_count() <= 1:
                form = form.plus(Form(bits={bit: factor}))
                continue
            name, place = self.driver.get(bit, ("", 0))
            if not name or self.cells[name]["type"] not in _SUMS:
                raise NoForm("a bit of several lanes that is no sum's")
            sums.setdefault(name, {})[place] = factor
        for name, places in sums.items():
            low, high = min(places), max(places)
            unit = places[low]
            last = places[high]
            want = {place: unit << (place - low) for place in range(low, high)}
            if {**want, high: last} != places or abs(last) != abs(unit) << (high - low):
                raise NoForm("bits of a sum that are no number")
            part = Slice(cell=name, low=low, high=high, signed=last * unit < 0 or low == high)
            if low == high:
                raise NoForm("one bit of a sum")
            form = form.plus(self._slice(part), unit)
        return form

    def _slice(self, part: Slice) -> Form:
        if part not in self._forms:
            self._forms[part] = self._sum(part)
        return self._forms[part]

    def _sum(self, part: Slice) -> Form:
        """What a cell adds up to, without its last bits; and that it does not run over."""
        cell = self.cells[part.cell]
        rows = [cell["connections"][pin] for pin in "AB" if pin in cell["connections"]]
        width = len(cell["connections"]["Y"])
        signed = [self._signed(cell, pin, len(row), width, part)
                  for pin, row in zip("AB", rows, strict=False)]  # fmt: skip
        total = Form()
        if part.low:
            total = self._carry(cell["type"], rows, part.low)
        signs = {"$add": (1, 1), "$sub": (1, -1), "$neg": (-1,)}[cell["type"]]
        for row, sign, how in zip(rows, signs, signed, strict=True):
            total = total.plus(self.form(row[part.low :], signed=how), sign)
        width = part.high + 1 - part.low
        self.bounds.append(Bound(form=total, width=width, signed=part.signed))
        return total

    def _signed(self, cell: Any, pin: str, size: int, width: int, part: Slice) -> bool:
        """Whether an operand is taken for one with a sign; as one likes if it is not extended."""
        if size >= width:
            return part.signed
        return "1" in cell["parameters"][f"{pin}_SIGNED"]

    def _carry(self, kind: str, rows: Sequence[Sequence[Net]], low: int) -> Form:
        """What the last bits of an addition carry, which are one bit beside a one."""
        last = [row[:low] for row in rows]
        if kind == "$add" and low == 1:
            for one, other in (last, last[::-1]):
                if one == ["1"]:
                    return self.form([*other, "0"], signed=False)
        raise NoForm("a sum without its last bits")
