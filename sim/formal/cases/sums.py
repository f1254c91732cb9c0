# SPDX-License-Identifier: BSD-2-Clause
"""The sum of the lanes taken out of both sides of a question, and one number for both.

What is hard to decide of a dot product is that its products are added in another order than the
reference adds them. So the sum becomes an input: any number between its least and its largest. That
both sides have this sum is seen of their :mod:`linear forms <macaw.sim.formal.cases.linear>`, of
which each lane has its own part: this is compared for all codes of the lane's operands.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from macaw.golden.formats import Float, Format

from .graph import FALSE, Circuit, Graph, bits_of, constant
from .linear import Bound, Form, Netlist, NoForm
from .numbers import Case, Class, Kind, Numbers, Operands, Word, uncovered
from .products import MODULE
from .scaled import SUM, Scaled, Scaling, digits, understood, within
from .values import Values, special_codes

LANE = 20
"""Bits of the operands of a lane up to which all their codes are tried."""
SPECIAL = "lanes"
"""The name in a case of what is there in some lane."""
_SUMS = ("gates_sum", "reference_sum")
LEAST = 10
"""Bits of an addend from which on it is asked about in cases."""
SCALES = ("i_a_scale", "i_b_scale")
TOTAL = "p_total"
"""The sum's name in the reference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """The sums of both sides, whose bits are the inputs ``gates_sum`` and ``reference_sum``.

    ``leaves`` are the places in the output ``leaves`` of the bits that the forms have.
    """

    forms: tuple[Form, Form]
    widths: tuple[int, int]
    bounds: tuple[Bound, ...]
    leaves: dict[int, int]
    lanes: dict[int, int]
    scaling: Scaling | None


def taken_out(
    netlist: Path, result: Path, whole: dict[str, int], *, scaled: bool = False
) -> Taken | None:
    """Make ports of the sums of lanes in a flat netlist of Yosys, and write it anew.

    Where they are ``scaled`` by a number, of these products too. None where there are none, or
    what they are the sums of is not seen.
    """
    design: dict[str, Any] = json.loads(netlist.read_text(encoding="utf-8"))
    module = design["modules"][MODULE]
    try:
        net = Netlist(module, whole)
        cells = [_last(net, "gates"), _named(net, f"reference.{TOTAL}")]
        words = [_used(net, cells[0]), [*net.cells[cells[1]]["connections"]["Y"]]]
        forms = [net.form(word, signed=True) for word in words]
        scaling = Scaling.taken_out(module, words) if scaled else None
    except NoForm:
        return None
    unread = max(net.driver)
    leaves = sorted({bit for form in (*forms, *(each.form for each in net.bounds))
                     for bit in form.bits})  # fmt: skip
    ports = [*zip(_SUMS, words, strict=True), ("leaves", leaves)]
    for bit in (*words[0], *words[1]):
        cell, place = net.driver[bit]
        net.cells[cell]["connections"]["Y"][place] = (unread := unread + 1)
    for name, bits in ports:
        direction = "output" if name == "leaves" else "input"
        module["ports"][name] = {"direction": direction, "bits": bits}
        module["netnames"][name] = {"hide_name": 0, "bits": bits, "attributes": {}}
    result.write_text(json.dumps(design), encoding="utf-8")
    return Taken(
        forms=(forms[0], forms[1]),
        widths=(len(words[0]), len(words[1])),
        bounds=tuple(net.bounds),
        leaves={bit: place for place, bit in enumerate(leaves)},
        lanes={bit: net.lanes(bit).bit_length() - 2 for bit in leaves},
        scaling=scaling,
    )


def _last(net: Netlist, side: str) -> str:
    sums = net.sums(side)
    if not sums:
        raise NoForm("no sum")
    return sums[-1]


def _named(net: Netlist, name: str) -> str:
    bits = net.names.get(name, {}).get("bits")
    for cell in net.sums("reference"):
        if net.cells[cell]["connections"]["Y"] == bits:
            return cell
    raise NoForm(f"no sum {name}")


def _used(net: Netlist, cell: str) -> list[int]:
    """What a cell gives, without last bits that nothing reads, or with what is read for them."""
    read = {bit for name in net.cells for bit in net.pins(name)}
    beside = {last: bit for bit, last in net.same.items() if bit in read}
    word: list[int] = []
    for bit in net.cells[cell]["connections"]["Y"]:
        used = bit if bit in read else beside.get(bit)
        if used is not None or word:
            word.append(bit if used is None else used)
    return word


@dataclass(frozen=True, kw_only=True, slots=True)
class Addend(Numbers):
    """An addend of a sum, in cases of its exponent, of each one.

    Those that are too far away to meet the sum are not one case: there the reference shifts by so
    many places, and the gates do not.
    """

    product: bool = False

    def cases(self) -> Iterator[Case]:
        """Cases that together are all operands: a "distance" is the exponent itself."""
        (name,) = self.names
        for kind in (Class.SPECIAL, Class.ZERO, *range(1, self.precision)):
            yield Case(kinds={name: kind})
        for exponent in range(1, (1 << self.fmt.exponent) - 1):
            yield Case(kinds={name: Class.NORMAL}, low=exponent, high=exponent)

    def _distance(self, graph: Graph, operands: Operands) -> Word:
        field = self._place(graph, self.names[0], operands[self.names[0]])
        return [*field, *[FALSE] * (self.span - len(field))]

    def _solved(self, graph: Graph, distance: int, name: str, operands: Operands) -> Word:
        return constant(distance, self.fmt.exponent)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """A question about lanes whose sum is taken out, in cases of what is added to it, if any.

    ``names`` has the widths of all operands, ``formats`` those of a lane's. ``shifts`` are the
    zeros that the sums of the gates and of the reference have behind the number, which is between
    ``ends``, and ``widths`` how wide they are; ``scaling`` multiplies them by up to ``factor``.
    """

    numbers: Addend | Scaled | None
    names: dict[str, int]
    formats: dict[str, Format]
    shifts: tuple[int, int]
    widths: tuple[int, int]
    ends: tuple[int, int]
    scaling: Scaling | None = None
    factor: int = 1

    def cases(self) -> Sequence[Case]:
        """Of lanes that are no numbers, and of those that are by the addend, if there is one."""
        special = any(special_codes(fmt) for fmt in self.formats.values())
        return [
            *([Case(kinds={SPECIAL: Class.SPECIAL})] if special else []),
            *(self.numbers.cases() if self.numbers else [Case(kinds={})]),
        ]

    def uncovered(self, cases: Sequence[Case]) -> Iterator[tuple[Graph, int]]:
        """Operands of no case, of each kind of sum that there is one for."""
        if self.numbers is None:
            return
        families: dict[Any, list[Case]] = {}
        for case in cases:
            if SPECIAL not in case.kinds:
                families.setdefault(case.kinds.get(SUM), []).append(self._addend(case))
        for family in families.values():
            yield from uncovered(self.numbers, family)

    def part(self, circuit: Circuit, case: Case) -> tuple[Graph, int, Operands]:
        """Operands of a case on which the sides differ, with any sum, or any two of no numbers."""
        graph = Graph()
        operands = {name: graph.word(name, width) for name, width in self.names.items()}
        words = dict(operands)
        if SPECIAL in case.kinds:
            may = [self._special(graph, operands)]
            for side, width in zip(_SUMS, self.widths, strict=True):
                words[side] = graph.word(side, width)
            if self.scaling:
                free: dict[str, Kind] = dict.fromkeys(SCALES, Class.SPECIAL)
                words |= self.scaling.inputs(graph, Case(kinds=free), [], (0, 0), self.shifts)[0]
        else:
            number = self._number(graph, case.kinds.get(SUM))
            may = [within(graph, number, self.ends), self._special(graph, operands) ^ 1]
            if case.kinds.get(SUM) is Class.NORMAL:
                may.append(graph.some(number))
            for side, shift, width in zip(_SUMS, self.shifts, self.widths, strict=True):
                words[side] = [*[FALSE] * shift, *number, *number[-1:] * width][:width]
            if self.numbers:
                addend = {name: operands[name] for name in self.numbers.names}
                operands |= self.numbers.fixed(graph, self._addend(case), addend)
                may.append(self.numbers.holds(graph, self._addend(case), operands))
                words |= operands
            if self.scaling:
                more, possible = self.scaling.inputs(
                    graph, case, number, _times(self.ends, self.factor), self.shifts
                )
                words |= more
                may.append(possible)
        made = graph.copied(circuit, bits_of(words))
        wrong = made["bad", 0]
        if self.scaling and SPECIAL not in case.kinds:
            wrong = graph.some((wrong, self.scaling.wrong(graph, case, made)))
        return graph, graph.every([*may, wrong]), operands

    def _number(self, graph: Graph, kind: Kind | None) -> Word:
        size = digits(self.ends)
        return constant(0, size) if kind is Class.ZERO else graph.word("sum", size)

    def _addend(self, case: Case) -> Case:
        """What a case says of operands."""
        kinds = {name: kind for name, kind in case.kinds.items() if name in self.names}
        return replace(case, kinds=kinds)

    def _special(self, graph: Graph, operands: Operands) -> int:
        """Whether one operand of a lane is no number."""
        return graph.some(
            graph.unequal(operands[name][first : first + fmt.width], constant(code, fmt.width)) ^ 1
            for name, fmt in self.formats.items()
            for code in special_codes(fmt)
            for first in range(0, len(operands[name]), fmt.width)
        )


@dataclass(kw_only=True, slots=True)
class Lanes:
    """How the sum of lanes is taken out of the question of some operands."""

    ports: dict[str, Any]
    out: Format
    taken: Taken | None = None

    @property
    def formats(self) -> dict[str, Format]:
        """Of the operands that have lanes, by the names of their ports."""
        return {name: self.ports[name].format for name in ("i_a", "i_b")}

    def take(self, netlist: Path, result: Path) -> bool:
        """Write the netlist without it."""
        whole = {name: fmt.width for name, fmt in self.formats.items()}
        if sum(whole.values()) <= LANE:
            self.taken = taken_out(netlist, result, whole, scaled=self._factor > 1)
        return self.taken is not None

    @property
    def _factor(self) -> int:
        """The largest number that the significands of scales multiply a sum by."""
        formats = (self.ports[name].format for name in SCALES if name in self.ports)
        return math.prod((1 << fmt.mantissa + 1) - 1 for fmt in formats if isinstance(fmt, Float))

    def split(self, circuit: Circuit) -> Sums | None:
        """None where the sums are not equal, or may run over, or that is too much to see."""
        taken = self.taken
        if taken is None:
            return None
        values = Values(
            circuit=circuit, leaves=taken.leaves, lanes=taken.lanes, formats=self.formats
        )
        factor = values.factor(*taken.forms) if values.within(taken.bounds) else None
        if factor is None:
            return None
        shifts = (factor.denominator.bit_length() - 1, factor.numerator.bit_length() - 1)
        low, high = (end >> shifts[0] for end in values.ends(taken.forms[0]))
        numbers = self._addend()
        if SCALES[0] in self.ports:
            ends = _times((low, high), self._factor)
            if taken.scaling and not taken.scaling.holds(ends, shifts):
                return None
            numbers = self._scaled(digits(ends))
            if numbers is None:
                return None
        return Sums(
            numbers=numbers,
            names={name: port.width for name, port in self.ports.items()},
            formats=self.formats,
            shifts=shifts,
            widths=taken.widths,
            ends=(low, high),
            scaling=taken.scaling,
            factor=self._factor,
        )

    def _addend(self) -> Addend | None:
        """The cases of what is added to a sum; None if it is one."""
        port = self.ports.get("i_c")
        if port is None or not isinstance(port.format, Float) or port.format.width < LEAST:
            return None
        fmt = port.format
        if not fmt.signed or not fmt.zero:
            return None
        return Addend(fmt=fmt, names=("i_c",))

    def _scaled(self, size: int) -> Scaled | None:
        """The cases of scales and addend of a sum of so many bits; None if there are none."""
        names = (*SCALES, "i_c")
        first, second, fmt = (self.ports[name].format for name in names)
        if first != second or not understood(first) or not isinstance(fmt, Float):
            return None
        if not isinstance(self.out, Float) or not fmt.signed or not fmt.zero:
            return None
        # How far apart the last bits of both are where the distance is 0.
        weight = sum(_quantum(each) for each in self.formats.values())
        apart = weight + 2 * first.quantum - fmt.quantum + 1
        more = self.out.mantissa + 4
        return Scaled(
            fmt=fmt,
            names=names,
            scale=first,
            low=-size - more - apart,
            high=fmt.mantissa + more - apart,
        )


def _times(ends: tuple[int, int], factor: int) -> tuple[int, int]:
    return ends[0] * factor, ends[1] * factor


def _quantum(fmt: Format) -> int:
    return fmt.quantum if isinstance(fmt, Float) else -getattr(fmt, "fraction", 0)
