# SPDX-License-Identifier: BSD-2-Clause
"""Gates of sums as machines make them: a sample of what the proof has in full."""

from typing import Any

import pytest

from macaw.golden import unit
from macaw.sim.verify import verify

SPECS = [
    {"a": "fp16", "lanes": 3, "accumulation": "tensor-core(volta)"},
    {"a": "e5m2", "lanes": 2, "accumulation": "tensor-core(hopper)"},
    {"a": "bf16", "lanes": 2, "accumulation": "cdna3"},
    {"a": "e4m3fnuz", "lanes": 3, "accumulation": "cdna3"},
    {"a": "bf16", "lanes": 4, "accumulation": "rvbna(2)"},
]


@pytest.mark.parametrize("parameters", SPECS, ids=lambda p: f"{p['accumulation']}-{p['a']}")
def test_gates_do_what_the_machine_does(parameters: dict[str, Any]) -> None:
    report = verify(
        unit("dot", out="fp32", **parameters), simulator="bulk", vectors=20_000, seed=1, stages=1
    )
    assert report.passed, report
