# SPDX-License-Identifier: BSD-2-Clause
"""Sums of products, of numbers and of blocks with a pair of scales.

Operands become integers with a shift, products are made of them, terms are shifted to one place
and added as wide integers, and the sum is rounded once: no exponents are compared, nothing is
aligned, and no bit is saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.choices import Overflow
from macaw.golden.units import Unit

from .module import head
from .operands import lacks, modes, operand
from .rounding import Magnitude, to_fixed, to_float

WIDEST = 192
"""Bits of a sum; one of fp16 products has about 80."""
WIDEST_OF_LANES = 320
"""The same of lanes, whose sum is taken out: small ones with an addend of fp32 have some 290."""

_KINDS = ("mul", "add", "fma", "cast", "dot", "block-dot")
SCALES = ("a_scale", "b_scale")
_POLICIES = (
    None,
    Overflow.SATURATE,
    Overflow.PROPAGATE,
    Overflow.NONFINITE,
    Overflow.DIRECTED,
    Overflow.WRAP,
)


def refuses(unit: Unit) -> str:
    """Why there is no such description; empty if there is."""
    if unit.kind not in _KINDS:
        return f"has no {unit.kind}"
    ports = unit.ports
    if unit.kind == "block-dot" and (why := _uneven(unit)):
        return why
    for port in (*ports.inputs.values(), ports.outputs["r"]):
        if why := lacks(port.format):
            return why
    if unit.rounding.stochastic:
        return f"has no rounding={unit.rounding}"
    if unit.overflow not in _POLICIES:
        return f"has no overflow={unit.overflow}"
    if getattr(unit, "flags", False):
        return "has no flags"
    for name in ("product", "accumulation"):
        value = getattr(unit, name, None)
        if value not in (None, "exact"):
            return f"has no {name}={value}"
    width = _Sum.of(unit).width
    widest = WIDEST_OF_LANES if unit.kind in ("dot", "block-dot") else WIDEST
    if width > widest:
        return f"has sums of up to {widest} bits, here {width}"
    return ""


def _uneven(unit: Unit) -> str:
    """What blocks have that is not two operands with one scale each, in one beat."""
    inputs = unit.ports.inputs
    extra = {*inputs} - {"a", "b", "c", *SCALES, "rm"}
    if extra:
        return f"has no block-dot with the operand {min(extra)}"
    for name in SCALES:
        if name not in inputs or inputs[name].lanes is not None:
            return "has block-dot of two blocks with one scale each"
        fmt = inputs[name].format
        if not isinstance(fmt, Float) or fmt.signed or fmt.has_inf:
            return f"has no scales {fmt.name}, only unsigned floats without infinities"
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Term:
    """A product of operands, or one of them: ``m * 2**(s + weight)`` by the wires of its name.

    ``width`` is that of m, ``most`` the largest s.
    """

    name: str
    width: int
    most: int
    weight: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Inner:
    """A sum of products that is a factor itself: ``p_m * 2**weight``."""

    products: _Sum

    @property
    def width(self) -> int:
        return self.products.width

    @property
    def weight(self) -> int:
        return self.products.weight


_Factor = tuple[str, "Format | _Inner"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sum:
    """What is added: for each term the names of its factors, with their formats, and its sign."""

    factors: tuple[tuple[_Factor, ...], ...]
    subtracted: int | None = None
    prefix: str = "t"
    digits: int | None = None
    """Of a result for which two terms are not shifted further than they meet; else they are."""

    @classmethod
    def of(cls, unit: Unit) -> _Sum:
        inputs = {name: operand.format for name, operand in unit.ports.inputs.items()}
        a, b, c = (((name, inputs[name]),) if name in inputs else () for name in "abc")
        if unit.kind in ("dot", "block-dot"):
            lanes = range(unit.ports.inputs["a"].lanes or 1)
            products = tuple(((f"a{i}", inputs["a"]), (f"b{i}", inputs["b"])) for i in lanes)
            inner = _Inner(products=cls(factors=products, prefix="q"))
            scales = ((name, inputs[name]) for name in SCALES if name in inputs)
            out = unit.ports.outputs["r"].format
            digits = out.mantissa + 3 if isinstance(out, Float) and unit.kind != "dot" else None
            return cls(factors=((("p", inner), *scales), c), digits=digits)
        if unit.kind == "add":
            return cls(factors=(a, b), subtracted=1 if getattr(unit, "subtract", False) else None)
        return cls(factors=((*a, *b), c) if c else ((*a, *b),))

    @property
    def terms(self) -> list[_Term]:
        found = []
        for number, factors in enumerate(self.factors):
            formats = [fmt for _, fmt in factors]
            found.append(
                _Term(
                    name=f"{self.prefix}{number}",
                    width=sum(map(_bits, formats)),
                    most=sum(map(_most, formats)),
                    weight=sum(map(_weight, formats)),
                )
            )
        return found

    @property
    def weight(self) -> int:
        """Exponent of the last bit of the sum."""
        return min(term.weight for term in self.terms)

    @property
    def gap(self) -> int:
        """The places between two terms from which on one is only known not to be zero."""
        assert self.digits is not None
        return self.digits + max(term.width for term in self.terms)

    @property
    def width(self) -> int:
        """Bits of the sum's magnitude; of a single term those of its integer."""
        if self.digits is not None:
            return self.gap + max(term.width for term in self.terms) + 1
        return self.span

    @property
    def highest(self) -> int:
        """Bits of the sum's magnitude if it were an integer of the last bit's weight."""
        alone = self.factors[0] if len(self.factors) == 1 else ()
        return self.span + sum(_most(fmt) for _, fmt in alone)

    @property
    def span(self) -> int:
        """The same of one whose terms are shifted to one place, however far they are apart."""
        terms = self.terms
        if len(terms) == 1 and self.prefix == "t":
            return terms[0].width
        widest = max(t.width + t.most + t.weight - self.weight for t in terms)
        return widest + len(terms).bit_length()


def _bits(fmt: Format | _Inner) -> int:
    return fmt.mantissa + 1 if isinstance(fmt, Float) else fmt.width


def _most(fmt: Format | _Inner) -> int:
    return (1 << fmt.exponent) - 1 - fmt.zero if isinstance(fmt, Float) else 0


def _weight(fmt: Format | _Inner) -> int:
    if isinstance(fmt, _Inner):
        return fmt.weight
    assert isinstance(fmt, Float | Fixed)
    return fmt.quantum if isinstance(fmt, Float) else -fmt.fraction


def reference(unit: Unit) -> str:
    """A module with the ports of the unit, which :func:`refuses` lets pass."""
    out = unit.ports.outputs["r"].format
    assert isinstance(out, Float | Fixed)
    total = _Sum.of(unit)
    made = Magnitude(width=total.width, weight=total.weight, highest=total.highest)
    lines = [
        *head(unit),
        *modes(unit),
        *_operands(unit),
        *_inner(total),
        *(line for number, _ in enumerate(total.terms) for line in _term(total, number)),
        *_sum(total),
        *(to_float(unit, out, made) if isinstance(out, Float) else to_fixed(unit, out, made)),
        "endmodule\n",
    ]
    return "\n".join(lines)


def _operands(unit: Unit) -> Iterator[str]:
    for name, port in unit.ports.inputs.items():
        if name in ("a", "b", "c", *SCALES):
            fmt, width = port.format, port.format.width
            for lane in range(port.lanes or 1):
                x = name if port.lanes is None else f"{name}{lane}"
                yield f"wire [{width - 1}:0] {x} = i_{name}[{width * lane} +: {width}];"
                yield from operand(x, fmt)


def _inner(total: _Sum) -> Iterator[str]:
    """The products of a block, and their sum p."""
    for factors in total.factors:
        for _, inner in factors:
            if isinstance(inner, _Inner):
                products = inner.products
                for number, _ in enumerate(products.terms):
                    yield from _term(products, number)
                yield from _presence(products, "p_")
                yield from _added(products, "p_")
                yield "wire p_sign = p_inf ? p_down : p_total < 0;"
                yield "wire [31:0] p_s = 0;"


def _term(total: _Sum, number: int) -> Iterator[str]:
    term = total.terms[number]
    names = [name for name, _ in total.factors[number]]
    t = term.name
    zero = " || ".join(f"{name}_m == 0 && !{name}_inf" for name in names)
    signs = [f"{name}_sign" for name in names] + ["1'b1"] * (number == total.subtracted)
    yield f"wire {t}_sign = {' ^ '.join(signs)};"
    yield f"wire {t}_inf = {' || '.join(f'{name}_inf' for name in names)};"
    yield (f"wire {t}_nan = {' || '.join(f'{name}_nan' for name in names)} || {t}_inf && ({zero});")
    yield from _product(total, number)
    yield f"wire [31:0] {t}_s = {' + '.join(f'{name}_s' for name in names)};"
    # Whether all that is in it is below zero, or nothing: a zero has the sign of all its terms.
    below = ("p_all_below", "p_none_below") if "p" in names else (f"{t}_sign", f"!{t}_sign")
    yield f"wire {t}_all = {below[0]}, {t}_none = {below[1]};"


def _product(total: _Sum, number: int) -> Iterator[str]:
    """The magnitude of a term."""
    term, factors = total.terms[number], total.factors[number]
    t, m = term.name, [f"{name}_m" for name, _ in factors]
    inner, scales = factors[0][1], [fmt for _, fmt in factors[1:]]
    if isinstance(inner, _Inner) and any(_bits(fmt) > 1 for fmt in scales):
        # A sum with a sign times what the scales are together.
        scale = sum(map(_bits, scales))
        yield f"wire [{scale - 1}:0] {t}_scale = {' * '.join(m[1:])};"
        yield (
            f"wire signed [{term.width + 1}:0] {t}_scaled = p_total * $signed({{1'b0, {t}_scale}});"
        )
        yield f"wire [{term.width - 1}:0] {t}_m = {t}_scaled < 0 ? -{t}_scaled : {t}_scaled;"
    else:
        yield f"wire [{term.width - 1}:0] {t}_m = {' * '.join(m)};"


def _sum(total: _Sum) -> Iterator[str]:
    """The wires nan, inf, negative, and the magnitude m * 2**s of the sum."""
    yield from _presence(total, "")
    if len(total.terms) == 1:
        yield f"wire [{total.width - 1}:0] m = t0_m;"
        yield "wire [31:0] s = t0_s;"
        yield "wire negative = t0_sign;"
        return
    if total.digits is None:
        yield from _added(total, "")
        yield "wire [31:0] s = 0;"
    else:
        yield from _near(total, total.digits)
    zero = "all_below || rdn && !none_below"
    yield f"wire negative = inf ? down : total == 0 ? {zero} : total < 0;"


def _presence(total: _Sum, to: str) -> Iterator[str]:
    """What a sum has that is no number, and the signs in it."""
    names = [term.name for term in total.terms]

    def some(what: str) -> str:
        return " || ".join(f"({what.format(t=t)})" for t in names)

    yield f"wire {to}up = {some('{t}_inf && !{t}_sign')};"
    yield f"wire {to}down = {some('{t}_inf && {t}_sign')};"
    yield f"wire {to}nan = {some('{t}_nan')} || {to}up && {to}down;"
    yield f"wire {to}inf = {to}up || {to}down;"
    yield f"wire {to}all_below = !({some('!{t}_all')});"
    yield f"wire {to}none_below = !({some('!{t}_none')});"


def _added(total: _Sum, to: str) -> Iterator[str]:
    """The sum of terms as a signed integer, and its magnitude."""
    high = total.width - 1
    for term in total.terms:
        t, wide = term.name, f"{term.name}_wide"
        yield f"wire [{high + 1}:0] {wide} = {t}_m;"
        at = f"({t}_s + {term.weight - total.weight})"
        yield f"wire [{high + 1}:0] {t}_v = {t}_sign ? -({wide} << {at}) : {wide} << {at};"
    sum_ = " + ".join(f"{term.name}_v" for term in total.terms)
    yield f"wire signed [{high + 1}:0] {to}total = {sum_};"
    yield f"wire [{high}:0] {to}m = {to}total < 0 ? -{to}total : {to}total;"


def _near(total: _Sum, digits: int) -> Iterator[str]:
    """The sum of two terms as a signed integer, its magnitude and its place s.

    What is too far below the other term to meet the result's digits is one of the last place.
    """
    high, gap = total.width - 1, total.gap
    for term in total.terms:
        t = term.name
        yield f"wire signed [31:0] {t}_x = $signed({t}_s) + {term.weight - total.weight};"
        yield f"wire [{high + 1}:0] {t}_wide = {t}_m;"
        yield f"wire {t}_any = {t}_m != 0;"
    yield "wire signed [31:0] apart = t0_x - t1_x;"
    yield f"wire far0 = t0_any && (!t1_any || apart > {gap});"
    yield f"wire far1 = t1_any && (!t0_any || apart < -{gap});"
    for t, mine, other, places in (
        ("t0", "far0", "far1", "apart"),
        ("t1", "far1", "far0", "-apart"),
    ):
        near = f"{places} > 0 ? {t}_wide << {places} : {t}_wide"
        yield f"wire [{high + 1}:0] {t}_near = {near};"
        far = f"{mine} ? {t}_wide << {digits} : {other} ? {t}_any"
        yield f"wire [{high + 1}:0] {t}_n = {far} : {t}_near;"
    signed = (f"({t}_sign ? -{t}_n : {t}_n)" for t in ("t0", "t1"))
    yield f"wire signed [{high + 1}:0] total = {' + '.join(signed)};"
    yield f"wire [{high}:0] m = total < 0 ? -total : total;"
    place = "apart > 0 ? t1_x : t0_x"
    yield f"wire [31:0] s = far0 ? t0_x - {digits} : far1 ? t1_x - {digits} : {place};"
