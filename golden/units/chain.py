# SPDX-License-Identifier: BSD-2-Clause
"""Units in a row as one unit: an integer layer's accumulate, add a bias, requantise, clamp, add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.operands import Operand, Operands
from ..errors import CodeError, SpecError
from ..formats.checks import check_integer
from ..formats.scalar import Fixed, Format
from .naming import kind_word, named, spelled
from .specification import UNSET, Ports, Unit

_MOST_CHANNELS = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain(Unit):
    """Units in a row: each takes the ``r`` of the one before as its first operand.

    The first stage's operands keep their names. The others of a later stage are called
    ``<stage>_<operand>``, a stage being named by its kind and from the second of a kind on by a
    number: ``requantize_shift``, ``add_b``, ``add2_b``. They are taken in the beat that gives the
    first stage's result, the one with ``last`` where that accumulates. Results are the last
    stage's.

    With ``channels`` a memory holds the operands that ``stored`` names, a word per channel. Every
    beat has a ``channel``; one with ``write=1`` stores the operands that it brings at its channel,
    for itself and for what follows. A result takes the words of its own beat's channel. CodeError
    for a channel that is used before it is written.

    Parameters
    ----------
    stages : str or sequence of Unit
        ``kind(name=value, ...) | kind(...)``. The format of a later stage's first operand is by
        default that of the result before it. Only the first stage may keep state between beats.
    channels : int
        Words of the memory; 0: none.
    stored : str
        Names of operands that come from the memory, with commas.

    Attributes
    ----------
    chain : tuple of Unit
        The units that ``stages`` means, first to last.
    """

    kind: ClassVar[str] = "pipeline"
    rounds: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"stages": "requantize | clamp"},
        {"stages": "int-mac | requantize | clamp"},
        {"stages": "int-mac | requantize", "channels": 4, "stored": "requantize_shift"},
    )

    stages: str = UNSET
    channels: int = 0
    stored: str = ""
    chain: tuple[Unit, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.stages is None:
            raise SpecError("pipeline: parameter stages is missing")
        Unit.__post_init__(self)
        value: Any = self.stages
        self._set("chain", parse(value if isinstance(value, str) else spell(value)))
        self._set("stages", spell(self.chain))
        check_integer("channels", self.channels, 0, _MOST_CHANNELS)
        stored = [name.strip() for name in self.stored.split(",") if name.strip()]
        offered = [name for _, names in self._later() for name in names.values()]
        for name in stored:
            if name not in offered:
                listed = ", ".join(offered) or "none"
                raise SpecError(f"stored={name}: must be an operand of a later stage: {listed}")
        self._set("stored", ",".join(name for name in offered if name in stored))
        if bool(self.channels) != bool(stored):
            raise SpecError(
                f"channels={self.channels}, stored={self.stored!r}: a memory needs both"
            )

    @property
    def held(self) -> tuple[str, ...]:
        """Names of the operands that the memory holds."""
        return tuple(self.stored.split(",")) if self.stored else ()

    @property
    def accumulates(self) -> bool:  # type: ignore[override]
        """Whether the first stage does."""
        return self.chain[0].accumulates

    @property
    def stateful(self) -> bool:
        """Whether the memory or the first stage keeps something between beats."""
        return bool(self.channels) or self.chain[0].stateful

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation, or per beat."""
        return self.chain[0].macs

    @property
    def multiplied(self) -> tuple[str, ...]:
        return self.chain[0].multiplied

    @property
    def terms(self) -> int | None:
        """Most products of a sequence of the first stage; None: no bound."""
        return getattr(self.chain[0], "terms", None)

    @property
    def contexts(self) -> int:
        """Accumulations that take the beats in turn."""
        return getattr(self.chain[0], "contexts", 1)

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        """Stages and memory, JSON-able."""
        memory = {"channels": self.channels, "stored": self.stored} if self.channels else {}
        return {"stages": self.stages, **memory}

    @property
    def _out(self) -> Format:
        return self.chain[-1].ports.outputs["r"].format

    def _later(self) -> list[tuple[Unit, dict[str, str]]]:
        """Each later stage with its operands but the first, and their names as ports."""
        counts: dict[str, int] = {self.chain[0].kind: 1}
        found = []
        for stage in self.chain[1:]:
            number = counts[stage.kind] = counts.get(stage.kind, 0) + 1
            label = stage.kind.replace("-", "_") + (str(number) if number > 1 else "")
            found.append((stage, {n: f"{label}_{n}" for n in list(stage.ports.inputs)[1:]}))
        return found

    @property
    def links(self) -> list[tuple[Unit, str, dict[str, str]]]:
        """Each later stage, the operand that it takes from the one before, and its other ones.

        The last are a dict from the stage's names to the ports' names.
        """
        return [(unit, next(iter(unit.ports.inputs)), names) for unit, names in self._later()]

    @property
    def ports(self) -> Ports:
        """Operands of all stages, the memory's, and the last stage's results."""
        inputs = dict(self.chain[0].ports.inputs)
        for stage, names in self._later():
            inputs |= {port: stage.ports.inputs[name] for name, port in names.items()}
        if self.channels:
            width = max((self.channels - 1).bit_length(), 1)
            inputs["channel"] = Operand(format=Fixed(width=width, signed=False))
            inputs["write"] = Operand(format=Fixed(width=1, signed=False))
        return Ports(inputs=inputs, outputs=self.chain[-1].ports.outputs)

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`, stage after stage."""
        first = self.chain[0]
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        arrays = operands.arrays
        beats = np.arange(operands.count)
        if self.accumulates or self.channels:
            operands.check_one_axis("pipeline", "beats must be the only axis")
            beats = np.flatnonzero(arrays["last"]) if self.accumulates else beats
        results = first.evaluate(**{name: arrays[name] for name in first.ports.inputs})
        for stage, linked, names in self.links:
            rest = {
                name: self._recall(arrays, port, beats)
                if port in self.held
                else arrays[port][beats]
                for name, port in names.items()
            }
            results = stage.evaluate(**{linked: results["r"]}, **rest)
        if self.accumulates:
            return results
        tails = {name: port.tail for name, port in self.ports.outputs.items()}
        return {n: array.reshape(operands.shape + tails[n]) for n, array in results.items()}

    def _recall(self, arrays: dict[str, np.ndarray], port: str, beats: np.ndarray) -> np.ndarray:
        """What the memory holds of ``port`` for the results of ``beats``."""
        channel = arrays["channel"].astype(np.int64)
        if channel.size and channel.max() >= self.channels:
            raise CodeError(f"channel: {channel.max()} is out of range: below {self.channels}")
        count = channel.size + 1
        written = np.flatnonzero(arrays["write"])
        order = np.argsort(channel[written], kind="stable")
        written = written[order]
        # By channel, then by time: the word is that of the last write at or before the beat.
        keys = channel[written] * count + written
        found = np.searchsorted(keys, channel[beats] * count + beats, "right") - 1
        source = written[np.maximum(found, 0)] if written.size else np.zeros_like(beats)
        missing = (found < 0) | (channel[source] != channel[beats])
        if missing.any():
            beat = beats[missing.argmax()]
            raise CodeError(f"channel: {channel[beat]} is used in beat {beat} and not yet written")
        return arrays[port][source]


def pipeline(*stages: Unit, **parameters: Any) -> Chain:
    """The pipeline of these units; ``parameters`` are ``channels`` and ``stored``."""
    return Chain(stages=spell(stages), **parameters)


def spell(stages: Sequence[Unit]) -> str:
    """The text that :class:`Chain` reads back."""
    return " | ".join(_spell(stage) for stage in stages)


def _spell(stage: Unit) -> str:
    words = (f"{name}={spelled(value)}" for name, value in stage.essential.items())
    return f"{stage.kind}({', '.join(words)})"


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Unit, ...]:
    """The units that a text means; SpecError where it means none, or they do not fit together."""
    from .registry import UNITS, unit

    found: list[Unit] = []
    for part in split(text, "|"):
        kind, bracket, rest = part.partition("(")
        kind = kind.strip()
        if bracket and not rest.rstrip().endswith(")"):
            raise SpecError(f"stages={part.strip()}: must be kind(name=value, ...)")
        parameters: dict[str, Any] = {}
        for word in split(rest.rstrip()[:-1], ",") if bracket else []:
            name, equals, value = word.partition("=")
            if not equals:
                raise SpecError(f"stages={part.strip()}: {word.strip()!r} is not name=value")
            parameters[name.strip()] = value.strip()
        if kind == Chain.kind:
            raise SpecError("stages: a stage cannot be a pipeline")
        if found and kind in UNITS:
            _link(found[-1], kind, parameters)
        stage = unit(kind, **parameters)
        if stage.waits:
            raise SpecError(f"stages={kind}: results wait for the end of a row: no stage can")
        if getattr(stage, "statistics", 0):
            given = f"stages={kind}: statistics={getattr(stage, 'statistics')}"  # noqa: B009
            raise SpecError(f"{given}: must be 0, the results of a pipeline have none")
        if found:
            _check(found[-1], stage)
        found.append(stage)
    if not found:
        raise SpecError("stages: there must be one at least")
    return tuple(found)


def _link(before: Unit, kind: str, parameters: dict[str, Any]) -> None:
    """Give a stage's first operand the format of the result that it takes."""
    from .registry import UNITS

    known = UNITS[kind].__dataclass_fields__
    name = next((n for n in ("a", "x") if n in known), None)
    if name is not None and name not in parameters:
        parameters[name] = before.ports.outputs["r"].format.name


def _check(before: Unit, stage: Unit) -> None:
    """SpecError unless ``stage`` takes what ``before`` gives."""
    if stage.stateful:
        raise SpecError(f"stages={stage.kind}: only the first stage may keep state between beats")
    name, takes = next(iter(stage.ports.inputs.items()))
    gives = before.ports.outputs["r"]
    if takes != gives:
        raise SpecError(
            f"stages={stage.kind}: {name} is {_describe(takes)}, and the {before.kind} before it "
            f"gives {_describe(gives)}"
        )


def _describe(operand: Operand) -> str:
    lanes = "" if operand.lanes is None else f"{operand.lanes} lanes of "
    return lanes + operand.format.name


def split(text: str, separator: str) -> list[str]:
    """The parts of ``text`` between separators that stand in no brackets; none if it is blank."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == separator and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()] if text.strip() else []


def _memory(spec: Chain) -> list[str]:
    """Channels of the memory, and what it holds unless that is all that it could."""
    if not spec.channels:
        return []
    offered = [name for _, names in spec._later() for name in names.values()]
    return [f"c{spec.channels}", *(() if list(spec.held) == offered else spec.held)]


named(
    Chain,
    formats=lambda spec: [stage.name for stage in spec.chain],
    words=_memory,
    brief=lambda spec: [spec.kind, *map(kind_word, spec.chain), *_memory(spec)],
)
