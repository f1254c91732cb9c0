# SPDX-License-Identifier: BSD-2-Clause
"""The package as others get it: the wheel, the direction of imports, the headers."""

import importlib
import inspect
import os
import subprocess
import sys
import zipfile
from collections.abc import Collection
from pathlib import Path

import pytest

from docs.rooms import between, circles, reached, rooms_of, uses
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
    heavy = {"amaranth", "cocotb", "altair", "vl_convert", "macaw.hdl"}
    assert not heavy & set(done.stdout.split())


# Rooms from the ground up: each may use those before it. A room is a package's own files, without
# those of its sub-packages; faces, the packages' ``__init__``, collect what is below and beside.
ROOMS = (
    "golden",  # errors, and arrays where they enter
    "golden.formats",
    "golden.arithmetic.books",
    "golden.arithmetic.posits",
    "golden.arithmetic.search",
    "golden.arithmetic.binary64",
    "golden.arithmetic.running",
    "golden.arithmetic",
    "golden.arithmetic.accumulation",
    "golden.arithmetic.groups",
    "golden.arithmetic.real",
    "golden.arithmetic.real.faithful",
    "golden.arithmetic.rows",
    "golden.units.naming",
    "golden.units.specification",
    "golden.units",
    "golden.tensors",
    "tools",
    "hdl.schedule",
    "hdl.arithmetic.words",
    "hdl.arithmetic",
    "hdl.arithmetic.groups",
    "hdl.arithmetic.accumulation",
    "hdl.elementary",
    "hdl.rows",
    "hdl.options",
    "hdl.units",
    "hdl",
    "sim.bench",
    "sim.stimulus",
    "sim.stimulus.coverage",
    "sim",
    "sim.formal.cases",
    "sim.formal.plain",
    "sim.formal",
    "sim.proof.rules",
    "sim.proof.cases",
    "sim.proof.random",
    "sim.proof.reference.arithmetic",
    "sim.proof.reference",
    "sim.proof.outsiders",
    "sim.proof.formal",
    "sim.proof.mutants",
    "sim.proof",
    "synth.mapping",
    "synth.energy",
    "synth.page",
    "synth",
    "synth.sweep",
    "tensors",
    "cli",
)
LATE = {  # the two ways up: what a format offers is written above it
    ("golden.formats.codes", "golden.arithmetic.codec"),
    ("golden.formats.block", "golden.tensors.quantized"),
}
BESIDE = {  # late imports within a room, without which what it imports would come back to it
    ("golden.formats.aliases", "golden.formats.scalar"),  # a name is tried as one of ours
    ("golden.units.chain", "golden.units.registry"),  # stages are made of text
    *(  # methods of the scheduler, in files of their own: its type
        (f"hdl.schedule.{name}", "hdl.schedule.scheduler")
        for name in ("adders", "labels", "multipliers", "queue", "state", "table", "wire")
    ),
    ("hdl.options.naming", "hdl.options.implementation"),  # a type
    ("synth.report", "synth.compare"),  # a type
    *(  # readers are loaded when there is a file for them: they need packages of others
        ("tensors.containers", f"tensors.{name}_files")
        for name in ("numpy", "onnx", "safetensors", "torch")
    ),
}
PACKAGES = {"macaw", *(f"macaw.{room}" for room in ROOMS)}
MODULES: dict[str, Path] = {}
for package, folder in FOLDERS.items():
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        MODULES[".".join([package, *parts]).removesuffix(".__init__")] = path


def room_of(module: str) -> str:
    """The room of a module, or of a name in it; that of the front, ``macaw`` itself, is ""."""
    while module not in PACKAGES:
        module = module.rpartition(".")[0]
    return module.removeprefix("macaw").removeprefix(".")


def used(path: Path, package: str, modules: Collection[str] = MODULES) -> set[str]:
    """Modules of macaw that a file imports, whichever way; faces count as their room."""
    found = set()
    for name in imported(path, package):
        if name.partition(".")[0] == "macaw":
            found.add(name if name in modules else name.rpartition(".")[0])
    return found


def upward(path: Path, module: str) -> list[str]:
    """Imports of a file that run to no room before its own."""
    room = room_of(module)
    below = {*ROOMS[: ROOMS.index(room) + 1]}
    if room.startswith("sim.proof"):
        below.add("")  # nothing at all comes after the proof: it sees macaw as users do
    if room == "cli":
        below.add("")
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = []
    for name in sorted(used(path, package)):
        late = (module.removeprefix("macaw."), name.removeprefix("macaw.")) in LATE
        if room_of(name) not in below and not late:
            found.append(f"{module} imports {name}")
    return found


@pytest.mark.parametrize("module", sorted({*MODULES} - PACKAGES))
def test_imports_run_downwards(module: str) -> None:
    assert upward(MODULES[module], module) == []


@pytest.mark.parametrize("room", ROOMS)
def test_faces_collect_from_below_or_beside(room: str) -> None:
    """From rooms that are not above, and from their own sub-packages."""
    name = f"macaw.{room}"
    if name in MODULES:
        below = {*ROOMS[: ROOMS.index(room) + 1]}
        for other in used(MODULES[name], name):
            assert room_of(other) in below or other.startswith(f"{name}."), other


def test_rooms_are_the_folders() -> None:
    folders = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    assert folders == PACKAGES


def test_no_import_comes_back() -> None:
    """Neither between rooms nor between modules, but for the late ones that are listed."""
    every, first = uses(MODULES), uses(MODULES, late=False)
    assert circles(first) == []
    back = {
        (module.removeprefix("macaw."), name.removeprefix("macaw."))
        for module, names in every.items()
        for name in names - first[module]
        if module in reached(every, name)
    }
    assert back <= LATE | BESIDE
    rooms = rooms_of(MODULES, ROOT)
    kept = {
        module: {
            name
            for name in names
            if (module.removeprefix("macaw."), name.removeprefix("macaw.")) not in LATE
        }
        for module, names in every.items()
    }
    assert circles(between(kept, rooms)) == []


@pytest.mark.parametrize("line", ["from macaw.sim import proof", "import macaw.sim.proof.prove"])
def test_nothing_of_the_product_imports_the_proof(line: str, tmp_path: Path) -> None:
    """Which follows from the rooms but for synth and what is after it."""
    for module, path in MODULES.items():
        if not module.startswith("macaw.sim.proof"):
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            assert not any(name.startswith("macaw.sim.proof") for name in used(path, package))
    path = tmp_path / "module.py"
    path.write_text(line + "\n")
    assert any(name.startswith("macaw.sim.proof") for name in used(path, "macaw.synth"))


def test_the_references_import_nothing_of_macaw() -> None:
    for module, path in MODULES.items():
        if room_of(module).startswith("sim.proof.reference"):
            package = module.rpartition(".")[0]
            rooms = {room_of(name) for name in used(path, package)}
            assert rooms <= {"sim.proof.reference", "sim.proof.reference.arithmetic"}, path


MOST_FILES = 18


def test_folders_are_not_flat() -> None:
    for module, path in MODULES.items():
        if path.name == "__init__.py":
            assert len([*path.parent.glob("*.py")]) <= MOST_FILES, module


OUTSIDE = ("benchmarks", "docs", "examples", "tests")


@pytest.mark.parametrize("top", [name for name in OUTSIDE if name != "tests"])
def test_folders_outside_are_not_flat(top: str) -> None:
    for folder in {path.parent for path in (ROOT / top).rglob("*.py")}:
        assert len([*folder.glob("*.py")]) <= MOST_FILES, folder


def test_nothing_of_macaw_knows_what_is_outside() -> None:
    for module, path in MODULES.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        tops = {name.partition(".")[0] for name in imported(path, package)}
        assert not tops & {*OUTSIDE}, module


# The rooms in which a family of units has one file of its name, and what they have besides.
SHARED = {
    "golden.units": {"registry", "specification"},
    "hdl.units": {"datapath", "registry"},
    "sim.proof.cases": {"case", "catalogue"},
    "sim.proof.reference": {"units"},
}
FAMILIES = {path.stem for path in (ROOT / "golden" / "units").glob("*.py")} - {
    "__init__",
    *SHARED["golden.units"],
}


@pytest.mark.parametrize("room", SHARED)
def test_families_have_the_same_name_in_every_room(room: str) -> None:
    modules = {name.rpartition(".")[2] for name in MODULES if room_of(name) == room}
    assert modules - SHARED[room] - {room.rpartition(".")[2]} == FAMILIES


@pytest.mark.parametrize(
    "line",
    [
        "import macaw",
        "from macaw import cli",
        "import macaw.synth.flow",
        "from ... import synth",
        "from ...synth import flow",
        "from ...synth.flow import run",
        "from ..units import fma",
        "def late():\n    from macaw import unit",
    ],
)
def test_every_way_up_is_seen(line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(line + "\n")
    assert len(upward(path, "macaw.hdl.arithmetic.module")) == 1
    path.write_text(
        "from ..schedule import wire\nfrom macaw.golden import units\nfrom . import tree\n"
    )
    assert upward(path, "macaw.hdl.arithmetic.module") == []


def test_golden_needs_numpy_only() -> None:
    for path in sorted((ROOT / "golden").rglob("*.py")):
        package = ".".join(("macaw", *path.parent.relative_to(ROOT).parts))
        tops = {name.split(".")[0] for name in imported(path, package)}
        assert tops <= {*sys.stdlib_module_names, "numpy", "ml_dtypes", "macaw"}, path.name


def test_type_checker_sees_every_module() -> None:
    links = {path.name: path for path in (ROOT / "typings" / "macaw").iterdir()}
    front = {path.name for path in FOLDERS["macaw"].iterdir() if path.name != "__pycache__"}
    assert set(links) == front | {"golden", "hdl", "sim", "synth"}
    assert all(path.is_symlink() and path.exists() for path in links.values())


OTHERS = [path for top in OUTSIDE for path in sorted((ROOT / top).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES + OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_licence_line(path: Path) -> None:
    assert path.read_text().startswith("# SPDX-License-Identifier: BSD-2-Clause\n")


@pytest.mark.parametrize("room", ["golden.units", "hdl.units"])
def test_what_has_no_docstring_overrides_something_that_has(room: str) -> None:
    """The linter is told to let these pass: their meaning is that of the base class."""
    seen = 0
    for name in sorted(MODULES):
        if room_of(name) != room:
            continue
        module = importlib.import_module(name)
        for cls in vars(module).values():
            if isinstance(cls, type) and cls.__module__ == name:
                for member in vars(cls):
                    method = inspect.isfunction(vars(cls)[member]) or isinstance(
                        vars(cls)[member], property | classmethod
                    )
                    if method and not member.startswith("_"):
                        assert inspect.getdoc(getattr(cls, member)), (
                            f"{name}.{cls.__name__}.{member}"
                        )
                        seen += 1
    assert seen > 20
