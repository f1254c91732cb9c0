# SPDX-License-Identifier: BSD-2-Clause
"""Tensors of .safetensors files, after the published layout of that format.

Eight bytes with the length of a JSON header, the header, the data. It is read here and not by the
library of that name, since that gives numpy nothing for bf16, fp8, fp6 and fp4. The layout leaves
open how elements of 4 and 6 bits lie in bytes; PyTorch's and ONNX's fp4 have the first one in the
low bits, and so is all read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .containers import FileError, Load, numbers

KINDS = {
    "BOOL": "bool",
    "F4": "float4_e2m1fn",
    "F6_E2M3": "float6_e2m3fn",
    "F6_E3M2": "float6_e3m2fn",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}
"""What the dtypes of the layout are in numpy, ml_dtypes and torch; all but C64."""

_LONGEST_HEADER = 100_000_000  # the reference implementation's bound


def entries(path: Path) -> Iterator[tuple[str, Load]]:
    """Yield name and reader of each tensor. FileError for a header that is none."""
    if path.stat().st_size < 8:
        raise FileError("has no safetensors header")
    data = np.memmap(path, dtype=np.uint8, mode="r")
    length = int.from_bytes(data[:8].tobytes(), "little")
    if length > min(_LONGEST_HEADER, data.size - 8):
        raise FileError("has no safetensors header")
    header = _header(data[8 : 8 + length].tobytes())
    body = data[8 + length :]
    spans = {name: _span(entry) for name, entry in header.items()}
    _check_layout(spans, body.size)
    for name, entry in header.items():
        yield name, partial(_tensor, entry, spans[name], body)


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise FileError(f"its header cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise FileError("its header is no JSON object")
    header.pop("__metadata__", None)
    return header


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it has {next(n for n in names if names.count(n) > 1)!a} twice")
    return found


def _span(entry: Any) -> tuple[int, int] | None:
    """Return where the data of a tensor starts and ends, None if its entry does not say."""
    span = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(span, list) or len(span) != 2 or not all(type(n) is int for n in span):
        return None
    first, end = span
    return (first, end) if 0 <= first <= end else None


def _check_layout(spans: dict[str, tuple[int, int] | None], size: int) -> None:
    """FileError if tensors overlap or bytes are no tensor's, both of which the layout forbids."""
    if None in spans.values():
        return  # who is without a place is told alone
    at = 0
    for (first, end), name in sorted((span, name) for name, span in spans.items() if span):
        if first != at:
            raise FileError(f"the data of tensor {name!a} starts at byte {first}, not at {at}")
        at = end
    if at < size:
        raise FileError(f"{size - at:,} bytes at its end belong to no tensor")


def _tensor(entry: Any, span: tuple[int, int] | None, body: np.ndarray) -> np.ndarray:
    if not isinstance(entry, dict) or span is None or not {"dtype", "shape"} <= entry.keys():
        raise FileError("its entry in the header must have dtype, shape and data_offsets")
    tag, shape = entry["dtype"], entry["shape"]
    if not isinstance(tag, str) or tag not in KINDS:
        raise FileError(f"dtype {tag!s:.60}: is none that macaw reads")
    if span[1] > body.size:
        raise FileError(f"is cut short: it ends {span[1] - body.size:,} bytes beyond the file")
    return numbers(body[slice(*span)], KINDS[tag], shape)
