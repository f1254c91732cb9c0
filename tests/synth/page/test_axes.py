# SPDX-License-Identifier: BSD-2-Clause
"""Axes on paper, and names that cover nothing."""

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from macaw.synth.page.axes import APART, HIGH, WIDE, Axis, labels

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@given(VALUES, st.booleans())
def test_every_value_is_on_a_plain_axis(values, zero):
    axis = Axis.of(values, 400, zero=zero)
    for value in values:
        assert 0 <= axis.at(value) <= 400
        assert axis.value(axis.at(value)) == pytest.approx(value, rel=1e-6, abs=1e-3)
    if zero and min(values) >= 0:
        assert axis.at(0) == 0


@given(st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=20))
def test_a_logarithmic_axis_ends_eight_decades_down(values):
    axis = Axis.of(values, 400, log=True)
    for value in values:
        assert 0 <= axis.at(value) <= 400
        if value >= max(values) * 1e-8:
            assert axis.value(axis.at(value)) == pytest.approx(value, rel=1e-6)
    assert axis.at(0.0) == axis.at(-1.0) == 0
    assert math.log10(axis.high / axis.low) < 11


def test_an_axis_of_nothing_and_of_one_value():
    for values in ([], [0.0], [5.0], [5.0, 5.0]):
        for log in (False, True):
            axis = Axis.of(values, 400, log=log)
            assert axis.low < axis.high


@given(st.lists(st.tuples(st.integers(0, 460), st.integers(0, 300)), max_size=12, unique=True))
def test_names_cover_no_point_and_no_other_name(points):
    names = [f"name{index}" for index in range(len(points))]
    placed = labels(points, names, 470, 310)
    assert sorted(label.name for label in placed) == sorted(names)
    boxes = []
    for label in placed:
        wide = WIDE * len(label.name)
        left = label.x if label.side == "right" else label.x - wide
        boxes.append((left, label.y - HIGH / 2, left + wide, label.y + HIGH / 2))
    free = [box for box in boxes if box[0] > 0 and box[2] < 470 and box[1] > 0 and box[3] < 310]
    assume(len(free) == len(boxes))
    apart = all(a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
                for a, b in itertools.combinations(boxes, 2))  # fmt: skip
    crowded = any(
        abs(a[0] - b[0]) < 90 and abs(a[1] - b[1]) < 50
        for a, b in itertools.combinations(points, 2)
    )
    assert apart or crowded


def test_a_name_is_beside_its_point_and_leaves_the_edge():
    (inside,) = labels([(50, 50)], ["a"], 470, 310)
    assert (inside.side, inside.x) == ("right", 50 + APART)
    (edge,) = labels([(465, 50)], ["a"], 470, 310)
    assert (edge.side, edge.x) == ("left", 465 - APART)
    assert labels([(50, 50)], [""], 470, 310) == []
