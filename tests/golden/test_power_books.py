# SPDX-License-Identifier: BSD-2-Clause
"""Code books of powers: LNS and NUPES, against MPFR, and against floats where they are the same."""

import math
from fractions import Fraction

import gmpy2
import numpy as np
import pytest

from macaw.golden.errors import FormatError
from macaw.golden.formats import format as format_of
from macaw.golden.formats.books import Book
from macaw.golden.formats.power_books import rounded, rounded_power
from macaw.golden.units import unit

LOGARITHMIC = [
    f"lns{width}.{fraction}{zero}"
    for width in range(2, 9)
    for fraction in range(width - 1)
    for zero in ("", "nozero")
]


def book(name: str) -> Book:
    found = format_of(name)
    assert isinstance(found, Book)
    return found


@pytest.mark.parametrize("name", LOGARITHMIC)
def test_lns_is_mpfrs_power_of_two(name: str) -> None:
    fmt = book(name)
    width, fraction = map(int, name.removeprefix("lns").removesuffix("nozero").split("."))
    half, exponent = 1 << (width - 1), width - 1 - fraction
    with gmpy2.context(precision=24):
        for code in range(half):
            logarithm = code / (1 << fraction) - ((1 << (exponent - 1)) - 1)
            zero = code == 0 and "nozero" not in name
            value = 0.0 if zero else float(gmpy2.exp2(logarithm))
            assert fmt.values[code] == value
            assert fmt.values[half + code] == -value
    assert fmt.negative_zero is ("nozero" not in name)


@pytest.mark.parametrize("width", range(2, 9))
@pytest.mark.parametrize("zero", ["", "nozero"])
def test_lns_without_fraction_is_a_float_without_mantissa(width: int, zero: str) -> None:
    values = format_of(f"e{width - 1}m0finitenosub{zero}").decode(range(1 << width))
    assert book(f"lns{width}.0{zero}").values == tuple(values)


@pytest.mark.parametrize("name", ["lns8.3", "lns6.2", "lns5.3"])
def test_lns_has_the_powers_of_two_of_the_float_of_its_fields(name: str) -> None:
    width, fraction = map(int, name.removeprefix("lns").split("."))
    alike = format_of(f"e{width - 1 - fraction}m{fraction}finitenosub")
    codes = range(1 << fraction, 1 << width, 1 << fraction)
    there = [code for code in codes if code != 1 << (width - 1)]
    assert [book(name).values[code] for code in there] == alike.decode(there).tolist()


@pytest.mark.parametrize("power", ["0.37", "0.5", "1", "1.5", "2", "2.75", "8"])
@pytest.mark.parametrize("width", [2, 3, 4, 8])
def test_nupes_is_mpfrs_power(width: int, power: str) -> None:
    fmt = book(f"nupes{width}a{power}")
    last = (1 << (width - 1)) - 1
    for k in range(1, last + 1):
        with gmpy2.context(precision=200):
            exact = (gmpy2.mpfr(k) / last) ** gmpy2.mpfr(power)
        with gmpy2.context(precision=24):
            value = float(+exact)
        assert fmt.values[k] == value
        assert fmt.values[last + 1 + k] == -value
    assert [math.copysign(1, fmt.values[code]) for code in (0, last + 1)] == [1, -1]
    assert (fmt.max, fmt.min) == (1, -1)


def test_the_power_one_is_an_integer_scaled() -> None:
    values = book("nupes4a1").values
    assert [Fraction(value) for value in values[:8]] == [rounded(Fraction(k, 7)) for k in range(8)]


def test_names_have_one_spelling() -> None:
    assert book("NUPES4A1.50").name == "nupes4a1.5"
    assert book("nupes04a02.00").name == "nupes4a2"
    assert book("lns08.3").name == "lns8.3"
    for name in ("lns8.3", "lns4.1nozero", "nupes4a1.5"):
        assert format_of(book(name).name) == book(name)


def test_ties_of_rational_powers_are_to_even() -> None:
    tie = Fraction((1 << 24) + 1)  # 25 bits, half way
    assert rounded_power(tie**2, Fraction(1, 2)) == 1 << 24
    assert rounded_power((tie + 2) ** 3, Fraction(1, 3)) == (1 << 24) + 4
    assert rounded_power(1 / tie, Fraction(-1)) == 1 << 24
    above = tie**2 + Fraction(1, 1 << 200)
    assert rounded_power(above, Fraction(1, 2)) == (1 << 24) + 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("lns9.3", "lns9.3: must be lns<w>.<f> with w from 2 to 8, and f from 0 to w - 2"),
        ("lns1.0", "lns1.0: must be lns<w>"),
        ("lns4.3", "lns4.3: must be lns<w>"),
        ("nupes9a1", "nupes9a1: must be nupes<w>a<power> with w from 2 to 8"),
        ("nupes4a0", "a power of at most two decimals above 0 and up to 8"),
        ("nupes4a8.01", "above 0 and up to 8"),
        ("nupes4a0.375", "two decimals"),
        ("lns8", "lns8.3"),
        ("nupes4", "nupes4a1.5"),
        ("nupes4a-1", "unknown format"),
    ],
)
def test_names_out_of_range_are_refused(name: str, says: str) -> None:
    with pytest.raises(FormatError, match=says.replace(".", r"\.")):
        format_of(name)


@pytest.mark.parametrize("name", [name for name in LOGARITHMIC if int(name[3]) <= 6])
def test_what_is_nearest_to_a_product_is_the_sum_of_logarithms(name: str) -> None:
    """Within the range: values are rounded, and the sum of codes is the result all the same."""
    fmt = book(name)
    half = 1 << (fmt.width - 1)
    fraction = int(name.removesuffix("nozero").partition(".")[2])
    one = ((half >> (1 + fraction)) - 1) << fraction
    a, b = np.indices((2 * half, 2 * half)).reshape(2, -1)
    result = unit("mul", a=fmt).evaluate(a=a, b=b)["r"].astype(int)
    assert (result // half == (a ^ b) // half).all()
    total = a % half + b % half - one
    zero = fmt.zero & ((a % half == 0) | (b % half == 0))
    inside = ~zero & (total >= fmt.zero) & (total < half)
    assert (result % half == total)[inside].all()
    assert (result[zero] % half == 0).all()
    assert (result[~zero & (total >= half)] % half == half - 1).all()
    # Of what is below the least value all but what lies half way to it is plain.
    under, half_way = ~zero & (total < fmt.zero), 1 - (1 << fraction)
    rises = fmt.zero & (total > half_way)
    plain = under & (total != half_way)
    assert (result % half == rises)[plain].all()
