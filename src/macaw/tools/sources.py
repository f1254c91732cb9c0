# SPDX-License-Identifier: BSD-2-Clause
"""Digests of macaw's own text: what was made or proven by the same text need not be done again."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path


@cache
def digest(*packages: str) -> str:
    """SHA-256 of all files of packages, sub-packages included: ``digest("macaw.golden")``."""
    total = hashlib.sha256()
    for package in packages:
        found = importlib.util.find_spec(package)
        for folder in (found and found.submodule_search_locations) or ():
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    _update(total, path.relative_to(folder).as_posix(), path)
    return total.hexdigest()


@cache
def closure(*modules: str, within: str = "macaw") -> str:
    """SHA-256 of modules and of all that they import from ``within``, themselves or through others.

    A package counts with the files beside its modules that are no Python, such as templates.
    """
    total = hashlib.sha256()
    for name in sorted(reached(modules, within=within)):
        path = _origin(name)
        assert path is not None
        _update(total, name, path)
        if path.name == "__init__.py" or name in modules:
            for beside in sorted(path.parent.iterdir()):
                if beside.is_file() and beside.suffix != ".py":
                    _update(total, beside.name, beside)
    return total.hexdigest()


def _update(total: hashlib._Hash, name: str, path: Path) -> None:
    total.update(name.encode() + b"\0" + path.read_bytes() + b"\0")


def reached(modules: Iterable[str], *, within: str) -> set[str]:
    """Names of the modules below ``within`` that the given ones import, directly or not.

    The given ones are among them, and the packages that each is in, whose imports do not count:
    what a package collects for its users decides nothing. Of a module that walks its package, all
    that is beside it counts.
    """
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _origin(name)
        if name in seen or path is None or not f"{name}.".startswith(f"{within}."):
            continue
        seen.add(name)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for target in imported(path, package) | walked(path, package):
            # ``from a import b`` names a module of a, or something in it.
            waiting.append(target if _origin(target) else target.rpartition(".")[0])
    packages = {name[:n] for name in seen for n, letter in enumerate(name) if letter == "."}
    return seen | {name for name in packages if f"{name}.".startswith(f"{within}.")}


def imported(path: Path, package: str) -> set[str]:
    """Full names of all that a file imports anywhere in it; ``package`` is where the file is."""
    return imports(ast.parse(path.read_text(encoding="utf-8")), package)


def imports(tree: ast.AST, package: str) -> set[str]:
    """Full names of all that a text in ``package`` imports.

    ``import a.b`` gives ``a.b``; ``from a import b`` and, in ``a``, ``from . import b`` both
    ``a.b``.
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            parts = [*(base if node.level else ()), *((node.module or "").split("."))]
            source = ".".join(part for part in parts if part)
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return names


def walked(path: Path, package: str) -> set[str]:
    """Full names of the modules beside a file that asks ``pkgutil`` for them; else none."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if not any(isinstance(node, ast.Attribute) and node.attr == "iter_modules" for node in tree):
        return set()
    return {f"{package}.{beside.stem}" for beside in path.parent.glob("*.py")} - {
        f"{package}.__init__"
    }


@cache
def _origin(name: str) -> Path | None:
    """File of a module; None for what is no module."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None
    return Path(found.origin) if found and found.has_location and found.origin else None
