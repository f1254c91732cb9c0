# SPDX-License-Identifier: BSD-2-Clause
"""Number formats as data: scalars, blocks that share a scale, and the choices of rounding."""

from .books import BOOKS, Book
from .posits import POSITS, Posit
from .scalar import FORMATS, POWERS, Fixed, Float, Format, Specials, Subnormals, format

__all__ = [
    "BOOKS",
    "FORMATS",
    "POSITS",
    "POWERS",
    "Book",
    "Fixed",
    "Float",
    "Format",
    "Posit",
    "Specials",
    "Subnormals",
    "format",
]
