# SPDX-License-Identifier: BSD-2-Clause
"""Where the profiles of requantisation differ, and what integer units cost.

`--differences` writes the tables of docs/dyadic.md. Otherwise docs/dyadic-results.md and .json are
written: `--what` says which figures are measured, and `--cases` of which units. Rows that are not
asked for stay, as long as their gates are what they were. Each figure goes through macaw's cache.

Example: python benchmarks/dyadic.py --what ecp5,asic --cases requantize
"""

import argparse
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from macaw.golden.arithmetic.dyadic import Profile, requantize, requantize_real
from macaw.golden.errors import MacawError
from macaw.golden.tensors.integer_layers import export_residual, residual_add
from macaw.golden.units import Unit, unit
from macaw.synth import run, source, targets, work
from macaw.synth.work import LANES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "dyadic.md"
MARKS = "<!-- differences: written by benchmarks/dyadic.py -->", "<!-- end of differences -->"
DRAWS = 4_000_000
RATIOS = 64
"""Triples of scales that residual sums are drawn with."""
WEIGHTS = ("int8", "int4", "int2", "ternary", "binary", "shift4", "shift3", "power4")
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
CLOCKS: dict[str, dict[str, Any]] = {
    "clock": {"target": "ecp5dsp", "frequency": 165.0},
    "plain": {"target": "ecp5", "frequency": 140.0},
    "soft": {"target": "ecp5", "frequency": 170.0, "multiplier": "lut"},
}
"""What the delay model is asked for: with the registers of products in the hard multipliers, with
those registers in the fabric as Yosys leaves them, and with products made of logic cells."""
FIGURES = ("ecp5", "asic", "anchor", *CLOCKS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """A public design, measured with Yosys 0.70 and nextpnr-ecp5 0.11.1 on the same flow."""

    origin: str
    stages: int
    luts: int
    dsps: int
    against: str
    fmax: float | None = None
    gates: int | None = None
    picoseconds: int | None = None
    multiplier: str = "auto"


ANCHORS = (
    Anchor(origin="gemmlowp's double rounding, 32 x 32, plain Verilog", stages=0, luts=802, dsps=4,
           fmax=27.1, gates=11891, picoseconds=17366, against="requantize tflite_double"),
    Anchor(origin="single rounding, 32 x 31, plain Verilog", stages=0, luts=1461, dsps=4,
           fmax=33.5, against="requantize tflite_single"),
    Anchor(origin="single rounding, 32 x 16, plain Verilog", stages=0, luts=934, dsps=2,
           fmax=41.5, against="requantize tflite_single, 16 bits"),
    Anchor(origin="NVDLA SDP converter, 33 x 16", stages=3, luts=880, dsps=2, fmax=73.5,
           gates=7888, picoseconds=7315, against="requantize half_away, 16 bits"),
    Anchor(origin="int8 into int32, plain Verilog", stages=0, luts=64, dsps=1, fmax=101.5,
           gates=1478, picoseconds=5185, against="other int-mac, 1 lane"),
    Anchor(origin="the same without DSP (`-nodsp -nowidelut`)", stages=0, luts=344, dsps=0,
           multiplier="lut", against="other int-mac, 1 lane"),
)  # fmt: skip


def requantizers() -> dict[str, Unit]:
    """Requantisers by name, int32 to int8."""
    found = {p.value: unit("requantize", profile=p) for p in Profile if p is not Profile.HALF_UP}
    for profile in ("tflite_single", "hawq", "half_away"):
        found[f"{profile}, 16 bits"] = unit("requantize", profile=profile, bits=16)
    for profile in ("tflite_double", "hawq"):
        found[f"{profile}, zero point"] = unit("requantize", profile=profile, zero_point=True)
    found["tflite_double, fixed shift"] = unit("requantize", profile="tflite_double", shift=-7)
    fixed = {"multiplier": 0x5A827999, "shift": -7}
    found["tflite_double, fixed scale"] = unit("requantize", profile="tflite_double", **fixed)
    return found


def macs() -> dict[str, Unit]:
    """Multiply-accumulates by weight format: int8 activations, LANES products a clock, int32."""
    pairs = {name: work.pair(name, work.ACTIVATION) for name in WEIGHTS}
    found = {name: work.candidates(pair, lanes=LANES)[0] for name, pair in pairs.items()}
    found["2 of power4"] = unit("int-mac", a="int8", b="power4", parts=2, lanes=LANES)
    found["binary, binary"] = work.candidates("binary:binary", lanes=LANES)[0]
    found["int8, zero point"] = unit("int-mac", a="int8", a_zero=True, lanes=LANES)
    found["ternary, zero point"] = unit("int-mac", a="int8", b="ternary", a_zero=True, lanes=LANES)
    return found


def others() -> dict[str, Unit]:
    """The other units."""
    return {
        "residual-add, separate": unit("residual-add"),
        "residual-add, single": unit("residual-add", form="single"),
        "residual-add, tflite": unit("residual-add", form="tflite"),
        "average-pool": unit("average-pool"),
        "average-pool of 49": unit("average-pool", count=49),
        "clamp": unit("clamp"),
        "int-mac, 1 lane": unit("int-mac", a="int8", bias=False, wrap=True, terms=1 << 16),
    }


def every() -> dict[str, Unit]:
    """Every unit that is priced, by its row."""
    groups = {"requantize": requantizers(), "mac": macs(), "other": others()}
    return {
        f"{group} {name}": spec for group, each in groups.items() for name, spec in each.items()
    }


# Differences


def draws(kind: str, count: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Accumulators and multipliers as layers have them: results of a spread of 40 counts."""
    scale = np.exp2(rng.uniform(-14, -4, count))
    bits = {"any": 31, "8-bit": 8, "power of two": 1}[kind]
    mantissa = np.rint(np.ldexp(rng.uniform(0.5, 1, count), bits))
    mantissa = np.minimum(mantissa, 2**bits - 1).astype(np.int64)
    shift = np.floor(np.log2(scale)).astype(np.int64)
    multiplier = mantissa << (31 - bits)
    real = np.ldexp(multiplier.astype(float), shift - 31)
    x = np.rint(rng.standard_normal(count) * 40 / real).astype(np.int64)
    return np.clip(x, -(2**31), 2**31 - 1), multiplier, shift


def in_a_million(wrong: int, count: int) -> str:
    often = 1e6 * wrong / count
    return f"{often:.2g}" if often < 10 else f"{often:,.0f}"


def differences(count: int) -> str:
    """The Markdown tables."""
    kinds = ("any", "8-bit", "power of two")
    found: dict[str, list[str]] = {}
    for number, kind in enumerate(kinds):
        rng = np.random.default_rng(number)
        x, multiplier, shift = draws(kind, count, rng)
        results = {p.value: requantize(x, multiplier, shift, profile=p) for p in Profile}
        real = np.ldexp(multiplier.astype(float), shift - 31).astype(np.float32)
        results["onnx (fp32)"] = requantize_real(x, real)
        base = results["tflite_single"].astype(int)
        for name, result in results.items():
            apart = result.astype(int) - base
            wrong = int(np.count_nonzero(apart))
            cell = in_a_million(wrong, count)
            sides = [text for text, side in (("+1", apart > 0), ("-1", apart < 0)) if side.any()]
            assert np.abs(apart).max() <= 1
            found.setdefault(name, []).append(cell + (f" ({', '.join(sides)})" if sides else ""))
    head = ["profile", *(f"{kind} multiplier" for kind in kinds)]
    lines = [head, ["---", "--:", "--:", "--:"]]
    lines += [
        [f"`{name}`" if "onnx" not in name else name, *cells] for name, cells in found.items()
    ]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{text}\n\n{_residuals(count // 4)}"


def _residuals(count: int) -> str:
    """Results in a million that one form of a sum gives and another does not, by scales."""
    separate, single, away, tflite = forms = (
        ("separate", "hawq"),
        ("single", "hawq"),
        ("single", "half_away"),
        ("tflite", "tflite_double"),
    )
    pairs = (separate, single), (separate, tflite), (single, tflite), (away, tflite)
    cells = []
    for power in (False, True):
        rng = np.random.default_rng(9)
        apart = dict.fromkeys(pairs, 0)
        for _ in range(RATIOS):
            exponents = rng.uniform(-6, -4, 3)
            scales = np.exp2(np.rint(exponents) if power else exponents).tolist()
            a, b = rng.integers(-128, 128, (2, count // RATIOS))
            found = {}
            for form, profile in forms:
                factors = export_residual(*scales, form=form)
                result = residual_add(a, b, *factors, form=form, profile=profile)
                found[form, profile] = result.astype(int)
            for first, second in pairs:
                differences = np.abs(found[first] - found[second])
                assert differences.max() <= 1
                apart[first, second] += int(np.count_nonzero(differences))
        total = count // RATIOS * RATIOS
        cells.append([in_a_million(each, total) for each in apart.values()])
    rows = [
        [*(f"{form} `{profile}`" for form, profile in pair), *each]
        for pair, *each in zip(pairs, *cells, strict=True)
    ]
    return (
        "Of sums of two int8 branches, results in a million that two forms give one count apart:"
        "\n\n" + table(["form", "and form", "any scales", "power of two scales"], rows)
    )


def write_differences(count: int) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    table = differences(count)
    PAGE.write_text(f"{before}{MARKS[0]}\n\n{table}\n\n{MARKS[1]}{after}", encoding="utf-8")
    print(table)


# Cost


def digest(spec: Unit) -> str:
    text = source.generate(spec, stages=0, target="ecp5").verilog
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def price(name: str, spec: Unit, what: str) -> dict[str, Any]:
    """One row: ``what`` is ``ecp5`` or ``asic`` (areas, combinational but for accumulators),
    ``anchor`` (with the stages of the public design that it stands beside, and on its library),
    or one of :data:`CLOCKS`, placed and routed with registers."""
    row: dict[str, Any] = {"case": name, "what": what, "unit": spec.name, "design": digest(spec)}
    ecp5, asic = targets.target("ecp5"), targets.target("asic")
    if what == "asic":
        return row | {what: work.price(spec, asic)[0].to_json()}
    if what == "anchor":
        for anchor in (a for a in ANCHORS if a.against == name):
            design = source.generate(spec, stages=anchor.stages, target=asic.model)
            row["osu018"] = run(design, "asic", liberty=OSU018).to_json()
            options = {"stages": anchor.stages, "multiplier": anchor.multiplier}
            row[f"beside {anchor.multiplier}"] = run(spec, area_only=True, **options).to_json()
        return row
    if what in CLOCKS:
        options = dict(CLOCKS[what])
        return row | {what: run(spec, options.pop("target"), **options).to_json()}
    for multiplier in ("auto", "lut") if name.startswith("mac") else ("auto",):
        design = source.generate(spec, stages=0, target=ecp5.model, multiplier=multiplier)
        row[multiplier] = run(design, ecp5, multiplier=multiplier, area_only=True).to_json()
    return row


def merged(old: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows with ``new`` in place, without those whose gates are no more what they were."""
    kept = [
        row
        for row in old
        if (row["case"], row["what"]) != (new["case"], new["what"])
        and (row["case"] != new["case"] or row["design"] == new["design"])
    ]
    order = list(every())
    rows = [row for row in [*kept, new] if row["case"] in order]
    return sorted(rows, key=lambda row: (order.index(row["case"]), row["what"]))


def table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rows])


def number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def page(rows: list[dict[str, Any]]) -> str:
    """The Markdown page."""
    by: dict[str, dict[str, Any]] = {}
    for row in rows:
        by.setdefault(row["case"], {}).update(row)
    tools = sorted({tool for row in rows for part in row.values() if isinstance(part, dict)
                    for tool in part["tools"]})  # fmt: skip

    def part(case: str, label: str) -> dict[str, Any]:
        return by.get(case, {}).get(label) or {}

    def luts(found: dict[str, Any]) -> str:
        if not found:
            return "-"
        return f"{found['lut_equivalents']:.0f}" + (f" + {found['dsps']} DSP" * bool(found["dsps"]))

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
    beside = ["design", "profile", "stages"]
    beside += [cell for unit in ("LUT", "GE", "ps") for cell in (unit, "theirs", "ratio")]
    ratios = []
    for anchor in ANCHORS:
        mine = part(anchor.against, f"beside {anchor.multiplier}")
        if mine:
            gates = part(anchor.against, "osu018") if anchor.gates else {}
            found = [gates.get("gate_equivalents"), gates.get("logic_ps")]
            theirs = [anchor.gates, anchor.picoseconds]
            ratios.append([
                anchor.origin, f"`{anchor.against.partition(' ')[2]}`", str(anchor.stages),
                luts(mine), luts({"lut_equivalents": anchor.luts, "dsps": anchor.dsps}),
                f"{mine['lut_equivalents'] / anchor.luts:.2f}",
                *(cell for m, t in zip(found, theirs, strict=True)
                  for cell in (number(m), number(t), f"{m / t:.2f}" if m and t else "-")),
            ])  # fmt: skip
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
<!-- Written by benchmarks/dyadic.py; do not edit. -->
# What integer pipelines cost

LUT is LUT4 + 2 * CCU2C of the bare unit after `synth_ecp5`, GE NAND2 gate equivalents and FO4 the
delay, register to register, of macaw's logical-effort library: both without pipeline registers.
Behind them, pipelined: target `ecp5dsp` with `frequency={CLOCKS["clock"]["frequency"]:g}`, which
holds products in the registers of the hard multipliers, and what nextpnr-ecp5 (LFE5U-25F, seed 1)
reaches with the unit between registers. `-`: not measured.
Tools: {", ".join(tools)}.

## Requantisation, int32 to int8

{table(["profile", *head], scaling)}

Public designs, measured with the same tools at the same number of stages; GE and ps (without
registers) on osu018:

{table(beside, ratios)}

Clocks: theirs reach {", ".join(f"{a.fmax:g}" for a in ANCHORS if a.fmax)} MHz. With products in the
registers of the fabric, as Yosys leaves them (target `ecp5`,
`frequency={CLOCKS["plain"]["frequency"]:g}`):

{table(["profile", *head[3:]], ways["plain"])}

Without hard multipliers (target `ecp5`, `multiplier=lut`,
`frequency={CLOCKS["soft"]["frequency"]:g}`):

{table(["profile", *head[3:]], ways["soft"])}

## Multiply-accumulate by weight format

{LANES} products a clock of int8 and a weight, an exact accumulator of 1024 products, an int32 bias,
saturation at the read-out. *No DSP* is `multiplier=lut`; GE is with Yosys' multipliers or with
those, whichever is smaller.

{table(["weights", "LUT", "LUT, no DSP", "per MAC", "GE", "per MAC", "of int8", "MHz"], weights)}

## Others

{table(["unit", *head], rest)}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--differences", action="store_true", help="only the tables of differences")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--cases", default="", help="parts of the names of rows, with commas")
    parser.add_argument("--what", default="ecp5,asic", help="of " + ", ".join(FIGURES))
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    if wrong := set(options.what.split(",")) - set(FIGURES):
        parser.error(f"--what {','.join(sorted(wrong))}: must be of {', '.join(FIGURES)}")
    if options.differences:
        write_differences(options.draws)
        return 0
    started = time.monotonic()
    file = options.output / "dyadic-results.json"
    wanted = options.cases.split(",")
    for what in options.what.split(","):
        for name, spec in every().items():
            if not any(text in name for text in wanted):
                continue
            if what == "anchor" and name not in {a.against for a in ANCHORS}:
                continue
            row = price(name, spec, what)
            old = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
            rows = merged(old, row)
            file.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")
            file.with_suffix(".md").write_text(page(rows), encoding="utf-8")
            seconds = time.monotonic() - started
            print(f"{seconds:6.0f} s  {what} {name}", file=sys.stderr, flush=True)
    print(file.with_suffix(".md").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MacawError as error:
        sys.exit(f"macaw: {error}")
