# SPDX-License-Identifier: BSD-2-Clause
"""Units drawn at random: that everything is drawn, and a sample of them."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, fields

import pytest

from macaw.golden.errors import MacawError
from macaw.golden.formats import Float, Format
from macaw.golden.formats.block import AnyFormat, Block
from macaw.golden.formats.block import format as any_format
from macaw.golden.units import UNITS, Mul
from macaw.hdl import Implementation
from macaw.sim.proof import prove
from macaw.sim.proof.cases.case import ORDER, RandomCase
from macaw.sim.proof.random import units as random_units
from macaw.sim.proof.random.gates import draw_options, random_unit
from macaw.sim.proof.random.units import draw_unit, formats_of
from macaw.sim.proof.rules import formats as random_formats
from macaw.sim.proof.rules.parameters import hints, parameters_of
from macaw.tools import simulators

DRAWS = 4_200


# ---------------------------------------------------------------------------- what is drawn


@pytest.fixture(scope="module")
def drawn():
    """Units of :data:`DRAWS` numbers, and how many draws of each kind there were."""
    found, tries = [], Counter()
    for number in range(DRAWS):
        kind = ORDER[number % len(ORDER)]
        rng = random.Random(number)
        while True:
            tries[kind] += 1
            try:
                found.append(draw_unit(rng, kind, widest=32))
                break
            except MacawError:
                continue
    return found, tries


def test_every_kind_is_drawn_and_none_starves(drawn):
    found, tries = drawn
    taken = Counter(spec.kind for spec in found)
    assert taken.keys() == UNITS.keys()
    assert min(taken.values()) >= 30
    assert {kind for kind in UNITS if taken[kind] * 8 < tries[kind]} == set()


def test_every_parameter_is_drawn(drawn):
    values = defaultdict(set)
    for spec in drawn[0]:
        for name in parameters_of(type(spec)):
            values[spec.kind, name].add(getattr(spec, name))
    wanted = {(kind, name) for kind, cls in UNITS.items() for name in parameters_of(cls)}
    # flexpoint, and the elements of blocks, saturate
    one = {key for key in wanted if key[0].startswith("flex-") or key[0] == "block-quantize"}
    one = {key for key in one if key[1] == "overflow"}
    # and a table, or a function, has one result for each code
    inside = ("random_bits", "random", "random_seed")
    fixed = ("table", "function", "softmax", "rmsnorm", "layernorm")
    one |= {(kind, name) for kind in fixed for name in inside}
    # and a floating-point unit has IEEE's overflow, and no random words
    one |= {("fpu", name) for name in ("overflow", *inside)}
    # Some need another parameter beside them: of their kinds more are drawn.
    for kind in {kind for kind, name in wanted - one if len(values[kind, name]) < 2}:
        for spec in drawn_of(kind, 400):
            for name in parameters_of(type(spec)):
                values[kind, name].add(getattr(spec, name))
    assert {key for key in wanted - one if len(values[key]) < 2} == set()


def drawn_of(kind, count):
    rng, found = random.Random(kind), []
    while len(found) < count:
        try:
            found.append(draw_unit(rng, kind, widest=32))
        except MacawError:
            continue
    return found


ANY = [
    kind
    for kind, cls in UNITS.items()
    if {Format, AnyFormat, Block} & set(hints(cls).values())
    and "out" in hints(cls)
    and not kind.startswith(("int-", "flex-", "autoflex"))
]
"""Kinds that take formats of the whole grammar, and round to them."""
OF_FLOATS = ("block-quantize", "relu", "softmax", "rmsnorm", "layernorm")
"""Those whose operands are floats alone."""


@pytest.mark.parametrize("kind", ANY)
def test_every_suffix_is_drawn_as_operand_and_as_result(kind):
    seen = defaultdict(set)
    for spec in drawn_of(kind, 400):
        for side, formats in formats_of(spec).items():
            seen[side] |= set().union(*map(random_formats.marks, formats))
    floats, fixed = random_formats.SUFFIXES["float"], random_formats.SUFFIXES["fixed"]
    assert (floats | fixed) - seen["result"] == set()
    taken = floats if kind in OF_FLOATS else floats | fixed
    assert taken - seen["operand"] == set()


def test_every_registered_name_and_every_combination_is_drawn_on_both_sides(drawn):
    for side in ("operand", "result"):
        formats = set().union(*(formats_of(spec)[side] for spec in drawn[0]))
        names = set().union(*map(random_formats.marks, formats))
        assert {n for n, f in random_formats.REGISTERED.items() if f.width <= 32} <= names
        floats = {fmt for fmt in formats if isinstance(fmt, Float)}
        shapes = {(f.signed, f.subnormals, f.specials, f.zero, f.mantissa == 0) for f in floats}
        assert {(*choices.values(), empty) for choices, empty in random_formats.SHAPES} <= shapes
        assert len(random_formats.SHAPES) == 64


def test_formats_that_are_drawn_read_back():
    rng = random.Random(1)
    for _ in range(2_000):
        for fmt in (random_formats.scalar(rng), random_formats.block(rng)):
            assert any_format(fmt.name) == fmt


def test_every_option_of_an_implementation_is_drawn(drawn):
    rng = random.Random(1)
    values = defaultdict(set)
    for spec in drawn[0]:
        for name, value in draw_options(rng, spec).items():
            values[name].add(value)
    assert values.keys() == {item.name for item in fields(Implementation)}


def test_a_parameter_without_a_rule_is_told(monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class Novel(Mul):
        novelty: complex = 1j

    # Of the family whose rules are those of its other parameters.
    Novel.__module__ = Mul.__module__
    monkeypatch.setitem(UNITS, "mul", Novel)
    monkeypatch.setattr(random_units, "_LEFT_OUT", 0)
    with pytest.raises(LookupError, match="mul: no rule for novelty, a parameter of type"):
        draw_unit(random.Random(1), "mul")


def test_a_kind_that_is_always_refused_is_told(monkeypatch):
    def refuse(*_, **__):
        raise MacawError("no")

    monkeypatch.setattr("macaw.sim.proof.random.gates.generate", refuse)
    with pytest.raises(LookupError, match="mul: all of 5 draws are refused, the last one: "):
        random_unit(0, 1, tries=5)


# ---------------------------------------------------------------------------- a sample


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_a_sample_of_every_kind(half):
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    middle = len(ORDER) // 2
    numbers = range(middle) if half == 0 else range(middle, len(ORDER))
    entries = [
        e for _, e in prove.run_batch([RandomCase(number=n, vectors=4_000) for n in numbers])
    ]
    assert len(entries) == len(numbers)
    assert [entry.detail for entry in entries if not entry.passed] == []
    assert min(entry.vectors for entry in entries) > 0
