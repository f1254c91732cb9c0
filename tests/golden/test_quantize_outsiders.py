# SPDX-License-Identifier: BSD-2-Clause
"""Samples of the comparisons of block quantisation that ``make prove`` makes in full."""

import dataclasses

import pytest

from macaw.golden import BLOCKS
from macaw.golden.arithmetic import block_scales as golden
from macaw.sim.proof.outsiders import blocks as prove
from macaw.sim.proof.outsiders.check import ProofFailure

NAMES = (*BLOCKS, *prove.SPELLED)


def large(name):
    block = prove.format(name)
    return (block.size or 32) * block.tile > 32


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_and_order(name):
    count = 140 if large(name) else 7000
    for choice in prove.choices(name):
        assert prove.vectorised(name, choice, count) == count
    if not prove.format(name).power_of_two:
        for least in ("modelopt", "torchao", "ct"):
            assert prove.vectorised(name, "paper", count // 4, least) == count // 4


@pytest.mark.parametrize("name", NAMES)
def test_fractions(name):
    for options in prove.fraction_options(name):
        prove.by_fractions(name, 2 if large(name) else 7, **options)


@pytest.mark.parametrize("name", ["mxfp8-e4m3", "mxfp4", "mxint8"])
def test_gfloat(name):
    assert prove.by_gfloat(name, 60) > 0


@pytest.mark.parametrize(
    ("name", "choice", "other"),
    [("mxfp4", "even", {"scale_rule": "ceil"}), ("nvfp4", "te", {"order": "torchao"})],
)
def test_a_wrong_golden_model_is_found(monkeypatch, name, choice, other):
    """Another rule or order in the place of the one asked for."""
    core = "_power_of_two" if "scale_rule" in other else "_through_fp32"
    right = getattr(golden, core)

    def wrong(codes, source, block, rules, *rest):
        return right(codes, source, block, dataclasses.replace(rules, **other), *rest)

    monkeypatch.setattr(golden, core, wrong)
    with pytest.raises(ProofFailure, match=f"{name} {choice}, .* differ, first"):
        prove.vectorised(name, choice, 60_000)


def test_checks_cover_every_block_format():
    names = [check.name for check in prove.checks()]
    assert len(names) == len(set(names))
    for name in NAMES:
        for choice in prove.choices(name):
            assert f"quantize/numpy-{name}-{choice}" in names
