# SPDX-License-Identifier: BSD-2-Clause
"""What is reported of a quantisation: recomputed here from the codes, in fractions."""

import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import macaw
from macaw.golden import CodeError, FormatError, SpecError
from macaw.tensors.quantize import Loss, dequantize, quantize, quantize_blocks

# ----------------------------------------------------------------------------------- by hand

BEYOND_FP32 = [1e300, *np.ones(31)]
CASES = [
    # Its block of 16 is NaN, the other one as good as it was.
    ("nvfp4", BEYOND_FP32, {"lost": 16, "nonfinite": 0, "saturated": 0, "exact": False}),
    ("mxfp4", [np.nan, *np.ones(31)], {"lost": 31, "nonfinite": 1, "replaced": 0}),
    ("mxfp4", [np.inf] * 32, {"lost": 0, "nonfinite": 32, "replaced": 32, "exact": False}),
    ("mxfp4", [np.nan] * 32, {"nonfinite": 32, "replaced": 0, "exact": True, "sqnr_db": None}),
    # Flexpoint's integers have neither: 20480 stands for 5, and 32767 for the infinity.
    ("flex16+5", [5.0, np.inf, np.nan], {"lost": 0, "nonfinite": 2, "replaced": 2}),
    # The scale of the second block rounds to zero: all of it is below the range, not beyond it.
    ("nvfp4", [*[2688.0] * 16, *[1e-9] * 16], {"underflowed": 16, "saturated": 0}),
    # The largest scale of E8M0 is too small for the block.
    ("mxint8", [2.0**300, 1.0], {"saturated": 1, "underflowed": 1, "lost": 0}),
    # fp16 of 1e6 is infinity and nothing that saturates; e4m3 has none.
    ("fp16", [1e6, 1.0], {"lost": 1, "saturated": 0, "exact": False, "sqnr_db": None}),
    ("e4m3", [1e6, 1.0], {"lost": 0, "saturated": 1, "exact": False}),
    ("int8", [np.inf, np.nan, 1.0], {"nonfinite": 2, "replaced": 2, "exact": False}),
    ("fp16", [np.inf, np.nan, 1.0], {"nonfinite": 2, "replaced": 0, "exact": True}),
    ("e4m3", [np.inf, np.nan, 1.0], {"nonfinite": 2, "replaced": 1, "exact": False}),
    ("uint8", [-5.0, 0.25, 256.0], {"saturated": 2, "underflowed": 1}),
    # Elements 0 to 15 with zero point 5 and scale 1/5 are -1 to 2; those of two bits reach -0.6.
    ("uint4-k4-fp32-zuint4", [-1.0, 2.0, 0.05, 0.0], {"saturated": 0, "underflowed": 1}),
    ("uint4-k2-fp32-zuint2", [-1.0, 2.0], {"saturated": 1, "underflowed": 0, "lost": 0}),
    ("uint4-k2-fp32-zuint4", [np.nan, 2.0, 1.0, -1.0], {"lost": 1, "nonfinite": 1}),
    # E8M0 has no zero: all signal is nothing, all error 2**-127.
    ("e8m0", [0.0], {"exact": False, "sqnr_db": -math.inf, "max_abs_error": 2.0**-127}),
    ("e11m30", [1.1e-10, 1e300], {"exact": False}),
]


def loss_of(name: str, values, **options) -> Loss:
    fmt = macaw.format(name)
    array = np.array(values)
    if hasattr(fmt, "element"):
        return quantize_blocks(array, fmt, **options)[1]
    return quantize(array, fmt, **options)[1]


@pytest.mark.parametrize(("name", "values", "expected"), CASES)
def test_what_became_of_values(name, values, expected):
    loss = loss_of(name, values).to_json()
    assert {key: loss[key] for key in expected} == expected


def test_the_rest_of_a_tensor_that_lost_a_block_is_measured():
    """16 ones of 32 are left: 6 * 448 codes of the second scale's, which is not 1/2688 exactly."""
    loss = loss_of("nvfp4", BEYOND_FP32)
    error = Fraction(float(np.float32(1) / np.float32(2688))) * 2688 - 1
    assert loss.max_abs_error == abs(float(error))
    assert loss.sqnr_db == pytest.approx(-20 * math.log10(abs(error)))


def test_small_errors_beside_large_values():
    """The square of 1e-21 over 1e300 is nothing in float64, and the error is not."""
    loss = loss_of("e11m30", [2.0**1000, 1.1e-10])
    assert not loss.exact
    assert 0 < loss.max_abs_error < 2.0**-30 * 1.1e-10
    assert loss.sqnr_db == pytest.approx(
        20 * (1000 * math.log10(2) - math.log10(loss.max_abs_error))
    )


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_that_float64_has_not(dtype):
    """2**53 + 1 is not 2**53, though float64 says so; int64 has both, also as a code."""
    values = np.array([2**53 + 1, 2**62 + 1, 3], dtype)
    loss = quantize(values, macaw.format("fp32"))[1]
    assert (loss.exact, loss.max_abs_error) == (False, 1.0)
    assert quantize(values, macaw.format("int64"))[1].exact
    if dtype is np.int64:
        assert quantize(-values, macaw.format("int64"))[1].exact
    assert not quantize_blocks(values, macaw.format("dfp16"))[1].exact


@pytest.mark.parametrize(
    ("values", "name", "scale"),
    [
        ([5e-324], "fp32", 2.0**-1022),  # not 2**-1201, which float64 has not
        ([1e308], "fx8.60", 2.0**1023),  # not 2**1077
        ([0.0, np.nan], "int8", 1.0),
        ([np.float64(6) * 2.0**20], "e2m1", 2.0**20),
        ([np.nextafter(6.0, 7)], "e2m1", 2.0),
    ],
)
def test_scale_max_stays_in_float64(values, name, scale):
    assert quantize(np.array(values), macaw.format(name), scale="max")[1].scale == scale


def test_rotation_that_overflows_is_told():
    loss = loss_of("mxfp4", [1e308] * 32, rotation=32)
    assert (loss.lost, loss.exact) == (32, False)


# ---------------------------------------------------------------------- recomputed in fractions

SCALARS = {
    "e4m3": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e2m1": ml_dtypes.float4_e2m1fn,
    "e8m0": ml_dtypes.float8_e8m0fnu,
    "fp16": np.float16,
    "fp32": np.float32,
    "int8": np.int8,
    "uint16": np.uint16,
}
BLOCKS = {
    "mxfp4": ("e2m1", "e8m0"),
    "nvfp4": ("e2m1", "e4m3"),
    "mxfp8-e5m2": ("e5m2", "e8m0"),
    "e2m1-k16-fp16": ("e2m1", "fp16"),
    "int8-k16-e8m0": ("int8", "e8m0"),
}
LIMITS = {"e4m3": 448, "e5m2": 57344, "e2m1": 6, "fp16": 65504}


def outside(codes: np.ndarray, name: str) -> np.ndarray:
    """Values of codes by numpy and ml_dtypes."""
    return codes.view(SCALARS[name]).astype(np.float64)


def judge(values: np.ndarray, q: np.ndarray) -> dict:
    """The figures by their definitions, one element at a time."""
    found = {"exact": True, "lost": 0, "nonfinite": 0, "replaced": 0, "zeroed": 0}
    signal = noise = worst = relative = Fraction(0)
    for x, y in zip(values.ravel().tolist(), q.ravel().tolist()):
        found["nonfinite"] += not math.isfinite(x)
        same = x == y or (math.isnan(x) and math.isnan(y))
        found["exact"] &= same
        found["replaced"] += not math.isfinite(x) and not same
        found["lost"] += math.isfinite(x) and not math.isfinite(y)
        found["zeroed"] += x != 0 and y == 0
        if math.isfinite(x) and math.isfinite(y):
            error = abs(Fraction(x) - Fraction(y))
            signal, noise = signal + Fraction(x) ** 2, noise + error**2
            worst = max(worst, error)
            relative = max(relative, error / abs(Fraction(x)) if x else Fraction(0))
    found["max_abs_error"], found["max_rel_error"] = nearest(worst), nearest(relative)
    found["sqnr_db"] = 10 * (log10(signal) - log10(noise)) if noise else None
    return found


def nearest(x: Fraction) -> float:
    return float(x) if x < 2**1024 else math.inf


def log10(x: Fraction) -> float:
    if not x:
        return -math.inf
    return (math.log2(x.numerator) - math.log2(x.denominator)) * math.log10(2)


def agree(loss: Loss, values: np.ndarray, q: np.ndarray) -> None:
    right, told = judge(values, q), loss.to_json()
    for key in ("exact", "lost", "nonfinite", "replaced"):
        assert told[key] == right[key], key
    for key in ("max_abs_error", "max_rel_error"):
        assert told[key] == pytest.approx(right[key], rel=1e-12), key
    if right["sqnr_db"] is None:
        assert told["sqnr_db"] is None
    else:
        assert told["sqnr_db"] == pytest.approx(right["sqnr_db"], rel=1e-9, abs=1e-9)
    assert told["underflowed"] <= right["zeroed"] <= told["underflowed"] + told["saturated"]


NASTY = st.one_of(
    st.floats(width=64),
    st.floats(width=32),
    st.floats(-500, 500),
    st.sampled_from([0.0, -0.0, 1e300, -1e39, 3.4e38, 448.0, 1e-45, 5e-324, 2.0**-130, 6e4]),
)
ARRAYS = st.lists(NASTY, min_size=1, max_size=40).map(np.array)


@settings(deadline=None, max_examples=150)
@given(ARRAYS, st.sampled_from([*SCALARS]), st.sampled_from([1.0, 2.0**-7, 2.0**40, "max"]))
def test_scalar_reports_are_of_what_is_written(values, name, scale):
    codes, loss = quantize(values, macaw.format(name), scale=scale)
    with np.errstate(over="ignore"):
        q = outside(codes, name) * loss.scale
    agree(loss, values, q)
    if name in LIMITS:
        beyond = np.isfinite(values) & (np.abs(values) > LIMITS[name] * loss.scale)
        assert loss.saturated == (beyond & np.isfinite(q)).sum()


@settings(deadline=None, max_examples=150)
@given(ARRAYS, st.sampled_from([*BLOCKS]))
def test_block_reports_are_of_what_is_written(values, name):
    block = macaw.format(name)
    q, loss = quantize_blocks(values, block)
    element, scale = BLOCKS[name]
    size = block.size
    factors = np.repeat(outside(q.scales, scale), size)[: values.size]
    if q.second_scale is not None:
        factors = factors * float(q.second_scale.view(np.float32))
    with np.errstate(invalid="ignore"):
        back = outside(q.elements, element) * factors
    agree(loss, values, back)


# ------------------------------------------------------------------------------- absurd arguments

E4M3, MXFP4, NVFP4 = (macaw.format(name) for name in ("e4m3", "mxfp4", "nvfp4"))
ABSURD = [
    (quantize, {"scale": None}, SpecError, "scale=None"),
    (quantize, {"scale": [1, 2]}, SpecError, "scale="),
    (quantize, {"scale": 10**400}, SpecError, "scale="),
    (quantize, {"seed": -1, "rounding": "sr"}, SpecError, "seed=-1"),
    (quantize, {"seed": "x", "rounding": "sr"}, SpecError, "seed=x"),
    (quantize_blocks, {"axis": None}, FormatError, "axis=None"),
    (quantize_blocks, {"axis": "0"}, FormatError, "axis=0"),
    (quantize_blocks, {"axis": 1.5}, FormatError, "axis=1.5"),
    (quantize_blocks, {"axis": 7}, FormatError, "axis=7"),
    (quantize_blocks, {"rotation": "x"}, SpecError, "rotation=x"),
    (quantize_blocks, {"rotation": -4}, SpecError, "size=-4"),
    (quantize_blocks, {"seed": -1, "rounding": "sr"}, SpecError, "seed=-1"),
]


@pytest.mark.parametrize(("function", "options", "error", "message"), ABSURD)
def test_absurd_options(function, options, error, message):
    with pytest.raises(error, match=message):
        function(np.ones(32), MXFP4 if function is quantize_blocks else E4M3, **options)


@pytest.mark.parametrize("values", [[[1.0], [1.0, 2.0]], ["1"], [None], np.ones(0), [1j], [True]])
@pytest.mark.parametrize(("function", "fmt"), [(quantize, E4M3), (quantize_blocks, NVFP4)])
def test_absurd_values(function, fmt, values):
    with pytest.raises(CodeError):
        function(values, fmt)


def test_lists_and_ml_dtypes_are_values():
    values = [[1.0, -0.5, 3.0, 0.1]]
    for array in (values, np.array(values).astype(ml_dtypes.bfloat16)):
        codes, loss = quantize(array, macaw.format("e2m1"))
        assert codes.tolist() == [[2, 9, 5, 0]]
        assert loss.underflowed == 1
        assert quantize_blocks(array, MXFP4)[0].elements.shape == (1, 4)


def test_dequantize_refuses_a_scale_that_is_none():
    with pytest.raises(SpecError, match="scale=3"):
        dequantize(np.zeros(1, np.uint8), E4M3, scale=3.0)
