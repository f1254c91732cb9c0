# SPDX-License-Identifier: BSD-2-Clause
"""The Pareto front, beside its definition."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macaw.golden.errors import SpecError
from macaw.synth import Sweep, columns
from macaw.synth.page import pareto

FIGURE = st.one_of(st.none(), st.just(math.nan), st.integers(-4, 4), st.floats(-4, 4))


def beats(one, other):
    return one[0] <= other[0] and one[1] <= other[1] and (one[0] < other[0] or one[1] < other[1])


def defined(points):
    known = [p for p in points if not any(x is None or math.isnan(x) for x in p)]
    return {
        index
        for index, point in enumerate(points)
        if not any(x is None or math.isnan(x) for x in point)
        and not any(beats(other, point) for other in known)
    }


@given(st.lists(st.tuples(FIGURE, FIGURE), max_size=30))
def test_the_front_is_what_no_other_beats(points):
    found = pareto.front(points)
    assert len(set(found)) == len(found)
    assert set(found) == defined(points)
    assert [points[index][0] for index in found] == sorted(points[index][0] for index in found)


def row(target, cost, sqnr, status="done"):
    found = {"target": target, "cost": cost, "sqnr_gaussian": sqnr, "status": status}
    return columns.tidy(found)


def test_more_is_better_of_some_figures_and_targets_stand_apart():
    made = Sweep(
        rows=(
            row("asic", 10.0, 5.0),
            row("asic", 20.0, 9.0),
            row("asic", 15.0, 4.0),  # dearer and worse than the first
            row("asic", 10.0, 5.0),
            row("ecp5", 99.0, 1.0),  # the only one there
            row("asic", None, None, "refused"),
        )
    )
    marked = made.pareto("cost", "sqnr_gaussian")
    assert [each["pareto"] for each in marked.rows] == [True, True, False, True, True, False]
    assert [each["cost"] for each in marked.front()] == [10.0, 10.0, 20.0, 99.0]
    assert [each["cost"] for each in made.pareto("sqnr_gaussian", "cost").front()] == [
        20.0, 10.0, 10.0, 99.0,
    ]  # fmt: skip
    assert marked.columns[-1].name == "pareto"
    assert "pareto" not in made.rows[0]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_the_front_of_a_table_is_that_of_its_signed_figures(points):
    made = Sweep(rows=tuple(row("asic", float(x), float(y)) for x, y in points))
    found = made.pareto("cost", "sqnr_gaussian")
    expected = defined([(x, -y) for x, y in points])
    assert {index for index, each in enumerate(found.rows) if each["pareto"]} == expected


@pytest.mark.parametrize("name", ["unit", "fnord", "macs"])
def test_what_is_no_figure(name):
    with pytest.raises(SpecError, match=f"pareto={name}: is no figure"):
        Sweep(rows=()).pareto("cost", name)
