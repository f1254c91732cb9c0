# SPDX-License-Identifier: BSD-2-Clause
"""Sums as machines make them, drawn so that formats and counts are those of the machine.

A machine's profile comes before the formats, which then follow it; all else is drawn as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from macaw.golden.arithmetic.accumulation import MACHINES, MachineSum
from macaw.golden.formats.block import AnyFormat, Block
from macaw.golden.formats.block import format as any_format
from macaw.golden.formats.choices import Rounding

from .parameters import NAMES, Draw, Rule, Rules, by_type, hints

_SHARE = 0.3
"""Of the sums that nothing before forbids a machine."""
_MOST = 16
"""Products, but for blocks: the gates of more take long to build, and are no others."""


def _kinds(draw: Draw) -> tuple[MachineSum, ...]:
    """What the machine adds up; nothing where none was drawn."""
    return MACHINES.get(str(draw.get("accumulation")), ())


def _kind(draw: Draw) -> MachineSum | None:
    """Of those, what adds the operands that were drawn."""
    operands = [draw.get(name) for name in "ab" if draw.get(name) is not None]
    return next((kind for kind in _kinds(draw) if kind.takes(*operands)), None)


def _usual(draw: Draw, name: str) -> Any:
    rule = NAMES.get(name) or by_type(hints(draw.cls)[name])
    return rule(draw)


def accumulation(draw: Draw) -> str:
    """A machine, or what units have else."""
    fixed = draw.get("rounding", Rounding.RNE) is not Rounding.RNE
    fixed = fixed or draw.get("overflow") or draw.get("product")
    if fixed or draw.given or draw.rng.random() > _SHARE:
        return _usual(draw, "accumulation")
    return draw.one(*MACHINES)


def _operand(name: str) -> Rule:
    def rule(draw: Draw) -> AnyFormat:
        kinds = _kinds(draw)
        if name == "b" and kinds:
            kinds = tuple(kind for kind in kinds if kind.takes(draw.get("a")))
        blocks = draw.cls.kind.startswith("block")
        kinds = tuple(kind for kind in kinds if blocks or not kind.scales)
        if not kinds:
            return _usual(draw, name)
        kind = draw.one(*kinds)
        element = draw.one(*kind.operands)
        if not kind.scales:
            return any_format(element)
        first = draw.get("a")
        scale, size = draw.one(*kind.scales)
        if name == "b" and isinstance(first, Block):
            scale, size = first.scale.name, first.size
        return any_format(f"{element}-k{size}-{scale}")

    return rule


def _of_machine(name: str, drawn: Callable[[Draw, MachineSum, str], Any]) -> Rule:
    """The usual rule for a name, and ``drawn`` where a machine was."""

    def rule(draw: Draw) -> Any:
        kind = _kind(draw)
        return _usual(draw, name) if kind is None else drawn(draw, kind, name)

    return rule


def _result(draw: Draw, kind: MachineSum, name: str) -> AnyFormat:
    addend = draw.get("c")
    return any_format(draw.one(*kind.results)) if addend is None else addend


def _count(draw: Draw, kind: MachineSum, name: str) -> int:
    if name == "lanes" and draw.get("size") is not None:
        return draw.get("size")
    if kind.scales:
        return kind.products
    step = kind.products or 4
    few = draw.integer(1, min(step, _MOST // 2))
    return draw.one(few, few, 2 * step if 2 * step <= _MOST else few)


RULES: Rules = {
    "accumulation": accumulation,
    **{name: _operand(name) for name in "ab"},
    **{name: _of_machine(name, _result) for name in ("c", "out", "acc")},
    ("block-mac", "out"): lambda draw: _usual(draw, "out"),
    ("mac", "acc"): lambda draw: _usual(draw, "acc"),
    **{name: _of_machine(name, _count) for name in ("lanes", "size")},
}
"""Of the families that add products up."""
