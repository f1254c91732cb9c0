# SPDX-License-Identifier: BSD-2-Clause
"""Named tensors in files: .npy, .npz, .safetensors, .onnx, .pt; the first three are written too.

What files say of themselves is not believed: sizes are held against the bytes that are there
before anything is allocated, and nothing that a file holds is executed.
"""

from __future__ import annotations

import json
import math
import stat
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from macaw.golden.errors import MacawError
from macaw.golden.formats import Fixed, Format
from macaw.golden.formats import format as format_of
from macaw.tools import files

from .quantize import dequantize

WRITTEN = (".npy", ".npz", ".safetensors")
SUFFIXES = (*WRITTEN, ".onnx", ".pt", ".pth")

Load = Callable[[], np.ndarray]
"""Reads one tensor; FileError, which names neither file nor tensor, if it cannot be read."""

_NATIVE = (
    *("float64", "float32", "float16", "bool", "int64", "int32", "int16", "int8"),
    *("uint64", "uint32", "uint16", "uint8"),
)
_TAGS = {
    **{f"float{n}": f"F{n}" for n in (16, 32, 64)},
    **{f"uint{n}": f"U{n}" for n in (8, 16, 32, 64)},
    "bfloat16": "BF16",
    "int32": "I32",
}
_LONGEST_NAME = 60_000  # a zip archive has 16 bits for its length in bytes


class FileError(MacawError):
    """A tensor file that cannot be read or written."""


def entries(
    path: Path,
    *,
    dtype: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Iterator[tuple[str, Load]]:
    """Yield the name of each tensor in ``path``, and what reads it; call that before the next.

    bf16, fp8 and smaller come as float32, which has all their values.

    Parameters
    ----------
    dtype : str, optional
        Name of the format whose codes are in arrays that do not say what they hold: raw bytes, as
        numpy writes the arrays of ml_dtypes (``V1``, ``f1``, ``V2``), and unsigned integers of
        the same size.
    include, exclude : sequence of str
        Shell patterns. Tensors whose name fits one of ``include``, if there is any, and none of
        ``exclude``.

    Raises
    ------
    FileError for a file that is missing, damaged as a whole, of another kind, or in which no tensor
    fits the patterns; FormatError for ``dtype``.
    """
    codes = None if dtype is None else format_of(dtype)
    names: set[str] = set()
    taken: set[str] = set()
    found = False
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileError("is no file")
        for name, load in _reader(path)(path):
            if name in names:
                raise FileError(f"holds two tensors of the name {name!r}")
            names.add(name)
            try:
                name.encode()
            except UnicodeEncodeError:
                raise FileError(f"holds a tensor whose name is no text: {name!a}") from None
            if chosen(name, include, exclude):
                found = True
                yield name, _typed(load, codes, taken, name)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    except FileError as error:
        raise FileError(f"{path}: {error}") from None
    if not names:
        raise FileError(f"{path}: holds no tensors")
    if not found:
        some = ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
        raise FileError(f"{path}: none of its tensors is chosen; they are {some}")
    if codes is not None and not taken:
        raise FileError(
            f"{path}: none of its tensors has raw bytes or codes of the size of {dtype}"
        )


def read(path: Path, **options: object) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and array of each tensor in ``path``; FileError for the first that is unreadable.

    ``options`` are those of :func:`entries`.
    """
    for name, load in entries(path, **options):  # type: ignore[arg-type]
        try:
            yield name, load()
        except FileError as error:
            raise FileError(f"{path}: {name}: {error}") from None


def chosen(name: str, include: Collection[str], exclude: Collection[str]) -> bool:
    """Whether a name fits one of the patterns ``include``, if any, and none of ``exclude``."""
    wanted = not include or any(fnmatchcase(name, pattern) for pattern in include)
    return wanted and not any(fnmatchcase(name, pattern) for pattern in exclude)


def _reader(path: Path) -> Callable[[Path], Iterator[tuple[str, Load]]]:
    match path.suffix.lower():
        case ".npy" | ".npz":
            from . import numpy_files as module
        case ".safetensors":
            from . import safetensors_files as module
        case ".onnx":
            from . import onnx_files as module
        case ".pt" | ".pth":
            from . import torch_files as module
        case _:
            raise FileError(f"must end in {', '.join(SUFFIXES)}")
    return module.entries


def _typed(load: Load, codes: Format | None, taken: set[str], name: str) -> Load:
    def typed() -> np.ndarray:
        try:
            array = load()
            raw = array.dtype.kind in "Vu"
            if codes is not None and raw and array.dtype.itemsize == codes.code_dtype.itemsize:
                taken.add(name)
                if array.dtype.kind == "V":
                    array = array.view(f"<u{array.dtype.itemsize}")  # as files have it
                return decode(array.astype(codes.code_dtype), codes)
        except MemoryError:
            raise FileError("is too large for the memory that is there") from None
        except MacawError as error:
            raise FileError(str(error)) from None
        if array.dtype.kind == "V":
            raise FileError(
                f"holds {array.dtype.itemsize} raw bytes an element: name the format that they "
                "are codes of (--dtype)"
            )
        if array.dtype.kind not in "fiu":
            raise FileError(f"dtype {array.dtype}: must be floats or integers")
        return array

    return typed


# ---------------------------------------------------------------------- from bytes to numbers


def decode(codes: np.ndarray, fmt: Format) -> np.ndarray:
    """Return the values of codes, as numpy has them, or as float32 or float64 if that has not.

    Integers of fewer than 8 bits count by their low bits, whatever ml_dtypes has put above.
    """
    native = fmt.name.replace("fp", "float")
    if native in _NATIVE:
        return codes.view(native)
    if isinstance(fmt, Fixed) and fmt.width < 8:
        codes = codes & fmt.code_dtype.type((1 << fmt.width) - 1)
    return dequantize(codes, fmt)


def bits_of(kind: str) -> int | None:
    """Bits of an element of the dtype that numpy, ml_dtypes or torch call ``kind``; None of others.

    Those below 8 are packed, and not what ml_dtypes has in memory.
    """
    if kind in _NATIVE:
        return 8 * np.dtype(kind).itemsize
    try:
        return format_of(kind).width
    except MacawError:
        return None


def numbers(
    data: np.ndarray, kind: str, shape: Sequence[int], order: Literal["<", ">"] = "<"
) -> np.ndarray:
    """Return the tensor that little-endian (``<``) or big-endian (``>``) bytes hold.

    Elements of fewer than 8 bits follow each other without gaps from the low bits of each byte on.

    Parameters
    ----------
    data : ndarray of uint8
    kind : str
        See :func:`bits_of`.
    """
    bits = bits_of(kind)
    if bits is None:
        raise FileError(f"dtype {kind}: is none that macaw reads")
    count = size_of(shape)
    if data.size * 8 != count * bits:
        raise FileError(
            f"has {data.size:,} bytes where {kind} of shape {shape} has {count * bits / 8:,g}"
        )
    if kind in _NATIVE:
        return shaped(data.view(np.dtype(kind).newbyteorder(order)), shape)
    fmt = format_of(kind)
    if bits < 8:
        places = np.unpackbits(data, bitorder="little").reshape(count, bits)
        codes = np.packbits(places, axis=1, bitorder="little").reshape(-1)
    else:
        codes = data.view(fmt.code_dtype.newbyteorder(order)).astype(fmt.code_dtype)
    return shaped(decode(codes, fmt), shape)


def size_of(shape: object) -> int:
    """Return the number of elements; FileError for what is no shape."""
    if not isinstance(shape, list | tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise FileError(f"shape {shape!s:.60}: must be integers from 0 on")
    return math.prod(shape)


def shaped(array: np.ndarray, shape: Sequence[int], order: Literal["C", "F"] = "C") -> np.ndarray:
    """Return a flat array in ``shape``; FileError for one that numpy has not."""
    try:
        return array.reshape(shape, order=order)
    except ValueError as error:
        raise FileError(f"shape {shape!s:.60}: {error}") from None


# ------------------------------------------------------------------------------------- writing


def check_writable(path: Path) -> None:
    """FileError for a name that :func:`write` does not take."""
    if path.suffix.lower() not in WRITTEN:
        raise FileError(f"{path}: must end in {', '.join(WRITTEN)}")


def write(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write ``arrays`` to ``path`` at once or not at all; a reader never sees half a file.

    ``metadata`` goes into a .safetensors header; the other kinds have no place for it. A .npy
    holds exactly one array. FileError if the folder cannot be written, or is full.
    """
    check_writable(path)
    suffix = path.suffix.lower()
    if suffix == ".npy" and len(arrays) != 1:
        raise FileError(f"{path}: a .npy holds one array, not {len(arrays)}; use .npz")
    for name in arrays:
        if suffix == ".safetensors" and name == "__metadata__":
            raise FileError(f"{path}: a .safetensors has no tensor of the name {name}; use .npz")
        if suffix == ".npz" and ("\0" in name or len(name.encode()) > _LONGEST_NAME):
            raise FileError(f"{path}: a .npz has no array of the name {name[:60]!a}")
    try:
        with files.replacing(path) as draft, draft.open("wb") as file:
            match suffix:
                case ".npy":
                    _write_npy(file, next(iter(arrays.values())))
                case ".npz":
                    with zipfile.ZipFile(file, "w") as archive:
                        for name, array in arrays.items():
                            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                                _write_npy(member, array)
                case _:
                    _write_safetensors(file, arrays, metadata)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror or error}") from None


def _write_npy(file, array: np.ndarray) -> None:
    # Not np.save, whose way to files says "requested and written" of a full disk.
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(file, header)
    file.write(np.ascontiguousarray(array).data)


def _write_safetensors(
    file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, array in arrays.items():
        offsets = [offset, offset := offset + array.nbytes]
        header[name] = {
            "dtype": _TAGS[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": offsets,
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the data starts aligned
    file.write(len(text).to_bytes(8, "little") + text)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)
