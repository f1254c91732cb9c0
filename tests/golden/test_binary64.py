# SPDX-License-Identifier: BSD-2-Clause
"""What the host's floats and tables decide is what the integers define."""

import copy
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.speed import paths
from macaw.golden import format, unit
from macaw.golden.arithmetic import codec
from macaw.golden.arithmetic.binary64 import sums
from macaw.golden.arithmetic.binary64.rounding import gradual
from macaw.golden.errors import CodeError
from macaw.golden.tables import Shelf
from macaw.golden.units import dots, elementwise
from macaw.golden.units.specification import Unit, plan
from macaw.sim.proof.outsiders.scalars import stimulus

COUNTS = {
    "tables": 1 << 16,
    **dict.fromkeys(("encode by tables", "encode fp32 by tables"), 1 << 16),
    "matmul exact": 300,
    "matmul sequential": 300,
}
"""Results of a case: of tables so many that they are looked up, of sums few."""


@pytest.mark.parametrize("name", paths.PATHS)
def test_no_result_differs(name: str) -> None:
    cases = list(paths.differences(name, COUNTS.get(name, 2000)))
    assert cases
    assert [case for case in cases if case[2]] == []


@pytest.mark.parametrize("fmt", ["fp32", "fp16", "bf16", "e4m3"])
@pytest.mark.parametrize("kind", ["mul", "add", "fma", "cast"])
def test_numbers_take_the_fast_path(kind: str, fmt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = unit(kind, a=fmt, **({} if kind in ("mul", "add") else {"out": fmt}))
    codes = format(fmt).encode(np.linspace(-3.0, 3.0, 100))
    operands = dict.fromkeys(spec.ports.inputs, codes)
    want = spec.evaluate(**operands)["r"]

    def forbidden(*arguments: object) -> None:
        raise AssertionError("by integers")

    monkeypatch.setattr(elementwise._Elementwise, "_by_integers", forbidden)
    np.testing.assert_array_equal(spec.evaluate(**operands)["r"], want)


@pytest.mark.parametrize("fmt", ["fp16", "bf16", "e4m3"])
@pytest.mark.parametrize(
    "profile", ["exact", "sequential", "chunk(2,fp16)", "aligned(24)", "tensor-core(ada)"]
)
def test_sums_of_numbers_take_the_fast_path(
    profile: str, fmt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = "fp16" if profile.startswith("tensor") and fmt != "bf16" else "fp32"
    spec = unit("dot", a=fmt, out=out, lanes=16, accumulation=profile)
    rng = np.random.default_rng(1)
    codes = {name: format(fmt).encode(rng.uniform(1.0, 2.0, (50, 16))) for name in "ab"}
    codes["c"] = format(out).encode(rng.uniform(1.0, 2.0, 50))
    want = spec._by_integers(dict(codes))["r"]
    monkeypatch.setattr(dots.Dot, "_by_integers", None)
    np.testing.assert_array_equal(spec.evaluate(**codes)["r"], want)


@pytest.mark.parametrize("acc", ["exact", "fp32"])
def test_streams_of_numbers_take_the_fast_path(acc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = unit("mac", a="e4m3", out="fp32", acc=acc, lanes=2)
    codes = format("e4m3").encode(np.linspace(1.0, 3.0, 200).reshape(100, 2))
    last = (np.arange(100) % 7 == 6).astype(np.uint8)
    with monkeypatch.context() as patched:
        patched.setattr(dots.Mac, "_host", lambda *_: None)
        want = spec.evaluate(a=codes, b=codes, last=last)["r"]
    monkeypatch.setattr(dots, "accumulate_exact", None)
    monkeypatch.setattr(dots.Mac, "_step", None)
    np.testing.assert_array_equal(spec.evaluate(a=codes, b=codes, last=last)["r"], want)


def test_a_host_without_subnormals_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gradual()
    spec = unit("add", a="fp32")
    codes = np.array([1, 2, 0x80000001], np.uint32)
    for module in (elementwise, codec, plan):
        monkeypatch.setattr(module, "gradual", lambda: False)
    monkeypatch.setattr(elementwise, "values_of", None)
    for module in (elementwise, plan):
        monkeypatch.setattr(module, "in_pieces", None)
    assert spec.evaluate(a=codes, b=codes)["r"].tolist() == [2, 4, 0x80000002]
    assert format("fp32").encode(2.0**-149) == 1


def test_sums_to_odd() -> None:
    """In units of the last place of 1 + 2**-52: cut off, and odd if anything was."""
    one, ulp = 1.0, 2.0**-52
    cases = [  # the addend, and what the sum is above 1, in last places
        (ulp, 1),
        (ulp / 4, 1),
        (2 * ulp, 2),
        (2 * ulp + ulp / 4, 3),
        (3 * ulp - ulp / 4, 3),
        (-ulp / 8, -0.5),
    ]
    for addend, places in cases:
        addends = np.array([addend])
        for sign in (1.0, -1.0):
            total = sums.add(np.array([sign * one]), sign * addends)
            assert total[0] == sign * (one + places * ulp)
    with np.errstate(invalid="ignore"):
        assert np.isnan(sums.add(np.array([np.inf]), np.array([-np.inf])))[0]
        assert sums.add(np.array([np.inf]), np.array([1.0]))[0] == np.inf


@pytest.mark.parametrize("shapes", [((), (3,)), ((2, 1), (1, 3)), ((4,), (4,))])
def test_shapes(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    spec = unit("mul", a="fp16")
    a, b = (np.full(shape, 0x3C00, np.uint16) for shape in shapes)
    assert spec.evaluate(a=a, b=b)["r"].shape == np.broadcast_shapes(*shapes)
    assert (spec.evaluate(a=a, b=b)["r"] == 0x3C00).all()


def test_tables_are_of_every_result() -> None:
    """Flags, a direction as operand, and what is more than a table's operands are worth."""
    spec = unit("add", a="e3m2", rounding="dynamic", flags=True)
    index = np.arange(1 << 15)
    codes = {"a": index & 63, "b": index >> 6 & 63, "rm": index >> 12}
    whole = spec.evaluate(**codes)
    few = spec.evaluate(**{name: array[:100] for name, array in codes.items()})
    want = Unit._compute(spec, {name: array.astype(np.uint8) for name, array in codes.items()})
    for name, array in whole.items():
        assert array.dtype == want[name].dtype
        np.testing.assert_array_equal(array, want[name])
        np.testing.assert_array_equal(few[name], want[name][:100])


@pytest.mark.parametrize("name", ["fp32", "tf32", "fp16", "bf16", "e5m2"])
def test_many_values_have_the_bits_of_few(name: str) -> None:
    """Those of every NaN, whatever its sign and fraction, among them."""
    fmt = format(name)
    top = np.arange(1 << min(fmt.width, 16)).astype(fmt.code_dtype) << max(fmt.width - 16, 0)
    codes = np.resize(top, 1 << 17)
    few = np.concatenate([fmt.decode(piece) for piece in np.split(codes, 1 << 6)])
    np.testing.assert_array_equal(fmt.decode(codes).view(np.uint64), few.view(np.uint64))


def test_tables_are_as_many_as_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is dropped, and its owner computes again until another is paid for."""
    monkeypatch.setattr(plan, "_TABLES", Shelf(2))
    index = np.arange(1 << 8, dtype=np.uint16)
    operands = {"a": (index & 15).astype(np.uint8), "b": (index >> 4).astype(np.uint8)}
    specs = [unit("mul", a="e2m1", out=out) for out in ("e2m1", "e4m3", "fp16")]
    want = [Unit._compute(spec, dict(operands))["r"] for spec in specs]
    for _ in range(2):
        for spec, codes in zip(specs, want, strict=True):
            np.testing.assert_array_equal(spec.evaluate(**operands)["r"], codes)
    kept = [spec for spec in specs if spec.plan.tables(0) is not None]
    assert kept == specs[1:]


PLAIN = [
    unit("mul", a="fp16"),
    unit("add", a="bf16", subtract=True),
    unit("mul", a="e4m3"),
    unit("mul", a="e2m1", b="e3m2"),
    unit("fma", a="e4m3", out="fp16"),
    unit("add", a="fp32", rounding="dynamic", flags=True),
    unit("dot", a="fp16", out="fp32", lanes=3),
    unit("relu", a="bf16"),
]


@pytest.mark.parametrize("tabled", [False, True])
@pytest.mark.parametrize("spec", PLAIN, ids=lambda spec: spec.name)
def test_plain_arrays_have_the_results_of_others(spec: Unit, tabled: bool) -> None:
    """Arrays of code dtypes and one shape skip checks; lists of the same codes do not."""
    spec = replace(spec)
    if tabled and spec.plan.bits:
        assert spec.plan.tables(1 << spec.plan.bits) is not None
    for shape in ((), (1,), (7,), (2, 5), (3, 1, 4), (9000,)):
        codes = stimulus(spec, math.prod(shape), np.random.default_rng(1))
        tails = {name: port.tail for name, port in spec.ports.inputs.items()}
        plain = {name: array.reshape(shape + tails[name]) for name, array in codes.items()}
        before = {name: array.copy() for name, array in plain.items()}
        spread = {
            name: np.repeat(array, 2, -1)[..., ::2] if shape else array
            for name, array in plain.items()
        }
        turned = {name: np.asfortranarray(array) for name, array in plain.items()}
        want = spec.evaluate(**{name: array.tolist() for name, array in plain.items()})
        for given in (plain, spread, turned):
            for name, array in spec.evaluate(**given).items():
                assert type(array) is np.ndarray
                assert array.dtype == want[name].dtype
                assert not any(np.shares_memory(array, each) for each in given.values())
                np.testing.assert_array_equal(array, want[name])
        for name, array in plain.items():
            np.testing.assert_array_equal(array, before[name])


def test_plain_arrays_are_checked() -> None:
    spec = unit("mul", a="e2m1", b="e3m2")
    spec.evaluate(a=np.zeros(1 << 12, np.uint8), b=np.zeros(1 << 12, np.uint8))
    good, wrong = np.zeros(3, np.uint8), np.array([0, 64, 0], np.uint8)
    with pytest.raises(CodeError, match="b: code 64 is out of range for e3m2, 6 bits"):
        spec.evaluate(a=good, b=wrong)
    with pytest.raises(CodeError, match="operand b is missing"):
        spec.evaluate(a=good)
    with pytest.raises(CodeError, match="no operand c"):
        spec.evaluate(a=good, b=good, c=good)
    with pytest.raises(CodeError, match="empty array"):
        spec.evaluate(a=good[:0], b=good[:0])
    with pytest.raises(CodeError, match="shapes do not broadcast"):
        spec.evaluate(a=good, b=good[:2])
    assert spec.evaluate(a=good, b=good[:1])["r"].shape == (3,)


def test_what_is_remembered_is_no_part_of_a_value() -> None:
    fmt, spec = format("e5m10"), unit("mul", a="fp16")
    spec.evaluate(a=fmt.encode(np.ones(3)), b=fmt.encode(np.ones(3)))
    assert fmt.decode(fmt.encode(np.ones(3))).tolist() == [1, 1, 1]
    for value in (fmt, spec):
        for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert other == value
            assert hash(other) == hash(value)
            assert repr(other) == repr(value)
    assert pickle.loads(pickle.dumps(spec)).evaluate(a=[0x3C00], b=[0x4000])["r"].tolist() == [
        0x4000
    ]
