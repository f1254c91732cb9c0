# SPDX-License-Identifier: BSD-2-Clause
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import results, stale
from macaw.golden.errors import MacawError
from macaw.golden.units import unit
from macaw.synth import run, source

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def measured():
    """A result as `run` gives it, without its figures."""
    design = source.generate(unit("mul", a="e2m1", out="fp16"), stages=1, target="asic")
    return run(design, "asic").to_json()


def test_a_result_leads_back_to_its_verilog(measured):
    assert measured["generated_by"] == "macaw generate mul a=e2m1 out=fp16 --stages 1 --target asic"
    assert stale.hash_of(measured["generated_by"]) == measured["hash"]
    assert len(measured["hash"]) == 64


@pytest.mark.parametrize(
    ("options", "flow"),
    [
        ({"digits": 1, "flow": "stream"}, "div a=e2m1"),
        ({"frequency": 100.0, "multiplier": "lut", "optimise": "area"}, "fma a=e2m1 out=fp16"),
        ({"reset": "async", "ready": "registered", "flow": "stream", "stages": 2}, "add a=e2m1"),
    ],
)
def test_however_it_is_built(options, flow):
    kind, *words = flow.split()
    spec = unit(kind, **dict(word.split("=") for word in words))
    metadata = source.generate(spec, target="ecp5", **options).metadata
    assert stale.hash_of(metadata["command"]) == metadata["hash"]


def test_results_are_found_wherever_they_stand(measured):
    rows = {"rows": [{"case": "a", "asic": measured}, {"other": [{"deep": measured}]}], "x": 1}
    assert list(stale.found(rows)) == [measured, measured]
    some = {"cost": 3, "generated_by": measured["generated_by"], "hash": measured["hash"]}
    assert list(stale.found([{"rows": [some]}])) == [some]


def said(folder, *more):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.stale", "--folder", folder, *more],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_what_is_out_of_date_is_told(measured, tmp_path):
    folder = tmp_path / "some results"
    folder.mkdir()
    results.write("good", {"row": measured}, folder)
    results.write("nothing", {"row": 3}, folder)
    fine = said(folder)
    assert (fine.returncode, fine.stdout) == (0, "good: 1 modules, 0 out of date\n")

    command = measured["generated_by"].replace("e2m1", "q2m1")
    older = [measured | {"hash": "0" * 64}, measured | {"generated_by": command}]
    results.write("old", {"rows": [*older, measured | {"hash": None}, measured]}, folder)
    told = said(folder, "--json", "--only", "o*")
    assert told.returncode == 1
    (file,) = json.loads(told.stdout)
    assert (file["name"], file["untold"]) == ("old", 1)
    assert file["stale"].pop(command).startswith("a=q2m1: unknown format 'q2m1'")
    assert file["stale"] == {measured["generated_by"]: "other gates now"}
    text = said(folder, "--only", "old").stdout
    assert text.startswith("old: 3 modules, 2 out of date; 1 results do not tell\n  macaw generate")


def test_a_pattern_without_a_file(tmp_path):
    results.write("good", {"row": 1}, tmp_path)
    wrong = said(tmp_path, "--only", "x")
    assert wrong.returncode == 2
    assert "--only x: no file matches; there are good" in wrong.stderr


def test_a_file_that_is_damaged(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(MacawError, match=r"bad\.json is damaged"):
        stale.read("bad", tmp_path)
    wrong = said(tmp_path)
    assert wrong.returncode == 1
    assert "is damaged" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_an_option_that_there_is_no_more_is_told():
    said = stale.judged("macaw generate mul a=e2m1 --fast 3", "0" * 64)
    assert said is not None
    assert "--fast" in said
