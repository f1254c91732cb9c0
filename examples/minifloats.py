# SPDX-License-Identifier: BSD-2-Clause
"""Which split of eight bits suits which data? A study that needs no code per format.

``python examples/minifloats.py`` encodes normal and heavy-tailed data in every float of eight bits
and in int8, each scaled by the power of two that suits it best, and prints the
signal-to-quantisation-noise ratio in dB.
"""

import numpy as np

import macaw
from macaw.tensors.quantize import quantize

FORMATS = ["int8", *(f"e{e}m{7 - e}" for e in range(2, 7))]


def best_sqnr(values: np.ndarray, name: str) -> float:
    ratios = []
    for exponent in range(-12, 16):
        _, loss = quantize(values, macaw.format(name), scale=2.0**exponent, overflow="saturate")
        ratios.append(loss.sqnr_db or 0.0)
    return max(ratios)


def main() -> None:
    rng = np.random.default_rng(1)
    data = {
        "normal": rng.normal(size=20_000),
        "Student t, 3 d.o.f.": rng.standard_t(3, size=20_000),
        "log-normal, sigma 2": rng.lognormal(sigma=2, size=20_000),
    }
    print(f"{'':8}", *(f"{name:>20}" for name in data))
    for name in FORMATS:
        print(f"{name:8}", *(f"{best_sqnr(x, name):20.2f}" for x in data.values()))


if __name__ == "__main__":
    main()
