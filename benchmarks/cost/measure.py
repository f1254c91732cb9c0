# SPDX-License-Identifier: BSD-2-Clause
"""How a unit is priced: the figures that several scripts take of it."""

import hashlib
from pathlib import Path
from typing import Any

from macaw.golden.units import Unit
from macaw.synth import run, source, stages_for
from macaw.synth.mapping import targets

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
MEGAHERTZ = 100.0
"""What the fewest stages are sought for, on ecp5."""


def digest(spec: Unit) -> str:
    """Of a unit's gates: whether figures are still of the same ones."""
    return digest_of(source.generate(spec, stages=0, target="ecp5").verilog)


def digest_of(verilog: str) -> str:
    return hashlib.sha256(verilog.encode()).hexdigest()[:16]


def area(name: str, spec: Unit, stages: int = 0, progress: Any = None) -> dict[str, Any]:
    """All areas of a unit and its delay on libraries; the clock on ecp5 is left out."""
    ecp5, asic = targets.target("ecp5"), targets.target("asic")
    row: dict[str, Any] = {"case": name, "unit": spec.name, "lanes": spec.macs, "stages": stages}
    row |= {"kind": spec.kind, **{f"parameter {k}": v for k, v in spec.parameters.items()}}
    for label, multiplier in (("ecp5", "auto"), ("ecp5-lut", "lut")):
        design = source.generate(spec, stages=stages, target=ecp5.model, multiplier=multiplier)
        made = run(design, ecp5, multiplier=multiplier, area_only=True, progress=progress)
        row[label] = made.to_json()
    design = source.generate(spec, stages=stages, target=asic.model)
    row["asic"] = run(design, asic, progress=progress).to_json()
    if OSU018.exists():
        row["osu018"] = run(design, "asic", liberty=OSU018, progress=progress).to_json()
    return row


def clock(name: str, spec: Unit, progress: Any = None) -> dict[str, Any]:
    """Figures with the fewest stages that reach MEGAHERTZ on ecp5, and the clock without any."""
    ecp5 = targets.target("ecp5")
    alone = run(source.generate(spec, stages=0, target=ecp5.model), ecp5, progress=progress)
    stages, routed = stages_for(spec, ecp5, MEGAHERTZ, progress=progress)
    return area(name, spec, stages, progress) | {
        "routed": routed.to_json(),
        "alone": alone.to_json(),
    }
