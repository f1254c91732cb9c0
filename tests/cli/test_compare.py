# SPDX-License-Identifier: BSD-2-Clause
"""``macaw compare``: what it refuses before it measures."""

import json
import shlex
from pathlib import Path

import pytest
from command_line import Run, one_line


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("compare fp61", "fp16"),
        ("compare e4m3 --target mars", "mars"),
        ("compare mxfp5", "mxfp4"),
        ("compare mxfp4 bf16 --unit mac", "use dot"),
        ("compare int4 --seeds 0", "seeds=0: must be an integer from 1 to 100"),
        ("compare int4 --seeds 3 --target asic", "seeds=3: no target among these has place"),
        ("compare int4 --clock fast", "clock=fast: must be MHz (200 or 200MHz), FO4 (50FO4)"),
        ("compare int4 --clock -1", "clock=-1: must be from 0.001"),
        ("compare int4 --clock ''", "clock=: must be MHz"),
        ("compare int4 --clock 50FO4 --target ecp5", "target ecp5 takes MHz or ps"),
        ("compare int4 --clock 200 --target asic", "clock=200 MHz: target asic takes FO4"),
        ("compare int4 --clock 200 --target xilinx7", "xilinx7 gives area only, no clock"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)


def test_an_equal_clock(run: Run, tmp_path: Path) -> None:
    arguments = "compare e2m1 int4 --target asic --clock 40FO4 --vectors 500 -o out"
    outcome = run(*shlex.split(arguments), "--json")
    assert outcome.code == 0, outcome.err
    for row in outcome.json["rows"]:
        assert (row["clock"], row["reached"]) == ("40 FO4", True)
        assert row["period_fo4"] <= 40
    assert "of 40 FO4" in outcome.err
    assert "--clock=40FO4" in outcome.json["command"]
    again = run(*shlex.split(arguments))
    assert again.out.count(" yes ") == 2
    assert "fewest stages for 40 FO4" in again.out
    assert json.loads(Path("out/compare.json").read_text())["settings"]["clock"] == "40 FO4"


@pytest.mark.parametrize(
    ("folder", "taken"),
    [
        ("taken/report", "taken/report/compare.json"),
        ("taken", "taken/compare.json"),
        ("there", "there/compare.json"),
        ("page", "page/compare.html"),
        ("plot", "plot/compare.png"),
        ("parts", "parts/compare-parts.svg"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, taken: str
) -> None:
    def compare(*_: object, **__: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr("macaw.compare", compare)
    if folder.startswith("taken"):
        (tmp_path / "taken").write_text("a file, not a folder")
    else:
        (tmp_path / taken).mkdir(parents=True)
    one_line(run("compare", "e2m1", "--breakdown", "-o", folder), f"{taken} cannot be written: ")
