# SPDX-License-Identifier: BSD-2-Clause
"""How near functions of rows are to the real ones: errors in last places of the result.

Rows are of normal numbers, of several deviations and means; the exact result is that of binary64.

Example: python -m benchmarks.errors.row_errors --rows 20
"""

import argparse
import itertools
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden.formats import Float, format
from macaw.golden.units import FloatRows, Softmax, Unit, unit

from .. import positive, results, start

UNITS: tuple[dict[str, Any], ...] = (
    {"kind": "softmax", "a": "fp16"},
    {"kind": "softmax", "a": "bf16"},
    {"kind": "softmax", "a": "fp16", "bits": 8},
    {"kind": "softmax", "a": "fp16", "gamma": "-0.03", "zeta": "1.003"},
    {"kind": "softmax", "a": "fp16", "zeta": "1.1"},
    {"kind": "rmsnorm", "a": "fp16"},
    {"kind": "rmsnorm", "a": "bf16"},
    {"kind": "rmsnorm", "a": "fp16", "bits": 8},
    {"kind": "layernorm", "a": "fp16"},
    {"kind": "layernorm", "a": "bf16"},
    {"kind": "layernorm", "a": "fp16", "aligned": 30},
)
LENGTHS = (8, 1024)
DEVIATIONS: dict[str, tuple[float, ...]] = {
    "softmax": (0.25, 1.0, 3.0),
    "rmsnorm": (2.0**-8, 1.0, 2.0**6),
    "layernorm": (2.0**-8, 1.0, 2.0**6),
}
MEANS = {"layernorm": (0.0, 1.0, 16.0)}
"""In deviations."""
PASSES = "three passes"
"""A softmax of other units, each of which rounds."""
_LANES, _EPS = 8, 1e-5


def spec_of(parameters: dict[str, Any], length: int) -> FloatRows:
    """The unit of rows of ``length`` elements."""
    found: Unit = unit(**parameters, lanes=_LANES, row=length)
    assert isinstance(found, FloatRows)
    return found


def exact(spec: FloatRows, x: np.ndarray) -> np.ndarray:
    """Results of whole rows, float64 of shape (rows, length)."""
    if isinstance(spec, Softmax):
        power = np.exp(x - x.max(axis=1, keepdims=True))
        gamma, zeta = float(Fraction(spec.gamma)), float(Fraction(spec.zeta))
        share = power / power.sum(axis=1, keepdims=True)
        return np.clip((zeta - gamma) * share + gamma, 0, 1)
    if spec.kind == "layernorm":
        x = x - x.mean(axis=1, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + _EPS)


def drawn(kind: str, a: Float, rows: int, length: int) -> np.ndarray:
    """Codes of shape (rows, length)."""
    rng = np.random.default_rng(length)
    deviations = np.resize(DEVIATIONS[kind], rows)[:, None]
    means = np.resize(np.repeat(MEANS.get(kind, (0.0,)), len(DEVIATIONS[kind])), rows)[:, None]
    return a.encode((rng.normal(0, 1, (rows, length)) + means) * deviations)


def streamed(spec: FloatRows, codes: np.ndarray) -> np.ndarray:
    """What the unit makes of rows."""
    rows, length = codes.shape
    end = np.tile(np.arange(length // _LANES) == length // _LANES - 1, rows).astype(np.uint8)
    a = codes.reshape(-1, _LANES)
    return spec.evaluate(a=a, keep=np.ones_like(a), end=end)["r"].reshape(rows, length)


def in_passes(codes: np.ndarray) -> np.ndarray:
    """A softmax of fp16 whose every step is rounded to fp16, but for the sum: that is fp32."""
    half, single = format("fp16"), format("fp32")
    top = half.encode(half.decode(codes).max(axis=1, keepdims=True))
    less = unit("add", a=half, subtract=True).evaluate(a=codes, b=np.broadcast_to(top, codes.shape))
    power = unit("function", a=half, function="exp").evaluate(a=less["r"])["r"]
    total = np.zeros(len(codes), single.code_dtype)
    for column in unit("cast", a=half, out=single).evaluate(a=power)["r"].T:
        total = unit("add", a=single).evaluate(a=total, b=column)["r"]
    one = np.broadcast_to(single.encode(1.0), total.shape)
    factor = unit("div", a=single).evaluate(a=one, b=total)["r"]
    factor = unit("cast", a=single, out=half).evaluate(a=factor)["r"][:, None]
    return unit("mul", a=half).evaluate(a=power, b=np.broadcast_to(factor, power.shape))["r"]


def errors(spec: FloatRows, codes: np.ndarray, got: np.ndarray) -> dict[str, float]:
    """Largest and root mean square error in last places, and the share rounded correctly."""
    a = spec.a
    real = exact(spec, a.decode(codes))
    place = np.exp2(np.maximum(np.frexp(real)[1] - 1, a.emin) - a.mantissa)
    off = np.abs(a.decode(got) - real) / place
    return {
        "largest": float(off.max()),
        "rms": float(np.sqrt((off**2).mean())),
        "correct": float((got == a.encode(real)).mean()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=positive, default=1000, help="of each length")
    results.add_output(parser)
    options = parser.parse_args()
    if options.rows < 1:
        parser.error(f"--rows {options.rows}: must be at least 1")
    made: list[dict[str, Any]] = []
    for parameters, length in itertools.product(UNITS, LENGTHS):
        spec = spec_of(parameters, length)
        codes = drawn(spec.kind, spec.a, options.rows, length)
        found = errors(spec, codes, streamed(spec, codes))
        made.append({"unit": parameters, "length": length} | found)
    for length in LENGTHS:
        spec = spec_of({"kind": "softmax", "a": "fp16"}, length)
        codes = drawn("softmax", spec.a, options.rows, length)
        found = errors(spec, codes, in_passes(codes))
        made.append({"unit": {"kind": PASSES, "a": "fp16"}, "length": length} | found)
    print(results.write("row_errors", {"rows": options.rows, "errors": made}, options.output))
    return 0


if __name__ == "__main__":
    start(main)
