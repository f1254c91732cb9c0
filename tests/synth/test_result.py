# SPDX-License-Identifier: BSD-2-Clause
"""The median of several seeds of place and route."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macaw.synth.result import Result, median


def results(clocks):
    return [
        Result(
            name="x", target="ecp5", luts=7, fmax_mhz=clock, seconds=1.0, critical_path=(str(n),)
        )
        for n, clock in enumerate(clocks)
    ]


@given(st.lists(st.integers(1, 50), min_size=2, max_size=9))
def test_the_clock_is_the_median_and_the_path_is_that_of_its_seed(clocks):
    found = median(results(clocks))
    assert found.fmax_mhz == round(statistics.median(clocks), 2)
    assert (found.fmax_mhz_least, found.fmax_mhz_most) == (min(clocks), max(clocks))
    assert found.fmax_mhz_by_seed == tuple(clocks)
    (at,) = found.critical_path
    at_or_below = [clock for clock in clocks if clock <= found.fmax_mhz]
    assert clocks[int(at)] == max(at_or_below)
    assert (found.luts, found.seconds) == (7, len(clocks))
    assert Result.from_json(found.to_json()) == found


@pytest.mark.parametrize("clocks", [[100.0], [None], [100.0, None], [None, 100.0]])
def test_without_a_clock_there_is_no_median(clocks):
    assert median(results(clocks)) == results(clocks)[0]


def test_all_of_them_are_stored_or_it_is_not():
    fresh, stored = results([1, 2])
    stored = Result.from_json(stored.to_json() | {"cached": True})
    assert median([stored, stored]).cached
    assert not median([stored, fresh]).cached
