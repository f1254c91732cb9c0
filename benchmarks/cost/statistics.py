# SPDX-License-Identifier: BSD-2-Clause
"""What statistics of a tensor add to the price of a unit, with counts of 16 bits.

Figures go through macaw's cache, so that an interrupted run continues where it stopped.

Example: python -m benchmarks.cost.statistics
"""

import argparse
from typing import Any

from macaw.golden import unit
from macaw.synth import run

from .. import results

UNITS: dict[str, dict[str, Any]] = {
    "cast": {"a": "fp32", "out": "e5m2"},
    "dot": {"a": "e4m3", "out": "bf16", "lanes": 8},
    "mac": {"a": "e4m3", "out": "e5m2", "lanes": 8, "acc": "fp32"},
    "block-quantize": {"a": "bf16", "out": "mxfp8-e4m3", "size": 8},
}
BITS = (0, 16)
IMPLEMENTATION: dict[str, Any] = {"stages": 3, "flow": "valid"}


def measure(kind: str, bits: int, target: str) -> dict[str, Any]:
    """One row: area (of the target's unit), registers, and delay or clock."""
    values = run(unit(kind, **UNITS[kind], statistics=bits), target, **IMPLEMENTATION).to_json()
    area = values["lut_equivalents"] or values["gate_equivalents"]
    row = {"unit": kind, "statistics": bits, "target": target, "area": area, "ffs": values["ffs"]}
    return row | {name: values[name] for name in ("fmax_mhz", "delay_fo4")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    results.add_output(parser)
    options = parser.parse_args()
    rows = [
        measure(kind, bits, target)
        for kind in UNITS
        for bits in BITS
        for target in ("asic", "ecp5-compact")
    ]
    print(results.write("statistics", {"cost": rows}, options.output))


if __name__ == "__main__":
    main()
