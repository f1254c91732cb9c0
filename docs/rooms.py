# SPDX-License-Identifier: BSD-2-Clause
"""The rooms of macaw and the arrows between them, read from the imports of a checkout.

``python -m docs.rooms FOLDER`` prints what the checkout there is like: files a folder, the longest
file, circles of imports.
"""

import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from macaw.tools.sources import imports

ROOT = Path(__file__).resolve().parents[1]
TOPS = {"macaw": "src/macaw", **{f"macaw.{n}": n for n in ("golden", "hdl", "sim", "synth")}}
"""Packages, and the folders of a checkout that they are in."""

Graph = dict[str, set[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A package's own files, without those of its sub-packages.

    Attributes
    ----------
    folder : str
        Where it is, from the root of a checkout.
    files : int
        Python files in it.
    line : str
        What it holds: the first line of its docstring.
    """

    folder: str
    files: int
    line: str


def modules_of(root: Path) -> dict[str, Path]:
    """Every module of a checkout by its full name; a package is the module of its face."""
    found = {}
    for package, folder in TOPS.items():
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root / folder).with_suffix("").parts
            found[".".join([package, *parts]).removesuffix(".__init__")] = path
    return found


def rooms_of(modules: Mapping[str, Path], root: Path) -> dict[str, Room]:
    """The rooms of a checkout by their packages."""
    found = {}
    for name, path in modules.items():
        if path.name == "__init__.py":
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            line = text.partition("\n")[0].removeprefix("macaw: ").rstrip(".")
            found[name] = Room(
                folder=path.parent.relative_to(root).as_posix(),
                files=len([*path.parent.glob("*.py")]),
                line=line[:1].upper() + line[1:],
            )
    return found


def room_of(module: str, rooms: Iterable[str]) -> str:
    """The room that a module is in."""
    while module not in rooms:
        module = module.rpartition(".")[0]
    return module


def uses(modules: Mapping[str, Path], *, late: bool = True) -> Graph:
    """Which modules each module imports; without ``late`` only what it does when it is imported.

    Late is what functions import when they are called, and what only type checkers import.
    """
    found: Graph = {}
    for module, path in modules.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not late:
            for node in ast.walk(tree):
                match node:
                    case ast.FunctionDef() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                        node.body = [ast.Pass()]
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = {name for name in imports(tree, package) if f"{name}.".startswith("macaw.")}
        targets = {name if name in modules else name.rpartition(".")[0] for name in names}
        found[module] = (targets & modules.keys()) - {module}
    return found


def between(uses: Graph, rooms: Mapping[str, Room]) -> Graph:
    """Which rooms each room uses. Faces are left out: they collect what is below and beside."""
    found: Graph = {room: set() for room in rooms}
    for module, targets in uses.items():
        room = room_of(module, rooms)
        if module not in rooms or module == "macaw":
            found[room] |= {room_of(target, rooms) for target in targets} - {room}
    return found


def reached(graph: Graph, start: str) -> set[str]:
    """What there is a way to, over one arrow or more."""
    seen: set[str] = set()
    waiting = [*graph[start]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def circles(graph: Graph) -> list[list[str]]:
    """The largest sets of which each reaches every other."""
    ways = {name: reached(graph, name) for name in graph}
    found = {
        tuple(sorted(other for other in ways[name] if name in ways[other]))
        for name in graph
        if name in ways[name]
    }
    return [list(circle) for circle in sorted(found)]


def arrows(modules: Mapping[str, Path], rooms: Mapping[str, Room]) -> tuple[Graph, Graph]:
    """Arrows that no way of others replaces, and those of late imports that run up."""
    graph = between(uses(modules, late=False), rooms)
    upward: Graph = {room: set() for room in rooms}
    for room, targets in between(uses(modules), rooms).items():
        for target in sorted(targets - graph[room]):
            if room in reached(graph, target):
                upward[room].add(target)
            else:
                graph[room].add(target)
    ways = {room: reached(graph, room) for room in graph}
    direct = {
        room: {
            target
            for target in targets
            if not any(target in ways[other] for other in targets if room not in ways[other])
            or room in ways[target]
        }
        for room, targets in graph.items()
    }
    return direct, upward


def figures(root: Path) -> str:
    """Files a folder, the longest file, and circles of imports of a checkout, as text."""
    modules = modules_of(root)
    rooms = rooms_of(modules, root)
    long = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules.values()}
    longest = max(long, key=lambda path: long[path])
    return "\n".join(
        [
            *(f"{room.folder}: {room.files} files" for room in rooms.values()),
            f"longest: {longest.relative_to(root)}, {long[longest]} lines",
            f"circles of modules when imported: {circles(uses(modules, late=False))}",
            f"circles of modules, late imports too: {circles(uses(modules))}",
            f"circles of rooms: {circles(between(uses(modules), rooms))}",
        ]
    )


if __name__ == "__main__":
    print(figures(Path(sys.argv[1])))
