# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the floating-point unit: RISC-V's unprivileged ISA manual, F, Zfh, Zfbfmin.

Results to r are codes of a float, those to rx integers; a result that an operation has not is 0.
"""

from fractions import Fraction

from .arithmetic.scalar import (
    INVALID,
    direction,
    negative,
    opposite,
    product,
    project,
    project_fixed,
    total,
    value,
)
from .comparison import place, rank
from .elementwise import DIVIDE_BY_ZERO, quotient, root

KINDS = ("fpu",)
CODES = {
    "add": 0,
    "sub": 1,
    "mul": 2,
    "madd": 3,
    "msub": 4,
    "nmsub": 5,
    "nmadd": 6,
    "div": 7,
    "sqrt": 8,
    "sgnj": 9,
    "sgnjn": 10,
    "sgnjx": 11,
    "min": 12,
    "max": 13,
    "eq": 14,
    "lt": 15,
    "le": 16,
    "class": 17,
    "to-int": 18,
    "to-uint": 19,
    "from-int": 20,
    "from-uint": 21,
}
NANS = ("nan", "snan")
UNROUNDED = ("sgnj", "sgnjn", "sgnjx", "min", "max", "eq", "lt", "le", "class")


class Integers:
    """Whole numbers of two's complement, or without a sign."""

    def __init__(self, width, signed):
        self.width, self.signed = width, signed
        self.fraction, self.symmetric = 0, False


def has(spec, word):
    """Whether the unit has an operation."""
    words = spec.operations.split(",")
    if words == ["all"]:
        return True
    return f"-{word}" not in words if words[0].startswith("-") else word in words


def arithmetic(word, down, a, b, c):
    """The exact value of an operation that is rounded, if it is invalid, and if b is a pole."""
    if word == "sqrt":
        return *root(a), False
    if word == "div":
        return quotient(a, b)
    if word in ("add", "sub"):
        return *total([a, opposite(b) if word == "sub" else b], down), False
    x, bad = product(opposite(a) if word in ("nmsub", "nmadd") else a, b)
    if word == "mul":
        return x, bad, False
    x, invalid = total([x, opposite(c) if word in ("msub", "nmadd") else c], down)
    return x, bad or invalid, False


def moved(word, a, b, beat, fmt):
    """Code of the lesser or greater number, or of a with a sign from b."""
    if word in ("min", "max"):
        if a in NANS or b in NANS:
            numbers = [x for x in (a, b) if x not in NANS]
            return project(numbers[0] if numbers else "nan", fmt, "rne")[0]
        ordered = sorted((a, b), key=lambda x: (rank(x), not negative(x)))
        return project(ordered[word == "max"], fmt, "rne")[0]
    top = 2 ** (fmt.width - 1)
    first, second = beat["a"] // top, beat["b"] // top
    sign = {"sgnj": second, "sgnjn": 1 - second, "sgnjx": first ^ second}[word]
    return beat["a"] % top + sign * top


def holds(word, a, b):
    """Whether a comparison holds; of NaN none does."""
    if a in NANS or b in NANS:
        return False
    x, y = rank(a), rank(b)
    return {"eq": x == y, "lt": x < y, "le": x <= y}[word]


def operation(spec, beat):
    """r, rx and flags of one beat."""
    fmt, width = spec.a, spec.integer.width
    words = [word for word, code in CODES.items() if code == beat["op"] and has(spec, word)]
    if not words:
        return 0, 0, 0
    word = words[0]
    rounding = None if word in UNROUNDED else direction(spec, beat)[0]
    a, b, c = (value(beat[name], fmt) if name in beat else Fraction(0) for name in "abc")
    loud = INVALID * ("snan" in (a, b))
    if word == "class":
        return 0, 2 ** place(beat["a"], fmt), 0
    if word in ("eq", "lt", "le"):
        quiet = INVALID * (a in NANS or b in NANS)
        return 0, int(holds(word, a, b)), loud if word == "eq" else quiet
    if word in ("to-int", "to-uint"):
        code, flags = project_fixed(
            a, Integers(width, word == "to-int"), rounding, "saturate", 0, 0, False
        )
        return 0, code, flags
    if word in ("sgnj", "sgnjn", "sgnjx", "min", "max"):
        return moved(word, a, b, beat, fmt), 0, loud if word in ("min", "max") else 0
    if word in ("from-int", "from-uint"):
        n = beat["x"]
        n -= 2**width if word == "from-int" and n >= 2 ** (width - 1) else 0
        x, invalid, pole = Fraction(n), False, False
    else:
        x, invalid, pole = arithmetic(word, rounding == "rdn", a, b, c)
    before = str(spec.tininess) == "before"
    code, flags = project(x, fmt, rounding, invalid=bool(invalid), before=before)
    return code, 0, flags | DIVIDE_BY_ZERO * pole


def evaluate(spec, beats):
    """The results of each beat, by name."""
    names = spec.ports.outputs
    found = [dict(zip(("r", "rx", "flags"), operation(spec, beat), strict=True)) for beat in beats]
    return [{name: results[name] for name in names} for results in found]
