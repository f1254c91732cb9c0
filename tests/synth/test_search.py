# SPDX-License-Identifier: BSD-2-Clause
"""Seeking a pipeline by measurement, with measurements that are made up."""

import pytest

from macaw.golden.units import unit
from macaw.synth import search, source, target
from macaw.synth.clock import clock
from macaw.synth.flow import Result, Source
from macaw.synth.search import MOST_STAGES, Pipelines, fewest_reaching


@pytest.mark.parametrize("start", range(-1, 27))
@pytest.mark.parametrize("fewest", range(MOST_STAGES + 1))
def test_the_fewest_are_found_in_few_trials_from_anywhere(start, fewest):
    tried = []

    def speed(stages):
        tried.append(stages)
        return (stages + 1) / (fewest + 1)

    assert fewest_reaching(speed, start) == fewest
    assert len(tried) == len(set(tried))
    assert set(tried) <= set(range(MOST_STAGES + 1))
    distance = abs(fewest - min(max(start, 0), MOST_STAGES))
    assert len(tried) <= 2 * distance.bit_length() + 2


def test_a_good_guess_takes_two_trials():
    tried = []

    def speed(stages):
        tried.append(stages)
        return stages / 5

    assert fewest_reaching(speed, 5) == 5
    assert tried == [5, 4]


@pytest.mark.parametrize("start", [0, 3, MOST_STAGES])
def test_what_no_pipeline_reaches_is_tried_up_to_the_most(start):
    tried = []

    def speed(stages):
        tried.append(stages)
        return 0.99

    assert fewest_reaching(speed, start) is None
    assert tried[-1] == MOST_STAGES
    assert len(tried) <= 6


@pytest.mark.parametrize("start", range(MOST_STAGES + 1))
def test_of_a_clock_that_falls_with_stages_the_answer_holds_and_one_less_does_not(start):
    curve = [0.5, 0.7, 1.1, 0.9, 0.8, 1.2, 0.95, *[1.3, 0.9] * 3, *[1.5] * 12]
    assert len(curve) == MOST_STAGES + 1
    tried = []

    def speed(stages):
        tried.append(stages)
        return curve[stages]

    found = fewest_reaching(speed, start)
    assert found is not None
    assert curve[found] >= 1 > curve[found - 1]
    assert {found, found - 1} <= {*tried}


@pytest.fixture
def pipelines(monkeypatch):
    """Pipelines whose clock rises by 20 MHz a stage up to 200 MHz, by a model that guesses 7."""

    def generate(spec, *, stages=None, frequency=None, **_):
        latency = 7 if stages is None else stages
        return Source(name="x", verilog="", metadata={"latency": latency})

    def run(design, target, **_):
        stages = design.metadata["latency"]
        clock = 20.0 * min(stages + 1, 10)
        return Result(name="x", target="ecp5", latency=stages, fmax_mhz=clock)

    monkeypatch.setattr(search, "run", run)
    monkeypatch.setattr(source, "generate", generate)
    spec, news = unit("mul", a="e2m1", out="e2m1"), []
    return Pipelines(spec, target("ecp5"), {"cache": False}, {}, news.append)


def test_a_pipeline_for_a_clock(pipelines):
    stages, result, reached = pipelines.reaching(clock("100"), 8)
    assert (stages, result.fmax_mhz, reached) == (4, 100.0, True)
    assert list(pipelines._known) == [7, 6, 4, 0, 2, 3]
    assert any("4 stages: 100 MHz of 100 MHz" in line for line in pipelines.progress.__self__)


def test_a_clock_that_is_not_reached_gives_the_fastest_with_the_fewest_stages(pipelines):
    stages, result, reached = pipelines.reaching(clock("4000ps"), 8)
    assert (result.fmax_mhz, reached) == (200.0, False)
    assert stages == min(n for n, r in pipelines._known.items() if r.fmax_mhz == 200.0)


def test_the_depth_by_the_delay_model_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    spec = unit("fma", a="e2m1", out="fp16")
    options = {"target": "asic", "multiplier": "auto"}
    some, none = (
        source.depth(spec, frequency=frequency, **options) for frequency in (1000.0, 90000.0)
    )
    assert some is not None
    assert some > 0
    assert none is None
    monkeypatch.setattr(source, "generate", None)
    assert source.depth(spec, frequency=1000.0, **options) == some
    assert source.depth(spec, frequency=90000.0, **options) is None
