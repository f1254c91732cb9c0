# SPDX-License-Identifier: BSD-2-Clause
"""Operands that were recorded: codes of a layer, in a file, as a stream for energy.

A file is numpy's ``.npz``, or JSON with an object, and has an array of codes for each operand by
its name, ``a`` and ``b`` above all: a row an operation, in the order of time, and in a row a code
for each lane. Operands that are not in it are those of
:func:`macaw.synth.energy.operands.others`; an addend is zero.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from macaw.golden.errors import CodeError, SpecError

from .operands import others

if TYPE_CHECKING:
    from macaw.golden.units import Unit
    from macaw.sim.bench.interface import Codes

MOST_OPERATIONS = 1 << 16
"""Of a file."""

LEAST_OPERATIONS = 4

SEED = 1
"""Of operands that are not in the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """Codes of all operands of a unit.

    Attributes
    ----------
    label : str
        What results say of their operands: the file's name, and the beginning of the digest.
    digest : str
        SHA-256 of the codes that the file has.
    """

    label: str
    digest: str
    codes: Codes


def read(path: str | Path, spec: Unit) -> Recorded:
    """The operands of ``spec`` that a file has, with what they need besides.

    SpecError for a file that cannot be read, arrays that are no operands of the unit, or not codes
    of its formats, of another number of lanes, or of another number of rows than others.
    """
    if not isinstance(path, str | Path):
        raise SpecError(f"data={path!s:.60}: must be a file, .npz or .json")
    arrays = _arrays(Path(path))
    ports = spec.ports.inputs
    for name in arrays:
        if name not in ports:
            raise SpecError(
                f"data: {path}: {name!r} is no operand of {spec.name}; it has {', '.join(ports)}"
            )
    if not arrays:
        raise SpecError(f"data: {path} has no operand of {spec.name}: {', '.join(ports)}")
    given = {name: _codes(path, name, array, ports[name]) for name, array in arrays.items()}
    first = next(iter(given))
    count = len(given[first])
    for name, array in given.items():
        if len(array) != count:
            raise SpecError(
                f"data: {path}: {first} has {count} operations, and {name} {len(array)}"
            )
    if not LEAST_OPERATIONS <= count <= MOST_OPERATIONS:
        raise SpecError(
            f"data: {path} has {count} operations, of {LEAST_OPERATIONS} to {MOST_OPERATIONS}"
        )
    digest = hashlib.sha256()
    for name in sorted(given):
        digest.update(f"{name} {given[name].shape} {given[name].dtype}\n".encode())
        digest.update(given[name].tobytes())
    codes = others(spec, count, SEED)
    for name in {"c", "bias"} & set(ports):
        zero = ports[name].format.encode(0.0)
        codes[name] = np.full_like(codes[name], zero)
    codes |= given
    try:
        spec.evaluate(**codes)
    except CodeError as error:
        raise SpecError(f"data: {path}: {error}") from error
    made = digest.hexdigest()
    return Recorded(label=f"{Path(path).name} {made[:16]}", digest=made, codes=codes)


def _arrays(path: Path) -> dict[str, Any]:
    """What is in a file, by name."""
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path):  # and no single array of that name
                pass
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        if path.suffix == ".json":
            made = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(made, dict):
                raise SpecError(f"data: {path}: must be an object with an array an operand")
            return made
    except OSError as error:
        why = error.strerror or "it is no such file"
        raise SpecError(f"data: {path} cannot be read: {why}") from error
    except (ValueError, EOFError, RecursionError, zipfile.BadZipFile, zlib.error) as error:
        why = " ".join(str(error).split())
        raise SpecError(f"data: {path} cannot be read: {why:.200}") from error
    raise SpecError(f"data: {path}: must be a file .npz or .json")


def _codes(path: str | Path, name: str, array: Any, port: Any) -> np.ndarray:
    """An array as codes of an operand: whole numbers, of its width, a row an operation."""
    what = f"data: {path}: {name}"
    try:
        made = np.asarray(array)
    except ValueError as error:
        raise SpecError(f"{what}: rows are of several lengths") from error
    if made.dtype.kind not in "ui" or made.ndim == 0:
        raise SpecError(
            f"{what}: must be codes, an array of whole numbers; it is of {made.dtype},"
            f" shape {made.shape}"
        )
    if made.shape[1:] != port.tail:
        lanes = f"({', '.join(['operations', *map(str, port.tail)])})"
        raise SpecError(f"{what}: must be of shape {lanes}; it is {made.shape}")
    largest = (1 << port.format.width) - 1
    if made.size and not 0 <= int(made.min()) <= int(made.max()) <= largest:
        wrong = int(made.min()) if made.min() < 0 else int(made.max())
        raise SpecError(f"{what}: codes of {port.format.name} are 0 to {largest}, not {wrong}")
    return np.ascontiguousarray(made.astype(port.format.code_dtype))
