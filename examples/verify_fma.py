# SPDX-License-Identifier: BSD-2-Clause
"""A fused multiply-add in formats of one's own, verified in simulation from Python.

``python examples/verify_fma.py`` spells an activation of 6 bits, a weight of 5, an accumulator of
12, none of which has a name, works a case by hand, and moves vectors through the gates in a
simulator: corners of all formats crossed, then random ones. The gates are wrapped in a valid/ready
handshake, so that they are tried with pauses on both sides too.
"""

from fractions import Fraction

import macaw
from macaw.golden.formats.choices import Flag

FMA = macaw.unit(
    "fma",
    a="e3m2b4finite",  # 6 bits, all of them numbers
    b="fx5.3",  # 5 bits, three of them behind the point
    c="e5m6",
    out="e5m6",
    rounding="rtz",
    flags=True,
)


def by_hand() -> None:
    """One case from real numbers to codes and back, beside fractions."""
    formats = {name: macaw.format(port.format) for name, port in FMA.ports.inputs.items()}
    codes = {name: formats[name].encode([x]) for name, x in zip("abc", (3.5, -1.375, 0.01))}
    a, b, c = (formats[name].decode(code)[0] for name, code in codes.items())
    found = FMA.evaluate(**codes)
    result = formats["c"].decode(found["r"])[0]
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    print(f"{a} * {b} + {c} is {float(exact)}; toward zero in e5m6 that is {result}")
    print("flags:", [flag.name for flag in Flag if flag & int(found["flags"][0])])


def main() -> None:
    by_hand()
    report = macaw.verify(FMA, stages=2, flow="stream", vectors=1000, seed=1)
    print(report)
    if not report.passed:  # the first difference, and the command that replays it
        raise SystemExit(1)


if __name__ == "__main__":
    main()
