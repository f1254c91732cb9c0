# SPDX-License-Identifier: BSD-2-Clause
"""Units with a state: what one beat makes of it, written a second time.

A machine is a module without registers: its state goes in as ``s_NAME``, comes out as ``n_NAME``,
beside operands and results. ``counts`` says whether the results of a beat do, and ``fits`` whether
the state is one that a sequence of as many terms as are allowed can lead to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from macaw.golden.formats import Fixed
from macaw.golden.formats.choices import Rounding
from macaw.golden.units import Unit

from .module import MODULE
from .operands import modes
from .rounding import Magnitude, to_fixed

STORED = f"{MODULE}_stored"
"""The module that takes one value out."""
_PRODUCT = "$signed({2'b0, i_a_scale}) + $signed({2'b0, i_b_scale}) - $signed({2'b0, i_r_scale})"


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A number that a machine keeps.

    Attributes
    ----------
    name : str
        ``s_NAME`` and ``n_NAME`` are its ports.
    register : str
        What keeps it in the gates.
    width : int
    meaning : str
        What the register's word ``{x}`` is as this number, in Verilog.
    begins : str or None
        The register's word, in bits, at first and after a reset; None for any.
    """

    name: str
    register: str
    width: int
    meaning: str = "{x}"
    begins: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A module ``MODULE`` of one beat."""

    states: tuple[State, ...]
    verilog: str


def refuses(unit: Unit) -> str:
    """Why there is no such description; empty if there is."""
    if unit.kind not in _KINDS:
        return f"has no {unit.kind}, which keeps a state between beats"
    if unit.kind == "int-mac":
        return _uneven(unit)
    if unit.rounding.stochastic or unit.rounding is Rounding.DYNAMIC:
        return f"has no rounding={unit.rounding}"
    return ""


def _uneven(spec: Any) -> str:
    for fmt in (spec.a, spec.b):
        if not isinstance(fmt, Fixed):
            return f"has no int-mac of {fmt.name}, only of integers"
    return f"has no parts={spec.parts}" if spec.parts > 1 else ""


def machine(unit: Unit) -> Machine:
    """The machine of a unit that :func:`refuses` lets pass."""
    return _KINDS[unit.kind](unit)


def _head(unit: Unit, states: Sequence[State]) -> Iterator[str]:
    ports = ["input rst"]
    ports += [f"input [{port.width - 1}:0] i_{name}" for name, port in unit.ports.inputs.items()]
    ports += [f"output [{p.width - 1}:0] o_{name}" for name, p in unit.ports.outputs.items()]
    for state in states:
        ports += [f"input [{state.width - 1}:0] s_{state.name}"]
        ports += [f"output [{state.width - 1}:0] n_{state.name}"]
    yield "/* verilator lint_off WIDTH */ /* verilator lint_off CMPCONST */"
    yield f"module {MODULE}({', '.join([*ports, 'output counts', 'output fits'])});"


def _lanes(unit: Unit, name: str) -> Iterator[str]:
    """The integers of an operand: ``NAME_LANE``."""
    port = unit.ports.inputs[name]
    fmt = port.format
    assert isinstance(fmt, Fixed)
    sign = "signed " if fmt.signed else ""
    for lane in range(port.lanes or 1):
        at = f"i_{name}[{fmt.width * lane} +: {fmt.width}]"
        yield f"wire {sign}[{fmt.width - 1}:0] {name}{lane} = {at};"


def _flex_mac(unit: Unit) -> Machine:
    spec: Any = unit
    a, b, _ = spec.elements
    bound = a.min_integer * b.min_integer * spec.terms
    width = bound.bit_length() + 1
    states = (
        State(name="total", register="accumulator", width=width, begins="0" * width),
        _largest(spec),
    )
    lanes = range(unit.ports.inputs["a"].lanes or 1)
    products = [f"p{lane}" for lane in lanes]
    verilog = [
        *_head(unit, states),
        *_lanes(unit, "a"),
        *_lanes(unit, "b"),
        *(f"wire signed [{a.width + b.width - 1}:0] p{i} = a{i} * b{i};" for i in lanes),
        f"wire signed [{width - 1}:0] held = s_total;",
        f"wire signed [{width}:0] total = held + ({' + '.join(products)});",
        f"assign fits = total <= {bound} && total >= -{width}'sd{bound};",
        "assign counts = i_last;",
        "assign n_total = rst || i_last ? 0 : total;",
        *_result(spec, 0, "total", _PRODUCT),
        *_statistics(spec, ["r0"], "i_last"),
        "endmodule",
        *_stored(spec, width, ("a", "b")),
    ]
    return Machine(states=states, verilog="\n".join(verilog) + "\n")


def _int_mac(unit: Unit) -> Machine:
    """The sum of products less zero points; the bias joins it where it is taken out."""
    spec: Any = unit
    lanes = range(unit.ports.inputs["a"].lanes or 1)
    beats = -(-spec.terms // len(lanes))
    products = [x * y for x in _ends(spec, "a") for y in _ends(spec, "b")]
    low, high = (beats * len(lanes) * end(products) for end in (min, max))
    width = max(high, -low - 1).bit_length() + 1
    kept = min(width, spec.acc.width) if spec.wrap else width
    states = (State(name="total", register="accumulator", width=kept, begins="0" * kept),)
    size = max(width, spec.acc.width) + 2
    sums = " + ".join(f"p{i}" for i in lanes)
    fits = "1" if kept < width else f"total >= {_literal(low)} && total <= {_literal(high)}"
    bias = _whole("bias0", spec.acc) if spec.bias else "0"
    most, least = spec.acc.max_integer, spec.acc.min_integer
    cut = f"sum > {_literal(most)} ? {most} : sum < {_literal(least)} ? {least} : sum"
    verilog = [
        *_head(unit, states),
        *(line for name in unit.ports.inputs if name != "last" for line in _lanes(unit, name)),
        *(line for i in lanes for line in (
            f"wire signed [{size - 1}:0] x{i} = {_less(spec, 'a', i)};",
            f"wire signed [{size - 1}:0] y{i} = {_less(spec, 'b', i)};",
            f"wire signed [{size - 1}:0] p{i} = x{i} * y{i};",
        )),
        f"wire signed [{kept - 1}:0] held = s_total;",
        f"wire signed [{size - 1}:0] total = held + ({sums});",
        f"assign fits = {fits};",
        "assign counts = i_last;",
        "assign n_total = rst || i_last ? 0 : total;",
        f"wire signed [{size - 1}:0] sum = total + {bias};",
        f"assign o_r = {'sum' if spec.wrap else cut};",
        "endmodule",
    ]  # fmt: skip
    return Machine(states=states, verilog="\n".join(verilog) + "\n")


def _ends(spec: Any, name: str) -> tuple[int, int]:
    """The least and the largest factor."""
    fmt = getattr(spec, name)
    apart = fmt.max_integer - fmt.min_integer
    if getattr(spec, f"{name}_zero"):
        return -apart, apart
    return fmt.min_integer, fmt.max_integer


def _less(spec: Any, name: str, lane: int) -> str:
    """A factor, less its zero point if it has one."""
    fmt = getattr(spec, name)
    zero = f" - {_whole(f'{name}_zero0', fmt)}" if getattr(spec, f"{name}_zero") else ""
    return _whole(f"{name}{lane}", fmt) + zero


def _whole(name: str, fmt: Any) -> str:
    return name if fmt.signed else f"$signed({{1'b0, {name}}})"


def _literal(value: int) -> str:
    """An integer with a sign, as wide as it needs."""
    size = abs(value).bit_length() + 2
    return f"-{size}'sd{-value}" if value < 0 else f"{size}'sd{value}"


def _flex_mul(unit: Unit) -> Machine:
    spec: Any = unit
    a, b, _ = spec.elements
    width = a.width + b.width
    lanes = range(unit.ports.inputs["a"].lanes or 1)
    values = [line for i in lanes for line in (
        f"wire signed [{width - 1}:0] p{i} = a{i} * b{i};",
        *_result(spec, i, f"p{i}", _PRODUCT),
    )]  # fmt: skip
    return _elementwise(spec, values, width, ("a", "b"))


def _flex_add(unit: Unit) -> Machine:
    """The sum is one of integers: both operands moved up by all that their exponents say."""
    spec: Any = unit
    scales = {name: getattr(spec, name).scale for name in "ab"}
    bias = max(scale.bias for scale in scales.values())
    most = max((1 << scale.exponent) - 1 + bias - scale.bias for scale in scales.values())
    width = max(fmt.width for fmt in spec.elements) + most + 1
    values: list[str] = []
    for i in range(unit.ports.inputs["a"].lanes or 1):
        for name, scale in scales.items():
            by = f"(i_{name}_scale + {bias - scale.bias})"
            values.append(f"wire signed [{width - 1}:0] {name}{i}_wide = {name}{i};")
            values.append(f"wire signed [{width - 1}:0] {name}{i}_moved = {name}{i}_wide <<< {by};")
        values.append(f"wire signed [{width - 1}:0] p{i} = a{i}_moved + b{i}_moved;")
        values += _result(spec, i, f"p{i}", "-$signed({1'b0, i_r_scale})")
    return _elementwise(spec, values, width, (), bias)


def _elementwise(
    spec: Any, values: Sequence[str], width: int, names: tuple[str, ...], bias: int = 0
) -> Machine:
    states = (_largest(spec),)
    lanes = range(spec.ports.inputs["a"].lanes or 1)
    verilog = [
        *_head(spec, states),
        *_lanes(spec, "a"),
        *_lanes(spec, "b"),
        "assign fits = 1, counts = 1;",
        *values,
        *_statistics(spec, [f"r{i}" for i in lanes], "1'b1"),
        "endmodule",
        *_stored(spec, width, names, bias),
    ]
    return Machine(states=states, verilog="\n".join(verilog) + "\n")


def _largest(spec: Any) -> State:
    """The largest magnitude so far; the gates keep it less one, with a bit that is its sign."""
    width = spec.ports.outputs["maximum"].width
    return State(
        name="largest",
        register="statistics_largest",
        width=width,
        meaning=f"{{x}}[{width - 1}:1] + {{x}}[0]",
        begins="0" * width,
    )


def _result(spec: Any, lane: int, value: str, exponent: str) -> Iterator[str]:
    width = spec.ports.outputs["r"].format.width
    yield f"wire signed [31:0] e{lane} = {exponent};"
    yield f"wire signed [{width - 1}:0] r{lane};"
    yield f"{STORED} stored{lane}({value}, e{lane}, r{lane});"
    yield f"assign o_r[{width * lane} +: {width}] = r{lane};"


def _statistics(spec: Any, results: Sequence[str], last: str) -> Iterator[str]:
    """The largest magnitude of a tensor, of results that are the last of their sums."""
    out = spec.ports.outputs["r"].format
    for r in results:
        yield f"wire [{out.width - 1}:0] {r}_size = {r} < 0 ? -{r} : {r};"
    yield f"reg [{out.width - 1}:0] most;"
    yield "always @* begin most = s_largest;"
    for r in results:
        yield f"if ({last} && {r}_size > most) most = {r}_size;"
    yield "end"
    yield "assign o_maximum = most;"
    yield f"assign o_overflow = most >= {out.max_integer};"
    yield f"assign n_largest = rst ? 0 : {last} && i_end ? 0 : most;"


def _stored(spec: Any, width: int, names: tuple[str, ...], bias: int = 0) -> Iterator[str]:
    """A module of ``value * 2**(e - biases)``, rounded once and saturated.

    ``e`` is the sum of the codes of the scales of ``names`` less that of the result.
    """
    out = spec.ports.outputs["r"].format
    less = (1 << spec.out.scale.exponent) - 1
    more = sum((1 << getattr(spec, name).scale.exponent) - 1 for name in names)
    weight = spec.out.scale.bias - bias - sum(getattr(spec, name).scale.bias for name in names)
    ports = f"input signed [{width - 1}:0] value, input signed [31:0] e"
    yield f"module {STORED}({ports}, output reg [{out.width - 1}:0] o_r);"
    yield from modes(spec)
    yield "wire nan = 1'b0, inf = 1'b0, negative = value < 0;"
    yield f"wire [{width - 1}:0] m = negative ? -value : value;"
    yield f"wire [31:0] s = e + {less};"
    total = Magnitude(width=width, weight=weight - less, highest=width + less + more)
    yield from to_fixed(spec, out, total)
    yield "endmodule"


_KINDS = {
    "flex-mac": _flex_mac,
    "flex-mul": _flex_mul,
    "flex-add": _flex_add,
    "int-mac": _int_mac,
}
KINDS = tuple(_KINDS)
