# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for random words: a recurrence of bits, and powers of x modulo a polynomial.

Golomb, Shift Register Sequences: what a register with feedback to one bit shifts out is a linear
recurrence, and one with feedback to many multiplies by x.
"""

RANDOM = 1 << 32 | 1 << 22 | 1 << 2 | 1 << 1 | 1
"""The polynomial of the words that units with stochastic rounding make themselves."""


def polynomial(text):
    """Powers of x as an integer."""
    powers = {"1": 0, "x": 1}
    return sum(1 << powers.get(term, int("0" + term[1:])) for term in text.split("+"))


def product(a, b, modulus):
    """Of two polynomials over GF(2), modulo a third."""
    total = 0
    for place in range(b.bit_length()):
        total ^= (a << place) * (b >> place & 1)
    while total.bit_length() >= modulus.bit_length():
        total ^= modulus << (total.bit_length() - modulus.bit_length())
    return total


def power(modulus, exponent):
    """``x**exponent`` modulo a polynomial."""
    result, square = 1, product(2, 1, modulus)
    while exponent:
        if exponent & 1:
            result = product(result, square, modulus)
        square, exponent = product(square, square, modulus), exponent >> 1
    return result


def galois(modulus, seed, steps, width, count):
    """The first words of the form that multiplies by x."""
    factor, state = power(modulus, steps), seed
    for _ in range(count):
        yield state % 2**width
        state = product(state, factor, modulus)


def fibonacci(modulus, seed, steps, width, count):
    """The first words of the form whose bits are a recurrence."""
    degree = modulus.bit_length() - 1
    lags = [j for j in range(1, degree + 1) if modulus >> j & 1]
    bits = [seed >> place & 1 for place in reversed(range(degree))]
    for number in range(count):
        newest = number * steps + degree - 1
        while len(bits) <= newest:
            bits.append(sum(bits[-lag] for lag in lags) % 2)
        yield sum(bits[newest - place] << place for place in range(width))


FORMS = {"fibonacci": fibonacci, "galois": galois}


def words(form, modulus, seed, steps, width, lanes, reseeds):
    """The words of each beat, a list of ``lanes``; after a ``reseed`` they begin anew."""
    runs, length = [], 0
    for reseed in reseeds:
        length += 1
        if reseed:
            runs, length = [*runs, length], 0
    found = list(FORMS[form](modulus, seed, steps, width, lanes * max([*runs, length])))
    for run in [*runs, length]:
        for beat in range(run):
            yield found[beat * lanes : (beat + 1) * lanes]


def supplied(spec, beats):
    """Beats with the random words that the unit makes for them."""
    lanes, bits = spec.ports.outputs["r"].lanes, spec.random_bits
    reseeds = [beat["reseed"] for beat in beats]
    made = words("fibonacci", RANDOM, spec.random_seed, bits, bits, lanes or 1, reseeds)
    return [
        beat | {"random": word[0] if lanes is None else word}
        for beat, word in zip(beats, made, strict=True)
    ]
