# SPDX-License-Identifier: BSD-2-Clause
"""How a unit is built: options that change none of its results."""

from dataclasses import dataclass, fields
from typing import Any

from macaw.golden.errors import SpecError, check_whole

from ..schedule.delays import DELAY_MODELS
from . import naming

__all__ = ["CHOICES", "Implementation"]

CHOICES = {
    "flow": ("none", "valid", "stream"),
    "bus": (None, "axis"),
    "reset": ("sync", "async", "none"),
    "reset_active": ("auto", "high", "low"),
    "ready": ("combinational", "registered"),
    "tlast": ("auto", "on", "off"),
    "multiplier": ("auto", "dsp", "lut"),
    "table": ("logic", "ram"),
    "target": tuple(DELAY_MODELS),
    "optimise": ("balanced", "area", "delay"),
}
"""Options of an implementation that are words, and those that each may be."""

BUDGETS = (0.1, 10.0)
"""The least and the largest share of the period that a stage may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Implementation:
    """How a unit is built; none of it changes a bit of the results.

    Parameters
    ----------
    stages : int, optional
        Register stages, spread evenly; 0 (the default) is combinational.
    frequency : float, optional
        Clock in MHz: registers go where the target's delay model asks for them.
    target : str
        Delay model for ``frequency`` and ``stages``.
    flow : str
        ``none`` (fixed latency), ``valid`` (a valid bit travels along) or ``stream`` (valid and
        ready; nothing is lost or doubled under any pattern of stalls).
    bus : str, optional
        ``axis``: AXI4-Stream names; implies ``stream``.
    ready : str
        Of a stream: ``combinational`` (the source sees the sink's ready in the same clock) or
        ``registered`` (a skid buffer parts them; still an operation per clock).
    tlast : str
        Whether results have ``m_axis_tlast``: with ``auto`` if operands have ``s_axis_tlast``,
        with ``on`` always (and then operands have it too), with ``off`` never.
    reset, reset_active : str
        ``sync``, ``async`` or ``none`` (power-on values only; refused with ``flow=none`` where
        something is kept from beat to beat: it would begin at any clock);
        ``high`` (``rst``, the default) or
        ``low`` (``rst_n``; ``aresetn`` of ``bus=axis``, which is always so).
    multiplier : str
        ``auto``, ``dsp`` (leave every product to the tool) or ``lut`` (build it from gates).
    table : str
        ``logic``, or ``ram``: tables of more than 16 entries are memories that are read at a clock
        edge, as the block RAM of FPGAs has it. Each on the way is a register stage, with
        ``stages=0`` too.
    optimise : str
        What synthesis by macaw maps the unit for, and so what the delay model expects:
        ``balanced``, ``area`` (smaller, slower) or ``delay`` (faster, larger).
    widest_sum : int
        Bits of the widest exact sum to build; a wider one is refused.
    fold : int
        Turns that the lanes of a result take, for units that can share gates among them: an
        operation every ``fold`` clocks instead of every clock. It needs a ``flow``.
    digits : int, optional
        Digits of a quotient or a root that are found in a clock, by gates which are used again for
        the next ones: far fewer gates than one row for each digit, and an operation in as many
        clocks as that takes, and one for the rounding. It needs a ``flow``. Of a floating-point
        unit, which needs a stream for it, other operations take a clock as before.
    budgets : tuple of float, optional
        How long each stage may be beside the others, from the operands' on: one more than
        ``stages``, each from 0.1 to 10, rounded to six digits; text with commas between is taken
        too. Default: all alike.
        For where the delay model misjudges a stage: see :func:`macaw.synth.retimed`.
    name : str, optional
        Module name instead of the one from the specification: no reserved word of Verilog,
        SystemVerilog or VHDL, and no name of the module's own.

    Raises
    ------
    SpecError
        Naming the parameter, its value, and what is allowed.
    """

    stages: int | None = None
    frequency: float | None = None
    target: str = "ecp5"
    flow: str = "none"
    bus: str | None = None
    ready: str = "combinational"
    tlast: str = "auto"
    reset: str = "sync"
    reset_active: str = "auto"
    multiplier: str = "auto"
    table: str = "logic"
    optimise: str = "balanced"
    widest_sum: int = 128
    fold: int = 1
    digits: int | None = None
    budgets: tuple[float, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if not isinstance(value, str | None) or value not in allowed:
                words = ", ".join(str(a).lower() for a in allowed)
                raise SpecError(f"{name}={value}: must be one of {words}")
        if self.stages is not None and self.frequency is not None:
            raise SpecError("stages and frequency: give one of them, not both")
        if self.stages is not None:
            check_whole("stages", self.stages, 0, 64)
        elif self.frequency is None:
            object.__setattr__(self, "stages", 0)
        if self.frequency is not None and not (
            isinstance(self.frequency, int | float) and 0 < self.frequency < 1e6
        ):
            raise SpecError(f"frequency={self.frequency}: must be above 0 MHz")
        if self.frequency is not None:
            object.__setattr__(self, "frequency", float(self.frequency))
        check_whole("widest_sum", self.widest_sum, 1, 4096)
        check_whole("fold", self.fold, 1, 4096)
        if self.digits is not None:
            check_whole("digits", self.digits, 1, 64)
        if self.budgets is not None:
            object.__setattr__(self, "budgets", _budgets(self.budgets, self.stages))
        if self.bus == "axis":
            if self.flow == "valid":
                raise SpecError("flow=valid: bus=axis is a stream, with valid and ready")
            if self.reset_active == "high":
                raise SpecError("reset_active=high: bus=axis has aresetn, which is active low")
            object.__setattr__(self, "flow", "stream")
        elif self.tlast != "auto":
            raise SpecError(f"tlast={self.tlast}: needs bus=axis")
        usual = "low" if self.bus == "axis" else "high"
        if self.reset_active == usual or self.reset == "none":
            object.__setattr__(self, "reset_active", "auto")
        if self.ready == "registered" and self.flow != "stream":
            raise SpecError(f"ready={self.ready}: needs flow=stream or bus=axis")
        if self.flow == "none":
            for name, turns in (("fold", self.fold > 1), ("digits", self.digits is not None)):
                if turns:
                    value = getattr(self, name)
                    raise SpecError(f"{name}={value}: needs flow=valid or stream, or bus=axis")
        if self.name is not None:
            naming.check(self.name)

    @property
    def parameters(self) -> dict[str, Any]:
        """Options that differ from their defaults, JSON-able."""
        plain = Implementation()
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.bus is not None:
            del values["flow"]  # which follows
        if self.budgets is not None:
            values["budgets"] = ",".join(f"{budget:g}" for budget in self.budgets)
        return {n: v for n, v in values.items() if v is not None and v != getattr(plain, n)}

    @property
    def active(self) -> str:
        """The level at which the reset is active, ``high`` or ``low``."""
        if self.reset_active == "auto":
            return "low" if self.bus == "axis" else "high"
        return self.reset_active


def _budgets(given: Any, stages: int | None) -> tuple[float, ...] | None:
    """What each stage has of the period; None where all have the same."""
    if stages is None:
        raise SpecError(f"budgets={given}: needs stages, not frequency")
    words = given.split(",") if isinstance(given, str) else given
    try:
        budgets = tuple(float(f"{float(word):g}") for word in words)  # as commands spell them
    except (TypeError, ValueError):
        budgets = ()
    least, most = BUDGETS
    if len(budgets) != stages + 1 or not all(least <= each <= most for each in budgets):
        raise SpecError(
            f"budgets={given!s:.60}: must be {stages + 1} numbers, for {stages} stages, each from "
            f"{least:g} to {most:g}"
        )
    return budgets if len({*budgets}) > 1 else None
