# SPDX-License-Identifier: BSD-2-Clause
"""Ranges in names and in options, counted before they are made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macaw.golden.errors import SpecError
from macaw.synth.sweep import ranges


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("e4m3", ["e4m3"]),
        ("e<2-3>m<1-2>", ["e2m1", "e2m2", "e3m1", "e3m2"]),
        ("int<2,4,8>", ["int2", "int4", "int8"]),
        ("int<2,6-8>", ["int2", "int6", "int7", "int8"]),
        ("e2m1-k<16,32>-<e8m0,ue4m3>",
         ["e2m1-k16-e8m0", "e2m1-k16-ue4m3", "e2m1-k32-e8m0", "e2m1-k32-ue4m3"]),
        ("int4*<int8,fp16>-><fp16,fp32>",
         ["int4*int8->fp16", "int4*int8->fp32", "int4*fp16->fp16", "int4*fp16->fp32"]),
        ("int8*int8->int16", ["int8*int8->int16"]),
        ("e2m1-k< 8, 16 >-e8m0", ["e2m1-k8-e8m0", "e2m1-k16-e8m0"]),
    ],
)  # fmt: skip
def test_names(name, meant):
    assert list(ranges.names("formats", name)) == meant
    assert ranges.count_names("formats", name) == len(meant)
    assert ranges.ranged(name) == ("," in name or "-" in name.replace("->", ""))


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("e<5-2>m1", "formats=e<5-2>m1: 5-2 must go up, as 2-5"),
        ("e<2-5m1", "formats=e<2-5m1: < and > must stand around choices"),
        ("e2-5>m1", "< and > must stand around choices"),
        ("e<<2-5>>m1", "< and > must stand around choices"),
        ("int<>", "must be numbers, words and ranges"),
        ("int<2,,3>", "must be numbers, words and ranges"),
    ],
)
def test_names_that_are_wrong(name, fragment):
    for function in (ranges.count_names, lambda *of: list(ranges.names(*of))):
        with pytest.raises(SpecError) as raised:
            function("formats", name)
        assert fragment in str(raised.value)


def test_what_is_absurd_is_counted_at_once():
    assert ranges.count_names("formats", "e<1-999999999>m<1-999999999>") == 999999999**2


def flat(found):
    return [value for part in found for value in part]


@pytest.mark.parametrize(
    ("text", "values"),
    [("3", [3]), ("0-2,5", [0, 1, 2, 5]), (4, [4]), ([1, 2], [1, 2]), (range(2), [0, 1]),
     (["1-2", 7], [1, 2, 7]), (None, [None])],
)  # fmt: skip
def test_whole_numbers(text, values):
    assert flat(ranges.listed("lanes", text, whole=True)) == values


def test_words():
    assert flat(ranges.listed("clock", "30FO4, 40FO4")) == ["30FO4", "40FO4"]
    assert flat(ranges.listed("operands", "sparse(0.9)")) == ["sparse(0.9)"]


@pytest.mark.parametrize(
    ("given_", "fragment"),
    [("x", "lanes=x: must be integers"), ("2-1", "must go up"), ("", "lanes=: must be"),
     ([], "lanes: must be one value at least"), ("1.5", "must be integers")],
)  # fmt: skip
def test_numbers_that_are_wrong(given_, fragment):
    with pytest.raises(SpecError, match=fragment):
        ranges.listed("lanes", given_, whole=True)


@given(
    st.lists(
        st.tuples(st.sampled_from("eimk"), st.lists(st.integers(0, 99), min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_every_choice_meets_every_other_once(parts):
    name = "".join(f"{letter}<{','.join(map(str, values))}>" for letter, values in parts)
    meant = [""]
    for letter, values in parts:
        meant = [f"{before}{letter}{value}" for before in meant for value in values]
    assert list(ranges.names("formats", name)) == meant
    assert ranges.count_names("formats", name) == len(meant)
