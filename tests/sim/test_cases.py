# SPDX-License-Identifier: BSD-2-Clause
"""Proofs in cases: graphs, cases that are all operands, and what is taken out of both sides."""

import itertools
import random

import pytest

import macaw
from macaw.golden.formats import Float, format
from macaw.sim.formal import by_cases, prove
from macaw.sim.formal.cases import products
from macaw.sim.formal.cases.graph import Circuit, Graph, constant
from macaw.sim.formal.cases.numbers import Case, Class, Numbers, uncovered
from macaw.tools import simulators, store

pytestmark = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")
SMALL = format("e3m2ieee")


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide; nor the size of a format."""
    monkeypatch.setattr(by_cases, "LEAST", dict.fromkeys(by_cases.LEAST, 8))
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


def number(graph: Graph, word: list[int], **inputs: int) -> int:
    """What a word is for inputs of these values."""
    bits = {node: bool(inputs[name] >> bit & 1) for node, (name, bit) in graph.names.items()}
    values = graph.values(bits)
    return sum((values[x >> 1] ^ bool(x & 1)) << place for place, x in enumerate(word))


def test_words_are_integers() -> None:
    graph = Graph()
    a, b = graph.word("a", 5), graph.word("b", 3)
    total, other = graph.sum(a, b, 6), graph.unequal(a, b)
    against = graph.unequal(a, constant(9, 5))
    for x, y in itertools.product(range(32), range(8)):
        assert number(graph, total, a=x, b=y) == x + y
        assert number(graph, [other, against], a=x, b=y) == (x != y) + 2 * (x != 9)


def test_what_is_constant_is_folded() -> None:
    graph = Graph()
    (a,) = graph.word("a", 1)
    assert graph.both(a, a ^ 1) == 0
    assert graph.both(a, 1) == graph.both(a, a) == a
    assert graph.some((a, a ^ 1)) == 1
    assert graph.sum(constant(5, 4), constant(-3, 4), 4) == constant(2, 4)


def test_a_graph_is_read_as_it_was_written() -> None:
    rng = random.Random(1)
    graph = Graph()
    literals = graph.word("x", 6)
    for _ in range(200):
        a, b = rng.choices(literals, k=2)
        literals.append(graph.both(a ^ rng.getrandbits(1), b ^ rng.getrandbits(1)) ^ 1)
    data, names = graph.aiger(literals[-1])
    symbols = "".join(f"i{n} {name}[{bit}]\n" for n, (name, bit) in enumerate(names))
    circuit = Circuit.read(data + symbols.encode() + b"o0 y[0]\n")
    again = Graph()
    word = again.word("x", 6)
    inputs = {("x", bit): literal for bit, literal in enumerate(word)}
    made = again.copied(circuit, inputs)["y", 0]
    for x in range(64):
        assert number(again, [made], x=x) == number(graph, [literals[-1]], x=x)


@pytest.mark.parametrize(
    ("names", "product"), [(("a", "b"), False), (("a", "b"), True), (("a", "b", "c"), True)]
)
def test_cases_are_all_operands(names: tuple[str, ...], product: bool) -> None:
    assert isinstance(SMALL, Float)
    numbers = Numbers(fmt=SMALL, names=names, product=product)
    cases = list(numbers.cases())
    rng = random.Random(2)
    every = list(itertools.product(range(1 << SMALL.width), repeat=len(names)))
    sample = every if len(every) < 5000 else rng.sample(every, 500)

    def missed(some: list[Case]) -> bool:
        return any(
            number(graph, [wrong], **dict(zip(names, codes, strict=True)))
            for graph, wrong in uncovered(numbers, some)
            for codes in sample
        )

    assert not missed(cases)
    # Of each case one that is left out is missed, but of those that others have too.
    for left in rng.sample(range(len(cases)), 3):
        assert len(every) > 5000 or missed([c for i, c in enumerate(cases) if i != left])


def test_bits_that_do_not_follow_are_found() -> None:
    assert isinstance(SMALL, Float)
    numbers = Numbers(fmt=SMALL, names=("a", "b"), product=False)

    class Wrong(Numbers):
        def fixed(self, graph, case, operands):
            found = super().fixed(graph, case, operands)
            return {name: [bit ^ (place == 0) for place, bit in enumerate(word)]
                    for name, word in found.items()}  # fmt: skip

    def found(numbers: Numbers) -> bool:
        made = uncovered(numbers, numbers.cases())
        return any(number(graph, [wrong], a=5, b=9) for graph, wrong in made)

    assert found(Wrong(fmt=SMALL, names=("a", "b"), product=False))
    assert not found(numbers)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("mul", {"a": "e5m4ieee"}),
        ("mul", {"a": "e3m6ieee", "rounding": "rup"}),
        ("add", {"a": "e3m4ieee", "rounding": "rdn"}),
        ("mul", {"a": "e3m4ieee", "rounding": "dynamic"}),
        ("add", {"a": "e4m3ieee", "subtract": True}),
        ("fma", {"a": "e3m4ieee", "out": "e3m4ieee", "rounding": "rtz"}),
    ],
)
def test_cases_prove(kind: str, parameters: dict) -> None:
    proof = prove(macaw.unit(kind, **parameters), method="symfpu")
    assert proof.verdict == "proven", proof
    assert "cases" in proof.steps[0].covered


def test_a_case_that_is_missing_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = Numbers.cases
    left = Case(kinds={"i_a": Class.NORMAL, "i_b": Class.NORMAL}, low=0, high=0)
    monkeypatch.setattr(Numbers, "cases", lambda self: [c for c in cases(self) if c != left])
    proof = prove(macaw.unit("add", a="e3m4ieee"), method="symfpu")
    assert proof.verdict == "open", proof
    assert "whether the cases are all operands" in proof.steps[0].reason


def test_partial_products_are_the_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of factors that are longer than a multiplier; a part of the cases, for their number."""
    some = [
        Case(kinds={"i_a": Class.NORMAL, "i_b": Class.NORMAL}),
        Case(kinds={"i_a": 3, "i_b": Class.NORMAL}),
        Case(kinds={"i_a": Class.ZERO, "i_b": Class.NORMAL}),
    ]
    met = []
    complete = products.Products._complete
    monkeypatch.setattr(Numbers, "cases", lambda self: some)
    monkeypatch.setattr(products, "uncovered", lambda *_: [])
    monkeypatch.setattr(
        products.Products, "_complete", lambda self: met.append(self.partial) or complete(self)
    )
    proof = prove(macaw.unit("mul", a="fp32"), method="symfpu")
    assert proof.verdict == "proven", proof
    assert len(met[0]) > 1


@pytest.mark.parametrize("cut", [None, 2])
def test_products_of_significands_are_possible(cut: int | None) -> None:
    """What is said of a product is so of each one, whole or of two partial ones."""
    assert isinstance(SMALL, Float)
    numbers = Numbers(fmt=SMALL, names=("i_a", "i_b"), product=True)
    size = numbers.precision
    ends = [(0, size)] if cut is None else [(0, cut), (cut, size - cut)]
    partial = [
        (
            products.Partial(name=f"p{n}", side="gates", width=2 * size, signed=False),
            products.Slice(operand="i_a", first=first, width=width),
            products.Slice(operand="i_b", first=0, width=size),
        )
        for n, (first, width) in enumerate(ends)
    ]
    whole = products.Partial(name="whole", side="reference", width=2 * size, signed=False)
    made = products.Products(
        numbers=numbers,
        circuit=Circuit(inputs=(), ands=(), outputs={}),
        partial=tuple(partial),
        whole=(whole,),
    )
    assert made._complete()
    kinds = {size - bits: range(1 << bits - 1, 1 << bits) for bits in range(1, size)}
    kinds[Class.NORMAL] = range(1 << size - 1, 1 << size)
    for (a, some), (b, others) in itertools.product(kinds.items(), repeat=2):
        graph = Graph()
        found, may = made.inputs(graph, Case(kinds={"i_a": a, "i_b": b}))
        word = [found["whole", bit] for bit in range(2 * size)]
        zeros = sum(kind for kind in (a, b) if isinstance(kind, int))
        for x, y in itertools.product(some, others):
            values = {f"p{n}": (x >> first & (1 << width) - 1) * y
                      for n, (first, width) in enumerate(ends)}  # fmt: skip
            assert number(graph, [may], **values), (a, b, x, y)
            assert number(graph, word, **values) == (x * y) << zeros


def test_what_was_proven_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = macaw.unit("mul", a="e6m3ieee")
    assert prove(spec, method="symfpu").verdict == "proven"
    monkeypatch.setattr(by_cases, "_decide", lambda *_, **__: pytest.fail("asked again"))
    assert prove(spec, method="symfpu").verdict == "proven"
