# SPDX-License-Identifier: BSD-2-Clause
"""Units that nobody thought of: their kinds, formats and options drawn at random.

The listed units follow common use; the bugs that are left hide where two rare choices meet
(a stochastic rounding of one bit into a format without mantissa, a NaN that looks like a zero).

Kinds come from the registry, and parameters from the declaration of a kind. A parameter is drawn
by a rule of its family, by one for its name, or else by its type; one that has none is a
LookupError, so that nothing new stays undrawn. Whoever draws a unit that refuses what was drawn
draws again.
"""

from __future__ import annotations

import random
from dataclasses import fields

from macaw.golden.formats import Format
from macaw.golden.formats.block import AnyFormat, Block
from macaw.golden.units import UNITS, Unit, unit
from macaw.golden.units.chain import Chain

from ..cases.catalogue import families, family_of
from ..rules.parameters import NAMES, Draw, Parameters, Rule, Rules, by_type, hints, parameters_of

_LEFT_OUT = 0.2
"""Share of the parameters with a default that keep it."""
_LARGE = ("lanes", "size", "length")
"""Those that never do: units of the default size are proven elsewhere, and take their time."""


def rule_for(kind: str, name: str) -> Rule:
    """What draws a parameter of a kind; LookupError if nothing does."""
    family = families().get(family_of(kind))
    own: Rules = getattr(family, "RULES", {})
    try:
        rule = own.get((kind, name)) or own.get(name) or NAMES.get(name)
        return rule or by_type(hints(UNITS[kind])[name])
    except LookupError as error:
        raise LookupError(f"{kind}: no rule for {name}, {error}") from None


def check_rules(kind: str) -> None:
    """LookupError unless units of a kind can be drawn: each parameter by a rule.

    Where a family draws units as a whole, nothing else is asked.
    """
    if not hasattr(families().get(family_of(kind)), "draw"):
        for name in parameters_of(UNITS[kind]):
            rule_for(kind, name)


def draw_unit(
    rng: random.Random, kind: str, *, widest: int = 64, given: Parameters | None = None
) -> Unit:
    """A unit of a kind; MacawError where it refuses what was drawn, LookupError without a rule.

    ``given`` are parameters that are not drawn.
    """
    whole = getattr(families().get(family_of(kind)), "draw", None)
    if whole is not None:
        return whole(rng, widest, draw_unit)
    cls = UNITS[kind]
    draw = Draw(rng=rng, cls=cls, widest=widest, given=given or {})
    required = {f.name: f.default is None or f.name == "a" for f in fields(cls)}
    for name in parameters_of(cls):
        if name in draw.given:
            draw.chosen[name] = draw.given[name]
            continue
        if not required[name] and name not in _LARGE and rng.random() < _LEFT_OUT:
            continue
        draw.chosen[name] = rule_for(kind, name)(draw)
    words = {n: v for n, v in draw.chosen.items() if v is not None}
    return unit(kind, **{n: v.name if isinstance(v, AnyFormat) else v for n, v in words.items()})


def formats_of(spec: Unit) -> dict[str, set[Format]]:
    """The formats of numbers that a unit has as ``operand`` and as ``result``, of all its parts.

    Elements and scales of blocks are of the side of their block; stages of a pipeline, and the
    accumulator, are both.
    """
    found: dict[str, set[Format]] = {"operand": set(), "result": set()}
    if isinstance(spec, Chain):
        for stage in spec.chain:
            for side, formats in formats_of(stage).items():
                found[side] |= formats
        return found
    for name in parameters_of(type(spec)):
        value = getattr(spec, name)
        if not isinstance(value, AnyFormat):
            continue
        parts = {value.element, value.scale} if isinstance(value, Block) else {value}
        for side in ("operand", "result"):
            if name not in (("out",) if side == "operand" else ("a", "b", "c", "x")):
                found[side] |= parts
    return found
