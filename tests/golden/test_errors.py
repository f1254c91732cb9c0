# SPDX-License-Identifier: BSD-2-Clause
"""What errors say, and the hint at a name that was meant."""

from macaw.golden.errors import MacawError, did_you_mean

KNOWN = ("rounding", "overflow", "random_bits")


def test_a_message_is_one_line():
    assert str(MacawError("two\n  lines")) == "two lines"


def test_near_names():
    assert did_you_mean("roundin", KNOWN) == "did you mean rounding?"
    assert did_you_mean("stages", KNOWN) == ""
    assert did_you_mean("stages", KNOWN, "it has three") == "it has three"


def test_near_aliases_stand_for_their_names():
    aliases = {"float8_e4m3": "e4m3", "float8_e5m2": "e5m2"}
    assert did_you_mean("float8_e4m", [], aliases=aliases) == "did you mean e4m3?"
    both = did_you_mean("float8_e4m3x", ["e4m3"], aliases=aliases, most=3, cutoff=0.5)
    assert both == "did you mean e4m3 or e5m2?"
