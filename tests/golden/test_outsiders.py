# SPDX-License-Identifier: BSD-2-Clause
"""Samples of the comparisons with outsiders that ``make prove`` makes in full."""

import numpy as np
import pytest

from macaw.golden import Float, format
from macaw.sim.proof.outsiders import p3109
from macaw.sim.proof.outsiders import scalars as prove
from macaw.sim.proof.outsiders.check import ProofFailure

SMALL = [n for n in (*prove.NAMES, *prove.GRAMMAR) if format(n).width <= 16]
KNOWN = [n for n in SMALL if format(n).dtype is not None]
DESCRIBED = [n for n in SMALL if prove.gfloat_format(format(n)) is not None]


@pytest.mark.parametrize("name", KNOWN)
def test_ml_dtypes(name):
    prove.decode_ml_dtypes(name)
    if name != "e8m0":
        prove.encode_ml_dtypes(name, 20_000)


@pytest.mark.parametrize("name", DESCRIBED)
def test_gfloat(name):
    prove.decode_gfloat(name)
    for rounding in (*prove.DIRECTED, *prove.STOCHASTIC):
        prove.encode_gfloat(name, rounding, 5000)


@pytest.mark.parametrize("width", p3109.WIDTHS)
def test_gfloat_has_the_formats_of_p3109(width):
    for name in p3109.names(width):
        assert p3109.decode(name) == 1 << width
        assert p3109.encode(name) > 2000


@pytest.mark.parametrize("name", p3109.names(3) + p3109.names(8))
def test_fractions_judge_what_gfloat_has_not(name):
    p3109.encode_fractions(name, 20)


@pytest.mark.parametrize("name", [*SMALL, "int4", "int8", "uint8", "fx8.6", "ternary"])
def test_fractions(name):
    if format(name).width <= 8:
        prove.decode_fractions(name)
    for rounding in (*prove.DIRECTED, "rod", *prove.STOCHASTIC):
        prove.encode_fractions(name, rounding, 150)


@pytest.mark.parametrize("kind", prove.OPERATIONS)
@pytest.mark.parametrize("name", ["fp16", "fp32"])
def test_softfloat_with_flags(kind, name):
    assert prove.softfloat(kind, name, 20_000) == 20_000


@pytest.mark.parametrize("kind", prove.OPERATIONS)
@pytest.mark.parametrize("name", prove.ODD)
def test_mpfr(kind, name):
    assert prove.mpfr(kind, name, 6000) == 6000


def test_every_check_has_a_name_of_its_own():
    names = [check.name for module in (prove, p3109) for check in module.checks()]
    assert len(names) == len(set(names))
    assert len(names) > 300


def test_a_wrong_golden_model_is_found(monkeypatch):
    """One wrong code of 65536 is enough, and the message names it."""
    right = Float.encode

    def wrong(self, values, **options):
        codes = right(self, values, **options)
        return np.where(np.asarray(values) == 1.5, codes ^ 1, codes)

    monkeypatch.setattr(Float, "encode", wrong)
    with pytest.raises(ProofFailure, match=r"1 of .* differ, first at value=.*1\.5"):
        prove.encode_ml_dtypes("fp16")
