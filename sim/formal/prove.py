# SPDX-License-Identifier: BSD-2-Clause
"""The RTL of a unit for all inputs: :func:`prove`."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from macaw.golden.errors import SpecError, check_whole
from macaw.golden.units import Unit
from macaw.hdl.options.naming import command
from macaw.tools import simulators, yosys
from macaw.tools.processes import cores

from ..bench.interface import MARK, Codes, Interface, unpack
from ..mismatch import Mismatch
from ..stimulus.exhaustive import exhaustive_bits
from ..verify import Report, design_of, replay, verify
from . import chain, exhaustive, miter, plain, stages, steps, symfpu
from .by_cases import LANES, ask, of_unit
from .plain import machines, quantising
from .proof import METHODS, OPEN, PROVEN, REFUTED, Proof, Step

if TYPE_CHECKING:
    from macaw.hdl import Design

LARGEST = 24
"""Bits of all operands together up to which they are enumerated, unless told otherwise."""
MOST = 32
JOBS = 1024
LIMIT = 600.0

Progress = Callable[[int, int], None]

OWN = (
    "symfpu",
    *(f"macaw_{name}" for name in ("at_once", "miter", "plain", "running", "symfpu")),
    quantising.ELEMENT,
)
"""Names of modules that are read together with the one that is proven."""
_PIPELINE = "pipeline, at any pauses and stalls = gates without registers, {} later"
_NETLIST = "netlist for {} = gates without registers"
_PIPELINED = "netlist for {}, at any pauses and stalls = gates without registers, {} later"
_TRIED = 5_000
"""Vectors that are simulated where a step is wrong, and nothing says for which operands."""
_FEW = 20
"""Bits of operands up to which all are."""
_GATES = "gates without registers = golden model"
_BEAT = "each beat, from any state = golden model"


def prove(
    spec: Unit | Design,
    *,
    implementation: Any = None,
    method: str | None = None,
    largest: int = LARGEST,
    limit: float = LIMIT,
    jobs: int | None = None,
    progress: Progress | None = None,
    cache: bool = True,
    **options: Any,
) -> Proof:
    """Prove for all inputs that the RTL of a unit computes what ``spec.evaluate`` says.

    Parameters
    ----------
    spec : Unit or Design
        A unit is generated first, with ``implementation`` or ``options`` (stages, flow, ...). A
        design may be what a unit was mapped to, :func:`macaw.synth.mapped`: then its gates are
        proven as they are generated, and the netlist to be equal to these.
    method : str, optional
        One of :data:`METHODS`. Default: the first that applies.
    largest : int
        Bits of all operands together, up to 32, that may be enumerated.
    limit : float
        Seconds; what is not proven then is open.
    jobs : int, optional
        How many cases of a question that is asked in cases are decided at a time. Default: one a
        core.
    progress : callable, optional
        Called with what is done of how much.
    cache : bool
        Keep what is proven, and use what was: a proof that stopped goes on where it was.

    Raises
    ------
    SpecError, ToolError
        For wrong options; for a missing tool. A refuted unit is no error: see the proof.
    """
    started = time.monotonic()
    if method is not None and method not in METHODS:
        raise SpecError(f"method={method!s:.60}: must be one of {', '.join(METHODS)}")
    check_whole("largest", largest, 1, MOST)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < 1e9:
        raise SpecError(f"limit={limit!s:.60}: must be a number of seconds above 0, below 1e9")
    if jobs is not None:
        check_whole("jobs", jobs, 1, JOBS)
    design = design_of(spec, implementation, options)
    if (name := design.metadata["name"]) in OWN:
        raise SpecError(f"name={name}: proofs have modules of the names {', '.join(OWN)}")
    run = _Run(
        design=design,
        method=method,
        largest=largest,
        until=started + limit,
        jobs=jobs or cores(),
        cache=cache,
        progress=progress or (lambda done, total: None),
    )
    run.prove()
    verdicts = {step.verdict for step in run.steps}
    return Proof(
        verdict=next((word for word in (REFUTED, OPEN) if word in verdicts), PROVEN),
        name=design.metadata["name"],
        steps=tuple(run.steps),
        tools=tuple(dict.fromkeys(run.tools)),
        seconds=time.monotonic() - started,
        mismatch=run.mismatch,
    )


@dataclasses.dataclass(kw_only=True, slots=True)
class _Run:
    """One design, and what is found out about it."""

    design: Any
    method: str | None
    largest: int
    until: float
    jobs: int
    cache: bool
    progress: Progress
    steps: list[Step] = dataclasses.field(default_factory=list)
    tools: list[str] = dataclasses.field(default_factory=list)
    mismatch: Mismatch | None = None

    @property
    def unit(self) -> Unit:
        return self.design.spec

    def prove(self) -> None:
        if self.unit.stateful:
            self._beat()
            return
        gates = _without_registers(self.design)
        refused = {
            "exhaustive": self._too_many(),
            "symfpu": f"symfpu {why}" if (why := symfpu.refuses(self.unit)) else "",
            "plain": f"plain {why}" if (why := plain.refuses(self.unit)) else "",
        }
        # Of a netlist first whether it is what was generated: it may be where the rest is open.
        if _mapped(self.design):
            self._stages(gates)
            if self.mismatch is not None:
                return
        methods = METHODS if self.method is None else (self.method,)
        chosen = next((name for name in methods if not refused[name]), None)
        if chosen is None:
            self._leave(_GATES, "; ".join(refused[name] for name in methods), "none")
        else:
            {"exhaustive": self._exhaustive, "symfpu": self._symfpu, "plain": self._plain}[chosen](
                gates
            )
        if _mapped(self.design):
            self.steps.reverse()
        elif gates is not self.design and self.mismatch is None:
            self._stages(gates)

    def _too_many(self) -> str:
        bits = exhaustive_bits(self.unit)
        if bits > self.largest:
            return f"2**{bits} operand codes, of which up to 2**{self.largest} are enumerated"
        return ""

    def _leave(self, claim: str, reason: str, method: str, covered: str = "") -> None:
        step = Step(claim=claim, method=method, verdict=OPEN, covered=covered, reason=reason)
        self.steps.append(step)

    def _exhaustive(self, gates: Any) -> None:
        done = exhaustive.run(
            gates,
            largest=self.largest,
            until=self.until,
            command=self._command(gates),
            progress=self.progress,
            cache=self.cache,
        )
        self.tools.append(f"verilator {simulators.verilator().version}")
        self.mismatch = done.mismatch
        short = done.vectors < done.total
        verdict = REFUTED if done.mismatch else OPEN if short else PROVEN
        rate = done.vectors / done.seconds / 1e6 if done.seconds else 0.0
        every = f"{done.vectors:,} of {done.total:,}" if short else f"all {done.total:,}"
        self.steps.append(
            Step(
                claim=_GATES,
                method="exhaustive",
                verdict=verdict,
                covered=f"{every} operand codes, {rate:.2f} M/s",
                reason="time limit" if verdict == OPEN else "",
                seconds=done.seconds,
            )
        )

    def _symfpu(self, gates: Any) -> None:
        question = self._question(gates, symfpu.reference(self.unit))
        if not self._cases(question, gates, "symfpu"):
            self._ask(question, gates, _GATES, "symfpu")

    def _cases(self, question: miter.Question, gates: Any, method: str) -> bool:
        """Whether the question was asked in cases or steps, and answered or left open."""
        how, words = of_unit(self.unit), plain.words(self.unit)
        if words.called:
            asks = functools.partial(chain.ask, question, words)
        elif how is not None:
            asks = functools.partial(ask, question, how)
        else:
            return False
        try:
            asked = asks(
                until=self.until,
                jobs=self.jobs,
                progress=self.progress,
                cache=self.cache,
            )
        except yosys.ToolTimeout:
            self._leave(_GATES, "time limit", method)
            return True
        if asked is None:
            return False
        covered = f"all operand codes, in {asked.parts}"
        if asked.verdict != PROVEN:
            covered = f"{asked.proven} of {asked.parts}"
        answer = miter.Answer(
            verdict=asked.verdict,
            seconds=asked.seconds,
            inputs=asked.inputs,
            reason=asked.why,
        )
        self._judge(answer, gates, _GATES, method, covered)
        return True

    def _plain(self, gates: Any) -> None:
        reference = miter.Source(module=plain.MODULE, verilog=plain.reference(self.unit))
        question = self._question(gates, reference)
        split = self.unit.kind in LANES or plain.words(self.unit).called
        if not split or not self._cases(question, gates, "plain"):
            self._ask(question, gates, _GATES, "plain")

    def _beat(self) -> None:
        """Of a unit with a state: that one beat is right, from any state."""
        why = machines.refuses(self.unit)
        if self.method not in (None, "plain"):
            why = f"method={self.method}: must be plain, for a unit with a state"
        if _mapped(self.design) or _registered(self.design):
            why = why or "with a state only gates without stages are proven"
        if why:
            self._leave(_BEAT, why, "none")
            return
        interface = Interface.of(self.design.metadata, self.unit.ports)
        try:
            question = steps.question(
                self.design, interface, machines.machine(self.unit), timeout=self._left()
            )
        except steps.NoMachine as error:
            self._leave(_BEAT, str(error), "plain")
        except yosys.ToolTimeout:
            self._leave(_BEAT, "time limit", "plain")
        else:
            self._ask(question, self.design, _BEAT, "plain")

    def _question(self, gates: Any, reference: miter.Source) -> miter.Question:
        interface = Interface.of(gates.metadata, self.unit.ports)
        return miter.Question(
            gates=miter.Source(module=gates.metadata["name"], verilog=gates.verilog),
            reference=reference,
            inputs={pin.name: pin.width for pin in interface.inputs},
            outputs={pin.name: pin.width for pin in interface.outputs},
        )

    def _stages(self, gates: Any) -> None:
        started = time.monotonic()
        interface = Interface.of(self.design.metadata, self.unit.ports)
        clocks = f"{interface.latency} clock{'s' * (interface.latency != 1)}"
        method, claim = "stages", _PIPELINE.format(clocks)
        if mapped := _mapped(self.design):
            method, claim = "netlist", _PIPELINED.format(mapped[1], clocks)
            if not _registered(self.design):
                claim = _NETLIST.format(mapped[1])
        if why := stages.refuses(interface):
            self._leave(claim, why, method)
            return
        try:
            pipeline, moving, why = stages.pipeline(
                self.design.verilog, interface, until=self.until, mapped=bool(mapped)
            )
        except yosys.ToolTimeout:
            self._leave(claim, "time limit", method)
            return
        if why:
            tried = self._simulated(self.design)
            self.mismatch = tried.mismatch
            verdict = REFUTED if tried.mismatch else OPEN
            self.steps.append(
                Step(
                    claim=claim,
                    method=method,
                    verdict=verdict,
                    covered="" if tried.mismatch else f"{tried.vectors:,} vectors were simulated",
                    reason="" if tried.mismatch else why,
                    seconds=time.monotonic() - started,
                )
            )
            return
        inputs = {pin.name: pin.width for pin in moving.inputs}
        outputs = {pin.name: pin.width for pin in moving.outputs}
        if moving.valid_in and moving.valid_out:
            inputs[moving.valid_in] = outputs[moving.valid_out] = 1
        plain_ = Interface.of(gates.metadata, self.unit.ports)
        question = miter.Question(
            gates=pipeline,
            reference=stages.at_once(gates, moving, plain_),
            inputs=inputs,
            outputs=outputs,
            wires=True,
        )
        self._ask(question, self.design, claim, method)

    def _simulated(self, design: Any) -> Report:
        simulator = "bulk" if "bulk" in simulators.available() else None
        few = not self.unit.stateful and exhaustive_bits(self.unit) <= _FEW
        if few and not _registered(design):
            return verify(design, simulator=simulator, exhaustive=True)
        return verify(design, simulator=simulator, vectors=_TRIED, seed=1)

    def _left(self) -> float:
        return max(self.until - time.monotonic(), 1.0)

    def _ask(self, question: miter.Question, design: Any, claim: str, method: str) -> None:
        answer = miter.decide(question, timeout=self._left(), cache=self.cache)
        covered = "all operand codes" if answer.verdict == PROVEN else ""
        self._judge(answer, design, claim, method, covered)

    def _judge(
        self, answer: miter.Answer, design: Any, claim: str, method: str, covered: str
    ) -> None:
        """What follows from an answer: a counterexample is tried before it counts."""
        self.tools.append(str(yosys.find("yosys", prefer="yowasp")))
        reason, verdict = answer.reason, answer.verdict
        if answer.inputs is not None:
            if not self.unit.stateful:
                codes = _codes(Interface.of(design.metadata, self.unit.ports), answer.inputs)
                self.mismatch = replay(design, codes, command=self._command(design))
            # Not each counterexample that ABC gives is one of the question.
            self.mismatch = self.mismatch or self._simulated(design).mismatch
            if self.mismatch is None:
                verdict = OPEN
                reason = f"{method} differs, and simulation does not, for {answer.inputs}"
        self.steps.append(
            Step(
                claim=claim,
                method=method,
                verdict=verdict,
                covered=covered,
                reason=reason if verdict == OPEN else "",
                seconds=answer.seconds,
            )
        )

    def _command(self, gates: Any) -> str:
        rest = [*_mapped(self.design), "--formal"]
        rest += ["--method", self.method] if self.method else []
        rest += ["--largest", str(self.largest)] if self.largest != LARGEST else []
        how = getattr(self.design, "implementation", None)
        return command("verify", self.unit, how, *rest)


def _without_registers(design: Any) -> Any:
    """The same gates in one clock, of which the results are a function of the operands."""
    if not _mapped(design) and not _registered(design):
        return design
    from macaw.hdl import generate

    how = design.implementation
    name = "macaw_gates" if design.metadata["name"] != "macaw_gates" else "macaw_gates_too"
    return generate(design.spec, multiplier=how.multiplier, widest_sum=how.widest_sum, name=name)


def _mapped(design: Any) -> tuple[str, ...]:
    """What a command has besides for a netlist, its target in the second place; else nothing."""
    return getattr(design, "arguments", ())


def _registered(design: Any) -> bool:
    return design.metadata["latency"] != 0 or design.metadata["flow"] != "none"


def _codes(interface: Interface, pins: dict[str, int]) -> Codes:
    """One row of operand codes, from what the pins carry."""
    codes: Codes = {}
    for pin in interface.inputs:
        code = pins[pin.name]
        words = [code >> shift & (1 << 64) - 1 for shift in range(0, pin.width, 64)]
        codes |= unpack(pin, np.array([words], np.uint64))
    # The end of a packet is no operand.
    return {name: column for name, column in codes.items() if name != MARK}
