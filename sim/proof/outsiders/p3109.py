# SPDX-License-Identifier: BSD-2-Clause
"""Every small format of IEEE P3109 against gfloat, and what gfloat has not, against fractions.

P3109 v4.0, 4.2 (formats), 4.7 (projection). gfloat judges all of decoding, and of encoding the
saturation modes SatFinite and SatNone under eight roundings; it has neither ToOdd nor SatPropagate,
and no negative numbers for unsigned formats. Those have the scalar reference as judge, and the few
rows of the draft's table that the tests spell out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from macaw.golden import Float
from macaw.golden.formats import format

from ..reference.arithmetic import scalar as reference
from .check import Check, agree, as_value, same_values

WIDTHS = range(3, 9)
DIRECTED = ("rne", "rna", "rtz", "rup", "rdn")
STOCHASTIC = {"sr": "StochasticFastest", "srb": "StochasticFast", "src": "Stochastic"}
_BITS = 10
"""Of the random words."""


def names(width: int) -> list[str]:
    """P3109's names of all formats of ``width`` bits."""
    return [
        f"binary{width}p{precision}{sign}{domain}"
        for sign in "su"
        for precision in range(1, width + (sign == "u"))
        for domain in "ef"
    ]


def gfloat_format(name: str) -> Any:
    """gfloat's own description of the format of a name."""
    from gfloat.formats import format_info_p3109
    from gfloat.types import Domain, Signedness

    width, _, rest = name.removeprefix("binary").partition("p")
    signedness = Signedness.Signed if rest[-2] == "s" else Signedness.Unsigned
    domain = Domain.Extended if rest[-1] == "e" else Domain.Finite
    return format_info_p3109(int(width), int(rest[:-2]), signedness, domain)


def points(fmt: Float, *, near: float) -> np.ndarray:
    """Doubles, dense where results change: values, ties and quarters between neighbours, and what
    lies ``near`` (a fraction of themselves) on both sides; beyond both ends, and any others."""
    values = fmt.decode(np.arange(1 << fmt.width, dtype=fmt.code_dtype))
    values = np.unique(values[np.isfinite(values)])
    step = values[-1] - values[-2]
    beyond = values[-1] + step * np.array([1.0, 2.0, 3.0, 1e6])
    values = np.unique(np.concatenate([values, beyond, -beyond]))
    parts = np.array([0.0, 0.25, 0.5, 0.75])
    dense = (values[:-1, None] + np.diff(values)[:, None] * parts).ravel()
    rng = np.random.default_rng(fmt.width)
    spread = np.ldexp(rng.uniform(1, 2, 500), rng.integers(fmt.quantum - 4, fmt.emax + 4, 500))
    extremes = [np.inf, 1e300, 5e-324, 0.0]
    found = np.concatenate([dense, dense * (1 + near), dense * (1 - near), spread, extremes])
    return np.concatenate([np.unique(np.concatenate([found, -found])), [-0.0, np.nan]])


def decode(name: str) -> int:
    """Value of every code against gfloat."""
    import gfloat

    fmt = format(name)
    codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    want = gfloat.decode_ndarray(gfloat_format(name), codes.astype(np.int64))
    got = fmt.decode(codes)
    return agree(f"decode {name}", got, want, same_values(got, want), code=codes)


def encode(name: str) -> int:
    """Dense doubles under every rounding and saturation that gfloat has: each value has one code,
    so that values are compared."""
    import gfloat
    from gfloat import RoundMode

    fmt, info = format(name), gfloat_format(name)
    assert isinstance(fmt, Float)
    modes = dict(
        zip(
            DIRECTED,
            ("TiesToEven", "TiesToAway", "TowardZero", "TowardPositive", "TowardNegative"),
            strict=True,
        )
    )
    cases = 0
    for rounding, mode in (modes | STOCHASTIC).items():
        chance = rounding in STOCHASTIC
        # gfloat adds words to fractions in float64: no finer than that may be what it is asked.
        values = points(fmt, near=2.0**-30 if chance else 2.0**-52)
        if not fmt.signed:
            values = values[~(values < 0)]
        rng = np.random.default_rng(len(values))
        words = rng.integers(0, 1 << _BITS, values.size)
        options: dict[str, Any] = {"random": words, "random_bits": _BITS} if chance else {}
        theirs = (words, _BITS) if chance else (None, 0)
        for saturate in (True, False):
            want = gfloat.round_ndarray(info, values, RoundMode[mode], saturate, *theirs)
            policy = "saturate" if saturate else "directed"
            got = fmt.decode(fmt.encode(values, rounding=rounding, overflow=policy, **options))
            same = same_values(got, want)
            cases += agree(f"encode {name} {rounding} {policy}", got, want, same, value=values)
    return cases


def encode_fractions(name: str, count: int) -> int:
    """``count`` of the doubles under every rounding and policy against the scalar reference."""
    fmt = format(name)
    assert isinstance(fmt, Float)
    cases = 0
    for rounding in (*DIRECTED, "rod", *STOCHASTIC):
        values = points(fmt, near=2.0**-52)
        values = np.random.default_rng(count).permutation(values)[:count]
        values = np.concatenate([values, [np.inf, -np.inf, np.nan, -0.0, fmt.max * 4, -fmt.max]])
        words = np.random.default_rng(1).integers(0, 1 << _BITS, values.size)
        chance = rounding in STOCHASTIC
        options: dict[str, Any] = {"random": words, "random_bits": _BITS} if chance else {}
        for policy in (None, "saturate", "propagate", "directed", "nonfinite"):
            got = fmt.encode(values, rounding=rounding, overflow=policy, **options)
            want = np.array(
                [
                    reference.project(as_value(x), fmt, rounding, policy, word, _BITS)[0]
                    for x, word in zip(values.tolist(), words.tolist(), strict=True)
                ]
            )
            what = f"encode {name} {rounding} {policy}"
            cases += agree(what, got, want, got == want, value=values)
    return cases


def _all(width: int, judge: Any) -> int:
    return sum(judge(name) for name in names(width))


def checks() -> list[Check]:
    """Every format of 3 to 8 bits, of every precision, signedness and domain."""
    sample = functools.partial(encode_fractions, count=300)
    judges = {"decode-gfloat": decode, "encode-gfloat": encode, "encode-fractions": sample}
    return [
        Check(name=f"p3109-{what}-{width}", run=functools.partial(_all, width, judge))
        for what, judge in judges.items()
        for width in WIDTHS
    ]
