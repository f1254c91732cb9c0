# SPDX-License-Identifier: BSD-2-Clause
"""Registers copied and cells sized after mapping."""

import random
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macaw import verify
from macaw.golden import unit
from macaw.golden.errors import SpecError
from macaw.synth import retimed, run, search
from macaw.synth.mapping import editing, liberty, library, sizing, stages, timing
from macaw.synth.mapping.liberty import Library, truth_table

LIBRARY = Library(library.liberty())
CLOCK = 2
GATES = sorted(
    name
    for name, cell in LIBRARY.cells.items()
    if not cell.sequential and name.endswith(("_X1", "_X2", "_X16"))
)
BUFFERS = ["BUF_X1"] * 10
TABLES = {
    name: (sorted(cell.inputs), truth_table(cell.functions["Y"], sorted(cell.inputs)))
    for name, cell in LIBRARY.cells.items()
    if not cell.sequential
}
ROWS = 64


def netlist(draw: random.Random, inputs: int = 4, registers: int = 6, gates: int = 60) -> Any:
    """A module of random gates between registers, some of which have many readers."""
    free = iter(range(CLOCK + 1, 10_000))
    ports = {"clk": {"direction": "input", "bits": [CLOCK]}}
    nets = [next(free) for _ in range(inputs)]
    ports |= {f"i{n}": {"direction": "input", "bits": [n]} for n in nets}
    states = [next(free) for _ in range(registers)]
    popular = draw.sample(nets + states, 3)
    nets += states
    cells: dict[str, Any] = {}
    for number in range(gates):
        kind, out = draw.choice([*GATES, *BUFFERS]), next(free)
        among = [*popular * 5, *nets, "0", "1"]
        pins = {pin: [draw.choice(among)] for pin in LIBRARY.cells[kind].inputs}
        cells[f"g{number}"] = {"type": kind, "connections": pins | {"Y": [out]}}
        nets.append(out)
    clocks = [CLOCK, nets[-1]]
    cells[f"g{gates - 1}"] = {"type": "BUF_X1", "connections": {"A": [CLOCK], "Y": [nets[-1]]}}
    for number, state in enumerate(states):
        kind = draw.choice(["DFF", "DFFE", "DFFR"])
        held = next(free)  # what a register keeps, it reads behind a buffer
        cells[f"b{number}"] = {"type": "BUF_X1", "connections": {"A": [state], "Y": [held]}}
        pins = {
            "D": [draw.choice([held, draw.choice(nets)])],
            "CK": [draw.choice(clocks)],
            "Q": [state],
        }
        pins |= {pin: [draw.choice(nets)] for pin in LIBRARY.cells[kind].inputs if pin not in pins}
        cells[f"r{number}"] = {"type": kind, "connections": pins}
    outputs = draw.sample(nets, 5)
    ports |= {f"o{n}": {"direction": "output", "bits": [n]} for n in outputs}
    names = {f"state{n}_s1": {"bits": [n]} for n in states}
    # Names of what nothing drives any more stay, with numbers above all others.
    names["before_s7"] = {"bits": [next(free) for _ in range(1000)]}
    return {"ports": ports, "cells": cells, "netnames": names}


def meaning(module: dict[str, Any]) -> dict[str, Any]:
    """What each output and each pin of a register is, of operands and states drawn at random."""
    draw = random.Random(1)
    words: dict[Any, int] = {"0": 0, "1": 2**ROWS - 1, "x": 0}
    for port in module["ports"].values():
        if port["direction"] == "input":
            words[port["bits"][0]] = draw.getrandbits(ROWS)
    drivers = {}
    for name, cell in sorted(module["cells"].items()):
        if cell["type"].startswith("DFF"):
            original = name.partition("_copy")[0]
            words[cell["connections"]["Q"][0]] = random.Random(original).getrandbits(ROWS)
        else:
            drivers[cell["connections"]["Y"][0]] = cell

    def word(net: Any) -> int:
        if net not in words:
            cell = drivers[net]
            pins, table = TABLES[cell["type"]]
            inputs = [word(cell["connections"][pin][0]) for pin in pins]
            assert table is not None
            rows = (int("".join(str(each >> row & 1) for each in inputs), 2) for row in range(ROWS))
            words[net] = sum(int(table[each]) << row for row, each in enumerate(rows))
        return words[net]

    found = {name: word(port["bits"][0]) for name, port in module["ports"].items()}
    for name, cell in module["cells"].items():
        for pin in set(cell["connections"]) - {"Q"} if cell["type"].startswith("DFF") else ():
            key = f"{name.partition('_copy')[0]}.{pin}"
            assert found.setdefault(key, word(cell["connections"][pin][0])) == word(
                cell["connections"][pin][0]
            )
    return found


def area(module: dict[str, Any]) -> float:
    return sum(LIBRARY.cells[cell["type"]].area for cell in module["cells"].values())


@settings(max_examples=50)
@given(st.randoms(use_true_random=False))
def test_a_netlist_computes_what_it_did(draw: random.Random):
    module = netlist(draw)
    before, at, fill = meaning(module), timing.longest_path(module, LIBRARY), area(module)
    more = sizing.fasten(module, LIBRARY)
    assert meaning(module) == before
    of = stages.by_net(module)
    for name, cell in module["cells"].items():
        if "_copy" in name:
            assert of[cell["connections"]["Q"][0]] == 1
    assert timing.longest_path(module, LIBRARY).picoseconds <= at.picoseconds
    assert more == pytest.approx(area(module) - fill)


@settings(max_examples=50)
@given(st.randoms(use_true_random=False))
def test_timing_is_kept_up_and_changes_are_taken_back(draw: random.Random):
    module = netlist(draw)
    made = editing.Netlist(module, LIBRARY)
    kinds = sizing._kinds(LIBRARY)
    goal = 0.7 * max(made.ends(), default=0.0)
    undone = []
    for _ in range(5):
        moves = sizing._View(made, kinds, goal).moves()
        if not moves:
            break
        before = deepcopy(module), dict(made.edges), {n: made.load[n] for n in made.edges}
        move = draw.choice(moves)
        undone.append((before, made.apply(move.edits())))
        same_as_timed_anew(made)
    for (before, edges, load), undo in reversed(undone):
        made.revert(undo)
        assert module == before
        assert made.edges == edges
        assert {net: made.load[net] for net in edges} == pytest.approx(load)
        same_as_timed_anew(made)


def same_as_timed_anew(made: editing.Netlist) -> None:
    timed = timing.arrivals(made.module, LIBRARY)
    for net, edges in timed.edges.items():
        for one, other in zip(made.edges[net], edges, strict=True):
            assert one.time == pytest.approx(other.time, abs=1e-6)
            assert one.slew == pytest.approx(other.slew, abs=1e-6)
        assert made.load[net] == pytest.approx(timed.load[net], abs=1e-9)
    assert sorted(made.endpoints(), key=str) == sorted(timed.endpoints, key=str)
    slowest = max(made.ends(), default=0.0)
    assert slowest == pytest.approx(timing.slowest_of(timed).picoseconds, abs=1e-6)
    # A path that takes as long as the slowest is on time to the picosecond, and no later.
    needed = made.required(slowest)
    slack = [need - edge.time for net, needs in needed.items()
             for need, edge in zip(needs, made.edges[net], strict=True)]  # fmt: skip
    if made.ends():
        assert min(slack) == pytest.approx(0.0, abs=1e-6)


def spread(readers: int, buffers: int = 0) -> dict[str, Any]:
    """A register whose output is inverted by many, behind buffers or not, before registers."""
    ports = {name: {"direction": "input", "bits": [bit]} for name, bit in (("clk", 2), ("d", 3))}
    cells: dict[str, Any] = {
        "source": {"type": "DFF", "connections": {"D": [3], "CK": [CLOCK], "Q": [4]}}
    }
    for number in range(buffers):
        pins = {"A": [4], "Y": [5 + number]}
        cells[f"b{number}"] = {"type": "BUF_X1", "connections": pins}
    for number in range(readers):
        before, after = 5 + number % buffers if buffers else 4, 100 + number
        cells[f"i{number}"] = {"type": "INV_X1", "connections": {"A": [before], "Y": [after]}}
        pins = {"D": [after], "CK": [CLOCK], "Q": [1000 + number]}
        cells[f"r{number}"] = {"type": "DFF", "connections": pins}
    return {"ports": ports, "cells": cells, "netnames": {"data_s3": {"bits": [4]}}}


@pytest.mark.parametrize("buffers", [0, 4])
def test_a_register_with_many_readers_is_copied(buffers: int):
    module = spread(64, buffers)
    before = timing.longest_path(module, LIBRARY).picoseconds
    sizing.fasten(module, LIBRARY)
    copies = {name: c for name, c in module["cells"].items() if name.startswith("source")}
    assert len(copies) > 2
    assert timing.longest_path(module, LIBRARY).picoseconds < 0.6 * before
    for cell in copies.values():
        assert (cell["connections"]["D"], cell["connections"]["CK"]) == ([3], [CLOCK])
    driven = Counter(
        cell["connections"]["A"][0] for n, cell in module["cells"].items() if n.startswith("i")
    )
    assert sum(driven.values()) == 64
    assert set(driven) == {cell["connections"]["Q"][0] for cell in copies.values()}
    assert not any(name.startswith("b") for name in module["cells"])
    # The copies' nets tell the stage that the register's does.
    assert set(stages.by_net(module)) >= set(driven)
    assert {stages.by_net(module)[net] for net in driven} == {3}


def test_clocks_and_resets_keep_their_nets():
    module = spread(64, 1)
    for number in range(30):
        pins = {"D": [3], "CK": [CLOCK], "RN": [5], "Q": [2000 + number]}
        module["cells"][f"reset{number}"] = {"type": "DFFR", "connections": pins}
    sizing.fasten(module, LIBRARY)
    assert sum(name.startswith("source") for name in module["cells"]) > 2
    for number in range(30):
        assert module["cells"][f"reset{number}"]["connections"]["RN"] == [5]
    assert module["cells"]["b0"]["connections"]["Y"] == [5]


def test_what_cannot_be_faster_is_left_as_it_is():
    module = spread(1)
    before = deepcopy(module)
    assert sizing.fasten(module, LIBRARY) == 0
    assert module == before
    empty = {"ports": {}, "cells": {}, "netnames": {}}
    assert sizing.fasten(empty, LIBRARY) == 0


ADDER = unit("add", a="e4m3", out="e4m3")
HOW = {"stages": 2, "optimise": "delay"}


def test_a_pipeline_is_faster_and_still_right():
    plain, sized = (run(ADDER, "asic", sizing=sizing, **HOW) for sizing in (False, True))
    assert (plain.sizing, sized.sizing) == (None, True)
    assert plain.delay_fo4 is not None
    assert sized.delay_fo4 is not None
    assert sized.delay_fo4 < 0.98 * plain.delay_fo4
    assert max(sized.stage_fo4) == sized.delay_fo4
    assert len(sized.stage_fo4) == len(plain.stage_fo4)
    report = verify(
        ADDER, netlist="asic", sizing=True, flow="stream", simulator="bulk", exhaustive=True, **HOW
    )
    assert report.passed
    assert report.vectors >= 2**16


def test_the_energy_is_of_the_sized_netlist():
    plain, sized = (run(ADDER, "asic", sizing=s, energy=True, **HOW) for s in (False, True))
    assert sized.sizing
    assert sized.energy_per_operation != plain.energy_per_operation


def test_registers_that_are_moved_are_sized_too(monkeypatch):
    monkeypatch.setattr(search, "TRIES", 1)
    moved = retimed(ADDER, "asic", 1, options={"optimise": "delay"}, optimise="delay")
    assert moved.sizing
    as_told = run(ADDER, "asic", stages=1, optimise="delay", sizing=True, budgets=moved.budgets)
    assert as_told.delay_fo4 == moved.delay_fo4


def test_only_libraries_have_cells_to_size():
    with pytest.raises(SpecError, match="sizing: target ecp5 is no library; take asic"):
        run(ADDER, "ecp5", sizing=True)
    with pytest.raises(SpecError, match="sizing=true: goes with netlist=asic only"):
        verify(ADDER, sizing=True)


def test_a_library_without_buffers_or_other_strengths():
    bare = Library(library.liberty())
    kept = {"INV_X1", "NAND2_X1", "DFF"}
    bare.cells = {name: cell for name, cell in bare.cells.items() if name in kept}
    module = spread(40)
    before = timing.longest_path(module, bare).picoseconds
    sizing.fasten(module, bare)
    assert timing.longest_path(module, bare).picoseconds < before
    assert {cell["type"] for cell in module["cells"].values()} == {"INV_X1", "DFF"}


def test_a_cell_that_the_library_lacks_is_told():
    module = spread(2)
    module["cells"]["i0"]["type"] = "ODD"
    with pytest.raises(liberty.LibertyError, match="ODD"):
        sizing.fasten(module, LIBRARY)
