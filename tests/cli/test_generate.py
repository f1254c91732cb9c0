# SPDX-License-Identifier: BSD-2-Clause
"""``macaw generate``: the files that it writes."""

import json
import shlex
from pathlib import Path

import pytest
from command_line import Run, one_line


def test_generate_writes_three_files(run: Run, tmp_path: Path) -> None:
    outcome = run("generate", "fma", "a=e4m3", "out=fp16", "stages=2", "-o", "rtl", "--json")
    assert outcome.code == 0, outcome.err
    names = {Path(path).suffix for path in outcome.json["files"]}
    assert names == {".v", ".json", ".core"}
    assert outcome.json["latency"] == 2
    on_disk = json.loads(next((tmp_path / "rtl").glob("*.json")).read_text())
    assert on_disk["ports"] == outcome.json["ports"]


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("generate divide a=e4m3", "divide"),
        ("generate fma a=e4m3", "out is missing"),
        ("generate fma a=e4m9x out=fp16", "e4m9x"),
        ("generate fma a=e4m3 out=fp16 rounding=up", "rup"),
        ("generate fma a=e4m3 out=fp16 --stages -1", "stages"),
        ("generate fma a=e4m3 out=fp16 --frequency 1e6", "frequency"),
        ("generate fma a=e4m3 out=fp16 --frequency 0", "frequency"),
        ("generate fma a=e4m3 out=fp16 --stages 1 --frequency 100", "frequency"),
        ("generate fma a=e4m3 out=fp16 --flow tide", "flow"),
        ("generate fma a=e4m3 out=fp16 --bus wishbone", "bus"),
        ("generate fma a=e4m3 out=fp16 --name 2x", "name"),
        ("generate dot a=fp32 out=fp32 lanes=8", "aligned"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)


def test_unwritable_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    one_line(run("generate", "fma", "a=e4m3", "out=fp16", "-o", "taken/rtl"), "taken")
