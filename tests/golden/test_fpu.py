# SPDX-License-Identifier: BSD-2-Clause
"""The floating-point unit: RISC-V's own cases, what an operation leaves 0, and what is refused."""

from typing import Any

import numpy as np
import pytest

from macaw.golden import SpecError, unit
from macaw.golden.units.fpu import OPERATIONS, Fpu
from macaw.sim.proof.outsiders import fpu as softfloat
from macaw.sim.proof.outsiders.units import listed

NAN, SNAN, INF, ONE, MINUS = 0x7FC00000, 0x7F800001, 0x7F800000, 0x3F800000, 0x80000000
TWO, TINY = 0x40000000, 1
INEXACT, UNDERFLOW, OVERFLOW, INVALID, POLE = 1, 2, 4, 8, 16


def fpu(**parameters: Any) -> Fpu:
    spec = unit("fpu", **{"a": "fp32"} | parameters)
    assert isinstance(spec, Fpu)
    return spec


def result(word: str, a: int = 0, b: int = 0, c: int = 0, x: int = 0, rm: int = 0) -> tuple:
    spec = fpu()
    found = spec.evaluate(op=spec.code(word), a=a, b=b, c=c, x=x, rm=rm)
    return tuple(int(found[name]) for name in ("r", "rx", "flags"))


@pytest.mark.parametrize(
    ("word", "operands", "want"),
    [
        ("add", {"a": ONE, "b": ONE}, (TWO, 0, 0)),
        ("sub", {"a": ONE, "b": ONE}, (0, 0, 0)),
        ("sub", {"a": ONE, "b": ONE, "rm": 2}, (MINUS, 0, 0)),
        ("sub", {"a": INF, "b": INF}, (NAN, 0, INVALID)),
        # A product of zeros has its own sign in every direction.
        ("mul", {"a": MINUS, "b": 0}, (MINUS, 0, 0)),
        ("mul", {"a": 0, "b": 0, "rm": 2}, (0, 0, 0)),
        ("mul", {"a": 0x7F7FFFFF, "b": TWO, "rm": 1}, (0x7F7FFFFF, 0, OVERFLOW | INEXACT)),
        ("mul", {"a": TINY, "b": TINY, "rm": 3}, (TINY, 0, INEXACT | UNDERFLOW)),
        ("madd", {"a": ONE, "b": ONE, "c": ONE}, (TWO, 0, 0)),
        ("msub", {"a": ONE, "b": ONE, "c": ONE}, (0, 0, 0)),
        ("nmsub", {"a": ONE, "b": ONE, "c": ONE}, (0, 0, 0)),
        ("nmadd", {"a": ONE, "b": ONE, "c": ONE}, (TWO | MINUS, 0, 0)),
        ("nmadd", {"a": 0, "b": ONE, "c": 0}, (MINUS, 0, 0)),
        # Zero times infinity is invalid also beside a quiet NaN.
        ("madd", {"a": INF, "b": 0, "c": NAN}, (NAN, 0, INVALID)),
        ("div", {"a": ONE, "b": MINUS}, (INF | MINUS, 0, POLE)),
        ("div", {"a": 0, "b": 0}, (NAN, 0, INVALID)),
        ("sqrt", {"a": ONE | MINUS}, (NAN, 0, INVALID)),
        ("sqrt", {"a": MINUS}, (MINUS, 0, 0)),
        ("sgnj", {"a": SNAN, "b": MINUS}, (SNAN | MINUS, 0, 0)),
        ("sgnjn", {"a": ONE, "b": ONE}, (ONE | MINUS, 0, 0)),
        ("sgnjx", {"a": ONE | MINUS, "b": ONE | MINUS}, (ONE, 0, 0)),
        ("min", {"a": 0, "b": MINUS}, (MINUS, 0, 0)),
        ("max", {"a": MINUS, "b": 0}, (0, 0, 0)),
        ("min", {"a": SNAN, "b": ONE}, (ONE, 0, INVALID)),
        ("max", {"a": NAN | MINUS, "b": NAN | 1}, (NAN, 0, 0)),
        ("eq", {"a": 0, "b": MINUS}, (0, 1, 0)),
        ("eq", {"a": NAN, "b": NAN}, (0, 0, 0)),
        ("eq", {"a": SNAN, "b": NAN}, (0, 0, INVALID)),
        ("lt", {"a": NAN, "b": ONE}, (0, 0, INVALID)),
        ("le", {"a": ONE, "b": ONE}, (0, 1, 0)),
        ("class", {"a": SNAN}, (0, 1 << 8, 0)),
        ("class", {"a": INF | MINUS}, (0, 1, 0)),
        ("to-int", {"a": NAN | MINUS}, (0, 0x7FFFFFFF, INVALID)),
        ("to-int", {"a": INF | MINUS}, (0, 0x80000000, INVALID)),
        ("to-uint", {"a": NAN}, (0, 0xFFFFFFFF, INVALID)),
        ("to-uint", {"a": ONE | MINUS}, (0, 0, INVALID)),
        # -0.5 is rounded to -0, or to -1, which no unsigned integer is.
        ("to-uint", {"a": 0xBF000000, "rm": 1}, (0, 0, INEXACT)),
        ("to-uint", {"a": 0xBF000000, "rm": 2}, (0, 0, INVALID)),
        # -2**31, and 2**31 itself.
        ("to-int", {"a": 0xCF000000}, (0, 0x80000000, 0)),
        ("to-int", {"a": 0x4F000000}, (0, 0x7FFFFFFF, INVALID)),
        ("from-int", {"x": 0xFFFFFFFF}, (ONE | MINUS, 0, 0)),
        ("from-uint", {"x": 0xFFFFFFFF}, (0x4F800000, 0, INEXACT)),
        ("from-int", {"x": 0, "rm": 2}, (0, 0, 0)),
    ],
)
def test_operations(word: str, operands: dict, want: tuple):
    assert result(word, **operands) == want


def test_tininess_is_told_by_the_parameter():
    """A product below the least normal number by less than half of its last place."""
    operands = {"op": OPERATIONS.index("mul"), "a": 0x3F800001, "b": 0x007FFFFF, "rm": 0}
    for tininess, flags in (("after", INEXACT), ("before", INEXACT | UNDERFLOW)):
        got = fpu(operations="mul", tininess=tininess).evaluate(**operands)
        assert (int(got["r"]), int(got["flags"])) == (0x00800000, flags)


def test_what_is_no_operation_gives_nothing():
    codes = np.arange(32)
    spec = fpu(operations="add,eq")
    found = spec.evaluate(op=codes, a=ONE, b=ONE, rm=0)
    assert np.flatnonzero(found["r"]).tolist() == [OPERATIONS.index("add")]
    assert np.flatnonzero(found["rx"]).tolist() == [OPERATIONS.index("eq")]
    assert not found["flags"].any()


@pytest.mark.parametrize(
    ("given", "settled", "inputs"),
    [
        ("all", "all", "op a b c x rm"),
        (OPERATIONS, "all", "op a b c x rm"),
        ("-sqrt, -DIV", "-div,-sqrt", "op a b c x rm"),
        (["le", "lt", "eq", "eq"], "eq,lt,le", "op a b"),
        ("sqrt", "sqrt", "op a rm"),
        ("from-uint", "from-uint", "op x rm"),
        ("class", "class", "op a"),
        (",".join(f"-{word}" for word in OPERATIONS[1:]), "add", "op a b rm"),
    ],
)
def test_operations_are_listed_as_one_likes(given: Any, settled: str, inputs: str):
    spec = fpu(operations=given)
    assert spec.operations == settled
    assert list(spec.ports.inputs) == inputs.split()
    assert unit("fpu", **spec.essential) == spec


def test_what_nothing_looks_at_is_as_usual():
    assert fpu(operations="min", rounding="rtz", integer="int64") == fpu(operations="min")


@pytest.mark.parametrize("integer", ["int10", "int64"])
def test_reference(integer: str):
    for name in ("e3m2ieee", "bf16"):
        assert listed(fpu(a=name, integer=integer), 1500, 3) == 1500


@pytest.mark.parametrize("name", ["fp16", "fp32"])
@pytest.mark.parametrize("integer", ["int32", "int64"])
def test_softfloat(name: str, integer: str):
    assert softfloat.softfloat(name, integer, 20_000) > 19_000


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "e4m3"}, "a=e4m3: must have a sign, and infinities and NaN as IEEE has them"),
        ({"a": "e5m2ftz"}, "a=e5m2ftz: must have subnormal numbers"),
        ({"a": "fp64"}, "a=fp64: must have at most 32 bits"),
        ({"a": "int8"}, "a=int8: must be a float format"),
        ({"a": "e4m3b40ieee"}, "a=e4m3b40ieee: must have 1 among its normal numbers"),
        ({"integer": "uint32"}, "integer=uint32: must be a signed integer format"),
        ({"integer": "fx16.8"}, "integer=fx16.8: must be a signed integer format"),
        ({"integer": "int8"}, "integer=int8: must have 10 bits or more; class gives so many"),
        ({"operations": "ad"}, "operations=ad: did you mean add?"),
        ({"operations": ""}, "operations=: must be one of all, add, sub, "),
        ({"operations": "add,-sub"}, "must have - in front of all words or of none"),
        ({"operations": [f"-{w}" for w in OPERATIONS]}, "must leave an operation"),
        ({"rounding": "sr"}, "rounding=sr: fpu takes no random words"),
        ({"overflow": "saturate"}, "overflow=saturate: fpu has IEEE's rule alone"),
        ({"tininess": "later"}, "tininess=later: must be one of after, before"),
    ],
)
def test_what_is_refused(parameters: dict, message: str):
    with pytest.raises(SpecError) as refused:
        fpu(**parameters)
    assert message in str(refused.value)
