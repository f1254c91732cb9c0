# SPDX-License-Identifier: BSD-2-Clause
"""Units of integers: dot products, requantisation, residual sums, pools, clamps."""

import numpy as np
import pytest

from macaw.golden import format
from macaw.golden.arithmetic.dyadic import FORMS, Profile, reciprocal, requantize
from macaw.golden.errors import CodeError, SpecError
from macaw.golden.tensors.integer_layers import residual_add
from macaw.golden.units import UNITS, unit
from macaw.sim.proof.reference.arithmetic import dyadic as reference

RNG = np.random.default_rng(11)


def draw(fmt, *shape):
    """Codes and the numbers that they mean."""
    codes = RNG.integers(0, 1 << fmt.width, shape).astype(fmt.code_dtype)
    return codes, fmt.decode(codes).astype(np.int64)


def signed(codes, bits):
    codes = codes.astype(np.int64)
    return codes - ((codes >> (bits - 1)) << bits)


@pytest.mark.parametrize(
    ("a", "b", "parts"),
    [
        ("int8", "int8", 1),
        ("uint8", "int4", 1),
        ("int8", "ternary", 1),
        ("int8", "binary", 1),
        ("binary", "binary", 1),
        ("int8", "shift4", 1),
        ("uint8", "power4", 2),
        ("shift3", "int8", 1),
        ("int8", "int4", 3),
    ],
)
@pytest.mark.parametrize("wrap", [False, True])
def test_dot_products(a, b, parts, wrap):
    zeros = {f"{n}_zero": isinstance(f, str) and "int" in f for n, f in (("a", a), ("b", b))}
    spec = unit("int-dot", a=a, b=b, parts=parts, lanes=5, acc="int12", wrap=wrap, **zeros)
    operands, numbers = {}, {}
    for name, port in spec.ports.inputs.items():
        operands[name], numbers[name] = draw(port.format, 300, *port.tail)
    got = signed(spec.evaluate(**operands)["r"], 12)
    for i, result in enumerate(got.tolist()):
        total = int(numbers["bias"][i])
        for lane in range(5):
            x = int(numbers["a"][i, lane]) - int(numbers["a_zero"][i] if zeros["a_zero"] else 0)
            w = sum(numbers["b"][i, lane * parts : (lane + 1) * parts].tolist())
            total += x * (w - int(numbers["b_zero"][i] if zeros["b_zero"] else 0))
        wanted = (total + 2048) % 4096 - 2048 if wrap else min(max(total, -2048), 2047)
        assert result == wanted


def test_binary_is_xnor_and_a_count():
    spec = unit("int-dot", a="binary", lanes=64, bias=False)
    a, b = RNG.integers(0, 2, (2, 100, 64)).astype(np.uint8)
    assert (
        signed(spec.evaluate(a=a, b=b)["r"], 32).tolist()
        == (64 - 2 * (a ^ b).sum(1, dtype=int)).tolist()
    )


def test_corners_of_a_dot_product():
    spec = unit("int-dot", a="int8", lanes=2, a_zero=True, b_zero=True)
    low, high = np.full((1, 2), 0x80, np.uint8), np.full((1, 2), 0x7F, np.uint8)
    zero = {"a_zero": np.array([0x7F], np.uint8), "b_zero": np.array([0x7F], np.uint8)}
    bias = np.array([0], np.uint32)
    assert spec.evaluate(a=low, b=low, bias=bias, **zero)["r"] == 2 * 255 * 255
    top = np.array([0x7FFFFFFF], np.uint32)
    assert spec.evaluate(a=low, b=low, bias=top, **zero)["r"] == 0x7FFFFFFF
    assert spec.evaluate(a=high, b=low, bias=top, **zero)["r"] == 0x7FFFFFFF


def test_accumulation_ends_with_last_and_takes_its_bias():
    spec = unit("int-mac", a="int8", lanes=2, a_zero=True, terms=8)
    a = np.array([[1, 2], [3, 4], [5, 6]], np.uint8)
    b = np.array([[1, 1], [2, 2], [255, 1]], np.uint8)
    bias = np.array([100, 1000, 7], np.uint32)
    last = np.array([0, 1, 1], np.uint8)
    got = spec.evaluate(a=a, b=b, a_zero=np.uint8(1), bias=bias, last=last)["r"]
    assert got.tolist() == [0 + 1 + 2 * (2 + 3) + 1000, -4 + 5 + 7]
    five, zeros = np.array([0, 0, 0, 0, 1], np.uint8), np.zeros((5, 2), np.uint8)
    with pytest.raises(CodeError, match="a sequence of 10 products exceeds terms=8"):
        spec.evaluate(a=zeros, b=zeros, a_zero=np.uint8(0), bias=np.uint32(0), last=five)


@pytest.mark.parametrize("profile", list(Profile))
def test_requantize_is_the_golden_function(profile):
    x, m = RNG.integers(0, 1 << 32, 500).astype(np.uint32), RNG.integers(1 << 30, 1 << 31, 500)
    s, zero = RNG.integers(0, 256, 500).astype(np.uint8), RNG.integers(0, 256, 500)
    spec = unit("requantize", profile=profile, zero_point=True)
    got = spec.evaluate(
        x=x, multiplier=m.astype(np.uint32), shift=s, zero_point=zero.astype(np.uint8)
    )["r"]
    want = requantize(
        x.view(np.int32),
        m,
        np.clip(s.view(np.int8), -32, 31),
        profile=profile,
        zero_point=signed(zero, 8),
    )
    assert got.view(np.int8).tolist() == want.tolist()
    fixed = unit("requantize", profile=profile, multiplier=int(m[0]), shift=-9)
    want = requantize(x.view(np.int32), m[0], -9, profile=profile)
    assert fixed.evaluate(x=x)["r"].view(np.int8).tolist() == want.tolist()


def test_shifts_beyond_32_bits_are_limited():
    spec = unit("requantize", out="int16")
    x = np.array([5, 2**32 - 5], np.uint32)
    m = np.uint32(2**30)
    for shift, same in ((127, 31), (32, 31), (128, 224), (223, 224)):
        far = spec.evaluate(x=x, multiplier=m, shift=np.uint8(shift))["r"]
        assert far.tolist() == spec.evaluate(x=x, multiplier=m, shift=np.uint8(same))["r"].tolist()


def test_residual_sums_are_the_layers_sums():
    a, b = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    a, b = a.ravel(), b.ravel()
    m, s = (2**30 + 7, 2**31 - 9), (1, -2)
    code = {"a_zero": np.uint8(3), "b_zero": np.uint8(0x85), "zero_point": np.uint8(9)}
    zeros = {"a_zero": 3, "b_zero": 0x85 - 256, "zero_point": 9}
    ma, mb = (np.uint32(each) for each in m)
    separate = unit("residual-add", profile="hawq", zero_points=True)
    got = separate.evaluate(
        a=a, b=b, a_multiplier=ma, b_multiplier=mb, a_shift=np.uint8(1), b_shift=np.uint8(254),
        **code,
    )["r"]  # fmt: skip
    want = residual_add(a.view(np.int8), b.view(np.int8), m, s, profile="hawq", **zeros)
    assert got.view(np.int8).tolist() == want.tolist()
    single = unit("residual-add", profile="hawq", form="single", zero_points=True)
    got = single.evaluate(a=a, b=b, a_multiplier=ma, b_multiplier=mb, shift=np.uint8(255), **code)[
        "r"
    ]
    want = residual_add(
        a.view(np.int8), b.view(np.int8), m, -1, form="single", profile="hawq", **zeros
    )
    assert got.view(np.int8).tolist() == want.tolist()
    thrice = unit("residual-add", form="tflite", zero_points=True)
    assert thrice.profile is Profile.TFLITE_DOUBLE
    m, s = (2**30 + 7, 2**31 - 9, 2**30 + 1), (0, -2, -18)
    factors = {"a_multiplier": m[0], "b_multiplier": m[1], "multiplier": m[2]}
    shifts = {"a_shift": s[0], "b_shift": s[1], "shift": s[2]}
    operands = {name: np.uint32(value) for name, value in factors.items()}
    operands |= {name: np.uint8(value & 255) for name, value in shifts.items()}
    got = thrice.evaluate(a=a, b=b, **operands, **code)["r"]
    want = residual_add(a.view(np.int8), b.view(np.int8), m, s, form="tflite", **zeros)
    assert got.view(np.int8).tolist() == want.tolist()
    fixed = unit("residual-add", form="tflite", zero_points=True, **factors, **shifts)
    assert list(fixed.ports.inputs) == ["a", "b", "a_zero", "b_zero", "zero_point"]
    assert fixed.evaluate(a=a, b=b, **code)["r"].tolist() == got.tolist()


def test_shifts_of_branches_and_their_sum_are_limited():
    spec = unit("residual-add", form="tflite", a="int16")
    factors = {f"{name}multiplier": np.uint32(2**31 - 1) for name in ("a_", "b_", "")}
    a, b = np.array([2**15, 2**15 - 1], np.uint16), np.uint16(0)
    for name in ("a_shift", "shift"):
        codes = dict.fromkeys(("a_shift", "b_shift", "shift"), np.uint8(0xF1))
        for shift, same in ((1, 0), (127, 0), (0xE0, 0xE1), (0x80, 0xE1)):
            far, near = (
                spec.evaluate(a=a, b=b, **factors, **(codes | {name: np.uint8(each)}))["r"]
                for each in (shift, same)
            )
            assert far.tolist() == near.tolist()


def test_average_pool():
    spec = unit("average-pool", a="int8", count=9)
    a = RNG.integers(0, 256, 900).astype(np.uint8)
    last = np.tile([0] * 8 + [1], 100).astype(np.uint8)
    got = spec.evaluate(a=a, last=last)["r"].view(np.int8)
    sums = a.view(np.int8).astype(int).reshape(100, 9).sum(1)
    want = [reference.rounded(reference.exact(int(s), 2**28, 3) / 9, "away") for s in sums]
    assert got.tolist() == want
    free = unit("average-pool", a="int8")
    nine = reciprocal(9)
    again = free.evaluate(
        a=a, last=last, multiplier=np.uint32(nine.multiplier), shift=np.uint8(nine.shift + 256)
    )
    assert again["r"].view(np.int8).tolist() == want


def test_what_is_multiplied():
    assert unit("requantize").multiplied == ("x", "multiplier")
    assert unit("requantize", multiplier=3).multiplied == ("x",)
    assert unit("residual-add").multiplied == ("a", "a_multiplier")
    assert unit("residual-add", a_multiplier=3).multiplied == ("a",)
    assert unit("clamp").multiplied == ("a",)
    assert [unit(kind).macs for kind in ("requantize", "residual-add", "clamp")] == [1, 2, 0]


def test_forms_in_capitals():
    assert unit("residual-add", form="TFLITE") == unit("residual-add", form="tflite")


def test_defaults_and_ports_of_average_pool():
    spec = unit("average-pool")
    assert (spec.a.name, spec.out.name, spec.lanes, spec.terms) == ("int8", "int8", 1, 64)
    assert spec.accumulates
    assert spec.stateful
    assert spec.macs == 0
    assert spec.multiplied == ("a",)
    shown = {name: (o.format.name, o.lanes, o.width) for name, o in spec.ports.inputs.items()}
    assert shown == {
        "a": ("int8", None, 8),
        "multiplier": ("uint31", None, 31),
        "shift": ("int8", None, 8),
        "last": ("uint1", None, 1),
    }
    assert unit("average-pool", lanes=2).ports.inputs["a"].lanes == 2


def test_beats_of_average_pool():
    spec = unit("average-pool", lanes=2, terms=6, count=6)
    a, last = np.zeros((4, 2), np.uint8), np.array([0, 0, 1, 1], np.uint8)
    assert spec.evaluate(a=a, last=last)["r"].tolist() == [0, 0]
    with pytest.raises(CodeError, match="a sequence of 8 products exceeds terms=6"):
        spec.evaluate(a=a, last=np.array([0, 0, 0, 1], np.uint8))
    with pytest.raises(CodeError, match="the beats must be the only axis"):
        spec.evaluate(a=a.reshape(2, 2, 2), last=last.reshape(2, 2))


def test_clamp():
    a = np.arange(256, dtype=np.uint8)
    relu = unit("clamp", low=0, high=127).evaluate(a=a)["r"]
    assert relu.tolist() == [*range(128), *([0] * 128)]
    # the upper limit wins
    both = unit("clamp").evaluate(a=a, low=np.uint8(10), high=np.uint8(0xF6))["r"]
    assert set(both.tolist()) == {0xF6}


INTEGER = ("int-dot", "int-mac", "requantize", "residual-add", "average-pool", "clamp")


@pytest.mark.parametrize("kind", INTEGER)
def test_parameters_make_the_same_unit(kind):
    spec = unit(kind, **({"profile": "hawq"} if hasattr(UNITS[kind], "profile") else {}))
    assert unit(kind, **spec.parameters) == spec
    assert "rounding" not in spec.parameters


def test_names_of_residual_sums():
    """No two of these are one module."""
    found = {
        unit("residual-add", form=form, profile=profile).name
        for form in FORMS
        for profile in ("tflite_double", "tflite_single")
    }
    assert len(found) == 2 * len(FORMS)
    assert unit("residual-add", form="tflite").name == "residual_add_int8_tflite"


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("requantize", {"x": "fp16"}, "x=fp16: must be an integer format of at most 32 bits"),
        ("requantize", {"x": "int40"}, "x=int40: must be an integer format of at most 32 bits"),
        ("requantize", {"shift": 40}, "shift=40: must be an integer from -32 to 31"),
        ("requantize", {"profile": "rne"}, "profile=rne: must be one of tflite_single"),
        ("requantize", {"rounding": "rup"}, "requantize has no parameter 'rounding'"),
        ("residual-add", {"form": "both"}, "form=both: must be one of separate, single, tflite"),
        ("residual-add", {"shift": 3}, "shift=3: form=separate has a_multiplier, b_multiplier, a_"),
        (
            "residual-add",
            {"form": "single", "multiplier": 3},
            "multiplier=3: form=single has a_mul",
        ),
        (
            "residual-add",
            {"form": "tflite", "a_shift": 1},
            "a_shift=1: must be an integer from -31",
        ),
        ("residual-add", {"form": "tflite", "profile": "hawq"}, "form=tflite has tflite_double or"),
        (
            "residual-add",
            {"form": "tflite", "b": "int9"},
            "b=int9: must be an integer format of at",
        ),
        ("residual-add", {"form": "tflite", "out": "int17"}, "out=int17: form=tflite has results"),
        ("residual-add", {"form": "single", "branch": "int8"}, "has no rounded branches"),
        ("average-pool", {"count": 65}, "count=65: must be an integer from 1 to 64"),
        ("clamp", {"low": 200}, "low=200: must be an integer from -128 to 127"),
        ("int-dot", {"b": "e2m1"}, "b=e2m1: must be integers of at most 16 bits, or powers"),
        ("int-dot", {"b": "e3m0"}, "b=e3m0: must be integers of at most 16 bits, or powers"),
        ("int-dot", {"b": "binary", "b_zero": True}, "b_zero=true: b=binary has no zero point"),
        ("int-mac", {"lanes": 8, "terms": 4}, "terms=4: must be at least lanes=8"),
    ],
)
def test_errors(kind, parameters, message):
    with pytest.raises(SpecError, match=message):
        unit(kind, **parameters)


@pytest.mark.parametrize(
    ("kind", "name", "inside", "outside", "other"),
    [
        ("average-pool", "a", ["uint1", "int16"], ["int17", "fx8.4", "e4m3"], {"out": "int8"}),
        ("average-pool", "out", ["uint1", "int32"], ["int33", "e4m3"], {}),
        ("average-pool", "lanes", [1, 4096], [0, 4097, True], {"terms": 8192}),
        ("average-pool", "terms", [2, 2**13], [1, 2**13 + 1], {"a": "int16", "lanes": 2}),
        ("average-pool", "terms", [2**41], [2**41 + 1], {"a": "int16", "bits": 3}),
        ("average-pool", "count", [1, 64], [0, 65], {}),
        ("average-pool", "bits", [2, 31], [1, 32], {}),
        ("average-pool", "profile", ["hawq"], ["rne"], {}),
        ("requantize", "x", ["int32", "uint31"], ["int33", "uint32"], {}),
        ("requantize", "x", ["int61", "uint60"], ["int62", "uint61"], {"bits": 2}),
        ("requantize", "multiplier", [0, 127], [-1, 128], {"bits": 7}),
        ("requantize", "shift", [-32, 31], [-33, 32], {}),
        ("requantize", "zero_point", [True, False], [2], {}),
        ("residual-add", "a", ["int29"], ["int30"], {}),
        ("residual-add", "b", ["int30"], ["int31"], {"a": "int8", "bits": 20}),
        ("residual-add", "b", ["int8"], ["int9"], {"form": "tflite"}),
        ("residual-add", "b", ["int16"], ["int17"], {"form": "tflite", "out": "int9"}),
        ("residual-add", "branch", ["int32"], ["int33"], {}),
        ("residual-add", "a_multiplier", [0, 127], [-1, 128], {"bits": 7}),
        ("residual-add", "a_shift", [-32, 31], [-33, 32], {}),
        ("residual-add", "a_shift", [-31, 0], [-32, 1], {"form": "tflite"}),
        ("residual-add", "zero_points", [True, False], [2], {}),
        ("clamp", "a", ["int32"], ["int33", "e4m3"], {}),
        ("clamp", "out", ["int32"], ["int33", "fx8.4"], {}),
        ("clamp", "low", [-128, 127], [-129, 128], {}),
        ("clamp", "high", [-128, 127], [-129, 128], {}),
    ],
    ids=lambda each: each if isinstance(each, str) else ",".join(str(value) for value in each),
)
def test_bounds(kind, name, inside, outside, other):
    for value in inside:
        spec = unit(kind, **other | {name: value})
        assert spec == unit(kind, **spec.parameters)
    for value in outside:
        with pytest.raises(SpecError, match=f"^{name}="):
            unit(kind, **other | {name: value})


@pytest.mark.parametrize("kind", INTEGER[2:])
def test_units_that_round_by_a_profile_take_no_rounding(kind):
    with pytest.raises(SpecError, match=r"rounding=rup: .* rounds as its definition says"):
        type(unit(kind))(rounding="rup")  # type: ignore[call-arg]


def test_formats_without_a_multiplier_have_integers_only():
    for name in ("binary", "shift2", "shift3", "shift4", "power2", "power3", "power4"):
        values = format(name).decode(np.arange(1 << format(name).width, dtype=np.uint8))
        assert (values == np.round(values)).all()
