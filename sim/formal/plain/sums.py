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
from macaw.golden.formats.choices import Nan, Overflow, Rounding
from macaw.golden.formats.scalar import Specials, Subnormals
from macaw.golden.units import Unit

from .module import head

WIDEST = 320
"""Bits of a sum; one of fp16 products has about 80, and with an addend of fp32 there are 290."""
WIDEST_OF_BLOCKS = 640
"""The same of blocks, whose scales may be of eight bits of exponent each."""

_KINDS = ("mul", "add", "fma", "cast", "dot", "block-dot")
SCALES = ("a_scale", "b_scale")
_POLICIES = (None, Overflow.SATURATE, Overflow.PROPAGATE, Overflow.NONFINITE, Overflow.WRAP)


def refuses(unit: Unit) -> str:
    """Why there is no such description; empty if there is."""
    if unit.kind not in _KINDS:
        return f"has no {unit.kind}"
    ports = unit.ports
    if unit.kind == "block-dot" and (why := _uneven(unit)):
        return why
    for operand in (*ports.inputs.values(), ports.outputs["r"]):
        if why := _lacks(operand.format):
            return why
    out = ports.outputs["r"].format
    if isinstance(out, Float) and (not out.signed or not out.zero):
        return f"has no unsigned floats as results, as {out.name}"
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
    widest = WIDEST_OF_BLOCKS if unit.kind == "block-dot" else WIDEST
    if width > widest:
        return f"has sums of up to {widest} bits, here {width}"
    return ""


def _lacks(fmt: Format) -> str:
    if isinstance(fmt, Fixed):
        return ""
    if not isinstance(fmt, Float) or fmt.specials is Specials.EXTENDED or not fmt.exponent:
        return f"has no {fmt.name}"
    if fmt.subnormals is not Subnormals.GRADUAL and fmt.zero:
        return f"has only formats with subnormals, not {fmt.name}"
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

    @classmethod
    def of(cls, unit: Unit) -> _Sum:
        inputs = {name: operand.format for name, operand in unit.ports.inputs.items()}
        a, b, c = (((name, inputs[name]),) if name in inputs else () for name in "abc")
        if unit.kind in ("dot", "block-dot"):
            lanes = range(unit.ports.inputs["a"].lanes or 1)
            products = tuple(((f"a{i}", inputs["a"]), (f"b{i}", inputs["b"])) for i in lanes)
            inner = _Inner(products=cls(factors=products, prefix="q"))
            scales = ((name, inputs[name]) for name in SCALES if name in inputs)
            return cls(factors=((("p", inner), *scales), c))
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
    def width(self) -> int:
        """Bits of the sum's magnitude; of a single term those of its integer."""
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
    total = _Sum.of(unit)
    lines = [
        *head(unit),
        *_modes(unit),
        *_operands(unit),
        *_inner(total),
        *(line for number, _ in enumerate(total.terms) for line in _term(total, number)),
        *_sum(total),
        *(_to_float(unit, out, total) if isinstance(out, Float) else _to_fixed(unit, out, total)),
        "endmodule\n",
    ]
    return "\n".join(lines)


def _modes(unit: Unit) -> Iterator[str]:
    for mode in ("rne", "rna", "rtz", "rup", "rdn", "rod"):
        chosen = "1'b0"
        if unit.rounding is Rounding.DYNAMIC:
            codes = [code for code in range(8) if Rounding.from_code(code) == mode]
            chosen = " | ".join(f"i_rm == {code}" for code in codes)
        elif unit.rounding == mode:
            chosen = "1'b1"
        yield f"wire {mode} = {chosen};"


def _operands(unit: Unit) -> Iterator[str]:
    for name, port in unit.ports.inputs.items():
        if name in ("a", "b", "c", *SCALES):
            fmt, width = port.format, port.format.width
            for lane in range(port.lanes or 1):
                x = name if port.lanes is None else f"{name}{lane}"
                yield f"wire [{width - 1}:0] {x} = i_{name}[{width * lane} +: {width}];"
                yield from _float(x, fmt) if isinstance(fmt, Float) else _fixed(x, fmt)


def _float(x: str, fmt: Float) -> Iterator[str]:
    magnitude = fmt.exponent + fmt.mantissa
    field = f"{x}_code[{magnitude - 1}:{fmt.mantissa}]"
    fraction = f", {x}_code[{fmt.mantissa - 1}:0]" if fmt.mantissa else ""
    infinite = f"{x}_code == {fmt.inf_code}" if fmt.has_inf else "1'b0"
    yield f"wire [{magnitude - 1}:0] {x}_code = {x};"
    yield f"wire {x}_sign = {f'{x}[{magnitude}]' if fmt.signed else '1' + chr(39) + 'b0'};"
    yield f"wire {x}_inf = {infinite};"
    if fmt.nan_for_negative_zero:
        yield f"wire {x}_nan = {x} == {fmt.nan_code};"
    else:
        yield f"wire {x}_nan = {x}_code > {fmt.max_code} && !{x}_inf;"
    normal = f"{field} != 0" if fmt.zero else "1'b1"
    yield f"wire [{fmt.mantissa}:0] {x}_m = {{{normal}{fraction}}};"
    yield f"wire [31:0] {x}_s = {field} == 0 ? 0 : {field} - {int(fmt.zero)};"


def _fixed(x: str, fmt: Format) -> Iterator[str]:
    assert isinstance(fmt, Fixed)
    yield f"wire {x}_sign = {f'{x}[{fmt.width - 1}]' if fmt.signed else '1' + chr(39) + 'b0'};"
    yield f"wire {x}_nan = 1'b0, {x}_inf = 1'b0;"
    yield f"wire [{fmt.width - 1}:0] {x}_m = {x}_sign ? -{x} : {x};"
    yield f"wire [31:0] {x}_s = 0;"


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
    yield f"wire [{term.width - 1}:0] {t}_m = {' * '.join(f'{name}_m' for name in names)};"
    yield f"wire [31:0] {t}_s = {' + '.join(f'{name}_s' for name in names)};"
    # Whether all that is in it is below zero, or nothing: a zero has the sign of all its terms.
    below = ("p_all_below", "p_none_below") if "p" in names else (f"{t}_sign", f"!{t}_sign")
    yield f"wire {t}_all = {below[0]}, {t}_none = {below[1]};"


def _sum(total: _Sum) -> Iterator[str]:
    """The wires nan, inf, negative, and the magnitude m * 2**s of the sum."""
    yield from _presence(total, "")
    if len(total.terms) == 1:
        yield f"wire [{total.width - 1}:0] m = t0_m;"
        yield "wire [31:0] s = t0_s;"
        yield "wire negative = t0_sign;"
        return
    yield from _added(total, "")
    yield "wire [31:0] s = 0;"
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


def _rounding(width: int) -> Iterator[str]:
    """kept, and what is added to it, of v at its place u, whose last bit is odd."""
    yield "half = v >> (u - 1);"
    yield f"rest = (v & (({width}'d1 << (u - 1)) - 1)) != 0;"
    yield "inexact = half || rest;"
    yield "more = rne && half && (rest || odd) || rna && half;"
    yield "more = more || inexact && (rup && !negative || rdn && negative);"


def _registers(width: int, result: int) -> Iterator[str]:
    yield f"reg [{width - 1}:0] v;"
    yield f"reg [{result - 1}:0] kept, result;"
    yield "reg half, rest, inexact, odd, more, over, below;"
    yield "reg signed [31:0] top, at, u;"
    yield "integer i;"


def _to_float(unit: Unit, out: Float, total: _Sum) -> Iterator[str]:
    # As far to the left as a result needs that is exact and has its last bit right of m's.
    pad = out.mantissa + 1
    width = total.width + pad
    least = out.quantum - total.weight
    high = total.weight + total.width + sum(_most(f) for _, f in total.factors[0])
    result = max(high - out.quantum, 1).bit_length() + out.mantissa + out.exponent + 2
    magnitude = out.exponent + out.mantissa
    inf = out.max_code if out.inf_code is None else out.inf_code
    nan = _nan(unit, out)
    yield from _registers(width, result)
    yield "always @* begin"
    yield f"v = m; v = v << {pad};"
    yield "top = 0;"
    yield f"for (i = 0; i < {total.width}; i = i + 1) if (m[i]) top = i;"
    # The place of the result's last bit is that of the largest, or of all subnormal ones.
    yield f"at = top + $signed(s) - {out.mantissa} - ({least});"
    yield "at = at < 0 || m == 0 ? 0 : at;"
    yield f"u = at + ({least}) - $signed(s) + {pad};"
    yield f"u = u > {width + 1} ? {width + 1} : u;"
    yield f"result = at; result = (result << {out.mantissa}) + (v >> u);"
    yield "odd = result[0];"
    yield from _rounding(width)
    yield "result = result + more;"
    yield "if (rod && inexact) result[0] = 1;"
    yield f"over = result > {out.max_code};"
    beyond = "1'b0"
    if unit.overflow is None:
        beyond = "rne || rna || (negative ? rdn : rup)"
    elif unit.overflow is Overflow.NONFINITE:
        beyond = "1'b1"
    outside = str(inf) if out.has_inf else str(nan)
    kept = out.max_code if unit.overflow is Overflow.SATURATE else inf
    yield f"if (over) result = ({beyond}) ? {outside} : {out.max_code};"
    yield f"if (inf) result = {kept};"
    signed = "negative"
    if out.nan_for_negative_zero:
        signed = "negative && result != 0"
    yield f"o_r = result[{magnitude - 1}:0];"
    yield f"o_r[{magnitude}] = {signed};"
    lost = "1'b0" if out.has_inf or unit.overflow is not Overflow.NONFINITE else "over || inf"
    yield f"if (nan || {lost}) o_r = {nan};"
    yield "end"


def _to_fixed(unit: Unit, out: Format, total: _Sum) -> Iterator[str]:
    assert isinstance(out, Fixed)
    place = -out.fraction - total.weight
    most = sum(_most(f) for _, f in total.factors[0]) if len(total.factors) == 1 else 0
    pad = max(0, 1 - place)
    width = max(total.width + most + pad, place + pad + out.width) + 2
    highest, lowest = out.max_integer, -out.min_integer
    yield from _registers(width, width + 1)
    yield "always @* begin"
    yield f"v = m; v = v << (s + {pad});"
    yield f"u = {place + pad};"
    yield "result = v >> u;"
    yield "odd = result[0];"
    yield from _rounding(width)
    yield "result = result + more;"
    yield "if (rod && inexact) result[0] = 1;"
    yield f"over = result > (negative ? {width}'d{lowest} : {width}'d{highest}) || inf;"
    yield "o_r = negative ? -result : result;"
    wraps = "!inf" if unit.overflow is Overflow.WRAP else "1'b0"
    yield f"if (over && !({wraps})) o_r = negative ? -{width}'d{lowest} : {width}'d{highest};"
    yield f"if (nan) o_r = {out.width}'d{_nan(unit, out)};"
    yield "end"


def _nan(unit: Unit, out: Float | Fixed) -> int:
    """What a NaN is in ``out``, or becomes."""
    becomes = getattr(unit, "nan", None)
    if isinstance(out, Float) and out.nan_code is not None:
        return out.nan_code
    if becomes is Nan.ZERO:
        return 0
    if becomes is Nan.NEGATIVE_ZERO:
        return 1 << (out.width - 1)
    return out.max_code if isinstance(out, Float) else out.max_integer
