# SPDX-License-Identifier: BSD-2-Clause
"""A technology-neutral standard-cell library, derived rather than measured.

Every figure follows from two rules, so that an area or a delay of this library means the same in
any year and any process:

area
    A cell drawn in a row is as wide as its transistor pairs stand side by side, plus one
    diffusion break: ``area = (columns + 1) / 3`` NAND2 gate equivalents (GE), because a NAND2 has
    two columns. A transistor of twice the width takes two columns. (With columns counted from the
    schematics this gives the published areas of the open 45 nm library to within a few percent.)

delay
    Logical effort (Sutherland, Sproull, Harris: "Logical Effort", 1999), PMOS twice the width of
    NMOS: ``delay = tau * (p + load / drive)``, where an input of logical effort ``g`` on a cell
    of drive ``s`` loads its driver by ``g * s`` unit inverters. An inverter that drives four of
    itself takes ``tau * (1 + 4)``: that is 1 FO4, and the file writes it as 100 ps. There are no
    wires and no slopes.

energy
    A transition of a node costs half of its capacitance (at a supply of 1 V). A gate's inputs load
    by their logical effort; its output has the capacitance that its parasitic delay says,
    ``p * s``. So an inverter with its own gate and drain, ``1 + 1``, costs one unit of energy a
    transition: that unit is written as 1 fJ, and called ``inv``.

Cells of several stages (AND, XOR, MUX2, flip-flop) are built of the single-stage ones, and so are
their figures.
"""

from dataclasses import dataclass, field

PS_PER_FO4 = 100.0
"""Picoseconds that stand for one FO4 in the Liberty text; an arbitrary scale."""

TAU_PER_FO4 = 5.0
"""One FO4 is 5 tau: parasitic delay 1, electrical effort 4."""

PS_PER_TAU = PS_PER_FO4 / TAU_PER_FO4


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A combinational cell of the library.

    Parameters
    ----------
    name : str
    function : str
        Of the output ``Y``, in Liberty's notation.
    columns : int
        Transistor pairs side by side.
    loads : dict
        Input pin -> load on its driver, in unit inverters.
    parasitic : dict
        Input pin -> delay to ``Y`` without load, in tau.
    drive : float
        Unit inverters' worth of output current.
    senses : dict
        Input pin -> Liberty timing sense.
    internal : float
        Capacitance that switches with ``Y``: its own, and of what is inside, in unit inverters.
    inner : dict
        Input pin -> a node that follows it in a state of the others: (state, capacitance).
    """

    name: str
    function: str
    columns: int
    loads: dict[str, float]
    parasitic: dict[str, float]
    drive: float
    internal: float
    senses: dict[str, str] = field(default_factory=dict)
    inner: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def area(self) -> float:
        """In NAND2 gate equivalents."""
        return (self.columns + 1) / 3


NEGATIVE, POSITIVE, NON_UNATE = "negative_unate", "positive_unate", "non_unate"


# Single-stage gates: name, function, parasitic delay and the logical effort of each input. Efforts
# and parasitics: Sutherland et al., table 1.1 and 1.2, and the same sums for the series-parallel
# gates (OAI21's parasitic with its lone transistor next to the output).
_SINGLE = {
    "INV": ("!A", 1, {"A": 1}),
    "NAND2": ("!(A&B)", 2, {"A": 4 / 3, "B": 4 / 3}),
    "NAND3": ("!(A&B&C)", 3, {"A": 5 / 3, "B": 5 / 3, "C": 5 / 3}),
    "NAND4": ("!(A&B&C&D)", 4, {"A": 2, "B": 2, "C": 2, "D": 2}),
    "NOR2": ("!(A|B)", 2, {"A": 5 / 3, "B": 5 / 3}),
    "NOR3": ("!(A|B|C)", 3, {"A": 7 / 3, "B": 7 / 3, "C": 7 / 3}),
    "NOR4": ("!(A|B|C|D)", 4, {"A": 3, "B": 3, "C": 3, "D": 3}),
    "AOI21": ("!((A&B)|C)", 7 / 3, {"A": 2, "B": 2, "C": 5 / 3}),
    "AOI22": ("!((A&B)|(C&D))", 4, {"A": 2, "B": 2, "C": 2, "D": 2}),
    "OAI21": ("!((A|B)&C)", 8 / 3, {"A": 2, "B": 2, "C": 4 / 3}),
    "OAI22": ("!((A|B)&(C|D))", 4, {"A": 2, "B": 2, "C": 2, "D": 2}),
}
_STRENGTHS = {"INV": (1, 2, 4, 8, 16)}  # of the others: 1, 2 and 4


def _single(name: str, strength: int) -> Cell:
    function, parasitic, efforts = _SINGLE[name]
    return Cell(
        name=f"{name}_X{strength}",
        function=function,
        columns=len(efforts) * strength,
        loads={pin: effort * strength for pin, effort in efforts.items()},
        parasitic=dict.fromkeys(efforts, float(parasitic)),
        drive=strength,
        senses=dict.fromkeys(efforts, NEGATIVE),
        internal=float(parasitic * strength),
    )


def _followed_by_inverter(name: str, gate: str, function: str, strength: int) -> Cell:
    """``gate`` and an inverter of ``strength``; the gate is half as strong, at least 1."""
    first = _single(gate, max(1, strength // 2))
    inner = strength / first.drive  # the inverter's load on the gate
    return Cell(
        name=f"{name}_X{strength}",
        function=function,
        columns=first.columns + strength,
        loads=first.loads,
        parasitic={pin: p + inner + 1 for pin, p in first.parasitic.items()},
        drive=strength,
        senses=dict.fromkeys(first.loads, POSITIVE),
        internal=first.internal + strength + _single("INV", strength).internal,
    )


def _exclusive(name: str, function: str, inner: str, outer: str, strength: int) -> Cell:
    """XOR2 is AOI21(A, B, NOR2(A, B)); XNOR2 is OAI21(A, B, NAND2(A, B))."""
    first, second = _single(inner, strength), _single(outer, strength)
    slow = first.parasitic["A"] + second.loads["C"] / first.drive + second.parasitic["C"]
    node = first.internal + second.loads["C"]
    passes = "{}" if inner == "NAND2" else "!{}"  # the state in which the inner gate inverts
    return Cell(
        name=f"{name}_X{strength}",
        function=function,
        columns=first.columns + second.columns,
        loads={pin: first.loads[pin] + second.loads[pin] for pin in "AB"},
        parasitic={"A": slow, "B": slow},
        drive=strength,
        senses={"A": NON_UNATE, "B": NON_UNATE},
        internal=second.internal,
        inner={pin: (passes.format(other), node) for pin, other in ("AB", "BA")},
    )


def _multiplexer(strength: int) -> Cell:
    """``S ? B : A`` as AOI22, an inverter for the select, and one at the output."""
    choose, invert = _single("AOI22", 1), _single("INV", 1)
    data = choose.parasitic["A"] + strength + 1
    select = 1 + choose.loads["A"] / invert.drive + data
    return Cell(
        name=f"MUX2_X{strength}",
        function="(S&B)|(!S&A)",
        columns=choose.columns + invert.columns + strength,
        loads={"A": 2.0, "B": 2.0, "S": choose.loads["A"] + 1},
        parasitic={"A": data, "B": data, "S": select},
        drive=strength,
        senses={"A": POSITIVE, "B": POSITIVE, "S": NON_UNATE},
        internal=choose.internal + strength + _single("INV", strength).internal,
        inner={"S": ("", invert.internal + choose.loads["A"])},
    )


def cells() -> tuple[Cell, ...]:
    """The combinational cells, each strength a cell of its own."""
    found: list[Cell] = []
    for name in _SINGLE:
        found += [_single(name, s) for s in _STRENGTHS.get(name, (1, 2, 4))]
    found += [_followed_by_inverter("BUF", "INV", "A", s) for s in (1, 2, 4, 8, 16)]
    found += [_followed_by_inverter("AND2", "NAND2", "A&B", s) for s in (1, 2, 4)]
    found += [_followed_by_inverter("OR2", "NOR2", "A|B", s) for s in (1, 2, 4)]
    found += [_followed_by_inverter("AND3", "NAND3", "A&B&C", s) for s in (1, 2)]
    found += [_followed_by_inverter("OR3", "NOR3", "A|B|C", s) for s in (1, 2)]
    found += [_exclusive("XOR2", "A^B", "NOR2", "AOI21", s) for s in (1, 2)]
    found += [_exclusive("XNOR2", "!(A^B)", "NAND2", "OAI21", s) for s in (1, 2)]
    found += [_multiplexer(s) for s in (1, 2)]
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class FlipFlop:
    """A master-slave flip-flop, rising edge.

    Fourteen columns: two latches of a transmission gate, an inverter and a clocked feedback
    inverter each (8), two clock inverters (2), the input and the output stage (1 + 3). An
    asynchronous reset turns two inverters into NAND2 (2 more); an enable is a multiplexer without
    its output inverter in front (5 more).

    Clock to output: clock inverter (fanout 4), transmission gate and slave inverter, output
    stage, about ``2 * (1 + 4) - 1`` tau before the output stage's own ``1 + load / drive``.
    Setup: two inverting stages with transmission gates, 6 tau. Together with a fanout of four
    that makes 4 FO4 per register, in the range that is quoted for synthesised designs
    (Chinnery and Keutzer, 2002).

    Capacitance in unit inverters, a gate and a drain counting 1 each: a clock phase has two gates'
    worth of transmission gates and clocked inverters, and the inverter that makes it; the first
    one drives the second besides. The input inverter follows D, with the transmission gate behind
    it. A new state moves two nodes of three in the master, and in the slave one of three, one of
    two with the output stage's gate, and that stage's drain.
    """

    name: str
    next_state: str
    columns: int
    pins: tuple[str, ...]
    clear: str | None = None
    preset: str | None = None
    drive: float = 2.0
    clock_to_output: float = 9.0  # tau, without the output stage
    setup: float = 6.0  # tau
    clock_node: float = (1 + 1 + 2) + (1 + 2)
    input_node: float = 1 + 1

    @property
    def state_node(self) -> float:
        """Capacitance that switches with Q, that of Q itself included."""
        return 2 * 3 + 3 + (2 + self.drive) + self.drive

    @property
    def area(self) -> float:
        """In NAND2 gate equivalents."""
        return (self.columns + 1) / 3


FLIP_FLOPS = (
    FlipFlop(name="DFF", next_state="D", columns=14, pins=("D",)),
    FlipFlop(name="DFFE", next_state="(E&D)|(!E&IQ)", columns=19, pins=("D", "E")),
    FlipFlop(name="DFFR", next_state="D", columns=16, pins=("D",), clear="!RN"),
    FlipFlop(name="DFFS", next_state="D", columns=16, pins=("D",), preset="!SN"),
)

# Two points are enough for tables that are straight lines; the far one is beyond any real load,
# because some readers do not extrapolate.
_LOADS = (0.0, 4096.0)
_SLEWS = (0.0, 1000.0)


def _line(parasitic: float, drive: float) -> str:
    row = ", ".join(f"{PS_PER_TAU * (parasitic + load / drive):.4f}" for load in _LOADS)
    return "\n".join(f'            "{row}"' + (", \\" if i == 0 else " \\") for i in range(2))


def _table(kind: str, parasitic: float, drive: float) -> str:
    return f"          {kind} (line) {{ values ( \\\n{_line(parasitic, drive)}\n          ); }}\n"


def _constant(kind: str, template: str, value: float) -> str:
    row = f"{value:.4f}, {value:.4f}"
    return f'          {kind} ({template}) {{ values ("{row}", "{row}"); }}\n'


def _arc(pin: str, parasitic: float, drive: float, *, sense: str = "", edge: str = "") -> str:
    what = f"timing_type : {edge};" if edge else f"timing_sense : {sense};"
    tables = "".join(_table(kind, parasitic, drive) for kind in ("cell_rise", "cell_fall"))
    slews = "".join(_constant(k, "line", 20.0) for k in ("rise_transition", "fall_transition"))
    head = f'        timing () {{\n          related_pin : "{pin}"; {what}\n'
    return f"{head}{tables}{slews}        }}\n"


def _power(capacitance: float, related: str = "", when: str = "") -> str:
    """Energy of a rise and of a fall, in fJ at 1 V: half the capacitance."""
    head = f'related_pin : "{related}"; ' if related else ""
    head += f'when : "{when}"; ' if when else ""
    value = f'(scalar) {{ values ("{capacitance / 2:.4f}"); }}'
    return f"        internal_power () {{ {head}rise_power {value} fall_power {value} }}\n"


def _input(pin: str, load: float, more: str = "") -> str:
    return (
        f"      pin ({pin}) {{ direction : input; capacitance : {load:.4f};"
        f"{' clock : true;' if pin == 'CK' else ''}{more} }}\n"
    )


def _combinational(cell: Cell, power: bool) -> str:
    inner = {pin: _power(node, when=when) for pin, (when, node) in cell.inner.items() if power}
    pins = "".join(_input(pin, load, inner.get(pin, "")) for pin, load in cell.loads.items())
    arcs = "".join(
        _arc(pin, cell.parasitic[pin], cell.drive, sense=cell.senses[pin]) for pin in cell.loads
    )
    arcs += "".join(_power(cell.internal, related=pin) for pin in cell.loads if power)
    return (
        f"    cell ({cell.name}) {{\n      area : {cell.area:.4f};\n{pins}"
        f'      pin (Y) {{ direction : output; function : "{cell.function}";'
        f" max_capacitance : {32 * cell.drive:.1f};\n{arcs}      }}\n    }}\n"
    )


def _sequential(ff: FlipFlop, power: bool) -> str:
    control = "".join(
        f'{kind} : "{value}"; '
        for kind, value in (("clear", ff.clear), ("preset", ff.preset))
        if value
    )
    setup = (
        '\n        timing () { related_pin : "CK"; timing_type : setup_rising;\n'
        + _constant("rise_constraint", "pair", PS_PER_TAU * ff.setup)
        + _constant("fall_constraint", "pair", PS_PER_TAU * ff.setup)
        + "        }\n     "
    )
    clock, data, state = (
        _power(node, related=related) if power else ""
        for node, related in ((ff.clock_node, ""), (ff.input_node, ""), (ff.state_node, "CK"))
    )
    pins = "".join(
        _input(pin, 1.0 if pin == "D" else 3.0, setup + (data if pin == "D" else ""))
        for pin in ff.pins
    )
    pins += "".join(_input(value[1:], 2.0) for value in (ff.clear, ff.preset) if value)
    arc = _arc("CK", ff.clock_to_output + 1, ff.drive, edge="rising_edge")
    return (
        f"    cell ({ff.name}) {{\n      area : {ff.area:.4f};\n"
        f'      ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "{ff.next_state}"; {control}}}\n'
        f"{_input('CK', 1.0, clock)}{pins}"
        f'      pin (Q) {{ direction : output; function : "IQ";'
        f" max_capacitance : {32 * ff.drive:.1f};\n{arc}{state}      }}\n    }}\n"
    )


def liberty(power: bool = False) -> str:
    """The library as Liberty text: area in GE, capacitance in unit inverters, 100 ps per FO4.

    With ``power`` also what happens inside the cells, which no mapper asks for: without it the
    text, and with that the key of each stored result, is what it was before there was energy.
    """
    axes = (
        f'index_1 ("{_SLEWS[0]}, {_SLEWS[1]}"); index_2 ("{_LOADS[0]}, {_LOADS[1]}");',
        f'index_1 ("{_SLEWS[0]}, {_SLEWS[1]}"); index_2 ("{_SLEWS[0]}, {_SLEWS[1]}");',
    )
    return (
        "/* SPDX-License-Identifier: BSD-2-Clause\n"
        "   macaw's technology-neutral library, by logical effort. 1 FO4 = 100 ps, area in NAND2\n"
        "   gate equivalents, capacitance in unit inverters (written as fF). */\n"
        "library (macaw_logical_effort) {\n"
        "    delay_model : table_lookup;\n"
        '    time_unit : "1ps"; voltage_unit : "1V"; current_unit : "1uA";\n'
        '    pulling_resistance_unit : "1kohm"; leakage_power_unit : "1nW";\n'
        "    capacitive_load_unit (1, ff);\n"
        "    slew_upper_threshold_pct_rise : 80; slew_lower_threshold_pct_rise : 20;\n"
        "    slew_upper_threshold_pct_fall : 80; slew_lower_threshold_pct_fall : 20;\n"
        "    input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;\n"
        "    output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;\n"
        "    nom_process : 1; nom_voltage : 1.0; nom_temperature : 25;\n"
        "    lu_table_template (line) { variable_1 : input_net_transition;"
        f" variable_2 : total_output_net_capacitance;\n      {axes[0]} }}\n"
        "    lu_table_template (pair) { variable_1 : related_pin_transition;"
        f" variable_2 : constrained_pin_transition;\n      {axes[1]} }}\n"
        + "".join(_combinational(cell, power) for cell in cells())
        + "".join(_sequential(ff, power) for ff in FLIP_FLOPS)
        + "}\n"
    )
