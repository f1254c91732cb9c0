# SPDX-License-Identifier: BSD-2-Clause
"""The cases of a sum or product of floats: what its operands are, and how far apart.

A case is a condition on the operands, and which of their bits follow from the others under it: a
subnormal number with its leading one in a place has a field of zeros and so many more behind it,
and with a distance given the last exponent is a sum of the others. What follows is put in for what
it is, so that shifts are by constants.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from macaw.golden.formats import Float

from .graph import FALSE, TRUE, Graph, constant


class Class(Enum):
    """What is known of an operand."""

    SPECIAL = "special"
    """Infinite or NaN."""
    ZERO = "zero"
    SUBNORMAL = "subnormal"
    """And not zero."""
    NORMAL = "normal"


Kind = Class | int
"""A number is a subnormal one with so many zeros from its implicit bit on."""
Word = list[int]
Operands = dict[str, Word]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Operands of these kinds, with ``low`` to ``high`` places between them, if that is said.

    ``None`` is without end. The distance is that of the exponents, of a product their sum, from
    that of the last operand; zeros and subnormal numbers have that of the least normal one.
    """

    kinds: dict[str, Kind]
    low: int | None = None
    high: int | None = None

    def __str__(self) -> str:
        kinds = (f"{k.value}" if isinstance(k, Class) else f"subnormal/{k}"
                 for k in self.kinds.values())  # fmt: skip
        ends = ("" if end is None else str(end) for end in (self.low, self.high))
        apart = "" if self.low is None and self.high is None else f" {'..'.join(ends)}"
        return ", ".join(kinds) + apart


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """The operands of a unit, all of one IEEE format; of a product the first two are factors."""

    fmt: Float
    names: tuple[str, ...]
    product: bool

    def format(self, name: str) -> Float:
        """That of an operand."""
        return self.fmt

    @property
    def precision(self) -> int:
        """Digits of a significand, the implicit one with them."""
        return self.fmt.mantissa + 1

    def digits(self, name: str) -> int:
        """Those of an operand's significand."""
        return self.format(name).mantissa + 1

    @property
    def offset(self) -> int:
        """What the exponents' fields of factors have too much together."""
        return self.fmt.bias if self.product else 0

    @property
    def span(self) -> int:
        """Bits of a signed distance."""
        return max(self.format(name).exponent for name in self.names) + 3

    def cases(self) -> Iterator[Case]:
        """Cases that together are all operands: see :func:`uncovered`."""
        classes = (Class.SPECIAL, Class.ZERO, Class.SUBNORMAL, Class.NORMAL)
        for kinds in itertools.product(classes, repeat=len(self.names)):
            if Class.SPECIAL in kinds:
                yield Case(kinds=dict(zip(self.names, kinds, strict=True)))
            elif Class.ZERO in kinds[:2]:
                yield from self._zeros(kinds)
            else:
                yield from self._numbers(kinds)

    def _zeros(self, classes: tuple[Class, ...]) -> Iterator[Case]:
        """Of a term that is zero: the other one is what the result is rounded from."""
        whole = 2 if self.product else 0
        terms = (self._leading(kind) for kind in classes[whole:])
        for split in itertools.product(*terms):
            yield Case(kinds=dict(zip(self.names, (*classes[:whole], *split), strict=True)))

    def _leading(self, kind: Class) -> Sequence[Kind]:
        """A subnormal number by the zeros before its digits."""
        return range(1, self.precision) if kind is Class.SUBNORMAL else (kind,)

    def _numbers(self, classes: tuple[Class, ...]) -> Iterator[Case]:
        """Of terms that are not zero, but the last one of a product may be."""
        kinds: dict[str, Kind] = dict(zip(self.names, classes, strict=True))
        if not self.product:
            # Each distance, however far: in one case of all that are far both sides shift by what
            # they like, and that is hard to decide.
            far = 1 << self.fmt.exponent
            # Which of its digits a shift loses counts of the lesser one, so that it is split.
            split = [(kind,) if classes == (Class.SUBNORMAL,) * 2 else self._leading(kind)
                     for kind in classes]  # fmt: skip
            for each in itertools.product(*split):
                yield from self._apart(dict(zip(self.names, each, strict=True)), -far, far)
            return
        if classes[:2] == (Class.SUBNORMAL,) * 2 and self._between(kinds)[1] < self._ends(0)[0]:
            yield Case(kinds=kinds)  # whatever they are
            return
        for split in itertools.product(*(self._leading(kind) for kind in classes[:2])):
            kinds |= zip(self.names, split, strict=False)
            if classes[2:] in ((), (Class.ZERO,)):
                yield Case(kinds=dict(kinds))
            else:
                # A product has twice the digits, and as many less as it has zeros before them.
                zeros = sum(kind for kind in split if isinstance(kind, int))
                yield from self._apart(dict(kinds), *self._ends(zeros))

    def _ends(self, zeros: int) -> tuple[int, int]:
        """Between which distances a product and an addend meet."""
        return zeros - self.precision - 3, zeros + 2 * self.precision + 2

    def _apart(self, kinds: dict[str, Kind], low: int, high: int) -> Iterator[Case]:
        """One of each distance that can be, and two of those that are farther."""
        least, most = self._between(kinds)
        if least < low:
            yield Case(kinds=kinds, high=min(low - 1, most))
        for distance in range(max(low, least), min(high, most) + 1):
            yield Case(kinds=kinds, low=distance, high=distance)
        if most > high:
            yield Case(kinds=kinds, low=max(high + 1, least))

    def _between(self, kinds: dict[str, Kind]) -> tuple[int, int]:
        """The least and the most distance of operands of these kinds."""
        most = (1 << self.fmt.exponent) - 2
        every = [most if kinds[name] is Class.NORMAL else 1 for name in self.names]
        if self.product and len(every) == 2:
            every.append(1)  # of the least number there is
        *first, last = every
        return len(first) - self.offset - last, sum(first) - self.offset - 1

    def exponent(self, name: str, word: Word) -> Word:
        """The exponent's field of an operand."""
        fmt = self.format(name)
        return word[fmt.mantissa : fmt.mantissa + fmt.exponent]

    def holds(self, graph: Graph, case: Case, operands: Operands) -> int:
        """Whether operands are of a case."""
        every = [self._is(graph, name, kind, operands[name]) for name, kind in case.kinds.items()]
        if case.low is None and case.high is None:
            return graph.every(every)
        apart = self._distance(graph, operands)
        if case.low == case.high and case.low is not None:
            every.append(graph.unequal(apart, constant(case.low, self.span)) ^ 1)
        else:
            every += [self._below(graph, apart, end, side) for end, side in
                      ((case.low, False), (case.high, True)) if end is not None]  # fmt: skip
        return graph.every(every)

    def _is(self, graph: Graph, name: str, kind: Kind, word: Word) -> int:
        field = self.exponent(name, word)
        fraction = word[: self.format(name).mantissa]
        none = graph.some(field) ^ 1 if self.format(name).zero else FALSE
        if kind is Class.SPECIAL:
            return graph.every(field)
        if kind is Class.NORMAL:
            return graph.both(none ^ 1, graph.every(field) ^ 1)
        if kind is Class.ZERO:
            return graph.both(none, graph.some(fraction) ^ 1)
        if kind is Class.SUBNORMAL:
            return graph.both(none, graph.some(fraction))
        assert isinstance(kind, int)
        top = fraction[::-1]
        return graph.every([none, *(bit ^ 1 for bit in top[: kind - 1]), top[kind - 1]])

    def _place(self, graph: Graph, name: str, word: Word) -> Word:
        """The exponent's field, 1 where it is that of no normal number."""
        low, *field = self.exponent(name, word)
        if not self.format(name).zero:
            return [low, *field]
        return [graph.some((low, graph.some([low, *field]) ^ 1)), *field]

    def _distance(self, graph: Graph, operands: Operands) -> Word:
        *first, last = (self._place(graph, name, operands[name]) for name in self.names)
        total = first[0]
        if self.product:
            total = graph.sum(total, first[1], self.span)
            total = graph.sum(total, constant(-self.offset, self.span), self.span)
        return self._less(graph, total, last)

    def _less(self, graph: Graph, a: Word, b: Word) -> Word:
        wide = [bit ^ 1 for bit in [*b, *[FALSE] * (self.span - len(b))]]
        return graph.sum(graph.sum(a, wide, self.span), constant(1, self.span), self.span)

    def _below(self, graph: Graph, word: Word, end: int, side: bool) -> int:
        """Whether a distance is ``end`` or more; of the other ``side``, or less."""
        bound = constant(end, self.span)
        rest = self._less(graph, bound, word) if side else self._less(graph, word, bound)
        return rest[-1] ^ 1

    def fixed(self, graph: Graph, case: Case, operands: Operands) -> Operands:
        """Operands of a case, with what follows from the rest in the place of some bits."""
        found = {name: self._fixed(name, kind, operands[name]) for name, kind in case.kinds.items()}
        if case.low is None or case.low != case.high:
            return found
        free = [name for name, kind in case.kinds.items() if kind is Class.NORMAL]
        if free:
            name = free[-1]
            field = self._solved(graph, case.low, name, found)
            word, fmt = found[name], self.format(name)
            low = fmt.mantissa
            found[name] = [*word[:low], *field, *word[low + fmt.exponent :]]
        return found

    def _fixed(self, name: str, kind: Kind, word: Word) -> Word:
        fmt = self.format(name)
        low, high = fmt.mantissa, fmt.mantissa + fmt.exponent
        fraction, sign = word[:low], word[high:]
        if kind is Class.NORMAL:
            return word
        if kind is Class.SPECIAL:
            return [*fraction, *[TRUE] * (high - low), *sign]
        if kind is Class.ZERO:
            fraction = [FALSE] * low
        elif isinstance(kind, int):
            fraction = [*fraction[: low - kind], TRUE, *[FALSE] * (kind - 1)]
        return [*fraction, *[FALSE] * (high - low), *sign]

    def _solved(self, graph: Graph, distance: int, name: str, operands: Operands) -> Word:
        """The exponent's field of a normal operand at a distance."""
        *first, last = self.names
        places = {each: self._place(graph, each, operands[each]) for each in self.names}
        bias = self.offset
        if name == last:
            total = constant(-bias - distance, self.span)
            for each in first:
                total = graph.sum(total, places[each], self.span)
        else:
            total = graph.sum(places[last], constant(bias + distance, self.span), self.span)
            for each in first:
                if each != name:
                    total = self._less(graph, total, places[each])
        return total[: self.format(name).exponent]


def uncovered(numbers: Numbers, cases: Iterable[Case]) -> Iterator[tuple[Graph, int]]:
    """What must never be: operands of no case, or bits that do not follow from the others.

    First operands of no kinds of a case, and then, of each of these, at no distance of one.

    Yields
    ------
    graph, literal
        With the operands as inputs of their names.
    """
    groups: dict[tuple[Kind, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(tuple(case.kinds[name] for name in numbers.names), []).append(case)
    graph, operands = _free(numbers)
    whole = [Case(kinds=dict(zip(numbers.names, kinds, strict=True))) for kinds in groups]
    yield graph, graph.some(numbers.holds(graph, case, operands) for case in whole) ^ 1
    for kinds, group in zip(whole, groups.values(), strict=True):
        graph, operands = _free(numbers)
        wrong = []
        those = [numbers.holds(graph, case, operands) for case in group]
        for case, holds in zip(group, those, strict=True):
            fixed = numbers.fixed(graph, case, operands)
            other = graph.some(graph.unequal(fixed[name], operands[name]) for name in operands)
            wrong.append(graph.both(holds, other))
        missed = graph.both(numbers.holds(graph, kinds, operands), graph.some(those) ^ 1)
        yield graph, graph.some([missed, *wrong])


def _free(numbers: Numbers) -> tuple[Graph, Operands]:
    graph = Graph()
    return graph, {name: graph.word(name, numbers.format(name).width) for name in numbers.names}
