# SPDX-License-Identifier: BSD-2-Clause
"""From a unit to its price: area and timing on one target."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol, get_args, get_origin, get_type_hints

from macaw.golden.errors import SpecError
from macaw.golden.units import Unit
from macaw.tools import processes, store
from macaw.tools import yosys as tools
from macaw.tools.yosys import Notify, ToolFailure, ToolTimeout

from . import dsp_registers, registers, targets, timing
from .targets import Target

TIMEOUT = 1200.0
"""Seconds that one call of one tool may take."""

ABC_PATIENCE = 240.0
"""Seconds for a mapping with a delay target; ABC was seen to loop for longer on some netlists."""

WIDE_BITS, MANY_BITS, LONG_TEXT = 100, 700, 50_000
"""Units of more bits of operands, bits of partial products, or characters of Verilog, than this are
mapped with short sweeps for equal signals. An fp32 multiply-add lies below all."""

REVISION = 1
"""Part of each cache key: raised when this file measures differently."""


class Design(Protocol):
    """What the flow needs of :class:`macaw.hdl.Design`."""

    @property
    def name(self) -> str:
        """Of the module."""
        ...

    @property
    def verilog(self) -> str:
        """Text of the module."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Ports, latency and the rest, as in the JSON companion."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A module that macaw did not generate: name, Verilog text, and its ports as metadata."""

    name: str
    verilog: str
    metadata: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """Area and timing of one module on one target.

    A figure that the target does not have is None. ``fmax_mhz``, ``delay_fo4`` and ``delay_ps``
    are register to register: the unit between registers of the same technology.
    """

    name: str
    target: str
    device: str | None = None
    latency: int = 0
    initiation_interval: int = 1
    luts: int | None = None
    carries: int | None = None
    lut_equivalents: float | None = None
    ffs: int | None = None
    dsps: int | None = None
    brams: int | None = None
    gate_equivalents: float | None = None
    fmax_mhz: float | None = None
    delay_fo4: float | None = None
    delay_ps: float | None = None
    logic_fo4: float | None = None
    """Without clock-to-output and setup of the registers."""
    logic_ps: float | None = None
    critical_path: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    seconds: float = 0.0
    cached: bool = field(default=False, compare=False)

    @property
    def cost(self) -> float:
        """In the target's unit of area.

        Gate equivalents; on FPGAs logic cells: a cell holds one LUT and one flip-flop, so the
        larger of their numbers.
        """
        if self.gate_equivalents is not None:
            return self.gate_equivalents
        return max(self.lut_equivalents or 0, self.ffs or 0)

    @property
    def rate(self) -> float | None:
        """Operations per microsecond; per 1000 FO4 where a library has no picoseconds."""
        if self.fmax_mhz is not None:
            clock = self.fmax_mhz
        elif self.delay_fo4:
            clock = 1000 / self.delay_fo4
        else:
            return None
        return clock / self.initiation_interval

    def to_json(self) -> dict[str, Any]:
        """The figures as what ``json.dumps`` takes."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        """Inverse of :meth:`to_json`; unknown names are left out.

        TypeError for a value that is not of its field's type, or a missing one.
        """
        hints = get_type_hints(cls)
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data.items()
            if name in hints
        }
        for name, value in values.items():
            hint = hints[name]
            kinds = tuple(get_origin(kind) or kind for kind in get_args(hint) or (hint,))
            kinds = (tuple,) if get_origin(hint) is tuple else kinds
            if not isinstance(value, (*kinds, int) if float in kinds else kinds):
                raise TypeError(f"{name}: {value!r}")
        return cls(**values)


def run(
    spec: Unit | Design,
    target: str | Target = "ecp5",
    /,
    *,
    liberty: str | Path | None = None,
    multiplier: str | None = None,
    area_only: bool = False,
    cache: bool = True,
    timeout: float = TIMEOUT,
    seed: int = 1,
    progress: Notify | None = None,
    **implementation: Any,
) -> Result:
    """Price a unit, or a design that is generated already, on one target.

    Parameters
    ----------
    spec : Unit or Design
    target : str or Target
        A name of :data:`macaw.synth.targets.TARGETS`.
    liberty : path, optional
        Price on this Liberty library; ``target`` must be ``asic``.
    multiplier : {'auto', 'dsp', 'lut'}, optional
        Default: the implementation's own.
    area_only : bool
        Leave place and route out; ``fmax_mhz`` is None then.
    cache : bool
        Take a stored result, and store this one.
    timeout : float
        Seconds per tool call.
    seed : int
        nextpnr's.
    progress : callable, optional
        Gets a line of text when something takes long or goes another way.
    **implementation
        Options of :func:`macaw.hdl.generate` when ``spec`` is a unit; its ``target``, the delay
        model, follows the target priced on.

    Raises
    ------
    SpecError
        Unknown target or option.
    ToolError
        A tool is missing, failed, or ran out of time.
    """
    chosen = targets.target(target, liberty)
    if not isinstance(timeout, int | float) or timeout <= 0:
        raise SpecError(f"timeout: {timeout} is not a positive number of seconds")
    generated = all(hasattr(spec, part) for part in ("name", "verilog", "metadata"))
    if not isinstance(spec, Unit) and not generated:
        raise SpecError(
            f"unit={spec!s:.60}: must be a unit, as macaw.unit makes it, or a generated design"
        )
    if isinstance(spec, Unit):
        from macaw import hdl

        if multiplier is not None:
            implementation = {**implementation, "multiplier": multiplier}
        implementation.setdefault("target", chosen.model)
        design: Design = hdl.generate(spec, **implementation)
    elif implementation:
        raise SpecError(f"{next(iter(implementation))}: the design is generated already")
    else:
        design = spec
    options = design.metadata.get("implementation") or {}
    multiplier = multiplier or options.get("multiplier") or "auto"
    if multiplier not in chosen.dsp:
        raise SpecError(f"multiplier: {multiplier!r} is none of {', '.join(chosen.dsp)}")

    yosys = tools.find("yosys")
    used = [yosys]
    routed = bool(chosen.nextpnr) and not area_only
    if routed:
        used.append(tools.find(chosen.nextpnr))
    digest = store.key(
        revision=REVISION,
        verilog=design.verilog,
        name=design.name,
        target=chosen.to_dict(),
        multiplier=multiplier,
        seed=seed if routed else None,
        routed=routed,
        # WebAssembly and native builds of one version give one result.
        tools=[(tool.name.removeprefix("yowasp-"), tool.version) for tool in used],
        **({"sweep": targets.SHORT_SWEEP} if chosen.liberty and _wide(design) else {}),
    )
    if cache and (stored := store.get(digest, Result.from_json)) is not None:
        return replace(stored, cached=True)

    started = time.monotonic()
    with processes.temporary_folder() as work:
        measure = _Measurement(design, chosen, multiplier, work, timeout, yosys, progress)
        figures = measure.asic() if chosen.liberty else measure.fpga(routed)
        if routed:
            figures |= measure.place_and_route(used[1], seed)
    result = Result(
        name=design.name,
        target=chosen.name,
        latency=int(design.metadata.get("latency") or 0),
        initiation_interval=int(design.metadata.get("initiation_interval") or 1),
        tools=tuple(str(tool) for tool in used),
        seconds=round(time.monotonic() - started, 2),
        **figures,
    )
    if cache and not result.notes:  # a fall-back depends on the machine's speed
        store.put(digest, result.to_json())
    return result


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogateescape")


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))


@dataclass(frozen=True, slots=True)
class _Measurement:
    """One design on one target, in a work folder of its own."""

    design: Design
    target: Target
    multiplier: str
    work: Path
    timeout: float
    yosys: tools.Tool
    notify: Notify | None

    def _script(self, text: str, name: str, timeout: float | None = None) -> None:
        script = self.work / f"{name}.ys"
        _write(script, text)
        arguments = (script.name,) if self.yosys.name == "pyosys" else ("-s", script.name)
        tools.call(
            self.yosys,
            arguments,
            folder=self.work,
            timeout=timeout or self.timeout,
            what=f"{name} of {self.design.name} for {self.target.name}",
            notify=self.notify,
        )

    def _statistics(self, file: str) -> dict[str, Any]:
        modules = _json(self.work / file)["modules"]
        return modules["\\" + self.design.name]

    def fpga(self, routed: bool) -> dict[str, Any]:
        """Area of the bare unit; when ``routed``, also the netlist for place and route.

        The unit is mapped once. For place and route the registers round it are mapped with the
        unit as a black box, and the mapped unit is put in.
        """
        _write(self.work / "unit.v", self.design.verilog)
        name, dsp = self.design.name, self.target.dsp[self.multiplier]
        text = "read_verilog unit.v\n" + self.target.script.format(top=name, dsp=dsp)
        text += "tee -q -o area.json stat -json\n"
        inside = self.target.product_registers
        if inside:
            text += "write_json unit.json\n"
        if routed:
            ports = self.design.metadata["ports"]
            _write(self.work / "bench.v", registers.wrap(name, ports))
            text += "design -save unit\ndesign -reset\nread_verilog bench.v\n"
            text += self.target.script.format(top=registers.TOP, dsp=dsp)
            text += f"design -copy-from unit {name}\nflatten\nwrite_json bench.json\n"
        self._script(text, "synthesis")
        number: dict[str, int] = self._statistics("area.json").get("num_cells_by_type", {})
        figures: dict[str, Any] = {
            name: sum(
                count
                for cell, count in number.items()
                if any(fnmatchcase(cell, pattern) for pattern in patterns)
            )
            for name, patterns in self.target.cells.items()
        }
        figures["lut_equivalents"] = sum(
            weight * figures[name] for name, weight in self.target.lut_equivalents.items()
        )
        if inside:
            figures["ffs"] -= self._absorb("unit.json")
            if routed:
                self._absorb("bench.json")
        return figures

    def _absorb(self, file: str) -> int:
        netlist = _json(self.work / file)
        gone = dsp_registers.absorb(netlist)
        _write(self.work / file, json.dumps(netlist))
        return gone

    def place_and_route(self, nextpnr: tools.Tool, seed: int) -> dict[str, Any]:
        """Highest clock frequency of the unit between registers."""
        for device in self.target.devices:
            last = device is self.target.devices[-1]
            try:
                tools.call(
                    nextpnr,
                    (
                        *device.arguments,
                        *("--json", "bench.json", "--report", "report.json"),
                        *("--timing-allow-fail", "--seed", str(seed), "--quiet"),
                    ),
                    folder=self.work,
                    timeout=self.timeout,
                    what=f"{self.design.name} on {device.name}",
                    notify=self.notify,
                )
            except ToolTimeout:
                raise
            except ToolFailure as error:
                if last or not _too_small(error.log):
                    raise
                continue
            return self._report(device.name)
        raise SpecError(f"target {self.target.name}: it names no device")

    def _report(self, device: str) -> dict[str, Any]:
        report = _json(self.work / "report.json")
        clocks = report.get("fmax", {})
        if not clocks:
            return {"device": device, "notes": ("nextpnr found no clocked path",)}
        achieved = min(float(clock["achieved"]) for clock in clocks.values())
        return {
            "device": device,
            "fmax_mhz": round(achieved, 2),
            "critical_path": _path(report.get("critical_paths", [])),
        }

    def asic(self) -> dict[str, Any]:
        """Area and timing on the target's Liberty library."""
        library = _library(self.target.liberty)
        _write(self.work / "unit.v", self.design.verilog)
        _write(self.work / "cells.lib", self.target.liberty)
        inverter = library.inverter.name
        wide = _wide(self.design)
        _write(self.work / "constraints", f"set_driving_cell {inverter}\nset_load 0.05\n")
        text = (
            "read_verilog unit.v\n"
            + self.target.script.format(
                top=self.design.name,
                dsp=self.target.dsp[self.multiplier] + (targets.GATES_BY_SCRIPT if wide else ""),
                library="cells.lib",
                constraints="constraints",
                abc="+source,map.abc",  # a bare name is made absolute, and ABC wants no spaces
            )
            + "tee -q -o area.json stat -json -liberty cells.lib\nwrite_json netlist.json\n"
        )
        notes: tuple[str, ...] = ()
        abc = self.work / "map.abc"
        sweep = targets.SHORT_SWEEP if wide else targets.ABC_SWEEP
        _write(self.work / "gates.abc", targets.GATES_SCRIPT)
        delay = f"-D {targets.UNREACHABLE_PS}"
        _write(abc, targets.ABC_SCRIPT.format(D=delay, sweep=sweep))
        try:
            self._script(text, "mapping", min(ABC_PATIENCE, self.timeout))
        except ToolTimeout as error:
            notes = ("mapped without a delay target: ABC did not finish with one",)
            if self.notify:
                self.notify(f"{error}; trying again without a delay target")
            _write(abc, targets.ABC_SCRIPT.format(D="", sweep=sweep))
            self._script(text, "mapping without a delay target")
        module = _json(self.work / "netlist.json")["modules"][self.design.name]
        path = timing.longest_path(module, library)
        area = float(self._statistics("area.json")["area"])
        sequential = {name for name, cell in library.cells.items() if cell.sequential}
        neutral = self.target.name == targets.ASIC.name
        return {
            "gate_equivalents": round(area / library.nand2.area, 1),
            "ffs": sum(cell["type"] in sequential for cell in module["cells"].values()),
            "delay_fo4": round(path.picoseconds / library.fo4_ps, 2),
            "logic_fo4": round(path.logic_picoseconds / library.fo4_ps, 2),
            "delay_ps": None if neutral else round(path.picoseconds, 1),
            "logic_ps": None if neutral else round(path.logic_picoseconds, 1),
            "fmax_mhz": None
            if neutral or not path.picoseconds
            else round(1e6 / path.picoseconds, 2),
            "critical_path": path.cells,
            "notes": notes,
        }


def _wide(design: Design) -> bool:
    ports = design.metadata.get("ports") or []
    bits = sum(port["width"] for port in ports if port.get("role") == "operand")
    partial = sum(a * b for a, b in design.metadata.get("multipliers") or [])
    return bits > WIDE_BITS or partial > MANY_BITS or len(design.verilog) > LONG_TEXT


_libraries: dict[str, timing.Library] = {}


def _library(text: str) -> timing.Library:
    digest = store.key(liberty=text)
    if digest not in _libraries:
        _libraries[digest] = timing.Library(text)
    return _libraries[digest]


def _too_small(log: str) -> bool:
    """Whether nextpnr's last words are about room."""
    return any(
        phrase in log
        for phrase in (
            "no Bels remaining",
            "Unable to place",
            "Unable to find legal placement",
            "no BELs remaining",
            "Failed to find a placement",
            "exceed",
        )
    )


def _path(paths: list[dict[str, Any]]) -> tuple[str, ...]:
    """The first clock-to-clock path of nextpnr's report: 'delay ns, kind, cell' by step."""
    for path in paths:
        if path.get("from", "").startswith("posedge") and path.get("to", "").startswith("posedge"):
            return tuple(
                f"{step['delay']:.2f} ns {step['type']} {step['to']['cell']}"
                for step in path["path"]
            )
    return ()


def from_verilog(path: str | Path, top: str | None = None, *, clock: str = "clk") -> Source:
    """A module of a Verilog file, its ports read by Yosys; the port named ``clock`` is the clock.

    Raises :class:`SpecError` when the file cannot be read or has no such module.
    """
    try:
        # Verilog of other tools may be in any encoding, in its comments mostly: bytes stay as is.
        verilog = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error
    with processes.temporary_folder() as work:
        _write(work / "unit.v", verilog)
        choose = f"-top {top}" if top else "-auto-top"
        yosys = tools.find("yosys")
        _write(
            work / "ports.ys",
            f"read_verilog unit.v\nhierarchy {choose}\nproc\nflatten\nwrite_json ports.json\n",
        )
        arguments = ("ports.ys",) if yosys.name == "pyosys" else ("-s", "ports.ys")
        tools.call(yosys, arguments, folder=work, timeout=TIMEOUT, what=f"reading {path}")
        modules = _json(work / "ports.json")["modules"]
    if not modules:
        raise SpecError(f"{path}: there is no module in it")
    name = top or next(n for n, m in modules.items() if "top" in m.get("attributes", {}))
    ports = [
        {
            "name": port,
            "direction": data["direction"],
            "width": len(data["bits"]),
            "role": "clock"
            if port == clock
            else "operand"
            if data["direction"] == "input"
            else "result",
        }
        for port, data in modules[name]["ports"].items()
    ]
    return Source(name=name, verilog=verilog, metadata={"name": name, "ports": ports, "latency": 0})
