# SPDX-License-Identifier: BSD-2-Clause
"""What every datapath has in common: ports, handshake, and the choice of its registers."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, cast

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from macaw.golden.errors import SpecError, check_whole
from macaw.golden.formats import Fixed
from macaw.golden.units import Operand, Unit

from ..schedule.delays import DELAY_MODELS
from ..schedule.scheduler import Scheduler, Scratch
from ..schedule.wire import Wire
from . import naming

__all__ = ["Datapath", "Implementation", "Port"]

CHOICES = {
    "flow": ("none", "valid", "stream"),
    "bus": (None, "axis"),
    "reset": ("sync", "async", "none"),
    "reset_active": ("auto", "high", "low"),
    "ready": ("combinational", "registered"),
    "tlast": ("auto", "on", "off"),
    "multiplier": ("auto", "dsp", "lut"),
    "target": tuple(DELAY_MODELS),
}
"""Options of an implementation that are words, and those that each may be."""


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
    widest_sum : int
        Bits of the widest exact sum to build; a wider one is refused.
    fold : int
        Turns that the lanes of a result take, for units that can share gates among them: an
        operation every ``fold`` clocks instead of every clock. It needs a ``flow``.
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
    widest_sum: int = 128
    fold: int = 1
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
        if self.fold > 1 and self.flow == "none":
            raise SpecError(f"fold={self.fold}: needs flow=valid or stream, or bus=axis")
        if self.name is not None:
            naming.check(self.name)

    @property
    def parameters(self) -> dict[str, Any]:
        """Options that differ from their defaults, JSON-able."""
        plain = Implementation()
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.bus is not None:
            del values["flow"]  # which follows
        return {n: v for n, v in values.items() if v is not None and v != getattr(plain, n)}

    @property
    def active(self) -> str:
        """The level at which the reset is active, ``high`` or ``low``."""
        if self.reset_active == "auto":
            return "low" if self.bus == "axis" else "high"
        return self.reset_active


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """An operand or result, or several lanes of it, in the bits of an AXI4-Stream's ``tdata``.

    It stands at ``offset`` and is padded to whole bytes: as AMD's cores do it, padding of operands
    is ignored, and that of signed integer and fixed-point results has their sign, that of the
    last lane where there are several. Other results are padded with zeros.
    """

    name: str
    offset: int
    spec: Operand

    @property
    def padded(self) -> int:
        """The bits that it takes."""
        return (self.spec.width + 7) // 8 * 8

    @property
    def sign_extended(self) -> bool:
        """Whether as a result it is padded with its sign."""
        return isinstance(self.spec.format, Fixed) and self.spec.format.signed

    def pad(self, value: Value) -> Value:
        """A result's bits with those of its padding."""
        count = self.padded - self.spec.width
        return Cat(value, (value[-1] if self.sign_extended else Const(0, 1)).replicate(count))

    def metadata(self, direction: str) -> dict[str, Any]:
        """What the JSON file says of it."""
        padding = "ignored" if direction == "input" else "sign" if self.sign_extended else "zero"
        return {
            "name": self.name,
            "offset": self.offset,
            "width": self.spec.width,
            "padded_width": self.padded,
            "padding": padding,
            "signed": self.spec.format.signed,
            "format": self.spec.format.name,
            "lanes": self.spec.lanes,
        }


def _fields(operands: dict[str, Operand]) -> tuple[Field, ...]:
    """Operands side by side, the first in the low bits."""
    fields, offset = [], 0
    for name, operand in operands.items():
        fields.append(Field(name=name, offset=offset, spec=operand))
        offset += fields[-1].padded
    return tuple(fields)


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """A port of the generated module; one with ``fields`` carries several operands or results."""

    name: str
    direction: str
    width: int
    role: str
    operand: str | None = None
    spec: Operand | None = None
    fields: tuple[Field, ...] = ()

    @property
    def metadata(self) -> dict[str, Any]:
        """What the JSON file says of the port."""
        mapped = {"fields": [field.metadata(self.direction) for field in self.fields]}
        return {
            "name": self.name,
            "direction": self.direction,
            "width": self.width,
            "role": self.role,
            "operand": self.operand,
            "format": self.spec.format.name if self.spec else None,
            "lanes": self.spec.lanes if self.spec else None,
        } | (mapped if self.fields else {})


class Datapath(wiring.Component):
    """Gates for one unit specification.

    A subclass writes the arithmetic in :meth:`build`, from operand wires to result wires; where
    registers go is the scheduler's choice. One operation enters per clock.

    Attributes
    ----------
    spec : Unit
    implementation : Implementation
    latency : int
        Clocks from an operand to its result.
    clocked : bool
        False if the module has no state, and so neither clock nor reset.
    multipliers : list of tuple of int
        Operand widths of each product that is left to the tools.
    folds : bool
        True if lanes can take turns: ``Implementation(fold=...)``.
    sums : bool
        True if an exact sum is built, which ``Implementation(widest_sum=...)`` bounds.
    """

    folds: ClassVar[bool] = False
    sums: ClassVar[bool] = False

    def __init__(self, spec: Unit, implementation: Implementation):
        if implementation.fold > 1 and not self.folds:
            raise SpecError(f"fold={implementation.fold}: the lanes of {spec.kind} take no turns")
        if spec.stateful and implementation.flow == "none" and implementation.reset == "none":
            raise SpecError(
                f"reset=none: {spec.kind} keeps something from beat to beat, and with flow=none "
                "every clock is a beat: needs a reset, or flow=valid or stream"
            )
        self.spec = spec
        self.implementation = implementation
        # Built for its latency or its ports alone, it need not be elaborated: no warning then.
        self._MustUse__used = True
        self._period, self.latency = self._schedule()
        trial, _ = self._run(_scratch(), self._period)
        skid = implementation.ready == "registered"
        self.clocked = trial.registers > 0 or self.latency > 0 or skid
        self.multipliers = sorted(trial.products, reverse=True)
        self.port_list = self._ports()
        if implementation.name is not None:
            naming.check_free(implementation.name, (p.name for p in self.port_list), "a port")
        super().__init__(
            {p.name: (In if p.direction == "input" else Out)(p.width) for p in self.port_list}
        )

    @property
    def initiation_interval(self) -> int:
        """Clocks between operations."""
        return self.implementation.fold

    def build(self, p: Scheduler, **operands: Wire) -> dict[str, Wire]:
        """Results from operands; ``done``, if given, says which beats have one."""
        raise NotImplementedError

    @classmethod
    def within(
        cls, p: Scheduler, spec: Unit, implementation: Implementation, operands: dict[str, Wire]
    ) -> dict[str, Wire]:
        """Results of these gates as a part of another datapath, whose scheduler is ``p``."""
        part = cls.__new__(cls)
        part._MustUse__used = True
        part.spec, part.implementation = spec, implementation
        return part.build(p, **operands)

    # Scheduling.

    def _run(
        self,
        module: Module,
        period: float,
        operands: dict[str, Value] | None = None,
        enable: Value | None = None,
        valid: Value | None = None,
    ) -> tuple[Scheduler, dict[str, Wire]]:
        if operands is None:
            inputs = self.spec.ports.inputs
            operands = {n: Signal(o.width, name=f"i_{n}") for n, o in inputs.items()}
        p = Scheduler(
            module,
            delays=DELAY_MODELS[self.implementation.target],
            period=period,
            enable=enable,
            valid=valid,
            multiplier=self.implementation.multiplier,
        )
        wires = {name: p.input(value, name) for name, value in operands.items()}
        return p, self.build(p, **wires)

    def _depth(self, period: float) -> tuple[int, Scheduler, float]:
        p, results = self._run(_scratch(), period)
        stage = max((w.stage for w in results.values()), default=0)
        return max(stage, p.last_stage), p, max(w.time for w in results.values())

    def _schedule(self) -> tuple[float, int]:
        """(clock period in ns for the scheduler, latency)."""
        option = self.implementation
        if option.frequency is not None:
            period = 1e3 / option.frequency
            depth, p, _ = self._depth(period)
            if p.slowest > period:
                raise SpecError(
                    f"frequency={option.frequency:g}: the slowest step of {self.spec.name} takes "
                    f"{p.slowest:.2f} ns on {option.target}, so at most {1e3 / p.slowest:.0f} MHz"
                )
            return period, depth
        stages = option.stages or 0
        if stages == 0 and option.fold == 1:
            return float("inf"), 0
        fewest, _, whole = self._depth(float("inf"))
        if stages == 0:
            return float("inf"), fewest
        if stages < fewest:
            raise SpecError(f"stages={stages}: fold={option.fold} takes at least {fewest}")
        # Results that are constant take no time; what is made beside them does.
        low, high = 0.0, whole or 1.0
        # Before an accumulator, which is a clock of its own, there may be more than behind it.
        while self._depth(high)[0] > stages:
            low, high = high, 2 * high
        for _ in range(14):
            middle = (low + high) / 2
            depth, _, _ = self._depth(middle)
            low, high = (low, middle) if depth <= stages else (middle, high)
        return high, stages

    # Ports.

    def _ports(self) -> list[Port]:
        option = self.implementation
        ports = []
        axis = option.bus == "axis"
        if self.clocked:
            name = "aclk" if axis else "clk"
            ports.append(Port(name=name, direction="input", width=1, role="clock"))
            if option.reset != "none":
                name = "aresetn" if axis else "rst" if option.active == "high" else "rst_n"
                ports.append(Port(name=name, direction="input", width=1, role="reset"))
        if axis:
            return ports + self._axis_ports()
        if option.flow != "none":
            ports.append(Port(name="i_valid", direction="input", width=1, role="valid"))
        if option.flow == "stream":
            ports.append(Port(name="i_ready", direction="output", width=1, role="ready"))
        for name, operand in self.spec.ports.inputs.items():
            role = "last" if name == "last" else "operand"
            ports.append(
                Port(name=f"i_{name}", direction="input", width=operand.width, role=role,
                     operand=name, spec=operand)
            )  # fmt: skip
        if option.flow != "none":
            ports.append(Port(name="o_valid", direction="output", width=1, role="valid"))
        if option.flow == "stream":
            ports.append(Port(name="o_ready", direction="input", width=1, role="ready"))
        for name, operand in self.spec.ports.outputs.items():
            ports.append(
                Port(name=f"o_{name}", direction="output", width=operand.width, role="result",
                     operand=name, spec=operand)
            )  # fmt: skip
        return ports

    def _axis_ports(self) -> list[Port]:
        ports = []
        for prefix, operands, into in (
            ("s_axis", self._bus_inputs(), "input"),
            ("m_axis", self.spec.ports.outputs, "output"),
        ):
            back = "output" if into == "input" else "input"
            mapped = _fields(operands)
            role = "operand" if into == "input" else "result"
            ports += [
                Port(name=f"{prefix}_tdata", direction=into, role=role, fields=mapped,
                     width=sum(field.padded for field in mapped)),
                Port(name=f"{prefix}_tvalid", direction=into, width=1, role="valid"),
                Port(name=f"{prefix}_tready", direction=back, width=1, role="ready"),
            ]  # fmt: skip
            boundary = self._boundary
            if into == "input" and boundary is not None:
                ports.append(
                    Port(name=f"{prefix}_tlast", direction=into, width=1, role="last",
                         operand=boundary, spec=self.spec.ports.inputs[boundary])
                )  # fmt: skip
            elif self._packets:
                ports.append(Port(name=f"{prefix}_tlast", direction=into, width=1, role="last"))
        return ports

    @property
    def _boundary(self) -> str | None:
        """The operand that is AXI4-Stream's TLAST: ``last``, or else ``end``."""
        return next((name for name in ("last", "end") if name in self.spec.ports.inputs), None)

    @property
    def _packets(self) -> bool:
        """Whether results have a TLAST."""
        option = self.implementation
        return option.bus == "axis" and (
            option.tlast == "on" or (option.tlast == "auto" and self._boundary is not None)
        )

    def _last(self, p: Scheduler, given: Value | None) -> Value:
        """The TLAST of results: the end of a tensor, else of the packet that they came with.

        A sequence that has become one result is a packet of one.
        """
        operand = p.inputs.get("end")
        if operand is None:
            if "last" in p.inputs:
                return Const(1, 1)
            assert given is not None
            operand = p.input(given, "tlast")
        return p.at(operand, self.latency)

    def _bus_inputs(self) -> dict[str, Operand]:
        inputs = self.spec.ports.inputs
        return {name: operand for name, operand in inputs.items() if name != self._boundary}

    # Elaboration.

    def elaborate(self, platform: object) -> Module:
        """The module: handshake around what :meth:`build` gives."""
        m = Module()
        option = self.implementation
        axis = option.bus == "axis"
        ports: dict[str, Signal] = {
            port.name: getattr(self, port.name)
            for port in self.port_list
            if port.role not in ("clock", "reset")
        }
        operands: dict[str, Value] = {}
        if axis:
            for field in _fields(self._bus_inputs()):
                operands[field.name] = ports["s_axis_tdata"][field.offset :][: field.spec.width]
            if self._boundary is not None:
                operands[self._boundary] = ports["s_axis_tlast"]
        else:
            operands = {name: ports[f"i_{name}"] for name in self.spec.ports.inputs}

        def handshake(prefix: str, name: str) -> Signal:
            bus = {"i": "s_axis_t", "o": "m_axis_t"}[prefix]
            return ports[f"{bus}{name}" if axis else f"{prefix}_{name}"]

        valid: Value | None = None
        enable: Signal | None = None
        if option.flow != "none":
            valid = handshake("i", "valid")
        elif self.spec.stateful and option.reset != "none":
            # Every clock is a beat, but for those under reset.
            valid = ~ResetSignal()
        if option.flow == "stream":
            enable = Signal(name="advance")
        ready: Value = Const(1, 1) if enable is None else enable
        if option.fold > 1:
            # The next operation waits until the turns of this one are over.
            assert valid is not None
            left = Signal(range(option.fold), name="turns_left")
            idle = left == 0
            valid = valid & idle
            with m.If(ready):
                m.d.sync += left.eq(Mux(idle, Mux(valid, option.fold - 1, 0), left - 1))
            ready = ready & idle
        p, results = self._run(m, self._period, operands, enable, valid)
        done = results.pop("done", None)

        out_valid = p.valid(self.latency)
        if out_valid is not None and done is not None:
            out_valid = out_valid & p.at(done, self.latency)
        values = {name: p.at(wire, self.latency) for name, wire in results.items()}
        if self._packets:
            values["tlast"] = self._last(p, ports.get("s_axis_tlast"))
        if out_valid is not None and option.flow != "none":
            if enable is not None and option.ready == "registered":
                out_valid, values = _skid(m, enable, out_valid, values, handshake("o", "ready"))
            m.d.comb += handshake("o", "valid").eq(out_valid)
            if enable is not None and option.ready == "combinational":
                m.d.comb += enable.eq(~out_valid | handshake("o", "ready"))
        if enable is not None:
            m.d.comb += handshake("i", "ready").eq(ready)
        if axis:
            if self._packets:
                m.d.comb += ports["m_axis_tlast"].eq(values["tlast"])
            fields = _fields(self.spec.ports.outputs)
            m.d.comb += ports["m_axis_tdata"].eq(Cat(*(f.pad(values[f.name]) for f in fields)))
        else:
            for name, value in values.items():
                m.d.comb += ports[f"o_{name}"].eq(value)
        return m


def _skid(
    m: Module, free: Signal, valid: Value, values: dict[str, Value], taken: Value
) -> tuple[Value, dict[str, Value]]:
    """A place behind the datapath for the result that the sink does not take at once.

    The datapath moves while that place is ``free``, a register, whatever the sink says.
    """
    empty = Signal(name="skid_empty", init=1)
    m.d.comb += free.eq(empty)
    m.d.sync += empty.eq(taken | (empty & ~valid))
    shown: dict[str, Value] = {}
    for name, value in values.items():
        held = Signal(len(value), name=f"skid_{name}", reset_less=True)
        with m.If(empty):
            m.d.sync += held.eq(value)
        shown[name] = out = Signal(len(value), name=f"out_{name}")
        m.d.comb += out.eq(Mux(empty, value, held))
    return valid | ~empty, shown


def _scratch() -> Module:
    return cast(Module, Scratch())
