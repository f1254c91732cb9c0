# SPDX-License-Identifier: BSD-2-Clause
"""What the default stimulus hits of listed units, and that what says why it cannot be is right."""

import itertools
import json

import numpy as np
import pytest

from macaw.golden.units import unit
from macaw.sim.proof import covered
from macaw.sim.proof.mutants.spelling import read
from macaw.sim.stimulus import exhaustive, stimulus
from macaw.sim.stimulus.coverage import Tally, coverage
from macaw.sim.stimulus.coverage.products import below_a_power, beyond_largest, no_product
from macaw.sim.verify import default_vectors
from macaw.tools import command


@pytest.mark.parametrize(
    "text",
    [
        "mac a=uint4 out=uint16",
        "mac a=uint4 out=uint16 acc=uint16 lanes=4",
        "mac a=int4 out=int16 acc=int16 lanes=2",
        "mac a=int8 out=int16 acc=int16 overflow=wrap",
        "mac a=int8 out=int32 acc=int32 lanes=4",
        "mul a=binary b=e2m1 out=binary",
        "mul a=tf32 out=fp32",
        "mul a=fp32 b=e2m1",
        "mul a=e5m2 rounding=sr",
        "fma a=fp16 out=fp16 rounding=rod",
        "cast a=fp32 out=e4m3 rounding=rtz",
        "requantize profile=hawq multiplier=1518500249 shift=-7",
        "requantize profile=tflite_double multiplier=1518500249 shift=-7",
        "requantize profile=tflite_double shift=3",
        "mul a=tf32 b=e2m1",
        "mul a=int16 out=fp32",
        "mul a=int4 b=fp16 out=fp16",
        "add a=fp32 subtract=true",
        "cast a=fp32 out=dlfloat16 rounding=sr overflow=saturate",
        "div a=bf16 b=fp32 out=fp16 rounding=dynamic flags=true",
        "div a=fp32 b=fp16 out=bf16",
        "sqrt a=fp32 out=e2m1",
        "sqrt a=bf16 out=e4m3",
        "dot a=int4 b=fp16 out=fp16 lanes=8",
        "dot a=e2m1 out=fp16",
        "block-dot a=flex16+5 out=fp32 size=32",
        "block-dot a=mxint8 out=fp32",
        "mac a=e5m2 out=e5m2 acc=e5m2 overflow=saturate",
        "mac a=e4m3 out=fp32 acc=fp32",
        "mac a=e4m3 out=e4m3 acc=e4m3",
        "mac a=e2m1 out=fp16 acc=exact lanes=8",
        "mac a=e2m1 out=fp16 acc=fp16 lanes=2 rounding=rdn",
        "flex-mac a=flex8+5",
        "flex-mac a=flex16+5 lanes=8 terms=65536",
        "fpu a=e5m2",
        "fpu a=fp16",
    ],
)
def test_the_default_run_hits_all_that_can_be(text: str):
    spec, _ = read(text)
    found = coverage(spec, stimulus(spec, vectors=default_vectors(spec, "icarus"), seed=1))
    assert found.counts
    assert not found.never, str(found)


@pytest.mark.parametrize(
    "text",
    [
        "mul a=e2m1 out=e2m2",
        "mul a=e3m2 b=e2m1 out=e3m2ieee",
        "mul a=e3m2 out=e3m3 rounding=rtz",
        "mul a=e3m2ieee out=e3m2ieee rounding=rod",
        "mul a=int5 b=uint4 out=e4m3",
        "add a=e3m2 out=e3m2ieee rounding=rtz",
        "cast a=e5m2 out=e3m4",
        "mul a=e4m3 b=e2m1 out=e4m3",
        "dot a=ternary b=e2m1 c=e3m2 out=e3m2 lanes=2",
        "dot a=int2 b=uint2 c=int6 out=e4m3 lanes=2",
    ],
)
def test_no_vector_hits_what_none_can(text: str):
    spec, _ = read(text)
    tally = Tally(spec)
    for codes in exhaustive(spec):
        tally.add(codes)
    hit = [b.name for b, n in zip(tally.bins, tally.hits, strict=True) if n and b.reason]
    assert not hit


def test_products_that_two_significands_have():
    for a, b, digits in itertools.product(("e2m1", "e3m3", "int4"), ("e2m2", "int3"), range(1, 7)):
        spec = unit("mul", a=a, b=b, out=f"e5m{digits}ieee")
        values = [np.asarray(f.decode(np.arange(1 << f.width))) for f in (spec.a, spec.b)]
        exact = np.abs(np.outer(*values)).ravel()
        fraction = np.frexp(exact[exact > 0])[0] * 2.0 ** (digits + 1)  # in last places
        top = 2.0 ** (digits + 1)
        for span, there in (
            (lambda n, p=digits + 1: below_a_power(p, n), (fraction >= top - 0.5)),
            (
                lambda n, out=spec.out: beyond_largest(out, n, 0, 2),
                (fraction > top - 1) & (fraction < top),
            ),
        ):
            # Below the lowest binade digits are fewer, but these products are there, too.
            assert bool(no_product(spec, span)) == (not there.any())


def test_the_command_names_what_is_never_hit(capsys):
    arguments = ["--only", "mul/mul_e2m1"]
    assert command.run(covered.main, arguments) == command.PASSED
    assert "1 units, 0 with bins never hit" in capsys.readouterr().out
    assert command.run(covered.main, ["--only", "mul/mul_fp16", "--vectors", "3"]) == command.FAILED
    assert "mul/mul_fp16: operands/" in capsys.readouterr().out
    assert command.run(covered.main, ["--only", "mac/mac_*", "--json"]) == command.PASSED
    rows = json.loads(capsys.readouterr().out)
    assert {row["unit"]["unit"] for row in rows} == {"mac"}
    assert all(row["hit"] and not row["never"] for row in rows)


def test_a_pattern_without_a_unit_is_an_error(capsys):
    assert command.run(covered.main, ["--only", "nothing/x"]) == 2
    assert "--only nothing/x: no listed unit has such a name" in capsys.readouterr().err
