# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the order, class and sign of numbers: IEEE 754-2019 5.5.1, 5.7.2, 5.11, 9.6.

The order of numbers is that of fractions; what is returned is encoded again.
"""

from .arithmetic.scalar import TWO, is_fixed, negative, number, project, value

KINDS = ("compare", "minimum", "maximum", "classify", "copy-sign")
INVALID = 8
NANS = ("nan", "snan")


def rank(x):
    """What two numbers that are not NaN are compared by."""
    if x in ("inf", "-inf"):
        return TWO**5000 * (1 if x == "inf" else -1)
    return number(x)


def extremum(spec, a, b):
    """The lesser or the greater of two values."""
    if a in NANS or b in NANS:
        both = a in NANS and b in NANS
        if both or not spec.number:
            return "nan"
        return b if a in NANS else a
    # Of two that are equal the negative one is the lesser.
    first, second = sorted((a, b), key=lambda x: (rank(x), not negative(x)))
    return second if spec.kind == "maximum" else first


def place(code, fmt):
    """The bit of a float's class."""
    x = value(code, fmt)
    if x in NANS:
        return 8 if x == "snan" else 9
    if x in ("inf", "-inf"):
        return 0 if x == "-inf" else 7
    least = TWO ** ((0 if fmt.subnormals.value == "none" else 1) - fmt.bias)
    if x == "-0" or x == 0:
        return 3 if x == "-0" else 4
    normal = fmt.subnormals.value == "none" or abs(x) >= least
    return (1 if normal else 2) if x < 0 else (6 if normal else 5)


def operation(spec, beat):
    """The results of one beat."""
    fmt = spec.a
    if spec.kind == "classify":
        return {"r": 1 << place(beat["a"], fmt)}
    if spec.kind == "copy-sign":
        top = 1 << (fmt.width - 1)
        a, b = beat["a"] // top, beat["b"] // top
        sign = {"copy": b, "negate": 1 - b, "xor": (a + b) % 2}[spec.operation]
        return {"r": beat["a"] % top + top * sign}
    a, b = value(beat["a"], fmt), value(beat["b"], fmt)
    wrong = "snan" in (a, b)
    if spec.kind == "compare":
        unordered = a in NANS or b in NANS
        found = {
            "less": int(not unordered and rank(a) < rank(b)),
            "equal": int(not unordered and rank(a) == rank(b)),
            "unordered": int(unordered),
        }
        wrong = unordered if spec.signaling else wrong
    else:
        x = extremum(spec, a, b)
        if is_fixed(fmt):
            found = {"r": int(x * TWO**fmt.fraction) % 2**fmt.width}
        else:
            found = {"r": project(x, fmt, "rne")[0]}
    return found | ({"flags": INVALID * wrong} if spec.flags else {})


def evaluate(spec, beats):
    """The results of each beat, by name."""
    return [operation(spec, beat) for beat in beats]
