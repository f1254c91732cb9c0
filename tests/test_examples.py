# SPDX-License-Identifier: BSD-2-Clause
"""The examples run, print something, and are short enough to be read at a sitting."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

from macaw.tools import simulators
from macaw.tools.sources import imported

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted({*(ROOT / "examples").iterdir()} - {ROOT / "examples" / "__pycache__"})
needs_bulk = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")
SLOW = {"dot_costs"}
"""Four runs of Yosys."""


def run(path: Path, *arguments: str) -> None:
    sys.argv = [str(path), *arguments]
    runpy.run_path(str(path), run_name="__main__")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * (path.stem in SLOW)) for path in EXAMPLES],
    ids=lambda path: path.stem,
)
def test_example_runs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(path)
    assert len(capsys.readouterr().out.splitlines()) > 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_short(path: Path) -> None:
    assert path.suffix == ".py"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-License-Identifier: BSD-2-Clause\n")
    assert len(text.splitlines()) < 100
    assert f"python examples/{path.name}" in (ast.get_docstring(ast.parse(text)) or "")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_needs_nothing_but_macaw(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imported(path, "")}
    assert tops <= {*sys.stdlib_module_names, "numpy", "macaw"}


def test_readme_lists_the_examples() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"](examples/{path.name})" in readme for path in EXAMPLES)


def test_what_the_examples_say_is_so(capsys: pytest.CaptureFixture[str]) -> None:
    folder = ROOT / "examples"
    run(folder / "choose_format.py", "--keep", "18")
    chosen = [line for line in capsys.readouterr().out.splitlines() if line.endswith("take this")]
    assert len(chosen) == 1
    assert float(chosen[0].partition(" bits")[2].split()[0]) >= 18
    run(folder / "choose_format.py", "--keep", "200")
    assert capsys.readouterr().out.splitlines()[-1] == "none of them keeps 200 dB"


@needs_bulk
def test_a_layer_in_gates_is_the_layer_in_integers(capsys: pytest.CaptureFixture[str]) -> None:
    run(ROOT / "examples" / "integer_layer.py", "--simulate")
    assert capsys.readouterr().out.endswith("the gates give the same integers: True\n")


def test_the_module_for_the_board_is_connected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its instance has all ports of the module, once each."""
    run(ROOT / "examples" / "ice40_verilog.py", "made")
    top = (tmp_path / "made" / "top.v").read_text(encoding="utf-8")
    (module,) = (tmp_path / "made").glob("fma_*.v")
    declared = module.read_text(encoding="utf-8").partition("module ")[2].partition(")")[0]
    names = [name.strip() for name in declared.partition("(")[2].split(",")]
    connected = [line.strip()[1:].partition("(")[0] for line in top.splitlines() if "  ." in line]
    assert connected == names
    assert "logic cells" in capsys.readouterr().out
