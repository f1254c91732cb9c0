# SPDX-License-Identifier: BSD-2-Clause
"""Weights of .onnx models: initialisers and constants, read by the onnx package."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from macaw.golden.formats import format as format_of

from .containers import FileError, Load, decode, size_of
from .numpy_files import reason


def entries(path: Path) -> Iterator[tuple[str, Load]]:
    """Yield name and reader of each initialiser, and of each Constant by the name of its output.

    Data outside the model are read from files in its folder; onnx refuses others.
    """
    try:
        import onnx
    except ImportError:
        raise FileError("needs the onnx package: pip install 'macaw[onnx]'") from None
    path.open("rb").close()  # an OSError says more than onnx
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception as error:  # protobuf's errors are of many kinds
        raise FileError(f"is no ONNX model: {reason(error)}") from None
    for tensor in graph.initializer:
        yield _text(tensor.name), partial(_array, tensor, path.parent)
    for sparse in graph.sparse_initializer:
        yield _text(sparse.values.name), _sparse
    for node in graph.node:
        if node.op_type == "Constant" and len(node.output) == 1:
            for attribute in node.attribute:
                if attribute.name == "value" and attribute.HasField("t"):
                    yield _text(node.output[0]), partial(_array, attribute.t, path.parent)


def _text(name: str | bytes) -> str:
    """protobuf gives the bytes of what is no UTF-8."""
    return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


def _sparse() -> np.ndarray:
    raise FileError("is sparse")


def _array(tensor: Any, folder: Path) -> np.ndarray:
    from onnx import numpy_helper

    size_of(list(tensor.dims))
    try:
        array = numpy_helper.to_array(tensor, str(folder))
    except MemoryError:
        raise
    except Exception as error:  # of onnx, numpy and the checker of outside data
        raise FileError(f"cannot be read: {reason(error)}") from None
    if array.dtype.kind in "fiub" and hasattr(np, array.dtype.name):
        return array
    if array.dtype.name in ("int2", "int4"):
        return array.astype(np.int8)
    if array.dtype.name in ("uint2", "uint4"):
        return array.astype(np.uint8)
    if array.dtype.name.startswith(("bfloat", "float")) and array.dtype.itemsize <= 2:
        fmt = format_of(array.dtype.name)
        return decode(array.view(fmt.code_dtype), fmt)
    raise FileError(f"dtype {array.dtype}: must be floats or integers")
