# SPDX-License-Identifier: BSD-2-Clause
"""What a generated module looks like from outside: names, ports, files, errors."""

import json
import re
from pathlib import Path

import pytest

from macaw.golden.errors import MacawError, SpecError
from macaw.golden.units import unit
from macaw.hdl import Implementation, generate
from macaw.tools import yosys as tools

FMA = unit("fma", a="e4m3", b="e5m2", out="fp32")
MAC = unit("mac", a="int8", out="int32", acc="int32")


def ports(verilog: str) -> list[str]:
    header = re.search(r"^module \w+\((.*?)\);", verilog, re.MULTILINE | re.DOTALL)
    assert header
    return [name.strip() for name in header[1].split(",")]


@pytest.mark.parametrize(
    ("spec", "options", "names"),
    [
        (FMA, {}, "i_a i_b i_c o_r"),
        (FMA, {"flow": "valid"}, "i_valid i_a i_b i_c o_valid o_r"),
        (FMA, {"stages": 2}, "clk rst i_a i_b i_c o_r"),
        (FMA, {"stages": 2, "reset": "none"}, "clk i_a i_b i_c o_r"),
        (
            FMA,
            {"stages": 2, "flow": "stream", "reset_active": "low"},
            "clk rst_n i_valid i_ready i_a i_b i_c o_valid o_ready o_r",
        ),
        (MAC, {"flow": "valid"}, "clk rst i_valid i_a i_b i_last o_valid o_r"),
        (
            MAC,
            {"bus": "axis"},
            "aclk aresetn s_axis_tdata s_axis_tvalid s_axis_tready s_axis_tlast "
            "m_axis_tdata m_axis_tvalid m_axis_tready m_axis_tlast",
        ),
    ],
)
def test_ports_are_flat_and_in_the_documented_order(spec, options, names):
    design = generate(spec, **options)
    assert ports(design.verilog) == names.split()
    assert [p["name"] for p in design.metadata["ports"]] == names.split()


def test_vector_operands_are_one_port_with_lane_0_low():
    design = generate(unit("dot", a="e2m1", out="fp16", lanes=4))
    port = next(p for p in design.metadata["ports"] if p["name"] == "i_a")
    assert (port["width"], port["lanes"], port["format"]) == (16, 4, "e2m1")


def test_names_say_what_and_how():
    assert generate(FMA, stages=3).name == "fma_e4m3_e5m2_fp32_s3"
    assert generate(FMA, stages=1, flow="stream").name == "fma_e4m3_e5m2_fp32_s1_stream"
    assert generate(FMA, frequency=60).name == "fma_e4m3_e5m2_fp32_f60"
    assert generate(FMA, name="my_fma").name == "my_fma"


def test_stages_are_kept_and_the_latency_is_theirs():
    for stages in (0, 1, 2, 5):
        assert generate(FMA, stages=stages).latency == stages
    slow, fast = generate(FMA, frequency=30).latency, generate(FMA, frequency=100).latency
    assert 0 < slow < fast


def test_metadata_describes_the_module():
    design = generate(FMA, stages=3, flow="stream")
    data = json.loads(json.dumps(design.metadata))
    assert data["spec"] == {
        "unit": "fma", "a": "e4m3", "b": "e5m2", "c": "fp32", "out": "fp32",
        "rounding": "rne", "flags": False,
    }  # fmt: skip
    assert (data["latency"], data["initiation_interval"], data["flow"]) == (3, 1, "stream")
    assert data["implementation"] == {"stages": 3, "flow": "stream"}
    roles = {p["name"]: p["role"] for p in data["ports"]}
    assert (roles["clk"], roles["i_a"], roles["o_r"]) == ("clock", "operand", "result")
    assert data["hash"] == design.digest


def test_header_names_the_licence_and_the_command():
    design = generate(unit("cast", a="fp32", out="e4m3", rounding="sr"), stages=1)
    assert "SPDX-License-Identifier: BSD-2-Clause" in design.verilog
    assert "macaw generate cast a=fp32 out=e4m3" in design.verilog
    assert design.command.endswith(" --stages 1")


def test_generation_is_reproducible():
    from macaw.hdl.emit import _generate

    first = generate(FMA, stages=2).verilog
    _generate.cache_clear()
    assert generate(FMA, stages=2).verilog == first


def test_verilog_is_plain():
    body = generate(MAC, flow="stream", stages=2).body
    assert "\\" not in body, "no escaped identifiers"
    assert "$" not in re.sub(r"\$signed|\$unsigned", "", body)


def test_files(tmp_path: Path):
    paths = generate(FMA, stages=1).write(tmp_path / "new")
    assert [p.name for p in paths] == [
        "fma_e4m3_e5m2_fp32_s1.v", "fma_e4m3_e5m2_fp32_s1.json", "fma_e4m3_e5m2_fp32_s1.core",
    ]  # fmt: skip
    assert paths[2].read_text().startswith("CAPI=2:\n")
    assert {p.name for p in (tmp_path / "new").iterdir()} == {p.name for p in paths}


def test_a_file_in_place_of_the_folder_is_one_clear_line(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(MacawError, match=r"cannot write to .*taken: "):
        generate(FMA).write(tmp_path / "taken")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flow": "axi"}, r"flow=axi: must be one of none, valid, stream"),
        ({"bus": "wishbone"}, r"bus=wishbone: must be one of none, axis"),
        ({"stages": -1}, r"stages=-1: must be an integer from 0 to 64"),
        ({"stages": 1, "frequency": 50}, r"stages and frequency"),
        ({"frequency": 0}, r"frequency=0: must be above 0 MHz"),
        ({"frequency": 5000}, r"frequency=5000: the slowest step of \S+ takes \S+ ns on ecp5"),
        ({"target": "virtex"}, r"target=virtex: must be one of ecp5"),
        ({"stage": 3}, r"unknown implementation option 'stage': did you mean stages\?"),
    ],
)
def test_bad_options_are_one_clear_line(options, message):
    with pytest.raises(SpecError, match=message):
        generate(FMA, **options)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (unit("dot", a="bf16", out="fp32", lanes=8), r"needs 5\d\d bits.*aligned\(24\)"),
        (unit("mac", a="fp32", out="fp32"), r"acc=exact: the sum needs \d+ bits"),
        (unit("cast", a="fp64", out="fp32"), r"fp64: gates take floats of at most 32 bits"),
    ],
)
def test_what_the_gates_refuse(spec, message):
    with pytest.raises(SpecError, match=message):
        generate(spec)


def test_implementation_says_only_what_differs():
    assert Implementation().parameters == {}
    assert Implementation(frequency=50.0, flow="valid").parameters == {
        "frequency": 50.0, "flow": "valid",
    }  # fmt: skip


@pytest.mark.parametrize(
    "spec",
    [
        unit("int-dot", a="int8", b="int8", lanes=8),
        unit("int-dot", a="int8", b="int8", lanes=8, a_zero=True, bias=False),
        unit("int-layernorm", x="int8", lanes=8),
    ],
    ids=lambda spec: spec.name,
)
def test_yosys_gives_each_addition_of_a_sum_a_carry_chain(spec, tmp_path):
    """``$macc`` is what it makes of several additions, and then maps to full adders."""
    design = generate(spec, stages=0)
    (tmp_path / "unit.v").write_text(design.verilog)
    (tmp_path / "unit.ys").write_text(
        f"read_verilog unit.v\nsynth_ecp5 -run begin:map_ram -top {design.name}\n"
        "select -assert-any t:$alu\nselect -assert-none t:$macc t:$macc_v2\n"
    )
    yosys = tools.find("yosys", prefer="yowasp")
    tools.call(yosys, ("-s", "unit.ys"), folder=tmp_path, timeout=60)
