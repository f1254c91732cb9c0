# SPDX-License-Identifier: BSD-2-Clause
"""What integers cost beside floats at equal throughput: area and energy of a multiply-accumulate.

Dot products of 32 lanes, or of a block where it is smaller, each with the fewest stages that reach
one clock, so that all do the same work in the same time. docs/integers-floats.md sets it beside
what papers say.

Example: python -m benchmarks.studies.price.integers_floats --targets asic ihp
"""

from typing import Any

from .rows import compared, options_of, record

FORMATS = (
    *("mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e3m2", "mxfp6-e2m3", "mxfp4", "nvfp4"),
    *("mxint8", "mxint4", "nvint4", "hbfp8", "int8", "int4", "fp16", "bf16"),
)
CLOCK = "60FO4"
SETTINGS: dict[str, Any] = {"clock": CLOCK, "optimise": "delay", "energy": True}
"""Mapped for delay, since some sums are wider than a chain of full adders has time for."""


def main() -> None:
    options = options_of(__doc__, FORMATS, ("asic",))
    formats = options.formats
    if any(name in FORMATS for name in formats) and FORMATS[0] not in formats:
        formats = [FORMATS[0], *formats]  # beside blocks a scalar has as many lanes as they
    settings = {**SETTINGS, "reference": formats[0]}
    record(
        "integers_floats",
        options,
        lambda target: compared(formats, target, options.workers, **settings),
    )


if __name__ == "__main__":
    main()
