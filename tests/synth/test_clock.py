# SPDX-License-Identifier: BSD-2-Clause
"""Clocks that are asked for: their spelling, the targets that take them, and what reaches them."""

import math

import pytest

from macaw.golden.errors import SpecError
from macaw.synth import target
from macaw.synth.clock import Clock, clock, units_of
from macaw.synth.flow import Result


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("200", Clock(200, "MHz")),
        (200, Clock(200, "MHz")),
        (62.5, Clock(62.5, "MHz")),
        ("200MHz", Clock(200, "MHz")),
        (" 200 mhz ", Clock(200, "MHz")),
        ("50FO4", Clock(50, "FO4")),
        ("2.5e1fo4", Clock(25, "FO4")),
        ("5000ps", Clock(5000, "ps")),
        (Clock(40, "FO4"), Clock(40, "FO4")),
    ],
)
def test_spellings(given, means):
    assert clock(given) == means
    assert clock(str(means)) == means


@pytest.mark.parametrize(
    "given",
    [None, True, "", "MHz", "5ns", "1GHz", "200 MHz fast", "1.2.3", "1e", "nan", "inf", b"5", [],
     "٢٠٠"],
)  # fmt: skip
def test_what_is_no_clock(given):
    with pytest.raises(SpecError, match=r"clock=.*must be MHz \(200 or 200MHz\), FO4"):
        clock(given)


@pytest.mark.parametrize("given", [0, "-5", "0ps", "1e10", "1e999FO4", 10**30])
def test_clocks_out_of_all_bounds(given):
    with pytest.raises(SpecError, match=r"clock=.*must be from 0\.001 to 1e.09"):
        clock(given)


@pytest.mark.parametrize(
    ("name", "units"),
    [("ecp5", ("MHz", "ps")), ("gowin", ("MHz", "ps")), ("asic", ("FO4",)), ("xilinx7", ())],
)
def test_targets_have_units(name, units):
    place = target(name)
    assert units_of(place) == units
    for unit in ("MHz", "FO4", "ps"):
        if unit in units:
            Clock(100, unit).check(place)
        else:
            with pytest.raises(SpecError, match=f"clock=100 {unit}: target {name} (takes|gives)"):
                Clock(100, unit).check(place)


def test_a_clock_is_reached_from_the_figure_on_that_a_target_has():
    fpga = Result(name="x", target="ecp5", fmax_mhz=200.0)
    library = Result(name="x", target="asic", delay_fo4=40.0, delay_ps=3000.0, fmax_mhz=333.33)
    for asked, result, speed in (
        ("200", fpga, 1.0),
        ("200.01", fpga, 200 / 200.01),
        ("5000ps", fpga, 1.0),
        ("2500ps", fpga, 0.5),
        ("40FO4", library, 1.0),
        ("39.9FO4", library, 39.9 / 40),
        ("3000ps", library, 1.0),
        ("1500ps", library, 0.5),
        ("40FO4", fpga, 0.0),
    ):
        assert clock(asked).speed(result) == speed, asked
    assert clock("40FO4").speed(Result(name="x", target="asic", delay_fo4=0.0)) == math.inf


def test_what_the_delay_model_is_asked_for():
    assert clock("5000ps").frequency(target("ecp5")) == 200.0
    assert clock("125").frequency(target("ice40")) == 125.0
    # The models take an FO4 for 20 ps.
    assert clock("50FO4").frequency(target("asic")) == pytest.approx(1000.0)
