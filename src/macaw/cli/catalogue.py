# SPDX-License-Identifier: BSD-2-Clause
"""Formats and units as rows of a table: derived from the objects, with nothing per name."""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from macaw.golden.formats import BOOKS, FORMATS, POSITS, POWERS, Book, Fixed, Float, Format, Posit
from macaw.golden.formats.aliases import ALIASES, LEADS
from macaw.golden.formats.block import BLOCKS, AnyFormat, Block

SMALL = 8  # widest format whose every value is listed


def exact(value: float) -> str:
    """``value``, all of it; a power of two as such."""
    if not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "NaN")
    mantissa, exponent = math.frexp(value)
    if abs(mantissa) == 0.5 and not -4 < exponent < 14:
        return f"{'-' if value < 0 else ''}2^{exponent - 1}"
    return repr(value).removesuffix(".0")


def number(value: float) -> str:
    """``value`` where seven digits are enough."""
    text = exact(value)
    return text if len(text) <= 10 else f"{value:.7g}"


def describe(fmt: AnyFormat) -> dict[str, Any]:
    """What is to be known of ``fmt`` besides its values; JSON-able."""
    if isinstance(fmt, Block):
        least = fmt.element.epsilon if isinstance(fmt.element, Fixed) else fmt.element.min_subnormal
        return {
            "name": fmt.name,
            "kind": "block",
            "bits": fmt.bits,
            "spelling": fmt.spelling,
            "element": fmt.element.name,
            "size": fmt.size,
            "tile": fmt.tile,
            "scale": fmt.scale.name,
            "second_scale": fmt.second_scale.name if fmt.second_scale else None,
            "zero_point": fmt.zero_point.name if fmt.zero_point else None,
            "minimum": fmt.minimum,
            "value": ("element" if fmt.zero_point is None or fmt.minimum else "(element - zero)")
            + " * scale"
            + " * second_scale" * (fmt.second_scale is not None)
            + " + zero" * fmt.minimum,
            "element_max": fmt.element.max,
            "element_least": least,
            "scale_max": fmt.scale.max,
            "scale_least": fmt.scale.min_subnormal,
        }
    if isinstance(fmt, Fixed):
        return {
            "name": fmt.name,
            "kind": "fixed",
            "bits": fmt.width,
            "signed": fmt.signed,
            "symmetric": fmt.symmetric,
            "fraction": fmt.fraction,
            "specials": "",
            "max": fmt.max,
            "min": fmt.min,
            "step": fmt.epsilon,
            "finite_values": fmt.finite_values,
        }
    if isinstance(fmt, Book):
        return {
            "name": fmt.name,
            "kind": "code book",
            "bits": fmt.width,
            "signed": fmt.signed,
            "specials": "",
            "max": fmt.max,
            "min": fmt.min,
            "least": fmt.min_subnormal,
            "nearest": fmt.epsilon,
            "finite_values": fmt.finite_values,
        }
    if isinstance(fmt, Posit):
        return {
            "name": fmt.name,
            "kind": "posit",
            "bits": fmt.width,
            "signed": fmt.signed,
            "exponent": fmt.exponent,
            "fraction": fmt.fraction,
            "specials": "NaR",
            "max": fmt.max,
            "min": fmt.min,
            "least": fmt.min_subnormal,
            "epsilon": fmt.epsilon,
            "finite_values": fmt.finite_values,
        }
    return {
        "name": fmt.name,
        "kind": "float",
        "bits": fmt.width,
        "signed": fmt.signed,
        "exponent": fmt.exponent,
        "mantissa": fmt.mantissa,
        "bias": fmt.bias,
        "specials": " ".join(["inf"] * fmt.has_inf + ["NaN"] * fmt.has_nan),
        "subnormals": fmt.subnormals.value,
        "max": fmt.max,
        "min_normal": fmt.min_normal,
        "min_subnormal": fmt.min_subnormal,
        "epsilon": fmt.epsilon,
        "finite_values": fmt.finite_values,
    }


HEADINGS = (
    "format",
    "bits",
    "layout",
    "bias",
    "specials",
    "largest",
    "least normal",
    "least",
    "epsilon",
    "values",
)


def row(fmt: Format) -> tuple[str, ...]:
    """``fmt`` under :data:`HEADINGS`."""
    sign = "s" if fmt.signed else "u"
    if isinstance(fmt, Float):
        layout = f"{sign}.{fmt.exponent}.{fmt.mantissa}"
        bias, specials = str(fmt.bias), describe(fmt)["specials"] or "none"
        normal, least = number(fmt.min_normal), number(fmt.min_subnormal)
    elif isinstance(fmt, Book):
        layout, bias, specials, normal = "book", "", "none", ""
        least = number(fmt.min_subnormal)
    elif isinstance(fmt, Posit):
        layout, bias, specials, normal = f"s.r.{fmt.exponent}.f", "", "NaR", ""
        least = number(fmt.min_subnormal)
    else:
        layout = f"{sign}{fmt.width - fmt.fraction}.{fmt.fraction}"
        bias, specials, normal, least = "", "none", "", number(fmt.epsilon)
    return (
        fmt.name,
        str(fmt.width),
        layout,
        bias,
        specials,
        number(fmt.max),
        normal,
        least,
        number(fmt.epsilon),
        str(fmt.finite_values) if fmt.finite_values < 100_000 else number(fmt.finite_values),
    )


def rows() -> list[tuple[str, ...]]:
    """Every registered scalar format."""
    return [row(fmt) for fmt in (FORMATS | POWERS | BOOKS | POSITS).values()]


ALIAS_HEADINGS = ("format", "others call it")
LEAD_HEADINGS = ("name", "no alias: it")


def alias_rows() -> list[tuple[str, str]]:
    """Formats, and what others call them, under :data:`ALIAS_HEADINGS`."""
    names: dict[str, list[str]] = {}
    for alias, name in ALIASES.items():
        names.setdefault(name, []).append(alias)
    return [(name, ", ".join(aliases)) for name, aliases in names.items()]


def lead_rows() -> list[tuple[str, str]]:
    """Names that are refused, and what they may mean, under :data:`LEAD_HEADINGS`."""
    return list(LEADS.items())


BLOCK_HEADINGS = (
    "block format",
    "bits",
    "element",
    "block",
    "scale",
    "second scale",
    "largest element",
    "least scale",
    "largest scale",
)


def block_rows() -> list[tuple[str, ...]]:
    """Every registered block format under :data:`BLOCK_HEADINGS`; bits are those of an element
    with its share of the scale."""
    return [
        (
            name,
            f"{block.bits:.4g}",
            block.element.name,
            extent(block),
            block.scale.name,
            block.second_scale.name if block.second_scale else "",
            number(block.element.max),
            number(block.scale.min_subnormal),
            number(block.scale.max),
        )
        for name, block in BLOCKS.items()
    ]


def extent(block: Block) -> str:
    """How many elements share a scale, in words."""
    if block.size is None:
        return "tensor"
    return f"{block.tile} x {block.size}" if block.tile > 1 else str(block.size)


def landmarks(fmt: Format) -> list[tuple[str, int, float]]:
    """Codes that one looks up: what it is, the code, the value."""
    if isinstance(fmt, Fixed):
        named = {"zero": 0.0, "one step": fmt.epsilon, "one": 1.0, "largest": fmt.max}
        named |= {"most negative": fmt.min} if fmt.signed else {}
    elif isinstance(fmt, Book):
        named = {"zero": 0.0, "least": fmt.min_subnormal, "one": 1.0, "largest": fmt.max}
        named |= {"lowest": fmt.min}
    elif isinstance(fmt, Posit):
        named = {"zero": 0.0, "least": fmt.min_subnormal, "one": 1.0}
        named |= {"one + epsilon": 1.0 + fmt.epsilon, "largest": fmt.max, "lowest": fmt.min}
    else:
        named = {"zero": 0.0} if fmt.zero else {}
        named |= {"least": fmt.min_subnormal, "least normal": fmt.min_normal, "one": 1.0}
        named |= {"one + epsilon": 1.0 + fmt.epsilon, "largest": fmt.max}
    result = []
    for name, value in named.items():
        code = int(fmt.encode(np.float64(value)))
        if float(fmt.decode(code)) == value:
            result.append((name, code, value))
    if isinstance(fmt, Float):
        for name, code in (("infinity", fmt.inf_code), ("NaN", fmt.nan_code)):
            if code is not None:
                result.append((name, code, float(fmt.decode(code))))
    if isinstance(fmt, Posit):
        result.append(("NaR", fmt.nar, math.nan))
    return result


def values(fmt: Format) -> list[float]:
    """The value of each code, in order, of a format of at most :data:`SMALL` bits."""
    return fmt.decode(np.arange(1 << fmt.width, dtype=fmt.code_dtype)).tolist()


def bits(fmt: Format, code: int) -> str:
    """``code`` in binary, its fields apart."""
    text = f"{code:0{fmt.width}b}"
    if isinstance(fmt, Fixed):
        cuts = [fmt.width - fmt.fraction] if 0 < fmt.fraction < fmt.width else []
    elif isinstance(fmt, Book):
        cuts = []
    elif isinstance(fmt, Posit):
        # The run of equal bits ends with one that differs, or with the code.
        run = min(len(text) - len(text[1:].lstrip(text[1])) + 1, fmt.width)
        cuts = [1, run, min(run + fmt.exponent, fmt.width)]
    else:
        cuts = [fmt.signed, fmt.signed + fmt.exponent]
    edges = [0, *cuts, fmt.width]
    return " ".join(text[i:j] for i, j in itertools.pairwise(edges) if j > i)


def summary(cls: type) -> str:
    """First sentence of a unit's docstring, without its reStructuredText quotes."""
    return documentation(cls).splitlines()[0].split(". ")[0].rstrip(".")


def documentation(cls: type) -> str:
    """A unit's docstring for a terminal, without reStructuredText."""
    text = inspect.cleandoc(cls.__doc__ or "").replace("``", "")
    return re.sub(r":\w+:`~?([\w.]+)`", r"\1", text)


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table: the first column in code type, those after ``left`` to the right."""
    lines = [headings, ["---"] * left + ["--:"] * (len(headings) - left)]
    lines += [[f"`{first}`", *rest] for first, *rest in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
