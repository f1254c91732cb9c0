# SPDX-License-Identifier: BSD-2-Clause
"""Which lines of the sources a unit runs, when its gates are made and when golden evaluates it.

A mutant is tried on units that run it, and on the cheap ones first.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from macaw.hdl import generate
from macaw.tools import files, processes
from macaw.tools.sources import digest

from ...stimulus.draw import stimulus
from . import netlists
from .mutations import ROOT
from .spelling import read

FOLDER = Path(__file__).parent / "listed"
ROWS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """What one unit runs.

    Attributes
    ----------
    unit : str
        As :func:`.spelling.read` reads it.
    seconds : float
        To make its gates.
    netlist : str
        Digest of what Amaranth writes of it.
    lines : dict of str to list of int
        By file: of hdl where its gates are made, of golden where it is evaluated.
    """

    unit: str
    seconds: float
    netlist: str
    lines: dict[str, list[int]]


def chosen() -> list[str]:
    """The units of ``listed/units.txt``: small ones of every kind, and every way to build them."""
    return (FOLDER / "units.txt").read_text(encoding="utf-8").splitlines()


def traced(text: str) -> Used:
    """What a unit runs."""
    spec, options = read(text)
    started = time.process_time()
    with _watching() as seen:
        netlist = netlists.digest(generate(spec, **options))
        seconds = time.process_time() - started
        for codes in stimulus(spec, vectors=ROWS, seed=1):
            spec.evaluate(**codes)
    lines = {file: sorted(numbers) for file, numbers in seen.items()}
    return Used(unit=text, seconds=round(seconds, 2), netlist=netlist, lines=lines)


class _watching:
    """Collects the lines of golden and hdl that are run, by file."""

    def __enter__(self) -> dict[str, set[int]]:
        seen: dict[str, set[int]] = defaultdict(set)
        places = {f"{ROOT}/{room}/": len(f"{ROOT}/") for room in ("golden", "hdl")}
        within: dict[str, set[int] | None] = {}

        def calls(frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
            name = frame.f_code.co_filename
            if name not in within:
                cut = next((cut for start, cut in places.items() if name.startswith(start)), 0)
                within[name] = seen[name[cut:]] if cut else None
            numbers = within[name]
            if numbers is None:
                return None

            def lines(frame: FrameType, event: str, _: Any) -> Callable[..., Any]:
                numbers.add(frame.f_lineno)
                return lines

            return lines

        sys.settrace(calls)
        return seen

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)


def used(folder: Path, jobs: int, tell: Callable[[str], None]) -> list[Used]:
    """What all units of :func:`chosen` run, the cheap ones first.

    It is kept in ``folder`` for these sources, so that only units are traced that are new.
    """
    path = folder / f"used-{digest('macaw.golden', 'macaw.hdl')[:16]}.json"
    known: dict[str, Used] = {}
    with contextlib.suppress(OSError, ValueError, TypeError):
        stored = json.loads(path.read_text(encoding="utf-8"))
        known = {each["unit"]: Used(**each) for each in stored}
    missing = [text for text in chosen() if text not in known]
    if missing:
        tell(f"which lines {len(missing)} units run: once for these sources")
        with processes.pool(jobs) as pool:
            for number, each in enumerate(pool.map(traced, missing), 1):
                known[each.unit] = each
                if number % 10 == 0 or number == len(missing):
                    tell(f"{number} of {len(missing)}")
                    files.write(path, json.dumps([asdict(each) for each in known.values()]))
    return sorted((known[text] for text in chosen()), key=lambda each: each.seconds)
