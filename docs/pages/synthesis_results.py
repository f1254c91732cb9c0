# SPDX-License-Identifier: BSD-2-Clause
"""What `fma`, `div` and `sqrt` cost, beside public units; and the energies of synthesis.md."""

from typing import Any

from benchmarks.cost import fpus
from benchmarks.cost import quotients as digits
from benchmarks.cost.fma import MEGAHERTZ
from benchmarks.cost.horowitz import HOROWITZ
from macaw.synth import Result

from . import anchors
from .markdown import table


def energies(found: dict[str, Any]) -> str:
    """Energies of operations, and all as multiples of the 8-bit multiplication."""
    one = "mul a=int8 out=int16"
    head = ["operation", "`inv`", "pJ", "times int8 `mul`: `asic`", "process", "Horowitz"]
    rows = []
    for row, said in HOROWITZ.items():
        kept = [found[row][where]["energy_per_operation"] for where in ("asic", "process")]
        times = [k / found[one][w]["energy_per_operation"]
                 for k, w in zip(kept, ("asic", "process"))]  # fmt: skip
        rows.append([f"`{row}`", f"{kept[0]:,.0f}", f"{kept[1]:.3g}",
                     *(f"{each:.2g}" for each in (*times, said / HOROWITZ[one]))])  # fmt: skip
    return table(head, rows)


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


def _quotient(row: dict[str, Any]) -> list[str]:
    ecp5, compact = (Result.from_json(row[name]) for name in ("ecp5", "ecp5-compact"))
    asic = Result.from_json(row["asic"]) if "asic" in row else None
    return [
        "macaw" if row["flow"] == "none" else f"macaw, {row['flow']}",
        row["kind"],
        str(row["digits"] or "all"),
        str(ecp5.latency),
        f"{ecp5.lut_equivalents:.0f}",
        f"{compact.lut_equivalents:.0f}",
        str(ecp5.ffs),
        f"{ecp5.fmax_mhz:.1f}" if ecp5.fmax_mhz else "-",
        f"{asic.gate_equivalents:.0f}" if asic else "-",
        f"{asic.delay_fo4:.1f}" if asic else "-",
    ]


def _public(anchor: digits.Anchor) -> list[str]:
    return [
        anchor.origin,
        anchor.operations,
        str(anchor.digits),
        anchor.clocks,
        str(anchor.luts),
        str(anchor.compact),
        str(anchor.ffs),
        f"{anchor.fmax:.1f}",
        f"{anchor.gates:.0f}",
        f"{anchor.fo4:.1f}",
    ]


def quotients(found: dict[str, Any]) -> str:
    """Tables of `div` and `sqrt`, one for each format."""
    head = ["unit", "operations", "digits a clock", "clocks", "LUT", "LUT, compact", "FF", "MHz",
            "GE", "FO4"]  # fmt: skip
    parts = []
    for fmt in dict.fromkeys(row["format"] for row in found["rows"]):
        body = [_quotient(row) for row in found["rows"] if row["format"] == fmt]
        body += [_public(anchor) for anchor in digits.ANCHORS if anchor.format == fmt]
        parts.append(f"### {fmt}\n\n{table(head, body, 2)}")
    return "\n\n".join(parts)


def units(found: dict[str, Any]) -> str:
    """The table of `fpu`."""
    head = ["unit", "operations", "digits a clock", "stages", "LUT, compact", "DSP", "MHz", "FF",
            "GE", "FO4"]  # fmt: skip
    body = []
    for build in fpus.BUILDS:
        compact, asic = (Result.from_json(found[build.row][name]) for name in fpus.TARGETS)
        words = (
            *("macaw", build.operations.replace(",", ", "), build.digits or "-", build.stages),
            *(f"{compact.lut_equivalents:.0f}", compact.dsps, f"{compact.fmax_mhz:.1f}"),
            *(asic.ffs, f"{asic.gate_equivalents:.0f}", f"{asic.delay_fo4:.1f}"),
        )
        body.append([str(word) for word in words])
    for a in fpus.ANCHORS:
        words = (
            *("CVFPU", "all", 2, a.registers, a.luts, a.dsps, f"{a.fmax:.1f}", a.ffs, a.gates),
            f"{a.fo4:.1f}",
        )
        body.append([str(word) for word in words])
    return table(head, body, 2)


def page(
    found: dict[str, Any], public: dict[str, Any], divided: dict[str, Any], whole: dict[str, Any]
) -> str:
    """The Markdown page."""
    rows = found["rows"]
    tools = sorted({tool for row in rows if "ecp5" in row for tool in row["ecp5"]["tools"]})
    head = ["unit", "format", "stages", "LUT", "DSP", "FF", "MHz", "GE", "FO4", "osu018 GE",
            "osu018 ps"]  # fmt: skip
    body = []
    for fmt in dict.fromkeys(row["format"] for row in rows):
        body += [_figures(row) for row in rows if row["format"] == fmt]
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
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/cost/fma.py, public/anchors.py, quotients.py and
fpus.py measured. -->
# What `fma` costs

`r = round(a * b + c)`, all operands and the result in one format. LUT is LUT4 + 2 * CCU2C of the
bare unit after `synth_ecp5`; MHz is nextpnr-ecp5's after place and route with the unit between
registers (LFE5U-25F, seed 1). GE (NAND2 gate equivalents) and FO4 are of macaw's logical-effort
library, register to register, about 4 FO4 of which are the registers'; osu018 is a 0.18 um
library, its delay without registers and without wires.
Tools: {", ".join(tools)}.

{table(head, body, 2)}

## Beside public units

{anchors.section(public)}

## Fewest stages for {MEGAHERTZ:g} MHz on ECP5

{chr(10).join(reached)}

## Quotients and roots

`div` and `sqrt` with all rounding modes and flags, IEEE formats in and out, measured as above by
`python -m benchmarks.cost.quotients`. "digits a clock" is `digits=`, and "all" a unit without
registers, of a row for each digit; "clocks" is from operands to the result. "compact" is the
target `ecp5-compact`, which is without wide LUTs. macaw's units are without registers besides those
of the turns.

HardFloat (release 1 as Bespoke Silicon Group keeps it, `divSqrtFN`) cannot make a result wait, like
`flow=valid`; CVFPU (`fpnew_divsqrt_th_32`, no pipeline registers) can, like `flow=stream`. Both do
one operation or the other, by a port; it was also tied to one of them, so that Yosys leaves out
what only the other needs. Special operands take them fewer clocks. 3,000 operations of each unit
that has the port gave the bits and flags of macaw's golden model. Where both operations are
needed, macaw's is `fpu operations=div,sqrt`: one recurrence for both.

{quotients(divided)}

## Floating-point units

`fpu` of fp32, a stream with all rounding modes, flags and int32, by `python -m
benchmarks.cost.fpus` on the targets `ecp5-compact` and `asic`; "-div, -sqrt" has all operations but
these. CVFPU (`fpnew_top` of FP32 and INT32 alone, no vectors, no NaN boxing, `DivSqrtSel=TH32`,
registers distributed) has the same operations in four parts side by side, each with so many stages
besides the registers of the iteration. Its parts work at the same time; in macaw's `fpu` all
operations wait for a quotient or root before them.

{units(whole)}
"""


def statistics(found: dict[str, Any]) -> str:
    """What counts of 16 bits add to units, side by side."""
    rows: dict[str, list[str]] = {}
    for row in found["cost"]:
        fpga = row["fmax_mhz"] is not None
        speed = f"{row['fmax_mhz']:.0f}" if fpga else f"{row['delay_fo4']:.0f}"
        line = rows.setdefault(row["unit"], ["", ""])
        line[fpga] += f"{' → ' if line[fpga] else ''}{row['area']:,.0f} ({speed})"
    head = ["unit", "asic: GE (FO4)", "ecp5: LUT4 + 2 CCU2C (MHz)"]
    return table(head, [[f"`{name}`", *line] for name, line in rows.items()])
