# SPDX-License-Identifier: BSD-2-Clause
"""The package as others get it: the wheel, the direction of imports, the headers."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "macaw": ROOT / "src" / "macaw",
    **{f"macaw.{name}": ROOT / name for name in ("golden", "hdl", "sim", "synth")},
}
SOURCES = [path for folder in FOLDERS.values() for path in sorted(folder.glob("*.py"))]

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


BELOW = {
    "golden": {"golden"},
    "hdl": {"golden", "hdl"},
    "sim": {"golden", "hdl", "sim"},
    "synth": {"golden", "hdl", "sim", "synth"},  # a comparison proves before it prices
}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("package", BELOW)
def test_imports_run_downwards(package: str) -> None:
    for path in sorted((ROOT / package).glob("*.py")):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "macaw" and len(parts) > 1:
                assert parts[1] in BELOW[package], f"{path.name} imports {name}"


def test_golden_needs_numpy_only() -> None:
    for path in sorted((ROOT / "golden").glob("*.py")):
        tops = {name.split(".")[0] for name in imported(path)}
        assert tops <= {*sys.stdlib_module_names, "numpy", "ml_dtypes", "macaw"}, path.name


def test_type_checker_sees_every_module() -> None:
    links = {path.name: path for path in (ROOT / "typings" / "macaw").iterdir()}
    front = {path.name for path in FOLDERS["macaw"].iterdir() if path.name != "__pycache__"}
    assert set(links) == front | {"golden", "hdl", "sim", "synth"}
    assert all(path.is_symlink() and path.exists() for path in links.values())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_licence_line(path: Path) -> None:
    assert path.read_text().startswith("# SPDX-License-Identifier: BSD-2-Clause\n")
