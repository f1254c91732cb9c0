# SPDX-License-Identifier: BSD-2-Clause
"""Tensor files: every dtype against ml_dtypes, and what is refused or skipped."""

import io
import json
import os
import resource
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
import safetensors
import tensor_files
from onnx import TensorProto, helper
from tensor_files import Pickle

from macaw import cli, tensors
from macaw.tensors import torch_files

FLOATS = {
    "float4_e2m1fn": 4,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
    "float8_e3m4": 8,
    "float8_e4m3": 8,
    "float8_e4m3b11fnuz": 8,
    "float8_e4m3fn": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "bfloat16": 16,
}
INTEGERS = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2}


def codes(bits: int) -> np.ndarray:
    """Every code."""
    return np.arange(1 << bits, dtype=np.uint16 if bits > 8 else np.uint8)


def outside(name: str, code: np.ndarray) -> np.ndarray:
    """The values of codes by ml_dtypes."""
    with np.errstate(invalid="ignore"):
        return code.view(getattr(ml_dtypes, name)).astype(np.float64)


def read(path: Path, **options) -> dict[str, np.ndarray]:
    return dict(tensors.read(path, **options))


def reasons(path: Path, **options) -> dict[str, str]:
    """Why tensors cannot be read."""
    found = {}
    for name, load in tensors.entries(path, **options):
        try:
            load()
        except tensors.FileError as error:
            found[name] = str(error)
    return found


@pytest.fixture
def run(capsys, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MACAW_TRACEBACK", "1")

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["quantize", *arguments])
        return (code, *capsys.readouterr())

    return call


# --------------------------------------------------------------------------------- safetensors

SAFE = {
    "F4": "float4_e2m1fn",
    "F6_E2M3": "float6_e2m3fn",
    "F6_E3M2": "float6_e3m2fn",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "BF16": "bfloat16",
}


def packed(code: np.ndarray, bits: int) -> bytes:
    """Codes without gaps, the first in the low bits."""
    if bits >= 8:
        return code.tobytes()
    whole = sum(int(c) << (bits * i) for i, c in enumerate(code))
    return whole.to_bytes(code.size * bits // 8, "little")


def test_every_code_of_safetensors(tmp_path):
    kinds = {tag: (FLOATS[name], codes(FLOATS[name])) for tag, name in SAFE.items()}
    data = tensor_files.safetensors(
        {tag: (tag, [2, code.size // 2], packed(code, bits)) for tag, (bits, code) in kinds.items()}
    )
    assert {name for name, _ in safetensors.deserialize(data)} == set(kinds)  # it is a good file
    (tmp_path / "x.safetensors").write_bytes(data)
    found = read(tmp_path / "x.safetensors")
    assert set(found) == set(kinds)
    for tag, (_, code) in kinds.items():
        assert found[tag].dtype == np.float32
        right = outside(SAFE[tag], code).reshape(2, -1)
        assert np.array_equal(found[tag], right, equal_nan=True), tag


def test_fp4_of_safetensors_is_as_pytorch_packs_it(tmp_path):
    """Two elements a byte, the first in the low half; the shape counts elements."""
    entry = ("F4", [1, 6], bytes([0x21, 0x43, 0xF7]))
    (tmp_path / "x.safetensors").write_bytes(tensor_files.safetensors({"w": entry}))
    assert read(tmp_path / "x.safetensors")["w"].tolist() == [[0.5, 1.0, 1.5, 2.0, 6.0, -6.0]]


NATIVE = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1"}
NATIVE |= {f"{sign}{n}": f"<{sign.lower()}{n // 8}" for sign in "IU" for n in (16, 32, 64)}


def test_native_dtypes_of_safetensors(tmp_path):
    arrays = {tag: np.array([[0, 1], [1, 100]]).astype(text) for tag, text in NATIVE.items()}
    arrays["scalar"] = np.array(2.5, np.float32)
    arrays["empty"] = np.ones((0, 3), np.float32)
    entries = {
        name: (name if name in NATIVE else "F32", list(a.shape), a.tobytes())
        for name, a in arrays.items()
    }
    (tmp_path / "x.safetensors").write_bytes(tensor_files.safetensors(entries))
    found = read(tmp_path / "x.safetensors")
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert np.array_equal(found[name], array), name


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
WRONG_FILE = [
    (b"[]", 8, "no JSON object"),
    (b"null", 8, "no JSON object"),
    (b"{", 8, "cannot be read"),
    (b"\xff", 8, "cannot be read"),
    (b'{"a":1,"a":2}', 0, "'a' twice"),
    (b"[" * 100_000, 0, "cannot be read"),
    (json.dumps({"a": F32, "b": F32}).encode(), 8, "'b' starts at byte 0, not at 8"),
    (json.dumps({"a": F32 | {"data_offsets": [8, 16]}}).encode(), 16, "starts at byte 8, not at 0"),
    (json.dumps({"a": F32}).encode(), 9, "1 bytes at its end belong to no tensor"),
    (json.dumps({"\ud800": F32}).encode(), 8, "name is no text"),
    (b"{}", 0, "holds no tensors"),
]


@pytest.mark.parametrize("kind", tensor_files.KINDS)
def test_booleans_are_no_numbers(tmp_path, kind):
    path = tmp_path / f"x.{kind}"
    match kind:
        case "npy":
            path.write_bytes(tensor_files.npy(np.ones(2, bool)))
        case "npz":
            path.write_bytes(tensor_files.archive({"x.npy": tensor_files.npy(np.ones(2, bool))}))
        case "safetensors":
            path.write_bytes(tensor_files.safetensors({"x": ("BOOL", [2], b"\1\1")}))
        case "onnx":
            tensor = helper.make_tensor("x", TensorProto.BOOL, [2], [True, True])
            path.write_bytes(tensor_files.model([tensor]))
        case "pt":
            tree = {"x": Pickle.tensor("BoolStorage", "0", 2, (2,), (1,))}
            path.write_bytes(tensor_files.torch_file(tree, {"0": b"\1\1"}))
    assert reasons(path) == {"x": "dtype bool: must be floats or integers"}


@pytest.mark.parametrize(("header", "size", "message"), WRONG_FILE)
def test_headers_that_are_none(tmp_path, header, size, message):
    path = tmp_path / "x.safetensors"
    path.write_bytes(tensor_files.with_header(header, bytes(size)))
    with pytest.raises(tensors.FileError, match=message) as raised:
        list(tensors.entries(path))
    assert str(raised.value).startswith(str(path))


@pytest.mark.parametrize("data", [b"", b"1234567", b"\xff" * 8, b"\x08" + bytes(8)])
def test_files_without_a_header(tmp_path, data):
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(tensors.FileError, match="no safetensors header"):
        list(tensors.entries(path))


WRONG_TENSOR = [
    ({"shape": [-2]}, "shape .-2.: must be integers from 0 on"),
    ({"shape": [2.0]}, "shape"),
    ({"shape": [True, 2]}, "shape"),
    ({"shape": None}, "shape"),
    ({"shape": [3]}, "has 8 bytes where float32 of shape .3. has 12"),
    ({"shape": [2**62, 2**62]}, "has 8 bytes"),
    ({"shape": [1] * 70 + [2]}, "shape"),
    ({"data_offsets": [-8, 0]}, "must have dtype, shape and data_offsets"),
    ({"data_offsets": [8, 0]}, "must have"),
    ({"data_offsets": [0, 8, 16]}, "must have"),
    ({"data_offsets": [0.0, 8.0]}, "must have"),
    ({"data_offsets": "08"}, "must have"),
    ({"data_offsets": [0, 80]}, "cut short: it ends 64 bytes beyond"),
    ({"dtype": "F128"}, "dtype F128: is none that macaw reads"),
    ({"dtype": ["F32"]}, "is none that macaw reads"),
    ({"dtype": "F6_E2M3", "shape": [11]}, "has 8 bytes where float6_e2m3fn of shape .11. has 8.25"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_TENSOR)
def test_a_tensor_that_is_wrong_leaves_the_others(tmp_path, change, message):
    path = tmp_path / "x.safetensors"
    header = {"bad": F32 | change, "good": F32 | {"data_offsets": [8, 16]}}
    if change.get("data_offsets") == [0, 80]:
        header["good"] = header.pop("bad") and F32
        header["bad"] = F32 | {"data_offsets": [8, 80]}
    path.write_bytes(
        tensor_files.with_header(json.dumps(header).encode(), np.ones(4, "<f4").tobytes())
    )
    found = dict(tensors.entries(path))
    assert found["good"]().tolist() == [1.0, 1.0]
    with pytest.raises(tensors.FileError, match=message):
        found["bad"]()


# ------------------------------------------------------------------------------- .npy and .npz


@pytest.mark.parametrize("name", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_arrays_of_ml_dtypes(tmp_path, name, suffix):
    """numpy writes V1, f1 or V2, which says nothing; --dtype does."""
    bits = (FLOATS | INTEGERS)[name]
    array = codes(bits).view(getattr(ml_dtypes, name)).reshape(2, -1)
    path = tmp_path / f"x.{suffix}"
    np.save(path, array) if suffix == "npy" else np.savez(path, x=array)
    assert "raw bytes" in reasons(path)["x"]
    with np.errstate(invalid="ignore"):
        right = array.astype(np.float64)
    assert np.array_equal(read(path, dtype=name)["x"], right, equal_nan=True)


def test_codes_as_unsigned_integers(tmp_path):
    np.savez(tmp_path / "x.npz", w=codes(8), other=np.ones(2, np.float32))
    found = read(tmp_path / "x.npz", dtype="e5m2")
    assert np.array_equal(found["w"], outside("float8_e5m2", codes(8)), equal_nan=True)
    assert found["other"].tolist() == [1.0, 1.0]
    with pytest.raises(tensors.FileError, match="none of its tensors has raw bytes or codes"):
        read(tmp_path / "x.npz", dtype="bf16")


@pytest.mark.parametrize("dtype", ["<f4", ">f4", ">f8", "<f2", ">i2", "<u8", "i1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_numpy(tmp_path, dtype, order):
    array = np.asarray(np.arange(24).reshape(2, 3, 4) % 5, dtype, order=order)
    np.save(tmp_path / "x.npy", array)
    found = read(tmp_path / "x.npy")["x"]
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


def test_what_python_2_wrote(tmp_path):
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }"
    (tmp_path / "x.npy").write_bytes(tensor_files.npy_text(text, np.ones(2, "<f4").tobytes()))
    assert read(tmp_path / "x.npy")["x"].tolist() == [[1.0, 1.0]]


def header(descr="'<f4'", shape="(2,)", order="False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"
    return tensor_files.npy_text(text, bytes(8))


WRONG_NPY = [
    (b"", "is empty|no header"),
    (b"\x93NUMPY", "no header"),
    (header()[:-1], "cut short: 7 bytes of 8|has .* bytes where"),
    (header(shape="(1 << 62, 4)"), "cannot be read"),
    (header(shape=f"({1 << 62}, 4)"), "cut short|has .* bytes where"),
    (header(shape="(-2,)"), "shape"),
    (header(shape="2"), "shape"),
    (header(shape="(2.0,)"), "shape"),
    (header(descr="'|O'"), "Python objects"),
    (header(descr="'<U2'"), "dtype <U2: must be floats or integers"),
    (header(descr="'<m8[s]'", shape="(1,)"), "must be floats or integers"),
    (header(descr="[('a', '<f4')]"), "dtype of records"),
    (header(descr="'f4,f4'"), "must be floats or integers"),
    (header(descr="'<f3'"), "must be floats or integers"),
    (header(order="1"), "cannot be read"),
    (tensor_files.npy_text("(" * 5000, b""), "cannot be read"),
    (tensor_files.npy_text("__import__('os')", b""), "cannot be read"),
    (tensor_files.npy_text(" " * 20_000, b""), "too long"),
]


@pytest.mark.parametrize(("data", "message"), WRONG_NPY)
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_wrong_arrays(tmp_path, data, message, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(data if suffix == "npy" else tensor_files.archive({"x.npy": data}))
    with pytest.raises(tensors.FileError, match=message):
        read(path)


def test_archives_of_other_things(tmp_path):
    path = tmp_path / "x.npz"
    good = tensor_files.npy(np.ones(2))
    path.write_bytes(
        tensor_files.archive({"a.npy": good, "b.txt": b"text", "c.npy": b"", "d/": b""})
    )
    assert set(reasons(path)) == {"b.txt", "c"}
    path.write_bytes(tensor_files.archive([("a.npy", good), ("a.npy", good)]))
    with pytest.raises(tensors.FileError, match="two tensors of the name 'a'"):
        read(path)
    damaged = bytearray(tensor_files.archive({"a.npy": good}))
    damaged[damaged.index(good) + len(good) - 1] ^= 1
    path.write_bytes(damaged)
    assert "CRC" in reasons(path)["a"]


@pytest.mark.parametrize("kind", tensor_files.KINDS)
def test_sizes_are_held_against_the_file_before_they_are_allocated(tmp_path, kind):
    """64 GB that are not there; a gigabyte of zeros that are claimed to be a byte more."""
    path = tmp_path / f"x.{kind}"
    big = 1 << 34
    match kind:
        case "npy":
            path.write_bytes(header(shape=f"({big},)"))
        case "npz":
            path.write_bytes(tensor_files.archive({"x.npy": header(shape=f"({big},)")}))
        case "safetensors":
            path.write_bytes(tensor_files.safetensors({"x": ("F32", [big], bytes(8))}))
        case "onnx":
            tensor = helper.make_tensor("x", TensorProto.FLOAT, [2], bytes(8), raw=True)
            tensor.dims[:] = [big]
            path.write_bytes(tensor_files.model([tensor]))
        case "pt":
            tree = {"x": Pickle.tensor("FloatStorage", "0", big, (big,), (0,))}
            path.write_bytes(tensor_files.torch_file(tree, {"0": bytes(8)}))
    reasons(path)  # imports are no part of it
    tracemalloc.start()
    try:
        assert set(reasons(path)) == {"x"}
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


# -------------------------------------------------------------------------------------- ONNX

ONNX = {
    "FLOAT8E4M3FN": "float8_e4m3fn",
    "FLOAT8E4M3FNUZ": "float8_e4m3fnuz",
    "FLOAT8E5M2": "float8_e5m2",
    "FLOAT8E5M2FNUZ": "float8_e5m2fnuz",
    "FLOAT8E8M0": "float8_e8m0fnu",
    "FLOAT4E2M1": "float4_e2m1fn",
    "BFLOAT16": "bfloat16",
    "INT4": "int4",
    "UINT4": "uint4",
}
ONNX_NATIVE = {"FLOAT": "<f4", "DOUBLE": "<f8", "FLOAT16": "<f2"}
ONNX_NATIVE |= {
    f"{u}INT{n}": f"<{u.lower() or 'i'}{n // 8}" for u in ("", "U") for n in (8, 16, 32, 64)
}


def test_every_code_of_onnx(tmp_path):
    made, right = [], {}
    for tag, name in ONNX.items():
        bits = (FLOATS | INTEGERS)[name]
        code = codes(bits)
        made.append(
            helper.make_tensor(
                tag, getattr(TensorProto, tag), [code.size], packed(code, bits), raw=True
            )
        )
        right[tag] = outside(name, code)
    for tag, text in ONNX_NATIVE.items():
        right[tag] = np.array([[0, 1], [1, 100]]).astype(text)
        kind = getattr(TensorProto, tag)
        made.append(helper.make_tensor(tag, kind, [2, 2], right[tag].tobytes(), raw=True))
    path = tmp_path / "m.onnx"
    path.write_bytes(tensor_files.model(made))
    found = read(path)
    assert set(found) == set(right)
    for tag, values in right.items():
        assert np.array_equal(found[tag], values, equal_nan=True), tag


def test_constants_outside_data_and_what_is_unreadable(tmp_path):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    constant = helper.make_node(
        "Constant", [], ["c"], value=helper.make_tensor("", TensorProto.FLOAT, [2], [1.0, 2.0])
    )
    words = helper.make_tensor("words", TensorProto.STRING, [1], [b"text"])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2, 3], values.tobytes(), raw=True)
    graph = helper.make_graph([constant], "g", [], [], initializer=[weights, words])
    path = tmp_path / "m.onnx"
    onnx.save_model(
        helper.make_model(graph),
        path,
        save_as_external_data=True,
        location="w.bin",
        size_threshold=0,
    )
    assert (tmp_path / "w.bin").exists()
    found = dict(tensors.entries(path))
    assert np.array_equal(found["w"](), values)
    assert found["c"]().tolist() == [1.0, 2.0]
    assert reasons(path) == {"words": "dtype object: must be floats or integers"}
    (tmp_path / "w.bin").unlink()
    assert "w.bin" in reasons(path)["w"]


def test_outside_data_stay_in_the_models_folder(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(8))
    folder = tmp_path / "model"
    folder.mkdir()
    for place in ("../secret", str(tmp_path / "secret")):
        tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=1)
        tensor.external_data.add(key="location", value=place)
        (folder / "m.onnx").write_bytes(tensor_files.model([tensor]))
        assert "cannot be read" in reasons(folder / "m.onnx")["w"]


def test_without_onnx(run, monkeypatch, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, out, err = run("m.onnx", "--format", "e4m3")
    assert (code, out) == (2, "")
    assert err == "macaw: m.onnx: needs the onnx package: pip install 'macaw[onnx]'\n"


# ------------------------------------------------------------------------------------- PyTorch

TORCH = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
}


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.setattr(torch_files, "_torch", lambda: None)


def torch_state() -> tuple[bytes, dict[str, np.ndarray]]:
    """A state dict of all dtypes, views, a parameter, and what lies beside it in checkpoints."""
    tree, storages, right = {}, {}, {}
    base = np.arange(24).reshape(4, 6) % 7
    for key, (kind, text) in enumerate(TORCH.items()):
        right[kind] = base.astype(text)
        storages[str(key)] = right[kind].tobytes()
        tree[kind] = Pickle.tensor(kind, str(key), 24, (4, 6), (6, 1))
    eights = [name for name in SAFE.values() if name.startswith("float8")]
    for name in (*eights, "bfloat16"):
        code = codes(FLOATS[name])
        right[name], storages[name] = outside(name, code), code.tobytes()
        if name == "bfloat16":
            tree[name] = Pickle.tensor("BFloat16Storage", name, code.size, (code.size,), (1,))
        else:
            tree[name] = Pickle.tensor("UntypedStorage", name, 256, (256,), (1,), dtype=name)
    storages["fp4"] = bytes([0x21, 0x43, 0xF7])
    right["fp4"] = np.array([[0.5, 1.0, 1.5, 2.0, 6.0, -6.0]])
    tree["fp4"] = Pickle.tensor(
        "UntypedStorage", "fp4", 3, (1, 3), (3, 1), dtype="float4_e2m1fn_x2"
    )
    right["view"] = right["FloatStorage"].T[1:4, ::2]
    tree["view"] = Pickle.tensor("FloatStorage", "1", 24, (3, 2), (1, 12), 1)
    tree["0-d"], right["0-d"] = Pickle.tensor("FloatStorage", "1", 24, (), (), 5), np.array(5.0)
    empty = Pickle.tensor("FloatStorage", "e", 0, (0, 3), (3, 1))
    tree["empty"], storages["e"], right["empty"] = empty, b"", np.ones((0, 3))
    parameter = Pickle.named("torch._utils", "_rebuild_parameter")
    hooks = Pickle.call(Pickle.named("collections", "OrderedDict"))
    tree["parameter"] = Pickle.call(parameter, tree["FloatStorage"], True, hooks)
    right["parameter"] = right["FloatStorage"]
    whole = {"model": tree, "epoch": 3, "lr": [0.1, tree["view"], None], "note": "x"}
    named = {f"model.{name}": array for name, array in right.items()} | {"lr.1": right["view"]}
    return tensor_files.torch_file(whole, storages), named


def same(found: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert list(found) == list(right)
    for name, array in right.items():
        assert found[name].shape == array.shape, name
        assert np.array_equal(found[name].astype(float), array.astype(float), equal_nan=True), name


def test_every_code_of_pytorch(tmp_path, no_torch):
    data, right = torch_state()
    (tmp_path / "x.pt").write_bytes(data)
    found = read(tmp_path / "x.pt")
    same(found, {name: right[name] for name in found})
    assert set(found) == set(right)


def test_pytorch_reads_the_same(tmp_path):
    """Needs torch, which is too large for everybody's tests."""
    torch = pytest.importorskip("torch")
    data, right = torch_state()
    path = tmp_path / "x.pt"
    path.write_bytes(data)
    found = read(path)
    same(found, {name: right[name] for name in found})
    assert set(found) == set(right)
    torch.save({"w": torch.ones(2, 3).to(torch.bfloat16).T[1:]}, path)
    assert read(path)["w"].tolist() == [[1.0, 1.0]] * 2
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    assert read(path)["w"].tolist() == [1.0, 1.0]
    torch.save({"w": torch.ones(1).expand(1000), "s": torch.ones(2).to_sparse()}, path)
    assert set(reasons(path)) == {"w", "s"}


def test_files_of_big_endian_machines(tmp_path, no_torch):
    values = np.array([1.0, -2.5], ">f4")
    tree = {"w": Pickle.tensor("FloatStorage", "0", 2, (2,), (1,))}
    path = tmp_path / "x.pth"
    path.write_bytes(tensor_files.torch_file(tree, {"0": values.tobytes()}, "big"))
    assert read(path)["w"].tolist() == [1.0, -2.5]


CALLS = [
    Pickle.call(Pickle.named("os", "system"), "touch called"),
    Pickle.call(Pickle.named("builtins", "exec"), "open('called', 'w')"),
    Pickle.call(Pickle.named("pathlib", "Path"), "called") + b"}b",
    b"cos\nsystem\n(X\x0c\0\0\0touch calledt\x81",
    b"(X\x0c\0\0\0touch calledios\nsystem\n",
    b"(cos\nsystem\nX\x0c\0\0\0touch calledo",
]


@pytest.mark.parametrize("called", CALLS)
def test_nothing_in_a_pickle_is_called(run, tmp_path, called):
    tree = {"x": called, "w": Pickle.tensor("FloatStorage", "0", 2, (2,), (1,))}
    (tmp_path / "x.pt").write_bytes(tensor_files.torch_file(tree, {"0": bytes(8)}))
    code, _, err = run("x.pt", "--format", "e4m3")
    assert code == 0 or "cannot be followed: instruction" in err
    assert not (tmp_path / "called").exists()


WRONG_TORCH = [
    (("FloatStorage", "0", 2, (3,), (1,)), "cut short: its storage has 8 bytes"),
    (("FloatStorage", "0", 2, (2,), (1,), 1), "cut short"),
    (("FloatStorage", "0", 2, (2,), (-1,)), "must be integers from 0 on"),
    (("FloatStorage", "0", 2, (2,), (1,), -1), "must be integers from 0 on"),
    (("FloatStorage", "0", 2, (-2,), (1,)), "must be integers from 0 on"),
    (("FloatStorage", "0", 2, (2,), (1, 1)), "other strides"),
    (("FloatStorage", "0", 2, (2**40,), (0,)), "repeats its elements"),
    (("FloatStorage", "9", 2, (2,), (1,)), "storage '9' is not in the archive"),
    (("ComplexFloatStorage", "0", 1, (1,), (1,)), "is none that macaw reads"),
    (("UntypedStorage", "0", 8, (1,), (1,), 0, "complex64"), "is none that macaw reads"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_TORCH)
def test_wrong_tensors_of_pytorch(tmp_path, no_torch, arguments, message):
    good = Pickle.tensor("FloatStorage", "0", 2, (2,), (1,))
    tree = {"good": good, "bad": Pickle.tensor(*arguments)}
    path = tmp_path / "x.pt"
    path.write_bytes(tensor_files.torch_file(tree, {"0": np.ones(2, "<f4").tobytes()}))
    found = reasons(path)
    assert set(found) == {"bad"}
    assert message in found["bad"]


def test_other_archives_and_older_files(tmp_path, no_torch):
    path = tmp_path / "x.pt"
    for data, message in [
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "torch: pip install 'macaw\\[torch\\]'"),
        (tensor_files.archive({"a.npy": b""}), "it has no data.pkl"),
        (tensor_files.archive({"m/data.pkl": b"\x80\x02}"}), "cannot be followed"),
        (tensor_files.torch_file(Pickle.call(Pickle.named("a", "B")), {}), "holds a a.B and no"),
        (tensor_files.torch_file({"epoch": 3}, {}), "holds no tensors"),
    ]:
        path.write_bytes(data)
        with pytest.raises(tensors.FileError, match=message):
            list(tensors.entries(path))


# --------------------------------------------------------------------------- the command's side


def test_tensors_are_chosen_and_skipped(run, tmp_path):
    weights = np.linspace(-1, 1, 64, dtype=np.float32).reshape(2, 32)
    arrays = {
        "a.weight": weights,
        "a.bias": weights[0, :3],
        "b.weight": weights,
        "step": np.array(7),
        "none": np.ones((0, 4)),
        "words": np.array(["x"]),
        "flags": np.array([True]),
    }
    np.savez("m.npz", **arrays)
    code, out, _ = run("m.npz", "--format", "mxfp4", "-o", "c.npz", "--json")
    report = json.loads(out)
    assert code == 0
    assert list(report["tensors"]) == ["a.weight", "a.bias", "b.weight"]
    assert report["skipped"] == {
        "step": "axis=-1: the array has shape ()",
        "none": "empty array of shape (0, 4)",
        "words": "dtype <U1: must be floats or integers",
        "flags": "dtype bool: must be floats or integers",
    }
    assert {name.split(".")[0] for name in np.load("c.npz").files} == {"a", "b"}
    code, out, _ = run("m.npz", "--format", "mxfp4")
    assert code == 0
    for name, reason in report["skipped"].items():
        assert any(line.split() == [name, *reason.split()] for line in out.splitlines())
    # A number is no less a number for having no axes, and scalar formats need none.
    code, out, _ = run("m.npz", "--format", "int8", "--include", "step", "--json")
    assert list(json.loads(out)["tensors"]) == ["step"]
    for options, names in [
        (("--include", "*.weight"), ["a.weight", "b.weight"]),
        (("--include", "a.*", "--include", "b.*", "--exclude", "*.bias"), ["a.weight", "b.weight"]),
        (("--exclude", "[b-z]*"), ["a.weight", "a.bias"]),
    ]:
        code, out, _ = run("m.npz", "--format", "mxfp4", *options, "--json")
        assert list(json.loads(out)["tensors"]) == names
    run("m.npz", "--format", "mxfp4", "--include", "*.weight", "-o", "c.npz")
    assert run("c.npz", "--format", "mxfp4", "--decode", "--exclude", "b*", "-o", "v.npz")[0] == 0
    assert np.load("v.npz").files == ["a.weight"]


def test_nothing_chosen_or_all_skipped(run):
    np.savez("m.npz", a=np.ones(0), b=np.array(["x"]))
    for options, message in [
        ((), "m.npz: a: empty array of shape (0,) (1 more were skipped)"),
        (("--include", "c"), "m.npz: none of its tensors is chosen; they are a, b"),
    ]:
        code, out, err = run("m.npz", "--format", "e4m3", *options, "-o", "c.npz")
        assert (code, out, err) == (2, "", f"macaw: {message}\n")
    assert not Path("c.npz").exists()


def test_names_of_all_kinds_go_through(run):
    """numpy's savez takes no array of the name of its own parameters."""
    names = ("file", "allow_pickle", "arr_0", "a/b", "../up", "ü", "x.npy", " ", "", "a.elements")
    members = {f"{name}.npy": tensor_files.npy(np.ones(2)) for name in names}
    Path("m.npz").write_bytes(tensor_files.archive(members))
    for output in ("c.npz", "c.safetensors"):
        assert run("m.npz", "--format", "e4m3", "-o", output)[0] == 0
        found = dict(tensors.read(Path(output)))
        assert sorted(found) == sorted(names)
        assert all(array.tolist() == [0x38, 0x38] for array in found.values())


def test_names_that_would_steer_a_terminal(run):
    entry = ("F32", [2], bytes(8))
    Path("m.safetensors").write_bytes(tensor_files.safetensors({"\x1b[2J\na": entry}))
    code, out, _ = run("m.safetensors", "--format", "e4m3")
    assert code == 0
    assert r"\x1b[2J\na" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("name", ["__metadata__", "a\0b", "a" * 70_000])
def test_names_that_a_kind_of_file_cannot_hold(tmp_path, name):
    path = tmp_path / ("x.safetensors" if name == "__metadata__" else "x.npz")
    with pytest.raises(tensors.FileError, match="of the name"):
        tensors.write(path, {name: np.ones(1, np.uint8)}, {})
    assert not list(tmp_path.iterdir())


def test_what_is_no_file(run, tmp_path):
    os.mkfifo("pipe.npy")  # opening it would wait for ever
    Path("folder.npy").mkdir()
    for name, message in [
        ("pipe.npy", "is no file"),
        ("folder.npy", "is no file"),
        ("none.npy", "No such file"),
        ("x.gguf", "No such file"),
    ]:
        code, out, err = run(name, "--format", "e4m3")
        assert (code, out) == (2, "")
        assert err.startswith(f"macaw: {name}: {message}")


def test_the_outputs_name_is_looked_at_first(run):
    np.save("x.npy", np.ones(2))
    code, _, err = run("x.npy", "--format", "e4m3", "-o", "codes.onnx")
    assert code == 2
    assert err == "macaw: codes.onnx: must end in .npy, .npz, .safetensors\n"
    assert run("x.npy", "--format", "e4m3", "--seed", "-1")[0] == 2


@pytest.mark.parametrize("output", ["c.npy", "c.npz", "c.safetensors"])
def test_a_full_disk_leaves_what_was_there(tmp_path, output):
    np.save(tmp_path / "x.npy", np.ones(100_000))
    (tmp_path / output).write_bytes(b"before")
    done = subprocess.run(
        [sys.executable, "-m", "macaw.cli", "quantize", "x.npy", "--format", "e4m3", "-o", output],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        # No file may grow beyond this; the signal that comes with it is Python's to ignore.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert done.returncode == 2
    assert done.stderr == f"macaw: {output}: cannot be written: File too large\n"
    assert (tmp_path / output).read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == [output, "x.npy"]


@pytest.fixture
def interruptible():
    """SIGINT as a terminal's commands have it: shells let what is in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("output", ["c.npy", "c.npz", "c.safetensors"])
def test_an_interrupt_leaves_what_was_there(run, interruptible, tmp_path, monkeypatch, output):
    np.save("x.npy", np.ones(1000))
    Path(output).write_bytes(b"before")
    # All is written, and the interrupt comes before it takes its name.
    monkeypatch.setattr(Path, "replace", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    code, _, err = run("x.npy", "--format", "e4m3", "--json", "-o", output)
    assert (code, err.strip()) == (130, "macaw: interrupted")
    assert Path(output).read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == [output, "x.npy"]


def test_archives_that_other_tools_read(run):
    np.save("x.npy", np.ones((2, 3)))
    assert run("x.npy", "--format", "e4m3", "-o", "c.npz")[0] == 0
    with zipfile.ZipFile("c.npz") as archive:
        assert archive.testzip() is None
        member = archive.read("x.npy")
    assert np.load(io.BytesIO(member)).shape == (2, 3)
