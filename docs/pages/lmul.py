# SPDX-License-Identifier: BSD-2-Clause
"""The tables and the picture of docs/lmul.md."""

from typing import Any

from benchmarks.cost.lmul import FLUSHED, GRADUAL, PRODUCTS, SUMS, WIDTHS
from macaw.synth.page import charts

from .curves import Line, panel
from .markdown import luts, table

Figures = dict[str, dict[str, Any]]
NAMES = {
    "exact": "exact",
    "lmul": "L-Mul",
    "lmul(literal)": "L-Mul, literal",
    "lmul(mitchell,none)": "no offset",
}
COLOURS = {"exact": "#1f77b4", "lmul": "#d62728", "lmul(literal)": "#ff7f0e"}
KINDS = (
    ("uniform", "significands uniform in [1, 2), rms"),
    ("bias", "the same, mean"),
    ("normal", "normal numbers, rms"),
    ("sum", "dot products of 128 normal numbers, rms"),
)


def _asic(cost: Figures, row: str) -> tuple[float, float]:
    figures = cost[row]["asic"]["result"]
    return figures["gate_equivalents"], figures["delay_fo4"]


def _flushed(name: str, product: str) -> str:
    how = "" if product == "exact" else f" product={product}"
    return f"mul a={name} overflow=saturate{how}"


def _errors(made: dict[str, Any], what: str) -> dict[tuple[int, str], float]:
    return {(row["bits"], row["product"]): row[what] for row in made["rows"]}


def errors(made: dict[str, Any]) -> str:
    """Errors in per cent by bits of fraction, a table for each kind."""
    parts = []
    for what, head in KINDS:
        found = _errors(made, what)
        widths = sorted({bits for bits, _ in found})
        rows = [
            [str(bits), *(f"{found[bits, product]:.2f}" for product in NAMES)] for bits in widths
        ]
        parts += [f"{head}, in per cent:", table(["bits of fraction", *NAMES.values()], rows, 0)]
    return "\n\n".join(parts)


def claims(made: dict[str, Any], cost: Figures) -> str:
    """The paper's claims beside the figures."""
    found = _errors(made, "uniform")

    def verdict(bits: int, against: int) -> str:
        exact = found[against, "exact"]
        cells = []
        for product in ("lmul", "lmul(literal)"):
            error = found[bits, product]
            word = "holds" if error <= exact else "does not hold"
            cells.append(f"{NAMES[product]} {error:.2f} %: {word}")
        return f"exact {exact:.2f} %; " + "; ".join(cells)

    bf16, fp32 = WIDTHS[-1], "e8m23ftz"
    area = {
        what: _asic(cost, _flushed(name, product))[0]
        for what, name, product in (
            ("small", bf16, "lmul"),
            ("same", bf16, "exact"),
            ("fp32", fp32, "exact"),
        )
    }
    fewer = [f"{100 * (1 - area['small'] / area[what]):.0f} %" for what in ("fp32", "same")]
    whole = _asic(cost, "fma a=bf16 out=fp32")[0]
    joined = _asic(cost, "fma a=bf16 out=fp32 product=lmul")[0]
    rows = [
        ["4 bits of fraction are as good as e4m3 (3 bits)", verdict(4, 3)],
        ["3 bits of fraction are better than e5m2 (2 bits)", verdict(3, 2)],
        [
            "95 % less than a product of fp32 (the paper: energy)",
            f"area of bf16 by L-Mul: {fewer[0]} less than exact fp32, {fewer[1]} less than exact "
            f"bf16; with the addition of an fp32 number behind it, {100 * (1 - joined / whole):.0f}"
            " % less than exact bf16",
        ],
    ]
    return table(["the paper", "here"], rows, 2)


def drawing(made: dict[str, Any], cost: Figures) -> str:
    """Error over area: each curve is a way to multiply, each point a width."""
    panels = []
    for what, head in (("uniform", "Uniform significands"), ("sum", "Dot products of 128")):
        found = _errors(made, what)
        lines = []
        for product, colour in COLOURS.items():
            points = sorted(
                (_asic(cost, _flushed(name, product))[0], found[bits, product])
                for bits, name in enumerate(WIDTHS, 1)
            )
            x, y = zip(*points)
            lines.append(Line(x=x, y=y, colour=colour, name=NAMES[product]))
        ticks = {value: f"{value:g} %" for value in (0.1, 0.3, 1, 3, 10, 30, 100)}
        panels.append(panel(head, lines, "rms error", ticks, "gate equivalents of the product"))
    return charts.picture(panels)


def cost(found: Figures) -> str:
    """Areas and delays, and how much less they are than those of the exact product."""
    rows = []
    units = [f"mul a={name} overflow=saturate" for name in FLUSHED]
    units += [f"mul a={name}" for name in GRADUAL] + [f"{unit} out=fp32" for unit in SUMS]
    for unit in units:
        for how in PRODUCTS:
            row = unit + how
            if row not in found:
                continue
            area, delay = _asic(found, row)
            first = _asic(found, unit)
            less = ["", ""] if not how else [_less(area, first[0]), _less(delay, first[1])]
            parts = [found[row].get(what, {}).get("result") for what in ("ecp5", "ecp5-lut")]
            cells = [f"`{row}`", f"{area:.0f}", less[0], f"{delay:.0f}", less[1], *map(luts, parts)]
            rows.append(cells)
    return table(["`macaw synth …`", "GE", "", "FO4", "", "LUT", "LUT, no DSP"], rows)


def _less(value: float, than: float) -> str:
    return f"{100 * (value / than - 1):+.0f} %"
