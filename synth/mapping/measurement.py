# SPDX-License-Identifier: BSD-2-Clause
"""What the tools say of one module on one target: mapping, placing and routing, timing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol

from macaw.golden.errors import SpecError
from macaw.tools import store
from macaw.tools import yosys as tools
from macaw.tools.yosys import Notify, ToolFailure, ToolTimeout

from . import buffers, carries, dsp_registers, liberty, registers, sizing, stages, targets, timing
from .targets import Target

ABC_PATIENCE = 240.0
"""Seconds of a processor's time for a mapping with a delay target.

ABC was seen to loop for longer on some netlists. By the clock, other work on the machine would
decide what large units come to.
"""

WIDE_BITS, MANY_BITS, LONG_TEXT = 100, 700, 50_000
"""Units of more bits of operands, bits of partial products, or characters of Verilog, than this are
mapped with short sweeps for equal signals. An fp32 multiply-add lies below all."""


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


def write(path: Path, text: str) -> None:
    """Write a file for a tool; bytes that are no text go through as they came."""
    path.write_text(text, encoding="utf-8", errors="surrogateescape")


def read_json(path: Path) -> Any:
    """What a tool wrote."""
    return json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))


@dataclass(frozen=True, slots=True)
class Measurement:
    """One design on one target, in a work folder of its own.

    With ``parts`` the design's modules are mapped one by one, as far as they are marked to be
    kept, and put together only then; ``parts.json`` has them as they were.
    """

    design: Design
    target: Target
    multiplier: str
    work: Path
    timeout: float
    instruments: Sequence[tools.Tool]
    notify: Notify | None
    parts: bool = False

    def figures(self, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Area, and timing where the target has it: of an FPGA if nextpnr is among the tools.

        With each seed of place and route; it is mapped once.
        """
        nextpnr = self.instruments[1:]
        mapped = self.asic() if self.target.liberty else self.fpga(bool(nextpnr))
        for seed in seeds:
            figures = dict(mapped)
            for router in nextpnr:
                figures |= self.place_and_route(router, seed)
            yield figures

    def script(self, text: str, name: str, processor: float | None = None) -> None:
        """Run a Yosys script in the work folder; ``name`` tells what for."""
        script = self.work / f"{name}.ys"
        write(script, text)
        yosys = self.instruments[0]
        arguments = (script.name,) if yosys.name == "pyosys" else ("-s", script.name)
        tools.call(
            yosys,
            arguments,
            folder=self.work,
            timeout=self.timeout,
            processor=processor,
            what=f"{name} of {self.design.name} for {self.target.name}",
            notify=self.notify,
        )

    def _statistics(self, file: str) -> dict[str, Any]:
        modules = read_json(self.work / file)["modules"]
        return modules["\\" + self.design.name]

    @property
    def _together(self) -> str:
        """What puts the modules together that were mapped apart."""
        if not self.parts:
            return ""
        return "write_json parts.json\nsetattr -mod -unset keep_hierarchy *\nflatten\n"

    @property
    def _patience(self) -> float:
        return ABC_PATIENCE * (8 if self.parts else 1)  # ABC is called for each module

    def fpga(self, routed: bool) -> dict[str, Any]:
        """Area of the bare unit; when ``routed``, also the netlist for place and route.

        The unit is mapped once. For place and route the registers round it are mapped with the
        unit as a black box, and the mapped unit is put in.
        """
        write(self.work / "unit.v", self.design.verilog)
        name, dsp = self.design.name, self.target.dsp[self.multiplier]
        text = "read_verilog unit.v\n" + self.target.script.format(top=name, dsp=dsp)
        text += self._together
        text += "tee -q -o area.json stat -json\n"
        inside = self.target.product_registers
        text += "write_json unit.json\n"
        if routed:
            ports = self.design.metadata["ports"]
            write(self.work / "bench.v", registers.wrap(name, ports))
            text += "design -save unit\ndesign -reset\nread_verilog bench.v\n"
            script = self.target.bench_script or self.target.script
            text += script.format(top=registers.TOP, dsp=dsp)
            text += f"design -copy-from unit {name}\nflatten\nwrite_json bench.json\n"
        self.script(text, "synthesis")
        number: dict[str, int] = self._statistics("area.json").get("num_cells_by_type", {})
        figures: dict[str, Any] = {
            name: sum(
                count
                for cell, count in number.items()
                if any(fnmatchcase(cell, pattern) for pattern in patterns)
            )
            for name, patterns in self.target.cells.items()
        }
        if self.target.carry_feeds:
            figures["carries"] += self._changed("unit.json", carries.feed)
            if routed:
                self._changed("bench.json", carries.feed)
        figures["lut_equivalents"] = sum(
            weight * figures[name] for name, weight in self.target.lut_equivalents.items()
        )
        if inside:
            figures["ffs"] -= self._changed("unit.json", dsp_registers.absorb)
            if routed:
                self._changed("bench.json", dsp_registers.absorb)
        return figures

    def _changed(self, file: str, change: Callable[[dict[str, Any]], int]) -> int:
        """Change a netlist; how many cells that was."""
        netlist = read_json(self.work / file)
        count = change(netlist)
        write(self.work / file, json.dumps(netlist))
        return count

    def place_and_route(self, nextpnr: tools.Tool, seed: int) -> dict[str, Any]:
        """Highest clock frequency of the unit between registers."""
        write(self.work / targets.PINS, self.target.pins)
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
        report = read_json(self.work / "report.json")
        clocks = report.get("fmax", {})
        if not clocks:
            return {"device": device, "notes": ("nextpnr found no clocked path",)}
        achieved = min(float(clock["achieved"]) for clock in clocks.values())
        path = slowest(report)
        netlist = read_json(self.work / "bench.json")
        return {
            "device": device,
            "fmax_mhz": round(achieved, 2),
            "critical_path": tuple(
                f"{step['delay']:.2f} ns {step['type']} {step['to']['cell']}" for step in path
            ),
            "slowest_stage": stages.of_register(path[0]["to"]["cell"], netlist) if path else None,
        }

    def map_to_library(self) -> tuple[str, ...]:
        """Leave ``netlist.json`` and ``area.json`` in the work folder; return notes.

        Where the target has two scripts for ABC, they are of the faster result.
        """
        write(self.work / "unit.v", self.design.verilog)
        write(self.work / "cells.lib", self.target.liberty)
        inverter = library_of(self.target.liberty).inverter.name
        write(self.work / "constraints", f"set_driving_cell {inverter}\nset_load 0.05\n")
        write(self.work / "gates.abc", targets.GATES_SCRIPT)
        delay = f"-D {targets.UNREACHABLE_PS}"
        notes: tuple[str, ...] = ()
        try:
            self._map(self.target.mapping, delay, "mapping", self._patience)
        except ToolTimeout as error:
            notes = ("mapped without a delay target: ABC did not finish with one",)
            if self.notify:
                self.notify(f"{error}; trying again without a delay target")
            self._map(self.target.mapping, "", "mapping without a delay target")
        if self.target.alternative:
            notes += self._map_otherwise(delay)
        if self.target.sizing:
            if self.notify:
                self.notify(f"sizing cells of {self.design.name}")
            self._rework(sizing.fasten)
        return notes

    def _map(self, abc: str, delay: str, name: str, processor: float | None = None) -> None:
        """Map by a script for ABC."""
        many = wide(self.design)
        sweep = targets.SHORT_SWEEP if many else targets.ABC_SWEEP
        write(self.work / "map.abc", abc.format(D=delay, sweep=sweep))
        text = (
            "read_verilog unit.v\n"
            + self.target.script.format(
                top=self.design.name,
                dsp=self.target.dsp[self.multiplier] + (targets.GATES_BY_SCRIPT if many else ""),
                library="cells.lib",
                constraints="constraints",
                abc="+source,map.abc",  # a bare name is made absolute, and ABC wants no spaces
            )
            + self._together
            + "tee -q -o area.json stat -json -liberty cells.lib\nwrite_json netlist.json\n"
        )
        self.script(text, name, processor)
        self._rework(buffers.insert)  # before the registers' pins

    def _map_otherwise(self, delay: str) -> tuple[str, ...]:
        """Map by the target's other script too, and leave what is faster of both; notes."""
        names = ("netlist.json", "area.json", "parts.json")
        before = {p: p.read_bytes() for p in (self.work / n for n in names) if p.exists()}
        first, notes = self._picoseconds(), ()
        try:
            self._map(self.target.alternative, delay, "mapping by loads", self._patience)
            if self._picoseconds() < first:
                return ()
        except ToolTimeout:
            notes = ("mapped one way: ABC did not finish another",)
        except ToolFailure:
            pass  # this mapper does not take every library
        for file, content in before.items():
            file.write_bytes(content)
        return notes

    def _picoseconds(self) -> float:
        """How long the slowest path of what was mapped takes."""
        module = read_json(self.work / "netlist.json")["modules"][self.design.name]
        return timing.longest_path(module, library_of(self.target.liberty)).picoseconds

    def _rework(self, how: Callable[[dict[str, Any], liberty.Library], float]) -> None:
        """Change the mapped module; what its area grows by is the module's too."""
        netlist, areas = (read_json(self.work / f"{file}.json") for file in ("netlist", "area"))
        name = self.design.name
        more = how(netlist["modules"][name], library_of(self.target.liberty))
        module = areas["modules"]["\\" + name]
        module["area"] = module.get("area", 0) + more
        write(self.work / "netlist.json", json.dumps(netlist))
        write(self.work / "area.json", json.dumps(areas))

    def asic(self) -> dict[str, Any]:
        """Area and timing on the target's Liberty library."""
        notes = self.map_to_library()
        library = library_of(self.target.liberty)
        module = read_json(self.work / "netlist.json")["modules"][self.design.name]
        timed = timing.arrivals(module, library)
        path = timing.slowest_of(timed)
        of = stages.by_net(module, self.design.metadata.get("latency"))
        by_stage = stages.slowest(timing.starts(timed), of) if clocked(self.design) else ()
        # Yosys leaves the area out where there are no cells.
        area = float(self._statistics("area.json").get("area", 0))
        sequential = {name for name, cell in library.cells.items() if cell.sequential}
        neutral = self.target.name == targets.ASIC.name
        return {
            "gate_equivalents": round(area / library.nand2.area, 1),
            "ffs": sum(cell["type"] in sequential for cell in module["cells"].values()),
            **({} if neutral else self._of_process(area, module, library)),
            "delay_fo4": round(path.picoseconds / library.fo4_ps, 2),
            "logic_fo4": round(path.logic_picoseconds / library.fo4_ps, 2),
            "delay_ps": None if neutral else round(path.picoseconds, 1),
            "logic_ps": None if neutral else round(path.logic_picoseconds, 1),
            "fmax_mhz": None
            if neutral or not path.picoseconds
            else round(1e6 / path.picoseconds, 2),
            "critical_path": path.cells,
            "slowest_stage": of.get(path.start),
            "stage_fo4": tuple(round(each / library.fo4_ps, 2) for each in by_stage),
            "notes": notes,
        }

    def _of_process(
        self, area: float, module: Mapping[str, Any], library: liberty.Library
    ) -> dict[str, Any]:
        """What a file of a process says: square micrometres, nanowatts, and which file it is."""
        kinds = [library.cells[cell["type"]].leakage for cell in _cells(module)]
        known = [leakage for leakage in kinds if leakage is not None]
        return {
            "area_um2": round(area, 2),
            "leakage_power": round(sum(known), 4) if known and len(known) == len(kinds) else None,
            "library": self.target.library or None,
            "library_digest": self.target.digest or None,
        }


def _cells(module: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells of a mapped module that are cells of its library."""
    return [cell for cell in module["cells"].values() if cell["type"] != "$scopeinfo"]


def clocked(design: Design) -> bool:
    """Whether a design has registers."""
    return "edge " in design.verilog


def wide(design: Design) -> bool:
    """Whether a design is mapped with short sweeps for equal signals."""
    ports = design.metadata.get("ports") or []
    bits = sum(port["width"] for port in ports if port.get("role") == "operand")
    partial = sum(a * b for a, b in design.metadata.get("multipliers") or [])
    return bits > WIDE_BITS or partial > MANY_BITS or len(design.verilog) > LONG_TEXT


_libraries: dict[str, liberty.Library] = {}


def library_of(text: str) -> liberty.Library:
    """A Liberty library, read once."""
    digest = store.key(liberty=text)
    if digest not in _libraries:
        _libraries[digest] = liberty.Library(text)
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


def slowest(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of the first clock-to-clock path of nextpnr's report; none if there is no such."""
    for path in report.get("critical_paths", []):
        if path.get("from", "").startswith("posedge") and path.get("to", "").startswith("posedge"):
            return path["path"]
    return []
