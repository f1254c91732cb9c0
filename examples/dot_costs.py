# SPDX-License-Identifier: BSD-2-Clause
"""What does a dot product of four lanes cost in gates, by the format of its operands?

``python examples/dot_costs.py`` synthesises four units for macaw's technology-neutral library: area
in NAND2 gate equivalents, without pipeline registers. Each adds its products exactly and rounds
once. A second run takes the figures from the cache; ``macaw compare`` does it thoroughly.
"""

import macaw

LANES = 4
UNITS = {
    "int8": macaw.unit("dot", a="int8", out="int32", lanes=LANES),
    "e4m3": macaw.unit("dot", a="e4m3", out="fp32", lanes=LANES),
    "e2m1": macaw.unit("dot", a="e2m1", out="fp32", lanes=LANES),
    "mxfp4": macaw.unit("block-dot", a="mxfp4", out="fp32", lanes=LANES),
}


def main() -> None:
    results = {}
    for name, unit in UNITS.items():
        print(f"{name}: {unit.kind} into {unit.ports.outputs['r'].format.name} …", flush=True)
        results[name] = macaw.synthesize(unit, target="asic", stages=0, area_only=True)
    largest = max(result.gate_equivalents or 0 for result in results.values())
    print(f"\n{'format':8} gate equivalents a product")
    for name, result in results.items():
        gates = result.gate_equivalents or 0
        print(f"{name:8} {gates / LANES:7.0f}  {'#' * round(40 * gates / largest)}")


if __name__ == "__main__":
    main()
