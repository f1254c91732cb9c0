# SPDX-License-Identifier: BSD-2-Clause
"""How far the sums of machines are from exact ones, by the number of products.

Operands are rounded to the format first: what is measured is the accumulation alone.

Example: python -m benchmarks.errors.machine_errors --rows 50
"""

import argparse
from typing import Any

import numpy as np

import macaw

from .. import positive, results

COUNTS = (64, 512, 4096)
PROFILES: dict[str, tuple[str, ...]] = {
    "fp16": (
        "exact",
        "sequential",
        *(f"tensor-core({name})" for name in ("volta", "turing", "ampere", "hopper")),
        "cdna3",
    ),
    "bf16": (
        *("exact", "sequential", "tensor-core(ampere)", "tensor-core(hopper)", "cdna3"),
        "rvbna(16)",
    ),
    "e4m3": (
        *("exact", "sequential", "tensor-core(ada)", "tensor-core(hopper)"),
        *("tensor-core(blackwell)", "rvbna(32)"),
    ),
    "e4m3fnuz": ("exact", "cdna3"),
}
DATA = ("normal", "positive")


def drawn(data: str, rows: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two operands: normal numbers, or numbers uniform from 0 to 1."""
    rng = np.random.default_rng([2026, count])
    if data == "normal":
        return tuple(rng.normal(size=(2, rows, count)))
    return tuple(rng.uniform(size=(2, rows, count)))


def measure(rows: int) -> list[dict[str, Any]]:
    """A row for each format, profile, kind of data and count of products.

    ``error``: root mean square of the error over that of the exact sums; ``bias``: mean of the
    error toward zero, over the mean magnitude of the exact sums.
    """
    found = []
    for name, profiles in PROFILES.items():
        fmt = macaw.format(name)
        for data in DATA:
            for count in COUNTS:
                codes = [fmt.encode(x) for x in drawn(data, rows, count)]
                # Products, and sums of a few thousand of them, lose nothing to speak of.
                exact = np.multiply(*(fmt.decode(each) for each in codes)).sum(-1)
                for profile in profiles:
                    spec = macaw.unit("dot", a=name, out="fp32", lanes=count, accumulation=profile)
                    code = spec.evaluate(a=codes[0], b=codes[1], c=0)["r"]
                    error = macaw.format("fp32").decode(code) - exact
                    found.append({
                        "format": name,
                        "profile": profile,
                        "data": data,
                        "products": count,
                        "error": float(np.sqrt(np.mean(error**2) / np.mean(exact**2))),
                        "bias": float(np.mean(error * np.sign(exact)) / np.mean(abs(exact))),
                    })  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=positive, default=1000)
    results.add_output(parser)
    options = parser.parse_args()
    print(results.write("machine_errors", {"rows": measure(options.rows)}, options.output))


if __name__ == "__main__":
    main()
