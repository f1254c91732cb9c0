# SPDX-License-Identifier: BSD-2-Clause
"""``macaw sweep``: its table, what it refuses, and going on after an interruption."""

import csv
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import Run, one_line

from macaw.cli.output import Bar
from macaw.synth.sweep import run as measuring

CHEAP = "'int<2-3>' --lanes 2 --stages 0,1 --workers 1"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACAW_CACHE", str(shared))


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("", "Missing argument"),
        ("fp61", "unknown format 'fp61'"),
        ("'e<5-2>m1'", "formats=e<5-2>m1: 5-2 must go up"),
        ("e4m3 --lanes x", "lanes=x: must be integers and ranges of them, as 0-2,4"),
        ("e4m3 --lanes 0", "lanes=0: must be an integer from 1"),
        ("'e<1-99999>m<1-99999>'", "points: 9,999,800,001 are more than 10,000"),
        ("e4m3 --pareto cost", "pareto=cost: must be two figures, as area_per_mac,sqnr_gaussian"),
        ("e4m3 --pareto cost,speed", "pareto=speed: is no figure; must be of bits, stages"),
        ("e4m3 --pareto cost,period_fo", "did you mean period_fo4?"),
        ("e4m3 --clock 30FO4 --stages 1", "stages=1: clock=30FO4 decides the stages"),
        ("e4m3 --clock 200", "clock=200 MHz: target asic takes FO4"),
        ("e4m3 -o x.txt", "output=x.txt: must end in .csv, .parquet or .html"),
        ("e4m3 --operands heavy", "operands=heavy: go with --energy only"),
        ("e4m3 --executor slurm", "executor: 'slurm' is none of local, dask"),
        ("e4m3 --workers 0", "workers: 0 is less than 1"),
        ("e4m3 --seeds 0", "seeds=0: must be an integer from 1 to 100"),
        ("e4m3 --seeds 2", "seeds=2: no target among these has place and route"),
        ("e4m3 --vectors 0", "vectors=0: must be an integer from 1"),
        ("e4m3 --target mars", "mars"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run("sweep", *shlex.split(arguments)), fragment)
    assert not Path("build/sweep.csv").exists()


@pytest.mark.parametrize(
    ("output", "taken"),
    [
        ("taken/a.csv", "taken/a.csv"),
        ("there.csv", "there.csv/"),
        ("page.html", "page.html/"),
        ("plots.html", "plots.svg/"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    run: Run, monkeypatch: pytest.MonkeyPatch, output: str, taken: str
) -> None:
    def measured(*_: object, **__: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(measuring, "measured", measured)
    if taken.endswith("/"):
        Path(taken).mkdir()
    else:
        Path("taken").write_text("a file, not a folder")
    arguments = shlex.split(CHEAP)
    line = f"{taken.rstrip('/')} cannot be written: "
    one_line(run("sweep", *arguments, "-o", "good.csv", "-o", output), line)
    assert not Path("good.csv").exists()


def test_a_table(run: Run) -> None:
    outcome = run("sweep", *shlex.split(CHEAP))
    assert outcome.code == 0, outcome.err
    assert "4 done, 0 refused, 0 failed; wrote build/sweep.csv, build/sweep.html" in outcome.out
    assert Path("build/sweep.png").read_bytes().startswith(b"\x89PNG")
    assert "sweep: 4 points\n" in outcome.err
    with Path("build/sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["format"], row["stages"], row["lanes"]) for row in rows] == [
        ("int2", "0", "2"), ("int3", "0", "2"), ("int2", "1", "2"), ("int3", "1", "2"),
    ]  # fmt: skip
    again = run("sweep", *shlex.split(CHEAP), "--json", "-o", "again.csv")
    assert "4 points, 4 of them kept from before" in again.err
    assert Path("again.csv").read_bytes() == Path("build/sweep.csv").read_bytes()
    told = again.json
    assert told["command"] == ("macaw sweep 'int<2-3>' --lanes=2 --stages=0,1 --output=again.csv")
    assert [row["cost"] for row in told["rows"]] == [float(row["cost"]) for row in rows]


def test_the_front(run: Run) -> None:
    outcome = run("sweep", *shlex.split(CHEAP), "--pareto", "cost,rate", "--json")
    assert outcome.code == 0, outcome.err
    rows = outcome.json["rows"]
    for row in rows:
        beaten = any(
            other["cost"] <= row["cost"]
            and other["rate"] >= row["rate"]
            and (other["cost"], other["rate"]) != (row["cost"], row["rate"])
            for other in rows
        )
        assert row["pareto"] is not beaten
    shown = run("sweep", *shlex.split(CHEAP), "--pareto", "cost,rate").out
    count = sum(row["pareto"] for row in rows)
    assert f"Pareto front of cost and rate, {count:,} points:" in shown
    assert shown.count("int_mac") == count


def test_points_that_cannot_be_built_are_rows(run: Run) -> None:
    outcome = run("sweep", "<int,posit>2", "mxfp4:int8", "--lanes=2", "--stages=0", "--workers=1")
    assert outcome.code == 0, outcome.err
    assert "refused" in outcome.out
    assert "int8 is no block format" in outcome.out


def test_only_a_list(run: Run) -> None:
    arguments = shlex.split("'e<0-1>m1' 'int<2-3>' --lanes 2 --stages 0,7 --dry-run")
    run("sweep", *shlex.split(CHEAP), "-o", "other.csv")
    outcome = run("sweep", *arguments)
    assert outcome.code == 0, outcome.err
    assert "8 points: 2 kept, 4 to do, 2 refused" in outcome.out
    told = run("sweep", *arguments, "--json").json
    assert [row["state"] for row in told["rows"]] == [
        "refused", "to do", "kept", "kept", "refused", "to do", "to do", "to do",
    ]  # fmt: skip
    assert not Path("build").exists()


def test_each_unit_can_be_proven(run: Run) -> None:
    arguments = "int2 --lanes 2 --stages 0 --vectors 500 --json"
    (row,) = run("sweep", *shlex.split(arguments)).json["rows"]
    assert row["proven"] >= 500


def kept(cache: Path) -> dict[Path, float]:
    """The finished points that are kept, and since when."""
    return {
        path: path.stat().st_mtime_ns
        for path in cache.rglob("*.json")
        if '"status": "done"' in path.read_text()
    }


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_after_an_interruption_only_the_rest_is_measured(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("MACAW_CACHE", str(cache))
    arguments = ["sweep", "int<2-5>", "--lanes=2", "--stages=0-2", f"--workers={workers}"]
    started = subprocess.Popen(
        [sys.executable, "-m", "macaw.cli", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, text=True,
    )  # fmt: skip
    while len(kept(cache)) < 3 and started.poll() is None:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130, err
    assert out == ""
    assert err.endswith("macaw: interrupted\n")
    assert not (tmp_path / "build" / "sweep.csv").exists()
    before = kept(cache)
    assert 3 <= len(before) < 12
    outcome = run(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    assert f"12 points, {len(before)} of them kept from before" in outcome.err
    after = kept(cache)
    assert len(after) == 12
    assert before.items() <= after.items()
    assert len({(row["format"], row["stages"]) for row in outcome.json["rows"]}) == 12
    assert json.loads(next(iter(before)).read_text()) in outcome.json["rows"]


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((80, 24)))
    with Bar("sweep") as bar:
        bar("12 points")
        for done in range(1, 13):
            bar(done, 12)
    lines = screen.getvalue().split("\r\x1b[K")
    assert lines[1] == "sweep: 12 points"
    assert lines[2].startswith("sweep ")
    assert " 1/12" in lines[2]
    assert "12/12" in lines[13]
    assert lines[14:] == [""]
    assert "\n" not in screen.getvalue()
