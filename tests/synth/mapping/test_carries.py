# SPDX-License-Identifier: BSD-2-Clause
from typing import Any

from macaw.synth.mapping.carries import feed


def carry(into: Any, out: int) -> dict[str, Any]:
    return {"type": "CCU2", "connections": {"CIN": [into], "COUT": [out]}}


def netlist() -> dict[str, Any]:
    cells = {
        "low": {"type": "VLO", "connections": {"Z": [2]}},
        "high": {"type": "VHI", "connections": {"Z": [3]}},
        "zero": carry(2, 4),
        "next": carry(4, 5),
        "one": carry(3, 6),
        "nothing": carry("x", 7),
        "lut": {"type": "LUT4", "connections": {"A": [2], "Z": [8]}},
    }
    return {"modules": {"unit": {"cells": cells}, "other": {"cells": {}}}}


def test_each_chain_that_begins_with_a_constant_gets_a_cell():
    made = netlist()
    assert feed(made) == 3
    cells = made["modules"]["unit"]["cells"]
    driver = {cell["connections"]["Z"][0]: cell["type"] for cell in cells.values()
              if "Z" in cell["connections"] and cell["type"] in ("VLO", "VHI")}  # fmt: skip
    for name, constant in (("zero", "VLO"), ("one", "VHI"), ("nothing", "VLO")):
        fed = cells[f"{name}_feed"]["connections"]
        assert cells[name]["connections"]["CIN"] == fed["COUT"]
        assert driver[fed["A1"][0]] == constant
        assert {driver[fed[pin][0]] for pin in ("A0", "B0", "C0", "D0", "B1", "C1", "D1")} == {
            "VHI"
        }
    bits = [b for c in cells.values() for p in ("Z", "COUT") for b in c["connections"].get(p, [])]
    assert len(bits) == len({*bits})  # no net has two drivers
    assert cells["next"]["connections"]["CIN"] == [4]
    assert made["modules"]["other"]["cells"] == {}


def test_what_is_fed_stays():
    made = netlist()
    feed(made)
    assert feed(made) == 0
