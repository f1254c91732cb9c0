# SPDX-License-Identifier: BSD-2-Clause
"""docs/dyadic-results.md: what integer units cost; and the table of docs/dyadic.md."""

from typing import Any

from benchmarks.cost.dyadic import CLOCKS, macs, others, requantizers
from macaw.synth.work import LANES

from . import anchors
from .markdown import luts, number, table


def page(found: dict[str, Any], public: dict[str, Any]) -> str:
    """The Markdown page."""
    rows = found["rows"]
    by: dict[str, dict[str, Any]] = {}
    for row in rows:
        by.setdefault(row["case"], {}).update(row)
    tools = sorted({tool for row in rows for part in row.values() if isinstance(part, dict)
                    for tool in part["tools"]})  # fmt: skip

    def part(case: str, label: str) -> dict[str, Any]:
        return by.get(case, {}).get(label) or {}

    def area(found: dict[str, Any]) -> list[str]:
        return [number(found.get("gate_equivalents")), number(found.get("delay_fo4"), 1)]

    def routed(found: dict[str, Any]) -> list[str]:
        return [
            number(found.get("latency")),
            luts(found),
            number(found.get("ffs")),
            number(found.get("fmax_mhz"), 1),
        ]

    def figures(case: str) -> list[str]:
        return [luts(part(case, "auto")), *area(part(case, "asic")), *routed(part(case, "clock"))]

    head = ["LUT", "GE", "FO4", "stages", "LUT", "FF", "MHz"]
    scaling = [[name, *figures(f"requantize {name}")] for name in requantizers()]
    ways: dict[str, list[list[str]]] = {"plain": [], "soft": []}
    for name in requantizers():
        for way, lines in ways.items():
            if found := part(f"requantize {name}", way):
                lines.append([name, *routed(found)])
    weights = []
    reference = part("mac int8", "asic").get("gate_equivalents")
    for name in macs():
        auto, lut, asic = (part(f"mac {name}", label) for label in ("auto", "lut", "asic"))
        gates = asic.get("gate_equivalents")
        weights.append([
            name, luts(auto), luts(lut),
            number(lut["lut_equivalents"] / LANES, 1) if lut else "-",
            number(gates), number(gates and gates / LANES, 1),
            number(gates / reference, 2) if gates and reference else "-",
            number(part(f"mac {name}", "clock").get("fmax_mhz"), 1),
        ])  # fmt: skip
    rest = [[name, *figures(f"other {name}")] for name in others()]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/cost/dyadic.py measured. -->
# What integer pipelines cost

LUT is LUT4 + 2 * CCU2C of the bare unit after `synth_ecp5`, GE NAND2 gate equivalents and FO4 the
delay, register to register, of macaw's logical-effort library: both without pipeline registers.
Behind them, pipelined: target `ecp5dsp` with `frequency={CLOCKS["clock"]["frequency"]:g}`, which
holds products in the registers of the hard multipliers, and what nextpnr-ecp5 (LFE5U-25F, seed 1)
reaches with the unit between registers. `-`: not measured.
Tools: {", ".join(tools)}.

## Requantisation, int32 to int8

{table(["profile", *head], scaling)}

With products in the registers of the fabric, as Yosys leaves them (target `ecp5`,
`frequency={CLOCKS["plain"]["frequency"]:g}`):

{table(["profile", *head[3:]], ways["plain"])}

Without hard multipliers (target `ecp5`, `multiplier=lut`,
`frequency={CLOCKS["soft"]["frequency"]:g}`):

{table(["profile", *head[3:]], ways["soft"])}

## Beside public units

What is called plain Verilog is ours, as it is written without a generator; its requantisers have
the function of macaw's, left shifts and all.

{anchors.beside(public, "requantize", "int-mac")}

## Multiply-accumulate by weight format

{LANES} products a clock of int8 and a weight, an exact accumulator of 1024 products, an int32 bias,
saturation at the read-out. *No DSP* is `multiplier=lut`; GE is with Yosys' multipliers or with
those, whichever is smaller.

{table(["weights", "LUT", "LUT, no DSP", "per MAC", "GE", "per MAC", "of int8", "MHz"], weights)}

## Others

{table(["unit", *head], rest)}
"""


def in_a_million(wrong: int, count: int) -> str:
    often = 1e6 * wrong / count
    return f"{often:.2g}" if often < 10 else f"{often:,.0f}"


def differences(found: dict[str, Any]) -> str:
    """Of profiles from ``tflite_single``, and of forms of residual sums."""
    kinds = list(dict.fromkeys(row["multiplier"] for row in found["profiles"]))
    cells: dict[str, list[str]] = {}
    for row in found["profiles"]:
        name = f"`{row['profile']}`" if "onnx" not in row["profile"] else row["profile"]
        cell = in_a_million(row["above"] + row["below"], row["count"])
        sides = [text for text, side in (("+1", "above"), ("-1", "below")) if row[side]]
        shown = cell + (f" ({', '.join(sides)})" if sides else "")
        cells.setdefault(name, []).append(shown)
    head = ["profile", *(f"{kind} multiplier" for kind in kinds)]
    profiles = table(head, [[name, *each] for name, each in cells.items()])

    scales = list(dict.fromkeys(row["scales"] for row in found["residuals"]))
    pairs: dict[tuple[str, ...], list[str]] = {}
    for row in found["residuals"]:
        forms = tuple(f"{form} `{profile}`" for form, profile in row["forms"])
        pairs.setdefault(forms, []).append(in_a_million(row["differing"], row["count"]))
    head = ["form", "and form", *(f"{each} scales" for each in scales)]
    residuals = table(head, [[*pair, *each] for pair, each in pairs.items()])
    return (
        f"{profiles}\n\nOf sums of two int8 branches, results in a million that two forms give one"
        f" count apart:\n\n{residuals}"
    )
