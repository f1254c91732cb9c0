# SPDX-License-Identifier: BSD-2-Clause
"""Quotients and roots whose digits are found one after another."""

import re
from typing import Any

import pytest

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.sim import verify

DYNAMIC: dict[str, Any] = {"rounding": "dynamic", "flags": True}


@pytest.mark.parametrize(
    ("kind", "parameters", "options"),
    [
        ("div", {"a": "fp32", **DYNAMIC}, {"digits": 1, "flow": "valid"}),
        ("sqrt", {"a": "fp32", **DYNAMIC}, {"digits": 1, "flow": "stream"}),
        # digits that do not divide their number, and more than there are
        ("sqrt", {"a": "fp16", **DYNAMIC}, {"digits": 3, "flow": "stream", "ready": "registered"}),
        ("div", {"a": "bf16"}, {"digits": 64, "flow": "valid"}),
        # dividends of more bits than divisors and of fewer, registers before and behind
        ("div", {"a": "fp32", "b": "e3m0", "out": "e5m2"}, {"digits": 2, "bus": "axis"}),
        ("div", {"a": "fp32", "b": "e3m0", "out": "e5m2", **DYNAMIC},
         {"digits": 1, "flow": "valid"}),
        # results that are all subnormal, and formats without subnormals
        ("div", {"a": "e2m1", "b": "fp16", "out": "e2m1", **DYNAMIC},
         {"digits": 1, "flow": "valid"}),
        ("div", {"a": "e2m1", "b": "e3m2", "out": "fp32"}, {"digits": 1, "flow": "stream"}),
        ("div", {"a": "fp16", "out": "e5m10ftz", **DYNAMIC}, {"digits": 1, "flow": "stream"}),
        ("div", {"a": "e4m3", "b": "fp32", "out": "fp16"}, {"digits": 1, "stages": 24,
                                                            "flow": "stream"}),
        ("div", {"a": "fp16", "rounding": "sr", "random_bits": 3},
         {"digits": 2, "frequency": 80.0, "flow": "stream", "reset": "none"}),
        ("sqrt", {"a": "fp32", "out": "e2m1", **DYNAMIC}, {"digits": 4, "flow": "valid"}),
        ("sqrt", {"a": "e4m3", "out": "fp32", "tininess": "before", "flags": True},
         {"digits": 5, "flow": "stream"}),
    ],
    ids=lambda x: x if isinstance(x, str) else "_".join(str(v) for v in x.values()),
)  # fmt: skip
def test_bits_are_golden(kind: str, parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit(kind, **parameters)
    report = verify(spec, simulator="bulk", vectors=4000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize("kind", ["div", "sqrt"])
@pytest.mark.parametrize("digits", [1, 2])
def test_turns_begin_when_all_is_there(kind: str, digits: int):
    """However many registers there are, and wherever they come to be before the turns."""
    spec = unit(kind, a="e4m3", flags=True)
    least = generate(spec, digits=digits, flow="stream").latency
    stages = range(least, least + 6)
    found = [generate(spec, digits=digits, flow="stream", stages=n).latency for n in stages]
    assert found == [*stages]
    for more in (2, 4):
        options: dict[str, Any] = {"digits": digits, "flow": "stream", "stages": least + more}
        report = verify(spec, simulator="bulk", exhaustive=True, **options)
        assert report.passed, str(report)


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_stalls_lose_nothing(simulator: str):
    spec = unit("div", a="e5m2", **DYNAMIC)
    report = verify(spec, simulator=simulator, vectors=300, seed=3, digits=2, flow="stream")
    assert report.passed, str(report)


@pytest.mark.parametrize(
    ("kind", "digits", "clocks"),
    # 24 of the significand, a guard and one below it; a quotient's first digit may be zero
    [("div", 1, 27 + 1), ("div", 2, 14 + 1), ("div", 27, 1 + 1), ("sqrt", 1, 26 + 1),
     ("sqrt", 2, 13 + 1)],
)  # fmt: skip
def test_an_operation_takes_a_clock_for_its_digits_and_one_to_round(
    kind: str, digits: int, clocks: int
):
    design = generate(unit(kind, a="fp32", **DYNAMIC), digits=digits, flow="stream")
    assert design.initiation_interval == design.latency == clocks
    assert f"one operation in {clocks} clocks" in design.verilog


def test_rows_are_built_once():
    spec = unit("sqrt", a="fp16")
    found = [generate(spec, digits=n, flow="valid").body.count(" - ") for n in (1, 2, 4)]
    assert found[1] - found[0] == 1
    assert found[2] - found[0] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"digits": 1}, "digits=1: needs flow=valid or stream, or bus=axis"),
        ({"digits": 0, "flow": "valid"}, "digits=0: must be an integer from 1 to 64"),
        ({"digits": 65, "flow": "valid"}, "digits=65: must be an integer from 1 to 64"),
        ({"digits": 1, "stages": 3, "flow": "valid"}, "stages=3: digits=1 takes at least 14"),
        ({"digits": 8, "frequency": 200.0, "flow": "valid"}, "frequency=200: the slowest step"),
        ({"digits": 1, "fold": 2, "flow": "valid"}, "fold=2: the lanes of div take no turns"),
    ],
)
def test_bad_digits(options: dict[str, Any], message: str):
    with pytest.raises(SpecError, match=message):
        generate(unit("div", a="fp16"), **options)


@pytest.mark.parametrize("kind", ["div", "sqrt"])
def test_nothing_is_kept_in_each_turn(kind: str):
    design = generate(unit(kind, a="fp16", **DYNAMIC), digits=1, flow="stream")
    stages = set(re.findall(r"_s(\d+)(?:_\d+)?\b", design.body))
    assert stages == {"0", "1", str(design.latency)}
