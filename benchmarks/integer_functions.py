# SPDX-License-Identifier: BSD-2-Clause
"""How near integer-only functions are to the real ones, and what their units cost.

Rewrites the tables of docs/integer-functions.md that stand between its marks. Figures of cost are
kept in docs/integer-functions-results.json, beside a digest of the Verilog, and go through macaw's
cache; those that are not asked for stay.

Example: python benchmarks/integer_functions.py --only "int-gelu*"
"""

import argparse
import fnmatch
import hashlib
import importlib
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from macaw.golden.arithmetic.exp2 import exp2
from macaw.golden.arithmetic.functions import exponential, gelu, layer_norm, softmax
from macaw.golden.errors import MacawError
from macaw.golden.units import unit
from macaw.synth import run, source, targets

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "integer-functions.md"
RESULTS = ROOT / "docs" / "integer-functions-results.json"
MEGAHERTZ = 165.0
"""What the delay model is asked for."""
SCALES = ("1/2", "1/8", "1/16", "0.0631", "0.05", "1/32", "1/128", "0.0001")

ROWS: tuple[str, ...] = (
    "isqrt x=uint16",
    "isqrt x=uint32",
    "int-exp2 x=fx16.10 precision=8",
    "int-exp2 x=fx16.10",
    "int-exp2 x=fx24.16",
    "int-exp2 x=fx16.11 base=e out=fp16",
    "int-gelu x=fx8.4",
    "int-gelu x=fx16.12",
    "int-softmax x=fx8.4 lanes=8",
    "int-softmax x=fx8.4 lanes=8 reciprocal=24",
    "int-softmax x=fx8.4 lanes=8 reciprocal=24 --fold 8",
    "int-layernorm x=int8 lanes=8 out=int8 reciprocal=17",
    "int-layernorm x=int8 lanes=16",
    "int-layernorm x=int8 lanes=16 out=int8 reciprocal=17",
    "int-layernorm x=int8 lanes=16 out=int8 reciprocal=17 --fold 16",
)
"""Units as the command line has them."""


def parse(row: str) -> tuple[Any, dict[str, Any]]:
    """(the unit, implementation options) of a row."""
    words, _, fold = row.partition(" --fold ")
    kind, *parameters = words.split()
    spec = unit(kind, **dict(word.split("=", 1) for word in parameters))
    return spec, {"fold": int(fold), "flow": "valid"} if fold else {}


# Cost


def price(row: str, what: str) -> dict[str, Any]:
    """Figures of one row: ``ecp5`` and ``asic`` without registers, ``clock`` with."""
    spec, options = parse(row)
    target = targets.target({"asic": "asic", "ecp5": "ecp5", "clock": "ecp5dsp"}[what])
    speed: dict[str, Any] = {"frequency": MEGAHERTZ} if what == "clock" else {"stages": 0}
    design = source.generate(spec, target=target.model, **speed, **options)
    result = run(design, target, area_only=what == "ecp5").to_json()
    return {"design": digest(design.verilog), "result": result}


def digest(verilog: str) -> str:
    return hashlib.sha256(verilog.encode()).hexdigest()[:16]


def luts(found: dict[str, Any] | None) -> str:
    if not found:
        return "-"
    dsps = f" + {found['dsps']} DSP" if found["dsps"] else ""
    return f"{found['lut_equivalents']:.0f}{dsps}"


def cost_table(results: dict[str, Any]) -> str:
    lines = [
        "| `macaw synth …` | LUT | GE | FO4 | stages | LUT | FF | MHz |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in ROWS:
        found = {what: part["result"] for what, part in results.get(row, {}).items()}
        flat, asic, clock = (found.get(what) for what in ("ecp5", "asic", "clock"))
        cells = [
            luts(flat),
            f"{asic['gate_equivalents']:.0f}" if asic else "-",
            f"{asic['delay_fo4']:.0f}" if asic else "-",
            *([str(clock["latency"]), luts(clock), str(clock["ffs"]), f"{clock['fmax_mhz']:.0f}"]
              if clock else ["-"] * 4),
        ]  # fmt: skip
        lines.append(f"| `{row}` | {' | '.join(cells)} |")
    tools = sorted({t for parts in results.values() for p in parts.values()
                    for t in p["result"]["tools"]})  # fmt: skip
    return "\n".join([*lines, "", f"Tools: {', '.join(tools)}."])


# Accuracy


def curves(scale: str) -> list[float]:
    """Largest errors of GELU, of the exponential, and of softmax, at one scale."""
    step = float(Fraction(scale))
    reach = min(int(8 / step), 100_000)
    x = np.unique(np.linspace(-reach, reach, 20_001).astype(np.int64))
    r, worth = gelu(x, scale)
    value = x * step
    exact = value / 2 * (1 + np.vectorize(math.erf)(value / math.sqrt(2)))
    errors = [np.abs(r * float(worth) - exact).max()]
    x = -np.arange(min(int(12 / step) + 1, 100_000))
    r, worth = exponential(x, scale)
    errors.append(np.abs(r * float(worth) - np.exp(x * step)).max())
    rng, worst = np.random.default_rng(1), 0.0
    for lanes in (1, 2, 8, 64):
        for spread in (0.5, 2, 6):
            rows = np.rint(rng.normal(0, spread, (2000, lanes)) / step).astype(np.int64)
            exact = np.exp((rows - rows.max(-1, keepdims=True)) * step)
            exact /= exact.sum(-1, keepdims=True)
            got = softmax(rows, scale, out="ufx16.16") * 2.0**-16
            worst = max(worst, np.abs(got - exact).max())
    return [*errors, worst]


def norms(reach: int, lanes: int) -> float:
    """Largest error of normalised values, of uniform integers up to ``reach``."""
    x = np.random.default_rng(lanes).integers(-reach, reach + 1, (2000, lanes))
    x = x[x.std(-1) > 1]
    exact = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
    r, scale = layer_norm(x)
    return float(np.abs(r * scale - exact).max())


def ulps(fraction: int, precision: int) -> float:
    """Largest error of a power of two in last places of its significand."""
    size = 1 << min(fraction, 16)
    x = np.unique(np.linspace(0, (1 << fraction) - 1, size).astype(np.int64))
    significand, exponent = exp2(x, fraction=fraction, precision=precision)
    worst = 0.0
    gmpy2: Any = importlib.import_module("gmpy2")  # has no types
    with gmpy2.context(precision=120):
        for v, m, e in zip(x.tolist(), significand.tolist(), exponent.tolist(), strict=True):
            power = gmpy2.exp2(gmpy2.mpfr(v) / 2**fraction + precision)
            worst = max(worst, float(abs(m * 2**e - power)))
    return worst


def accuracy_tables() -> str:
    lines = ["| scale | GELU | exponential | softmax |", "|---|--:|--:|--:|"]
    for scale in SCALES:
        lines.append(f"| {scale} | " + " | ".join(f"{e:.4f}" for e in curves(scale)) + " |")
    lines += ["", "| values up to | 8 | 64 | 768 in a row |", "|---|--:|--:|--:|"]
    for reach in (7, 127, 2047, 32767):
        cells = [f"{norms(reach, lanes):.2g}" for lanes in (8, 64, 768)]
        lines.append(f"| {reach} | {' | '.join(cells)} |")
    lines += ["", "| fraction bits of x | 8 | 12 | 15 | 24 bits of the significand |"]
    lines += ["|---|--:|--:|--:|--:|"]
    for fraction in (6, 10, 12, 13, 16, 24):
        cells = [f"{ulps(fraction, precision):.3f}" for precision in (8, 12, 15, 24)]
        lines.append(f"| {fraction} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write(name: str, table: str) -> None:
    """Put ``table`` between the marks of that name."""
    text = PAGE.read_text(encoding="utf-8")
    begin, end = (
        f"<!-- {word} {name}: benchmarks/integer_functions.py -->" for word in ("begin", "end")
    )
    before, rest = text.split(begin)
    PAGE.write_text(f"{before}{begin}\n\n{table}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")


def main() -> None:
    """Measure what is asked for and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="*", help="rows of the table of cost")
    parser.add_argument("--what", default="ecp5,asic,clock", help="figures of these rows")
    parser.add_argument("--no-accuracy", action="store_true")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results = {row: results[row] for row in ROWS if row in results}
    for row in ROWS:
        if not fnmatch.fnmatch(row, arguments.only):
            continue
        for what in arguments.what.split(","):
            try:
                results.setdefault(row, {})[what] = price(row, what)
            except MacawError as error:
                print(f"{row}: {what}: {error}", flush=True)
                continue
            print(row, what, flush=True)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            write("cost", cost_table(results))
    if not arguments.no_accuracy:
        write("accuracy", accuracy_tables())


if __name__ == "__main__":
    main()
