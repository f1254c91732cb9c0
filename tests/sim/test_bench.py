# SPDX-License-Identifier: BSD-2-Clause
"""The test bench itself: it passes good modules and catches each kind of bad one.

The modules are written by hand, and their golden models here, so that nothing but the test bench
is under test.
"""

import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from macaw import sim
from macaw.golden.formats import format as fmt
from macaw.golden.units import Mac, Mul
from macaw.sim import verify
from macaw.sim.bench import bulk
from macaw.tools import simulators

SIMULATORS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(name not in simulators.available(), reason=f"{name} is missing"),
    )
    for name in simulators.SIMULATORS
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Product(Mul):
    kind: ClassVar[str] = "mul"

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        return {"r": codes["a"].astype(np.uint16) * codes["b"]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum(Mac):
    kind: ClassVar[str] = "mac"

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        products = codes["a"].astype(np.int64) * codes["b"]
        totals = np.cumsum(products)[codes["last"] != 0]
        return {"r": np.diff(totals, prepend=0).astype(np.uint32)}


PRODUCT = Product(a=fmt("uint8"), b=fmt("uint8"), out=fmt("uint16"))
SUM = Sum(a=fmt("uint8"), b=fmt("uint8"), out=fmt("uint32"))


def design(unit, body, *, flow, latency, clocked=True, reset="high", name="dut"):
    """A design as ``macaw.hdl.generate`` returns it, from the inner text of a module."""
    ports: list[dict[str, Any]] = []

    def port(name, direction, width, role, operand=None):
        ports.append(
            {
                "name": name,
                "direction": direction,
                "width": width,
                "role": role,
                "operand": operand,
                "format": None,
                "lanes": None,
            }
        )

    if clocked:
        port("clk", "input", 1, "clock")
        port("rst", "input", 1, "reset")
    if flow != "none":
        port("i_valid", "input", 1, "valid")
        port("o_valid", "output", 1, "valid")
    if flow == "stream":
        port("i_ready", "output", 1, "ready")
        port("o_ready", "input", 1, "ready")
    for operand, shape in unit.ports.inputs.items():
        role = "last" if operand == "last" else "operand"
        port(f"i_{operand}", "input", shape.width, role, operand)
    for operand, shape in unit.ports.outputs.items():
        port(f"o_{operand}", "output", shape.width, "result", operand)
    declared = ", ".join(f"{p['direction']} [{p['width'] - 1}:0] {p['name']}" for p in ports)
    text = f"module {name}({declared});\n{body}\nendmodule\n"
    metadata = {
        "name": name,
        "ports": ports,
        "flow": flow,
        "bus": None,
        "latency": latency,
        "initiation_interval": 1,
        "reset_active": reset,
    }
    return SimpleNamespace(spec=unit, verilog=text, metadata=metadata, implementation=None)


COMBINATIONAL = design(
    PRODUCT, "assign o_r = i_a * i_b;", flow="none", latency=0, clocked=False, name="product_c"
)

PIPELINE = """
reg [15:0] p, q; assign o_r = q;
always @(posedge clk) begin p <= {expression}; q <= p; end
"""


def pipeline(expression="i_a * i_b", latency=2):
    return design(PRODUCT, PIPELINE.format(expression=expression), flow="none", latency=latency)


VALID = """
reg [15:0] p, q; reg v, w; assign o_r = q; assign o_valid = w;
initial begin p = 0; q = 0; v = 0; w = 0; end
always @(posedge clk) begin
  p <= i_a * i_b; q <= p;
  v <= i_valid && {take}; w <= v;
  if (rst) begin v <= 0; w <= 0; end
end
"""


def valid(take="1"):
    return design(PRODUCT, VALID.format(take=take), flow="valid", latency=2)


# A one-place register, and a stream that is right for `ready` high.
STREAM = """
reg [15:0] q; reg w; assign o_r = q; assign o_valid = w;
reg [7:0] n; initial begin q = 0; w = 0; n = 0; end
assign i_ready = {ready};
always @(posedge clk) begin
  n <= n + 1;
  {extra}
  if (o_ready && w) w <= 0;
  if (i_valid && i_ready) begin q <= i_a * i_b; w <= 1; end
  {more}
  if (rst) begin w <= {reset}; end
end
"""


def stream(ready="!w || o_ready", extra="", more="", reset="0"):
    body = STREAM.format(ready=ready, extra=extra, more=more, reset=reset)
    return design(PRODUCT, body, flow="stream", latency=1)


ACCUMULATOR = """
reg [31:0] s, q; reg w; assign o_r = q; assign o_valid = w;
initial begin s = 0; q = 0; w = 0; end
wire [31:0] t = s + i_a * i_b;
always @(posedge clk) begin
  w <= 0;
  if (i_valid) begin s <= {restart}; q <= t; w <= i_last; end
  if (rst) begin w <= 0; {clear} end
end
"""


def accumulator(restart="i_last ? 0 : t", clear="s <= 0;"):
    body = ACCUMULATOR.format(restart=restart, clear=clear)
    return design(SUM, body, flow="valid", latency=1)


VECTORS = {"icarus": 1200, "verilator": 1200, "bulk": 20_000}


def check(module, simulator, **options):
    return verify(module, simulator=simulator, vectors=VECTORS[simulator], seed=5, **options)


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(
    "module",
    [COMBINATIONAL, pipeline(), valid(), stream(), accumulator()],
    ids=["combinational", "pipeline", "valid", "stream", "accumulator"],
)
def test_good_module_passes(module, simulator):
    report = check(module, simulator)
    assert report.passed, str(report)
    assert report.vectors >= 1200


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_one_wrong_bit_in_one_of_65536_is_found(simulator):
    module = pipeline("i_a * i_b ^ {15'h0, i_a == 93 && i_b == 201}")
    report = verify(module, simulator=simulator, exhaustive=True, seed=1)
    assert not report.passed
    assert report.mismatch is not None
    assert report.mismatch.operands == {"a": "0x5d (93.0)", "b": "0xc9 (201.0)"}
    assert report.mismatch.ulp == {"r": 1 if 93 * 201 % 2 == 0 else -1}
    assert "--exhaustive" in report.mismatch.replay


BAD = {
    "latency is one less than stated": (pipeline(latency=3), ""),
    "a beat is lost": (valid("!(i_a == 7)"), "latency"),
    "a beat is lost under stalls only": (stream(ready="1"), ""),
    "a result comes twice": (
        stream(more="if (o_ready && w && n == 9 && !(i_valid && i_ready)) w <= 1;"),
        "",
    ),
    "valid falls while not ready": (stream(extra="if (n == 9) w <= 0;"), "fell"),
    "the result changes while not ready": (
        stream(more="if (w && !o_ready) q <= q ^ 1;"),
        "changed",
    ),
    "the stream stops": (
        stream(ready="(!w || o_ready) && n < 200", extra="n <= n + (n < 200);"),
        "stuck",
    ),
    "it waits for a reader that waits for a result": (stream(ready="o_ready"), "stuck"),
    "an accumulator does not restart": (accumulator("t"), ""),
}


@pytest.mark.parametrize("simulator", [SIMULATORS[0], SIMULATORS[2]])  # one cocotb, and bulk
@pytest.mark.parametrize("case", BAD)
def test_bad_module_fails(case, simulator):
    module, problem = BAD[case]
    report = check(module, simulator)
    assert not report.passed
    assert report.mismatch is not None
    assert problem in report.mismatch.problem


def test_reset_that_forgets_the_sum_is_found():
    if "icarus" not in simulators.available():
        pytest.skip("icarus is missing")
    # A reset that comes between two sequences meets no sum: not every run does.
    mismatches = [
        verify(accumulator(clear=""), simulator="icarus", vectors=1200, seed=seed).mismatch
        for seed in (1, 2)
    ]
    assert {mismatch.pattern for mismatch in mismatches if mismatch} == {"reset_midway"}


def test_unknown_output_is_found():
    if "icarus" not in simulators.available():
        pytest.skip("icarus is missing")
    report = check(pipeline("i_a == 3 ? 16'bx : i_a * i_b"), "icarus")
    assert report.mismatch is not None
    assert report.mismatch.operands["a"] == "0x03 (3.0)"
    assert "X" in report.mismatch.problem


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_same_seed_finds_the_same_vector(simulator):
    module = pipeline("i_a * i_b ^ {15'h0, i_a == 93}")
    first, second = (check(module, simulator).mismatch for _ in range(2))
    assert first == second
    assert first is not None
    assert "--seed 5" in first.replay
    assert f"--vectors {VECTORS[simulator]} " in first.replay


@pytest.mark.parametrize(("vectors", "quick"), [(100, True), (200, False)])
def test_a_long_module_for_few_vectors_is_compiled_quickly(vectors, quick, monkeypatch):
    """And is judged as any other."""
    module = sim.verify  # the function, by whose name its module is hidden
    used = []
    found = bulk.build

    def build(verilog, interface, **how):
        used.append(how)
        return found(verilog, interface, **how)

    monkeypatch.setattr(bulk, "build", build)
    monkeypatch.setattr(sys.modules[module.__module__], "LONG_TEXT", 10)
    monkeypatch.setattr(sys.modules[module.__module__], "FEW_VECTORS", 150)
    good, bad = pipeline(), pipeline("i_a * i_b + 1")
    assert verify(good, simulator="bulk", vectors=vectors).passed
    assert not verify(bad, simulator="bulk", vectors=vectors).passed
    assert used == [{"quick": quick}] * 2
