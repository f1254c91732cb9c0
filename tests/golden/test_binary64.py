# SPDX-License-Identifier: BSD-2-Clause
"""What the host's floats and tables decide is what the integers define."""

import numpy as np
import pytest

from benchmarks.speed import paths
from macaw.golden import format, unit
from macaw.golden.arithmetic import codec
from macaw.golden.arithmetic.binary64 import sums
from macaw.golden.arithmetic.binary64.rounding import gradual
from macaw.golden.units import elementwise
from macaw.golden.units.specification import Unit

COUNTS = {"tables": 1 << 16, "matmul exact": 300, "matmul sequential": 300}
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

    monkeypatch.setattr(Unit, "_compute", forbidden)
    np.testing.assert_array_equal(spec.evaluate(**operands)["r"], want)


def test_a_host_without_subnormals_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gradual()
    spec = unit("add", a="fp32")
    codes = np.array([1, 2, 0x80000001], np.uint32)
    for module in (elementwise, codec):
        monkeypatch.setattr(module, "gradual", lambda: False)
    monkeypatch.setattr(elementwise, "values_of", None)
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
