# SPDX-License-Identifier: BSD-2-Clause
"""What `fma` costs, beside the best public hardware measured on the same flow.

Writes docs/synthesis-results.md and .json. Each figure goes through macaw's cache, so that an
interrupted run continues where it stopped.

Example: python benchmarks/cost.py --formats fp16,e5m2 --jobs 2
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import macaw
from macaw.golden.errors import MacawError
from macaw.synth import Result, jobs, run, source, stages_for, targets

ROOT = Path(__file__).parents[1]
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
FORMATS = ("fp32", "fp16", "bf16", "e5m2")
STAGES = (0, 3, 6)
MEGAHERTZ = 100.0
VARIANTS: dict[str, dict[str, Any]] = {
    "RNE": {},
    "all modes, flags": {"rounding": "dynamic", "flags": True},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """A public unit, measured with Yosys 0.70 and nextpnr-ecp5 0.11.1 on the same flow."""

    origin: str
    format: str
    stages: int
    luts: int
    dsps: int
    ffs: int | None = None
    fmax: float | None = None
    gates: int | None = None
    picoseconds: int | None = None


# CVFPU (fpnew_fma, OpenHW Group) and HardFloat (Hauser, Berkeley): all rounding modes and flags,
# IEEE formats in and out. Gates and delay: osu018, pins to pins.
ANCHORS = (
    Anchor(origin="CVFPU", format="fp32", stages=0, luts=2853, dsps=4, fmax=16.2, gates=10345,
           picoseconds=18920),
    Anchor(origin="CVFPU", format="fp32", stages=3, luts=2828, dsps=4, ffs=266, fmax=29.7),
    Anchor(origin="CVFPU", format="fp16", stages=0, luts=1131, dsps=1, fmax=20.2, gates=3483,
           picoseconds=13953),
    Anchor(origin="CVFPU", format="fp16", stages=3, luts=1099, dsps=1, ffs=153, fmax=40.2),
    Anchor(origin="CVFPU", format="bf16", stages=0, luts=1044, dsps=1, gates=2401,
           picoseconds=13869),
    Anchor(origin="CVFPU", format="e5m2", stages=0, luts=498, dsps=1, fmax=25.7, gates=1052,
           picoseconds=10003),
    Anchor(origin="HardFloat", format="fp32", stages=0, luts=3675, dsps=4, fmax=15.6, gates=10657,
           picoseconds=19335),
    Anchor(origin="HardFloat", format="fp16", stages=0, luts=1547, dsps=1, fmax=18.4, gates=3601,
           picoseconds=14338),
    Anchor(origin="HardFloat", format="bf16", stages=0, luts=1103, dsps=1, fmax=20.3, gates=2683,
           picoseconds=13449),
)  # fmt: skip
AIMS = {"RNE": 0.75, "all modes, flags": 0.9}
"""Of CVFPU's LUTs at 0 stages."""


def measure(fmt: str, variant: str, stages: int | None, progress: Any = None) -> dict[str, Any]:
    """All figures of one unit; ``stages=None``: the fewest that reach MEGAHERTZ on ecp5."""
    spec = macaw.unit("fma", a=fmt, out=fmt, **VARIANTS[variant])
    wanted = "fewest" if stages is None else str(stages)
    row: dict[str, Any] = {"format": fmt, "variant": variant, "wanted": wanted}
    ecp5 = targets.target("ecp5")
    try:
        if stages is None:
            stages, fpga = stages_for(spec, ecp5, MEGAHERTZ, progress=progress)
        else:
            design = source.generate(spec, stages=stages, target=ecp5.model)
            fpga = run(design, ecp5, progress=progress)
    except MacawError as error:
        return row | {"error": str(error)}
    row |= {"stages": stages, "ecp5": fpga.to_json()}
    asic = targets.target("asic")
    design = source.generate(spec, stages=stages, target=asic.model)
    row["asic"] = run(design, asic, progress=progress).to_json()
    if OSU018.exists():
        row["osu018"] = run(design, "asic", liberty=OSU018, progress=progress).to_json()
    return row


def _figures(row: dict[str, Any]) -> list[str]:
    head = [f"macaw, {row['variant']}", row["format"]]
    if "error" in row:
        return [*head, "-", row["error"], *[""] * 7]
    fpga, asic = Result.from_json(row["ecp5"]), Result.from_json(row["asic"])
    osu = Result.from_json(row["osu018"]) if "osu018" in row else None
    stages = str(row["stages"]) + (" (fewest)" if row["wanted"] == "fewest" else "")
    return [
        *head,
        stages,
        f"{fpga.lut_equivalents:.0f}",
        str(fpga.dsps),
        str(fpga.ffs),
        f"{fpga.fmax_mhz:.1f}",
        f"{asic.gate_equivalents:.0f}",
        f"{asic.delay_fo4:.1f}",
        f"{osu.gate_equivalents:.0f}" if osu else "-",
        f"{osu.logic_ps:.0f}" if osu else "-",
    ]


def _anchor(anchor: Anchor) -> list[str]:
    numbers = (anchor.luts, anchor.dsps, anchor.ffs, anchor.fmax, None, None, anchor.gates)
    return [
        anchor.origin,
        anchor.format,
        str(anchor.stages),
        *("-" if value is None else str(value) for value in (*numbers, anchor.picoseconds)),
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---" if i < 2 else "--:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rows])


def page(rows: list[dict[str, Any]]) -> str:
    """The Markdown page."""
    tools = sorted({tool for row in rows if "ecp5" in row for tool in row["ecp5"]["tools"]})
    aims = []
    for row in rows:
        cvfpu = next(
            a.luts for a in ANCHORS if (a.origin, a.format, a.stages) == ("CVFPU", row["format"], 0)
        )
        if row["wanted"] == "0" and "ecp5" in row:
            luts = row["ecp5"]["lut_equivalents"]
            aim = AIMS[row["variant"]] * cvfpu
            met = "yes" if luts < aim else "no"
            aims.append([row["format"], row["variant"], f"{luts:.0f}", str(cvfpu),
                         f"{luts / cvfpu:.2f}", f"{AIMS[row['variant']]}", met])  # fmt: skip
    head = ["unit", "format", "stages", "LUT", "DSP", "FF", "MHz", "GE", "FO4", "osu018 GE",
            "osu018 ps"]  # fmt: skip
    body = []
    for fmt in dict.fromkeys(row["format"] for row in rows):
        body += [_figures(row) for row in rows if row["format"] == fmt]
        body += [_anchor(anchor) for anchor in ANCHORS if anchor.format == fmt]
    reached = [
        f"- {row['format']}, {row['variant']}: "
        + (
            f"{row['stages']} stages, {row['ecp5']['fmax_mhz']:.1f} MHz"
            if "ecp5" in row
            else row["error"]
        )
        for row in rows
        if row["wanted"] == "fewest"
    ]
    aims_head = ["format", "variant", "LUT", "CVFPU", "ratio", "aim below", "met"]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by benchmarks/cost.py; do not edit. -->
# What `fma` costs

`r = round(a * b + c)`, all operands and the result in one format. LUT is LUT4 + 2 * CCU2C of the
bare unit after `synth_ecp5`; MHz is nextpnr-ecp5's after place and route with the unit between
registers (LFE5U-25F, seed 1). GE (NAND2 gate equivalents) and FO4 are of macaw's logical-effort
library, register to register, about 4 FO4 of which are the registers'; osu018 is a 0.18 um
library, its delay without registers and without wires, as the other projects' figures are.
Tools: {", ".join(tools)}.

CVFPU and HardFloat: all rounding modes and flags, measured on the same flow.

{_table(head, body)}

## Against the aim at 0 stages

{_table(aims_head, aims)}

## Fewest stages for {MEGAHERTZ:g} MHz on ECP5

{chr(10).join(reached)}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--variants", default=",".join(v.replace(",", "") for v in VARIANTS))
    parser.add_argument("--no-fewest", action="store_true")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    wanted = options.variants.split(",")
    stages = [*STAGES, *([] if options.no_fewest else [None])]
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    work = [
        jobs.Job(
            name=f"{fmt} {variant} {'fewest' if count is None else count}",
            function=measure,
            arguments={"fmt": fmt, "variant": variant, "stages": count, "progress": progress},
        )
        for fmt in options.formats.split(",")
        for variant in VARIANTS
        if variant.replace(",", "") in wanted
        for count in stages
    ]
    rows = jobs.run(work, workers=options.jobs, progress=progress)
    text = json.dumps({"rows": rows}, indent=1) + "\n"
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "synthesis-results.json").write_text(text, encoding="utf-8")
    (options.output / "synthesis-results.md").write_text(page(rows), encoding="utf-8")
    print(page(rows))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MacawError as error:
        sys.exit(f"macaw: {error}")
