# SPDX-License-Identifier: BSD-2-Clause
"""What small weights cost by wider activations: W4A8, W4A4, two bits by fp16, ternary and binary.

Dot products of 64 lanes, each with the fewest stages that reach one clock; wide floats, which a
network has where nothing is quantised, are fused multiply-adds, one a product, at the same clock.
docs/pairs.md sets it beside what papers say.

Example: python -m benchmarks.studies.price.pairs --targets asic
"""

from typing import Any

from .rows import compared, options_of, record

FORMATS = (
    *("int8", "int4:int8", "e2m1:int8", "e2m1:e4m3finite"),
    *("int4", "e2m1", "int4:fp16", "int2:fp16"),
    *("ternary", "binary", "ternary:int4", "binary:binary"),
)
"""Weights by activations."""
WIDE = ("fp32", "fp16", "bf16", "e4m3")
LANES = 64
CLOCK = "60FO4"
SETTINGS: dict[str, Any] = {"clock": CLOCK, "optimise": "delay", "energy": True}


def cost(options: Any, target: str) -> dict[str, Any]:
    """Rows of both on a target."""
    wide = [name for name in options.formats if name in WIDE]
    pairs = [name for name in options.formats if name not in WIDE]
    found = []
    for formats, more in ((pairs, {"lanes": LANES}), (wide, {"unit": "fma"})):
        if formats:
            settings = {**SETTINGS, **more, "reference": formats[0]}
            found += compared(formats, target, options.workers, **settings)["rows"]
    return {"settings": {**SETTINGS, "lanes": LANES}, "rows": found}


def main() -> None:
    options = options_of(__doc__, (*FORMATS, *WIDE), ("asic",))
    record("pairs", options, lambda target: cost(options, target))


if __name__ == "__main__":
    main()
