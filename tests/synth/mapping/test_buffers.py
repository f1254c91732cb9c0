# SPDX-License-Identifier: BSD-2-Clause
"""Buffers before the enables of registers."""

from typing import Any

import pytest

from macaw.golden import unit
from macaw.hdl import generate
from macaw.synth import run
from macaw.synth.mapping import buffers, liberty, library, targets, timing

LIBRARY = liberty.Library(library.liberty())
ENABLE, CLOCK = 2, 3


def bank(registers: int) -> dict[str, Any]:
    """Registers whose enable is the NAND of two inputs."""
    ports = {name: {"direction": "input", "bits": [bit]} for name, bit in (("a", 4), ("b", 5))}
    cells: dict[str, Any] = {
        "nand": {"type": "NAND2_X1", "connections": {"A": [4], "B": [5], "Y": [ENABLE]}}
    }
    for number in range(registers):
        pins = {"CK": [CLOCK], "D": ["0"], "E": [ENABLE], "Q": [10 + number]}
        cells[f"r{number}"] = {"type": "DFFE", "connections": pins}
    return {"ports": ports, "cells": cells}


def drivers(module: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The buffer of each net that one drives."""
    added = [c for c in module["cells"].values() if c["type"].startswith("BUF")]
    return {cell["connections"]["Y"][0]: cell for cell in added}


@pytest.mark.parametrize("registers", [30, 100, 1000])
def test_every_enable_is_still_the_same(registers: int):
    module = bank(registers)
    before = timing.longest_path(module, LIBRARY)
    area = buffers.insert(module, LIBRARY)
    by_net = drivers(module)
    assert area == pytest.approx(sum(LIBRARY.cells[c["type"]].area for c in by_net.values()))
    for number in range(registers):
        net, depth = module["cells"][f"r{number}"]["connections"]["E"][0], 0
        while net != ENABLE:
            net, depth = by_net[net]["connections"]["A"][0], depth + 1
        assert depth > 0
    # nothing is loaded by more than it is meant to drive
    timed = timing.arrivals(module, LIBRARY)
    inverter = next(iter(LIBRARY.inverter.inputs.values()))
    assert timed.load[ENABLE] <= buffers.INVERTERS * inverter
    after = timing.longest_path(module, LIBRARY)
    levels = 1 + max(depth_of(by_net, net) for net in by_net)
    assert after.picoseconds < before.picoseconds
    assert after.logic_picoseconds < (4 + 2 * buffers.SLOWEST_FO4 * levels) * LIBRARY.fo4_ps


def depth_of(by_net: dict[int, dict[str, Any]], net: int) -> int:
    """Buffers before the one of a net."""
    depth = 0
    while (net := by_net[net]["connections"]["A"][0]) != ENABLE:
        depth += 1
    return depth


def test_small_nets_stay_as_they_are():
    module = bank(4)
    assert buffers.insert(module, LIBRARY) == 0
    assert module == bank(4)


def test_a_library_without_buffers_has_none():
    module = bank(100)
    text = "\n".join(line.replace("(BUF_", "(DLY_") for line in library.liberty().splitlines())
    without = liberty.Library(text)
    for name in [name for name in without.cells if name.startswith("DLY_")]:
        del without.cells[name]
    assert buffers.insert(module, without) == 0
    assert module == bank(100)


def test_a_stream_is_not_slower_than_its_arithmetic():
    """Its registers hold by one enable, which is ready long before what they take."""
    spec = unit("fma", a="fp16", out="fp16")
    streamed, free = (
        run(generate(spec, stages=3, flow=flow), targets.target("asic"), cache=False)
        for flow in ("stream", "none")
    )
    assert streamed.delay_fo4 is not None
    assert free.delay_fo4 is not None
    assert streamed.delay_fo4 < 1.15 * free.delay_fo4
