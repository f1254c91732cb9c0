# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/synthesis.md: units mapped for area or for delay, and the delay model."""

from typing import Any

from benchmarks.cost.optimise import PRIMITIVES, STAGES, UNITS
from macaw.synth.mapping.targets import OPTIMISE

from ..markdown import number, table


def units(found: dict[str, Any]) -> str:
    """Gates and delays on ``asic``, cells and clocks on ecp5, by what a unit is mapped for."""
    head = ["unit", "stages"]
    head += [f"`asic`, {how}: GE" if not n else what for how in OPTIMISE
             for n, what in enumerate(("GE", "FO4"))]  # fmt: skip
    ecp5 = ("balanced", "area")
    head += [f"`ecp5`, {how}: LUT" if not n else what for how in ecp5
             for n, what in enumerate(("LUT", "DSP", "MHz"))]  # fmt: skip
    rows = []
    for unit in UNITS:
        for stages in STAGES:
            cells = [f"`{unit}`", str(stages)]
            figures = {how: found[f"{unit} --stages {stages} --optimise {how}"] for how in OPTIMISE}
            for how in OPTIMISE:
                asic = figures[how]["asic"]["result"]
                cells += [number(asic["gate_equivalents"]), number(asic["delay_fo4"])]
            for how in ecp5:
                made = figures[how]["ecp5"]["result"]
                names = "lut_equivalents", "dsps", "fmax_mhz"
                cells += [number(made[name]) for name in names]
            rows.append(cells)
    return table(head, rows)


def model(found: dict[str, Any]) -> str:
    """FO4 of operations, measured / by the delay model."""
    head = ["operation", "bits", *OPTIMISE]
    rows = []
    for operation, (_, _, widths, _) in PRIMITIVES.items():
        for width in widths:
            figures = [found[f"{operation}, {width} bits, {how}"]["asic"] for how in OPTIMISE]
            pairs = [f"{each['fo4']:.1f} / {each['model_fo4']:.1f}" for each in figures]
            rows.append([f"`{operation}`", str(width), *pairs])
    return table(head, rows)
