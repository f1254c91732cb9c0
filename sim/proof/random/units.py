# SPDX-License-Identifier: BSD-2-Clause
"""Units that nobody thought of: their kinds, formats and options drawn at random.

The listed units follow common use; the bugs that are left hide where two rare choices meet
(a stochastic rounding of one bit into a format without mantissa, a NaN that looks like a zero).

Kinds come from the catalogue, and parameters from the declaration of a kind. A parameter is drawn
by a rule for its name, or else by its type; one that has neither is a LookupError, so that nothing
new stays undrawn. Whoever draws a unit that refuses what was drawn draws again.
"""

from __future__ import annotations

import enum
import functools
import random
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from macaw.golden.arithmetic.dyadic import BELOW_ONE, FORMS, LARGEST_SHIFT, LEAST_SHIFT
from macaw.golden.errors import MacawError
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.block import AnyFormat, Block
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.units import UNITS, Unit, unit
from macaw.golden.units.chain import Chain, pipeline
from macaw.golden.units.requantize import FACTORS
from macaw.golden.units.specification import ROUNDING

from . import formats as random_formats

Parameters = dict[str, Any]
Rule = Callable[["Draw"], Any]


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

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter that was chosen before."""
        return self.chosen.get(name, default)


# ------------------------------------------------------------------------------ rules by type


def _any_format(draw: Draw) -> AnyFormat:
    block = draw.rng.random() < 0.75
    return random_formats.block(draw.rng) if block else draw.scalar()


_TYPES: dict[Any, Callable[[Draw], Any]] = {
    Format: Draw.scalar,
    Float: lambda draw: random_formats.floating(draw.rng, widest=draw.widest),
    Fixed: Draw.fixed,
    Block: lambda draw: random_formats.block(draw.rng),
    AnyFormat: _any_format,
    bool: lambda draw: draw.rng.random() < 0.5,
}


def _by_type(hint: Any) -> Rule:
    """The rule for a type: formats, truth values, and the members of a choice."""
    if hint in _TYPES:
        return _TYPES[hint]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return lambda draw: draw.rng.choice(list(hint))
    parts = tuple(part for part in typing.get_args(hint) if part is not type(None))
    if len(parts) < len(typing.get_args(hint)):
        rule = _by_type(typing.Union[parts])  # noqa: UP007
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


def _accumulator(draw: Draw) -> Any:
    if draw.cls.kind.startswith("int-"):
        return draw.fixed(integer=True, widest=32)
    return "exact" if draw.rng.random() < 0.4 else draw.scalar()


def _integers(widest: int) -> Callable[[Draw], Fixed]:
    return lambda draw: draw.fixed(integer=True, widest=widest)


def _weight(draw: Draw) -> Format:
    """Integers, and all powers of two that are integers."""
    if draw.rng.random() < 0.6:
        return draw.fixed(integer=True, widest=16)
    while True:
        fmt = random_formats.floating(draw.rng, widest=6)
        if fmt.mantissa == 0 and not fmt.has_nan and fmt.min_subnormal >= 1:
            return fmt


def _scale(draw: Draw) -> str | None:
    """Of an integer function: a decimal, a fraction, or that of the format."""
    top = 1 << draw.integer(1, 20)
    odd = draw.integer(1, top)
    word = draw.one("0.05", "1/20", "1", f"{odd}/{top}", f"1/{top}", f"{draw.integer(1, 999)}/1000")
    return draw.maybe(lambda: word, 0.7)


def _within(name: str) -> Callable[[Draw], int | None]:
    """A fixed number that a format has."""

    def rule(draw: Draw) -> int | None:
        fmt = draw.get(name) or draw.get("a")
        if not isinstance(fmt, Fixed):
            return None
        least = -(1 << (fmt.width - 1)) if fmt.signed else 0
        return draw.maybe(lambda: draw.integer(least, fmt.max_integer), 0.5)

    return rule


def _multiplier(draw: Draw) -> int | None:
    return draw.maybe(lambda: draw.integer(0, (1 << draw.get("bits", 31)) - 1))


def _shift(draw: Draw) -> int | None:
    return draw.maybe(lambda: draw.integer(LEAST_SHIFT, LARGEST_SHIFT))


def _factor(name: str) -> Callable[[Draw], int | None]:
    """A multiplier or shift of a residual sum, where its form has it."""

    def rule(draw: Draw) -> int | None:
        form = draw.get("form", "separate")
        if name not in FACTORS[form]:
            return None
        if "shift" in name:
            low, high = BELOW_ONE if form == "tflite" else (LEAST_SHIFT, LARGEST_SHIFT)
            return draw.maybe(lambda: draw.integer(low, high))
        return _multiplier(draw)

    return rule


def _size(draw: Draw) -> int:
    return draw.one(1, 2, 2, 3, 4, 4, 6)


def _signs(draw: Draw) -> int | str:
    size = draw.get("size", 16)
    return draw.one(0, draw.integer(0, (1 << size) - 1), *(["te"] if size == 16 else []))


_NAMES: dict[str, Callable[[Draw], Any]] = {
    "rounding": _rounding,
    "overflow": lambda draw: draw.maybe(lambda: draw.rng.choice(list(Overflow)), 0.35),
    "random_bits": lambda draw: draw.one(1, 2, 3, 5, 8, 16, 24, 32),
    "accumulation": _accumulation,
    "acc": _accumulator,
    "lanes": lambda draw: draw.one(1, 1, 2, 2, 3, 4, 5),
    "parts": lambda draw: draw.one(1, 1, 2, 3),
    "terms": lambda draw: draw.one(5, 16, 64, 300, 1000),
    "contexts": lambda draw: draw.one(1, 1, 2, 3, 5),
    "size": _size,
    "rows": lambda draw: draw.integer(1, 3),
    "columns": lambda draw: draw.integer(1, 3),
    "signs": _signs,
    "scale": _scale,
    "bits": lambda draw: draw.one(31, 31, draw.integer(2, 31)),
    "multiplier": _multiplier,
    "a_multiplier": _multiplier,
    "b_multiplier": _multiplier,
    "shift": _shift,
    "a_shift": _shift,
    "b_shift": _shift,
    "low": _within("out"),
    "high": _within("out"),
    "count": lambda draw: draw.maybe(lambda: draw.integer(1, draw.get("terms", 64))),
    "form": lambda draw: draw.rng.choice(FORMS),
    "precision": lambda draw: draw.maybe(lambda: draw.integer(4, 24), 0.7),
    "base": lambda draw: draw.one("2", "e"),
    "profile": lambda draw: draw.one("paper", "ngraph"),
    "length": lambda draw: draw.integer(2, 8),
    "alpha": lambda draw: draw.maybe(lambda: draw.integer(1, 16)),
    "beta": lambda draw: draw.integer(0, 14),
    "gamma": lambda draw: draw.maybe(lambda: draw.integer(0, 1 << 18) / 65536),
    "reciprocal": lambda draw: draw.maybe(lambda: draw.integer(8, 62), 0.5),
}
"""What is drawn by the parameter's name, in whatever kind it stands."""

_OWN: dict[tuple[str, str], Callable[[Draw], Any]] = {
    ("int-dot", "a"): _weight,
    ("int-dot", "b"): _weight,
    ("int-mac", "a"): _weight,
    ("int-mac", "b"): _weight,
    ("hadamard", "size"): lambda draw: draw.one(2, 2, 4, 4, 8, 16),
    ("hadamard", "accumulation"): lambda draw: draw.one("exact", f"aligned({draw.integer(4, 48)})"),
    ("isqrt", "x"): lambda draw: draw.fixed(signed=False, widest=64),
    ("int-gelu", "x"): lambda draw: draw.fixed(signed=True),
    ("int-gelu", "shift"): lambda draw: draw.maybe(lambda: draw.integer(0, 14)),
    ("int-softmax", "zero_point"): _within("out"),
    ("int-softmax", "bits"): lambda draw: draw.integer(4, 31),
    ("int-layernorm", "shift"): lambda draw: draw.maybe(lambda: draw.integer(0, 31)),
    ("int-layernorm", "out"): lambda draw: draw.fixed(signed=True),
    ("autoflex", "precision"): lambda draw: draw.integer(6, 20),
    ("requantize", "x"): _integers(61),
    ("requantize", "profile"): lambda draw: _by_type(hints(draw.cls)["profile"])(draw),
    ("residual-add", "profile"): lambda draw: draw.maybe(
        lambda: _by_type(hints(draw.cls)["profile"])(draw), 0.5
    ),
    ("residual-add", "branch"): lambda draw: (
        draw.fixed(integer=True) if draw.get("form", "separate") == "separate" else None
    ),
    **{("residual-add", name): _factor(name) for name in FACTORS["tflite"]},
    ("average-pool", "profile"): lambda draw: _by_type(hints(draw.cls)["profile"])(draw),
    ("average-pool", "a"): _integers(16),
    ("residual-add", "a"): _integers(16),
    ("residual-add", "b"): _integers(16),
    **{
        (kind, name): _integers(32)
        for kind, name in (
            ("requantize", "out"),
            ("residual-add", "out"),
            ("average-pool", "out"),
            ("clamp", "a"),
            ("clamp", "out"),
        )
    },
    **{
        (kind, name): lambda draw: random_formats.flex(draw.rng)
        for kind in ("flex-mac", "flex-matmul", "flex-add", "flex-mul", "autoflex")
        for name in ("a", "b", "out")
    },
}
"""What a kind has a narrower choice of."""


hints = functools.cache(typing.get_type_hints)
"""Types of the fields of a unit, those that it inherits included."""

_LEFT_OUT = 0.2
"""Share of the parameters with a default that keep it."""
_LARGE = ("lanes", "size", "length")
"""Those that never do: units of the default size are proven elsewhere, and take their time."""


def parameters_of(cls: type[Unit]) -> list[str]:
    """The parameters of a kind, in the order in which they are drawn."""
    return [f.name for f in fields(cls) if f.init and (cls.rounds or f.name not in ROUNDING)]


def rule_for(kind: str, name: str) -> Rule:
    """What draws a parameter of a kind; LookupError if nothing does."""
    try:
        rule = _OWN.get((kind, name)) or _NAMES.get(name)
        return rule or _by_type(hints(UNITS[kind])[name])
    except LookupError as error:
        raise LookupError(f"{kind}: no rule for {name}, {error}") from None


def check_rules(kind: str) -> None:
    """LookupError unless units of a kind can be drawn: each parameter by a rule.

    Those of units in a row are not drawn: the units are.
    """
    cls = UNITS[kind]
    for name in () if cls is Chain else parameters_of(cls):
        rule_for(kind, name)


def draw_unit(
    rng: random.Random, kind: str, *, widest: int = 64, given: Parameters | None = None
) -> Unit:
    """A unit of a kind; MacawError where it refuses what was drawn, LookupError without a rule.

    ``given`` are parameters that are not drawn.
    """
    cls = UNITS[kind]
    if cls is Chain:
        return _draw_chain(rng, widest)
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


def _draw_chain(rng: random.Random, widest: int) -> Unit:
    """Units in a row, with and without a memory."""
    kinds = [kind for kind, cls in UNITS.items() if cls is not Chain]
    stages = [draw_unit(rng, rng.choice(kinds), widest=widest)]
    wanted = rng.choice((2, 2, 3))
    for _ in range(60):
        if len(stages) == wanted:
            break
        gives = stages[-1].ports.outputs["r"]
        kind = rng.choice(kinds)
        cls = UNITS[kind]
        names = parameters_of(cls)
        first = "a" if "a" in names else "x"
        given: Parameters = {first: gives.format.name}
        if gives.lanes is not None:
            given |= {name: gives.lanes for name in ("size", "lanes") if name in names}
        try:
            stage = draw_unit(rng, kind, widest=widest, given=given)
            pipeline(*stages, stage)
        except MacawError:
            continue
        stages.append(stage)
    memory: Parameters = {}
    later = [name for _, _, names in pipeline(*stages).links for name in names.values()]
    if later and rng.random() < 0.4:
        held = rng.sample(later, rng.randint(1, len(later)))
        memory = {"channels": rng.choice((1, 2, 5, 8)), "stored": ",".join(held)}
    return pipeline(*stages, **memory)


# ------------------------------------------------------------------------------ what was drawn


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
