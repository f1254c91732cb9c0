# SPDX-License-Identifier: BSD-2-Clause
"""Small tensor files of every kind that macaw reads, whole and damaged, for tests."""

import io
import json
import random
import re
import struct
import warnings
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper

KINDS = ("npy", "npz", "safetensors", "onnx", "pt")

# ------------------------------------------------------------------------------------- whole


def safetensors(tensors: dict[str, tuple[str, list, bytes]]) -> bytes:
    """A file of dtype, shape and bytes by name."""
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        spans = [at, at := at + len(data)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": spans}
    return with_header(json.dumps(header).encode(), b"".join(data for *_, data in tensors.values()))


def with_header(header: bytes, body: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + body


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npy_text(header: str, body: bytes, version: int = 1) -> bytes:
    """A .npy of any header."""
    text = header.encode("utf-8", "replace") + b"\n"
    length = len(text).to_bytes(2 if version == 1 else 4, "little", signed=False)
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + body


def archive(members: dict[str, bytes] | list[tuple[str, bytes]], method: int = 0) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as out:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in members.items() if isinstance(members, dict) else members:
            out.writestr(name, data)
    return file.getvalue()


def model(tensors: list[TensorProto]) -> bytes:
    graph = helper.make_graph([], "g", [], [], initializer=tensors)
    return helper.make_model(graph).SerializeToString()


class Pickle:
    """The instructions that PyTorch's pickles are made of, as bytes."""

    @staticmethod
    def value(x: object) -> bytes:
        if isinstance(x, bytes):
            return x
        if isinstance(x, bool):
            return b"\x88" if x else b"\x89"
        if isinstance(x, int):
            data = x.to_bytes(x.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(data)]) + data
        if isinstance(x, float):
            return b"G" + struct.pack(">d", x)
        if isinstance(x, str):
            data = x.encode("utf-8", "surrogatepass")
            return b"X" + len(data).to_bytes(4, "little") + data
        if isinstance(x, tuple):
            return b"(" + b"".join(map(Pickle.value, x)) + b"t"
        if isinstance(x, list):
            return b"](" + b"".join(map(Pickle.value, x)) + b"e"
        if isinstance(x, dict):
            pairs = (Pickle.value(key) + Pickle.value(item) for key, item in x.items())
            return b"}(" + b"".join(pairs) + b"u"
        assert x is None
        return b"N"

    @staticmethod
    def named(module: str, name: str) -> bytes:
        return b"c" + f"{module}\n{name}\n".encode()

    @staticmethod
    def call(function: bytes, *arguments: object) -> bytes:
        return function + Pickle.value(arguments) + b"R"

    @staticmethod
    def storage(kind: str, key: object, count: object) -> bytes:
        module = "torch.storage" if kind == "UntypedStorage" else "torch"
        return Pickle.value(("storage", Pickle.named(module, kind), key, "cpu", count)) + b"Q"

    @staticmethod
    def tensor(kind, key, count, shape, strides, offset=0, dtype=None) -> bytes:
        hooks = Pickle.call(Pickle.named("collections", "OrderedDict"))
        version = "_rebuild_tensor_v3" if dtype else "_rebuild_tensor_v2"
        more = [Pickle.named("torch", dtype)] if dtype else []
        return Pickle.call(
            Pickle.named("torch._utils", version),
            *(Pickle.storage(kind, key, count), offset, shape, strides, False, hooks, *more),
        )


def torch_file(tree: object, storages: dict[str, bytes], order: str = "little") -> bytes:
    """A .pt as torch.save writes it."""
    members = {
        "m/data.pkl": b"\x80\x02" + Pickle.value(tree) + b".",
        "m/byteorder": order.encode(),
        **{f"m/data/{key}": data for key, data in storages.items()},
        "m/version": b"3\n",
    }
    return archive(members)


def torch_tensors(arrays: dict[str, np.ndarray]) -> bytes:
    """A .pt of a state dict of float32 arrays."""
    tree = {
        name: Pickle.tensor(
            "FloatStorage", name, array.size, array.shape, tuple(n // 4 for n in array.strides)
        )
        for name, array in arrays.items()
    }
    return torch_file(tree, {name: array.tobytes() for name, array in arrays.items()})


def write_all(weights: np.ndarray) -> None:
    """The files that examples name, in the current folder."""
    data = weights.astype("<f4").tobytes()
    entry = ("F32", list(weights.shape), data)
    Path("model.safetensors").write_bytes(safetensors({"a.weight": entry, "head.weight": entry}))
    tensor = helper.make_tensor("w", TensorProto.FLOAT, weights.shape, data, raw=True)
    Path("model.onnx").write_bytes(model([tensor]))
    Path("model.pt").write_bytes(torch_tensors({"w": weights.astype(np.float32)}))
    np.save("bfloat16.npy", weights.astype(ml_dtypes.bfloat16))


# ----------------------------------------------------------------------------------- damaged

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)
NUMBERS = (0, 1, 3, 6, 24, -1, -(2**63), 2**31, 2**40, 2**62, 2**63, 2**64, 10**30, True, 1.5, None)
ABSURD = (*NUMBERS, "", "x", "3", [], [1], {}, {"a": 1}, float("inf"))
SHAPES = (
    *([], [0], [6], [2, 3], [3, 2], [1] * 40, [0, 2**62], [2**62, 2**62], [-1], [-6, -1]),
    *([2**20, 2**20], [2**40], [0, -1], [10**30], [True, 6], [6.0], ["6"], [[6]], None, "6", 6, {}),
)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut, put in, doubled, or made extreme numbers, in some places."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(out) + 1)
        size = rng.choice((1, 2, 4, 8, 16, 64))
        match rng.randrange(9):
            case 0 if out:
                out[at % len(out)] ^= 1 << rng.randrange(8)
            case 1 if out:
                out[at % len(out)] = rng.randrange(256)
            case 2:
                del out[at:]
            case 3:
                del out[at : at + size]
            case 4:
                out[at:at] = rng.randbytes(size)
            case 5:
                out[at:at] = out[at : at + size]
            case 6:
                out[at : at + 8] = rng.choice(EXTREMES).to_bytes(8, "little")[: len(out) - at]
            case 7:
                out[at : at + size] = bytes(size)
            case 8:
                places = [m.start() for m in re.finditer(rb"[0-9]", bytes(out))]
                if places:
                    out[rng.choice(places)] = rng.choice(b"0123456789-.e\"'[](){},")
    return bytes(out)


def one(kind: str, rng: random.Random) -> bytes:
    """A damaged file: its bytes, or its fields."""
    whole = {
        "npy": _npy,
        "npz": _npz,
        "safetensors": _safetensors,
        "onnx": _onnx,
        "pt": _torch,
    }[kind]
    data = whole(rng, rng.random() < 0.5)
    return damaged(data, rng) if rng.random() < 0.4 else data


VALUES = np.array([[0.5, -1.25, 3.0], [100.0, -0.001, 7.0]], np.float32)


def _npy(rng: random.Random, wild: bool) -> bytes:
    if not wild:
        dtype = rng.choice(("<f4", ">f4", "<f8", "<f2", "i1", "<u2", ml_dtypes.bfloat16))
        return npy(VALUES.clip(0).astype(dtype, order=rng.choice(("C", "F"))))
    descr = rng.choice(
        (
            *("'<f4'", "'>f8'", "'|O'", "'<f1'", "'|V1'", "'|V0'", "'<U5'", "'<U0'", "'<f16'"),
            *("'<c8'", "'<m8[ns]'", "[('a', '<f4')]", "'<f999999999'", "'f4,f4'", "''", "None"),
            *("('<f4', (2,))", "'|b1'", "'<V4000000000'", "1", "{}", "'<f4\\x00'", "'\\udc00'"),
        )
    )
    shape = rng.choice((*("(2, 3)", "(6,)", "(2L, 3L)", "(True,)", "(-1,)", "()"), *_shapes(rng)))
    order = rng.choice(("False", "True", "None", "0", "'C'"))
    keys = f"'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, "
    header = rng.choice(
        (
            *(f"{{{keys}}}",) * 6,
            *(f"{{{keys}'x': 1}}", f"{keys}", "[" * 5000, "-" * 5000 + "1", "{}", "1", ""),
            *("(" * 200 + ")" * 200, "{'shape': " + "9" * 5000 + "}", "\0", "__import__('os')"),
        )
    )
    return npy_text(header, VALUES.tobytes(), rng.choice((1, 1, 2, 3, 9, 0)))


def _shapes(rng: random.Random) -> list[str]:
    return [repr(rng.choice(SHAPES)).replace("[", "(").replace("]", ",)") for _ in range(3)]


def _npz(rng: random.Random, wild: bool) -> bytes:
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    if not wild:
        return archive({"w.npy": npy(VALUES), "v.npy": npy(VALUES[0])}, method)
    names = ("w.npy", "w.npy", "v.npy", "x.txt", "d/", "../up.npy", "a/b.npy", "n\0ul.npy", ".npy")
    names += ("file.npy", "allow_pickle.npy", "\x1b[2J.npy", "ü.npy", "\u202e.npy", "w.npy.npy")
    members = [
        (rng.choice(names), rng.choice((npy(VALUES), _npy(rng, True), b"", b"text", b"\x93NUMPY")))
        for _ in range(rng.randrange(4))
    ]
    return archive(members, method)


TAGS = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")
TAGS += ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F4", "F6_E2M3", "F6_E3M2")
TAGS += ("C64", "F128", "", "f32")


def _safetensors(rng: random.Random, wild: bool) -> bytes:
    f32, bf16 = VALUES.tobytes(), VALUES.astype(ml_dtypes.bfloat16).tobytes()
    tensors = {
        "w": ("F32", [2, 3], f32),
        "v": ("BF16", [6], bf16),
        "f4": ("F4", [2, 4], b"\x12\x34\x56\x78"),
        "s": ("F32", [], f32[:4]),
    }
    data = safetensors(tensors)
    if not wild:
        return data
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    for _ in range(rng.choice((1, 1, 2, 4))):
        entry = header[rng.choice(list(header))]
        if not isinstance(entry, dict):
            continue
        match rng.randrange(7):
            case 0:
                entry["dtype"] = rng.choice((*TAGS, *ABSURD))
            case 1:
                entry["shape"] = rng.choice(SHAPES)
            case 2:
                entry["data_offsets"] = [rng.choice(NUMBERS), rng.choice(NUMBERS)]
            case 3:
                entry["data_offsets"] = rng.choice((*ABSURD, [0, 24, 48], [24, 0], [-8, 16]))
            case 4:
                entry.pop(rng.choice(list(entry)), None)
                entry["x"] = 1
            case 5:
                names = ("\ud800", "", "__metadata__", "\n", "\x1b[31m", "a" * 70000, "w.elements")
                header[rng.choice(names)] = rng.choice((entry, *ABSURD))
            case 6:
                header[rng.choice(list(header))] = rng.choice(ABSURD)
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    match rng.randrange(16):
        case 0:
            text = text.replace(b'"v"', b'"w"')  # twice the same name
        case 1:
            text = rng.choice((b"[]", b"null", b"1", b"", b"{}", b'"x"', b"NaN", b"\xff\xfe{}"))
        case 2:
            deep = rng.choice((100, 20_000))
            text = b'{"w":' * deep + b"1" + b"}" * deep
        case 3:
            text = b"[" * 50_000
        case 4:
            return rng.choice(EXTREMES).to_bytes(8, "little") + text + body
        case 5:
            text = text.replace(b"6", b"9" * 5000, 1)
        case 6:
            body += b"\0" * rng.choice((1, 8))
    return with_header(text, body)


def _onnx(rng: random.Random, wild: bool) -> bytes:
    values = VALUES.ravel()
    tensors = [
        helper.make_tensor("w", TensorProto.FLOAT, [2, 3], values.tobytes(), raw=True),
        helper.make_tensor("v", TensorProto.FLOAT, [6], values),
        helper.make_tensor("h", TensorProto.FLOAT8E4M3FN, [6], values),
        helper.make_tensor("q", TensorProto.INT4, [5], [1, -2, 3, -4, 5]),
        helper.make_tensor("f", TensorProto.FLOAT4E2M1, [5], values[:5]),
    ]
    if wild:
        for _ in range(rng.choice((1, 2, 4))):
            tensor = rng.choice(tensors)
            match rng.randrange(7):
                case 0:
                    tensor.data_type = rng.choice((*range(30), -1, 2**31 - 1))
                case 1:
                    tensor.dims[:] = [rng.choice((0, 1, 2, 3, 6, -1, 2**40, 2**62, 2**63 - 1))]
                case 2:
                    tensor.dims.extend([rng.choice((0, 1, -1, 2**31, 2**62))] * rng.choice((1, 70)))
                case 3:
                    tensor.raw_data = rng.randbytes(rng.choice((0, 1, 3, 24)))
                case 4:
                    tensor.name = rng.choice(("w", "", "\x1b[2J", "a\nb", "x" * 70_000))
                case 5:
                    tensor.data_location = rng.choice((0, 1))
                    place = ("w.bin", "../w.bin", "/etc/hostname", "", ".", "\0", "a" * 5000)
                    for key in ("location", "offset", "length", "checksum"):
                        text = str(rng.choice((*place, -1, 0, 4, 24, 2**63, "x")))
                        if rng.random() < 0.7:
                            tensor.external_data.add(key=key, value=text)
                case 6:
                    tensor.ClearField(rng.choice(("float_data", "int32_data", "raw_data", "dims")))
    return model(tensors)


def _torch(rng: random.Random, wild: bool) -> bytes:
    if not wild:
        return torch_tensors({"w": VALUES, "v": VALUES[0]})
    call, named = Pickle.call, Pickle.named
    kinds = ("FloatStorage", "HalfStorage", "BFloat16Storage", "ByteStorage", "UntypedStorage")
    kinds += ("ComplexFloatStorage", "QInt8Storage", "x", "")
    shape = rng.choice([tuple(shape) for shape in SHAPES if isinstance(shape, list)])[:3]
    values = (
        *(x for x in ABSURD if not isinstance(x, dict | list)),
        (),
        (1,),
        (3, 1),
        {"a": 1},
        [],
    )

    def maybe(right: object) -> object:
        return right if rng.random() < 0.7 else rng.choice(values)

    types = (None, "float32", "bfloat16", "float8_e4m3fn", "float4_e2m1fn_x2", "complex64", "x")
    tensor = Pickle.tensor(
        rng.choice(kinds),
        maybe("0"),
        maybe(6),
        maybe((2, 3)) if rng.random() < 0.5 else shape,
        maybe((3, 1)),
        maybe(0),
        rng.choice(types),
    )
    touch = call(named("os", "system"), "touch pwned")
    trees: tuple[object, ...] = (
        *({"w": tensor},) * 8,
        {"w": tensor, "lr": [0.1, {"deep": (tensor, None)}], 3: tensor},
        tensor,
        touch,
        {"w": tensor, "x": touch},
        {"w": call(named("builtins", "eval"), "open('pwned', 'w')")},
        {"w": call(named("torch._utils", "_rebuild_tensor_v2"), touch)},
        b"]q\x00h\x00a",  # a list that holds itself
        b"]" * 20_000 + b"a" * 19_999,
        b"(" * 5000,
        b"}" * 300 + b"s" * 200,
        b"r\xff\xff\xff\xff",
        b"]r\xff\xff\xff\x7f",
        b"\x8e" + (2**62).to_bytes(8, "little"),
        b"\x8b" + (2**31 - 1).to_bytes(4, "little"),
        b"I" + b"9" * 10_000 + b"\n",
        b"\x95" + (2**60).to_bytes(8, "little") + b"N",
        {"a.b": tensor, "a": {"b": tensor}},
        {("t",): tensor, 1.5: tensor, "": tensor, "\ud800": tensor},
        rng.choice(values) if rng.random() < 0.5 else b"N",
        call(named("torch.nn", "Linear"), 1) + b"}b",
    )
    storages = {"0": VALUES.tobytes()[: rng.choice((24, 24, 24, 8, 0))]}
    data = torch_file(rng.choice(trees), storages, rng.choice(("little", "big", "", "x")))
    if rng.random() < 0.3:  # the pickle's own bytes
        members = zipfile.ZipFile(io.BytesIO(data))
        parts = {info.filename: members.read(info) for info in members.infolist()}
        parts["m/data.pkl"] = damaged(parts["m/data.pkl"], rng)
        if rng.random() < 0.2:
            parts[rng.choice(("m/version", "n/data.pkl", "m/data/1"))] = b"\x80\x02}."
        data = archive(parts)
    return data
