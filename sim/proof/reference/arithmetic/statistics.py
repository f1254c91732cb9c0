# SPDX-License-Identifier: BSD-2-Clause
"""What became of a tensor's elements, one after the other: docs/loss-scaling.md."""

from collections import namedtuple

from .scalar import number, project, value

__all__ = ["Element", "element", "of_block", "told"]

Element = namedtuple("Element", "overflows underflows saturations magnitude")
"""Whether it overflowed, underflowed, saturated; and its magnitude if it is a finite number."""
WRONG = 4 + 8 + 16
"""Flags: overflow, invalid, division by zero."""


def finite(x):
    """Whether a value is a number."""
    return not isinstance(x, str) or x == "-0"


def element(spec, code, flags, x):
    """An Element that ``x`` was rounded to, with these flags."""
    y = value(code, spec.out)
    bad = bool(flags & WRONG) or not finite(y) or not finite(x)
    lost = not bad and number(x) != 0 and number(y) == 0
    return Element(bad, lost, False, abs(number(y)) if finite(y) else None)


def of_block(spec, values, codes, scale, over):
    """The Elements of a block of values, its codes and scale; ``over`` says which saturated."""
    nan = isinstance(value(scale, spec.out.scale), str)
    most = scale == spec.out.scale.max_code
    for x, code, beyond in zip(values, codes, over, strict=True):
        bad = nan or not finite(x) or (beyond and most)
        zero = not number(value(code, spec.out.element))
        lost = not bad and not beyond and number(x) != 0 and zero
        size = abs(number(x)) if finite(x) else None
        yield Element(bad, lost, beyond and not bad, size)


def told(spec, beats, ends):
    """The statistics after each beat, which has a list of elements, and may be a tensor's last."""
    fmt, most, seen = spec.ports.outputs["largest"].format, 2**spec.statistics - 1, []
    for elements, end in zip(beats, ends, strict=True):
        seen += elements
        largest = max([each.magnitude for each in seen if each.magnitude is not None], default=0)
        counts = {
            name: min(sum(getattr(each, name) for each in seen), most) for name in spec.counts
        }
        code = project(largest, fmt, "rtz", "saturate")[0]
        yield counts | {"largest": code, "last": int(end)}
        seen = [] if end else seen
