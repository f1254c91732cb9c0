# SPDX-License-Identifier: BSD-2-Clause
"""Pauses of source and sink: what counts as which, and that runs have all of them."""

import pytest

from macaw.golden.units import unit
from macaw.sim import verify
from macaw.sim.bench.pauses import EVENTS, Watch


def pauses(spec, **options):
    """Bins of pauses of a run: hits, and reasons."""
    report = verify(spec, seed=1, coverage=True, **options)
    assert report.passed
    return {c.name.partition("/")[2]: c for c in report.coverage.counts if c.group == "pauses"}


def watched(latency, source="", sink=""):
    """Events of a run in which source and sink do at each clock what a letter says.

    Source: ``.`` a gap, ``o`` an operand that moves on, ``O`` one that also ends a sequence, ``h``
    and ``H`` the same that are held. Sink: ``.`` there is no result, ``w`` one waits, ``W`` one
    waits beside a gap, ``t`` one is taken.
    """
    watch = Watch(latency)
    moved, count = 0, sum(letter in "oO" for letter in source)
    for letter in source:
        offered, taken, last = letter != ".", letter in "oO", letter in "OH"
        first, final = moved == 0, moved == count - 1
        watch.source(offered=offered, taken=taken, first=first, final=final, last=last)
        moved += taken
    given, count = 0, sink.count("t")
    for letter in sink:
        valid, ready, gap = letter != ".", letter == "t", letter == "W"
        watch.sink(valid=valid, ready=ready, first=given == 0, final=given == count - 1, gap=gap)
        given += ready
    return dict(watch.counts)


@pytest.mark.parametrize(
    ("source", "sink", "wanted"),
    [
        ("OOO", "ttt", {}),
        (".OOO", "", {"gap": 1, "gap, first": 1}),
        ("O..O.O", "", {"gap": 2, "gap, last": 1}),
        ("O...O.O", "", {"gap": 2, "long gap": 1, "gap, last": 1}),
        ("o.o.OO", "", {"gap": 2, "gap, inside": 2, "gap, end": 1}),
        ("OhoHHOO", "", {"held": 3, "held, end": 2}),
        ("OHO.hO", "", {"held": 2, "gap": 1, "gap, last": 1}),
        ("", ".wt.t.wwwtt", {"wait": 2, "wait, first": 1, "long wait": 1}),
        ("", "tWwt", {"wait": 1, "wait, last": 1, "both": 1}),
    ],
)
def test_events_of_pauses(source, sink, wanted):
    assert watched(2, source, sink) == wanted


SUMS = unit("mac", a="e4m3", out="fp16", lanes=1, terms=32)


@pytest.mark.parametrize("simulator", ["bulk", "icarus"])
@pytest.mark.parametrize("options", [{"stages": 3}, {"stages": 2, "ready": "registered"}])
def test_every_pause_that_matters_comes(simulator, options):
    found = pauses(SUMS, simulator=simulator, vectors=1_000, flow="stream", **options)
    assert list(found) == [each.name for each in EVENTS]
    assert [name for name, count in found.items() if not count.hits] == []


def test_pauses_outlast_a_long_pipeline():
    found = pauses(unit("mul", a="fp16"), simulator="bulk", vectors=4_000, stages=24, flow="stream")
    assert [name for name, count in found.items() if not count.hits] == []
    assert "gap, inside" not in found


def test_pauses_that_a_run_or_a_flow_has_not():
    spec = unit("mul", a="e4m3")
    given = {"simulator": "bulk", "vectors": 2_000}
    assert pauses(spec, **given) == {}
    assert list(pauses(spec, stages=1, flow="valid", **given)) == [
        "gap",
        "long gap",
        "gap, first",
        "gap, last",
    ]
    found = pauses(spec, stages=0, flow="stream", **given)
    assert [name for name, count in found.items() if not count.hits] == ["both"]
    assert found["both"].reason
    found = pauses(spec, stages=1, flow="stream", stalls=False, **given)
    assert {(c.hits, c.reason) for c in found.values()} == {(0, "a run without pauses")}
