# SPDX-License-Identifier: BSD-2-Clause
"""Multiplications that are taken out of both sides of a question, and one product for both.

Both sides multiply the same significands, and nothing is hard to decide but that. So their
multipliers become inputs of the graph: the product is any number of which is known what is known of
a product of two significands, and beside what is asked it is asked whether the operands of the
multipliers are those significands. A side that puts its product together of partial ones, as
multipliers of FPGAs are too small for it, has these as inputs, and their sum is the product.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .graph import FALSE, Bit, Circuit, Graph, bits_of
from .numbers import Case, Class, Numbers, Operands, Word, uncovered

MODULE = "macaw_miter"
SIDES = ("gates", "reference")


@dataclass(frozen=True, kw_only=True, slots=True)
class Partial:
    """A multiplication of one side: the name of its ports, and how wide its result is."""

    name: str
    side: str
    width: int
    signed: bool


def taken_out(netlist: Path, result: Path) -> tuple[Partial, ...]:
    """Make ports of the multiplications in a flat netlist of Yosys, and write it anew."""
    design: dict[str, Any] = json.loads(netlist.read_text(encoding="utf-8"))
    module = design["modules"][MODULE]
    found: list[Partial] = []
    for cell, content in list(module["cells"].items()):
        if content["type"] != "$mul":
            continue
        del module["cells"][cell]
        side = next(side for side in SIDES if f"{side}." in cell)
        name = f"product{len(found)}"
        pins = content["connections"]
        signed = "1" in content["parameters"]["A_SIGNED"]
        found.append(Partial(name=name, side=side, width=len(pins["Y"]), signed=signed))
        for port, bits, direction in (
            (name, pins["Y"], "input"),
            (f"{name}_a", pins["A"], "output"),
            (f"{name}_b", pins["B"], "output"),
        ):
            module["ports"][port] = {"direction": direction, "bits": bits}
            module["netnames"][port] = {"hide_name": 0, "bits": bits, "attributes": {}}
    result.write_text(json.dumps(design), encoding="utf-8")
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """What of which operand a factor is."""

    operand: str
    first: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Products:
    """The multiplications of a circuit, all of the same two significands.

    ``partial`` are those of the gates, in places that together are the whole product, of which the
    reference may have one for each direction of rounding.
    """

    numbers: Numbers
    circuit: Circuit
    partial: tuple[tuple[Partial, Slice, Slice], ...]
    whole: tuple[Partial, ...]

    @classmethod
    def of(cls, numbers: Numbers, circuit: Circuit, found: Sequence[Partial]) -> Products | None:
        """None where the sides do not multiply as is needed here."""
        whole = [each for each in found if each.side == "reference"]
        if not whole or any(each.signed for each in found):
            return None
        if any(each.width < sum(map(numbers.digits, numbers.names[:2])) for each in whole):
            return None
        partial = []
        for each in found:
            if each.side != "gates":
                continue
            factors = [_slice(circuit.port(f"{each.name}_{x}"), circuit, numbers) for x in "ab"]
            a, b = factors
            if a is None or b is None or a.width + b.width > each.width:
                return None
            partial.append((each, a, b))
        made = cls(numbers=numbers, circuit=circuit, partial=tuple(partial), whole=tuple(whole))
        return made if made._complete() else None

    def _complete(self) -> bool:
        """Whether each bit of one significand meets each of the other exactly once."""
        first, second = self.numbers.names[:2]
        met: list[tuple[int, int]] = []
        for _, *factors in self.partial:
            places = {each.operand: range(each.first, each.first + each.width)
                      for each in factors}  # fmt: skip
            if {*places} != {first, second}:
                return False
            met += [(i, j) for i in places[first] for j in places[second]]
        wide, narrow = (range(self.numbers.digits(name)) for name in (first, second))
        return sorted(met) == [(i, j) for i in wide for j in narrow]

    @property
    def _size(self) -> int:
        """Bits of the whole product."""
        return sum(map(self.numbers.digits, self.numbers.names[:2]))

    def inputs(self, graph: Graph, case: Case) -> tuple[dict[Bit, int], int]:
        """What the multipliers give, and whether that may be so."""
        found: dict[Bit, int] = {}
        kinds = [case.kinds[name] for name in self.numbers.names[:2]]
        partial = [self._partial(graph, each, kinds) for each in self.partial]
        for (each, _, _), word in zip(self.partial, partial, strict=True):
            found |= _port(each, word)
        zeros = [kind if isinstance(kind, int) else 0 for kind in kinds]
        known = all(isinstance(kind, int) or kind is Class.NORMAL for kind in kinds)
        if kinds == [Class.SUBNORMAL] * 2:
            # So small that nothing counts but that it is not zero.
            total = self._total(graph, partial, self._size)
            whole = graph.word("whole", self._size)
            found |= self._all(whole)
            return found, graph.both(graph.some(total), graph.some(whole[-2:]))
        if not known:
            # Of no number, or of a zero, nothing follows from the product.
            found |= self._all(graph.word("whole", max(each.width for each in self.whole)))
            return found, 1
        size, lost = self._size, sum(zeros)
        total = self._total(graph, partial, size)
        # It is below 2**(size - lost), and no less than a quarter of that.
        top = total[: size - lost]
        may = graph.every([graph.some(top[-2:]), *(bit ^ 1 for bit in total[size - lost :])])
        return found | self._all([*[FALSE] * lost, *top]), may

    def _all(self, word: Word) -> dict[Bit, int]:
        """The same for each product of the reference."""
        ports = [_port(each, word[: each.width]) for each in self.whole]
        return {bit: literal for port in ports for bit, literal in port.items()}

    def _partial(self, graph: Graph, each: tuple[Partial, Slice, Slice], kinds: Any) -> Word:
        """A partial product: any number with as many bits as its factors have."""
        if Class.ZERO in kinds:
            return []
        product, a, b = each
        width = a.width + b.width
        if len(self.partial) == 1:  # and is the whole one
            width -= sum(kind for kind in kinds if isinstance(kind, int))
        return graph.word(product.name, width)

    def _total(self, graph: Graph, partial: Sequence[Word], size: int) -> Word:
        """The sum of partial products in their places: those that do not overlap are one word."""
        rows: list[Word] = []
        places = [a.first + b.first for _, a, b in self.partial]
        for place, word in sorted(zip(places, partial, strict=True), key=lambda pair: pair[0]):
            row = next((row for row in rows if len(row) <= place), None)
            if row is None:
                rows.append(row := [])
            row += [*[FALSE] * (place - len(row)), *word]
        first, *others = rows
        if not others:
            return [*first, *[FALSE] * (size - len(first))]
        rest = others[0]
        for row in others[1:]:
            rest = graph.sum(rest, row, size)
        return graph.sum(first, rest, size)

    def wrong(self, graph: Graph, case: Case, operands: Operands, made: dict[Bit, int]) -> int:
        """Whether a multiplier has other factors than these significands."""
        names = self.numbers.names[:2]
        kinds = [case.kinds[name] for name in names]
        if Class.SPECIAL in kinds:
            return FALSE  # nothing was said of the products
        kept = {
            name: self._significand(name, kind, operands[name])
            for name, kind in zip(names, kinds, strict=True)
        }
        found = []
        for each, *factors in self.partial:
            for port, factor in zip("ab", factors, strict=True):
                have = _made(made, f"{each.name}_{port}")
                want = kept[factor.operand][factor.first : factor.first + factor.width]
                found.append(graph.unequal(have, want))
        if Class.ZERO in kinds:
            return graph.some(found)
        pins = ((whole.name, *pin) for whole in self.whole
                for pin in zip("ab", names, kinds, strict=True))  # fmt: skip
        for whole, port, name, kind in pins:
            word, have = kept[name], _made(made, f"{whole}_{port}")
            if kind is Class.SUBNORMAL:
                # What was said of the product is so of any factor with its leading bit.
                size = self.numbers.digits(name)
                found += [have[size - 1] ^ 1, *have[size:]]
                continue
            zeros = kind if isinstance(kind, int) else 0
            want = [*[FALSE] * zeros, *word[: len(word) - zeros]]
            found.append(graph.unequal(have, want))
        return graph.some(found)

    def _significand(self, name: str, kind: Any, word: Word) -> Word:
        return [*word[: self.numbers.digits(name) - 1], int(kind is Class.NORMAL)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Multiplied:
    """A question in cases of what its operands are, with its products taken out if it has any."""

    numbers: Numbers
    products: Products | None
    others: dict[str, int]
    """Widths of operands that are no numbers."""

    def cases(self) -> Sequence[Case]:
        """Of all operands."""
        return list(self.numbers.cases())

    def uncovered(self, cases: Sequence[Case]) -> Iterator[tuple[Graph, int]]:
        """Operands of no case, as :func:`macaw.sim.formal.cases.numbers.uncovered` says."""
        return uncovered(self.numbers, cases)

    def part(self, circuit: Circuit, case: Case) -> tuple[Graph, int, Operands]:
        """Operands of a case on which the sides differ, or multiply something else."""
        graph = Graph()
        widths = {name: self.numbers.format(name).width for name in self.numbers.names}
        free = {name: graph.word(name, width) for name, width in widths.items()}
        operands = self.numbers.fixed(graph, case, free)
        others = {name: graph.word(name, width) for name, width in self.others.items()}
        inputs = bits_of(operands | others)
        may = self.numbers.holds(graph, case, operands)
        if self.products is not None:
            more, possible = self.products.inputs(graph, case)
            inputs |= more
            may = graph.both(may, possible)
        made = graph.copied(circuit, inputs)
        wrong = made["bad", 0]
        if self.products is not None:
            wrong = graph.some((wrong, self.products.wrong(graph, case, operands, made)))
        return graph, graph.both(may, wrong), operands | others


@dataclass(kw_only=True, slots=True)
class Factors:
    """How multiplications are taken out of the question of some operands."""

    numbers: Numbers
    others: dict[str, int]
    found: tuple[Partial, ...] = ()

    def take(self, netlist: Path, result: Path) -> bool:
        """Write the netlist without them."""
        self.found = taken_out(netlist, result)
        return True

    def split(self, circuit: Circuit) -> Multiplied | None:
        """None where the sides do not multiply as is needed."""
        if not self.numbers.product:
            products = None
            if self.found:
                return None
        elif (products := Products.of(self.numbers, circuit, self.found)) is None:
            return None
        return Multiplied(numbers=self.numbers, products=products, others=self.others)


def _slice(word: Word, circuit: Circuit, numbers: Numbers) -> Slice | None:
    """Which bits of a significand these are: of a port's fraction, and the implicit one."""
    while word and word[-1] == FALSE:
        word = word[:-1]
    if not word or word[0] & 1 or not 0 < word[0] >> 1 <= len(circuit.inputs):
        return None
    operand, first = circuit.inputs[(word[0] >> 1) - 1]
    if operand not in numbers.names or first + len(word) > numbers.digits(operand):
        return None
    return Slice(operand=operand, first=first, width=len(word))


def _port(partial: Partial, word: Word) -> dict[Bit, int]:
    wide = [*word, *[FALSE] * (partial.width - len(word))]
    return {(partial.name, bit): literal for bit, literal in enumerate(wide)}


def _made(made: dict[Bit, int], name: str) -> Word:
    bits = sorted(bit for port, bit in made if port == name)
    return [made[name, bit] for bit in bits]
