# SPDX-License-Identifier: BSD-2-Clause
"""Numbers that users write, however long: what nobody means costs no time and no traceback."""

from __future__ import annotations

import re
from fractions import Fraction

_LONGEST = 1000
"""Letters of a number: more than a float64 needs in decimal, and fewer than Python refuses."""
_FAR = re.compile(r"e[+-]?\d{5}", re.IGNORECASE | re.ASCII)
"""Of powers of ten that take long to write out."""


def whole(text: str) -> int:
    """Return the integer of decimal digits; of very many, one that is as far out of any range."""
    return int(text[:_LONGEST])


def fraction(text: str) -> Fraction | None:
    """Return the number that a text means, a decimal or a quotient of integers, exactly.

    None if it means none, or one that is too long or too far from 1 to be meant.
    """
    if len(text) > _LONGEST or _FAR.search(text):
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
