# SPDX-License-Identifier: BSD-2-Clause
"""Figures that were measured, a file for each script; here alone they are read and written.

A file is JSON with a record a line, so that a difference of two versions shows which records
changed: elements of a list get a line each, and so do entries of an object whose entries are all
objects.
"""

import argparse
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError
from macaw.tools import files

FOLDER = Path(__file__).parent


def add_output(parser: argparse.ArgumentParser) -> None:
    """Give a script its option ``--output``, a folder."""
    parser.add_argument(
        "--output",
        type=Path,
        default=FOLDER,
        metavar="FOLDER",
        help="of the JSON file (default: benchmarks/results)",
    )


def read(name: str, folder: Path = FOLDER, default: Any = None) -> Any:
    """What the file ``name`` holds, or ``default``; MacawError where there is neither."""
    file = folder / f"{name}.json"
    if file.exists():
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise MacawError(f"{file} is damaged: {error}") from None
    if default is None:
        raise MacawError(f"{file} is missing: `make bench` measures what is in it")
    return default


def write(name: str, made: Any, folder: Path = FOLDER) -> Path:
    """Write the file ``name``, whole or not at all, and return its path."""
    file = folder / f"{name}.json"
    files.write(file, text(made))
    return file


_changing = threading.Lock()


def change(name: str, by: Callable[[Any], Any], folder: Path = FOLDER, default: Any = None) -> None:
    """Write what ``by`` makes of what the file ``name`` holds, for one thread at a time."""
    with _changing:
        write(name, by(read(name, folder, default)), folder)


def text(made: dict[str, Any]) -> str:
    """JSON with a record a line."""
    return "\n".join(_lines(made, "", top=True)) + "\n"


def _lines(value: Any, indent: str, top: bool = False) -> Iterator[str]:
    inner = indent + " "
    if isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        yield "["
        for number, each in enumerate(value, 1):
            yield inner + _compact(each) + ("," if number < len(value) else "")
        yield indent + "]"
    elif isinstance(value, dict) and value and (top or _divided(value)):
        yield "{"
        for number, (key, each) in enumerate(value.items(), 1):
            first, *others = _lines(each, inner)
            *before, last = [f"{inner}{_compact(key)}: {first}", *others]
            yield from before
            yield last + ("," if number < len(value) else "")
        yield indent + "}"
    else:
        yield _compact(value)


def _divided(value: Any) -> bool:
    """Whether an object takes more than a line: it is a table, or has one in it."""
    if not isinstance(value, dict):
        return isinstance(value, list) and any(isinstance(each, dict | list) for each in value)
    entries = value.values()
    return all(isinstance(each, dict) for each in entries) or any(map(_divided, entries))


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
