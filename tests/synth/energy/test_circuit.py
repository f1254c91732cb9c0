# SPDX-License-Identifier: BSD-2-Clause
"""What a Liberty file says of states, in picojoules, and what of it is used."""

import numpy as np
import pytest

from macaw.synth.energy.circuit import circuit
from macaw.synth.energy.simulator import simulate
from macaw.synth.mapping.liberty import LibertyError, Library


def own(rise, fall, **said):
    """An internal_power group of plain figures."""
    words = "".join(f'{name} : "{value}"; ' for name, value in said.items())
    tables = (
        f'{kind}_power (scalar) {{ values ("{v}"); }}'
        for kind, v in (("rise", rise), ("fall", fall))
    )
    return f"internal_power () {{ {words}{' '.join(tables)} }}"


HEAD = """library (mine) {
  time_unit : "1ns"; capacitive_load_unit (10, ff); voltage_unit : "1V"; nom_voltage : 2.0;
  leakage_power_unit : "1uW";
  power_lut_template (own) { variable_1 : input_transition_time; index_1 ("0, 1"); }
"""
ARC = """timing () { related_pin : "A"; timing_sense : negative_unate;
  cell_rise (scalar) { values ("0.03"); } cell_fall (scalar) { values ("0.02"); } }"""
GATE = f"""cell (NAND2) {{ area : 1; cell_leakage_power : 3;
  pin (A) {{ direction : input; capacitance : 1; {own(1000, 1000)}
    internal_power () {{ when : "!B"; rise_power (own) {{ values ("1, 5"); }}
      fall_power (scalar) {{ values ("2"); }} }} }}
  pin (B) {{ direction : input; capacitance : 2; }}
  pin (Y) {{ direction : output; function : "!(A&B)"; {ARC} {own(10, 20, related_pin="A")} }} }}
  cell (INV) {{ area : 1; cell_leakage_power : 1; pin (A) {{ direction : input; capacitance : 1; }}
  pin (Y) {{ direction : output; function : "!A"; {ARC} }} }}
"""
FLOP = f"""cell (FF) {{ area : 3;
  leakage_power () {{ value : 4; when : "D"; }} leakage_power () {{ value : 6; }}
  ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "D"; clear : "!RN"; }}
  pin (CK) {{ direction : input; clock : true; capacitance : 1;
    {own(0, 7, when="D & !Q")} {own(3, 3, when="!D & QN")} }}
  pin (D) {{ direction : input; capacitance : 1;
    {own(8, 8, when="CK")} {own(4, 4, when="!CK")} }}
  pin (RN) {{ direction : input; capacitance : 1; }}
  pin (Q) {{ direction : output; function : "IQ"; }}
  pin (QN) {{ direction : output; function : "IQN"; }} }}
"""
UNIT = 0.01  # picojoules of one unit of energy: 10 fF at 1 V


def cell(kind, **pins):
    return {"type": kind, "connections": {name: [net] for name, net in pins.items()}}


def module(cells, inputs, outputs=()):
    ports = {f"i{n}": {"direction": "input", "bits": [n]} for n in inputs}
    ports |= {f"o{n}": {"direction": "output", "bits": [n]} for n in outputs}
    return {"ports": ports, "cells": cells}


def test_an_input_s_own_energy_is_that_of_the_state_and_an_output_s_that_of_the_cause():
    made = circuit(
        module({"g": cell("NAND2", A=2, B=3, Y=4)}, [2, 3]), Library(HEAD + GATE + "}"), None
    )
    a_alone = np.array([[0, 0], [1, 0], [0, 0], [0, 0]], np.uint8)
    assert simulate(made, a_alone, first=1).internal == pytest.approx(UNIT * (1 + 2))
    both = np.array([[0, 1], [1, 1], [0, 1]], np.uint8)
    moved = simulate(made, both, first=1)
    assert moved.internal == pytest.approx(UNIT * (10 + 20))
    assert moved.once == pytest.approx(UNIT * (10 + 20))
    # B says nothing of itself, nor what the output costs because of it.
    b_alone = np.array([[1, 0], [1, 1], [1, 0]], np.uint8)
    assert simulate(made, b_alone, first=1).internal == 0.0
    assert made.load[made.nets[2]] == pytest.approx(0.01)
    assert made.leakage == pytest.approx(3000.0)


def test_a_flip_flop_s_clock_costs_by_what_it_keeps_and_its_data_the_mean_of_the_levels():
    library = Library(HEAD + GATE + FLOP + "}")
    listed = module({"f": cell("FF", D=2, RN="1", CK=3, Q=4)}, [2, 3], [4])
    made = circuit(listed, library, "i3")
    assert made.leakage == pytest.approx(5000.0)
    assert made.clock_load == pytest.approx(0.01)
    # D rises in the second clock, is kept by the third, and nothing happens in the fourth.
    moved = simulate(made, np.array([[0], [1], [1], [1]], np.uint8), first=1)
    assert moved.clocks == 3
    # Rises see D and Q as they were before, 00, 10, 11, and falls as they are then, 10, 11, 11.
    assert moved.clock == pytest.approx(UNIT * (3 + 7))
    assert moved.internal == pytest.approx(UNIT * (8 + 4) / 2)


def test_what_cannot_be_simulated_is_named():
    library = Library(
        HEAD
        + GATE
        + FLOP
        + FLOP.replace("(FF)", "(FALL)").replace('"CK"; next', '"!CK"; next')
        + "}"
    )
    for kind, clock, said in (
        ("FF", 2, "another clock"),
        ("FALL", 3, "no flip-flop of a rising edge"),
    ):
        listed = module({"f": cell(kind, D=2, RN="1", CK=clock, Q=4)}, [2, 3], [4])
        with pytest.raises(LibertyError, match=said):
            circuit(listed, library, "i3")
    wide = GATE.replace("NAND2", "WIDE").replace('"!(A&B)"', '"!(A&X)"')
    with pytest.raises(LibertyError, match="is no function of A, B"):
        circuit(
            module({"g": cell("WIDE", A=2, B=3, Y=4)}, [2, 3]),
            Library(HEAD + GATE + wide + "}"),
            None,
        )
