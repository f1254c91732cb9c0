# SPDX-License-Identifier: BSD-2-Clause
"""The simulator of circuits, compiled once for this machine, and what a run of it gives."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from macaw.golden.errors import ToolError
from macaw.sim.bench.bulk import digest
from macaw.tools import simulators

from .circuit import Circuit

_FLAGS = ("-O2", "-fPIC", "-std=c++17", "-fvisibility=hidden", "-shared")
_WORDS = ("nets", "cells", "gates", "inputs", "outputs", "ready", "reset", "reset_level")
_ARRAYS = {
    "pin_first": np.int32,
    "pin_net": np.int32,
    "pin_energy": np.int64,
    "keeps": np.uint8,
    "next": np.uint64,
    "clear": np.uint64,
    "preset": np.uint64,
    "clock_energy": np.int64,
    "gate_first": np.int32,
    "gate_net": np.int32,
    "gate_rise": np.int32,
    "gate_fall": np.int32,
    "gate_table": np.uint64,
    "gate_energy": np.int64,
    "energies": np.float64,
    "input_cell": np.int32,
    "output_net": np.int32,
}


class _Circuit(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in _WORDS] + [
        (name, ctypes.c_void_p) for name in _ARRAYS
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Switching:
    """What moved.

    Attributes
    ----------
    clocks : int
        That were counted.
    toggles, settled : ndarray of int64
        Transitions of each net, and clocks after which it was not what it was before.
    internal, once, clock : float
        Picojoules inside the cells: of all transitions, of one a clock and net at most, and of the
        flip-flops' clocks.
    results : ndarray of uint8, shape (all clocks, output bits)
    taken : ndarray of int32
        The row that was shown in each clock.
    """

    clocks: int
    toggles: np.ndarray
    settled: np.ndarray
    internal: float
    once: float
    clock: float
    results: np.ndarray
    taken: np.ndarray


def _library() -> ctypes.CDLL:
    text = (resources.files("macaw.synth.energy") / "simulator.cpp").read_text(encoding="utf-8")
    key = digest(text, simulators.compiler_version(), *_FLAGS)

    def make(folder: Path) -> None:
        (folder / "simulator.cpp").write_text(text, encoding="utf-8")
        command = [simulators.compiler(), *_FLAGS, "simulator.cpp", "-o", "simulator.so"]
        simulators.run(command, folder=folder)

    folder = simulators.cached_folder(f"switching/{key}", make, ["simulator.so"])
    return ctypes.CDLL(str(folder / "simulator.so"))


def simulate(
    circuit: Circuit,
    bits: np.ndarray,
    *,
    first: int = 0,
    interval: int = 1,
    pause: int = 0,
    ready: str | None = None,
    reset: tuple[str, int] | None = None,
    reset_clocks: int = 0,
    drain: int = 0,
) -> Switching:
    """Move rows of input bits, uint8 of shape (rows, input bits), through a circuit.

    A row is held for ``interval`` clocks, or until the output ``ready`` is high, which a row may
    keep low for ``pause`` clocks. ``reset`` is a port and its level, for so many clocks. What is
    counted starts with row ``first``; after the last one the clock goes on for ``drain`` clocks
    more, for results that are under way.

    ToolError if there is no compiler, if the netlist oscillates, or if it never is ready.
    """
    outputs = [net for nets in circuit.outputs.values() for net in nets]
    values = {name: getattr(circuit, name, None) for name in _ARRAYS} | {"output_net": outputs}
    arrays = {name: np.array(values[name], dtype) for name, dtype in _ARRAYS.items()}
    words = {
        "nets": len(circuit.load),
        "cells": len(circuit.keeps),
        "gates": len(circuit.gate_net),
        "inputs": len(circuit.input_cell),
        "outputs": len(outputs),
        "ready": circuit.outputs[ready][0] if ready else -1,
        "reset": circuit.inputs[reset[0]][0] if reset else -1,
        "reset_level": reset[1] if reset else 0,
    }
    structure = _Circuit(**words, **{name: array.ctypes.data for name, array in arrays.items()})
    bits = np.ascontiguousarray(bits, np.uint8)
    most = len(bits) * (interval + pause) * (8 if ready else 1) + reset_clocks + drain + 1
    results = np.zeros((most, len(outputs)), np.uint8)
    taken = np.zeros(most, np.int32)
    toggles, settled = (np.zeros(len(circuit.load), np.int64) for _ in range(2))
    energies, counted = np.zeros(3), np.zeros(1, np.int64)
    run = _library().macaw_switching
    run.restype = ctypes.c_int64
    addresses = [
        ctypes.c_void_p(a.ctypes.data) for a in (results, taken, toggles, settled, energies)
    ]
    clocks = run(
        ctypes.byref(structure),
        ctypes.c_void_p(bits.ctypes.data),
        *map(ctypes.c_int64, (len(bits), first, interval, reset_clocks, drain, most)),
        *addresses,
        ctypes.c_void_p(counted.ctypes.data),
    )
    if clocks < 0:
        what = {-1: "the netlist oscillates", -2: "the netlist is not ready for operands"}[clocks]
        raise ToolError(f"energy: {what}")
    internal, once, clock = map(float, energies)
    return Switching(
        clocks=int(counted[0]),
        toggles=toggles,
        settled=settled,
        internal=internal,
        once=once,
        clock=clock,
        results=results[:clocks],
        taken=taken[:clocks],
    )
