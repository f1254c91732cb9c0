# SPDX-License-Identifier: BSD-2-Clause
"""Gates of sums of rows, and of parts of rows: against golden, and without any waiting."""

from typing import Any

import pytest

from macaw.golden import unit
from macaw.hdl import build, generate
from macaw.hdl.emit import write_bodies
from macaw.hdl.options.implementation import Implementation
from macaw.sim.bench import bulk
from macaw.sim.stimulus import stimulus
from macaw.tools import simulators

SMALL: dict[str, Any] = {"kind": "softmax-sum", "a": "e4m3", "lanes": 2, "row": 8}
MERGE: dict[str, Any] = {"kind": "softmax-merge", "a": "ufx43.25"}
BULK: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (SMALL | {"a": "fp16", "row": 20, "base": "2"}, {"stages": 5, "flow": "valid"}),
    (SMALL | {"a": "bf16", "lanes": 3, "row": 5}, {"frequency": 60.0, "bus": "axis"}),
    (SMALL | {"a": "fp32"}, {"flow": "stream", "ready": "registered"}),
    (SMALL | {"lanes": 1, "row": 40, "bits": 4, "aligned": 4, "reach": 2}, {"stages": 3}),
    (SMALL | {"row": 1}, {"flow": "stream"}),
    # No exponent is above the least one.
    (SMALL | {"a": "e2m1", "lanes": 3, "row": 7}, {"flow": "stream"}),
    (SMALL | {"a": "e2m6bn16", "lanes": 3, "row": 7}, {"stages": 2}),
    (MERGE, {"stages": 2, "flow": "stream"}),
    ({**MERGE, "a": "ufx62.44", "exponent": "int32"}, {}),
    ({**MERGE, "a": "uint1", "exponent": "int1"}, {}),
    ({**MERGE, "a": "ufx7.3", "exponent": "int4"}, {"frequency": 60.0}),
]


def test_bits_are_golden_s():
    """Under stalls, where the flow has them."""
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    designs = [generate(unit(**parameters), **options) for parameters, options in BULK]
    write_bodies(designs)
    wrong = []
    for design, model in zip(designs, bulk.Model.of_many(designs), strict=True):
        with model:
            chunks = stimulus(design.spec, vectors=4_000, seed=3, chunk=1_000)
            if bulk.compare(design.spec, [model], chunks).failures:
                wrong.append(design.name)
    assert wrong == []


def test_nothing_waits_and_nothing_is_stored():
    spec = unit(**SMALL)
    assert build(spec, Implementation()).latency == 0
    design = generate(spec, stages=4, flow="valid")
    assert design.latency == 4
    assert "waits" not in design.metadata
    assert "memory" not in design.verilog
