# SPDX-License-Identifier: BSD-2-Clause
"""Names of a datapath's signals: the part of the arithmetic, what it is there, and its stage."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["NAMED", "OPERATION", "Labels", "Place", "scoped"]

OPERATION = {"macaw_operation": 1}
"""Attributes of a signal that is the result of an operation, and not wiring.

Of several names of one net Yosys keeps the one with the most attributes.
"""

NAMED = {**OPERATION, "macaw_named": 1}
"""Attributes of a signal that was given its name for readers."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a signal of a module belongs.

    Attributes
    ----------
    scope : tuple of str
        The parts that it is in, the outermost first: ``("lane3", "multiply")``.
    stage : int
        The stage in which it is valid.
    register : bool
        Whether it is a register, which takes its value at the end of the stage before.
    """

    scope: tuple[str, ...]
    stage: int
    register: bool = False


class Labels:
    """Gives signals their names, ``align_shifted_s2``, and remembers where each belongs."""

    def __init__(self) -> None:
        self.scope: tuple[str, ...] = ()
        self.places: dict[str, Place] = {}
        self._numbers: dict[str, int] = {}

    @contextmanager
    def within(self, part: str) -> Iterator[None]:
        """Signals that are made meanwhile belong to ``part`` of where we are."""
        outer = self.scope
        if part not in outer[-1:]:
            self.scope = (*outer, part)
        try:
            yield
        finally:
            self.scope = outer

    def signal(
        self,
        word: str,
        stage: int,
        *,
        scope: tuple[str, ...] | None = None,
        register: bool = False,
    ) -> str:
        """The name of another signal: one of its own, since later ones are numbered."""
        scope = self.scope if scope is None else scope
        # What has the name of its part needs it once: ``multiply_s0`` is the product itself.
        words = scope if scope[-1:] == (word,) else (*scope, word)
        name = f"{'_'.join(words)}_s{stage}"
        number = self._numbers.get(name, 0) + 1
        self._numbers[name] = number
        if number > 1:
            name = f"{name}_{number}"
        self.places[name] = Place(scope=scope, stage=stage, register=register)
        return name


def scoped(
    part: str,
) -> Callable[[Callable[Concatenate["Scheduler", P], R]], Callable[Concatenate["Scheduler", P], R]]:
    """A function of a scheduler and more, whose signals belong to ``part``."""

    def decorate(
        function: Callable[Concatenate["Scheduler", P], R],
    ) -> Callable[Concatenate["Scheduler", P], R]:
        @functools.wraps(function)
        def inside(p: "Scheduler", /, *args: P.args, **kwargs: P.kwargs) -> R:
            with p.labels.within(part):
                return function(p, *args, **kwargs)

        return inside

    return decorate
