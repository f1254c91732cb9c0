# SPDX-License-Identifier: BSD-2-Clause
"""What units are called, and in which order their parameters are listed.

A family says behind its units, with :func:`named`, what is not as usual in their names.
"""

from .names import LONGEST_NAME, Naming, abbreviated, made, name, named, order, unusual
from .words import (
    alike,
    counted,
    digits,
    identifier,
    kind_word,
    operand_formats,
    product_words,
    rounding_words,
    signed,
    spelled,
    word,
)

__all__ = [
    "LONGEST_NAME",
    "Naming",
    "abbreviated",
    "alike",
    "counted",
    "digits",
    "identifier",
    "kind_word",
    "made",
    "name",
    "named",
    "operand_formats",
    "order",
    "product_words",
    "rounding_words",
    "signed",
    "spelled",
    "unusual",
    "word",
]
