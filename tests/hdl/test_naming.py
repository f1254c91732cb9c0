# SPDX-License-Identifier: BSD-2-Clause
"""Names of modules, and the commands that make them: one for each text, and right as they stand."""

import dataclasses
import functools
import itertools
import random
import re
import shlex
import subprocess
import sys

import pytest
from pygments.lexer import words
from pygments.lexers.hdl import SystemVerilogLexer, VhdlLexer

from macaw.cli import cli, main
from macaw.cli.options import unit_and_implementation
from macaw.golden.errors import MacawError, SpecError
from macaw.golden.units import UNITS, unit
from macaw.golden.units.specification import ROUNDING
from macaw.hdl import Implementation, generate
from macaw.hdl.emit import write_bodies
from macaw.hdl.options import naming
from macaw.hdl.options.naming import LONGEST, VERILOG, VHDL, default
from macaw.sim.mismatch import replay_command

BASES = {
    "mul": {"a": "e4m3"},
    "add": {"a": "e4m3"},
    "fma": {"a": "e4m3", "out": "fp16"},
    "cast": {"a": "fp16", "out": "e4m3"},
    "div": {"a": "e4m3"},
    "sqrt": {"a": "e5m2"},
    "relu": {"a": "e5m2"},
    "compare": {"a": "e4m3"},
    "minimum": {"a": "e5m2"},
    "maximum": {"a": "e5m2"},
    "classify": {"a": "e4m3"},
    "copy-sign": {"a": "e4m3"},
    "fpu": {"a": "e4m3ieee"},
    "dot": {"a": "e4m3", "out": "fp16"},
    "mac": {"a": "e4m3", "out": "fp16"},
    "block-dot": {"a": "mxfp4", "out": "fp16", "size": 4},
    "block-mac": {"a": "mxfp4", "out": "fp16", "lanes": 4},
    "block-quantize": {"a": "bf16", "out": "mxfp4", "size": 4},
    "block-dequantize": {"a": "mxfp4", "out": "fp16", "size": 4},
    "hadamard": {"a": "e4m3", "size": 4},
    "flex-mac": {"a": "flex8+5"},
    "flex-matmul": {"a": "flex8+5", "rows": 2, "columns": 2},
    "flex-add": {"a": "flex8+5"},
    "flex-mul": {"a": "flex8+5"},
    "autoflex": {"out": "flex8+5", "length": 4},
    "loss-scale": {},
    "lfsr": {},
    "isqrt": {"x": "uint8"},
    "int-exp2": {"x": "fx8.4"},
    "int-gelu": {"x": "int8", "scale": "0.1"},
    "table": {"a": "e4m3", "function": "tanh"},
    "function": {"a": "e4m3", "function": "tanh"},
    "softmax": {"a": "e4m3", "lanes": 2, "row": 8},
    "softmax-sum": {"a": "e4m3", "lanes": 2, "row": 8},
    "softmax-merge": {"a": "ufx20.9"},
    "rmsnorm": {"a": "e4m3", "lanes": 2, "row": 8},
    "layernorm": {"a": "e4m3", "lanes": 2, "row": 8},
    "int-softmax-rows": {"x": "fx8.4", "lanes": 2, "row": 8},
    "int-softmax": {"x": "fx8.4", "lanes": 4},
    "int-layernorm": {"x": "int8", "lanes": 4},
    "int-dot": {},
    "int-mac": {},
    "requantize": {},
    "residual-add": {},
    "average-pool": {},
    "clamp": {},
    "pipeline": {"stages": "mul(a=e4m3, out=fp16) | add(b=fp16)"},
}

FORMATS = ["e4m3", "fp16", "fp32", "uint4", "int8", "int16", "fx8.6", "ufx8.4", "e3m2ftz", "shift3"]
FORMATS += ["binary8p3se", "binary8p4ue", "ue4m3b3ext"]
# Beside one another, the scales of these would read as other operands' formats.
FORMATS += ["mxfp8-e4m3", "nvfp4", "e2m1-k4-ue4m3", "e2m1-k4-ue4m3-fp32", "flex12+5", "flex12+4"]

VALUES = {
    "rounding": ["rtz", "rdn", "sr", "srb", "src"],
    "overflow": ["saturate", "propagate", "directed", "nonfinite", "wrap"],
    "random_bits": [8, 9],
    "random": ["lfsr"],
    "random_seed": [2, 77],
    "rule": ["underflow"],
    "growth_interval": [1, 30],
    "growth": [4, 8],
    "backoff": ["1/4", 0.125],
    "init_scale": ["2^-3", "2^3"],
    "lowest_scale": ["1/8", "8"],
    "highest_scale": ["2^20", 65536],
    "allowed": [3, 9],
    "margin": [0, 3],
    "running": [True],
    "width": [3, 8],
    "polynomial": [31, 64, "x32+x7+1", "x16+x12+x5+1"],
    "seed": [2, 77],
    "steps": [1, 2],
    "flags": [True],
    "tininess": ["before"],
    "statistics": [8, 16],
    "number": [True],
    "signaling": [True],
    "operation": ["negate", "xor"],
    "operations": ["add", "-div,-sqrt", "mul,div,le", "-from-int", "from-int"],
    "integer": ["int16", "int64"],
    "function": ["exp", "exp2", "power(2)", "power(-2)", "power(1/2)", [7] * 256, [8] * 256],
    "nan": ["largest", "zero", "negative_zero"],
    "subtract": [True],
    "slope": ["1/8", "41/4096"],
    "lanes": [1, 2, 4, 8],
    "product": ["lmul", "lmul(literal)", "lmul(mitchell,1)", "lmul(literal,none)"],
    "accumulation": [
        *("sequential", "aligned(24)", "aligned(24,2)", "aligned(24,2,rtz)"),
        *("chunk(2,fp16)", "chunk(2,bf16)", "chunk(1,fp16)"),
    ],
    "terms": [64, 100],
    "contexts": [2, 3],
    "acc": ["fp32", "fp16", "exact", "int32", "int16"],
    "size": [2, 8, 16],
    "signs": [5, 6],
    "scale_rule": ["ceil", "even"],
    "order": ["te", "exact"],
    "min_scale": ["modelopt", "ct"],
    "rows": [1, 3],
    "columns": [1, 3],
    "profile": ["ngraph", "hawq", "onnx", "tflite_double", "half_away"],
    "length": [8, 6],
    "alpha": [1, 3],
    "beta": [2, 4],
    "gamma": [50.0, 12.25, 12.2500152587890625, "-0.03", "-1/3"],  # alike in six digits
    "zeta": ["1.003", "4/3"],
    "exponent": ["int9", "int17"],
    "precision": [8, 10],
    "base": ["e", "2"],
    "row": [7, 16],
    "aligned": [18, 20],
    "reach": [3, 4],
    "eps": ["1e-6", "1/3"],
    "scale": ["0.05", "1/3", "1/7"],
    "shift": [3, -3, 12, 20],
    "bits": [8, 15],
    "reciprocal": [20, 24],
    "parts": [2],
    "a_zero": [True],
    "b_zero": [True],
    "bias": [False, "fp16", "e5m2"],
    "wrap": [True],
    "multiplier": [5, 1 << 30],
    "zero_point": [True, 3, -8],
    "form": ["single", "tflite", "galois"],
    "branch": ["int9", "int20"],
    "a_multiplier": [7],
    "b_multiplier": [7],
    "a_shift": [2, -2],
    "b_shift": [2],
    "zero_points": [True],
    "count": [4, 9],
    "low": [-3, 0],
    "high": [3, 7],
    "stages": [
        "mul(a=e4m3, out=fp16) | add(b=fp16, rounding=rtz)",
        "mac(a=int8, out=int32) | add(b=int32) | requantize(multiplier=3) | clamp()",
        "mac(a=int8, out=int32) | add(b=int32) | requantize(multiplier=3) | clamp(low=0)",
    ],
    "channels": [4, 8],
    "stored": ["add_b", "clamp_low,clamp_high"],
}
# What a parameter needs beside it to be there at all.
BESIDE = {
    "random_bits": {"rounding": "sr"},
    "random": {"rounding": "sr"},
    "random_seed": {"rounding": "sr", "random": "lfsr"},
    "signaling": {"flags": True},
    "tininess": {"flags": True},
    "nan": {"out": "e2m1"},
    ("fpu", "tininess"): {"a": "e4m3ieee"},
    ("int-exp2", "random_bits"): {"rounding": "sr", "out": "fp16"},
    ("loss-scale", "a"): {"rule": "largest"},
    "allowed": {"rule": "underflow"},
    "margin": {"rule": "largest", "a": "fp16"},
    ("int-exp2", "random"): {"rounding": "sr", "out": "fp16"},
    ("int-exp2", "random_seed"): {"rounding": "sr", "random": "lfsr", "out": "fp16"},
    ("int-exp2", "rounding"): {"out": "fp16"},
    ("int-exp2", "overflow"): {"out": "fp16"},
    "order": {"out": "nvfp4"},
    "min_scale": {"out": "nvfp4"},
    "channels": {"stored": "add_b"},
    "stored": {"channels": 4},
}
# Parameters with one value: what rounds in its own way takes no other policy.
FIXED = {("block-quantize", "overflow")}
FIXED |= {
    (k, r)
    for k in ("table", "function", "softmax", "rmsnorm", "layernorm")
    for r in ("random_bits", "random", "random_seed")
}
FIXED |= {("fpu", r) for r in ("overflow", "random_bits", "random", "random_seed")}
FIXED |= {(kind, "overflow") for kind in ("flex-mac", "flex-matmul", "flex-add", "flex-mul")}

OPTIONS = {
    "stages": [1, 2],
    "frequency": [60.0, 60.25, 60.2500001, 0.00001],
    "target": ["ice40", "xilinx7"],
    "flow": ["valid", "stream"],
    "bus": ["axis"],
    "ready": ["registered"],
    "tlast": ["on", "off"],
    "reset": ["async", "none"],
    "reset_active": ["low", "high"],
    "multiplier": ["dsp", "lut"],
    "table": ["ram"],
    "optimise": ["area", "delay"],
    "fold": [2, 4],
    "digits": [1, 2],
    "budgets": ["1,0.5", "1,0.25", "0.5,1", "1,1,0.5", "1,0.5,1"],
}
UNTOLD = {"name", "widest_sum"}
"""Options without a word in the name: it is the name; it changes nothing of the module."""


def fields(kind):
    cls = UNITS[kind]
    names = [field.name for field in dataclasses.fields(cls) if field.init]
    return [name for name in names if cls.rounds or name not in ROUNDING]


def made(kind, parameters):
    try:
        return unit(kind, **parameters)
    except MacawError:
        return None


@functools.cache
def variants(kind):
    """The usual unit of a kind, and those with one parameter changed, and with two."""
    changes = []
    for name in fields(kind):
        beside = BESIDE.get((kind, name)) or BESIDE.get(name, {})
        values = VALUES.get(name, FORMATS)
        changes += [{**beside, name: value} for value in values]
    pairs = [first | second for first, second in itertools.combinations(changes, 2)]
    specs = (made(kind, BASES[kind] | change) for change in [{}, *changes, *pairs])
    return tuple(dict.fromkeys(spec for spec in specs if spec is not None))


@functools.cache
def implementations():
    """The same of the options."""
    changes = [{name: value} for name, values in OPTIONS.items() for value in values]
    pairs = [first | second for first, second in itertools.combinations(changes, 2)]
    found = {}
    for change in [{}, *changes, *pairs, *({**pair, "bus": "axis"} for pair in pairs)]:
        try:
            found[Implementation(**change)] = None
        except SpecError:
            continue
    return tuple(found)


def one_text_for_each_name(designs):
    """The designs must differ in name, or else in nothing of their text."""
    named = {}
    for spec, option in designs:
        name = default(spec, option)
        assert re.fullmatch(r"[a-z](_?[a-z0-9])*", name), name
        assert len(name) <= LONGEST, name
        assert name not in VERILOG | VHDL
        other = named.setdefault(name, (spec, option))
        if other != (spec, option):
            texts = [generate(*design).body for design in (other, (spec, option))]
            assert texts[0] == texts[1], f"{name}: {other} and {spec}, {option}"
    return named


def test_every_parameter_and_option_is_tried():
    assert BASES.keys() == UNITS.keys()
    for kind in UNITS:
        usual, *others = variants(kind)
        for name in fields(kind):
            differs = any(getattr(spec, name) != getattr(usual, name) for spec in others)
            assert differs != ((kind, name) in FIXED), f"{kind} {name}"
    told = {field.name for field in dataclasses.fields(Implementation)} - UNTOLD
    assert told == OPTIONS.keys()
    for name in told:
        usual = getattr(Implementation(), name)
        assert any(getattr(option, name) != usual for option in implementations()), name


def test_units_that_differ_have_names_that_differ():
    specs = [spec for kind in UNITS for spec in variants(kind)]
    assert len(specs) > 5000
    named = one_text_for_each_name((spec, Implementation()) for spec in specs)
    assert len(named) == len(specs)


def test_implementations_that_differ_have_names_that_differ():
    for spec in (unit("fma", **BASES["fma"]), unit("int-mac", lanes=4)):
        named = one_text_for_each_name((spec, option) for option in implementations())
        assert len(named) == len(implementations())


def test_names_of_any_units_in_any_implementation_differ():
    draw = random.Random(1)
    specs = [draw.choice(variants(kind)) for kind in UNITS for _ in range(150)]
    designs = {(spec, draw.choice(implementations())) for spec in specs}
    assert len(one_text_for_each_name(designs)) == len(designs)


def test_an_option_that_allows_a_unit_changes_nothing_of_it():
    spec = unit("mac", a="e4m3", out="fp16")
    plain, allowed = generate(spec), generate(spec, widest_sum=200)
    assert plain.name == allowed.name
    assert plain.body == allowed.body


def test_long_names_keep_a_digest_of_all():
    stages = [
        f"mac(a=int8, out=int32, acc=int32) | requantize(multiplier={n}) | clamp() | add(b=int8) | "
        "cast(out=int16) | mul(b=int16, out=int32) | requantize(multiplier=9)"
        for n in (7, 8)
    ]
    option = Implementation(frequency=60.2500001, flow="stream", target="xilinx7", reset="async")
    names = [default(unit("pipeline", stages=text), option) for text in stages]
    assert names[0] != names[1]
    assert all(len(name) <= LONGEST for name in names)
    assert names[0].startswith("pipeline_mac_requantize_clamp_add_cast_mul_requantize_")


def test_usual_names_are_short():
    usual = Implementation(stages=3, flow="valid")
    assert default(unit("fma", a="e4m3", out="fp16"), usual) == "fma_e4m3_fp16_s3_valid"
    assert default(unit("mac", a="int8", out="int32", lanes=4, acc="int32"), usual) == (
        "mac4_int8_int32_accint32_s3_valid"
    )


# Names that are given.


def reserved(lexer, kinds):
    """The words that Pygments marks as reserved in a language."""
    found = set()
    for rule in itertools.chain(*lexer.tokens.values()):
        if isinstance(rule, tuple) and isinstance(rule[0], words) and str(rule[1]) in kinds:
            found |= set(rule[0].words)
    return found


def test_keywords_are_those_that_others_know():
    verilog = reserved(SystemVerilogLexer, ("Token.Keyword", "Token.Keyword.Type"))
    vhdl = reserved(VhdlLexer, ("Token.Keyword",))
    assert len(verilog) > 200
    assert len(vhdl) > 90
    assert verilog - VERILOG == set()
    assert vhdl - VHDL == set()


BAD = [*sorted(VERILOG), *sorted(VHDL), *(word.title() for word in sorted(VHDL))]
BAD += ["bool", "TOP", "std", "", "1x", "_x", "x_", "x__y", "x$", "x.y", "x-y", "\\x ", "é", "a b"]
BAD += ["x" * (LONGEST + 1)]


def test_names_that_tools_refuse():
    for name in BAD:
        with pytest.raises(SpecError, match=rf"^name={re.escape(name)}: "):
            Implementation(name=name)
    for name in ("Bool", "unit", "fma", "X1_y2", "x" * LONGEST):
        assert Implementation(name=name).name == name


def test_names_of_the_module_s_own_ports_and_signals():
    spec = unit("mul", a="e2m1")
    design = generate(spec, stages=2, flow="stream", name="plain")
    declared = set(
        re.findall(r"^ *(?:input|output|wire|reg)\b.*?(\w+)(?: = .*)?;$", design.body, re.MULTILINE)
    )
    assert {"clk", "rst", "i_a", "o_r"} < declared
    inner = [name for name in sorted(declared) if re.match(r"[a-z_]+_s\d", name)]
    assert len(inner) > 20
    for name, what in (
        ("i_a", "port"),
        ("clk", "port"),
        *((name, "signal") for name in inner[::9]),
    ):
        with pytest.raises(SpecError, match=rf"^name={name}: the module has a {what} of this name"):
            _ = generate(spec, stages=2, flow="stream", name=name).verilog
    assert "module i_last(" in generate(spec, name="i_last").verilog, "no port of this one"


@pytest.mark.parametrize("name", ["bool", "Entity", "i_a", "clk", "x__y"])
def test_a_bad_name_is_one_line(name, tmp_path, capsys):
    arguments = ["generate", "mul", "a=e4m3", "--stages", "1", "--name", name, "-o", str(tmp_path)]
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"macaw: name={name}: ")
    assert list(tmp_path.iterdir()) == []


# Commands.


def parsed(command):
    """What the real command line makes of a command, short of running it."""
    program, verb, *arguments = shlex.split(command)
    assert program == "macaw"
    given = dict(cli.commands[verb].make_context(verb, arguments).params)
    known = {field.name for field in dataclasses.fields(Implementation)}
    options = {name: value for name, value in given.items() if name in known}
    spec, how = unit_and_implementation(given["unit"], given["parameters"], options)
    return spec, Implementation(**how)


@pytest.mark.parametrize("kind", UNITS)
def test_commands_name_the_unit_and_its_implementation(kind):
    draw = random.Random(2)
    some = variants(kind)[:120]
    for spec in (*some, *draw.sample(variants(kind), min(len(variants(kind)), 60))):
        option = draw.choice(implementations())
        design = generate.__globals__["Design"](spec, option, None)
        assert parsed(design.command) == (spec, option), design.command
        replay = replay_command(spec, option, simulator="bulk", vectors=9, seed=4)
        assert parsed(replay) == (spec, option), replay


# Of each kind a unit whose name could be read in two ways, or whose parameters need quoting.
REPEATED = {
    "mul": ({"rounding": "sr", "random_bits": 8}, {"stages": 1, "flow": "valid"}),
    "add": ({"subtract": True, "flags": True}, {"reset": "none", "stages": 1}),
    "fma": ({"rounding": "rdn", "overflow": "saturate"}, {"frequency": 60.25}),
    "cast": ({"out": "int12"}, {"bus": "axis", "tlast": "on", "ready": "registered"}),
    "div": ({"b": "e5m2", "flags": True}, {"stages": 2, "flow": "stream"}),
    "sqrt": ({"out": "fp16", "rounding": "rtz"}, {"frequency": 60.25}),
    "relu": ({"slope": "1/8"}, {"stages": 1, "flow": "valid"}),
    "compare": ({"flags": True, "signaling": True}, {"stages": 1}),
    "minimum": ({"number": True}, {"flow": "valid"}),
    "maximum": ({"flags": True}, {"bus": "axis"}),
    "classify": ({"a": "fp16"}, {}),
    "copy-sign": ({"operation": "negate"}, {"stages": 1, "flow": "stream"}),
    "fpu": ({"operations": "-div,-sqrt", "rounding": "rne"}, {"stages": 1, "flow": "valid"}),
    "dot": ({"accumulation": "aligned(24,2)"}, {"stages": 1, "multiplier": "lut"}),
    "mac": ({"terms": 64, "contexts": 2, "acc": "fp16"}, {"flow": "valid", "reset": "async"}),
    "block-dot": ({"b": "e2m1-k4-ue4m3", "accumulation": "chunk(2,fp16)"}, {}),
    "block-mac": ({"acc": "fp16", "terms": 64}, {"flow": "stream", "reset_active": "low"}),
    "block-quantize": ({"scale_rule": "ceil"}, {"fold": 2, "flow": "stream", "stages": 6}),
    "block-dequantize": ({"a": "e2m1-k4-ue4m3-fp32"}, {"stages": 1}),
    "hadamard": ({"signs": 5}, {"target": "ice40", "stages": 1}),
    "table": ({"function": "power(-2)", "nan": "zero", "out": "e2m1"}, {"table": "ram"}),
    "function": ({"function": "exp2", "rounding": "rtz"}, {"stages": 1, "flow": "valid"}),
    "flex-mac": ({"b": "flex7+5", "terms": 64}, {"bus": "axis"}),
    "flex-matmul": ({"rows": 1, "rounding": "rtz"}, {"bus": "axis", "tlast": "off"}),
    "flex-add": ({"lanes": 2}, {"flow": "stream", "ready": "registered"}),
    "flex-mul": ({"out": "flex9+5"}, {"name": "times"}),
    "autoflex": ({"gamma": 12.2500152587890625, "profile": "ngraph"}, {"fold": 2, "flow": "valid"}),
    "loss-scale": ({"rule": "largest", "a": "e5m2", "init_scale": "2^-3"}, {"bus": "axis"}),
    "lfsr": ({"polynomial": "x16+x5+x3+x2+1", "form": "galois"}, {"flow": "valid"}),
    "isqrt": ({"x": "ufx8.4"}, {"frequency": 100.0, "target": "xilinx7"}),
    "int-exp2": ({"base": "e", "precision": 8}, {"stages": 1}),
    "int-gelu": ({"scale": "1/7"}, {"widest_sum": 200}),
    "softmax": ({"base": "2", "row": 16, "rounding": "rup"}, {"flow": "stream", "stages": 9}),
    "softmax-sum": ({"base": "2", "row": 16}, {"flow": "stream", "stages": 4}),
    "softmax-merge": ({"exponent": "int9"}, {"stages": 1}),
    "rmsnorm": ({"eps": "1e-6", "row": 16, "rounding": "rup"}, {"flow": "stream", "stages": 9}),
    "layernorm": ({"eps": "1e-6", "row": 16, "rounding": "rup"}, {"flow": "stream", "stages": 9}),
    "int-softmax-rows": ({"bits": 15, "row": 16}, {"flow": "stream", "stages": 9}),
    "int-softmax": ({"bits": 15}, {"fold": 2, "flow": "valid"}),
    "int-layernorm": ({"out": "int16"}, {"stages": 1, "multiplier": "dsp"}),
    "int-dot": ({"a": "uint8", "b": "shift3", "a_zero": True, "bias": False}, {"stages": 1}),
    "int-mac": ({"acc": "int16", "wrap": True}, {"stages": 2, "reset_active": "low"}),
    "requantize": ({"multiplier": 5, "shift": -3}, {"multiplier": "lut", "stages": 2}),
    "residual-add": ({"form": "tflite", "multiplier": 3}, {"multiplier": "dsp", "stages": 1}),
    "average-pool": ({"count": 9}, {"flow": "valid", "multiplier": "lut"}),
    "clamp": ({"low": -3}, {"flow": "stream", "stages": 1}),
    "pipeline": ({"channels": 4, "stored": "add_b"}, {"stages": 2, "flow": "valid"}),
}


@pytest.fixture(scope="module")
def repeated():
    """The designs of :data:`REPEATED` by kind."""
    designs = {
        kind: generate(unit(kind, **BASES[kind] | parameters), **options)
        for kind, (parameters, options) in REPEATED.items()
    }
    write_bodies(list(designs.values()))
    return designs


@pytest.mark.parametrize("kind", UNITS)
def test_the_command_in_a_file_makes_the_same_files(kind, repeated, tmp_path, capsys):
    design = repeated[kind]
    written = design.write(tmp_path / "first")
    printed = next(line for line in design.verilog.splitlines() if line.startswith("// Made by: "))
    command = printed.removeprefix("// Made by: ")
    assert command == design.metadata["command"]
    assert main([*shlex.split(command)[1:], "-o", str(tmp_path / "again")]) == 0, (
        capsys.readouterr()
    )
    for path in written:
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", ["requantize", "pipeline"])
def test_a_shell_runs_the_command_as_it_stands(kind, repeated, tmp_path):
    design = repeated[kind]
    command = design.command.replace("macaw", f"{shlex.quote(sys.executable)} -m macaw.cli", 1)
    subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, timeout=300
    )
    assert (tmp_path / f"{design.name}.v").read_text() == design.verilog


def test_the_name_of_a_module_is_no_name_within_it():
    """Neither where it stands on a line of its own, as long ones do."""
    for heading in ("module long_name(clk);", "module\n    long_name(clk,\n    i_a);"):
        assert "long_name" not in naming.identifiers(
            heading + "\n  wire b;\nendmodule", "long_name"
        )
    assert "a" in naming.identifiers("module a(clk);\n  wire a;\nendmodule", "a")
