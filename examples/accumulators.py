# SPDX-License-Identifier: BSD-2-Clause
"""How exact must the accumulator be? One matrix product in e4m3, three accumulators.

``python examples/accumulators.py`` prints the signal-to-noise ratio of each against float64.
The results are those of the hardware, bit for bit: a dot product of 64 lanes with one rounding, the
same with aligned and truncated terms, and an accumulator that is rounded at each step.
"""

import numpy as np

import macaw

SIZE = 64


def main() -> None:
    rng = np.random.default_rng(1)
    e4m3, fp16 = macaw.format("e4m3"), macaw.format("fp16")
    a, b = (e4m3.encode(rng.normal(size=(SIZE, SIZE))) for _ in "ab")
    exact = e4m3.decode(a) @ e4m3.decode(b)

    def report(name: str, codes: np.ndarray) -> None:
        error = fp16.decode(codes) - exact
        decibel = 10 * np.log10(np.square(exact).sum() / np.square(error).sum())
        print(f"{name:24} {decibel:6.2f} dB")

    # Every row of a against every column of b: the lanes are the last axis.
    rows, columns = a[:, None, :], b.T[None, :, :]
    for accumulation in ("exact", "aligned(12)", "aligned(6)"):
        dot = macaw.unit("dot", a="e4m3", out="fp16", lanes=SIZE, accumulation=accumulation)
        report(accumulation, dot.evaluate(a=rows, b=columns, c=0)["r"])

    # One product a beat; a sequence of SIZE beats for each element of the result.
    mac = macaw.unit("mac", a="e4m3", out="fp16", acc="fp16")
    beats = [np.broadcast_to(x, (SIZE, SIZE, SIZE)).reshape(-1) for x in (rows, columns)]
    last = np.tile(np.arange(SIZE) == SIZE - 1, SIZE * SIZE).astype(np.uint8)
    sums = mac.evaluate(a=beats[0], b=beats[1], last=last)["r"]
    report("fp16, step by step", sums.reshape(SIZE, SIZE))


if __name__ == "__main__":
    main()
