# SPDX-License-Identifier: BSD-2-Clause
"""Arrays of .npy and .npz files, after numpy's published layout.

They are read here and not by ``numpy.load``, which refuses the ``<f1`` that it writes itself for
ml_dtypes' float8_e5m2, and allocates what a header asks for before it looks whether it is there.
"""

from __future__ import annotations

import ast
import re
import warnings
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from .containers import FileError, Load, shaped, size_of

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000  # numpy's own bound, for what follows it is parsed
_PREFIX = len(_MAGIC) + 2 + 4 + _LONGEST_HEADER


def entries(path: Path) -> Iterator[tuple[str, Load]]:
    """Yield name and reader of each array; that of a .npy is called as the file."""
    if path.suffix.lower() == ".npy":
        if path.stat().st_size == 0:
            raise FileError("is empty")
        data = np.memmap(path, dtype=np.uint8, mode="r")
        yield path.stem, partial(_array, data)
        return
    with opened(path) as archive:
        for member in archive.infolist():
            if not member.filename.endswith("/"):
                name = member.filename.removesuffix(".npy")
                yield name, partial(_member_array, archive, member)


def opened(path: Path) -> zipfile.ZipFile:
    """Open a zip archive; FileError for what is none."""
    try:
        return zipfile.ZipFile(path)
    except OSError:
        raise
    except Exception as error:  # zipfile lets errors of many kinds through
        raise FileError(f"is no zip archive: {reason(error)}") from None


def member_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo, size: int) -> np.ndarray:
    """Return the bytes of a member that must be ``size`` long, as uint8."""
    if member.file_size != size:
        raise FileError(f"has {member.file_size:,} bytes where {size:,} are needed")
    data = np.empty(size, np.uint8)
    at = 0
    try:
        with archive.open(member) as file:
            while piece := file.read(1 << 24):  # to the end, where the sum is checked
                data[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
                at += len(piece)
    except Exception as error:
        raise FileError(f"is damaged: {reason(error)}") from None
    if at != size:
        raise FileError(f"is cut short: {at:,} bytes of {size:,}")
    return data


def reason(error: Exception) -> str:
    """Return an exception of a library in a line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _member_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    if not member.filename.endswith(".npy"):
        raise FileError("is no array: its name in the archive does not end in .npy")
    try:
        with archive.open(member) as file:
            start = file.read(_PREFIX)
    except Exception as error:
        raise FileError(f"is damaged: {reason(error)}") from None
    offset, dtype, shape, _ = _header(start)
    size = size_of(shape) * dtype.itemsize
    return _array(member_bytes(archive, member, offset + size))


def _array(data: np.ndarray) -> np.ndarray:
    offset, dtype, shape, order = _header(data[:_PREFIX].tobytes())
    count = size_of(shape)
    body = data[offset : offset + count * dtype.itemsize]
    if body.size < count * dtype.itemsize:
        raise FileError(f"is cut short: {body.size:,} bytes of {count * dtype.itemsize:,}")
    return shaped(body.view(dtype), shape, order)


def _header(start: bytes) -> tuple[int, np.dtype, tuple[int, ...], Literal["C", "F"]]:
    """Return where the data begins, its dtype, the shape, and the order of the axes."""
    if len(start) < 10 or not start.startswith(_MAGIC) or start[6] not in (1, 2, 3):
        raise FileError("has no header of a .npy file")
    begin = 10 if start[6] == 1 else 12
    length = int.from_bytes(start[8:begin], "little")
    if length > _LONGEST_HEADER or length > len(start) - begin:
        raise FileError("has a header that is too long or cut short")
    offset = begin + length
    text = start[begin:offset].decode("utf-8" if start[6] == 3 else "latin-1", "replace")
    text = re.sub(r"(?<=\d)L\b", "", text)  # Python 2 wrote long integers so
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd escapes
            header = ast.literal_eval(text.strip())
        descr, order, shape = header["descr"], header["fortran_order"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise FileError("has a header that cannot be read") from None
    size_of(shape)
    if type(order) is not bool or not isinstance(shape, tuple):
        raise FileError("has a header that cannot be read")
    return offset, _dtype(descr), shape, "F" if order else "C"


def _dtype(descr: object) -> np.dtype:
    if not isinstance(descr, str):
        raise FileError("dtype of records: must be floats or integers")
    if re.fullmatch(r"[<>|=]?f1", descr):
        return np.dtype("V1")
    try:
        dtype = np.dtype(descr)
    except (TypeError, ValueError, SyntaxError, OverflowError):
        dtype = None
    if dtype is None or dtype.kind not in "fiubV" or dtype.fields or not dtype.itemsize:
        objects = dtype is not None and dtype.hasobject
        kind = "Python objects" if objects else f"dtype {dtype or descr!s:.60}"
        raise FileError(f"{kind}: must be floats or integers")
    return dtype
