# SPDX-License-Identifier: BSD-2-Clause
"""Gates for many vectors at once: each net is one integer, with a bit for every vector.

Amaranth's netlist becomes one Python function of bitwise operations, so nothing is compiled by
others, and a hundred thousand vectors of a small unit take less than a C++ compiler needs to start.
Registers keep such an integer from clock to clock.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from macaw.hdl import Design
from macaw.hdl.emit import elaborated

ir: Any = importlib.import_module("amaranth.hdl._ir")
nir: Any = importlib.import_module("amaranth.hdl._nir")

ZERO, ONE = "0", "M"
"""Texts of the nets that are 0 and 1 in all vectors: ``M`` has a bit for each vector."""


class NoPlanes(Exception):
    """What is not simulated in planes."""


class Circuit:
    """The gates of a design.

    Parameters
    ----------
    design : Design

    Raises
    ------
    NoPlanes
        It has cells that are not simulated here.
    """

    def __init__(self, design: Design) -> None:
        module, ports = elaborated(design)
        self.netlist = ir.build_netlist(ir.Fragment.get(module, None), ports=ports)
        top = self.netlist.top
        self.widths = {name: width for name, (_, width) in top.ports_i.items()}
        self.known = {nir.Net.from_const(0): ZERO, nir.Net.from_const(1): ONE}
        self.lines: list[str] = []
        self.fresh = 0
        for name, (start, width) in top.ports_i.items():
            for bit in range(width):
                text = f"i_{self._symbol(name)}_{bit}"
                self.known[nir.Net.from_cell(0, start + bit)] = text
        self.inputs = [
            f"i_{self._symbol(name)}_{bit}" for name, w in self.widths.items() for bit in range(w)
        ]
        self.cells = list(enumerate(self.netlist.cells))
        self.initial: list[int] = []
        states: list[str] = []
        registers = [(n, c) for n, c in self.cells if isinstance(c, nir.FlipFlop)]
        reads = [(n, c) for n, c in self.cells if isinstance(c, nir.SyncReadPort)]
        for number, width, init in [
            *((n, len(c.data), c.init) for n, c in registers),
            *((n, c.width, 0) for n, c in reads),
        ]:
            names = [f"s{number}_{bit}" for bit in range(width)]
            self._define(nir.Net.from_cell(number, 0), names)
            states += names
            self.initial += [init >> bit & 1 for bit in range(width)]
        self.volatile = len(states)
        self.words: dict[int, list[list[str]]] = {}
        for number, cell in self.cells:
            if isinstance(cell, nir.Memory):
                self._store(number, cell, states)
        results = {name: [self._net(n) for n in value] for name, value in top.ports_o.items()}
        # What is reset at any time has its first value behind the next clock edge, too.
        following = [
            self._mux(self._net(cell.arst), (ZERO, ONE)[cell.init >> bit & 1], self._net(net))
            for _, cell in registers
            for bit, net in enumerate(cell.data)
        ]
        for number, cell in reads:
            following += self._read_later(number, cell)
        for number in self.words:
            following += self._written(number)
        self.outputs = list(results)
        body = "\n ".join([*self.lines, "pass"])
        values = ", ".join(f"({', '.join([*nets, ''])})" for nets in results.values())
        arguments = ", ".join([ONE, *self.inputs, *states])
        text = f"def step({arguments}):\n {body}\n return ({values},), [{', '.join(following)}]"
        made: dict[str, Any] = {}
        exec(compile(text, "netlist", "exec"), made)
        self._step = made["step"]

    def step(
        self, everyone: int, inputs: Mapping[str, Sequence[int]], state: Sequence[int]
    ) -> tuple[dict[str, Sequence[int]], list[int]]:
        """Results by port, a plane for each bit, and what registers hold after the clock edge.

        ``everyone`` has a bit for each vector. Inputs that are not given are 0.
        """
        given: list[int] = []
        for name, width in self.widths.items():
            given += inputs.get(name) or [0] * width
        results, following = self._step(everyone, *given, *state)
        return dict(zip(self.outputs, results, strict=True)), following

    @staticmethod
    def _symbol(name: str) -> str:
        return "".join(letter if letter.isalnum() else "_" for letter in name)

    # Memories, each word of which is some more registers, or constants if nothing is written.

    def _writes(self, memory: int) -> list[Any]:
        ports = [c for _, c in self.cells if isinstance(c, nir.SyncWritePort)]
        return [cell for cell in ports if cell.memory == memory]

    def _store(self, memory: int, cell: Any, states: list[str]) -> None:
        words = [[*cell.init, *[0] * cell.depth][place] for place in range(cell.depth)]
        bits = [[word >> bit & 1 for bit in range(cell.width)] for word in words]
        if not self._writes(memory):
            self.words[memory] = [[(ZERO, ONE)[bit] for bit in word] for word in bits]
            return
        self.words[memory] = [
            [f"m{memory}_{place}_{bit}" for bit in range(cell.width)] for place in range(cell.depth)
        ]
        for names, word in zip(self.words[memory], bits, strict=True):
            states += names
            self.initial += word

    def _read(self, memory: int, address: list[str]) -> list[str]:
        words = self.words[memory]
        none = [ZERO] * len(words[0])
        for choose in address:
            pairs = zip(words[::2], [*words[1::2], none], strict=False)
            words = [[self._mux(choose, y, x) for x, y in zip(*p, strict=True)] for p in pairs]
        return words[0]

    def _read_later(self, number: int, cell: Any) -> list[str]:
        if cell.transparent_for:
            raise NoPlanes("no planes of a transparent read port")
        word = self._read(cell.memory, [self._net(net) for net in cell.addr])
        held = [self.known[nir.Net.from_cell(number, bit)] for bit in range(cell.width)]
        enable = self._net(cell.en)
        return [self._mux(enable, x, y) for x, y in zip(word, held, strict=True)]

    def _written(self, memory: int) -> list[str]:
        """Bits of all words behind the next clock edge; none of a memory that is never written."""
        words = self.words[memory]
        for cell in (writes := self._writes(memory)):
            address = [self._net(net) for net in cell.addr]
            enables, data = ([self._net(net) for net in v] for v in (cell.en, cell.data))
            words = [
                [
                    self._mux(self._and(chosen, e), new, old)
                    for e, new, old in zip(enables, data, word, strict=True)
                ]
                for place, word in enumerate(words)
                for chosen in [self._pattern(address, f"{place:0{len(address)}b}")]
            ]
        return [bit for word in words for bit in word] if writes else []

    # Nets, each after those that it depends on.

    def _net(self, net: Any) -> str:
        waiting = [net]
        while waiting:
            top = waiting[-1]
            if top in self.known:
                waiting.pop()
                continue
            cell = self.netlist.cells[top.cell]
            missing = [n for n, _ in cell.comb_edges_to(top.bit) if n not in self.known]
            if missing:
                waiting += missing
            else:
                self._emit(top, cell)
        return self.known[net]

    def _emit(self, net: Any, cell: Any) -> None:
        """Define the net, or all of its cell where these come together."""
        known, bit = self.known, net.bit
        texts = lambda value: [known[n] for n in value]  # noqa: E731
        if isinstance(cell, nir.AssignmentList):
            text = known[cell.default[bit]]
            for each in cell.assignments:
                if 0 <= bit - each.start < len(each.value):
                    text = self._mux(known[each.cond], known[each.value[bit - each.start]], text)
            known[net] = text
        elif isinstance(cell, nir.PriorityMatch):
            others = [self._not(known[n]) for n in cell.inputs[:bit]]
            known[net] = self._all([known[cell.en], known[cell.inputs[bit]], *others])
        elif isinstance(cell, nir.Matches):
            value = texts(cell.value)
            known[net] = self._any([self._pattern(value, each) for each in cell.patterns])
        elif isinstance(cell, nir.Part):
            value = texts(cell.value)
            fill = value[-1] if cell.value_signed and value else ZERO
            for place, choose in enumerate(texts(cell.offset)):
                value = self._shifted(value, choose, cell.stride << place, fill)
            self._define(net, [*value, *[fill] * cell.width][: cell.width])
        elif isinstance(cell, nir.AsyncReadPort):
            self._define(net, self._read(cell.memory, texts(cell.addr)))
        elif isinstance(cell, nir.Operator):
            operands = [[known.get(n, "") for n in value] for value in cell.inputs]
            if cell.operator in ("&", "|", "^"):
                function = {"&": self._and, "|": self._or, "^": self._xor}[cell.operator]
                known[net] = function(operands[0][bit], operands[1][bit])
            elif cell.operator == "~":
                known[net] = self._not(operands[0][bit])
            elif cell.operator == "m":
                known[net] = self._mux(operands[0][0], operands[1][bit], operands[2][bit])
            else:
                self._define(net, self._operator(cell.operator, *operands))
        else:
            raise NoPlanes(f"no planes of a {type(cell).__name__}")

    def _define(self, net: Any, values: list[str]) -> None:
        for bit, text in enumerate(values):
            self.known[nir.Net.from_cell(net.cell, bit)] = text

    def _operator(self, operator: str, a: list[str], b: list[str] | None = None) -> list[str]:
        """Bits of an operator of whole words."""
        if b is None:
            if operator == "-":
                return self._sum([ZERO] * len(a), [self._not(x) for x in a], ONE)[0]
            if operator == "r^":
                text = ZERO
                for each in a:
                    text = self._xor(text, each)
                return [text]
            return [self._all(a) if operator == "r&" else self._any(a)]
        if operator in ("+", "-"):
            inverted = [self._not(x) for x in b] if operator == "-" else b
            return self._sum(a, inverted, ONE if operator == "-" else ZERO)[0]
        if operator == "*":
            total = [ZERO] * len(a)
            for place, choose in enumerate(a):
                if choose != ZERO:
                    row = [self._and(choose, x) for x in b[: len(a) - place]]
                    total[place:] = self._sum(total[place:], row, ZERO)[0]
            return total
        if operator in ("<<", "u>>", "s>>"):
            fill = a[-1] if operator == "s>>" else ZERO
            value = a[::-1] if operator == "<<" else a
            for place, choose in enumerate(b):
                value = self._shifted(value, choose, 1 << min(place, 20), fill)
            return value[::-1] if operator == "<<" else value
        if operator in ("==", "!="):
            unequal = self._any([self._xor(x, y) for x, y in zip(a, b, strict=True)])
            return [unequal if operator == "!=" else self._not(unequal)]
        if operator[1] in "<>":
            return [self._ordered(operator, a, b)]
        raise NoPlanes(f"no planes of {operator}")

    def _ordered(self, operator: str, a: list[str], b: list[str]) -> str:
        if operator[0] == "s":  # as unsigned numbers, from the lowest on
            a, b = ([*x[:-1], self._not(x[-1])] for x in (a, b))
        if operator[1:] in (">", "<="):
            a, b = b, a
        # a - b has a carry where a is not below b.
        carry = self._sum(a, [self._not(x) for x in b], ONE)[1]
        return carry if operator[2:] == "=" else self._not(carry)

    def _sum(self, a: list[str], b: list[str], carry: str) -> tuple[list[str], str]:
        total = []
        for x, y in zip(a, b, strict=True):
            half = self._xor(x, y)
            total.append(self._xor(half, carry))
            carry = self._or(self._and(x, y), self._and(half, carry))
        return total, carry

    def _shifted(self, value: list[str], choose: str, amount: int, fill: str) -> list[str]:
        moved = [*value[amount:], *[fill] * min(amount, len(value))]
        return [self._mux(choose, x, y) for x, y in zip(moved, value, strict=True)]

    def _pattern(self, value: list[str], pattern: str) -> str:
        bits = zip(reversed(pattern), value, strict=True)  # the highest bit is written first
        return self._all([x if bit == "1" else self._not(x) for bit, x in bits if bit != "-"])

    # Single operations, with what constants make of them.

    def _new(self, text: str) -> str:
        self.fresh += 1
        self.lines.append(f"t{self.fresh} = {text}")
        return f"t{self.fresh}"

    def _not(self, x: str) -> str:
        return {ZERO: ONE, ONE: ZERO}.get(x) or self._new(f"M ^ {x}")

    def _and(self, x: str, y: str) -> str:
        if ZERO in (x, y):
            return ZERO
        return y if x == ONE else x if y in (ONE, x) else self._new(f"{x} & {y}")

    def _or(self, x: str, y: str) -> str:
        if ONE in (x, y):
            return ONE
        return y if x == ZERO else x if y in (ZERO, x) else self._new(f"{x} | {y}")

    def _xor(self, x: str, y: str) -> str:
        if x == y:
            return ZERO
        if ONE in (x, y):
            return self._not(y if x == ONE else x)
        return y if x == ZERO else x if y == ZERO else self._new(f"{x} ^ {y}")

    def _mux(self, choose: str, x: str, y: str) -> str:
        if x == y or choose in (ZERO, ONE):
            return x if choose == ONE or x == y else y
        return self._new(f"{y} ^ {choose} & ({x} ^ {y})")

    def _all(self, values: list[str]) -> str:
        text = ONE
        for each in values:
            text = self._and(text, each)
        return text

    def _any(self, values: list[str]) -> str:
        text = ZERO
        for each in values:
            text = self._or(text, each)
        return text


def planes(words: np.ndarray, width: int) -> list[int]:
    """An integer with a bit for each row, for each of ``width`` bits of rows of 64-bit words."""
    found = []
    for bit in range(width):
        column = (words[:, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1)
        packed = np.packbits(column.astype(np.uint8), bitorder="little")
        found.append(int.from_bytes(packed.tobytes(), "little"))
    return found
