# SPDX-License-Identifier: BSD-2-Clause
"""How far functions of fp32 are from their values, beside what is proven of them.

The operands are of all magnitudes, more of them where a function is neither flat nor out of range,
and all that differ in their last bits around 1.

Example: python -m benchmarks.errors.faithful_errors --operands 10000
"""

import argparse
import importlib
from typing import Any

import numpy as np

from macaw.golden.arithmetic.real.faithful import FUNCTIONS
from macaw.golden.formats import Float
from macaw.golden.units.table import Function

from .. import positive, results
from ..stopwatch import stopwatch

FP32 = Float(exponent=8, mantissa=23)
OPERANDS = 200_000
PRECISION = 160
"""Bits of what values are known to."""


def operands(count: int) -> np.ndarray:
    """Codes of fp32, about ``count`` of them, none of a NaN, an infinity or a zero."""
    rng, fp32 = np.random.default_rng(1), FP32
    size = count // 4
    parts = [
        rng.integers(0, 1 << 32, size),
        fp32.encode(rng.normal(0, 1, size)),
        fp32.encode(np.exp2(rng.uniform(-14, 7, size)) * rng.choice((-1, 1), size)),
        fp32.encode(1.0) + np.arange(-size // 2, size // 2),
    ]
    codes = np.unique(np.concatenate([part.astype(np.uint32) for part in parts]))
    values = fp32.decode(codes)
    return codes[np.isfinite(values) & (values != 0)]


def largest(spec: Function, codes: np.ndarray) -> float:
    """The largest error in last places, of results that are normal."""
    name, out = spec.function, spec.a
    gmpy2: Any = importlib.import_module("gmpy2")  # has no types
    values, got = spec.a.decode(codes), out.decode(spec.evaluate(a=codes)["r"])
    if name in ("log", "log2", "rsqrt"):
        values, got = values[values > 0], got[values > 0]
    functions = {
        "sigmoid": lambda x: 1 / (1 + gmpy2.exp(-x)),
        "reciprocal": lambda x: 1 / x,
        "rsqrt": lambda x: 1 / gmpy2.sqrt(x),
    }
    function, worst = functions.get(name) or getattr(gmpy2, name), 0.0
    with gmpy2.context(precision=PRECISION):
        for x, r in zip(values.tolist(), got.tolist(), strict=True):
            exact = function(gmpy2.mpfr(x))
            exponent = gmpy2.get_exp(exact) - 1 if exact else out.emin - 1
            if out.emin <= exponent <= out.emax and np.isfinite(r):
                last = gmpy2.mpfr(2) ** (exponent - out.mantissa)
                worst = max(worst, float(abs(r - exact) / last))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operands", type=positive, default=OPERANDS)
    results.add_output(parser)
    options = parser.parse_args()
    progress, codes = stopwatch(), operands(options.operands)
    found = []
    for name in FUNCTIONS:
        spec = Function(a=FP32, function=name)
        found.append(
            {
                "function": name,
                "operands": len(codes),
                "largest": largest(spec, codes),
                "bound": float(spec.error),
            }
        )
        progress(f"{name}: {found[-1]['largest']:.3f} of {found[-1]['bound']:.3f}")
    print(results.write("faithful_errors", {"rows": found}, options.output))


if __name__ == "__main__":
    main()
