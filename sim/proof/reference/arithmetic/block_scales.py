# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for quantisation to blocks, in fractions, to be checked by eye.

One block at a time; values as in :mod:`macaw.sim.proof.reference.arithmetic.scalar`. OCP MX 1.0,
6.3; the NVFP4 paper (arXiv 2509.25149, appendix B); the orders of Transformer Engine, torchao,
compressed-tensors.
"""

import functools
import math
from fractions import Fraction
from types import SimpleNamespace

from .books import is_book
from .scalar import TWO, floor_log2, is_fixed, negative, number, project, value

# IEEE 754-2019, table 3.5: the fields that a format of macaw has, and that are read here.
FP32 = SimpleNamespace(
    width=32,
    exponent=8,
    mantissa=23,
    bias=127,
    signed=True,
    zero=True,
    negative_zero=True,
    specials=SimpleNamespace(value="ieee"),
    subnormals=SimpleNamespace(value="gradual"),
)
LARGEST = (2 - Fraction(1, 2**23)) * TWO**127


@functools.lru_cache
def largest(fmt):
    """The largest finite value of a format."""
    if fmt.width == FP32.width:
        return LARGEST
    codes = range(2**fmt.width)
    return max(v for v in (value(c, fmt) for c in codes) if not isinstance(v, str))


def infinite(x):
    """Whether the nearest fp32 number is an infinity: those are divisors alone."""
    return project(x, FP32, "rne")[0] in (0x7F800000, 0xFF800000)


def fp32(x):
    """The nearest fp32 number, ties to even. What is beyond the largest one is the largest: all
    that could be infinite here is saturated later, but for divisors and for amax over a largest
    element below 1."""
    return value(project(x, FP32, "rne", "saturate")[0], FP32)


def ratio(a, b):
    """``fp32(a / b)``, where b may have underflowed to zero."""
    a, b = (number(x) if x == "-0" else x for x in (a, b))
    if b == 0:
        return Fraction(0) if a == 0 else LARGEST if a > 0 else -LARGEST
    return fp32(a / b)


def times(a, b):
    """``fp32(a * b)``; b is positive, and a may be "-0"."""
    return a if a == "-0" else fp32(a * b)


def exponent(amax, element, rule):
    """Exponent of a power-of-two scale, before it is clamped."""
    emax = floor_log2(largest(element))
    if rule == "floor":
        return floor_log2(amax) - emax
    if rule == "ceil":
        e = floor_log2(amax)
        return e + (TWO**e < amax) - emax
    if rule == "rceil":
        e = floor_log2(amax / largest(element))
        return e + (largest(element) * TWO**e < amax)
    below = element.width - element.signed - 1 if is_fixed(element) else element.mantissa
    return floor_log2(amax + TWO ** (floor_log2(amax) - below - 1)) - emax


def tensor_scales(amax, block, order="paper"):
    """Encoding and decoding scale of a tensor, from its largest magnitude."""
    top = fp32(largest(block.element) * largest(block.scale))
    if amax == 0:
        encode = decode = Fraction(1)
    elif order == "torchao":
        decode = fp32(amax / top) or Fraction(1)
        encode = ratio(Fraction(1), decode)
    else:
        encode = fp32(top / amax)
        decode = ratio(Fraction(1), encode)
    second = block.second_scale
    stored = value(project(decode, second, "rne", "saturate")[0], second) or value(1, second)
    if stored != decode:  # a second scale that is coarser than fp32
        encode, decode = ratio(Fraction(1), stored), stored
    return encode, decode


def block_scale(amax, block, order, encode, decode, top=None):
    """Code of a scale with a mantissa, which takes amax to ``top``: the largest element."""
    top = largest(block.element) if top is None else top
    if order in ("paper", "ct", "torchao") and infinite(amax / top):
        # Elements below 1: the tensor's scale, however small, is taken of an infinity.
        return project("inf", block.scale, "rne", "saturate")[0]
    wanted = {
        "paper": lambda: times(fp32(amax / top), encode),
        "ct": lambda: times(fp32(amax / top), encode),
        "te": lambda: times(amax, times(fp32(1 / top), encode)),
        "torchao": lambda: ratio(fp32(amax / top), decode),
        "exact": lambda: amax * encode / top,
    }[order]()
    return project(wanted, block.scale, "rne", "saturate")[0]


def tree_sum(numbers):
    """The sum of floats, filled up with zeros: the upper half is added to the lower, and again."""
    numbers = list(numbers)
    while len(numbers) & (len(numbers) - 1):
        numbers.append(0.0)
    while len(numbers) > 1:
        half = len(numbers) // 2
        numbers = [x + y for x, y in zip(numbers[:half], numbers[half:], strict=True)]
    return numbers[0]


def squared_error(values, found):
    """Of exact values, in the float64 of Python."""
    differences = [float(x) - float(y) for x, y in zip(values, found, strict=True)]
    return tree_sum(d * d for d in differences)


def factors(grid):
    """The fp32 numbers of ``linear(a,b,n)`` or ``geometric(a,b,n)``, in their order."""
    kind, ends = grid.removesuffix(")").split("(")
    *ends, n = ends.split(",")
    (a, b), n = map(Fraction, ends), int(n)
    for i in range(n + 1):
        if kind == "linear":
            yield fp32(a + i * (b - a) / n)
            continue
        # Between which two midpoints the power lies, and both to the n-th are rational.
        x = fp32(Fraction(float(a) * (float(b) / float(a)) ** (i / n)))
        ulp = TWO ** (floor_log2(x) - 23)
        while ((x + ulp / 2) / a) ** n < (b / a) ** i:
            x += ulp
        while ((x - ulp / 2) / a) ** n > (b / a) ** i:
            x -= ulp
        yield x


def scaled_end(x, factor):
    """An end of the values times a factor, in fp32 and at most its largest number."""
    return number(fp32(x * factor))


def typical_scale(magnitudes, block, rule):
    """Code of the scale that follows from all magnitudes, in the float64 of Python."""
    numbers = [float(x) for x in magnitudes]
    if rule == "median":
        numbers.sort()
        middle = (numbers[(len(numbers) - 1) // 2] + numbers[len(numbers) // 2]) / 2
    else:
        middle = tree_sum(numbers) / len(numbers)
    root = fp32(Fraction(math.sqrt(largest(block.element))))
    return project(ratio(fp32(Fraction(middle)), root), block.scale, "rne", "saturate")[0]


def less_mean(values):
    """The values less their mean, in fp32; of equal ones the zero that floats have."""
    numbers = [-0.0 if x == "-0" else float(x) for x in values]
    mean = project(value_of(tree_sum(numbers) / len(numbers)), FP32, "rne")[0]
    mean = value(mean, FP32)
    zero = -0.0 if mean == "-0" else float(mean)
    differences = []
    for y in numbers:
        exact = Fraction(y) - Fraction(zero)
        differences.append(fp32(exact) if exact else value_of(y - zero))
    return differences


def value_of(x):
    """A float as an exact value."""
    return "-0" if x == 0 and math.copysign(1, x) < 0 else Fraction(x)


def least_scale(code, block, least):
    """The scale that a lower bound makes of one."""
    if least == "none" or (least == "ct" and code != 0):
        return code
    bound = {"modelopt": TWO**-9, "torchao": TWO**-6, "ct": TWO**-3}[least]
    return max(code, project(bound, block.scale, "rne", "saturate")[0])


def scaled(x, s, order, encode, decode):
    """What is rounded to an element: x over the scale s."""
    if x == "-0" and order != "exact":
        return x
    if infinite(s / encode if order == "ct" else s * decode) and order in ("paper", "te", "ct"):
        return "-0" if negative(x) else Fraction(0)
    if order == "ct":
        return ratio(x, ratio(s, encode))
    if order == "torchao":
        return times(x, ratio(encode, s))
    if order == "exact":
        return x if x == "-0" else x / (s * decode)
    return times(x, ratio(Fraction(1), times(s, decode)))


def quantize(
    values,
    block,
    *,
    rounding="rne",
    scale_rule="floor",
    order="paper",
    min_scale="none",
    te_zero_codes=False,
    tensor=(Fraction(1), Fraction(1)),
    words=None,
    bits=16,
    least=None,
    grid=None,
    centred=False,
    over=None,
):
    """Codes of the elements and of the scale of one block.

    ``over``, a list, becomes one of which elements saturate, or stays empty where none is rounded.
    ``least``, by default 0, counts for values that are not finite, if the scale has no NaN: the
    least magnitude that values can have.
    """
    # Of a book, the code of zero is any; elsewhere it is 0, of formats without a zero too.
    zero = project(Fraction(0), block.element, "rne")[0] if is_book(block.element) else 0
    nothing = [zero] * len(values)
    finite = [x for x in values if x not in ("nan", "snan", "inf", "-inf")]
    if finite != values and block.scale.specials.value != "finite":
        return nothing, project("nan", block.scale, "rne", "nonfinite")[0]
    amax = max((abs(number(x)) for x in finite), default=least or Fraction(0))

    def rounded(x, word):
        code, flags = project(x, block.element, rounding, "saturate", word, bits)
        if over is not None:
            over.append(bool(flags & 12) or (isinstance(x, str) and x != "-0"))
        return code

    words = words or [0] * len(values)
    if block.scale.mantissa == 0:
        low, high = value(int(block.scale.zero), block.scale), largest(block.scale)
        if amax == 0:
            special = [isinstance(x, str) and x != "-0" for x in values]
            pairs = zip(values, words, special, strict=True)
            return [rounded(x, word) if each else zero for x, word, each in pairs], 0
        e = exponent(amax, block.element, scale_rule)
        e = min(max(e, floor_log2(low)), floor_log2(high))
        parts = [x if isinstance(x, str) else x / TWO**e for x in values]
        code = e + block.scale.bias
    else:
        tries = []
        for factor in factors(grid) if scale_rule == "mse" else (Fraction(1),):
            if scale_rule in ("mean", "median"):
                code = typical_scale([abs(number(x)) for x in values], block, scale_rule)
            else:
                code = block_scale(scaled_end(amax, factor), block, order, *tensor)
            code = least_scale(code, block, min_scale)
            s = value(code, block.scale)
            if s == 0 and not te_zero_codes:
                tries.append((nothing, code))
                continue
            around = less_mean(values) if centred else values
            parts = [scaled(x, s, order, *tensor) for x in around]
            codes = [rounded(x, word) for x, word in zip(parts, words, strict=True)]
            tries.append((codes, code))
        if len(tries) == 1:
            return tries[0]
        return min(tries, key=lambda each: error(values, each[0], each[1], block, tensor[1]))
    return [rounded(x, word) for x, word in zip(parts, words, strict=True)], code


def error(values, codes, code, block, decode):
    """The squared error of a block's codes."""
    found = [number(value(c, block.element)) * value(code, block.scale) * decode for c in codes]
    return squared_error(map(number, values), found)
