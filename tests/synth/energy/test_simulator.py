# SPDX-License-Identifier: BSD-2-Clause
"""Toggles by hand, and against those of Icarus on the same netlist with the same delays."""

import shutil
import subprocess

import numpy as np
import pytest
from netlists import cell, module

from macaw.golden.errors import ToolError
from macaw.synth.energy.circuit import INPUT, Circuit, circuit
from macaw.synth.energy.simulator import simulate
from macaw.synth.mapping import library
from macaw.synth.mapping.liberty import Library

LIBRARY = Library(library.liberty(power=True))
TAU = library.PS_PER_TAU


def test_a_pulse_passes_a_gate_that_is_faster_than_it_is_long():
    # a ^ a, one of them behind inverters: a pulse as long as these are slow, at every change of a.
    def toggles(inverters):
        cells = {f"n{k}": cell("INV_X1", A=2 + k, Y=3 + k) for k in range(inverters)}
        cells["x"] = cell("XOR2_X1", A=2, B=2 + inverters, Y=99)
        made = circuit(module(cells, [2], [99]), LIBRARY, None)
        bits = np.arange(11, dtype=np.uint8)[:, None] & 1
        moved = simulate(made, bits, first=1)
        assert moved.clocks == 10
        return int(moved.toggles[made.nets[99]]), int(moved.settled[made.nets[99]])

    assert toggles(2) == (0, 0)  # two inverters take less time than the gate
    assert toggles(20) == (20, 0)


def test_an_oscillation_is_told_and_not_waited_for():
    made = circuit(module({"g": cell("NAND2_X1", A=2, B=3, Y=4)}, [2, 3], [4]), LIBRARY, None)
    made.pin_net[1] = made.gate_net[2]  # its second input is its own output
    with pytest.raises(ToolError, match="oscillates"):
        simulate(made, np.array([[0, 0], [1, 0]], np.uint8))


def test_a_unit_that_never_is_ready_is_told():
    made = circuit(module({"g": cell("INV_X1", A=2, Y=3)}, [2], [3]), LIBRARY, None)
    with pytest.raises(ToolError, match="not ready"):
        simulate(made, np.ones((4, 1), np.uint8), ready="o3")


def some_circuit(random):
    """Gates of all kinds at random, flip-flops among them that close loops."""
    kinds = [c for c in library.cells() if c.name.endswith(("_X1", "_X2"))]
    kinds += [c for c in kinds if c.name.startswith(("XOR", "XNOR", "MUX"))] * 4  # much activity
    flops = ("DFF", "DFFE", "DFFR", "DFFS")
    nets, cells = [2, 3, 4, 5, 6], {}
    kept = list(range(100, 112))
    for number in range(60):
        chosen = kinds[random.integers(len(kinds))]
        pins = {p: int(random.choice([*nets[-12:], *kept])) for p in chosen.loads}
        cells[f"g{number}"] = cell(chosen.name, **pins, Y=10 + number)
        nets.append(10 + number)
    for number, net in enumerate(kept):
        kind = flops[number % len(flops)]
        extra = {"DFFE": {"E": 2}, "DFFR": {"RN": 3}, "DFFS": {"SN": "1"}}.get(kind, {})
        cells[f"f{number}"] = cell(kind, D=int(random.choice(nets)), CK=9, Q=net, **extra)
    made = module(cells, [2, 3, 4, 5, 6], [69])
    made["ports"]["clk"] = {"direction": "input", "bits": [9]}
    return circuit(made, LIBRARY, "clk")


def verilog(made: Circuit, bits: np.ndarray, period: int) -> str:
    """The circuit with its delays as continuous assignments, and a bench that moves the rows."""
    lines = ["`timescale 1ps/1ps", "module bench;", "reg clk = 0;", "integer row;"]
    lines += [f"wire n{net};" for net in range(2, len(made.load))]
    lines += [f"reg [{bits.shape[1] - 1}:0] rows [0:{len(bits) - 1}];"]
    names = {0: "1'b0", 1: "1'b1"}
    edges = []
    for number, keeps in enumerate(made.keeps):
        pins = made.pin_net[made.pin_first[number] : made.pin_first[number + 1]]
        state = [names.get(net, f"n{net}") for net in pins] + ([f"k{number}"] if keeps else [])
        index = f"{{{', '.join(reversed(state))}}}"
        if keeps:
            lines.append(f"reg k{number} = 0;")
        if keeps == INPUT:
            edges.append(f"k{number} <= rows[row][{made.input_cell.index(number)}];")
        elif keeps:
            for table in ("next", "clear", "preset"):
                lines.append(
                    f"localparam [63:0] {table}{number} = 64'd{getattr(made, table)[number]};"
                )
            edges.append(
                f"k{number} <= clear{number}[{index}] ? 1'b0 : preset{number}[{index}] ? 1'b1 : "
                f"next{number}[{index}];"
            )
        if keeps:  # what it keeps is all that its outputs need, and the pins are unknown at first
            index = f"{{k{number}, {len(pins)}'b0}}" if pins else f"{{k{number}}}"
        for gate in range(made.gate_first[number], made.gate_first[number + 1]):
            delay = f"#({made.gate_rise[gate]}, {made.gate_fall[gate]})"
            lines.append(f"localparam [63:0] t{gate} = 64'd{made.gate_table[gate]};")
            lines.append(f"assign {delay} n{made.gate_net[gate]} = t{gate}[{index}];")
    lines += ["always @(posedge clk) begin", *edges, "end", "initial begin"]
    lines += [
        f"rows[{i}] = {bits.shape[1]}'b{''.join(map(str, row[::-1]))};"
        for i, row in enumerate(bits)
    ]
    lines += ['$dumpfile("bench.vcd"); $dumpvars(0, bench);', f"#{period};"]
    lines += [f"for (row = 0; row < {len(bits)}; row = row + 1) begin"]
    lines += [
        f"clk = 1; #{period // 2}; clk = 0; #{period - period // 2};",
        "end",
        "$finish;",
        "end",
    ]
    return "\n".join([*lines, "endmodule", ""])


def counted(vcd: str, nets: int, begin: int, period: int) -> tuple[list[int], list[int]]:
    """Transitions of each net n… from a time on, and clocks that changed it."""
    symbol, now = {}, 0
    value, held = {}, {}
    toggles, settled = [0] * nets, [0] * nets
    clock = 0
    for line in [*vcd.splitlines(), f"#{1 << 62}"]:
        words = line.split()
        if line.startswith("$var") and words[4].startswith("n"):
            symbol[words[3]] = int(words[4][1:])
        elif line.startswith("#"):
            now = int(line[1:])
            while now >= (clock + 1) * period and clock < 1 << 20:
                if clock * period >= begin:
                    for net, level in value.items():
                        settled[net] += held.get(net) != level
                held = dict(value)
                clock += 1
                if now == 1 << 62:
                    break
        elif line[:1] in "01" and line[1:] in symbol:
            net = symbol[line[1:]]
            toggles[net] += now >= begin and value.get(net) is not None
            value[net] = line[0]
    return toggles, settled


@pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus is not here")
@pytest.mark.parametrize("seed", range(3))
def test_toggles_are_those_of_icarus(seed, tmp_path):
    random = np.random.default_rng(seed)
    made = some_circuit(random)
    # Pulses of exactly the delay of a gate are a matter of the order of events: none are.
    gates = len(made.gate_net)
    made.gate_rise, made.gate_fall = (
        [int(x) for x in random.integers(10_000, 90_000, gates)] for _ in range(2)
    )
    bits = random.integers(0, 2, (40, 5)).astype(np.uint8)
    bits[:, 1] = np.arange(40) > 2  # the resets
    period, first = 10_000_000, 6
    moved = simulate(made, bits, first=first)
    (tmp_path / "bench.v").write_text(verilog(made, bits, period))
    for command in (["iverilog", "-g2012", "-o", "bench", "bench.v"], ["vvp", "-n", "bench"]):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    text = (tmp_path / "bench.vcd").read_text()
    toggles, settled = counted(text, len(made.load), period * (first + 1), period)
    assert moved.toggles.tolist() == toggles
    assert moved.settled.tolist() == settled
    assert sum(toggles) > sum(settled) > 500
