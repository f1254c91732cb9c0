# SPDX-License-Identifier: BSD-2-Clause
"""``macaw quantize``: codes in files, and what the report says of the loss."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from command_line import Run, one_line

import macaw
from macaw import golden, tensors


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("quantize none.npy --format e4m3", "none.npy"),
        ("quantize ones.npy", "--format"),
        ("quantize ones.npy --format fp61", "fp16"),
        ("quantize ones.npy --format e4m3 --rounding up", "rup"),
        ("quantize ones.npy --format e4m3 --rounding dynamic", "dynamic"),
        ("quantize ones.npy --format e4m3 --overflow explode", "wrap"),
        ("quantize ones.npy --format e4m3 --overflow wrap", "wrap"),
        ("quantize ones.npy --format e4m3 --scale 3", "power of two"),
        ("quantize ones.npy --format e4m3 --scale x", "power of two"),
        ("quantize ones.npy --format e4m3 -o codes.txt", ".safetensors"),
        ("quantize ones.npy --format e4m3 --scale-rule ceil", "--scale-rule is for block formats"),
        ("quantize ones.npy --format mxfp4 --scale max", "--scale is for scalar formats"),
        ("quantize ones.npy --format mxfp4 --scale-rule up", "rceil"),
        ("quantize ones.npy --format mxfp4 --order te", "choose a scale_rule"),
        ("quantize ones.npy --format nvfp4 --order tensorrt", "torchao"),
        ("quantize ones.npy --format mxfp4 --axis 3", "axis=3"),
        ("quantize ones.npy --format mxfp4 --hadamard 16", "16 must divide"),
        ("quantize ones.npy --format mxfp4 -o codes.npy", "not 2; use .npz"),
        ("quantize ones.npy --format mxfp4 --decode -o b.npz", "ones: is no part"),
        ("quantize ones.npy --format hbfp8", "two axes"),
        ("quantize ones.npy --format e4m3 -o none/codes.npy", "none/codes.npy"),
        ("quantize ones.npy --format e4m3 --decode", "-o"),
        ("quantize ones.npy --format e4m3 --decode -o back.npy", "ones"),
        ("quantize two.npz --format e4m3 -o codes.npy", ".npz"),
        ("quantize text.npy --format e4m3", "dtype"),
        ("quantize complex.npy --format e4m3", "complex128"),
        ("quantize objects.npy --format e4m3", "objects.npy"),
        ("quantize empty.npy --format e4m3", "empty"),
        ("quantize damaged.npy --format e4m3", "damaged.npy"),
        ("quantize damaged.npz --format e4m3", "damaged.npz"),
        ("quantize damaged.safetensors --format e4m3", "damaged.safetensors"),
        ("quantize short.safetensors --format e4m3", "short.safetensors"),
        ("quantize notes.txt --format e4m3", "notes.txt"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    np.save("ones.npy", np.ones(3))
    np.savez("two.npz", a=np.ones(1), b=np.ones(1))
    np.save("text.npy", np.array(["a"]))
    np.save("complex.npy", np.ones(1, complex))
    np.save("objects.npy", np.array([{}]))
    np.save("empty.npy", np.ones((0, 4)))
    for suffix in ("npy", "npz", "safetensors"):
        Path(f"damaged.{suffix}").write_bytes(b"\xff" * 100)
    header = b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
    Path("short.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    Path("notes.txt").write_text("1 2 3")
    one_line(run(*shlex.split(arguments)), fragment)


def test_quantize_statistics(run: Run) -> None:
    np.save("x.npy", np.array([1.0, 1.05, -1000.0, 1e-9, 0.0, np.nan], np.float32))
    outcome = run("quantize", "x.npy", "--format", "e4m3", "-o", "codes.npy", "--json")
    assert outcome.code == 0, outcome.err
    loss = outcome.json["tensors"]["x"]
    assert np.load("codes.npy").tolist() == [0x38, 0x38, 0xFE, 0x00, 0x00, 0x7F]
    assert (loss["saturated"], loss["underflowed"], loss["nonfinite"]) == (1, 1, 1)
    assert loss["max_abs_error"] == 552.0
    assert loss["max_rel_error"] == 1.0


def test_quantize_without_loss(run: Run) -> None:
    np.save("x.npy", np.arange(-8, 8))
    loss = run("quantize", "x.npy", "--format", "int4", "--json").json["tensors"]["x"]
    assert loss["sqnr_db"] is None
    assert loss["max_abs_error"] == 0.0


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "i8", "u2"])
@pytest.mark.parametrize("options", [("e4m3",), ("mxfp4",), ("nvfp4", "--hadamard", "16")])
def test_files_of_either_byte_order_are_one(run: Run, dtype: str, options) -> None:
    values = np.random.default_rng(5).integers(0, 300, (4, 32))
    losses, codes = [], []
    for order in "<>":
        np.save("x.npy", values.astype(order + dtype))
        outcome = run("quantize", "x.npy", "--format", *options, "-o", "c.npz", "--json")
        assert outcome.code == 0, outcome.err
        losses.append(outcome.json["tensors"]["x"])
        with np.load("c.npz") as found:
            codes.append({name: array.tolist() for name, array in found.items()})
    assert losses[0] == losses[1]
    assert codes[0] == codes[1]


def test_codes_of_either_byte_order_are_one(run: Run) -> None:
    for order in "<>":
        np.save("c.npy", np.array([0x3C00, 0xC000], order + "u2"))
        outcome = run("quantize", "c.npy", "--format", "fp16", "--decode", "-o", "x.npy")
        assert outcome.code == 0, outcome.err
        assert np.load("x.npy").tolist() == [1.0, -2.0]


def test_quantize_there_and_back(run: Run) -> None:
    weights = np.linspace(-0.3, 0.3, 31, dtype=np.float32)
    np.savez("w.npz", w=weights, v=weights[:3])
    assert run("quantize", "w.npz", "--format", "e5m2", "-o", "c.npz").code == 0
    assert run("quantize", "c.npz", "--format", "e5m2", "--decode", "-o", "b.npz").code == 0
    back = np.load("b.npz")
    assert back["w"].dtype == np.float32
    np.testing.assert_allclose(back["w"], weights, rtol=0.125, atol=2**-17)


@pytest.mark.parametrize(
    ("name", "options", "db"),
    [
        ("mxfp4", (), 17),
        ("mxfp4", ("--scale-rule", "rceil", "--axis", "0"), 17),
        ("nvfp4", (), 19),
        ("nvfp4", ("--order", "te", "--hadamard", "32"), 19),
        ("nvint4", ("--rounding", "sr", "--seed", "3", "--min-scale", "modelopt"), 16),
        ("hbfp8", ("--axis", "0"), 38),
        ("uint4-k32-fp16-zuint4", ("--order", "ct", "--axis", "0"), 21),
        ("uint8-tensor-fp32-zuint8", ("--hadamard", "16", "--axis", "0"), 39),
        ("dfp16", ("--hadamard", "16", "--axis", "0"), 70),
    ],
)
@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_blocks_there_and_back(run: Run, name: str, options, db: int, suffix: str) -> None:
    weights = np.random.default_rng(1).standard_normal((64, 96)).astype(np.float32)
    np.save("w.npy", weights)
    codes, back = f"c.{suffix}", f"b.{suffix}"
    outcome = run("quantize", "w.npy", "--format", name, *options, "-o", codes, "--json")
    assert outcome.code == 0, outcome.err
    loss = outcome.json["tensors"]["w"]
    pairs = zip(options[::2], options[1::2])
    same = [word for pair in pairs if pair[0] in ("--axis", "--hadamard") for word in pair]
    outcome = run("quantize", codes, "--format", name, "--dequantize", *same, "-o", back)
    assert outcome.code == 0, outcome.err
    ((tensor, values),) = tensors.read(Path(back))
    assert tensor == "w"
    noise = np.square(values - weights).sum()
    assert 10 * np.log10(np.square(weights, dtype=float).sum() / noise) == pytest.approx(
        loss["sqnr_db"]
    )
    assert loss["sqnr_db"] > db
    assert loss["elements"] == weights.size


def test_block_codes_are_the_formats(run: Run) -> None:
    weights = np.random.default_rng(2).standard_normal((5, 40))
    weights[0, 0] = np.inf
    np.savez("w.npz", w=weights, v=weights[1])
    outcome = run("quantize", "w.npz", "--format", "nvfp4", "-o", "c.npz", "--json")
    assert outcome.json["tensors"]["w"]["nonfinite"] == 1
    codes = np.load("c.npz")
    assert sorted(codes) == [
        f"{name}.{part}" for name in "vw" for part in ("elements", "scales", "second_scale")
    ]
    q = macaw.format("nvfp4").quantize(weights, nonfinite="nan")
    assert np.array_equal(codes["w.elements"], q.elements)
    assert np.array_equal(codes["w.scales"], q.scales)
    assert codes["w.second_scale"] == q.second_scale


def test_saturated_counts_what_is_beyond_its_block(run: Run) -> None:
    """7 is beyond 6 under the floor rule, and within 12 under the others."""
    np.save("x.npy", np.array([7.0, 1.0, -6.5, 0.01]))
    for rule, count in (("floor", 2), ("rceil", 0)):
        outcome = run("quantize", "x.npy", "--format", "mxfp4", "--scale-rule", rule, "--json")
        loss = outcome.json["tensors"]["x"]
        assert (loss["saturated"], loss["underflowed"]) == (count, 1)


def test_scale_max_uses_the_range(run: Run) -> None:
    np.save("w.npy", np.array([0.1, -0.24]))
    outcome = run("quantize", "w.npy", "--format", "int8", "--scale", "max", "--json").json
    loss = outcome["tensors"]["w"]
    assert loss["scale"] == 2.0**-9  # 0.24 * 2**9 = 122.9 fits int8, 0.24 * 2**10 does not
    assert loss["saturated"] == 0


def test_stochastic_rounding_repeats_with_its_seed(run: Run) -> None:
    np.save("w.npy", np.linspace(0, 1, 500))
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        words = ("--rounding", "sr", "--seed", seed, "-o", f"{name}.npy")
        assert run("quantize", "w.npy", "--format", "e2m1", *words).code == 0
    a, b, c = (np.load(f"{name}.npy") for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_safetensors_against_the_reference_package(run: Run) -> None:
    import ml_dtypes
    from safetensors.numpy import load_file, save_file

    values = np.array([[1.0, -0.5], [3.0, 0.0]])
    kinds = {
        "f32": np.float32,
        "f16": np.float16,
        "bf16": ml_dtypes.bfloat16,
        "e4m3": ml_dtypes.float8_e4m3fn,
        "e5m2": ml_dtypes.float8_e5m2,
        "i8": np.int8,
    }
    save_file({k: values.astype(t) for k, t in kinds.items() if k != "i8"}, "w.safetensors")
    outcome = run("quantize", "w.safetensors", "--format", "e2m1", "-o", "c.safetensors")
    assert outcome.code == 0, outcome.err
    codes = load_file("c.safetensors")
    assert set(codes) == set(kinds) - {"i8"}
    for array in codes.values():
        assert array.tolist() == [[2, 9], [5, 0]]


def test_output_replaces_at_once_or_not_at_all(run: Run, tmp_path: Path) -> None:
    np.save("w.npy", np.ones(4))
    assert run("quantize", "w.npy", "--format", "e4m3", "-o", "c.npy").code == 0
    before = (tmp_path / "c.npy").read_bytes()
    assert run("quantize", "w.npy", "--format", "fp61", "-o", "c.npy").code == 2
    assert (tmp_path / "c.npy").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.npy", "w.npy"]


@pytest.mark.parametrize(("suffix", "how"), [("npz", "gptq"), ("safetensors", "awq")])
def test_packed_words_and_back(run: Run, suffix: str, how: str) -> None:
    weights = np.random.default_rng(0).standard_normal((16, 64)).astype(np.float32)
    tensors.write(Path("model.safetensors"), {"a.weight": weights, "b.bias": weights[0]}, {})
    name, packed = "uint4-k16-fp16-zuint4", f"packed.{suffix}"
    line = f"quantize model.safetensors --format {name} --packing {how} -o {packed}"
    assert "takes a matrix" in run(*line.split()).out
    fmt = macaw.format(name)
    wanted = golden.pack(fmt.quantize(weights), how)
    found = dict(tensors.read(Path(packed)))
    assert {f"a.{part}" for part in wanted} == found.keys()
    for part, array in wanted.items():
        assert found[f"a.{part}"].dtype == array.dtype
        assert np.array_equal(found[f"a.{part}"], array)
    line = f"quantize {packed} --format {name} --packing {how} --decode -o back.npz"
    assert run(*line.split()).code == 0
    assert np.array_equal(np.load("back.npz")["a"], fmt.quantize(weights).dequantize())


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("--format int4-k4-fp16 --packing gptq", "--packing needs a file to write the words to"),
        ("--format int4-k4-fp16 --packing gptp -o p.npz", "packing=gptp: did you mean gptq"),
        ("--format e4m3 --packing gptq -o p.npz", "--packing is for block formats, and e4m3"),
        ("--format mxfp4 --packing gptq -o p.npz", "gptq: stores groups as uint4-k128-fp16-zuint4"),
        ("--format int4-k4-fp16 --packing gptq -o p.npz", "gptq: takes a matrix"),
        ("--format int4-k4-fp16 --grid linear(1,2,3)", "is for scale_rule=mse, not floor"),
        ("--format int4-k4-fp16 --centred", "centred=true: is for scale_rule=mean or median"),
        ("--format e4m3 --centred", "--centred is for block formats"),
        ("--format int4-k4-fp16 --scale-rule mse --grid 3", "must be linear(start,end,steps)"),
    ],
)
def test_packing_and_grids_that_are_refused(run: Run, arguments: str, fragment: str) -> None:
    np.save("ones.npy", np.ones(32))
    one_line(run("quantize", "ones.npy", *arguments.split()), fragment)


def test_a_part_that_is_missing(run: Run) -> None:
    np.savez("p.npz", **{"a.qweight": np.zeros((2, 8), np.int32)})
    line = "quantize p.npz --format int4-k4-fp16 --packing gptq --decode -o b.npz"
    one_line(run(*line.split()), "a.qzeros: is missing beside a.qweight")


def test_a_search_for_scales(run: Run) -> None:
    values = np.random.default_rng(1).standard_t(3, (4, 64))
    np.save("w.npy", values)
    line = "quantize w.npy --format int4-k32-fp16 --scale-rule mse --grid linear(1,0.5,4) -o q.npz"
    assert run(*line.split()).code == 0
    wanted = macaw.format("int4-k32-fp16").quantize(values, scale_rule="mse", grid="linear(1,.5,4)")
    assert np.array_equal(np.load("q.npz")["w.elements"], wanted.elements)
