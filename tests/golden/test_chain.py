# SPDX-License-Identifier: BSD-2-Clause
"""Units in a row: their text, their ports, their memory, and that they are their stages."""

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, unit
from macaw.golden.units.chain import pipeline, split

INTEGER = "mac(a=int8, out=int32, lanes=2, acc=int32) | add(b=int32) | cast(out=int8)"


def test_is_its_stages():
    spec = unit("pipeline", stages=INTEGER)
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 256, (2, 60, 2), np.uint8)
    bias = rng.integers(0, 200, 60, np.uint32)
    last = (np.arange(60) % 7 == 6).astype(np.uint8)
    total = unit("mac", a="int8", out="int32", lanes=2, acc="int32").evaluate(a=a, b=b, last=last)
    added = unit("add", a="int32").evaluate(a=total["r"], b=bias[last == 1])
    want = unit("cast", a="int32", out="int8").evaluate(a=added["r"])["r"]
    got = spec.evaluate(a=a, b=b, last=last, add_b=bias)["r"]
    assert got.tolist() == want.tolist()
    assert got.size == 8


def test_keeps_the_shape():
    spec = unit("pipeline", stages="mul(a=e4m3) | cast(out=fp16)")
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    got = spec.evaluate(a=codes, b=np.uint8(0x38))["r"]
    assert got.shape == (3, 4)
    assert got.tolist() == unit("cast", a="e4m3", out="fp16").evaluate(a=codes)["r"].tolist()


def test_text_reads_back():
    spec = unit("pipeline", stages=INTEGER, channels=4, stored="add_b")
    assert unit("pipeline", **spec.parameters) == spec
    assert spec == pipeline(*spec.chain, channels=4, stored="add_b")
    assert spec.parameters == {
        "stages": "mac(a=int8, out=int32, lanes=2, acc=int32) | add(a=int32)"
        " | cast(a=int32, out=int8)",
        "channels": 4,
        "stored": "add_b",
    }
    assert list(spec.ports.inputs) == ["a", "b", "last", "add_b", "channel", "write"]
    assert spec.macs == 2
    assert spec.accumulates


def test_names_are_short_and_differ():
    short = unit("pipeline", stages="mul(a=e4m3) | cast(out=fp16)")
    assert short.name == "pipeline_mul_e4m3_cast_e4m3_fp16"
    names = set()
    for last in ("int4", "int8", "int16"):
        stages = f"{INTEGER} | add() | add() | add() | add() | add() | cast(out={last})"
        name = unit("pipeline", stages=stages).name
        assert name.startswith("pipeline_mac_add_cast_add_add")
        assert name.isidentifier()
        assert len(name) < 100
        names.add(name)
    assert len(names) == 3


def test_same_kinds_are_numbered():
    spec = unit("pipeline", stages="add(a=int8) | add() | add()")
    assert list(spec.ports.inputs) == ["a", "b", "add2_b", "add3_b"]


def test_brackets_in_parameters():
    text = "dot(a=e5m2, out=fp16, accumulation=aligned(25,2)) | cast(out=bf16)"
    first, _ = unit("pipeline", stages=text).chain
    assert first.parameters["accumulation"] == "aligned(25,2)"
    assert split("a(b|c)|d", "|") == ["a(b|c)", "d"]
    assert split("  ", "|") == []


def test_memory_follows_the_beats():
    """A write counts for its own beat and for later ones, of its channel."""
    spec = unit("pipeline", stages="add(a=int8) | add()", channels=3, stored="add2_b")
    got = spec.evaluate(
        a=np.zeros(6, np.uint8),
        b=np.zeros(6, np.uint8),
        add2_b=np.array([5, 6, 7, 8, 9, 10], np.uint8),
        channel=np.array([0, 1, 0, 1, 1, 0], np.uint8),
        write=np.array([1, 1, 0, 1, 0, 0], np.uint8),
    )["r"]
    assert got.tolist() == [5, 6, 5, 8, 8, 5]


def test_memory_of_an_accumulation():
    """The channel is that of the beat with ``last``; writes may come in any beat."""
    spec = unit("pipeline", stages=INTEGER, channels=2, stored="add_b")
    ones = np.ones((4, 2), np.uint8)
    got = spec.evaluate(
        a=ones,
        b=ones,
        last=np.array([0, 1, 0, 1], np.uint8),
        add_b=np.array([10, 20, 30, 40], np.uint32),
        channel=np.array([0, 1, 1, 0], np.uint8),
        write=np.array([1, 1, 0, 0], np.uint8),
    )["r"]
    assert got.tolist() == [4 + 20, 4 + 10]


def test_unwritten_channel():
    spec = unit("pipeline", stages="add(a=int8) | add()", channels=3, stored="add2_b")
    zeros = np.zeros(2, np.uint8)
    for channel, write, message in (
        ([0, 1], [1, 0], "channel 1|channel: 1 is used in beat 1"),
        ([1, 0], [0, 1], "channel: 1 is used in beat 0"),
        ([3, 0], [1, 1], "channel: 3 is out of range"),
    ):
        with pytest.raises(CodeError, match=message):
            spec.evaluate(
                a=zeros,
                b=zeros,
                add2_b=zeros,
                channel=np.array(channel, np.uint8),
                write=np.array(write, np.uint8),
            )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "stages is missing"),
        ({"stages": ""}, "one at least"),
        ({"stages": "add(a=int8) | frob()"}, "unknown unit 'frob'"),
        ({"stages": "add(a=int8) | cast"}, "out is missing"),
        ({"stages": "add(a=int8"}, "must be kind"),
        ({"stages": "add(int8)"}, "not name=value"),
        ({"stages": "add(a=int8) | cast(a=fp16, out=fp32)"}, "a is fp16, and the add .* int8"),
        ({"stages": "add(a=int8) | mac(a=int8, out=int32)"}, "mac: only the first stage"),
        ({"stages": "add(a=int8) | dot(a=int8, out=int8)"}, "a is 4 lanes of int8"),
        ({"stages": "pipeline(stages=add)"}, "cannot be a pipeline"),
        ({"stages": "add(a=int8) | add()", "channels": 4}, "a memory needs both"),
        ({"stages": "add(a=int8) | add()", "stored": "add2_b"}, "a memory needs both"),
        ({"stages": "add(a=int8) | add()", "stored": "b", "channels": 1}, "stored=b: must be"),
        ({"stages": "add(a=int8) | add()", "stored": "add2_b", "channels": -1}, "channels=-1"),
        ({"stages": "add(a=int8)", "rounding": "rtz"}, "rounding"),
    ],
)
def test_bad_parameters(parameters: dict, message: str):
    with pytest.raises(SpecError, match=message):
        unit("pipeline", **parameters)
