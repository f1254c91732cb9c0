# SPDX-License-Identifier: BSD-2-Clause
"""The text of a module is for readers: names, sections, declarations, conditions."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest

from macaw.golden import unit
from macaw.hdl import generate
from macaw.hdl.schedule.labels import Labels, Place
from macaw.hdl.sections import Module

DESIGNS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("fma", {"a": "e4m3", "out": "fp16"}, {"stages": 3, "flow": "stream"}),
    ("add", {"a": "fp16", "out": "fp16"}, {"stages": 2, "flow": "valid", "reset": "async"}),
    ("block-dot", {"a": "mxfp4", "out": "fp32", "size": 4}, {"stages": 2}),
    ("mac", {"a": "e4m3", "out": "fp32", "acc": "exact", "lanes": 2}, {"stages": 4}),
    ("autoflex", {"out": "flex16+5", "length": 4, "precision": 8}, {"fold": 4, "bus": "axis"}),
    (
        "autoflex",
        {"out": "flex16+5", "length": 4, "precision": 8},
        {"fold": 4, "stages": 7, "flow": "valid"},
    ),
    ("int-softmax", {"x": "fx4.1", "lanes": 3}, {"stages": 3}),
    (
        "pipeline",
        {
            "stages": "mac(a=int8, out=int32, lanes=2, acc=int32) | add(b=int32) | cast(out=int8)",
            "channels": 6,
            "stored": "add_b",
        },
        {},
    ),
]
KINDS = pytest.mark.parametrize(
    ("kind", "parameters", "options"), DESIGNS, ids=lambda x: str(x)[:9]
)


def signals(body: str) -> list[str]:
    """Names of the wires and registers that are no ports."""
    return re.findall(r"^  (?:wire|reg) (?:\[\d+:0\] )?(\w+)(?: = .*|;| \[.*;)$", body, re.M)


@KINDS
def test_every_signal_says_its_stage(
    kind: str, parameters: dict[str, Any], options: dict[str, Any]
):
    design = generate(unit(kind, **parameters), **options)
    names = signals(design.body)
    assert len(names) == len(set(names)) > 20
    told = {name for name in names if re.search(r"_s\d+(_\d+)?(_bits\d+(_\d+)?)?$", name)}
    # What is outside the stages has other names.
    outside = {"unused", "advance", "turns_left", "rst", "parameters_memory"}
    starts = ("o_", "i_", "m_", "s_", "leave_", "signature_", "turns_left_", "advance_")
    assert not {n for n in set(names) - told - outside if not n.startswith(starts)}
    assert not [name for name in names if re.fullmatch(r"_\w*", name)]
    assert not re.search(r"\\|\b(?:step|choice|held)_\d", design.body)
    assert max(int(s) for s in re.findall(r"_s(\d+)", " ".join(names))) <= design.latency


@KINDS
def test_sections_are_in_the_order_of_stages(
    kind: str, parameters: dict[str, Any], options: dict[str, Any]
):
    body = generate(unit(kind, **parameters), **options).body
    titles = re.findall(r"^  // (Stage (\d+): (.*)|Outside .*)$", body, re.M)
    stages = [int(stage) for _, stage, _ in titles if stage]
    assert stages == sorted(stages)
    assert len(titles) == len({title for title, _, _ in titles})
    assert titles[-1][0].startswith("Outside")
    for stage, parts in re.findall(r"// Stage (\d+): registers\n((?:  [^/].*\n|\n)*)", body):
        for name in re.findall(r"^  reg (?:\[\d+:0\] )?(\w+);$", parts, re.M):
            assert re.search(rf"_s{stage}(_\d+)?(_bits\d+(_\d+)?)?$", name), name


def test_parts_of_an_fma_are_the_textbook_s():
    body = generate(unit("fma", a="fp16", out="fp16")).body
    titles = re.findall(r"// Stage 0: (\w+)", body)
    expected = "unpack_a unpack_b multiply unpack_c align add count_zeros normalise round pack"
    assert [part for part in titles if part in expected.split()] == expected.split()
    for name in ("align_distance", "align_shifted", "add_total", "round_up", "multiply_product"):
        assert re.search(rf"\b{name}_s0\b", body), name


def test_lanes_have_numbers():
    body = generate(unit("dot", a="fp16", out="fp32", lanes=3)).body
    for lane in range(3):
        assert f"// Stage 0: lane{lane}, multiply" in body
        assert re.search(rf"\blane{lane}_unpack_a_\w+_s0\b", body)


def test_what_is_declared_is_declared_before_it_is_read():
    for kind, parameters, options in DESIGNS:
        body = generate(unit(kind, **parameters), **options).body
        known: set[str] = set()
        for line in body.split(");\n", 1)[1].splitlines():
            code = re.sub(r"//.*", "", line)
            declared = re.match(r"  (?:input|output|wire|reg)(?: reg)? (?:\[\d+:0\] )?(\w+)", code)
            known |= {declared[1]} if declared else set()
            words = re.findall(r"(?<![\w'])[A-Za-z_]\w*", code)
            keywords = {"input", "output", "wire", "reg", "assign", "initial", "always", "posedge"}
            keywords |= {"negedge", "if", "else", "begin", "end", "endmodule", "signed"}
            assert set(words) - keywords <= known, (kind, line)


def test_registers_say_their_condition():
    body = generate(unit("mul", a="e4m3", out="fp16"), stages=2, flow="stream").body
    assert re.search(
        r"always @\(posedge clk\) if \(i_ready\) begin\n(    \w+ <= .*;\n)+  end", body
    )
    assert "if (rst) valid_s1 <= 1'h0;\n    else if (i_ready) valid_s1 <= i_valid;" in body


def test_text_is_the_same_in_every_process():
    code = (
        "from macaw.golden import unit; from macaw.hdl import generate; import hashlib;"
        "d = generate(unit('fma', a='fp16', out='fp16'), stages=4, flow='stream');"
        "print(hashlib.sha256(d.verilog.encode()).hexdigest())"
    )
    found = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        found.add(subprocess.check_output(command, env=environment, text=True))
    assert len(found) == 1


def test_lines_are_not_too_long():
    for kind, parameters, options in DESIGNS:
        body = generate(unit(kind, **parameters), **options).body
        assert max(map(len, body.splitlines())) <= 100


TEXT = """\
module example(clk, en, a, r);
  input clk;
  wire clk;
  input en;
  wire en;
  input [1:0] a;
  wire [1:0] a;
  output [1:0] r;
  wire [1:0] r;
  wire _0_;
  wire _1_;
  wire _2_;
  reg [1:0] kept_s1;
  initial kept_s1 = 2'h0;
  assign { _0_, _1_ } = en ? a : kept_s1;
  always @(posedge clk)
    kept_s1 <= { _0_, _1_ };
  assign _2_ = ~ kept_s1[0];
  assign r = { kept_s1[1], _2_ };
endmodule
"""


def test_what_has_no_name_gets_one():
    place = Place(scope=(), stage=1, register=True)
    text = Module(TEXT, {"kept_s1": place}).text
    assert "always @(posedge clk)\n    if (en) kept_s1 <= a;" in text
    assert "wire r_term = ~ kept_s1[0];" in text
    assert "// Stage 1: registers" in text


def test_labels():
    labels = Labels()
    with labels.within("lane3"):
        with labels.within("multiply"), labels.within("multiply"):
            assert labels.signal("row", 0) == "lane3_multiply_row_s0"
            assert labels.signal("row", 0) == "lane3_multiply_row_s0_2"
            assert labels.signal("multiply", 1) == "lane3_multiply_s1"
        assert labels.signal("row", 0, scope=("other",)) == "other_row_s0"
    assert labels.scope == ()
    place = labels.places["lane3_multiply_row_s0_2"]
    assert place == Place(scope=("lane3", "multiply"), stage=0)
