# SPDX-License-Identifier: BSD-2-Clause
"""Benchmarks as they are run: each has its help, and those that take seconds are run."""

import ast
import importlib
import runpy
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks import results
from benchmarks.errors import retime
from benchmarks.speed import peers
from macaw.tools.sources import imported

FOLDER = results.FOLDER.parent
SCRIPTS = runner.scripts()
WITHOUT_FILE = {
    "speed.paths",
    "studies.digits_network",
    "studies.machine_models",
    "studies.torchao",
    "studies.training",
}
"""They print."""

CLAIMS = ["--parts", "sums", "orders", "scales", "--rows", "2", "--longest", "256"]


def run(
    name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> str:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)
    code = None
    try:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    except SystemExit as end:
        code = end.code
    assert not code
    return capsys.readouterr().out


def test_groups_are_the_folders():
    folders = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    assert folders == {*runner.GROUPS, "results"}
    assert {name.partition(".")[0] for name in SCRIPTS} == {*runner.GROUPS}


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_has_help_and_an_example(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    module = importlib.import_module(f"benchmarks.{name}")
    assert f"python -m benchmarks.{name}" in (module.__doc__ or "")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        module.main()
    assert ("--output" in capsys.readouterr().out) == (name not in WITHOUT_FILE)


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("speed.scaling", ["--points", "0"], "--points: '0' must be a whole number from 1 on"),
        ("speed.comparison", ["--vectors", "0"], "--vectors: '0' must be a whole number from 1"),
        ("errors.netlists", ["--only", "nothing"], "--only nothing: no row matches"),
        ("studies.judged", ["--jobs", "-1"], "--jobs: '-1' must be a whole number from 1 on"),
        ("errors.row_errors", ["--rows", "x"], "--rows: 'x' must be a whole number from 1 on"),
        ("cost.kinds", ["--only", "nothing"], "--only nothing: no row matches"),
        ("cost.kinds", ["--what", "asic,area"], "--what area: must be of ecp5, ecp5-lut, asic, "),
        ("cost.functions.rows", ["--what", ""], "--what : must be of ecp5, ecp5-lut, asic, clock"),
    ],
)
def test_arguments_that_ask_for_nothing(
    name: str,
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    module = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(sys, "argv", [name, *arguments, "--output", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        module.main()
    assert complaint in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_the_list_of_scripts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--list", "speed", "cost.fma"])
    assert runner.main() == 0
    assert capsys.readouterr().out.split() == [
        "benchmarks.speed.bulk",
        "benchmarks.speed.comparison",
        "benchmarks.speed.golden",
        "benchmarks.speed.paths",
        "benchmarks.speed.peers",
        "benchmarks.speed.quantize",
        "benchmarks.speed.scaling",
        "benchmarks.cost.fma",
    ]
    monkeypatch.setattr(sys, "argv", ["benchmarks", "cost.fmma"])
    with pytest.raises(SystemExit, match="2"):
        runner.main()
    assert "cost.fmma: must be of speed, cost, errors, studies, " in capsys.readouterr().err


def test_parts_that_are_not_measured_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    recorded = results.read("peers")
    results.write("peers", recorded | {"mebibytes": 0}, tmp_path)
    for name in peers.THREADS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(peers, "peak", lambda columns: columns + 1)
    options = ["--parts", "memory", "--columns", "6", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["peers", *options])
    peers.main()
    assert "x 6 in mxfp8: 7 MiB" in capsys.readouterr().out
    made = results.read("peers", tmp_path)
    assert (made["columns"], made["mebibytes"]) == (6, 7)
    assert [made[part] for part in peers.PARTS[:3]] == [recorded[part] for part in peers.PARTS[:3]]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("speed.golden", ["--elements", "1000", "--rounds", "1"]),
        ("speed.quantize", ["--elements", "9600", "--rounds", "1"]),
        ("speed.scaling", ["--points", "2"]),
        ("studies.orders", ["--blocks", "4000"]),
        ("studies.code_books", ["--rows", "2"]),
        ("studies.price.integers_floats", ["--formats", "uint1", "int2", "--workers", "1"]),
        ("studies.price.claims", CLAIMS),
        ("studies.price.minifloats", ["--formats", "int2", "e1m1", "--workers", "1"]),
        ("studies.price.pairs", ["--formats", "binary:binary", "--workers", "1"]),
        ("studies.price.layers", ["--epochs", "1", "--operations", "40"]),
        ("errors.posit_errors", ["--pairs", "2", "--length", "32"]),
        ("studies.scale_rules", ["--groups", "2"]),
        ("studies.requantisation", ["--draws", "10000"]),
        ("studies.formal.planted", ["--only", "exhaustive table*"]),
        ("studies.predictor_codes", ["--steps", "2000"]),
        ("errors.product_errors", ["--draws", "2000"]),
        ("errors.machine_errors", ["--rows", "2"]),
        ("studies.flexpoint_training", ["--quick", "--jobs", "1", "--keep", "kept"]),
        ("errors.function_errors", []),
        ("errors.faithful_errors", ["--operands", "400"]),
        ("errors.row_errors", ["--rows", "2"]),
        pytest.param(
            "studies.integer_network", ["--epochs", "3", "--images", "20"], marks=pytest.mark.slow
        ),
    ],
)
def test_scripts_write_what_they_measure(
    name: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    monkeypatch.chdir(tmp_path)
    run(name, [*arguments, "--output", "made"], monkeypatch, capsys)
    stem = name.rpartition(".")[2]
    made = results.read(stem, tmp_path / "made")
    # Without --simulate, a process, and the part of the claims that takes long.
    assert {*results.read(stem)} - {*made} <= {"gates", "process", "throughput"}


def test_a_predicted_delay_stands_beside_the_measured_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    row = "clamp --stages 0"
    monkeypatch.chdir(tmp_path)
    run("errors.delay_errors", ["--only", row, "--output", "made"], monkeypatch, capsys)
    made = results.read("delay_errors", tmp_path / "made")
    assert {*made} == {row}
    assert {*made[row]} == {"asic", "ecp5"}
    for figures in made[row].values():
        assert 0.3 < figures["predicted"] / figures["measured"] < 4


def test_a_pipeline_is_measured_before_and_after_its_registers_are_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(retime, "UNITS", ("mul a=e2m1",))
    monkeypatch.setattr(retime, "PLACES", ("asic",))
    monkeypatch.setattr(sys, "argv", ["retime", "--output", str(tmp_path)])
    retime.main()
    made = results.read("retime", tmp_path)["mul a=e2m1"]["asic"]
    assert made["after"]["delay_fo4"] <= made["before"]["delay_fo4"]
    assert made["after"]["latency"] == made["before"]["latency"] == retime.STAGES
    assert made["before"]["budgets"] == []


@pytest.mark.parametrize("name", ["studies.digits_network", "studies.training"])
def test_scripts_that_print(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    assert len(run(name, [], monkeypatch, capsys).splitlines()) > 1


def test_benchmarks_know_nothing_of_docs_and_tests():
    for path in FOLDER.rglob("*.py"):
        package = ".".join(path.relative_to(FOLDER.parent).parent.parts)
        tops = {name.partition(".")[0] for name in imported(path, package)}
        assert not tops & {"docs", "tests", "examples"}, path


def test_speed_and_cost_know_nothing_of_studies():
    for group in ("speed", "cost"):
        for path in (FOLDER / group).rglob("*.py"):
            names = imported(path, ".".join(("benchmarks", *path.relative_to(FOLDER).parts[:-1])))
            assert not any(name.startswith("benchmarks.studies") for name in names), path


@pytest.mark.parametrize("path", [*FOLDER.rglob("*.py")], ids=lambda path: path.stem)
def test_licence_line_and_docstring(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-License-Identifier: BSD-2-Clause\n")
    assert ast.get_docstring(ast.parse(text))
