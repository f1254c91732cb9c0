# SPDX-License-Identifier: BSD-2-Clause
import copy
import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from macaw.golden.units import unit
from macaw.hdl import Design, generate
from macaw.sim.verify import verify
from macaw.synth import run
from macaw.synth.mapping.dsp_registers import absorb
from macaw.synth.mapping.targets import target
from macaw.tools import yosys as tools

# Lattice's block as far as macaw uses it: both signs, and the register of the product.
PORTS = ", ".join(f"input {side}{i}" for side in "AB" for i in range(18))
MODEL = f"""
module MULT18X18D #(
  parameter REG_OUTPUT_CLK = "NONE", parameter REG_OUTPUT_CE = "CE0",
  parameter REG_OUTPUT_RST = "RST0", parameter GSR = "ENABLED"
) (
  {PORTS}, {", ".join(f"input C{i}" for i in range(18))},
  input SIGNEDA, input SIGNEDB, input SOURCEA, input SOURCEB, input CLK0, input CE0, input RST0,
  {", ".join(f"output P{i}" for i in range(36))}
);
  wire [17:0] a = {{{", ".join(f"A{17 - i}" for i in range(18))}}};
  wire [17:0] b = {{{", ".join(f"B{17 - i}" for i in range(18))}}};
  wire signed [18:0] wide_a = {{SIGNEDA & a[17], a}};
  wire signed [18:0] wide_b = {{SIGNEDB & b[17], b}};
  wire signed [37:0] product = wide_a * wide_b;
  reg [35:0] held = 0;
  wire [35:0] p;
  generate if (REG_OUTPUT_CLK == "NONE") assign p = product[35:0];
  else begin
    assign p = held;
    always @(posedge CLK0) if (RST0) held <= 0; else if (CE0) held <= product[35:0];
  end endgenerate
  assign {{{", ".join(f"P{35 - i}" for i in range(36))}}} = p;
endmodule
"""


@dataclass(frozen=True)
class Mapped(Design):
    """A design whose Verilog is what synthesis made of it."""

    text: str = ""

    @property
    def verilog(self) -> str:
        return self.text


def mapped(verilog: str, top: str, folder) -> dict:
    (folder / "unit.v").write_text(verilog)
    script = target("ecp5").script.format(top=top, dsp="")
    script = f"read_verilog unit.v\n{script}write_json unit.json\n"
    (folder / "map.ys").write_text(script)
    yosys(folder, "map.ys")
    return json.loads((folder / "unit.json").read_text())


def yosys(folder, script):
    tool = tools.find("yosys", "yowasp")
    tools.call(tool, ("-s", script), folder=folder, timeout=600, what=script)


def cells(netlist: dict, kind: str) -> list[dict]:
    (module,) = [m for m in netlist["modules"].values() if m["attributes"].get("top")]
    return [c for c in module["cells"].values() if c["type"] == kind]


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        (unit("requantize", profile="tflite_double"), {"frequency": 165, "flow": "stream"}),
        (unit("int-dot", a="int8", lanes=2), {"stages": 3}),
    ],
    ids=["requantize", "int-dot"],
)
def test_the_packed_netlist_gives_golden_bits(spec, options, tmp_path):
    design = generate(spec, target="ecp5dsp", **options)
    netlist = mapped(design.verilog, design.name, tmp_path)
    before = len(cells(netlist, "TRELLIS_FF"))
    gone = absorb(netlist)
    assert gone >= 16 * len(cells(netlist, "MULT18X18D"))
    assert len(cells(netlist, "TRELLIS_FF")) == before - gone
    assert all(c["parameters"]["REG_OUTPUT_CLK"] == "CLK0" for c in cells(netlist, "MULT18X18D"))
    alone = {"modules": {design.name: netlist["modules"][design.name]}}  # without libraries
    (tmp_path / "packed.json").write_text(json.dumps(alone))
    (tmp_path / "model.v").write_text(MODEL)
    (tmp_path / "back.ys").write_text(
        "read_json packed.json\n"
        "read_verilog -overwrite +/ecp5/cells_sim.v\nread_verilog model.v\n"
        f"hierarchy -top {design.name}\n"
        "proc\nflatten -wb\nopt_clean\n"
        "write_verilog -noattr netlist.v\n"
    )
    yosys(tmp_path, "back.ys")
    text = (tmp_path / "netlist.v").read_text()
    gates = Mapped(design.spec, design.implementation, design.component, text)
    report = verify(gates, simulator="bulk", vectors=100_000, seed=1)
    assert report.passed, report.mismatch
    assert report.vectors >= 100_000


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """A product behind registers that its own follow, in all ways that matter."""
    text = """module top (input clk, input rst, input en, input [8:0] a, b, output reg [17:0] p,
      output x);
      always @(posedge clk) if (en) p <= a * b;
      assign x = 0;
    endmodule"""
    return mapped(text, "top", tmp_path_factory.mktemp("product"))


def test_enables_go_along(product):
    netlist = copy.deepcopy(product)
    register = cells(netlist, "TRELLIS_FF")[0]
    assert absorb(netlist) == 18
    assert not cells(netlist, "TRELLIS_FF")
    (cell,) = cells(netlist, "MULT18X18D")
    ports = netlist["modules"]["top"]["ports"]
    assert cell["connections"]["CLK0"] == ports["clk"]["bits"]
    assert cell["connections"]["CE0"] == ports["en"]["bits"]
    assert cell["parameters"]["GSR"] == register["parameters"]["GSR"]
    assert [cell["connections"][f"P{i}"][0] for i in range(18)] == ports["p"]["bits"]
    assert absorb(netlist) == 0


@pytest.mark.parametrize("change", ["seen", "reset", "set", "edge", "enable", "clock", "global"])
def test_other_products_stay(product, change):
    netlist = copy.deepcopy(product)
    module = netlist["modules"]["top"]
    ports = module["ports"]
    register = cells(netlist, "TRELLIS_FF")[3]
    if change == "seen":
        ports["x"]["bits"] = register["connections"]["DI"]
    elif change == "reset":
        register["connections"]["LSR"] = ports["rst"]["bits"]
    elif change == "set":
        register["parameters"]["REGSET"] = "SET"
    elif change == "edge":
        register["parameters"]["CLKMUX"] = "INV"
    elif change == "enable":
        register["connections"]["CE"] = ports["rst"]["bits"]
    elif change == "clock":
        register["connections"]["CLK"] = ports["rst"]["bits"]
    else:
        other = {"ENABLED": "DISABLED", "DISABLED": "ENABLED"}
        register["parameters"]["GSR"] = other[register["parameters"]["GSR"]]
    before = copy.deepcopy(netlist)
    assert absorb(netlist) == 0
    assert netlist == before


def test_the_flow_counts_what_is_left():
    spec = unit("requantize", profile="hawq", bits=16)
    plain, packed = (run(spec, name, stages=3) for name in ("ecp5", "ecp5dsp"))
    assert packed.dsps == plain.dsps == 2
    assert packed.ffs is not None
    assert plain.ffs is not None
    assert packed.ffs < plain.ffs
    assert packed.fmax_mhz is not None


def test_a_stage_ends_with_its_product():
    design = generate(unit("int-dot", a="int8", lanes=1), target="ecp5dsp", frequency=150)
    assert design.latency >= 1
    assert design.metadata["multipliers"] == [[8, 8]]


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "macaw.synth.pack", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_command(product, tmp_path):
    (tmp_path / "in.json").write_text(json.dumps(product))
    done = command(tmp_path / "in.json", tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    assert "18 flip-flops" in done.stdout
    assert not cells(json.loads((tmp_path / "out.json").read_text()), "TRELLIS_FF")
    (tmp_path / "wrong.json").write_text("[]")
    done = command(tmp_path / "wrong.json", tmp_path / "out.json")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "write_json" in done.stderr
    done = command(tmp_path / "in.json", tmp_path / "in.json" / "out.json")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    done = command(tmp_path / "none.json", tmp_path / "out.json")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "none.json" in done.stderr
