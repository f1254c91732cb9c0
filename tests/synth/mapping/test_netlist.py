# SPDX-License-Identifier: BSD-2-Clause
"""Mapped netlists as Verilog: they are what the golden model says, and a broken one is not."""

from dataclasses import replace

import pytest

import macaw
from macaw import sim, synth
from macaw.golden.errors import SpecError, ToolError
from macaw.synth.mapping import library, netlist
from macaw.synth.mapping.measurement import library_of

MUL = macaw.unit("mul", a="int4", out="int8")


@pytest.mark.parametrize(
    "target", ["asic", "ecp5", "ecp5dsp", "ice40", "gowin", "nexus", "xilinx7"]
)
def test_a_multiplier_with_a_register_on_every_kind_of_target(target):
    report = macaw.verify(MUL, netlist=target, stages=1, exhaustive=True, simulator="bulk")
    assert report.passed, report
    assert report.vectors == 256


@pytest.mark.parametrize("kind", ["add", "add overflow=wrap", "compare"])
def test_carries_on_nexus_begin_with_what_they_should(kind):
    name, *words = kind.split()
    parameters = dict(word.split("=") for word in words)
    out = {} if name == "compare" else {"out": "int8"}
    spec = macaw.unit(name, a="int8", **out, **parameters)
    report = macaw.verify(spec, netlist="nexus", exhaustive=True, simulator="bulk")
    assert report.passed, report


def test_the_netlist_is_of_cells_of_the_target():
    design = synth.mapped(MUL, "ecp5", multiplier="lut")
    assert design.name.startswith(MUL.name)
    assert "*" not in design.verilog.partition("module")[2]  # no multiplication is left
    assert design.arguments == ("--netlist", "ecp5")
    assert {"LUT4"} <= {*design.cells} <= {"LUT4", "CCU2C", "PFUMX", "L6MUX21"}
    assert design.cells["LUT4"] == synth.run(MUL, "ecp5", multiplier="lut", area_only=True).luts


def test_cells_of_a_library_are_counted():
    design = synth.mapped(MUL, "asic", stages=1)
    found = library_of(library.liberty())
    assert {*design.cells} <= {*found.cells}
    area = sum(count * found.cells[cell].area for cell, count in design.cells.items())
    priced = synth.run(MUL, "asic", stages=1)
    assert round(area / found.nand2.area, 1) == priced.gate_equivalents


def test_a_block_multiplier_has_a_model():
    report = macaw.verify(
        macaw.unit("mul", a="int9", out="int18"), netlist="ecp5", vectors=3000, simulator="bulk"
    )
    assert report.passed, report


def test_names_deep_in_a_netlist_are_short():
    """They are the names of all cells on the way, and would be most of the text."""
    design = synth.mapped(macaw.unit("add", a="fp16"), "ecp5")
    names = {word for word in design.verilog.split() if word.startswith("\\")}
    model = len(".lut2_0.s1[0];")  # a net in the model of a cell has the cell's name before it
    assert netlist.LONGEST_NAME // 2 < max(map(len, names)) <= 1 + netlist.LONGEST_NAME + 2 * model
    assert "cells_" in design.verilog
    assert sim.verify(design, simulator="bulk", vectors=2000).passed


def test_a_wrong_cell_is_found():
    design = synth.mapped(MUL, "asic")
    wrong = replace(design, verilog=design.verilog.replace("^", "&", 1))
    assert wrong.verilog != design.verilog
    report = sim.verify(wrong, simulator="bulk", exhaustive=True)
    assert not report.passed
    assert "--netlist asic" in str(report)


def test_a_liberty_file_has_its_functions(tmp_path):
    path = tmp_path / "mine.lib"
    path.write_text(library.liberty())
    design = synth.mapped(MUL, "asic", liberty=path, flow="stream", stages=1)
    assert design.arguments == ("--netlist", "asic", "--liberty", str(path))
    assert sim.verify(design, simulator="bulk", vectors=5000).passed


def test_what_is_refused():
    with pytest.raises(SpecError, match="target: 'mars' is none of"):
        macaw.verify(MUL, netlist="mars")
    with pytest.raises(SpecError, match="liberty=x: goes with netlist=asic only"):
        macaw.verify(MUL, liberty="x")
    with pytest.raises(SpecError, match="must be a unit"):
        synth.mapped("mul", "asic")  # pyright: ignore[reportArgumentType]
    foreign = replace(synth.TARGETS["ecp5"], models="+/ice40/cells_sim.v")
    with pytest.raises(ToolError, match="netlist of mul_int4_int8_s0 for ecp5"):
        synth.mapped(MUL, foreign)
