# SPDX-License-Identifier: BSD-2-Clause
"""Tables in logic and in memories that are read at a clock edge."""

import numpy as np
import pytest

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.sim.verify import verify
from macaw.tools import simulators

SIGMOID = unit("table", a="fx8.4", out="ufx8.8", function="sigmoid")


def test_a_memory_takes_a_clock():
    assert generate(SIGMOID, table="ram").metadata["latency"] == 1
    assert generate(SIGMOID, table="ram", stages=3).metadata["latency"] == 3
    assert generate(SIGMOID, table="logic").metadata["latency"] == 0
    wide = unit("int-exp2", x="fx24.20", precision=24)
    assert "table0_memory" in generate(wide, table="ram", stages=4).verilog
    assert "table0_memory" not in generate(wide, stages=4).verilog


def test_a_table_of_one_cell_stays_logic():
    small = unit("table", a="int4", out="e2m1", function="tanh")
    design = generate(small, table="ram")
    assert design.metadata["latency"] == 0
    assert "memory" not in design.verilog


def test_what_is_refused():
    with pytest.raises(SpecError, match="table=rom: must be one of logic, ram"):
        generate(SIGMOID, table="rom")


@pytest.mark.parametrize(
    "options",
    [
        {"table": "logic"},
        {"table": "ram"},
        {"table": "ram", "stages": 2, "flow": "valid", "reset": "async"},
        {"table": "ram", "bus": "axis", "ready": "registered"},
    ],
)
def test_gates_agree_with_golden(options: dict):
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    for spec in (
        SIGMOID,
        unit("table", a="e4m3", out="fp32", function="gelu"),
        unit("table", a="e3m2", function=np.arange(64)[::-1]),
        unit("int-exp2", x="fx16.16", precision=24),
    ):
        report = verify(generate(spec, **options), simulator="bulk", exhaustive=True)
        assert report.passed, report.mismatch
