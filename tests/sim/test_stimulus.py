# SPDX-License-Identifier: BSD-2-Clause
"""Stimulus: it reaches the corners, follows from its seed, and is fast enough for the bulk."""

import itertools
import time

import numpy as np
import pytest

from macaw.golden.errors import SpecError
from macaw.golden.formats import FORMATS, Float
from macaw.golden.formats import format as fmt
from macaw.golden.units import unit
from macaw.sim.proof.mutants.spelling import read
from macaw.sim.stimulus import corners, exhaustive, stimulus
from macaw.sim.stimulus.corners import ends
from macaw.sim.stimulus.coverage.values import classes
from macaw.sim.stimulus.ends import factored
from macaw.sim.stimulus.kinds import Draw

UNITS = {
    "mul": unit("mul", a="e4m3"),
    "add": unit("add", a="fp16"),
    "fma": unit("fma", a="fp32", out="fp32"),
    "fma mixed": unit("fma", a="int4", b="fp16", c="bf16", out="fp32"),
    "cast": unit("cast", a="fp32", out="e4m3", rounding="sr"),
    "cast wide": unit("cast", a="fx64.32", out="fp32"),
    "dynamic": unit("mul", a="bf16", rounding="dynamic", flags=True),
    "dot": unit("dot", a="int4", b="fp16", out="fp16", lanes=8),
    "mac": unit("mac", a="e4m3", out="fp32", terms=24),
    "mac lanes": unit("mac", a="e5m2", out="fp32", lanes=4, terms=64),
    "unsigned": unit("add", a="ue5m3"),
    "scale": unit("mul", a="e8m0", b="e2m1", out="bf16"),
}


def everything(spec, **options):
    chunks = list(stimulus(spec, **options))
    return {name: np.concatenate([c[name] for c in chunks]) for name in chunks[0]}


@pytest.mark.parametrize("name", FORMATS)
def test_corners_are_codes_and_have_the_specials(name):
    form = FORMATS[name]
    codes = set(corners(form).tolist())
    assert max(codes) < 1 << form.width
    assert 0 in codes
    if isinstance(form, Float):
        assert form.max_code in codes
        assert form.min_code in codes
        assert not form.has_nan or form.nan_code in codes
        assert not form.has_inf or form.inf_code in codes
        if form.has_inf:
            assert form.max_code + 2 in codes or form.mantissa == 1, "a signalling NaN"
    else:
        assert {form.max_integer, form.min_integer % (1 << form.width)} <= codes


@pytest.mark.parametrize("name", UNITS)
def test_codes_are_what_evaluate_takes(name):
    spec = UNITS[name]
    codes = everything(spec, vectors=20_000, seed=7)
    for port, operand in spec.ports.inputs.items():
        lanes = () if operand.lanes is None else (operand.lanes,)
        assert codes[port].shape == (20_000, *lanes)
        assert codes[port].dtype == operand.format.code_dtype
    spec.evaluate(**codes)


@pytest.mark.parametrize("name", UNITS)
def test_same_seed_same_vectors_and_other_seed_others(name):
    first, again, other = (everything(UNITS[name], vectors=3000, seed=s) for s in (1, 1, 2))
    for port in first:
        np.testing.assert_array_equal(first[port], again[port])
    assert any((first[port] != other[port]).any() for port in first)


def test_a_shorter_run_is_the_start_of_a_longer_one():
    spec = UNITS["fma"]
    long, short = (everything(spec, vectors=n, seed=3) for n in (600_000, 400_000))
    for port in long:
        np.testing.assert_array_equal(long[port][:400_000], short[port])


def test_exhaustive_has_each_combination_once():
    spec = unit("fma", a="e2m1", c="e3m2", out="e3m2")
    parts = list(exhaustive(spec, chunk=1000))
    joined = {n: np.concatenate([p[n] for p in parts]).astype(int) for n in "abc"}
    numbers = joined["a"] | joined["b"] << 4 | joined["c"] << 8
    assert sorted(numbers) == list(range(1 << 14))


def test_exhaustive_says_when_it_is_too_much():
    with pytest.raises(SpecError, match=r"2\*\*96"):
        next(exhaustive(UNITS["fma"]))
    with pytest.raises(SpecError, match="has state"):
        next(exhaustive(UNITS["mac"]))


def test_corners_are_all_crossed_where_few_enough():
    spec = unit("add", a="fp16")
    codes = everything(spec, vectors=20_000, seed=1)
    table = corners(fmt("fp16"))
    pairs = set(zip(codes["a"].tolist(), codes["b"].tolist(), strict=True))
    assert all((x, y) in pairs for x in table.tolist() for y in table.tolist())


def test_random_vectors_reach_cancellation_ties_and_both_ends_of_the_range():
    spec = unit("fma", a="fp16", out="fp16", flags=True)
    codes = everything(spec, vectors=400_000, seed=11)
    results = spec.evaluate(**codes)
    values = {n: fmt("fp16").decode(codes[n]) for n in "abc"}
    with np.errstate(all="ignore"):
        # products have 22 bits: exact but for an addend far away
        exact = values["a"] * values["b"] + values["c"]
        r = fmt("fp16").decode(results["r"])
        finite = np.isfinite(exact) & np.isfinite(r)
        share = {
            "zero by cancellation": (exact == 0) & (values["c"] != 0) & np.isfinite(values["c"]),
            "subnormal": finite & (np.abs(r) < 2.0**-14) & (r != 0),
            "overflow": (results["flags"] & 4) != 0,
            "underflow": (results["flags"] & 2) != 0,
            "invalid": (results["flags"] & 8) != 0,
            "exact": finite & (r == exact) & (r != 0),
            "tie": finite & (np.abs(exact - r) * 2 == np.spacing(np.abs(r).astype(np.float16))),
        }
    rare = {name: mask.mean() for name, mask in share.items() if mask.mean() < 0.002}
    assert not rare


def test_sequences_have_length_one_and_keep_to_the_unit_s_terms():
    spec = UNITS["mac lanes"]
    last = everything(spec, vectors=200_000, seed=5)["last"]
    stops = np.flatnonzero(last)
    lengths = np.diff(stops, prepend=-1)
    assert lengths.min() == 1
    assert lengths.max() == 64 // 4
    assert last[-1] == 1


@pytest.mark.parametrize(
    ("text", "largest"),
    [
        ({"kind": "mac", "a": "e4m3", "out": "fp32", "terms": 60, "lanes": 3}, {0x7E, 0xFE}),
        ({"kind": "int-mac", "a": "int4", "b": "int8", "terms": 9, "lanes": 2}, {0x8, 0x7}),
        ({"kind": "mac", "a": "posit8", "out": "fp32", "terms": 5}, {0x7F, 0x81}),
    ],
)
def test_some_sequences_are_full_of_the_largest_factors(text, largest):
    """An accumulator that is a bit too narrow is seen by nothing less."""
    spec = unit(**text)
    codes = next(stimulus(spec, vectors=4_000, seed=5, chunk=4_000))
    stops = np.flatnonzero(codes["last"]) + 1
    length, found = spec.terms // spec.lanes, set()
    for start, stop in itertools.pairwise([0, *stops]):
        assert stop - start <= length
        part = codes["a"][start:stop]
        if stop - start == length and part.min() == part.max():
            found.add(int(part.min()))
    assert largest <= found


@pytest.mark.parametrize(("a", "b"), [("fx6.3", "fx5.2"), ("e3m2", "int5"), ("ufx4.1", "e4m3")])
def test_factors_of_a_product_are_all_there_are(a, b):
    x, y = fmt(a), fmt(b)
    first, second = (np.arange(1 << form.width, dtype=form.code_dtype) for form in (x, y))
    values = np.multiply.outer(np.asarray(x.decode(first)), np.asarray(y.decode(second)))
    for product in (3.0, -7.5, 0.125, 15.0, 15.5):
        found = set(map(tuple, factored(x, y, product).tolist()))
        # A zero is no factor; of two codes of a number the one that encode gives is one.
        every = set(map(tuple, np.argwhere(values == product).tolist()))
        assert found <= every
        numbers = {(float(x.decode(i)), float(y.decode(j))) for i, j in every}
        assert {(float(x.decode(i)), float(y.decode(j))) for i, j in found} == numbers


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        (unit("mac", a="e4m3", out="fp16", lanes=2), "fp16"),
        (unit("mac", a="e4m3", out="fp32", acc="bf16", lanes=2), "bf16"),
        (unit("block-mac", a="e2m1-k4-ue4m3", out="fp32", acc="fp16", lanes=4), "fp16"),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_some_sequences_add_up_to_a_tie(spec, kept):
    form, ties, sums = fmt(kept), 0, 0
    codes = everything(spec, vectors=4_000, seed=5)
    total = 0.0
    with np.errstate(all="ignore"):
        numbers = {n: spec.ports.inputs[n].format.decode(codes[n]) for n in spec.multiplied}
        products = numbers["a"] * numbers["b"]
        beats = products.sum(1)
        for name in spec.multiplied[2:]:
            beats = beats * numbers[name].reshape(len(beats), -1)[:, 0]
    for beat, last in zip(beats.tolist(), codes["last"].tolist(), strict=True):
        total += beat
        if last:
            low, high = (float(form.decode(form.encode(total, rounding=r))) for r in ("rdn", "rup"))
            ties += low < total < high and total - low == high - total
            sums += 1
            total = 0.0
    assert ties > sums / 50


def test_sums_are_kept_in_formats_of_one_digit():
    spec = unit("mac", a="e4m3", out="e3m0fn", lanes=3, terms=64)
    drawn = everything(spec, vectors=4_000, seed=1)
    for name in "ab":
        assert int(drawn[name].max()) < 1 << 8
        assert len(np.unique(drawn[name])) > 200


@pytest.mark.parametrize("text", ["fma a=fp16 out=fp16", "block-dot a=mxfp8-e5m2 out=fp32 size=2"])
def test_few_vectors_have_each_class_of_an_operand_with_each_of_another(text):
    """An fpu of twenty operations has not many for each of them."""
    spec, _ = read(text)
    numbers = dict(spec.ports.inputs)
    codes = Draw(spec)._crossed(np.random.default_rng(3), 60)
    seen = {name: classes(codes[name], port.format) for name, port in numbers.items()}
    seen = {name: found.reshape(60, -1) for name, found in seen.items()}
    for a, b in itertools.combinations(seen, 2):
        wanted = [
            np.unique(classes(np.arange(1 << f.width, dtype=f.code_dtype), f))
            for f in (numbers[a].format, numbers[b].format)
            if f.width <= 16
        ]
        for pair in itertools.product(*wanted) if len(wanted) == 2 else ():
            here = (seen[a] == pair[0]).any(1) & (seen[b] == pair[1]).any(1)
            assert here.any(), (a, b, pair)


@pytest.mark.parametrize(
    "text",
    ["mul a=nf4 out=fp64", "mul a=e11m4 out=int8", "mac a=fp32 out=e11m4", "dot a=e11m4 out=e11m4"],
)
def test_numbers_at_the_ends_of_float64(text):
    """Nothing that is drawn on the way is beyond them: warnings are errors here."""
    spec, _ = read(text)
    drawn = everything(spec, vectors=3000, seed=1)
    for name, operand in spec.ports.inputs.items():
        assert drawn[name].dtype == operand.format.code_dtype
        assert len(np.unique(drawn[name])) > min(1 << operand.format.width, 1000) / 2


@pytest.mark.parametrize("weights", ["b=power2 parts=3", "b=uint8 parts=2"])
def test_weights_in_parts_have_all_their_lanes(weights):
    spec, _ = read(f"int-mac a=int2 {weights} acc=int16 lanes=4 bias=false")
    for codes in stimulus(spec, vectors=1000, seed=1):
        for name, operand in spec.ports.inputs.items():
            assert codes[name].shape[1:] == (() if operand.lanes is None else (operand.lanes,))


@pytest.mark.parametrize("name", ["fp64", "e11m4", "fx64.32", "posit32", "nf4", "uint8"])
def test_codes_of_the_least_and_the_largest_number(name):
    form = fmt(name)
    found = ends(form)
    assert found.dtype == form.code_dtype
    table = corners(form)
    table = table[np.isfinite(form.decode(table).astype(np.float64))]
    numbers = form.decode(table)
    wanted = {int(table[np.argmin(numbers)]), int(table[np.argmax(numbers)])}
    assert set(found.tolist()) == wanted


def test_the_largest_numbers_of_64_bits_are_drawn_as_they_are():
    spec = unit("dot", a="fp64", out="fp64")
    drawn = everything(spec, vectors=3000, seed=1)
    form = spec.ports.inputs["a"].format
    for code in ends(form):
        assert (drawn["a"] == code).all(1).any()


@pytest.mark.parametrize("subtract", [False, True])
def test_what_is_subtracted_cancels_too(subtract):
    spec = unit("add", a="fp32", subtract=subtract)
    codes = Draw(spec)._cancelling(np.random.default_rng(1), 1000)
    a, b = (FORMATS["fp32"].decode(codes[name]) for name in "ab")
    with np.errstate(all="ignore"):
        left = np.abs(a - b if subtract else a + b)
    near = np.isfinite(a) & (left < np.abs(a) / 4)
    assert near.sum() > 250


def test_speed():
    spec = unit("fma", a="e4m3", c="fp16", out="fp16")
    for _ in stimulus(spec, vectors=1 << 17, seed=1):
        pass
    start = time.thread_time()
    for _ in stimulus(spec, vectors=1 << 20, seed=2):
        pass
    # five million a second on an idle machine: benchmarks/speed/bulk.py; here only not hopeless
    assert (1 << 20) / (time.thread_time() - start) > 1e6
