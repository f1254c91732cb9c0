# SPDX-License-Identifier: BSD-2-Clause
"""Tensors of PyTorch's .pt and .pth files; no code that such a file names is run.

Where torch is installed, its ``torch.load(weights_only=True)`` reads them. Elsewhere, and where it
refuses a file for the objects that lie beside the tensors, the zip archives that PyTorch has
written since 1.6 are read here: the instructions of the pickle inside are followed as far as they
build dictionaries, lists and tensors, and whatever else they would call is left uncalled.
"""

from __future__ import annotations

import importlib
import pickletools
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .containers import FileError, Load, bits_of, numbers, size_of
from .numpy_files import member_bytes, opened, reason

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}
_PAIRS = "float4_e2m1fn_x2"  # two elements a byte, and shapes count bytes
_LONGEST_PICKLE = 1 << 28
_DEEPEST = 64


def entries(path: Path) -> Iterator[tuple[str, Load]]:
    """Yield name and reader of each tensor.

    Names are the keys on the way to it, with dots between; a tensor alone is called as its file.
    """
    path.open("rb").close()  # an OSError says more than torch
    torch = _torch()
    refusal = "was not written by PyTorch 1.6 or later"
    if torch is not None:
        try:
            tree = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch's own, pickle's, zipfile's, and RuntimeErrors of C++
            refusal = f"torch refuses it: {reason(error)}"
        else:
            for name, tensor in _walk(tree, path.stem, torch.Tensor):
                yield name, partial(_of_torch, torch, tensor)
            return
    if not zipfile.is_zipfile(path):
        remedy = "" if torch else "; older ones need torch: pip install 'macaw[torch]'"
        raise FileError(refusal + remedy)
    with opened(path) as archive:
        tree = _Archive(archive).tree()
        found = False
        for name, view in _walk(tree, path.stem, _View):
            found = True
            yield name, view.load
        if not found and isinstance(tree, _Object):
            raise FileError(f"holds a {tree.name} and no tensors: save its state_dict()")


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except (ImportError, OSError):  # not there, or not for this machine
        return None


def _walk(tree: Any, root: str, leaf: type) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested dictionaries and lists; what is reached twice, at first only."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any, int]] = [("", tree, 0)]
    while waiting:
        name, node, depth = waiting.pop()
        if isinstance(node, leaf):
            yield name or root, node
            continue
        if isinstance(node, dict):
            children: Iterable[tuple[Any, Any]] = node.items()
        elif isinstance(node, list | tuple):
            children = enumerate(node)
        else:
            continue
        if id(node) in seen or depth > _DEEPEST:
            continue
        seen.add(id(node))
        inner = [(f"{name}.{key}" if name else str(key), value) for key, value in children]
        waiting += [(inside, value, depth + 1) for inside, value in reversed(inner)]


def _of_torch(torch: Any, tensor: Any) -> np.ndarray:
    kind = str(tensor.dtype).removeprefix("torch.")
    tensor = tensor.detach()
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise FileError(f"is a {kind} tensor that is sparse, quantised or without data")
    try:
        _check_kind(kind)
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise FileError("repeats its elements: make it contiguous() before it is saved")
        flat = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    except FileError:
        raise
    except Exception as error:
        raise FileError(f"cannot be read: {reason(error)}") from None
    return _numbers(flat, kind, list(tensor.shape))


def _check_kind(kind: str) -> None:
    if kind != _PAIRS and bits_of(kind) is None:
        raise FileError(f"dtype {kind}: is none that macaw reads")


def _numbers(
    data: np.ndarray, kind: str, shape: list[int], order: Literal["<", ">"] = "<"
) -> np.ndarray:
    if kind != _PAIRS:
        return numbers(data, kind, shape, order)
    if not shape:
        raise FileError(f"{kind} without an axis")
    return numbers(data, "float4_e2m1fn", [*shape[:-1], 2 * shape[-1]])


# ------------------------------------------------------------------- without torch: the pickle


@dataclass(frozen=True, slots=True)
class _Global:
    name: str


@dataclass(frozen=True, slots=True)
class _Object:
    """Something that only code of its class could make; it is not made."""

    name: str


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor: where its elements lie in a storage."""

    archive: _Archive
    storage: tuple[str, str]
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def load(self) -> np.ndarray:
        _check_kind(self.kind)
        count = size_of(self.shape)
        if len(self.strides) != len(self.shape):
            raise FileError("has other strides than its shape")
        size_of([self.offset, *self.strides])
        data = self.archive.storage(self.storage[1])
        width = 1 if self.kind == _PAIRS else (bits_of(self.kind) or 8) // 8
        last = sum((n - 1) * stride for n, stride in zip(self.shape, self.strides))
        if count and (self.offset + last + 1) * width > data.size:
            raise FileError(f"is cut short: its storage has {data.size:,} bytes")
        if count * width > data.size:
            raise FileError("repeats its elements: make it contiguous() before it is saved")
        if not count:
            return _numbers(data[:0], self.kind, list(self.shape))
        elements = np.lib.stride_tricks.as_strided(
            data[self.offset * width :],
            (*self.shape, width),
            (*(stride * width for stride in self.strides), 1),
            writeable=False,
        )
        flat = np.ascontiguousarray(elements).reshape(-1)
        return _numbers(flat, self.kind, list(self.shape), self.archive.order)


class _Archive:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.members = {member.filename: member for member in archive.infolist()}
        pickles = [name for name in self.members if name.split("/")[1:] == ["data.pkl"]]
        if len(pickles) != 1:
            raise FileError("is a zip archive, but none of PyTorch's: it has no data.pkl")
        self.folder = pickles[0].removesuffix("data.pkl")
        order = self.members.get(f"{self.folder}byteorder")
        big = order is not None and self.read(order).tobytes() == b"big"
        self.order: Literal["<", ">"] = ">" if big else "<"

    def read(self, member: zipfile.ZipInfo) -> np.ndarray:
        return member_bytes(self.archive, member, member.file_size)

    def storage(self, key: str) -> np.ndarray:
        member = self.members.get(f"{self.folder}data/{key}")
        if member is None:
            raise FileError(f"its storage {key!a:.60} is not in the archive")
        return self.read(member)

    def tree(self) -> Any:
        member = self.members[f"{self.folder}data.pkl"]
        if member.file_size > _LONGEST_PICKLE:
            raise FileError(f"its data.pkl has {member.file_size:,} bytes")
        try:
            with warnings.catch_warnings(action="ignore"):  # of odd escapes in names
                return self.follow(self.read(member).tobytes())
        except FileError as error:
            raise FileError(f"its data.pkl {error}") from None
        except (
            IndexError,
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
            OverflowError,
        ) as error:
            # What an instruction finds on the stack is not what it needs.
            raise FileError(f"its data.pkl cannot be followed: {reason(error)}") from None

    def follow(self, text: bytes) -> Any:
        """Return what the instructions of a pickle build, of plain values and tensors only."""
        stack: list[Any] = []
        marks: list[list[Any]] = []
        memo: dict[int, Any] = {}

        def marked() -> list[Any]:
            nonlocal stack
            items, stack = stack, marks.pop()
            return items

        argument: Any
        for opcode, argument, _ in pickletools.genops(text):
            match opcode.name:
                case "PROTO" | "FRAME":
                    pass
                case "STOP":
                    return stack.pop()
                case "MARK":
                    marks.append(stack)
                    stack = []
                case "POP":
                    stack.pop()
                case "POP_MARK":
                    marked()
                case "DUP":
                    stack.append(stack[-1])
                case "NONE":
                    stack.append(None)
                case "NEWTRUE" | "NEWFALSE":
                    stack.append(opcode.name == "NEWTRUE")
                case "EMPTY_DICT":
                    stack.append({})
                case "EMPTY_LIST" | "EMPTY_SET":
                    stack.append([])
                case "EMPTY_TUPLE":
                    stack.append(())
                case "DICT":
                    items = marked()
                    stack.append(dict(zip(items[::2], items[1::2], strict=True)))
                case "LIST" | "FROZENSET":
                    items = marked()
                    stack.append(items)
                case "TUPLE":
                    items = tuple(marked())
                    stack.append(items)
                case "TUPLE1" | "TUPLE2" | "TUPLE3":
                    count = int(opcode.name[-1])
                    items = tuple(stack[-count:])
                    del stack[-count:]
                    if len(items) < count:
                        raise IndexError("too few values for a tuple")
                    stack.append(items)
                case "APPEND":
                    _extend(stack[-2], [stack.pop()])
                case "APPENDS" | "ADDITEMS":
                    items = marked()
                    _extend(stack[-1], items)
                case "SETITEM":
                    value, key = stack.pop(), stack.pop()
                    _update(stack[-1], [key, value])
                case "SETITEMS":
                    items = marked()
                    _update(stack[-1], items)
                case "PUT" | "BINPUT" | "LONG_BINPUT":
                    memo[int(argument)] = stack[-1]
                case "MEMOIZE":
                    memo[len(memo)] = stack[-1]
                case "GET" | "BINGET" | "LONG_BINGET":
                    stack.append(memo[int(argument)])
                case "GLOBAL":
                    stack.append(_Global(str(argument).replace(" ", ".", 1)))
                case "STACK_GLOBAL":
                    name, module = stack.pop(), stack.pop()
                    stack.append(_Global(f"{module}.{name}"))
                case "REDUCE" | "NEWOBJ":
                    items, called = stack.pop(), stack.pop()
                    stack.append(self.make(called, items))
                case "NEWOBJ_EX":
                    _, _, called = stack.pop(), stack.pop(), stack.pop()
                    stack.append(_Object(_name(called)))
                case "BUILD":
                    stack.pop()  # attributes of what is no dictionary, list or tensor
                case "BINPERSID":
                    stack.append(stack.pop())
                case name if name.endswith(("INT", "INT1", "INT2", "LONG1", "LONG4", "FLOAT")):
                    stack.append(argument)
                case name if name == "LONG" or "UNICODE" in name or "STRING" in name:
                    stack.append(argument)
                case name if "BYTES" in name:
                    stack.append(None)
                case name:
                    raise ValueError(f"instruction {name}")
        raise ValueError("it has no end")

    def make(self, called: Any, items: Any) -> Any:
        """Return what calling a global with ``items`` makes, if that is plain or a tensor."""
        match _name(called):
            case "collections.OrderedDict" | "collections.defaultdict" | "builtins.dict":
                return {}
            case "builtins.set" | "__builtin__.set" | "builtins.list":
                return list(items[0]) if items else []
            case "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state":
                return items[0]
            case "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor":
                storage, offset, shape, strides = items[:4]
                return self.view(storage, None, offset, shape, strides)
            case "torch._utils._rebuild_tensor_v3":
                storage, offset, shape, strides, _, _, dtype = items[:7]
                return self.view(storage, _name(dtype), offset, shape, strides)
            case name:
                return _Object(name)

    def view(self, storage: Any, dtype: str | None, offset: Any, shape: Any, strides: Any) -> _View:
        if not isinstance(storage, tuple) or len(storage) != 5 or storage[0] != "storage":
            raise ValueError("a tensor without a storage")
        of = _name(storage[1]).rpartition(".")[2]
        kind = _STORAGES.get(of, of) if dtype is None else dtype.rpartition(".")[2]
        if not isinstance(storage[2], str):
            raise ValueError("a storage without a name")
        return _View(self, (of, storage[2]), kind, offset, tuple(shape), tuple(strides))


def _name(called: Any) -> str:
    return called.name if isinstance(called, _Global | _Object) else type(called).__name__


def _extend(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif not isinstance(target, _Object):
        raise TypeError("values for what is no list")


def _update(target: Any, items: list[Any]) -> None:
    if isinstance(target, dict):
        target.update(zip(items[::2], items[1::2], strict=True))
    elif not isinstance(target, _Object):
        raise TypeError("entries for what is no dictionary")
