# SPDX-License-Identifier: BSD-2-Clause
"""docs/kinds.md: each kind of unit, by whom it was judged, and what one of it costs."""

from typing import Any

from benchmarks.cost import quotients
from benchmarks.cost.kinds import ROWS
from benchmarks.cost.public.anchors import best
from benchmarks.studies.judged import COMMAND
from macaw.golden.units import UNITS

from ..markdown import luts, number, table

BESIDE = {
    "fma": "CVFPU fp16, all modes",
    "block-dot": "mx-dotp mxfp4 dot of 32",
    "requantize": "plain Verilog requantisation, tflite_single, 32 x 31",
    "int-mac": "plain Verilog int8 MAC",
}
"""What public units are called that do what a kind's does."""
INTRODUCTION = """\
# Every kind of unit

By whom the golden model of each kind was judged, how many results of its gates were compared with
it, and what one unit costs. Results are the correctly rounded ones, or of a defined order of
roundings, and there is no error to be stated, but for wide `function`s
([errors](functions.md#of-wider-floats)), for rows ([errors](rows.md)), `l-mul`
([errors](lmul.md)) and the functions in integers ([errors](integer-functions.md)).

## What one costs

Without registers in its way, or with as many as the shortest iteration needs: LUT4 + 2 CCU2C and
multipliers on `ecp5`, gate equivalents and delays of a loaded inverter on `asic`, by
`python -m benchmarks.cost.kinds`. Beside it a public unit of the same function on the same flow,
where one was measured; behind a stroke macaw's that was measured with it, each mapped in the better
of two ways. The same with clocks, in several sizes and with all that differs are
[synthesis-results.md](synthesis-results.md), [block-formats-results.md](block-formats-results.md)
and [dyadic-results.md](dyadic-results.md).
"""
PUBLISHED = """\
FloPoCo has no subnormals, carries zeros, infinities and NaNs in two bits beside the word, and is
published on other devices, so that its figures are no more than a scale: its single-precision
exponential takes 392 slices of two 4-input LUTs, one DSP block and 18 kbit of memory on Virtex-4
(de Dinechin and Pasca, *Floating-point exponential functions for DSP-enabled FPGAs*, 2010; last-bit
accurate), its pipelined division 1,029 to 1,051 LUTs and 856 to 1,083 registers on Virtex-6 (at 345
and 466 MHz, in its source). Ours, with subnormals and IEEE words, is of
[functions.md](functions.md#of-floats-of-up-to-16-bits) and
[synthesis-results.md](synthesis-results.md).
"""
JUDGED = f"""\
## By whom it is judged

The golden model by MPFR, SoftFloat, or a scalar reference of this repository in fractions and
integers, which shares no code with it; its codes besides by ml_dtypes and gfloat. The gates by the
golden model: units, then results of units all of whose operands were tried, of millions of vectors
in compiled code, and of testbenches in two simulators under stalls. What is proven for all inputs
by other means is in [proven.md](proven.md). By `{COMMAND}`, which takes what
`make prove` did; kinds that are not in the table were not recorded yet.
"""


def page(costs: dict[str, Any], judged: dict[str, Any], public: dict[str, Any]) -> str:
    """The Markdown page."""
    parts = (INTRODUCTION, _costs(costs, public), PUBLISHED, JUDGED, _judged(judged["kinds"]))
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _anchors(public: dict[str, Any]) -> dict[str, str]:
    """Public units' figures by the row that does what they do."""
    found = {}
    for row in ROWS:
        kind = row.split()[0]
        for each in quotients.ANCHORS:
            same = (each.operations, each.format, each.digits)
            if "digits 1" in row and same == (kind, "fp32", 1):
                found[row] = _cell(each, f"{each.gates} GE, {each.fo4} FO4")
            if kind == "fpu" and same == ("div, sqrt", "fp32", 1):
                found[row] = _cell(each, f"{each.gates} GE, {each.fo4} FO4")
        if both := public["rows"].get(BESIDE.get(kind)):
            theirs, own = (luts(best(both[side]).to_json()) for side in ("public", "macaw"))
            found[row] = f"{both['project']}: {theirs} / {own}"
    return found


def _cell(anchor: Any, more: str = "") -> str:
    dsps = f" + {anchor.dsps} DSP" if getattr(anchor, "dsps", 0) else ""
    return f"{anchor.origin}: {anchor.luts}{dsps}" + (f"; {more}" if more else "")


def _costs(found: dict[str, Any], public: dict[str, Any]) -> str:
    anchors = _anchors(public)
    rows = []
    for row in ROWS:
        ecp5, asic = found[row]["ecp5"]["result"], found[row]["asic"]["result"]
        gates, delay = number(asic["gate_equivalents"]), number(asic["delay_fo4"], 1)
        rows.append([f"`{row}`", anchors.get(row, ""), luts(ecp5), gates, delay])
    return table(["unit", "a public one", "LUT", "GE", "FO4"], rows, 2)


def _judged(found: dict[str, Any]) -> str:
    head = ["kind", "golden's judge", "results", "units", "all operands", "compiled", "testbenches"]
    rows = []
    for kind in (each for each in UNITS if each in found):
        golden, gates = found[kind]["golden"], found[kind]["gates"]
        benches = sum(gates.get(name, (0, 0))[1] for name in ("icarus", "verilator"))
        rows.append([
            f"`{kind}`",
            ", ".join(golden),
            f"{sum(results for _, results in golden.values()):,}",
            str(found[kind]["units"]),
            *(f"{gates.get(name, (0, 0))[1]:,}" for name in ("exhaustive", "bulk")),
            f"{benches:,}",
        ])  # fmt: skip
    return table(head, rows, 2)
