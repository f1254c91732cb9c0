# SPDX-License-Identifier: BSD-2-Clause
"""What a case of the proof is, and how families write theirs down: one unit in many ways."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from macaw.golden.formats import Format
from macaw.golden.formats.block import AnyFormat, Block
from macaw.golden.units import UNITS, Unit

from ..rules.parameters import parameters_of

Options = dict[str, Any]
"""Of an implementation."""

STAGES: tuple[Options, ...] = (
    {"stages": 0},
    {"stages": 1},
    {"stages": 3},
    {"frequency": 100.0},
)
# combinational, and in a pipeline under stalls
BLOCK_CHOICES: tuple[Options, ...] = ({"stages": 0}, {"stages": 3, "flow": "stream"})
STREAM_CHOICES: tuple[Options, ...] = (*BLOCK_CHOICES, {"frequency": 100.0, "flow": "valid"})
FUNCTION_CHOICES: tuple[Options, ...] = (*BLOCK_CHOICES, {"frequency": 80.0})
FLOWS: tuple[Options, ...] = (
    {"flow": "valid"},
    {"flow": "stream"},
    {"bus": "axis"},
)
BUILDS: tuple[Options, ...] = (
    {"reset": "async"},
    {"reset": "none"},
    {"reset_active": "low"},
    {"reset": "async", "reset_active": "low"},
    {"multiplier": "lut"},
    {"multiplier": "dsp"},
    {"ready": "registered"},
    {"bus": "axis", "tlast": "on"},
    {"bus": "axis", "ready": "registered"},
)
# what is made for a target that is mapped otherwise than usual, where that changes the structure
MAPPED: tuple[Options, ...] = tuple(
    {"target": target, "optimise": optimise, **stages}
    for target, optimise in (("asic", "delay"), ("asic", "area"), ("ecp5", "area"))
    for stages in ({"stages": 0}, {"stages": 3, "flow": "stream"})
)
COCOTB = ("icarus", "verilator")
ROUNDINGS = ("rna", "rtz", "rup", "rdn", "rod", "sr", "srb", "src")

BULK = 10_000_000
FEWER = 1_000_000
COCOTB_VECTORS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One unit in one or more implementations, to be proven in one simulator.

    ``vectors=None`` is every combination of operand codes. Of ``simulator="lint"`` the modules
    are not simulated, but read by linters.
    """

    name: str
    unit: Unit
    implementations: tuple[Options, ...]
    vectors: int | None
    simulator: str
    stalls: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomCase:
    """The ``number``-th unit drawn at random, which is known when it is drawn: that takes a while.

    Those of few input bits are run exhaustively.
    """

    number: int
    seed: int = 2026
    vectors: int = 12_000
    simulator: str = "bulk"

    @property
    def name(self) -> str:
        """The name of the check."""
        return f"rtl/random/bulk/{self.number:04}"


def _weight_of(cls: type[Unit]) -> int:
    """Kinds that take formats of the whole grammar have the more to go wrong."""
    types = typing.get_type_hints(cls)
    rich = (Format, AnyFormat, Block)
    return 3 if any(types[name] in rich for name in parameters_of(cls)) else 1


ORDER: tuple[str, ...] = tuple(
    kind for turn in range(3) for kind, cls in UNITS.items() if _weight_of(cls) > turn
)
"""The kinds, in the order in which the numbers of :class:`RandomCase` have them."""

RANDOM = 40 * len(ORDER)
"""Units drawn at random: 40 times every kind, or 120 times."""


def in_bulk(
    group: str, name: str, spec: Unit, choices: tuple[Options, ...], vectors: int | None
) -> Case:
    """A unit in all implementations at once, in models that Verilator made."""
    return Case(
        name=f"rtl/{group}/bulk/{name}",
        unit=spec,
        implementations=choices,
        vectors=vectors,
        simulator="bulk",
    )


def every_code(group: str, name: str, spec: Unit, choices: tuple[Options, ...]) -> Case:
    """A unit in bulk with all combinations of operand codes, of a group that has others too."""
    return Case(
        name=f"rtl/{group}/exhaustive/{name}",
        unit=spec,
        implementations=choices,
        vectors=None,
        simulator="bulk",
    )


def in_cocotb(group: str, name: str, spec: Unit, choices: tuple[Options, ...]) -> Iterator[Case]:
    """A sample of one choice, or two, on each cocotb simulator."""
    for number, simulator in enumerate(COCOTB):
        yield Case(
            name=f"rtl/{group}/{simulator}/{name}",
            unit=spec,
            implementations=(choices[(2 + number) % len(choices)],),
            vectors=COCOTB_VECTORS,
            simulator=simulator,
        )


def everywhere(
    group: str, name: str, spec: Unit, choices: tuple[Options, ...], vectors: int
) -> Iterator[Case]:
    """In bulk at all choices, and a sample of them on each cocotb simulator."""
    yield in_bulk(group, name, spec, choices, vectors)
    yield from in_cocotb(group, name, spec, choices)


def in_every_flow(group: str, name: str, spec: Unit, stages: tuple[Options, ...]) -> Iterator[Case]:
    """With each handshake, everywhere."""
    for flow in FLOWS:
        choices = tuple({**each, **flow} for each in stages)
        label = flow.get("bus") or flow["flow"]
        yield from everywhere(group, f"{name}_{label}", spec, choices, FEWER)


def in_every_build(name: str, spec: Unit) -> Iterator[Case]:
    """With each reset, multiplier and bus, everywhere."""
    for options in BUILDS:
        choices = tuple({**stages, **options, "flow": "stream"} for stages in STAGES)
        label = "_".join(options.values())
        yield from everywhere("build", f"{name}_{label}", spec, choices, FEWER)


def folds(lanes: int) -> tuple[Options, ...]:
    """The fewest turns without stalls, and as many as there are lanes in a pipeline with them."""
    fewest = next(count for count in range(2, lanes + 1) if lanes % count == 0)
    return {"fold": fewest, "flow": "valid"}, {"fold": lanes, "frequency": 50.0, "flow": "stream"}


def sample_in_cocotb(name: str, spec: Unit, options: Options) -> Iterator[Case]:
    """What a sample has of a unit on each cocotb simulator."""
    for simulator in COCOTB:
        yield Case(
            name=f"rtl/sample/{simulator}/{name}",
            unit=spec,
            implementations=(options,),
            vectors=5_000,
            simulator=simulator,
        )
