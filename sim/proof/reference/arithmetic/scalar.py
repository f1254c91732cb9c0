# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the golden model, in fractions, to be checked by eye.

Here are formats and rounding; units are in the module of their family's name. Nothing here is
shared with the vectorised model but the fields of formats and units. A value is a Fraction, or one
of the strings "nan", "snan", "inf", "-inf", "-0". It exists for tests and proofs, one operation at
a time.
"""

from fractions import Fraction

from . import books, posits

INEXACT, UNDERFLOW, OVERFLOW, INVALID = 1, 2, 4, 8
TWO = Fraction(2)


def is_fixed(fmt):
    """Whether ``fmt`` is an integer or fixed-point format."""
    return hasattr(fmt, "symmetric")


def value(code, fmt):
    """Value of a code."""
    if books.is_book(fmt):
        return books.value(code, fmt)
    if posits.is_posit(fmt):
        return posits.value(code, fmt)
    if is_fixed(fmt):
        return integer(code, fmt) / TWO**fmt.fraction
    magnitude = code % 2 ** (fmt.exponent + fmt.mantissa)
    sign = -1 if code != magnitude else 1
    field, fraction = divmod(magnitude, 2**fmt.mantissa)
    specials, subnormals = fmt.specials.value, fmt.subnormals.value
    if specials == "ieee" and field == 2**fmt.exponent - 1:
        if fraction:
            return "nan" if fraction >= 2 ** (fmt.mantissa - 1) else "snan"
        return "inf" if sign > 0 else "-inf"
    if specials == "fn" and magnitude == 2 ** (fmt.exponent + fmt.mantissa) - 1:
        return "nan"
    if specials in ("fnuz", "ext") and sign < 0 and magnitude == 0:
        return "nan"
    if specials == "ext":
        # Infinity is the last code, but for an unsigned format's NaN.
        last = 2 ** (fmt.exponent + fmt.mantissa) - 1
        if magnitude == last and not fmt.signed:
            return "nan"
        if magnitude == last - (not fmt.signed):
            return "inf" if sign > 0 else "-inf"
    if subnormals == "none":
        hidden = magnitude != 0 or not fmt.zero
        result = (hidden + fraction / TWO**fmt.mantissa) * hidden * TWO ** (field - fmt.bias)
    elif field:
        result = (1 + fraction / TWO**fmt.mantissa) * TWO ** (field - fmt.bias)
    else:
        result = fraction / TWO**fmt.mantissa * TWO ** (1 - fmt.bias)
        if subnormals == "ftz":
            result = Fraction(0)
    return "-0" if result == 0 and sign < 0 else sign * result


def integer(code, fmt):
    """The number of last places that a code of fixed point means."""
    return code - 2**fmt.width if fmt.signed and code >> (fmt.width - 1) else code


def code(n, fmt):
    """The code of n last places, which the fixed-point format has to hold."""
    assert -(2 ** (fmt.width - 1)) * fmt.signed <= n < 2 ** (fmt.width - fmt.signed)
    return n % 2**fmt.width


def negative(x):
    """Sign bit of a value."""
    return x in ("-0", "-inf") if isinstance(x, str) else x < 0


def number(x):
    """The Fraction of a finite value."""
    return Fraction(0) if x == "-0" else x


def product(a, b):
    """Exact product of two values, and whether the operation is invalid."""
    invalid = "snan" in (a, b)
    infinite = [x for x in (a, b) if x in ("inf", "-inf")]
    if infinite and any(x == "-0" or x == 0 for x in (a, b)):
        return "nan", True
    if "nan" in (a, b) or invalid:
        return "nan", invalid
    sign = negative(a) != negative(b)
    if infinite:
        return "-inf" if sign else "inf", False
    result = number(a) * number(b)
    return ("-0" if result == 0 and sign else result), False


def multiplied(a, b, spec):
    """Product of two values as ``spec`` has it, exponent of its fields, whether it is invalid.

    The exponent is None for the exact product: that of its factors. Else it is L-Mul (arXiv
    2410.00907): with ``(1 + x) * 2**i`` and ``(1 + y) * 2**j``, ``s = x + y + 2**-l`` is added
    to 1, and carries by doubling where it is to.
    """
    if getattr(spec, "product", None) is None:
        result, invalid = product(a, b)
        return result, invalid, None
    carry, offset = spec.product.removeprefix("lmul(").removesuffix(")").split(",")
    factors = []
    for x, fmt in ((a, spec.a), (b, spec.b)):
        fmt = getattr(fmt, "element", fmt)
        least = TWO ** ((0 if fmt.subnormals.value == "none" else 1) - fmt.bias)
        finite = x not in ("nan", "snan", "inf", "-inf")
        small = finite and abs(number(x)) < least
        factors.append(("-0" if negative(x) else Fraction(0)) if small else x)
    result, invalid = product(*factors)
    if isinstance(result, str) or result == 0:
        return result, invalid, 0
    exponents = [floor_log2(abs(x)) for x in factors]
    s = sum(abs(x) / TWO**e - 1 for x, e in zip(factors, exponents))
    s += 0 if offset == "none" else TWO ** -int(offset)
    exponent = sum(exponents)
    while carry == "mitchell" and s >= 1:
        s, exponent = s - 1, exponent + 1
    return (-1 if result < 0 else 1) * (1 + s) * TWO**exponent, invalid, exponent


def total(terms, down=False):
    """Exact sum of values, and whether the operation is invalid."""
    if "snan" in terms:
        return "nan", True
    if "inf" in terms and "-inf" in terms:
        return "nan", True
    for special in ("nan", "inf", "-inf"):
        if special in terms:
            return special, False
    result = sum((number(x) for x in terms), Fraction(0))
    if result == 0:
        zeros = all(number(x) == 0 for x in terms)
        if zeros and len({negative(x) for x in terms}) == 1:
            return terms[0], False
        return ("-0" if down else result), False
    return result, False


def floor_log2(x):
    """Exponent of the top bit of a positive Fraction."""
    guess = x.numerator.bit_length() - x.denominator.bit_length()
    return guess if TWO**guess <= x else guess - 1


def round_integer(x, odd, sign, rounding, word, bits):
    """Round a non-negative Fraction; ``odd(n)`` is the parity that ties and ``rod`` look at."""
    whole = x.numerator // x.denominator
    rest = x - whole
    up = {
        "rne": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and odd(whole)),
        "rna": rest >= Fraction(1, 2),
        "rtz": False,
        "rup": rest > 0 and not sign,
        "rdn": rest > 0 and sign,
        "rod": rest > 0 and not odd(whole),
        "sr": rest * 2**bits // 1 + word >= 2**bits,
        "srb": rest * 2 ** (bits + 1) // 1 + 2 * word + 1 >= 2 ** (bits + 1),
        "src": round(rest * 2**bits) + word >= 2**bits,
    }[rounding]
    return whole + bool(up)


def project(
    x, fmt, rounding, overflow=None, word=0, bits=16, invalid=False, becomes=None, before=False
):
    """Code and flags of value ``x`` in ``fmt``. ``overflow`` None is the format's default.

    ``becomes`` says what a NaN becomes in a format without one: None is the largest value. With
    ``before`` it is the value before rounding that is tiny, or not.
    """
    if books.is_book(fmt):
        return books.project(x, fmt, rounding, invalid, becomes)
    if posits.is_posit(fmt):
        return posits.project(x, fmt, rounding, invalid)
    if x in ("nan", "snan") and becomes is not None and str(becomes) != "largest":
        return (0 if becomes == "zero" else 2 ** (fmt.width - 1)), INVALID
    if is_fixed(fmt):
        return project_fixed(x, fmt, rounding, overflow or "saturate", word, bits, invalid)
    kind = fmt.specials.value
    has_inf, has_nan = kind in ("ieee", "ext"), kind != "finite"
    if overflow is None:
        overflow = "directed" if kind == "ext" else None if has_inf else "saturate"
    if overflow == "propagate" and not has_inf:
        overflow = "saturate"
    clamps = overflow in ("saturate", "propagate")
    top = 2 ** (fmt.exponent + fmt.mantissa)
    lone = top if fmt.signed else top - 1
    infinity = {"ieee": top - 2**fmt.mantissa, "ext": lone - 1, "fn": top - 1}.get(kind, top)
    largest = infinity - 1
    nan = {"ieee": infinity + 2**fmt.mantissa // 2, "finite": largest, "fn": top - 1}.get(
        kind, lone
    )
    flags = INVALID if invalid else 0
    if x in ("nan", "snan"):
        return nan, flags | (INVALID if not has_nan or x == "snan" else 0)
    sign = negative(x)

    def signed(code):
        if fmt.signed and (code or kind not in ("fnuz", "ext")):
            return code + sign * top
        return code

    if x in ("inf", "-inf"):
        lost = INVALID if not has_inf or (sign and not fmt.signed) else 0
        if sign and not fmt.signed:
            return (0 if clamps else nan), flags | lost
        if overflow == "saturate":
            return signed(largest), flags | lost
        return (signed(infinity) if has_inf else nan), flags | lost
    gradual = fmt.subnormals.value == "gradual"
    emin = (0 if fmt.subnormals.value == "none" else 1) - fmt.bias
    m = fmt.mantissa
    magnitude = abs(number(x))
    if magnitude == 0:
        if fmt.zero:
            return signed(0), flags
        return signed(0), flags | INEXACT | UNDERFLOW

    def rounded(exponent):
        """Rounded magnitude when the last place is ``2**(exponent - m)``."""
        parity = (lambda n: n % 2) if m else (lambda n: (exponent + fmt.bias + n - 1) % 2)
        if m == 0 and exponent == emin and gradual and magnitude < TWO**emin:
            parity = lambda n: n % 2  # noqa: E731
        n = round_integer(magnitude / TWO ** (exponent - m), parity, sign, rounding, word, bits)
        return n * TWO ** (exponent - m)

    exponent = floor_log2(magnitude)
    unbounded = rounded(exponent)
    result = rounded(max(exponent, emin)) if gradual else unbounded
    if m == 0 and exponent == emin - 1 and gradual and rounding in ("rne", "rod"):
        # Tininess at precision 1: the code of half the least normal number counts as even.
        tie = magnitude / TWO**exponent - 1
        up = tie > Fraction(1, 2) if rounding == "rne" else tie > 0
        unbounded = TWO ** (exponent + up)
    tiny = (magnitude if before else unbounded) < TWO**emin
    least = value(int(fmt.zero), fmt) if fmt.subnormals.value == "none" else TWO**emin
    maximum = value(largest, fmt)
    away = {"rup": not sign, "rdn": sign, "rod": True}.get(rounding, False)
    to_zero = clamps or (overflow == "directed" and rounding in ("rtz", "rup"))
    if fmt.subnormals.value == "none" and fmt.zero and result < least and away:
        if sign and not fmt.signed:
            return (0 if to_zero else nan), flags | INVALID
        return signed(1), flags | INEXACT | UNDERFLOW
    beneath = sign and not fmt.signed
    if beneath and (not fmt.zero or result >= (least if not gradual else TWO ** (emin - m))):
        return (0 if to_zero else nan), flags | INVALID
    if not gradual and result < least:
        return signed(0), flags | INEXACT | UNDERFLOW
    if result > maximum:
        flags |= OVERFLOW | INEXACT
        if overflow in (None, "directed"):
            away = {"rtz": False, "rod": False, "rup": not sign, "rdn": sign}.get(rounding, True)
            if overflow == "directed" and rounding == "rod":
                away = largest % 2 == 0 or not has_inf
            if away and not has_inf:
                return nan, flags
            return signed(infinity if away else largest), flags
        if clamps:
            return signed(largest), flags
        return (signed(infinity) if has_inf else nan), flags
    if result != magnitude:
        flags |= INEXACT
        if gradual and tiny:
            flags |= UNDERFLOW
    if result == 0:
        return signed(0), flags
    exponent = floor_log2(result)
    if gradual and exponent < emin:
        return signed(int(result / TWO ** (emin - m))), flags
    field = exponent + fmt.bias
    return signed(field * 2**m + int((result / TWO**exponent - 1) * 2**m)), flags


def project_fixed(x, fmt, rounding, overflow, word, bits, invalid):
    """As :func:`project`, for fixed point."""
    flags = INVALID if invalid else 0
    high = 2 ** (fmt.width - fmt.signed) - 1
    low = (-high if fmt.symmetric else -high - 1) if fmt.signed else 0
    if isinstance(x, str) and x != "-0":
        limit = low if x == "-inf" else high
        return limit % 2**fmt.width, flags | INVALID
    exact = number(x) * TWO**fmt.fraction
    sign = exact < 0
    n = round_integer(abs(exact), lambda n: n % 2, sign, rounding, word, bits)
    n = -n if sign else n
    if low <= n <= high:
        return n % 2**fmt.width, flags | (INEXACT if n != exact else 0)
    flags |= INVALID
    if overflow == "wrap":
        return n % 2**fmt.width, flags
    return (low if sign else high) % 2**fmt.width, flags


DIRECTIONS = ("rne", "rtz", "rdn", "rup", "rna", "rod", "rne", "rne")
"""What the codes of the ``rm`` port mean."""


def direction(spec, codes):
    """Rounding direction and random word of one operation."""
    if spec.rounding == "dynamic":
        return DIRECTIONS[codes["rm"]], 0
    return str(spec.rounding), codes.get("random", 0)


def opposite(x):
    """The value with the other sign."""
    swapped = {"inf": "-inf", "-inf": "inf", "-0": Fraction(0), "nan": "nan", "snan": "snan"}
    return swapped[x] if isinstance(x, str) else ("-0" if x == 0 else -x)


def field_exponent(code, fmt):
    """Exponent of the code's fields, before any normalisation."""
    if books.is_book(fmt):
        return books.field_exponent(code, fmt)
    if posits.is_posit(fmt):
        return posits.field_exponent(code, fmt)
    if is_fixed(fmt):
        return fmt.width - 1 - fmt.fraction
    field = code % 2 ** (fmt.exponent + fmt.mantissa) // 2**fmt.mantissa
    return (field if fmt.subnormals.value == "none" else max(field, 1)) - fmt.bias
