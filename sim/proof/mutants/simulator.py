# SPDX-License-Identifier: BSD-2-Clause
"""A design against golden without a simulator of others: its gates as planes of bits.

Gates without state get all their vectors at once. Those with registers get one stream of beats
behind a reset, with pauses on both sides where there is a handshake.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from macaw.hdl import Design

from ...bench.interface import Codes, Interface, Pin, pack
from ...stimulus.draw import stimulus
from ...stimulus.exhaustive import exhaustive, exhaustive_bits
from .planes import Circuit, planes

EVERY = 16
"""Bits of all operands together up to which all vectors are run."""
PATIENCE = 300
"""Clocks without any progress after which a module is stuck."""
RESET = 4
"""Clocks of a reset, as long as other benches have it."""
WAITING = 24
"""Of 32 rows: from that one on the reader only takes what it has seen before."""
GAP = 0.25
"""Share of the clocks in which either side pauses."""


def vectors_of(spec: Any, vectors: int, seed: int) -> Codes:
    """All vectors of a small unit without state; else so many of the usual ones."""
    if not spec.stateful and exhaustive_bits(spec) <= EVERY:
        return next(exhaustive(spec))
    chunks = list(stimulus(spec, vectors=vectors, seed=seed))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def complaint(design: Design, codes: Codes, seed: int) -> str:
    """What is wrong with results or handshake; empty if nothing.

    Raises
    ------
    NoPlanes
        It cannot be tried here.
    """
    interface = Interface.of(design.metadata, design.spec.ports)
    clocked = design.component.clocked
    circuit = Circuit(design)
    pins = [pin.name for pin in interface.outputs]
    for name in (*pins, interface.valid_out, interface.ready_in):
        if name and name not in circuit.outputs:
            return f"nothing drives {name}"
    results = design.spec.evaluate(**codes)
    codes = interface.offered(codes, seed)
    expected = interface.expected(codes, results)
    if not clocked:
        return _at_once(circuit, interface, codes, expected)
    given = list(_rows(interface.inputs, codes))
    wanted = list(_rows(interface.outputs, expected))
    if interface.valid_out is None:
        ends = codes["last"] if "last" in codes else np.ones(len(given), np.uint8)
        return _in_every_clock(circuit, interface, given, wanted, ends.tolist(), seed)
    return _in_clocks(circuit, interface, given, wanted, seed)


def _at_once(circuit: Circuit, interface: Interface, codes: Codes, expected: Codes) -> str:
    rows = len(next(iter(codes.values())))
    everyone = (1 << rows) - 1
    given: dict[str, Any] = {p.name: planes(pack(p, codes), p.width) for p in interface.inputs}
    given |= {name: [everyone] for name in (interface.valid_in, interface.ready_out) if name}
    results, _ = circuit.step(everyone, given, circuit.initial)
    wrong = 0
    for pin in interface.outputs:
        wanted = planes(pack(pin, expected), pin.width)
        for have, want in zip(results[pin.name], wanted, strict=True):
            wrong |= have ^ want
    if not wrong:
        return ""
    return f"vector {(wrong & -wrong).bit_length() - 1} of {rows}, {wrong.bit_count()} in all"


def _rows(pins: tuple[Pin, ...], codes: Codes) -> Iterator[dict[str, int]]:
    columns = {pin.name: pack(pin, codes).tolist() for pin in pins}
    for row in zip(*columns.values(), strict=True):
        words = (sum(word << 64 * n for n, word in enumerate(each)) for each in row)
        yield dict(zip(columns, words, strict=True))


def _in_clocks(
    circuit: Circuit, interface: Interface, given: list[Any], wanted: list[Any], seed: int
) -> str:
    """A stream of beats, clock by clock, and a reset before."""
    chance = random.Random(seed).random
    quiet, state = _reset(circuit, interface, seed)
    row = done = idle = 0
    offering, held, clock, rest = False, None, 0, 0
    while done < len(wanted) or idle < 2 * interface.latency + 4:
        offering = row < len(given) and not rest and (offering or chance() >= GAP)
        accepting = chance() >= GAP
        if row < len(given) and row % 32 >= WAITING:
            accepting = accepting and held is not None
        pins = dict(quiet)
        if interface.valid_in:
            pins[interface.valid_in] = [int(offering)]
        if interface.ready_out:
            pins[interface.ready_out] = [int(accepting)]
        # Where nothing is offered, something is on the pins all the same.
        pins |= _bits(interface, given[row if offering else int(chance() * len(given))])
        if interface.registered and _moves(circuit, interface, pins, state):
            return f"{interface.ready_in} follows {interface.ready_out} at once, clock {clock}"
        results, state = circuit.step(1, pins, state)
        taken = offering and (not interface.ready_in or results[interface.ready_in][0] == 1)
        valid = results[interface.valid_out or ""][0] == 1
        have = {pin.name: _word(results[pin.name]) for pin in interface.outputs} if valid else None
        if held is not None and have != held:
            return f"result {done} changed while it waited, clock {clock}"
        if valid and done == len(wanted):
            return f"a result too many, clock {clock}"
        if valid and have != wanted[done]:
            return f"result {done} of {len(wanted)}, clock {clock}"
        waits = valid and interface.ready_out is not None and not accepting
        held = have if waits else None
        idle = 0 if taken or valid else idle + 1
        if idle > PATIENCE + interface.latency * interface.interval and done < len(wanted):
            return f"stuck before result {done}"
        row, done, offering = row + taken, done + (valid and not waits), offering and not taken
        # Where nothing says that it is ready, it is so again when the lanes have taken turns.
        rest = interface.interval - 1 if taken and not interface.ready_in else max(rest - 1, 0)
        clock += 1
    return ""


def _in_every_clock(
    circuit: Circuit,
    interface: Interface,
    given: list[Any],
    wanted: list[Any],
    ends: list[int],
    seed: int,
) -> str:
    """A beat a clock behind a reset; results are those of beats that end a sequence."""
    quiet, state = _reset(circuit, interface, seed)
    found = []
    for clock in range(len(given) + interface.latency):
        row = given[min(clock, len(given) - 1)]
        results, state = circuit.step(1, quiet | _bits(interface, row), state)
        found.append({pin.name: _word(results[pin.name]) for pin in interface.outputs})
    found = [each for each, end in zip(found[interface.latency :], ends, strict=True) if end]
    wrong = [n for n, (have, want) in enumerate(zip(found, wanted, strict=True)) if have != want]
    return f"result {wrong[0]} of {len(wanted)}, {len(wrong)} in all" if wrong else ""


def _moves(circuit: Circuit, interface: Interface, pins: dict[str, Any], state: list[int]) -> bool:
    """Whether a module is ready or not by what its reader says in the same clock."""
    assert interface.ready_in
    assert interface.ready_out
    found = {
        circuit.step(1, pins | {interface.ready_out: [ready]}, state)[0][interface.ready_in][0]
        for ready in (0, 1)
    }
    return len(found) > 1


def _reset(circuit: Circuit, interface: Interface, seed: int) -> tuple[dict[str, Any], list[int]]:
    """Pins that are still from then on, and what registers that held anything are reset to."""
    if interface.reset is None:
        return {}, circuit.initial
    noise = random.Random(seed + 1)
    state = [noise.getrandbits(1) for _ in range(circuit.volatile)]
    state += circuit.initial[circuit.volatile :]
    for _ in range(RESET):
        pins = {p.name: [noise.getrandbits(1) for _ in range(p.width)] for p in interface.inputs}
        _, state = circuit.step(1, pins | {interface.reset: [interface.reset_level]}, state)
    return {interface.reset: [1 - interface.reset_level]}, state


def _bits(interface: Interface, row: dict[str, int]) -> dict[str, list[int]]:
    widths = {pin.name: pin.width for pin in interface.inputs}
    return {name: [word >> n & 1 for n in range(widths[name])] for name, word in row.items()}


def _word(bits: Any) -> int:
    return sum(bit << place for place, bit in enumerate(bits))
