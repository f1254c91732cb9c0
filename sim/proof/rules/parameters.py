# SPDX-License-Identifier: BSD-2-Clause
"""What draws a parameter of a unit: a rule for its name, or else for its type.

These are the rules that several families share; what one family alone has, or has a narrower
choice of, is drawn by the ``RULES`` of its file in :mod:`macaw.sim.proof.cases`.
"""

from __future__ import annotations

import enum
import functools
import random
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.block import AnyFormat, Block
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.units import Unit
from macaw.golden.units.specification import ROUNDING

from . import formats as random_formats

Parameters = dict[str, Any]
Rule = Callable[["Draw"], Any]
Rules = dict[str | tuple[str, str], Rule]
"""Of one family: by a parameter's name, or by kind and name where kinds differ."""


@dataclass(kw_only=True, slots=True)
class Draw:
    """One draw of a unit's parameters: what rules look at.

    Attributes
    ----------
    widest : int
        Bits of the widest format of one number.
    given : dict
        Parameters that are fixed beforehand (the operand that a stage of a pipeline takes).
    chosen : dict
        Parameters so far, in the order of the unit's fields.
    """

    rng: random.Random
    cls: type[Unit]
    widest: int = 64
    given: Parameters = field(default_factory=dict)
    chosen: Parameters = field(default_factory=dict)

    def one(self, *choices: Any) -> Any:
        """One of these."""
        return self.rng.choice(choices)

    def maybe(self, draw: Callable[[], Any], share: float = 0.3) -> Any:
        """Something, or None, which parameters that may be left out take."""
        return draw() if self.rng.random() < share else None

    def integer(self, low: int, high: int) -> int:
        """An integer of a range, ends included."""
        return self.rng.randint(low, max(low, high))

    def scalar(self) -> Format:
        """Any format of one number."""
        return random_formats.scalar(self.rng, widest=self.widest)

    def fixed(self, **options: Any) -> Fixed:
        """Fixed point, by default of at most 32 bits."""
        options = {"widest": min(self.widest, 32)} | options
        return random_formats.fixed(self.rng, **options)

    def flex(self) -> Block:
        """A Flexpoint format."""
        return random_formats.flex(self.rng)

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter that was chosen before."""
        return self.chosen.get(name, default)


hints = functools.cache(typing.get_type_hints)
"""Types of the fields of a unit, those that it inherits included."""


def parameters_of(cls: type[Unit]) -> list[str]:
    """The parameters of a kind, in the order in which they are drawn."""
    return [f.name for f in fields(cls) if f.init and (cls.rounds or f.name not in ROUNDING)]


# ------------------------------------------------------------------------------ rules by type


def _any_format(draw: Draw) -> AnyFormat:
    block = draw.rng.random() < 0.75
    return random_formats.block(draw.rng) if block else draw.scalar()


_TYPES: dict[Any, Rule] = {
    Format: Draw.scalar,
    Float: lambda draw: random_formats.floating(draw.rng, widest=draw.widest),
    Fixed: Draw.fixed,
    Block: lambda draw: random_formats.block(draw.rng),
    AnyFormat: _any_format,
    bool: lambda draw: draw.rng.random() < 0.5,
}


def by_type(hint: Any) -> Rule:
    """The rule for a type: formats, truth values, and the members of a choice.

    LookupError for any other.
    """
    if hint in _TYPES:
        return _TYPES[hint]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return lambda draw: draw.rng.choice(list(hint))
    parts = tuple(part for part in typing.get_args(hint) if part is not type(None))
    if len(parts) < len(typing.get_args(hint)):
        rule = by_type(typing.Union[parts])  # noqa: UP007
        return lambda draw: draw.maybe(lambda: rule(draw), 0.5)
    raise LookupError(f"a parameter of type {hint}")


# ------------------------------------------------------------------------------ rules by name


def _rounding(draw: Draw) -> Rounding:
    modes = [mode for mode in Rounding if draw.cls.dynamic or mode is not Rounding.DYNAMIC]
    return draw.rng.choice([Rounding.RNE, Rounding.RNE, Rounding.SR, *modes])


def _accumulation(draw: Draw) -> str:
    count = draw.one(1, 2, 4)
    rounding = draw.one("", "", ",rtz", ",rne")
    inner = draw.one(draw.scalar().name, draw.fixed(widest=32).name, "int32", "fp16")
    return draw.one(
        *["exact"] * 3,
        "sequential",
        f"aligned({draw.one(4, 7, 12, 24)})",
        f"aligned({draw.one(4, 9, 24, 40)},{count}{rounding})",
        f"chunk({draw.one(count, count, 'auto')},{inner})",
    )


def _product(draw: Draw) -> str | None:
    carry = draw.one("mitchell", "literal")
    words = ("lmul", f"lmul({carry})", f"lmul({carry},{draw.one(1, 1, 2, 3, 4, 'none')})")
    return draw.maybe(lambda: draw.one(*words), 0.2)


def _accumulator(draw: Draw) -> Any:
    return "exact" if draw.rng.random() < 0.4 else draw.scalar()


def _scale(draw: Draw) -> str | None:
    """Of an integer function: a decimal, a fraction, or that of the format."""
    top = 1 << draw.integer(1, 20)
    odd = draw.integer(1, top)
    word = draw.one("0.05", "1/20", "1", f"{odd}/{top}", f"1/{top}", f"{draw.integer(1, 999)}/1000")
    return draw.maybe(lambda: word, 0.7)


def _source(draw: Draw) -> str | None:
    """Of random words, where a unit that rounds takes some."""
    if draw.cls.rounds and Rounding.parse(draw.get("rounding", "rne")).stochastic:
        return draw.maybe(lambda: "lfsr", 0.4)
    return None


def _seed(draw: Draw) -> int | None:
    return draw.integer(1, (1 << 32) - 1) if draw.get("random") == "lfsr" else None


NAMES: dict[str, Rule] = {
    "rounding": _rounding,
    "overflow": lambda draw: draw.maybe(lambda: draw.rng.choice(list(Overflow)), 0.35),
    "random_bits": lambda draw: draw.one(1, 2, 3, 5, 8, 16, 24, 32),
    "random": _source,
    "random_seed": _seed,
    "product": _product,
    "accumulation": _accumulation,
    "acc": _accumulator,
    "lanes": lambda draw: draw.one(1, 1, 2, 2, 3, 4, 5),
    "terms": lambda draw: draw.one(5, 16, 64, 300, 1000),
    "contexts": lambda draw: draw.one(1, 1, 2, 3, 5),
    "size": lambda draw: draw.one(1, 2, 2, 3, 4, 4, 6),
    "scale": _scale,
    "statistics": lambda draw: draw.one(*[0] * 7, draw.integer(1, 32)),
}
"""What is drawn by the parameter's name, in whatever family it stands."""


def integers(widest: int) -> Rule:
    """An integer format of at most ``widest`` bits."""
    return lambda draw: draw.fixed(integer=True, widest=widest)


def within(name: str) -> Rule:
    """A number that a format chosen before has; or None, as for a float."""

    def rule(draw: Draw) -> int | None:
        fmt = draw.get(name) or draw.get("a")
        if not isinstance(fmt, Fixed):
            return None
        least = -(1 << (fmt.width - 1)) if fmt.signed else 0
        return draw.maybe(lambda: draw.integer(least, fmt.max_integer), 0.5)

    return rule
