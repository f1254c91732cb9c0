# SPDX-License-Identifier: BSD-2-Clause
"""Pages of what formats cost, on figures made up here."""

from typing import Any

import pytest

from docs.pages.price import claims, integers_floats, lines, minifloats, pairs, sheet


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


CLAIMED: dict[str, Any] = {
    "rows": 2,
    "seed": 1,
    "length": 4096,
    "sums": [
        {"data": data, "length": length, "sum": how, "error": 0.01 * scale * length}
        for data in claims.DATA
        for length in (64, 128)
        for how, scale in zip(claims.ACCUMULATIONS, (4, 2, 1), strict=True)
    ],
    "adders": {
        name: {
            "unit": name,
            "gate_equivalents": area,
            "delay_fo4": 50.0,
            "energy_per_operation": energy,
        }
        for name, area, energy in (
            ("sequential", 100.0, 1000.0), ("fp32", 300.0, 3000.0), ("exact", 200.0, 2000.0),
            ("second level", 50.0, 640.0),
        )
    },
    "orders": [
        {"sum": "some", "products": 9, "different": 4, "results": 2.5, "spread": 0.125},
    ],
    "scales": [
        {"format": name, "data": "weights", "rotation": turn, "quantised": quantised + turn / 16}
        for quantised, name in enumerate(claims.SCALES, 10)
        for turn in claims.ROTATIONS
    ],
    "throughput": {
        "asic": {
            "rows": [
                row(claims.BLOCKED, 400, 1, 30) | {"rate": 4.0, "period_fo4": 50.0},
                row("fp32", 1000, 1, 30) | {"rate": 2.0, "period_fo4": 50.0, "macs": 1},
            ]
        }
    },
}  # fmt: skip


def test_what_sums_lose_is_in_per_cent():
    lines = claims.sums(CLAIMED).splitlines()
    assert lines[2] == "| 64 | 256 | 128 | 64 | 256 | 128 | 64 |"
    assert "128 positive terms the sum one by one is 512 % off" in claims.swamped(CLAIMED)


def test_the_second_level_adds_once_a_chunk():
    chunked = claims.adders(CLAIMED).splitlines()[3]
    assert chunked.startswith("| chunks of 64 | `sequential`, `second level` | 150 | 50 | 1,010 |")


def test_orders_are_told():
    assert "| some | 4 of 9 | 2.5 | 12 % |" in claims.orders(CLAIMED)


def test_the_best_rotation_and_what_scales_lose():
    text = claims.rotated(CLAIMED)
    assert "`mxfp4` gains by the best rotation: weights +8.0 dB" in text
    assert "`mxfp4` against `e2m1-k32-fp32`: weights -1.0 dB" in text


def test_throughput_is_of_equal_area():
    """4 in 400 against 2 in 1000."""
    lines = claims.throughput(CLAIMED).splitlines()
    assert lines[-1] == "| `asic` | fp32 | `dot_fp32` | 2 | 1,000 | 50 FO4 | 5.0 |"


def test_the_page_of_claims_is_whole():
    text = claims.page(CLAIMED)
    for part in (claims.sums, claims.adders, claims.orders, claims.scales, claims.throughput):
        assert part(CLAIMED) in text
    assert claims.drawing(CLAIMED).count("<svg") == 1


@pytest.mark.parametrize("log", [True, False])
def test_lines_have_all_their_points(log: bool):
    curves = {"b": [(1.0, 2.0), (10.0, 3.0)], "a": [(1.0, 5.0)]}
    made = lines.lines("head", curves, "x", "y", log=log).to_dict()
    (values,) = made["datasets"].values()
    assert [(v["name"], v["x"], v["y"]) for v in values] == [
        ("b", 1.0, 2.0), ("b", 10.0, 3.0), ("a", 1.0, 5.0)
    ]  # fmt: skip
    assert made["encoding"]["color"]["sort"] == ["b", "a"]
    assert (made["encoding"]["x"].get("scale", {}).get("type") == "log") == log


SMALL: dict[str, Any] = {
    "network": {
        "images": 9,
        "accuracy": 0.5,
        "rows": [
            {"format": name, "accuracy": share, "logits": ratio}
            for name, share, ratio in (
                ("int4", 0.25, 8.0), ("e1m2", 0.25, 7.0), ("e2m1", 0.5, 9.0), ("e3m0", 0.4, 6.0)
            )
        ],
    },
    "ecp5": {
        "rows": [
            {"format": name, "macs": 8, "cost": cost}
            for name, cost in (("int4", 160), ("e1m2", 80), ("e2m1", 200), ("e3m0", 400))
        ]
    },
    "asic": {"rows": [row("int4", 100, 30, 5), row("e2m1", 400, 60, 6)]},
}  # fmt: skip


def test_fronts_say_who_is_on_them():
    table = minifloats.fronts(SMALL).splitlines()
    assert "| area on `ecp5` | SQNR of logits | 1 and 1 of 3 | e1m2, int4, e2m1 |" in table
    assert "| area on `ecp5` | accuracy | 0 and 1 of 2 | e1m2, e2m1 |" in table
    assert "| energy on `asic` | accuracy | 1 and 0 of 2 | int4, e2m1 |" in table


def test_the_integer_stands_beside_the_best_float_of_its_width():
    table = minifloats.widths(SMALL).splitlines()
    assert table[-1] == "| 4 | e2m1 | -1.0 dB | 0.80 | 0.25 | 0.50 |"


def test_what_was_not_measured_is_left_out():
    table = minifloats.costs(SMALL).splitlines()
    assert table[2] == "| int4 | 4 | 25.0 % | 8.0 | 5.0 | 2.0 | 20 | 25 | 30 |"
    assert "| e3m0 | 4 | 40.0 % | 6.0 | - | - | 50 | - | - |" in table


def test_the_page_of_minifloats_is_whole():
    text = minifloats.page(SMALL)
    for part in (minifloats.fronts, minifloats.widths, minifloats.costs):
        assert part(SMALL) in text
    assert "--targets ecp5 asic`" in text
    assert minifloats.drawing(SMALL).count("<svg") == 1


PAIRS: dict[str, Any] = {
    "asic": {
        "settings": {"clock": "60FO4", "optimise": "delay"},
        "rows": [row("int8", 800, 150, 30), row("ternary", 80, 50, 5), row("fp16", 4000, 900, 70)],
    }
}


def test_pairs_are_told_in_times_less():
    table = pairs.claims(PAIRS).splitlines()
    found = {tuple(line.split(" | ")[:2]): line.split(" | ")[-2:] for line in table[2:]}
    assert found["| `ternary`", "`int8`"] == ["10", "3 |"]
    assert found["| `ternary`", "`fp16`"] == ["50", "18 |"]
    assert ("| `binary:binary`", "`fp32`") not in found


def test_the_page_of_pairs_is_whole():
    text = pairs.page(PAIRS)
    assert pairs.claims(PAIRS) in text
    assert "| ternary | `dot_ternary` | 8 | 2 | 20 | 50 | 25 % | 5.0 | 2.0 |" in text
    assert "fp16 (not reached)" in text
    assert "reach 60 FO4, mapped for delay" in " ".join(text.split())
    assert "--targets asic --formats int8 ternary fp16\n```" in text
    assert pairs.drawing(PAIRS).count("<svg") == 1
