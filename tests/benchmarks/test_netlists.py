# SPDX-License-Identifier: BSD-2-Clause
"""Netlists of units against golden: which units, what is kept, what is refused, what is shown."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import macaw
from benchmarks import results
from benchmarks.cost.kinds import ROWS
from benchmarks.errors import netlists
from docs.pages.verification import netlists as page
from macaw import synth
from macaw.golden.errors import ToolError
from macaw.golden.units import UNITS

CLAMP = macaw.unit("clamp", low=0, high=127)
ALONE = netlists.WAYS[""]


def test_units_are_of_every_kind():
    first, listed = netlists.of_every_kind(), netlists.of_the_proof()
    assert {*ROWS} <= {*first}
    assert {spec.kind for spec, _ in first.values()} == {*listed} == {*UNITS}
    turns = [ways for row, (_, ways) in first.items() if " --" in row]
    assert turns
    assert all({*ways} == {""} and ways[""].get("stages") is None for ways in turns)
    assert all({*ways} == {*netlists.WAYS} for of in listed.values() for _, ways in of.values())


def test_listed_units_are_named_as_the_command_has_them():
    assert "out=uint4" in {name.removeprefix("clamp ") for name in netlists.of_the_proof()["clamp"]}


@pytest.mark.parametrize(
    ("most", "taken"), [(0, ""), (1, "a"), (2, "ac"), (3, "abd"), (5, "abcde"), (9, "abcde")]
)
def test_names_are_taken_evenly(most: int, taken: str):
    assert netlists.evenly([*"abcde"], most) == [*taken]


def test_all_operands_are_tried_where_they_are_few():
    made = netlists.measured(CLAMP, "asic", ALONE, 100, {})
    assert (made["vectors"], made["all"], made["mismatches"]) == (256, True, 0)
    assert made["cells"] == sum(synth.mapped(CLAMP, "asic", **ALONE).cells.values())
    wide = netlists.measured(macaw.unit("clamp"), "asic", ALONE, 100, {})
    assert (wide["vectors"], wide["all"], wide["mismatches"]) == (100, False, 0)


def test_what_has_passed_is_not_run_again(monkeypatch: pytest.MonkeyPatch):
    made = netlists.measured(CLAMP, "asic", ALONE, 100, {})

    def again(*_: Any, **__: Any) -> None:
        raise AssertionError("mapped again")

    monkeypatch.setattr(netlists, "mapped", again)
    assert netlists.measured(CLAMP, "asic", ALONE, 100, made) is made
    for other in ({"design": "0"}, {"asked": 99}, {"mismatches": 1}):
        with pytest.raises(AssertionError, match="mapped again"):
            netlists.measured(CLAMP, "asic", ALONE, 100, made | other)


def test_a_wrong_netlist_is_a_mismatch(monkeypatch: pytest.MonkeyPatch):
    design = synth.mapped(macaw.unit("mul", a="int4", out="int8"), "asic", **ALONE)
    wrong = replace(design, verilog=design.verilog.replace("^", "&", 1))
    monkeypatch.setattr(netlists, "mapped", lambda *_, **__: wrong)
    made = netlists.measured(design.spec, "asic", ALONE, 100, {})
    assert made["mismatches"] == 1
    assert "expected" in made["first"]
    assert "\n" not in made["first"]


def test_a_refusal_is_recorded(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise ToolError("netlist of clamp for ecp5: no model\nof DP16KD")

    monkeypatch.setattr(netlists, "mapped", refuse)
    made = netlists.measured(CLAMP, "ecp5", ALONE, 100, {})
    assert made == {"refused": "netlist of clamp for ecp5: no model of DP16KD"}


def test_rows_that_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    row = "clamp low=0 high=127"
    results.write("netlists", {"lfsr": {"asic": {"refused": "x"}}}, tmp_path)
    options = ["--only", row, "--listed", "9", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["netlists", *options])
    netlists.main()
    made = results.read("netlists", tmp_path)
    assert {*made} == {"lfsr", row}
    assert {*made[row]} == {target + way for target in netlists.TARGETS for way in netlists.WAYS}
    assert all(cell["mismatches"] == 0 for cell in made[row].values())
    text = page.page(made)
    assert f"| `{row}` | 15 | 256 | 0 | 7 | 256 | 0 |" in text
    assert "- `lfsr`, `asic`: x" in text


def test_a_mismatch_is_shown():
    wrong = {"vectors": 9, "cells": 2, "mismatches": 1, "first": "vector 3: expected 1, got 0"}
    text = page.page({"lfsr": {"asic": wrong}, "pipeline stages='a | b'": {"ecp5": wrong}})
    assert "| `asic` | without registers | 1 | 9 | 1 | 0 |" in text
    assert "- `lfsr`, `asic`: vector 3: expected 1, got 0" in text
    assert "`pipeline stages='a \\| b'`" in text


def test_what_was_not_run_is_said():
    right = {"vectors": 9, "cells": 2, "mismatches": 0}
    found = {row: {"asic": right, "ecp5": right} for row in netlists.of_every_kind()}
    assert "## Streams" not in page.page(found)
    del found["clamp"], found["lfsr"]["ecp5"]
    left = page.page(found).partition("## Not run\n")[2]
    assert "- Without registers: `lfsr` on `ecp5`; `clamp`.\n" in left
    assert "- Streams of three stages, with pauses: all " in left
