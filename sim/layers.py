# SPDX-License-Identifier: BSD-2-Clause
"""Layers of integer networks through a composed datapath in simulation.

A :class:`LayerPipeline` is one unit for many layers: multiply-accumulate, bias, requantisation
per channel, clamp, and where it is asked for a residual sum. What differs between layers goes
through the write port of the unit's memory, a word per output channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from macaw.golden.arithmetic.dyadic import FORMS, Profile, check_integers, check_range
from macaw.golden.arithmetic.integers import codes_of, integers_of, reach
from macaw.golden.errors import CodeError, SpecError
from macaw.golden.formats import Fixed, Format
from macaw.golden.formats.checks import check_format, check_integer
from macaw.golden.tensors.integer_layers import Layer
from macaw.golden.units import ResidualAdd, Unit, unit

from .bench.bulk import STEADY, Model, Traffic
from .bench.interface import Codes

_INT8 = Fixed(width=8)
BEATS = 1 << 18
"""Beats of one part of a layer, about: a limit to memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Residual:
    """How a second branch is added to a layer's result: see :func:`residual_add`.

    Parameters
    ----------
    multiplier, shift : tuple of int
        Of the layer's own result and of the other branch, and of form tflite of their sum; one
        shift for both is one number.
    a_zero, b_zero, zero_point : int
        Zero points of the layer's own result, of the other branch, and of the sum.
    low, high : int, optional
        Limits of the sum.
    """

    multiplier: tuple[int, ...]
    shift: int | tuple[int, ...]
    a_zero: int = 0
    b_zero: int = 0
    zero_point: int = 0
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerPipeline:
    """The datapath that layers go through: ``int-mac | add | requantize | clamp``.

    With ``residual`` it goes on with ``residual-add | clamp``. ``lanes`` products are added a
    beat. The zero point of what comes in is part of the bias.

    Parameters
    ----------
    weight : Format
        Integers, or powers of two.
    x, out : Fixed
        Of what comes in, and of results and the other branch.
    lanes : int
    terms : int
        Most products of a result.
    channels : int
        Most outputs of a layer: words of the memory.
    profile : Profile
        Of the requantisation.
    residual : "separate", "single" or "tflite", optional
        Form of the residual sum, if there is one.
    """

    weight: Format = "int8"  # type: ignore[assignment]
    x: Fixed = "int8"  # type: ignore[assignment]
    out: Fixed = "int8"  # type: ignore[assignment]
    lanes: int = 8
    terms: int = 1024
    channels: int = 16
    profile: Profile = Profile.TFLITE_SINGLE
    residual: str | None = None

    def __post_init__(self) -> None:
        for name in ("weight", "x", "out"):
            object.__setattr__(self, name, check_format(name, getattr(self, name)))
        object.__setattr__(self, "profile", Profile.parse(self.profile, "profile"))
        check_integer("lanes", self.lanes, 1, 4096)
        check_integer("channels", self.channels, 1, 1 << 16)
        if self.residual not in (None, *FORMS):
            raise SpecError(f"residual={self.residual}: must be one of {', '.join(FORMS)}, or none")

    @property
    def unit(self) -> Unit:
        """The pipeline."""
        x, weight, out = (each.name for each in (self.x, self.weight, self.out))
        lanes = f"lanes={self.lanes}, " if self.lanes > 1 else ""
        stages = [
            f"int-mac(a={x}, b={weight}, {lanes}terms={self.terms}, bias=false)",
            "add(b=int32)",
            f"requantize(x=int32, out={out}, profile={self.profile.value}, zero_point=true)",
            f"clamp(a={out})",
        ]
        stored = ["add_b", "requantize_multiplier", "requantize_shift", "requantize_zero_point"]
        stored += ["clamp_low", "clamp_high"]
        if self.residual:
            form = f"form={self.residual}, profile={self.profile.value}"
            stages += [f"residual-add(a={out}, {form}, zero_points=true)", f"clamp(a={out})"]
            stored += [f"residual_add_{name}" for name in self._sum]
            stored += ["clamp2_low", "clamp2_high"]
        return unit(
            "pipeline",
            stages=" | ".join(stages),
            channels=self.channels,
            stored=", ".join(stored),
        )

    def beats(
        self, layer: Layer, x: Any, other: Any = None, residual: Residual | None = None
    ) -> Codes:
        """Return the operands' codes, beat after beat: parameters, then the layer.

        The first beats, one for each output, write its parameters, and give results that mean
        nothing. Then come pixels, outputs of a pixel, and products of an output, in this order.

        Parameters
        ----------
        layer : Layer
            One group, no dilation; weights as of this pipeline, the rest as of golden.
        x : ndarray of integers
            (batch, height, width, inputs), or (batch, inputs) to a fully connected layer.
        other : ndarray of integers, optional
            The other branch, of the shape of the result.
        residual : Residual, optional
        """
        self._check(layer, other, residual)
        ports = self.unit.ports.inputs
        weight = check_integers("weight", layer.weight)
        outputs = len(weight)
        kernel = weight.reshape(outputs, -1)
        rows = _rows(layer, check_integers("x", x))
        steps = -(-kernel.shape[1] // self.lanes)
        room = ((0, 0), (0, steps * self.lanes - kernel.shape[1]))
        # What fills the last beat is zeros: some formats of weights have none.
        kernel = np.pad(kernel, room, constant_values=1).reshape(1, outputs, steps, self.lanes)
        rows = np.pad(rows, room).reshape(-1, 1, steps, self.lanes)
        shape = (len(rows), outputs, steps, self.lanes)
        beats = {
            "a": np.broadcast_to(rows, shape).reshape(-1, self.lanes),
            "b": np.broadcast_to(kernel, shape).reshape(-1, self.lanes),
            "last": np.tile(np.arange(steps) == steps - 1, len(rows) * outputs),
            "channel": np.tile(np.repeat(np.arange(outputs), steps), len(rows)),
        }
        if self.residual:
            assert other is not None
            beats["residual_add_b"] = np.repeat(check_integers("other", other).reshape(-1), steps)
        first = self._parameters(layer, residual, outputs)
        codes: Codes = {}
        for name, port in ports.items():
            shape = (self.lanes,) if port.lanes else ()
            found = [
                part.get(name, np.full((count, *shape), name == "b", np.int64))
                for part, count in ((first, outputs), (beats, len(beats["last"])))
            ]
            joined = np.concatenate(found).astype(np.int64)
            if not port.lanes and joined.ndim > 1:
                joined = joined[:, 0]
            codes[name] = _codes(name, joined, port.format)
        return codes

    def _check(self, layer: Layer, other: Any, residual: Residual | None) -> None:
        if layer.groups != 1 or layer.dilation not in (1, (1, 1)):
            raise SpecError(f"groups={layer.groups}, dilation={layer.dilation}: must be 1")
        if Profile.parse(layer.profile, "profile") is not self.profile:
            raise SpecError(f"profile={layer.profile}: the pipeline has {self.profile}")
        if len(layer.weight) > self.channels:
            raise SpecError(f"channels={self.channels}: the layer has {len(layer.weight)} outputs")
        if np.any(layer.weight_zero):
            raise SpecError("weight_zero: must be 0")
        for weight in np.unique(check_integers("weight", layer.weight)):
            if not _holds(self.weight, int(weight)):
                raise SpecError(f"weight={self.weight.name}: the layer has a weight of {weight}")
        if not (self.residual is None) == (residual is None) == (other is None):
            raise SpecError(
                f"residual={self.residual}: the pipeline takes "
                + ("another branch and its residual" if self.residual else "no other branch")
            )
        if residual is not None and len(_scaling(residual)) != len(self._factors):
            raise SpecError(
                f"multiplier={residual.multiplier}, shift={residual.shift}: "
                f"residual={self.residual} has {', '.join(self._factors)}"
            )

    def _parameters(
        self, layer: Layer, residual: Residual | None, outputs: int
    ) -> dict[str, np.ndarray]:
        """What the write port gets, an element per output."""
        kernel = check_integers("weight", layer.weight).reshape(outputs, -1)
        bias = check_integers("bias", layer.bias) - layer.x_zero * kernel.sum(axis=1)
        low, high = reach(self.out)
        found: dict[str, Any] = {
            "write": 1,
            "last": 1,
            "channel": np.arange(outputs),
            "add_b": bias,
            "requantize_multiplier": layer.multiplier,
            "requantize_shift": layer.shift,
            "requantize_zero_point": layer.zero_point,
            "clamp_low": low if layer.low is None else layer.low,
            "clamp_high": high if layer.high is None else layer.high,
        }
        if residual is not None:
            zeros = (residual.a_zero, residual.b_zero, residual.zero_point)
            values = (*_scaling(residual), *zeros)
            names = [f"residual_add_{name}" for name in self._sum]
            found |= dict(zip(names, values, strict=True))
            found["clamp2_low"] = low if residual.low is None else residual.low
            found["clamp2_high"] = high if residual.high is None else residual.high
        return {n: np.broadcast_to(check_integers(n, v), outputs) for n, v in found.items()}

    @property
    def _sum(self) -> tuple[str, ...]:
        """Operands of the residual sum that its memory holds."""
        return (*self._factors, "a_zero", "b_zero", "zero_point")

    @property
    def _factors(self) -> tuple[str, ...]:
        """Its multipliers and shifts."""
        assert self.residual is not None
        return ResidualAdd(form=self.residual).factors

    def results(self, layer: Layer, x: Any, codes: np.ndarray) -> np.ndarray:
        """Return the layer's integers (batch, ..., outputs) from the unit's codes ``r``."""
        outputs = len(layer.weight)
        word = integers_of(codes[outputs:], self.out)
        if np.ndim(layer.weight) == 2:
            return word.reshape(len(x), outputs)
        height, width = _grid(layer, np.shape(x))[:2]
        return word.reshape(len(x), height, width, outputs)


def _scaling(residual: Residual) -> tuple[int, ...]:
    """Multipliers and shifts in the order of the operands."""
    shifts = residual.shift if isinstance(residual.shift, tuple) else (residual.shift,)
    return (*residual.multiplier, *shifts)


@dataclass(kw_only=True, slots=True)
class LayerSimulation:
    """A pipeline in simulation, which layers are moved through.

    Parameters
    ----------
    pipeline : LayerPipeline
    model : Model
        Of the design of ``pipeline.unit``; see :meth:`open`.
    """

    pipeline: LayerPipeline
    model: Model
    beats: int = 0

    @classmethod
    def open(cls, pipeline: LayerPipeline, **implementation: Any) -> LayerSimulation:
        """Generate the gates and build their simulation; options as of ``macaw.generate``."""
        from macaw import hdl

        return cls(pipeline=pipeline, model=Model.of(hdl.generate(pipeline.unit, **implementation)))

    def run(
        self,
        layer: Layer,
        x: np.ndarray,
        other: np.ndarray | None = None,
        residual: Residual | None = None,
        *,
        traffic: Traffic = STEADY,
        seed: int = 1,
    ) -> np.ndarray:
        """Return what the gates make of ``x``: integers, in the shape that ``layer(x)`` has.

        Raises
        ------
        SpecError for a layer that is not the pipeline's; RuntimeError for a wrong handshake.
        """
        x = check_integers("x", x)
        other = None if other is None else check_integers("other", other)
        parts = []
        for piece in self._pieces(layer, x):
            some = None if other is None else other[piece]
            codes = self.pipeline.beats(layer, x[piece], some, residual)
            self.beats += len(codes["last"])
            found, problem = self.model.run(codes, traffic=traffic, seed=seed + piece.start)
            if problem:
                raise RuntimeError(f"{self.pipeline.unit.name}: {problem}")
            parts.append(self.pipeline.results(layer, x[piece], found["r"]))
        return np.concatenate(parts)

    def _pieces(self, layer: Layer, x: np.ndarray) -> Iterator[slice]:
        """Images that go together."""
        steps = -(-layer.weight[0].size // self.pipeline.lanes) * len(layer.weight)
        if layer.weight.ndim == 4:
            height, width = _grid(layer, x.shape)[:2]
            steps *= height * width
        together = max(1, BEATS // steps)
        for start in range(0, len(x), together):
            yield slice(start, min(start + together, len(x)))


@dataclass(kw_only=True, slots=True)
class PoolSimulation:
    """The unit ``average-pool`` in simulation, for windows that do not overlap.

    Parameters
    ----------
    unit : Unit
        ``average-pool`` of one lane, with a fixed count.
    model : Model
    """

    unit: Unit
    model: Model
    beats: int = 0

    @classmethod
    def open(cls, count: int, profile: str = "half_away", **implementation: Any) -> PoolSimulation:
        """Generate the gates for means of ``count`` int8 values, and build their simulation."""
        from macaw import hdl

        made = unit("average-pool", a="int8", count=count, terms=count, profile=profile)
        return cls(unit=made, model=Model.of(hdl.generate(made, **implementation)))

    def run(
        self, x: np.ndarray, size: int, *, traffic: Traffic = STEADY, seed: int = 1
    ) -> np.ndarray:
        """Return means over windows of size by size, of (batch, height, width, channels)."""
        x = check_range("x", check_integers("x", x), *reach(_INT8), ", in int8")
        if x.ndim != 4:
            raise CodeError(f"x: shape {x.shape}: must be (batch, height, width, channels)")
        batch, height, width, channels = x.shape
        rows, columns = height // size, width // size
        windows = x[:, : rows * size, : columns * size]
        windows = windows.reshape(batch, rows, size, columns, size, channels)
        values = windows.transpose(0, 1, 3, 5, 2, 4).reshape(-1)
        last = (np.arange(values.size) % size**2 == size**2 - 1).astype(np.uint8)
        codes = {"a": values.astype(np.int8).view(np.uint8), "last": last}
        self.beats += values.size
        found, problem = self.model.run(codes, traffic=traffic, seed=seed)
        if problem:
            raise RuntimeError(f"{self.unit.name}: {problem}")
        return found["r"].view(np.int8).reshape(batch, rows, columns, channels)


def _holds(fmt: Format, weight: int) -> bool:
    if isinstance(fmt, Fixed):
        low, high = reach(fmt)
        return low <= weight <= high
    return bool(fmt.decode(fmt.encode(float(weight))) == weight)


def _codes(name: str, integers: np.ndarray, fmt: Format) -> np.ndarray:
    if isinstance(fmt, Fixed):
        check_range(name, integers, *reach(fmt), f", in {fmt.name}")
        return codes_of(integers, fmt)
    return fmt.encode(integers.astype(np.float64))


def _grid(layer: Layer, shape: tuple[int, ...]) -> tuple[int, int, list[tuple[int, int]], Any]:
    """Rows and columns of the result, padding before and after each, and the strides."""
    strides = layer.stride if isinstance(layer.stride, tuple) else (layer.stride,) * 2
    counts, pads = [], []
    for axis, stride in enumerate(strides):
        size, window = shape[1 + axis], layer.weight.shape[1 + axis]
        padding = layer.padding
        if padding == "same":
            missing = max((-(-size // stride) - 1) * stride + window - size, 0)
            around = (missing // 2, missing - missing // 2)
        elif isinstance(padding, str):
            around = (0, 0)
        else:
            each = padding[axis] if isinstance(padding, tuple) else padding
            around = each if isinstance(each, tuple) else (each, each)
        pads.append(around)
        counts.append((size + sum(around) - window) // stride + 1)
    return counts[0], counts[1], pads, strides


def _rows(layer: Layer, x: np.ndarray) -> np.ndarray:
    """What each pixel of the result is made of, in the order of the weights."""
    if layer.weight.ndim == 2:
        return x.reshape(-1, layer.weight.shape[1])
    height, width, pads, (down, right) = _grid(layer, x.shape)
    around = ((0, 0), *pads, (0, 0))
    padded = np.pad(x, around, constant_values=layer.x_zero)
    rows, columns = layer.weight.shape[1:3]
    taken = [
        padded[:, i : i + (height - 1) * down + 1 : down, j : j + (width - 1) * right + 1 : right]
        for i in range(rows)
        for j in range(columns)
    ]
    return np.stack(taken, axis=3).reshape(len(x) * height * width, -1)
