# SPDX-License-Identifier: BSD-2-Clause
"""Units drawn at random that the gates offer, each with an implementation drawn at random.

What a unit, or its gates, refuse is drawn again; how often is counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.units import Unit
from macaw.hdl import Design, Implementation, generate
from macaw.hdl.options.implementation import CHOICES
from macaw.hdl.units import DATAPATHS

from ..cases.case import ORDER
from ..rules.parameters import Parameters
from .units import draw_unit

TRIES = 3000
"""Draws of one unit, after which its kind is said to be starved."""
WIDEST = 32
"""Bits of a float that gates take."""


def _fold(rng: random.Random, spec: Unit) -> int:
    if not DATAPATHS[type(spec)].folds or rng.random() < 0.4:
        return 1
    lanes = max(operand.lanes or 1 for operand in spec.ports.inputs.values())
    return rng.choice([count for count in range(1, lanes + 1) if lanes % count == 0])


def _digits(rng: random.Random, spec: Unit) -> int | None:
    if not DATAPATHS[type(spec)].iterates or rng.random() < 0.6:
        return None
    return rng.choice((1, 1, 2, 3, rng.randint(4, 64)))


_OPTIONS: dict[str, Callable[[random.Random, Unit], Any]] = {
    "stages": lambda rng, spec: rng.choice((0, 0, 0, 0, 0, 1, 2, 3, 8)),
    "frequency": lambda rng, spec: None if rng.random() < 0.9 else rng.choice((10.0, 50.0, 120.0)),
    "widest_sum": lambda rng, spec: rng.choice((128, 128, 96, 200, 400)),
    "fold": _fold,
    "digits": _digits,
    "budgets": lambda rng, spec: None,  # drawn last, by the stages
    "name": lambda rng, spec: None if rng.random() < 0.9 else "drawn_at_random",
}
"""Options that are no choice of words."""


def draw_options(rng: random.Random, spec: Unit) -> Parameters:
    """Options of an implementation that go together; LookupError for one that has no rule."""
    plain = {item.name: item.default for item in fields(Implementation)}
    if unknown := plain.keys() - _OPTIONS.keys() - CHOICES.keys():
        raise LookupError(f"Implementation: no rule to draw {', '.join(sorted(unknown))}")
    while True:
        options = {name: rule(rng, spec) for name, rule in _OPTIONS.items()}
        for name, words in CHOICES.items():
            options[name] = rng.choice(words) if rng.random() < 0.6 else plain[name]
        if options["frequency"] is not None:
            options["stages"] = None
        options = {name: value for name, value in options.items() if value != plain[name]}
        if (stages := options.get("stages")) and rng.random() < 0.3:
            options["budgets"] = tuple(rng.choice((0.5, 0.8, 1.0, 1.2)) for _ in range(stages + 1))
        try:
            Implementation(**options)
        except MacawError:
            continue
        return options


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A unit drawn at random, its gates, and how often what was drawn before was refused.

    Attributes
    ----------
    unit_refused, gates_refused : int
        Draws that the specification, and the gates, refused.
    """

    unit: Unit
    options: Parameters
    design: Design
    unit_refused: int
    gates_refused: int


def random_unit(number: int, seed: int, *, tries: int = TRIES) -> Drawn:
    """The ``number``-th unit of a seed: the same whatever else is drawn.

    Raises
    ------
    LookupError
        No rule draws some parameter, or all of ``tries`` draws are refused.
    """
    rng = random.Random(f"{seed}/{number}")
    kind = ORDER[number % len(ORDER)]
    refused: Counter[str] = Counter()
    why = ""
    for _ in range(tries):
        stage = "unit"
        try:
            spec = draw_unit(rng, kind, widest=WIDEST)
            stage = "gates"
            options = draw_options(rng, spec)
            design = generate(spec, **options)
        except MacawError as error:
            refused[stage] += 1
            why = str(error)
            continue
        return Drawn(
            unit=spec,
            options=options,
            design=design,
            unit_refused=refused["unit"],
            gates_refused=refused["gates"],
        )
    raise LookupError(f"{kind}: all of {tries} draws are refused, the last one: {why}")


def random_units(count: int, seed: int) -> Iterator[tuple[str, Unit, Parameters]]:
    """``count`` times a name, a unit that the gates offer, and implementation options."""
    for number in range(count):
        drawn = random_unit(number, seed)
        yield drawn.unit.name, drawn.unit, drawn.options
