# SPDX-License-Identifier: BSD-2-Clause
"""Integer layers against loops in Python's integers."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from macaw.golden import format, unit
from macaw.golden.arithmetic.dyadic import Dyadic, Profile, reciprocal, requantize
from macaw.golden.errors import CodeError, SpecError
from macaw.golden.tensors.integer_layers import (
    Layer,
    average_pool2d,
    clamp,
    conv2d,
    export_layer,
    export_residual,
    fold_batch_norm,
    fully_connected,
    max_pool2d,
    residual_add,
)
from macaw.sim.proof.reference.arithmetic import dyadic as reference

RNG = np.random.default_rng(7)


def int8(*shape):
    return RNG.integers(-128, 128, shape).astype(np.int8)


def wrapped(value, bits=32):
    return (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def convolution(x, w, bias, stride, pads, dilation, groups, x_zero, w_zero):
    """One output at a time, as the definition says."""
    (n, height, width, _), (outputs, kh, kw, depth) = x.shape, w.shape
    (top, bottom), (left, right) = pads
    rows = (height + top + bottom - (kh - 1) * dilation - 1) // stride + 1
    columns = (width + left + right - (kw - 1) * dilation - 1) // stride + 1
    result = np.empty((n, rows, columns, outputs), object)
    for index in np.ndindex(result.shape):
        image, row, column, out = index
        first = out // (outputs // groups) * depth
        total = int(bias[out])
        for dy, dx, channel in np.ndindex(kh, kw, depth):
            y, z = row * stride + dy * dilation - top, column * stride + dx * dilation - left
            if 0 <= y < height and 0 <= z < width:
                pixel = int(x[image, y, z, first + channel]) - x_zero
                total += pixel * (int(w[out, dy, dx, channel]) - int(w_zero[out]))
        result[index] = total
    return result


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_convolution(groups, stride, dilation):
    x, w = int8(2, 6, 7, 4), int8(4, 3, 2, 4 // groups)
    bias, w_zero = RNG.integers(-(2**20), 2**20, 4), np.array([0, -128, 127, 3])
    sides = ((1, 0), (2, 1))
    shape = {"stride": stride, "dilation": dilation, "groups": groups, "padding": sides}
    got = conv2d(x, w, bias, x_zero=-128, weight_zero=w_zero, **shape)
    want = convolution(x, w, bias, stride, sides, dilation, groups, -128, w_zero)
    assert got.dtype == np.int32
    assert got.tolist() == want.tolist()


@pytest.mark.parametrize(
    ("length", "window", "stride", "sides"),
    [(6, 3, 1, (1, 1)), (6, 3, 2, (0, 1)), (5, 3, 2, (1, 1)), (7, 2, 1, (0, 1)), (4, 1, 2, (0, 0))],
)
def test_same_padding_is_tensorflows(length, window, stride, sides):
    x, w = int8(1, length, length, 2), int8(3, window, window, 2)
    same = conv2d(x, w, padding="same", stride=stride, x_zero=5)
    assert np.array_equal(same, conv2d(x, w, padding=(sides, sides), stride=stride, x_zero=5))
    assert same.shape[1] == -(-length // stride)


def test_fully_connected():
    x, w, bias = int8(2, 3, 40), int8(5, 40), RNG.integers(-1000, 1000, 5)
    zero = np.array([1, 0, -128, 127, 7])
    got = fully_connected(x, w, bias, x_zero=-5, weight_zero=zero)
    for index in np.ndindex(2, 3):
        for out in range(5):
            pairs = zip(x[index].tolist(), w[out].tolist(), strict=True)
            total = sum((a + 5) * (b - int(zero[out])) for a, b in pairs)
            assert got[(*index, out)] == total + bias[out]


def test_wide_operands_stay_exact():
    x = np.full((1, 3), 2**28 + 1)
    w = np.full((1, 3), 2**28 + 3)
    total = 3 * (2**28 + 1) * (2**28 + 3)
    assert fully_connected(x, w)[0, 0] == wrapped(total)
    assert fully_connected(x, w, overflow="saturate")[0, 0] == 2**31 - 1
    assert fully_connected(-x, w, overflow="saturate")[0, 0] == -(2**31)
    with pytest.raises(CodeError, match="exceed 62 bits"):
        fully_connected(x * 16, w * 16)


@pytest.mark.parametrize(("acc", "bits"), [("int16", 16), ("int20", 20)])
def test_overflow_policies(acc, bits):
    x, w = np.full((1, 100), 127), np.full((1, 100), 127)
    assert fully_connected(x, w, acc=acc)[0, 0] == wrapped(100 * 127 * 127, bits)
    top = fully_connected(x, w, acc=acc, overflow="saturate")[0, 0]
    assert top == 2 ** (bits - 1) - 1


@pytest.mark.parametrize("profile", list(Profile))
def test_residual_add_in_both_forms(profile):
    out = format("int8")
    (ma, mb), shifts = export_residual(0.031, 0.0007, 0.02)
    assert isinstance(shifts, tuple)
    (sa, sb), shift = export_residual(0.031, 0.0007, 0.02, form="single")
    every = np.arange(-128, 128)
    a, b = np.meshgrid(every, every)
    zeros = {"a_zero": -128, "b_zero": 127, "zero_point": -3}
    apart = residual_add(a, b, (ma, mb), shifts, profile=profile, **zeros)
    joint = residual_add(a, b, (sa, sb), shift, form="single", profile=profile, **zeros)
    for i in RNG.integers(0, a.size, 500):
        p, q = int(a.flat[i]) + 128, int(b.flat[i]) - 127
        first = reference.scaled(p, ma, shifts[0], profile.value)
        second = reference.scaled(q, mb, shifts[1], profile.value)
        assert apart.flat[i] == reference.saturated(first + second - 3, out)
        once = reference.scaled(p * sa + q * sb, 1, shift, profile.value)
        assert joint.flat[i] == reference.saturated(once - 3, out)
    assert (apart != joint).any()


SCALES = [
    (0.031, 0.0007, 0.02),
    (0.5, 0.5, 0.25),
    (1.0, 2.0**-40, 3.0),  # b vanishes
    (0.1, 0.3, 0.6 * 1.001 * 2**-20),  # all but at the least scale of the sum
    (7e-5, 7e-6, 4e4),  # the sum vanishes
]


@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("profile", ["tflite_double", "tflite_single"])
def test_residual_add_as_tensorflow_lite_has_it(scales, profile):
    factors, shifts = export_residual(*scales, form="tflite")
    assert (factors, shifts) == reference.tflite_add_scaling(*scales)
    every = np.arange(-128, 128)
    a, b = np.meshgrid(every, every)
    zeros = {"a_zero": -128, "b_zero": 127, "zero_point": -3}
    got = residual_add(a, b, factors, shifts, form="tflite", profile=profile, **zeros)
    assert got.dtype == np.int8
    rounding = getattr(reference, profile)
    for i in [0, 255, 256 * 255, 65535, *RNG.integers(0, a.size, 500)]:
        p, q = int(a.flat[i]) + 128, int(b.flat[i]) - 127
        total = reference.tflite_add(p, q, factors, shifts, rounding)
        assert got.flat[i] == reference.saturated(total - 3, format("int8"))
    if profile == "tflite_double":
        assert np.array_equal(got, residual_add(a, b, factors, shifts, form="tflite", **zeros))


def test_residual_add_of_int16_as_tensorflow_lite_has_it():
    factors, shifts = export_residual(0.013, 0.0004, 0.011, form="tflite", out="int16")
    assert (factors, shifts) == reference.tflite_add_scaling(0.013, 0.0004, 0.011, left=15)
    a, b = RNG.integers(-(2**15), 2**15, (2, 500))
    got = residual_add(a, b, factors, shifts, form="tflite", out="int16")
    for i in range(500):
        total = reference.tflite_add(int(a[i]), int(b[i]), factors, shifts, left=15)
        assert got[i] == reference.saturated(total, format("int16"))


def test_only_three_roundings_move_some_ties():
    """A branch of less than 2**-21 is nothing to three roundings, and leaves a tie to one."""
    half = {"multiplier": (2**30, 2**30, 2**30), "shift": (0, -31, -19)}
    a, b = np.array([3, -3]), np.array([-1, 1])
    assert residual_add(a, b, **half, form="tflite").tolist() == [2, -2]
    once = residual_add(a, b, (2**30, 1), 0, form="single", profile="half_away")
    assert once.tolist() == [1, -1]


def test_reciprocals_round_like_division():
    for count in (*range(1, 130), 196, 255, 1000, 12544):
        r = reciprocal(count)
        total = np.arange(-(2**15), 2**15)
        got = requantize(total, r.multiplier, r.shift, profile="half_away", out="int32")
        want = np.sign(total) * ((2 * np.abs(total) + count) // (2 * count))
        assert np.array_equal(got, want)
        up = requantize(total[2**15 :], r.multiplier, r.shift, profile="half_up", out="int32")
        assert np.array_equal(up, want[2**15 :])
        floor = requantize(total[2**15 :], r.multiplier, r.shift, profile="truncate", out="int32")
        assert np.array_equal(floor, total[2**15 :] // count)
        assert r.value >= Fraction(1, count)


def test_average_pool_counts_what_is_there():
    x = int8(2, 5, 6, 3)
    got = average_pool2d(x, (3, 2), stride=2, padding="same")
    assert got.shape == (2, 3, 3, 3)
    for n, i, j, c in np.ndindex(got.shape):
        rows, columns = slice(max(2 * i - 1, 0), 2 * i + 2), slice(2 * j, 2 * j + 2)
        window = x[n, rows, columns, c].astype(int)
        total, count = int(window.sum()), window.size
        assert got[n, i, j, c] == reference.rounded(Fraction(total, count), "away")


def test_max_pool():
    x = int8(1, 4, 4, 2)
    got = max_pool2d(x, 2)
    assert got.dtype == np.int8
    assert got[0, 1, 0, 1] == x[0, 2:4, 0:2, 1].max()
    assert max_pool2d(np.full((1, 3, 3, 1), -128, np.int8), 3, stride=1, padding=1).max() == -128


def test_batch_norm_is_folded():
    weight, bias = RNG.standard_normal((4, 3, 3, 2)), RNG.standard_normal(4)
    gamma, beta, mean = RNG.standard_normal((3, 4))
    variance = RNG.random(4) + 0.1
    x = RNG.standard_normal((3, 3, 2))
    folded, moved = fold_batch_norm(
        weight, bias, gamma=gamma, beta=beta, mean=mean, variance=variance, epsilon=1e-3
    )
    plain = (weight * x).sum(axis=(1, 2, 3)) + bias
    normal = (plain - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    assert np.allclose((folded * x).sum(axis=(1, 2, 3)) + moved, normal)


def test_export_and_layer():
    weight, x = int8(3, 16), int8(10, 16)
    scales = np.array([0.01, 0.02, 0.003])
    made = export_layer(x_scale=0.5, weight_scale=scales, out_scale=0.25, bias=[1.0, -2.0, 3e6])
    assert made.bias.tolist() == [200, -200, 2_000_000_000]
    layer = Layer(
        weight=weight, bias=made.bias, multiplier=made.multiplier, shift=made.shift,
        x_zero=3, zero_point=-7, profile="tflite_double", low=-7,
    )  # fmt: skip
    acc = fully_connected(x, weight, made.bias, x_zero=3)
    assert np.array_equal(layer.accumulate(x), acc)
    got = layer(x)
    for i, o in np.ndindex(got.shape):
        m, s = int(made.multiplier[o]), int(made.shift[o])
        want = reference.requantize(
            int(acc[i, o]), m, s, "tflite_double", format("int8"), zero_point=-7
        )
        assert got[i, o] == max(want, -7)


def test_dead_channels_give_their_bias():
    """A channel whose weights are all zero has the scale 0: its results are the rounded bias."""
    made = export_layer(
        x_scale=0.5, weight_scale=[0.0, 0.1, 0.0], out_scale=0.1, bias=[0.73, 1.0, -0.32]
    )
    assert made.bias.tolist() == [7, 20, -3]
    one = [Dyadic(multiplier=int(made.multiplier[o]), shift=int(made.shift[o])) for o in range(3)]
    assert [each.value for each in one] == [1, Fraction(1, 2), 1]
    weight = int8(3, 8) * np.array([[0], [1], [0]], np.int8)
    layer = Layer(
        weight=weight, bias=made.bias, multiplier=made.multiplier, shift=made.shift, zero_point=5
    )
    got = layer(int8(40, 8))
    assert (got[:, 0] == 12).all()
    assert (got[:, 2] == 2).all()
    alive = export_layer(x_scale=0.5, weight_scale=[0.0], out_scale=0.1, bias=0.0)
    assert alive.bias.tolist() == [0]


EXPORT = {"x_scale": 0.5, "weight_scale": [0.1, 0.2], "out_scale": 0.1, "bias": [0.0, 1.0]}
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bias": [0.0, 1e9]}, r"bias\[1\]=1000000000\.0: is 1e\+10 steps of x_scale \* weight"),
        ({"bias": [-3e8, 0.0]}, r"bias\[0\]=-300000000\.0: is -6e\+09 steps"),
        ({"bias": NAN}, "bias=nan: must be a finite number"),
        ({"bias": [0.0, INF]}, r"bias\[1\]=inf: must be a finite number"),
        ({"bias": ["1"]}, "bias: dtype <U1: must be floats or integers"),
        ({"bias": [0.0] * 3}, r"shapes do not broadcast: \(2,\), \(3,\)"),
        ({"weight_scale": [[0.1]]}, r"weight_scale: shape \(1, 1\): must be one number"),
        ({"weight_scale": [0.1, -0.1]}, r"weight_scale\[1\]=-0\.1: must be a finite number from 0"),
        ({"weight_scale": [NAN, 0.1]}, r"weight_scale\[0\]=nan: must be a finite number from 0"),
        ({"weight_scale": INF}, "weight_scale=inf: must be a finite number from 0"),
        ({"weight_scale": [0.1, 1e10]}, r"weight_scale\[1\]=1.*: x_scale .* is 2\*\*30 or more"),
        ({"x_scale": 1e-200, "weight_scale": [1e-200, 1.0]}, r"weight_scale\[0\]=1e-200: .* below"),
        ({"x_scale": 0.0}, "x_scale=0.0: must be a positive number"),
        ({"x_scale": NAN}, "x_scale=nan: must be a finite number"),
        ({"x_scale": [1.0, 2.0]}, r"x_scale=\[1.0, 2.0\]: must be a finite number"),
        ({"out_scale": 0.0}, "out_scale=0.0: must be a positive number"),
        ({"out_scale": -0.1}, "out_scale=-0.1: must be a positive number"),
        ({"out_scale": INF}, "out_scale=inf: must be a finite number"),
        ({"out_scale": None}, "out_scale=None: must be a finite number"),
    ],
)
def test_scales_that_give_no_layer(given, message):
    with pytest.raises((CodeError, SpecError), match=message):
        export_layer(**EXPORT | given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"variance": [1.0, -1.0]}, r"variance\[1\]=-1\.0: must be above 0 with epsilon=1e-05"),
        ({"variance": [0.0, 1.0], "epsilon": 0.0}, r"variance\[0\]=0\.0: must be above 0"),
        ({"gamma": [NAN, 1.0]}, r"gamma\[0\]=nan: must be a finite number"),
        ({"weight": [[1.0], [INF]]}, r"weight\[1, 0\]=inf: must be a finite number"),
        ({"mean": [1.0] * 3}, r"mean: shape \(3,\): must be one number, or one for each output"),
        ({"weight": 1.0}, r"weight: shape \(\): the first axis must be the outputs"),
    ],
)
def test_normalisations_that_give_no_layer(given, message):
    wanted = {"weight": [[1.0], [2.0]], "bias": 0.0, "gamma": 1.0, "beta": 0.0, "mean": 0.0}
    with pytest.raises((CodeError, SpecError), match=message):
        fold_batch_norm(**wanted | {"variance": 1.0} | given)


@pytest.mark.parametrize("form", ["separate", "single", "tflite"])
@pytest.mark.parametrize(
    ("scales", "message"),
    [
        ((1.0, 1.0, 0.0), "out_scale=0.0: must be a positive number"),
        ((1.0, NAN, 1.0), "b_scale=nan: must be a finite number"),
        ((-1.0, 1.0, 1.0), "a_scale=-1.0: must be a (finite number from 0 on|positive number)"),
        ((1.0, 1.0, INF), "out_scale=inf: must be a finite number"),
        ((1e10, 1.0, 1e-3), r"a_scale=1.*: must be below 2\*\*31|form=tflite needs more than"),
    ],
)
def test_scales_that_give_no_residual(form, scales, message):
    with pytest.raises(SpecError, match=message):
        export_residual(*scales, form=form)


def test_branches_saturate_before_they_are_added():
    """By hand: 100000 - 99990 in branches of 16 bits is 32767 - 32768."""
    multiplier, shift = export_residual(0.01, 0.01, 0.01)
    a, b = [100_000], [-99_990]
    assert residual_add(a, b, multiplier, shift) == -1
    assert residual_add(a, b, multiplier, shift, branch="int18") == 10
    assert residual_add(a, b, multiplier, shift, branch="uint8") == 127
    assert residual_add(a, b, multiplier, 1, form="single") == 10


@pytest.mark.parametrize(
    ("form", "profile"),
    [
        *itertools.product(("separate", "single"), Profile),
        ("tflite", "tflite_double"),
        ("tflite", "tflite_single"),
    ],
)
def test_residual_sums_are_those_of_the_unit(form, profile):
    """Operands, multipliers and shifts of all sizes: golden function and unit have one meaning."""
    rng = np.random.default_rng(3)
    narrow = form == "tflite"
    for a_name, b_name, out, branch, bits in (
        ("int8", "int8", "int8", None, 31),
        ("int8" if narrow else "int24", "int8" if narrow else "int24", "int8", None, 31),
        ("int16", "int12", "int16", None, 31),
        ("uint8", "int8", "uint8", None, 16),
        ("uint8" if narrow else "int30", "int7", "int8sym", "int12", 8),
        ("int8", "int6", "int4", "uint6", 31),
    ):
        options = {"branch": branch} if form == "separate" and branch else {}
        spec = unit(
            "residual-add", a=a_name, b=b_name, out=out, form=form, profile=profile, bits=bits,
            zero_points=True, **options,
        )  # fmt: skip
        least = -31 if narrow else -32
        for _ in range(40):
            zero = [int(draw(format(name), rng, ())) for name in (a_name, b_name, out)]
            a, b = (draw(format(name), rng, 50) for name in (a_name, b_name))
            factors = rng.integers(1 << (bits - 1), 1 << bits, 3).tolist()
            shifts = rng.integers(least, 1 if narrow else 12, 3).tolist()
            names = dict(zip(("a_", "b_", ""), zip(factors, shifts, strict=True), strict=True))
            given = {f"{n}multiplier": m for n, (m, _) in names.items()}
            given |= {f"{n}shift": s & 255 for n, (_, s) in names.items()}
            codes = {k: v for k, v in given.items() if k in spec.ports.inputs}
            for name, value in zip(("a_zero", "b_zero", "zero_point"), zero, strict=True):
                codes[name] = value % (1 << spec.ports.inputs[name].format.width)
            for name, value in (("a", a), ("b", b)):
                codes[name] = value % (1 << spec.ports.inputs[name].format.width)
            got = spec.evaluate(**codes)["r"]
            count = 3 if narrow else 2
            shift = shifts[2] if form == "single" else tuple(shifts[:count])
            want = residual_add(
                a, b, tuple(factors[:count]), shift, form=form, profile=profile, out=out,
                bits=bits, a_zero=zero[0], b_zero=zero[1], zero_point=zero[2], **options,
            )  # fmt: skip
            assert got.tolist() == (want.astype(int) % (1 << format(out).width)).tolist(), spec


def draw(fmt, rng, shape):
    """Integers of a format, of all magnitudes."""
    least = -(1 << (fmt.width - 1)) if fmt.signed else 0
    found = rng.integers(least, fmt.max_integer, shape, endpoint=True, dtype=np.int64)
    return found >> rng.integers(0, fmt.width, shape)


def test_convolution_layer():
    layer = Layer(weight=int8(4, 3, 3, 2), multiplier=2**30, shift=-6, padding="same", high=100)
    x = int8(1, 5, 5, 2)
    want = requantize(conv2d(x, layer.weight, padding="same"), 2**30, -6)
    assert np.array_equal(layer(x), np.minimum(want, 100))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fully_connected(int8(2, 3), int8(4, 5)), r"weight: shape \(4, 5\): must be"),
        (lambda: fully_connected(int8(3), int8(4, 3), np.zeros(3, int)), "bias: shape"),
        (lambda: fully_connected(int8(3), int8(4, 3), overflow="nonfinite"), "overflow=nonfinite"),
        (lambda: conv2d(int8(1, 4, 4, 3), int8(2, 3, 3, 2)), "groups=1: does not fit"),
        (lambda: conv2d(int8(1, 2, 2, 1), int8(1, 3, 3, 1)), "for windows of"),
        (lambda: conv2d(int8(1, 4, 4, 1), int8(1, 3, 3, 1), padding="full"), "padding=full"),
        (lambda: conv2d(int8(4, 4, 1), int8(1, 3, 3, 1)), "both must have four axes"),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), (0, 1), form="single"),
            "form=single takes one shift",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), (0, 0), form="tflite"),
            r"multiplier=\(1, 1\): form=tflite has three, each from 0 to 2147483647",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1, 1), (0, 1, 0), form="tflite"),
            r"shift=\(0, 1, 0\): form=tflite has three, each from -31 to 0",
        ),
        (
            lambda: residual_add(
                np.array([128]), int8(1), (1,) * 3, (0,) * 3, form="tflite", a_zero=-128
            ),
            "a: must be within 255 of a_zero",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1,) * 3, (0,) * 3, form="tflite", out="int20"),
            "out=int20: form=tflite has results of at most 16 bits",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), (0, 0), form="three"),
            "form=three: must be one of separate, single, tflite",
        ),
        (
            lambda: export_residual(1.0, 0.5, 2.0**-19, form="tflite"),
            r"out_scale=1\.9\d*e-06: form=tflite needs more than 1\.9\d*e-06",
        ),
        (
            lambda: export_residual(1.0, 0.0, 1.0, form="tflite"),
            "b_scale=0.0: must be a positive number",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (-5, 1), 0),
            r"multiplier=\(-5, 1\): form=separate has two, each from 0 to 2147483647",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), (-40, 0)),
            r"shift=\(-40, 0\): form=separate has two, each from -32 to 31",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), 32, form="single"),
            "shift=32: form=single has two, each from -32 to 31",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), 0, zero_point=128),
            "zero_point=128: must be from -128 to 127, in int8",
        ),
        (
            lambda: residual_add([1 << 31], int8(1), (1, 1), 0),
            "a: must be within 1073741824 of a_zero",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), 0, form="single", branch="int16"),
            "branch=int16: form=single has no rounded branches",
        ),
        (
            lambda: residual_add(int8(3), int8(3), (1, 1), 0, branch="e4m3"),
            "branch=e4m3: must be an integer format of at most 32 bits",
        ),
        (
            lambda: fully_connected(int8(3), int8(4, 3), x_zero=1.5),
            "x_zero: dtype float64 where integers are wanted",
        ),
        (
            lambda: fully_connected([2**63 - 1], [[1]], x_zero=-5),
            r"x\[0\]=9223372036854775807: must not exceed 2\*\*61",
        ),
        (
            lambda: max_pool2d(int8(1, 4, 4, 1), 2, padding=2),
            "padding=2: a window of .* has no value",
        ),
        (lambda: clamp(int8(3), low=-300), "low=-300: must be from -128 to 127, in int8"),
        (lambda: clamp([0.5], low=0), "x: dtype float64 where integers are wanted"),
        (
            lambda: Layer(weight=int8(2, 3), multiplier=1, shift=0, out="int4", high=8),
            "high=8: must be from -8 to 7, in int4",
        ),
        (
            lambda: Layer(weight=int8(2, 3), multiplier=1, shift=0, zero_point=200),
            "zero_point=200: must be from -128 to 127, in int8",
        ),
        (lambda: reciprocal(0), "count=0: must be an integer from 1"),
        (lambda: max_pool2d(int8(1, 4, 4, 1), 2, stride=0), "must be at least 1"),
    ],
)
def test_errors(call, message):
    with pytest.raises((CodeError, SpecError), match=message):
        call()
