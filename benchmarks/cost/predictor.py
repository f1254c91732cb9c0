# SPDX-License-Identifier: BSD-2-Clause
"""What the exponent predictor costs, by precision and by how often it takes a step.

Figures go through macaw's cache, so that an interrupted run continues where it stopped.

Example: python -m benchmarks.cost.predictor area
"""

import argparse
from typing import Any

from macaw.golden.units import ExponentPredictor
from macaw.synth import run

from .. import results

COSTS = ((8, 16), (12, 16), (12, 4), (8, 1), (12, 1))
"""(precision, fold)"""
CLOCKS = (("ecp5", {"frequency": 60.0}), ("ecp5", {"frequency": 100.0}), ("asic", {"stages": 24}))
LOGIC: dict[str, Any] = {"flow": "valid", "multiplier": "lut"}
PARTS = ("area", "clock")


def measure(precision: int, fold: int, target: str, **options: Any) -> dict[str, Any]:
    """One row: what was asked for, and area (of the target's unit), registers and clock."""
    spec = ExponentPredictor(out="flex16+5", precision=precision)  # type: ignore[arg-type]
    values = run(spec, target, fold=fold, **LOGIC, **options).to_json()
    row = {"precision": precision, "fold": fold, "target": target}
    area = values["lut_equivalents"] or values["gate_equivalents"]
    row |= {"area": area, "ffs": values["ffs"], "latency": values["latency"]}
    return row | {name: values[name] for name in ("fmax_mhz", "delay_fo4")}


def areas() -> list[dict[str, Any]]:
    """Without pipeline registers, all of it from logic cells."""
    return [
        measure(precision, fold, target, area_only=True, stages=0)
        for precision, fold in COSTS
        for target in ("ecp5", "asic")
    ]


def clocks() -> list[dict[str, Any]]:
    """With registers, one step every 16 clocks: what the unit is built for, and what it gives."""
    return [measure(12, 16, target, **choice) | {"choice": choice} for target, choice in CLOCKS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    results.add_output(parser)
    options = parser.parse_args()
    if wrong := {*options.parts} - {*PARTS}:
        parser.error(f"{sorted(wrong)[0]}: must be of {', '.join(PARTS)}")
    made = results.read("predictor", options.output, {})
    for part in options.parts or PARTS:
        made[part] = {"area": areas, "clock": clocks}[part]()
        print(results.write("predictor", made, options.output))


if __name__ == "__main__":
    main()
