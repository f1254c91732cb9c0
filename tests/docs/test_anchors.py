# SPDX-License-Identifier: BSD-2-Clause
"""Public units on the pages: rows that were measured, like for like, and no others."""

from copy import deepcopy
from typing import Any

import pytest

from benchmarks import results
from benchmarks.cost.public import units as public
from docs.pages import anchors
from docs.pages.verification import kinds

DOT, SUM = "mx-dotp mxfp4 dot of 32", "MX-for-FPGA mxfp4 dot of 32"


@pytest.fixture
def found() -> dict[str, Any]:
    """Two rows that were recorded, whose LUTs are ours to choose."""
    rows = {name: deepcopy(results.read("anchors")["rows"][name]) for name in (DOT, SUM)}
    for row in rows.values():
        for side, luts in {"public": (500, 400), "macaw": (300, 100)}.items():
            for way, count in zip(("ecp5", "ecp5 area"), luts, strict=True):
                row[side][way] |= {"lut_equivalents": count, "dsps": 0}
    return {"rows": rows}


def test_both_sides_are_of_the_better_way_to_map(found: dict[str, Any]) -> None:
    lines = anchors.beside(found, "block-dot").splitlines()
    (line,) = (each for each in lines if each.startswith(f"| {DOT}"))
    assert "| `block-dot a=mxfp4 out=fp32` | 0 | 400 / 100 | 0.25 |" in line


def test_what_is_not_the_same_is_said(found: dict[str, Any]) -> None:
    text = anchors.beside(found, "block-dot")
    assert f"| {SUM} (*) |" in text
    assert f"(*) MX-for-FPGA: {found['rows'][SUM]['note']}.\n" in text
    del found["rows"][SUM]
    assert "(*)" not in anchors.beside(found, "block-dot")


def test_what_was_not_measured_is_named(found: dict[str, Any]) -> None:
    text = anchors.beside(found, "block-dot")
    missing = text.partition("Not measured: ")[2]
    assert "mx-dotp mxfp8-e4m3 dot of 32" in missing
    assert "CVFPU" not in missing
    assert DOT not in missing.split("; ")
    every = {public.row(each): found["rows"][DOT] for each in public.UNITS}
    assert "Not measured" not in anchors.beside({"rows": every}, "block-dot")


def test_rows_of_other_kinds_are_not_shown(found: dict[str, Any]) -> None:
    assert DOT not in anchors.beside(found, "requantize", "int-mac")


def test_kinds_without_a_row_have_no_public_unit(found: dict[str, Any]) -> None:
    shown = kinds._anchors(found)
    assert shown["block-dot a=mxfp4 lanes=32 out=fp32"] == "mx-dotp: 400 / 100"
    assert "requantize" not in shown
