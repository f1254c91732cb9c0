# SPDX-License-Identifier: BSD-2-Clause
"""How far products by L-Mul are from exact ones, by bits of fraction, alone and in sums.

Operands are rounded to the format first; errors are against the products of what they were.

Example: python -m benchmarks.errors.product_errors --draws 100000
"""

import argparse
from typing import Any

import numpy as np

import macaw

from .. import positive, results

BITS = range(1, 8)
PRODUCTS = ("exact", "lmul", "lmul(literal)", "lmul(mitchell,none)")
LANES = 128
ROWS = 2000


def drawn(what: str, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of operands: significands uniform from 1 to 2, or normally distributed numbers."""
    rng = np.random.default_rng(2026)
    if what == "uniform":
        return tuple(rng.uniform(1, 2, (2, draws)))
    return tuple(rng.normal(size=(2, draws)))


def products(name: str, product: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What a unit gives for values, as float64: each product has all its digits."""
    fmt, fp32 = macaw.format(name), macaw.format("fp32")
    unit = macaw.unit("mul", a=name, out="fp32", product=product)
    return fp32.decode(unit.evaluate(a=fmt.encode(x), b=fmt.encode(y))["r"])


def sums(name: str, product: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Dot products of rows, added exactly and rounded once."""
    fmt, fp32 = macaw.format(name), macaw.format("fp32")
    unit = macaw.unit("dot", a=name, out="fp32", lanes=x.shape[-1], product=product)
    return fp32.decode(unit.evaluate(a=fmt.encode(x), b=fmt.encode(y), c=0)["r"])


def measure(draws: int) -> list[dict[str, Any]]:
    """A row for each width and product: errors in per cent.

    ``uniform``, ``normal``: root mean square of the relative error; ``bias``: its mean, of the
    uniform ones; ``sum``: error of a dot product of normal numbers, over their root mean square.
    """
    pairs = {what: drawn(what, draws) for what in ("uniform", "normal")}
    rng = np.random.default_rng(7)
    left, right = rng.normal(size=(2, ROWS, LANES))
    whole = (left * right).sum(-1)
    rows = []
    for bits in BITS:
        name = f"e8m{bits}"
        for product in PRODUCTS:
            row: dict[str, Any] = {"bits": bits, "product": product}
            for what, (x, y) in pairs.items():
                error = products(name, product, x, y) / (x * y) - 1
                row[what] = 100 * float(np.sqrt(np.mean(error**2)))
                if what == "uniform":
                    row["bias"] = 100 * float(error.mean())
            error = sums(name, product, left, right) - whole
            row["sum"] = 100 * float(np.sqrt(np.mean(error**2) / np.mean(whole**2)))
            rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=positive, default=1_000_000)
    results.add_output(parser)
    options = parser.parse_args()
    print(results.write("product_errors", {"rows": measure(options.draws)}, options.output))


if __name__ == "__main__":
    main()
