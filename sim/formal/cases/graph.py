# SPDX-License-Identifier: BSD-2-Clause
"""And-inverter graphs: read and written as AIGER files, and built with constants folded.

A literal is twice the number of a node, and one more for its inverse: 0 is false and 1 is true.
The format is that of Biere, "The AIGER And-Inverter Graph (AIG) Format" (2007), binary, without
latches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

FALSE, TRUE = 0, 1
Bit = tuple[str, int]
"""A bit of a port: its name and place."""
_SYMBOL = re.compile(rb"(?<=\n)([io])(\d+) (\w+)(?:\[(\d+)\])?(?=\n)")


def constant(value: int, width: int) -> list[int]:
    """The literals of an integer, two's complement, from its last bit on."""
    return [value >> place & 1 for place in range(width)]


def bits_of(words: Mapping[str, Sequence[int]]) -> dict[Bit, int]:
    """The literals of ports, by their bits."""
    return {(name, bit): x for name, word in words.items() for bit, x in enumerate(word)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """A graph as it was read: ands of literals, whose nodes follow those of the inputs."""

    inputs: tuple[Bit, ...]
    ands: tuple[tuple[int, int], ...]
    outputs: dict[Bit, int]

    @classmethod
    def read(cls, data: bytes) -> Circuit:
        """Of a file with the names of its inputs and outputs."""
        heading, rest = data.split(b"\n", 1)
        _, inputs, latches, outputs, ands = (int(word) for word in heading.split()[1:6])
        assert not latches
        driven = []
        for _ in range(outputs):
            literal, rest = rest.split(b"\n", 1)
            driven.append(int(literal))
        position = 0

        def number() -> int:
            nonlocal position
            found = shift = 0
            while True:
                byte = rest[position]
                position += 1
                found |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return found

        pairs = []
        for index in range(ands):
            first = 2 * (inputs + index + 1) - number()
            pairs.append((first, first - number()))
        names: dict[bytes, dict[int, Bit]] = {b"i": {}, b"o": {}}
        for side, index, name, bit in _SYMBOL.findall(b"\n" + rest[position:]):
            names[side][int(index)] = name.decode(), int(bit or 0)
        return cls(
            inputs=tuple(names[b"i"][index] for index in range(inputs)),
            ands=tuple(pairs),
            outputs={names[b"o"][index]: literal for index, literal in enumerate(driven)},
        )

    def port(self, name: str) -> list[int]:
        """The literals of an output, from its last bit on."""
        bits = sorted(bit for port, bit in self.outputs if port == name)
        return [self.outputs[name, bit] for bit in bits]


@dataclass(slots=True)
class Graph:
    """A graph that grows: equal ands are one node, and what is constant is none."""

    ands: list[tuple[int, int] | None] = field(default_factory=lambda: [None])
    names: dict[int, Bit] = field(default_factory=dict[int, Bit])
    _known: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    def input(self, name: str, bit: int) -> int:
        """The literal of a new input."""
        self.names[len(self.ands)] = name, bit
        self.ands.append(None)
        return 2 * (len(self.ands) - 1)

    def word(self, name: str, width: int) -> list[int]:
        """The literals of a new input of several bits."""
        return [self.input(name, bit) for bit in range(width)]

    def both(self, a: int, b: int) -> int:
        """Whether two literals are true."""
        a, b = min(a, b), max(a, b)
        if a == FALSE or a ^ 1 == b:
            return FALSE
        if a in (TRUE, b):
            return b
        node = self._known.get((a, b))
        if node is None:
            node = self._known[a, b] = len(self.ands)
            self.ands.append((a, b))
        return 2 * node

    def every(self, literals: Iterable[int]) -> int:
        """Whether all are true; as a tree, since what reads deep graphs runs out of its stack."""
        row = [*literals]
        while len(row) > 1:
            pairs = [self.both(a, b) for a, b in zip(row[::2], row[1::2], strict=False)]
            row = [*pairs, *row[2 * len(pairs) :]]
        return row[0] if row else TRUE

    def some(self, literals: Iterable[int]) -> int:
        """Whether one is true."""
        return self.every(literal ^ 1 for literal in literals) ^ 1

    def differ(self, a: int, b: int) -> int:
        """Whether one of two is true, and not the other."""
        return self.some((self.both(a, b ^ 1), self.both(a ^ 1, b)))

    def unequal(self, a: Sequence[int], b: Sequence[int]) -> int:
        """Whether two words differ, the shorter one with zeros before it."""
        width = max(len(a), len(b))
        pairs = zip(_wide(a, width), _wide(b, width), strict=True)
        return self.some(self.differ(x, y) for x, y in pairs)

    def sum(self, a: Sequence[int], b: Sequence[int], width: int) -> list[int]:
        """The last ``width`` bits of a sum."""
        carry, found = FALSE, []
        for x, y in zip(_wide(a, width), _wide(b, width), strict=True):
            either = self.differ(x, y)
            found.append(self.differ(either, carry))
            carry = self.some((self.both(x, y), self.both(either, carry)))
        return found

    def copied(self, circuit: Circuit, inputs: Mapping[Bit, int]) -> dict[Bit, int]:
        """The outputs of a circuit whose inputs are these."""
        literals = [FALSE, *(2 * n for n in range(len(circuit.inputs)))]
        for node, name in enumerate(circuit.inputs, 1):
            literals[node] = inputs[name]
        for a, b in circuit.ands:
            literals.append(self.both(literals[a >> 1] ^ a & 1, literals[b >> 1] ^ b & 1))
        return {name: literals[x >> 1] ^ x & 1 for name, x in circuit.outputs.items()}

    def values(self, inputs: Mapping[int, bool]) -> list[bool]:
        """What each node is, for inputs by their nodes."""
        found: list[bool] = []
        for node, pair in enumerate(self.ands):
            if pair is None:
                found.append(inputs.get(node, False))
            else:
                a, b = pair
                found.append((found[a >> 1] ^ bool(a & 1)) and (found[b >> 1] ^ bool(b & 1)))
        return found

    def aiger(self, output: int) -> tuple[bytes, tuple[Bit, ...]]:
        """The file of what decides one output, and the names of its inputs in their order."""
        needed: set[int] = set()
        left = [output >> 1]
        while left:
            node = left.pop()
            if node and node not in needed:
                needed.add(node)
                pair = self.ands[node]
                left += [pair[0] >> 1, pair[1] >> 1] if pair else []
        inputs = [node for node in sorted(needed) if node in self.names]
        inner = [node for node in sorted(needed) if node not in self.names]
        place = {node: index for index, node in enumerate((0, *inputs, *inner))}
        data = bytearray()

        def put(number: int) -> None:
            while number >= 128:
                data.append(number & 127 | 128)
                number >>= 7
            data.append(number)

        for node in inner:
            pair = self.ands[node]
            assert pair is not None
            last, first = sorted(2 * place[x >> 1] | x & 1 for x in pair)
            put(2 * place[node] - first)
            put(first - last)
        heading = f"aig {len(place) - 1} {len(inputs)} 0 1 {len(inner)}\n"
        driven = 2 * place[output >> 1] | output & 1
        return f"{heading}{driven}\n".encode() + data, tuple(self.names[node] for node in inputs)


def _wide(word: Sequence[int], width: int) -> list[int]:
    return [*word[:width], *[FALSE] * (width - len(word))]
