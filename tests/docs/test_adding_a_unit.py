# SPDX-License-Identifier: BSD-2-Clause
"""docs/adding-a-unit.md: its files, written into a copy of macaw, make a unit that is proven."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adding-a-unit.md").read_text(encoding="utf-8")
BLOCKS: dict[str, str] = dict(re.findall(r"^```py\n# (\S+)\n(.*?)^```", PAGE, re.M | re.S))
"""What the page writes, by file."""
COPIED = ("benchmarks", "docs", "golden", "hdl", "sim", "src", "synth", "tests", "typings")
REGISTRY = "golden/units/registry.py"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    for name, text in BLOCKS.items():
        path = folder / name
        if name == REGISTRY:
            old = path.read_text(encoding="utf-8")
            text = old.replace("from .requantize", f"{text}from .requantize", 1)
            text = re.sub(r"(UNITS.*?\n)( +)Chain,\n", r"\1\2Neg,\n\2Chain,\n", text, flags=re.S)
        path.write_text(text, encoding="utf-8")
    run(folder, "docs.generate")
    return folder


def run(copy: Path, *arguments: str) -> str:
    """What Python prints in the copy, whose macaw comes before any that is installed."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "typings")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_counts_the_files_that_it_touches(copy: Path):
    touched = {
        path.relative_to(copy).as_posix()
        for path in copy.rglob("*.py")
        if not (ROOT / path.relative_to(copy)).exists()
        or path.read_bytes() != (ROOT / path.relative_to(copy)).read_bytes()
    }
    assert touched == {*BLOCKS}
    assert f"That is {len(touched)} files." in PAGE


def test_the_kind_lacks_nothing_and_has_room(copy: Path):
    tests = (
        "tests/sim/test_contract.py::test_every_kind_is_proven_everywhere[neg]",
        "tests/golden/test_negation.py",
        "tests/test_package.py::test_folders_are_not_flat",
        "tests/test_package.py::test_families_have_the_same_name_in_every_room",
    )
    assert "7 passed" in run(copy, "pytest", *tests, "-q", "-p", "no:cacheprovider")


@pytest.mark.parametrize(
    "command",
    [
        "macaw.cli units neg",
        "macaw.cli verify neg a=e4m3 --exhaustive --seed 1",
        "macaw.cli verify neg a=bf16 out=e4m3 rounding=rtz --stages 2 --flow stream --vectors 500",
        "macaw.sim.proof.prove --only golden/units/neg/neg_* --jobs 1",
    ],
)
def test_commands_find_it(copy: Path, command: str):
    assert "neg" in run(copy, *command.split())
