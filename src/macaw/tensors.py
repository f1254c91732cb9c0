# SPDX-License-Identifier: BSD-2-Clause
"""Named arrays in .npy, .npz and .safetensors files.

safetensors is read and written here, after its published layout (eight bytes with the length of
a JSON header, the header, the data): numpy has no type for the bf16 and fp8 that such files hold.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from macaw.golden.errors import MacawError
from macaw.golden.formats import format as format_of

SUFFIXES = (".npy", ".npz", ".safetensors")

_NATIVE = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "U64": "<u8",
    "I32": "<i4",
    "U32": "<u4",
    "I16": "<i2",
    "U16": "<u2",
    "I8": "i1",
    "U8": "u1",
}
_DECODED = {
    "BF16": "bf16",
    "F8_E4M3": "e4m3",
    "F8_E5M2": "e5m2",
    "F8_E4M3FNUZ": "e4m3fnuz",
    "F8_E5M2FNUZ": "e5m2fnuz",
    "F8_E8M0": "e8m0",
}
_TAGS = {np.dtype(text): tag for tag, text in _NATIVE.items()}
_LONGEST_HEADER = 100_000_000  # the reference implementation's bound


class FileError(MacawError):
    """A tensor file that cannot be read or written."""


def read(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and array of each tensor in ``path``, one at a time.

    bf16 and fp8 tensors of a .safetensors file come as float32. FileError for a file that is
    missing, damaged, of another kind, or holds Python objects.
    """
    try:
        match path.suffix:
            case ".npy":
                yield path.stem, np.load(path, mmap_mode="r", allow_pickle=False)
            case ".npz":
                with np.load(path, allow_pickle=False) as archive:
                    for name in archive.files:
                        yield name, archive[name]
            case ".safetensors":
                yield from _read_safetensors(path)
            case _:
                raise FileError(f"{path}: must end in {', '.join(SUFFIXES)}")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    except MacawError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


def _read_safetensors(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    data = np.memmap(path, dtype=np.uint8, mode="r")
    length = int.from_bytes(data[:8].tobytes(), "little")
    if data.size < 8 or length > min(_LONGEST_HEADER, data.size - 8):
        raise ValueError("it has no safetensors header")
    header = json.loads(data[8 : 8 + length].tobytes())
    header.pop("__metadata__", None)
    for name, entry in header.items():
        try:
            tag, shape = entry["dtype"], entry["shape"]
            first, end = (8 + length + int(offset) for offset in entry["data_offsets"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"bad header entry for tensor {name!r}") from None
        body = data[first:end]
        if body.size != end - first:
            raise ValueError(f"tensor {name!r} is cut short")
        if tag in _NATIVE:
            yield name, body.view(_NATIVE[tag]).reshape(shape)
        elif tag in _DECODED:
            fmt = format_of(_DECODED[tag])
            codes = body.view(fmt.code_dtype.newbyteorder("<")).reshape(shape)
            yield name, fmt.decode(codes).astype(np.float32)
        else:
            raise ValueError(f"tensor {name!r} has dtype {tag}, which macaw does not read")


def write(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write ``arrays`` to ``path`` at once or not at all; a reader never sees half a file.

    ``metadata`` goes into a .safetensors header; the other kinds have no place for it. A .npy
    holds exactly one array. FileError if the folder cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise FileError(f"{path}: must end in {', '.join(SUFFIXES)}")
    if path.suffix == ".npy" and len(arrays) != 1:
        raise FileError(f"{path}: a .npy holds one array, not {len(arrays)}; use .npz")
    try:
        with _replacing(path) as file:
            match path.suffix:
                case ".npy":
                    np.save(file, next(iter(arrays.values())))
                case ".npz":
                    np.savez(file, allow_pickle=False, **dict(arrays))
                case _:
                    _write_safetensors(file, arrays, metadata)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None


def _write_safetensors(
    file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, array in arrays.items():
        offsets = [offset, offset := offset + array.nbytes]
        header[name] = {
            "dtype": _TAGS[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": offsets,
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the data starts aligned
    file.write(len(text).to_bytes(8, "little") + text)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).data)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
