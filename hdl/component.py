# SPDX-License-Identifier: BSD-2-Clause
"""A unit as a module: the handshake around a datapath, and the choice of its registers."""

from typing import NamedTuple, cast

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from macaw.golden.errors import SpecError
from macaw.golden.units import Unit

from .options import naming
from .options.implementation import Implementation
from .ports import boundary, bus_inputs, list_ports, packets, side_by_side
from .schedule.delays import delay_model
from .schedule.labels import Place
from .schedule.scheduler import Scheduler, Scratch
from .schedule.wire import Wire
from .units.datapath import Datapath
from .units.registry import DATAPATHS

__all__ = ["Component", "build"]

_LONGEST = 1e6
"""Clock period in ns that no datapath fills."""


class _Trial(NamedTuple):
    """Where the registers of a datapath would go with a clock period, and when its results end."""

    scheduler: Scheduler
    depth: int
    ends: float


class Component(wiring.Component):
    """A module of one datapath, with ports, latency and clock decided.

    One operation enters per clock, or in as many clocks as lanes or digits take turns.

    Parameters
    ----------
    datapath : Datapath

    Attributes
    ----------
    depth : int
        Register stages from an operand to its result.
    waits : int
        Clocks that the first beat of the longest row waits besides, until the row has ended.
    pause : int
        Clocks that an operation may take in one stage besides, in which no other moves.
    initiation_interval : int
        Clocks between operations.
    estimate : float
        Nanoseconds from register to register, by the target's delay model.
    clocked : bool
        False if the module has no state, and so neither clock nor reset.
    places : dict of str to Place
        Stage and part of the arithmetic of each signal, once it is elaborated.
    multipliers : list of tuple of int
        Operand widths of each product that is left to the tools.
    port_list : list of Port

    Raises
    ------
    SpecError
        If the frequency or the stages cannot be had, the state has no beginning, or a port has the
        module's name.
    """

    def __init__(self, datapath: Datapath):
        self.datapath = datapath
        spec, implementation = self.spec, self.implementation
        if spec.stateful and implementation.flow == "none" and implementation.reset == "none":
            raise SpecError(
                f"reset=none: {spec.kind} keeps something from beat to beat, and with flow=none "
                "every clock is a beat: needs a reset, or flow=valid or stream"
            )
        # Built for its latency or its ports alone, it need not be elaborated: no warning then.
        self._MustUse__used = True
        self.places: dict[str, Place] = {}
        self._trials: list[_Trial] = []
        self._period, self.depth = self._schedule()
        trial = self._try(self._period).scheduler
        self._trials.clear()
        self.estimate = max(trial.longest, trial.slowest)
        self.waits = trial.waits
        self.pause = trial.pause
        skid = implementation.ready == "registered"
        self.initiation_interval = trial.turns
        self.clocked = trial.registers > 0 or self.depth > 0 or skid
        self.multipliers = sorted(trial.products, reverse=True)
        self.port_list = list_ports(spec, implementation, clocked=self.clocked)
        if implementation.name is not None:
            naming.check_free(implementation.name, (p.name for p in self.port_list), "a port")
        super().__init__(
            {p.name: (In if p.direction == "input" else Out)(p.width) for p in self.port_list}
        )

    @property
    def spec(self) -> Unit:
        """What is computed."""
        return self.datapath.spec

    @property
    def implementation(self) -> Implementation:
        """How it is built."""
        return self.datapath.implementation

    @property
    def latency(self) -> int:
        """Clocks from an operand to its result: of a row, from the first beat of the longest.

        Of operations that take more clocks than others, those of the longest.
        """
        return self.depth + self.waits + self.pause

    # Scheduling.

    def _run(
        self,
        module: Module,
        period: float,
        operands: dict[str, Value] | None = None,
        enable: Value | None = None,
        valid: Value | None = None,
        left: Value | None = None,
    ) -> tuple[Scheduler, dict[str, Wire]]:
        if operands is None:
            inputs = self.spec.ports.inputs
            operands = {n: Signal(o.width, name=f"i_{n}") for n, o in inputs.items()}
        p = Scheduler(
            module,
            delays=delay_model(self.implementation.target, self.implementation.optimise),
            period=period,
            enable=enable,
            valid=valid,
            left=left,
            multiplier=self.implementation.multiplier,
            table=self.implementation.table,
            budgets=self.implementation.budgets or (),
        )
        wires = {name: p.input(value, name) for name, value in operands.items()}
        return p, self.datapath.complete(p, **wires)

    def _try(self, period: float) -> "_Trial":
        """What a clock period leads to; one that is known to lead to the same is not tried."""
        for trial in reversed(self._trials):
            p = trial.scheduler
            if period == p.period or (p.fits <= period < p.over and p.period < float("inf")):
                return trial
        p, results = self._run(_scratch(), period)
        stage = max((w.stage for w in results.values()), default=0)
        trial = _Trial(
            p, max(stage, p.last_stage), max((w.time for w in results.values()), default=0.0)
        )
        self._trials.append(trial)
        return trial

    def _schedule(self) -> tuple[float, int]:
        """(clock period in ns for the scheduler, latency)."""
        option = self.implementation
        if option.frequency is not None:
            period = 1e3 / option.frequency
            p, depth, _ = self._try(period)
            if p.slowest > period:
                raise SpecError(
                    f"frequency={option.frequency:g}: the slowest step of {self.spec.name} takes "
                    f"{p.slowest:.2f} ns on {option.target}, so at most {1e3 / p.slowest:.0f} MHz"
                )
            return period, depth
        stages = option.stages or 0
        turns = option.fold > 1 or option.digits is not None
        wired = not turns and option.table == "logic" and not self.spec.waits
        if stages == 0 and wired:
            return float("inf"), 0
        _, fewest, whole = self._try(float("inf"))
        if stages == 0:
            return float("inf"), fewest
        if stages < fewest:
            name = "fold" if option.fold > 1 else "digits" if turns else "table"
            chosen = f"{name}={getattr(option, name)}"
            raise SpecError(f"stages={stages}: {chosen} takes at least {fewest}")
        # Results that are constant take no time; what is made beside them does.
        low, high = 0.0, whole or 1.0
        # Before an accumulator, which is a clock of its own, there may be more than behind it.
        while self._try(high).depth > stages:
            if high > _LONGEST:
                # Each of several loops has a clock of its own as soon as there is a period.
                return float("inf"), stages
            low, high = high, 2 * high
        for _ in range(14):
            middle = (low + high) / 2
            fits = self._try(middle).depth <= stages
            low, high = (low, middle) if fits else (middle, high)
        return high, stages

    # Elaboration.

    def elaborate(self, platform: object) -> Module:
        """The module: handshake around what the datapath gives."""
        m = Module()
        option = self.implementation
        axis, with_last = option.bus == "axis", packets(self.spec, option)
        ports: dict[str, Signal] = {
            port.name: getattr(self, port.name)
            for port in self.port_list
            if port.role not in ("clock", "reset")
        }
        operands: dict[str, Value] = {}
        if axis:
            for field in side_by_side(bus_inputs(self.spec)):
                operands[field.name] = ports["s_axis_tdata"][field.offset :][: field.spec.width]
            end = boundary(self.spec)
            if end is not None:
                operands[end] = ports["s_axis_tlast"]
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
        interval = self.initiation_interval
        left: Value | None = None
        if interval > 1:
            # The next operation waits until the turns of this one are over.
            assert valid is not None
            left = Signal(range(interval), name="turns_left")
            idle = left == 0
            valid = valid & idle
            with m.If(ready):
                m.d.sync += left.eq(Mux(idle, Mux(valid, interval - 1, 0), left - 1))
            ready = ready & idle
        p, results = self._run(m, self._period, operands, enable, valid, left)
        self.places = p.labels.places
        done = results.pop("done", None)

        out_valid = p.valid(self.depth)
        if out_valid is not None and done is not None:
            out_valid = out_valid & p.at(done, self.depth)
        values = {name: p.at(wire, self.depth) for name, wire in results.items()}
        if with_last:
            values["tlast"] = self._last(p, ports.get("s_axis_tlast"), results.get("end"))
        if out_valid is not None and option.flow != "none":
            free = enable
            if p.busy is not None:
                assert enable is not None
                free = Signal(name="free")
                m.d.comb += enable.eq(free & ~p.busy)
                out_valid = out_valid & ~p.busy
            if free is not None and option.ready == "registered":
                out_valid, values = _skid(m, free, out_valid, values, handshake("o", "ready"))
            m.d.comb += handshake("o", "valid").eq(out_valid)
            if free is not None and option.ready == "combinational":
                m.d.comb += free.eq(~out_valid | handshake("o", "ready"))
        if enable is not None:
            m.d.comb += handshake("i", "ready").eq(ready)
        if axis:
            if with_last:
                m.d.comb += ports["m_axis_tlast"].eq(values["tlast"])
            fields = side_by_side(self.spec.ports.outputs)
            m.d.comb += ports["m_axis_tdata"].eq(Cat(*(f.pad(values[f.name]) for f in fields)))
        else:
            for name, value in values.items():
                m.d.comb += ports[f"o_{name}"].eq(value)
        return m

    def _last(self, p: Scheduler, given: Value | None, end: Wire | None) -> Value:
        """The TLAST of results: the end of a row or tensor, else of the packet they came with.

        A sequence that has become one result is a packet of one.
        """
        if end is not None:
            return p.at(end, self.depth)
        operand = p.inputs.get("end")
        if operand is None:
            if "last" in p.inputs:
                return Const(1, 1)
            assert given is not None
            operand = p.input(given, "tlast")
        return p.at(operand, self.depth)


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


def build(spec: Unit, implementation: Implementation | None = None) -> Component:
    """The module of a specification, with its ports, latency and clock decided.

    Raises
    ------
    SpecError
        If the gates do not offer what the specification asks for, or the frequency is too high.
    """
    datapath = DATAPATHS[type(spec)]
    datapath.check(spec)
    return Component(datapath(spec, implementation or Implementation()))
