# SPDX-License-Identifier: BSD-2-Clause
"""One matrix product in two formats: what do half as many bits an element cost in accuracy?

``python examples/matmul.py`` multiplies the same matrices in bf16 and in three block formats.
Operands are quantised along the axis that is summed over; every sum is the one that hardware makes,
bit for bit: exact within a block, rounded once to fp32 when it joins the accumulator.
"""

import numpy as np

import macaw

SIZE, INNER = 48, 256
FORMATS = ("bf16", "mxfp8-e4m3", "nvfp4", "mxfp4")


def main() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=(SIZE, INNER))
    b = rng.normal(size=(INNER, SIZE))
    exact = a @ b
    print(f"a is {SIZE} x {INNER}, b is {INNER} x {SIZE}; the first elements of the product:")
    print(f"{'float64':12}           {exact[0, :4].round(3)}")
    for name in FORMATS:
        fmt = macaw.format(name)
        product = macaw.format("fp32").decode(macaw.matmul(a, b, name, out="fp32"))
        noise = np.square(product - exact).mean()
        decibel = 10 * np.log10(np.square(exact).mean() / noise)
        bits = getattr(fmt, "bits", None) or fmt.width
        print(f"{name:12} {bits:5.2f} bits {product[0, :4].round(3)} {decibel:5.1f} dB")


if __name__ == "__main__":
    main()
