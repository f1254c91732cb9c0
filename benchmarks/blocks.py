# SPDX-License-Identifier: BSD-2-Clause
"""What a block dot product costs in each block format, beside public hardware on the same flow.

Writes docs/block-formats-results.md and .json. Area comes first, for all; `--clock` adds the fewest
register stages for 100 MHz on ecp5, minutes of place and route for each. Rows that are not asked
for stay, as long as their gates are what they were. Each figure goes through macaw's cache.

Example: python benchmarks/blocks.py --cases mxfp4,nvfp4 --clock
"""

import argparse
import hashlib
import json
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.formats.block import BLOCKS, Block
from macaw.golden.formats.block import format as format_of
from macaw.golden.units import Unit, unit
from macaw.synth import jobs, run, source, stages_for, targets
from macaw.synth.work import BLOCK_LANES, candidates

ROOT = Path(__file__).parents[1]
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
MEGAHERTZ = 100.0
FIRST = ("mxfp4", "mxint8", "mxfp8-e4m3", "nvfp4")
"""Of the pipelined figures."""
SCALARS = ("bf16", "fp16", "e4m3", "int8")


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """A public unit of 32 lanes, measured with Yosys 0.70 and nextpnr-ecp5 0.11.1 on the flow."""

    origin: str
    format: str
    does: str
    luts: int
    dsps: int
    without_dsp: int | None = None
    fmax: float | None = None
    gates: int | None = None
    picoseconds: int | None = None


_DOTP = "the same: scales, exact sum, fp32 addend, one rounding"
_INTEGER = "less: integer sum of one block; no scales, no fp32"
ANCHORS = (
    Anchor(origin="mx-dotp", format="mxfp4", does=_DOTP, luts=5444, dsps=32, fmax=9.6, gates=8040,
           picoseconds=25312),
    Anchor(origin="mx-dotp", format="mxint8", does=_DOTP, luts=7929, dsps=32),
    Anchor(origin="mx-dotp", format="mxfp8-e4m3", does=_DOTP, luts=8100, dsps=32),
    Anchor(origin="MX-for-FPGA", format="mxfp4", does=_INTEGER, luts=2366, dsps=32,
           without_dsp=3022, fmax=37.5, gates=4690, picoseconds=5808),
    Anchor(origin="MX-for-FPGA", format="mxfp6-e3m2", does=_INTEGER, luts=6304, dsps=32,
           without_dsp=7366, fmax=34.3, gates=11109, picoseconds=7691),
    Anchor(origin="MX-for-FPGA", format="mxint8", does=_INTEGER, luts=4155, dsps=32, fmax=36.4,
           gates=21068, picoseconds=7864),
    Anchor(origin="KU Leuven", format="mxfp8-e4m3", does="more: INT8, FP8, FP6 or FP4 at run time",
           luts=7726, dsps=16, gates=11730, picoseconds=28113),
)  # fmt: skip
AT_LEAST = {("mx-dotp", "mxfp8-e4m3")}
"""Anchors whose LUTs are known as a lower bound only, and their DSPs not at all."""


def cases() -> dict[str, Unit]:
    """Return the unit of each row by its name: blocks of 16 in 16 lanes, all else in 32."""
    found: dict[str, Unit] = {}
    for name, fmt in BLOCKS.items():
        if fmt.tile > 1:  # a tile that 32 lanes do not fill; its rows make no difference here
            fmt = replace(fmt, size=BLOCK_LANES, tile=1)
        found[name] = unit("block-dot", a=fmt, out="fp32")
        if fmt.size is None:
            chunked = "chunk(auto,int32)"
            found[f"{name} int32"] = unit("block-dot", a=fmt, out="fp32", accumulation=chunked)
    return found | {name: _dot(name) for name in SCALARS}


def _dot(name: str) -> Unit:
    for spec in candidates(format_of(name), "dot", BLOCK_LANES):
        try:
            source.generate(spec, stages=0)
        except MacawError:
            continue
        return spec
    raise MacawError(f"{name}: no unit")


def digest(spec: Unit) -> str:
    text = source.generate(spec, stages=0, target="ecp5").verilog
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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


def measure(name: str, spec: Unit, what: str, progress: Any = None) -> dict[str, Any]:
    """One row of the JSON: ``what`` is 'area' or 'clock'; 'error' says why there is no more."""
    row: dict[str, Any] = {"case": name, "what": what}
    try:
        row["design"] = digest(spec)
        figures = (clock if what == "clock" else area)(name, spec, progress=progress)
    except MacawError as error:
        return row | {"error": " ".join(str(error).split())}
    return row | figures


def merged(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``new`` rows, and those ``old`` ones that no new row replaces or shows to be out of date."""
    known = {(row["case"], row["what"]) for row in new}
    gates = {row["case"]: row.get("design") for row in new}
    kept = [
        row
        for row in old
        if (row["case"], row["what"]) not in known
        and row["design"] == gates.get(row["case"], row["design"])
    ]
    order = list(cases())
    rows = [row for row in [*kept, *new] if row["case"] in order]
    return sorted(rows, key=lambda row: (order.index(row["case"]), row["what"]))


def table(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    rule = ["---" if i < left else "--:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rows])


def number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def luts(row: dict[str, Any], label: str) -> str:
    dsps = row[label]["dsps"]
    return f"{row[label]['lut_equivalents']:.0f}" + (f" + {dsps} DSP" if dsps else "")


def _label(case: str) -> str:
    fmt = BLOCKS.get(case.removesuffix(" int32"))
    notes = []
    if isinstance(fmt, Block) and fmt.tile > 1:
        notes.append("blocks of 32")
    if case.endswith(" int32"):
        notes.append("`chunk(auto,int32)`")
    return case.removesuffix(" int32") + (f" ({', '.join(notes)})" if notes else "")


def _figures(row: dict[str, Any]) -> list[str]:
    osu = row.get("osu018") or {}
    return [
        _label(row["case"]) + (" *" if "aligned" in row.get("parameter accumulation", "") else ""),
        str(row["lanes"]),
        luts(row, "ecp5"),
        luts(row, "ecp5-lut"),
        number(row["ecp5-lut"]["lut_equivalents"] / row["lanes"]),
        number(row["asic"]["gate_equivalents"]),
        number(row["asic"]["gate_equivalents"] / row["lanes"]),
        number(row["asic"]["delay_fo4"]),
        number(osu.get("gate_equivalents")),
        number(osu.get("logic_ps")),
    ]


def _against(rows: dict[str, dict[str, Any]]) -> list[list[str]]:
    lines = []
    for anchor in ANCHORS:
        row = rows.get(anchor.format)
        if row is None:
            continue
        bound = "> " if (anchor.origin, anchor.format) in AT_LEAST else ""
        theirs = f"{bound}{anchor.luts}" + (f" + {anchor.dsps} DSP" if not bound else " + DSP")
        osu = (row.get("osu018") or {}).get("gate_equivalents")
        plain = row["ecp5"]["lut_equivalents"] / anchor.luts
        logic = row["ecp5-lut"]["lut_equivalents"]
        lines.append([
            anchor.origin,
            anchor.format,
            anchor.does,
            theirs,
            luts(row, "ecp5"),
            f"{'< ' if bound else ''}{plain:.2f}",
            number(anchor.without_dsp),
            number(logic),
            "-" if anchor.without_dsp is None else f"{logic / anchor.without_dsp:.2f}",
            number(anchor.gates),
            number(osu),
            f"{osu / anchor.gates:.2f}" if osu and anchor.gates else "-",
        ])  # fmt: skip
    return lines


def page(rows: list[dict[str, Any]]) -> str:
    """The Markdown page."""
    whole = [row for row in rows if "error" not in row]
    areas = {row["case"]: row for row in whole if row["what"] == "area"}
    tools = sorted({tool for row in whole for tool in row["ecp5"]["tools"]})
    head = ["format", "lanes", "LUT", "LUT, no DSP", "LUT per MAC", "GE", "GE per MAC", "FO4",
            "osu018 GE", "osu018 ps"]  # fmt: skip
    clocked = [
        [
            _label(row["case"]),
            number(row["alone"]["fmax_mhz"], 1),
            str(row["stages"]),
            number(row["routed"]["fmax_mhz"], 1),
            luts(row, "ecp5"),
            str(row["ecp5"]["ffs"]),
            number(row["asic"]["gate_equivalents"]),
            number(row["asic"]["delay_fo4"]),
        ]
        for row in whole
        if row["what"] == "clock"
    ]
    clocks = ["format", "MHz at 0 stages", "stages", "MHz", "LUT", "FF", "GE", "FO4"]
    against = ["unit", "format", "function", "LUT", "macaw", "ratio", "no DSP", "macaw", "ratio",
               "GE", "macaw", "ratio"]  # fmt: skip
    failed = [f"- {_label(r['case'])}, {r['what']}: {r['error']}" for r in rows if "error" in r]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by benchmarks/blocks.py; do not edit. -->
# What a block dot product costs

`block-dot`: the products of one pair of blocks, added exactly, times both scales, plus an fp32
addend, rounded once to fp32. 32 lanes, or 16 where blocks have 16 elements. Scalar formats: `dot`
of 32 lanes into fp32 (int32 for int8).

LUT is LUT4 + 2 * CCU2C of the bare unit after `synth_ecp5`; *no DSP* is `multiplier=lut`, which
also leaves wide LUTs out. GE (NAND2 gate equivalents) and FO4 are of macaw's logical-effort
library, register to register; osu018 is a 0.18 um library, its delay without registers and
without wires. Tools: {", ".join(tools)}.

## Combinational

{table(head, [_figures(row) for row in areas.values()])}

\\* The exact sum is too wide for gates: `aligned`, see [arithmetic.md](arithmetic.md).

## Beside public designs

All of 32 lanes and measured on the same flow, with the same options: LUT after plain `synth_ecp5`,
which spends LUTs on wide functions in all of them; without DSP and wide LUTs where there is such a
figure; GE on osu018. *Ratio* below 1: macaw is smaller. Hard multipliers that macaw does not use
are not counted in its favour. The figure of mx-dotp's MXFP8 is a lower bound.

{table(against, _against(areas), 3)}

## Fewest stages for {MEGAHERTZ:g} MHz on ECP5

Placed and routed between registers, seed 1.

{table(clocks, clocked) if clocked else "Not measured yet."}
{chr(10).join(["", "## Without figures", "", *failed, ""]) if failed else ""}"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", help="names of formats, with commas; default all")
    parser.add_argument("--clock", action="store_true", help="also the fewest stages for 100 MHz")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    every = cases()
    wanted = options.cases.split(",") if options.cases else list(every)
    unknown = set(wanted) - set(every)
    if unknown:
        raise MacawError(f"cases: {sorted(unknown)[0]!r} is none of {', '.join(every)}")
    wanted.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    work = [(name, "area") for name in wanted]
    work += [(name, "clock") for name in wanted if options.clock and name in BLOCKS]
    file = options.output / "block-formats-results.json"
    options.output.mkdir(parents=True, exist_ok=True)
    writing = threading.Lock()

    def one(name: str, what: str) -> None:
        row = measure(name, every[name], what, progress)
        with writing:
            old = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
            rows = merged(old, [row])
            file.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")
            file.with_suffix(".md").write_text(page(rows), encoding="utf-8")

    todo = [
        jobs.Job(name=f"{name} {what}", function=one, arguments={"name": name, "what": what})
        for name, what in work
    ]
    jobs.run(todo, workers=options.jobs, progress=progress)
    print(file.with_suffix(".md").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MacawError as error:
        sys.exit(f"macaw: {error}")
