# SPDX-License-Identifier: BSD-2-Clause
"""The package as others get it: the wheel, the direction of imports, the headers."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from macaw.tools.sources import imported

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "macaw": ROOT / "src" / "macaw",
    **{f"macaw.{name}": ROOT / name for name in ("golden", "hdl", "sim", "synth")},
}
SOURCES = [path for folder in FOLDERS.values() for path in sorted(folder.rglob("*.py"))]

IMPORT_ALL = """
import importlib, pathlib, pkgutil, sys
import macaw
assert pathlib.Path(macaw.__file__).is_relative_to(sys.argv[1]), macaw.__file__
for module in pkgutil.walk_packages(macaw.__path__, "macaw."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        print(module.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # By way of the sdist, so that neither a stale build/ nor a file left out of it goes unseen.
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
    )
    (path,) = folder.glob("macaw-*.whl")
    return path


def test_wheel_has_every_file(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"{package.replace('.', '/')}/{path.relative_to(folder).as_posix()}"
                assert name in packed


def test_wheel_has_only_the_package(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top.split("-")[0] for top in tops} == {"macaw"}


def test_every_module_imports_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {"macaw.cli", *FOLDERS} <= {"macaw", *done.stdout.split()}


def test_import_of_macaw_loads_nothing_heavy() -> None:
    code = "import macaw, sys; macaw.format('e4m3'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"amaranth", "cocotb", "plotly", "macaw.hdl"} & set(done.stdout.split())


BASE = {"command", "files", "processes"}  # what all but the golden model stands on
BELOW = {
    "golden": {"golden"},
    "hdl": {*BASE, "golden", "hdl"},
    "sim": {*BASE, "golden", "hdl", "sim"},
    "synth": {*BASE, "golden", "hdl", "sim", "synth"},  # a comparison proves before it prices
}


def upward(folder: Path, package: str, allowed: set[str]) -> list[str]:
    """Imports of a package's files, at any depth, that run to another room than ``allowed``."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        where = ".".join([package, *path.relative_to(folder).parent.parts])
        for name in sorted(imported(path, where)):
            top, _, rest = name.partition(".")
            if top == "macaw" and rest.partition(".")[0] not in allowed:
                found.append(f"{path.name} imports {name}")
    return found


@pytest.mark.parametrize("package", BELOW)
def test_imports_run_downwards(package: str) -> None:
    assert upward(ROOT / package, f"macaw.{package}", BELOW[package]) == []


@pytest.mark.parametrize(
    "line",
    [
        "import macaw",
        "from macaw import cli",
        "import macaw.synth.flow",
        "from .. import synth",
        "from ..synth import flow",
        "from ...synth.flow import run",
        "def late():\n    from macaw import unit",
    ],
)
def test_every_way_up_is_seen(line: str, tmp_path: Path) -> None:
    depth = 2 if "..." in line else 1
    path = tmp_path.joinpath(*["sub"] * (depth - 1), "module.py")
    path.parent.mkdir(exist_ok=True)
    path.write_text(line + "\n")
    assert len(upward(tmp_path, "macaw.hdl", BELOW["hdl"])) == 1
    path.write_text("from . import wire\nfrom macaw.golden import units\nimport macaw.hdl.emit\n")
    assert upward(tmp_path, "macaw.hdl", BELOW["hdl"]) == []


def test_golden_needs_numpy_only() -> None:
    for path in sorted((ROOT / "golden").rglob("*.py")):
        tops = {name.split(".")[0] for name in imported(path, "macaw.golden")}
        assert tops <= {*sys.stdlib_module_names, "numpy", "ml_dtypes", "macaw"}, path.name


def test_type_checker_sees_every_module() -> None:
    links = {path.name: path for path in (ROOT / "typings" / "macaw").iterdir()}
    front = {path.name for path in FOLDERS["macaw"].iterdir() if path.name != "__pycache__"}
    assert set(links) == front | {"golden", "hdl", "sim", "synth"}
    assert all(path.is_symlink() and path.exists() for path in links.values())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_licence_line(path: Path) -> None:
    assert path.read_text().startswith("# SPDX-License-Identifier: BSD-2-Clause\n")
