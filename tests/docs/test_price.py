# SPDX-License-Identifier: BSD-2-Clause
"""Pages of what formats cost, on figures made up here."""

from typing import Any

from docs.pages.price import integers_floats, sheet


def row(name: str, cost: float, energy: float, kept: float) -> dict[str, Any]:
    return {
        "format": name, "bits": 8, "unit": f"dot_{name}", "stages": 2, "macs": 4, "cost": cost,
        "reached": name != "fp16", "energy_per_mac": energy, "energy_without_glitches": 2 * energy,
        "energy_of_clock": energy, "area_um2": 7 * cost, "library": "cells",
        "library_digest": "0123456789abcdef0123", "operations": 2048,
        "sqnr": {"gaussian": kept, "heavy-tailed": kept - 3},
    }  # fmt: skip


ROWS = [
    row("mxfp8-e4m3", 800, 200, 27),
    row("mxint8", 400, 150, 38),
    row("fp16", 1600, 300, 70),
    {"format": "int99", "error": "is too wide"},
]
MADE = {
    "asic": {"settings": {"clock": "60FO4", "optimise": "delay"}, "rows": ROWS},
    "process": {"rows": ROWS[:2]},
}


def test_rows_are_those_with_figures():
    assert [*sheet.rows(MADE, "asic")] == ["mxfp8-e4m3", "mxint8", "fp16"]
    assert sheet.rows(MADE, "ecp5") == {}
    assert sheet.refused(MADE) == "- `int99`: is too wide"


def test_front_is_what_nothing_beats():
    points = [(1.0, 5.0), (2.0, 5.0), (2.0, 9.0), (3.0, 8.0), (1.0, 5.0)]
    assert sheet.front(points) == [True, False, True, False, True]


def test_claims_are_shares_of_mxfp8():
    lines = integers_floats.claims(MADE).splitlines()
    assert "| energy of mxint8 | 0.63 | 0.75 | 0.75 |" in lines
    assert "| energy of nvfp4 | 0.55 | - | - |" in lines
    assert "| area of mxint8 | 0.79 | 0.50 | 0.50 |" in lines


def test_costs_are_per_multiply_accumulate():
    lines = integers_floats.costs(MADE, "asic").splitlines()
    assert "| mxint8 | 8 | 4 | 2 | 100 | 0.50 | 150 | 0.75 | 0.75 | 25 % |" in lines
    assert any(line.startswith("| fp16 (not reached) | 8 |") for line in lines)
    lines = integers_floats.costs(MADE, "process").splitlines()
    assert "| mxint8 | 8 | 4 | 2 | 700 | 0.50 | 150 | 0.75 | 0.75 | 25 % |" in lines


def test_the_integer_is_set_against_the_float():
    first = integers_floats.verdicts(MADE).splitlines()[0]
    assert "0.75 of the energy, 0.50 of the area, SQNR +11.0 dB on normal" in first
    assert len(integers_floats.verdicts(MADE).splitlines()) == 2


def test_the_page_says_where_figures_are_from():
    horowitz = {
        name: {where: {"energy_per_operation": 2.0} for where in ("asic", "process")}
        for name in integers_floats.synthesis_results.HOROWITZ
    }
    text = integers_floats.page(MADE, horowitz)
    assert "fewest stages that are measured to reach 60 FO4" in " ".join(text.split())
    assert "`cells`, SHA-256 0123456789abcdef…" in text
    assert "- `int99`: is too wide" in text
    assert integers_floats.drawing(MADE).count("<svg") == 1
