# SPDX-License-Identifier: BSD-2-Clause
"""block-dot and block-mac, and the accumulation profiles: by hand, then against fractions."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, format, unit
from macaw.golden.formats.block import scalar
from macaw.sim.proof.outsiders import scalars

INF, NAN = float("inf"), float("nan")


def dot(a, b, c=0.0, /, *, scales_a=None, scales_b=None, **parameters):
    """Evaluate a block-dot of values; scales are values too, or codes if they are ints."""
    spec: Any = unit("block-dot", size=len(a), **parameters)
    codes = {"a": scalar(spec.a).encode(a), "b": scalar(spec.b).encode(b), "c": spec.c.encode(c)}
    for name, scales in (("a_scale", scales_a), ("b_scale", scales_b)):
        if scales is not None:
            fmt = spec.ports.inputs[name].format
            array = np.asarray(scales)
            codes[name] = array if array.dtype.kind == "i" else fmt.encode(array)
    return float(spec.out.decode(spec.evaluate(**codes)["r"]))


def same(x, y):
    """Equal, NaN and the sign of zero included."""
    return np.array_equal(x, y, equal_nan=True) and np.signbit(x) == np.signbit(y)


# ------------------------------------------------------------------------- scaled sums, by hand

MX = {"a": "e2m1-k4-e8m0", "out": "fp32"}
MX5 = {"a": "e5m2-k2-e8m0", "out": "fp32"}
NV = {"a": "e2m1-k4-ue4m3", "out": "fp32"}
HALF = {"a": "int4-k2-fp16", "b": "int4", "out": "fp32"}


def test_a_block_is_scaled_by_both_scales():
    """OCP MX 6.1: 2**3 * 2**-1 * (1*4 + 2*0.5 + 0.5*6 - 6*1) = 4 * 2."""
    a, b = [1, 2, 0.5, -6], [4, 0.5, 6, 1]
    assert dot(a, b, 0.25, scales_a=8.0, scales_b=0.5, **MX) == 8.25


def test_each_block_has_its_scale():
    """OCP MX 6.2: 1 * (1+1+1+1) + 2**-20 * 3 * (1+1+1+1), all bits of it."""
    scales = np.array([1.0, 2.0**-20])
    got = dot([1] * 8, [1] * 4 + [3] * 4, scales_a=scales, scales_b=[1.0, 1.0], **MX)
    assert got == 4 + 12 * 2.0**-20


def test_blocks_of_different_sizes():
    """A block of 4 meets two of 2: 2 * (1*(1+1) + 8*(1+1))."""
    got = dot([1] * 4, [1] * 4, scales_a=2.0, scales_b=[1.0, 8.0], **MX | {"b": "e2m1-k2-e8m0"})
    assert got == 2 * (2 + 16)


def test_a_scalar_operand_has_no_scale():
    assert dot([3, -2], [7, 1], 0.5, scales_a=0.125, **HALF) == 0.125 * 19 + 0.5
    with pytest.raises(CodeError, match="no operand b_scale; it has a, b, a_scale, c"):
        unit("block-dot", **HALF).evaluate(a=[0, 0], b=[0, 0], a_scale=0, b_scale=0, c=0)


def test_nothing_is_lost_within_a_block():
    """448*448 - 448*448 + 2**-9*2**-9: what is left is the square of e4m3's least number."""
    least = 2.0**-9
    got = dot([448, 448, least], [448, -448, least], a="e4m3-k3-e8m0", out="fp32",
              scales_a=1.0, scales_b=1.0)  # fmt: skip
    assert got == 2.0**-18


def test_one_rounding_when_a_block_joins_the_addend():
    """2**11 + 1.5 in fp16, ulp 2: up to 2050; product by product, 1 and 0.5 would be lost."""
    fp16 = MX | {"out": "fp16"}
    ones = {"scales_a": 1.0, "scales_b": 1.0}
    assert dot([1, 0.5, 0, 0], [1, 1, 0, 0], 2048.0, **ones, **fp16) == 2050
    assert dot([1, 0.5, 0, 0], [1, 1, 0, 0], 2048.0, accumulation="sequential", **ones, **fp16) == (
        2048
    )


def test_mixed_formats():
    """mxfp8 by mxfp4, int8 by mxint4: 1.5*3 * 2**4 = 72; 100*-7 * 2**-2 = -175."""
    assert dot([1.5], [3], a="e4m3-k1-e8m0", b="e2m1-k1-e8m0", out="fp32",
               scales_a=4.0, scales_b=4.0) == 72  # fmt: skip
    assert dot([100], [-7], a="int8", b="int4sym-k1-e8m0", out="fp32", scales_b=0.25) == -175


def test_scales_of_several_bits():
    """ue4m3: 448 * 448 * 36; 2**-9 * 1.125 * 0.25; the least code by the largest."""
    assert dot([6, 0, 0, 0], [6, 0, 0, 0], scales_a=448.0, scales_b=448.0, **NV) == 448 * 448 * 36
    got = dot([0.5, 0, 0, 0], [0.5, 0, 0, 0], scales_a=2.0**-9, scales_b=1.125, **NV)
    assert got == 2.0**-11 * 1.125


SPECIAL = [
    # e8m0 0xFF is NaN, also with zero elements (OCP MX 5.1)
    ([0, 0, 0, 0], [0, 0, 0, 0], 1.0, [255], [127], MX, NAN),
    ([1, 0, 0, 0], [1, 0, 0, 0], 1.0, [127], [255], MX, NAN),
    ([6, 6, 6, 6], [6, 6, 6, 6], 0.0, [254], [254], MX, INF),
    ([6, 6, 6, 6], [-6, 6, -6, -6], 0.0, [254], [254], MX, -INF),
    ([6, 6, 6, 6], [-6, 6, -6, 6], 1.0, [254], [254], MX, 1.0),
    ([1, 0, 0, 0], [1, 0, 0, 0], 0.0, [0], [127], MX, 2.0**-127),
    ([1, 0, 0, 0], [1, 0, 0, 0], 0.0, [0], [0], MX, 0.0),
    # infinite elements
    ([INF, 1], [2, 1], 0.0, [127], [127], MX5, INF),
    ([INF, 1], [-2, 1], 0.0, [0], [0], MX5, -INF),
    ([INF, 1], [0, 1], 0.0, [127], [127], MX5, NAN),
    ([INF, INF], [1, -1], 0.0, [127], [127], MX5, NAN),
    ([INF, 1], [1, 1], -INF, [127], [127], MX5, NAN),
    ([1, 1], [1, 1], -INF, [127], [127], MX5, -INF),
    ([NAN, 1], [1, 1], 0.0, [127], [127], MX5, NAN),
    ([INF, 1, -INF, 1], [1, 1, 1, 1], 0.0, [127, 127], [127, 127], MX5, NAN),
    # a scale of zero: infinity times zero is invalid, all else vanishes
    ([INF, 1], [1, 1], 0.0, [0], [0x38], {"a": "e5m2-k2-ue4m3", "out": "fp32"}, NAN),
    ([1, 6, 6, 6], [6, 6, 6, 6], 2.5, [0], [0x7E], NV, 2.5),
    ([0, 0, 0, 0], [0, 0, 0, 0], 2.5, [0x7F], [0], NV, NAN),
    # fp16 scales have a sign and infinities
    ([3, -2], [7, 1], 0.0, [0xB800], None, HALF, -9.5),
    ([3, -2], [7, -1], 0.0, [0x7C00], None, HALF, INF),
    ([3, -2], [7, -1], 0.0, [0xFC00], None, HALF, -INF),
    ([3, -2], [7, 1], 0.0, [0x7C00], None, HALF, NAN),
    ([3, 0], [7, 1], 0.0, [0x7C00], None, HALF, NAN),
    ([3, -2], [7, 1], 1.0, [0x7E00], None, HALF, NAN),
]


@pytest.mark.parametrize(("a", "b", "c", "scales_a", "scales_b", "formats", "want"), SPECIAL)
def test_special_scales_and_elements(a, b, c, scales_a, scales_b, formats, want):
    scales = [
        None if s is None else np.array(s if len(s) > 1 else s[0]) for s in (scales_a, scales_b)
    ]
    assert same(dot(a, b, c, scales_a=scales[0], scales_b=scales[1], **formats), want)


ZEROS = [
    # products and addend of the one sign keep it, all others give +0, or -0 under rdn
    ([1, -2], [2, 1], 0.0, 1.0, "rne", 0.0),
    ([1, -2], [2, 1], 0.0, 1.0, "rdn", -0.0),
    ([1, -2], [2, 1], -0.0, 1.0, "rne", 0.0),
    ([-0.0, 0], [1, -1], -0.0, 1.0, "rne", -0.0),
    ([-0.0, 0], [1, -1], 0.0, 1.0, "rne", 0.0),
    ([-0.0, 0], [1, -1], 0.0, 1.0, "rdn", -0.0),
    ([-0.0, 0], [1, 1], -0.0, 1.0, "rtz", 0.0),
    ([0, 0], [1, 1], 0.0, 1.0, "rdn", 0.0),
    # a negative scale turns the products' signs
    ([0, 0], [1, 1], -0.0, -1.0, "rne", -0.0),
    ([-0.0, 0], [1, -1], -0.0, -1.0, "rne", 0.0),
    ([0, 0], [1, 1], -0.0, -1.0, "rdn", -0.0),
    # a scale of zero makes zeros of the products' signs
    ([1, 2], [1, 1], -0.0, -0.0, "rne", -0.0),
    ([1, 2], [-1, -1], -0.0, 0.0, "rne", -0.0),
    ([1, -2], [1, 1], -0.0, 0.0, "rup", 0.0),
]


@pytest.mark.parametrize("accumulation", ["exact", "aligned(24)", "sequential"])
@pytest.mark.parametrize(("a", "b", "c", "scale", "rounding", "want"), ZEROS)
def test_signs_of_zero(a, b, c, scale, rounding, want, accumulation):
    got = dot(a, b, c, scales_a=scale, a="e2m1-k2-fp16", b="e2m1", out="fp16",
              rounding=rounding, accumulation=accumulation)  # fmt: skip
    assert same(got, want)


OVERFLOWS = [
    ("fp16", None, "rne", INF),
    ("fp16", None, "rtz", 65504.0),
    ("fp16", "saturate", "rne", 65504.0),
    ("e4m3", None, "rne", 448.0),
    ("e4m3", "nonfinite", "rne", NAN),
    ("int16", None, "rne", 32767.0),
    ("int16", "wrap", "rne", 0.0),
]


@pytest.mark.parametrize(("out", "overflow", "rounding", "want"), OVERFLOWS)
def test_overflow(out, overflow, rounding, want):
    """36 * 4 * 2**12 = 589824, 9 times 2**16."""
    got = dot([6] * 4, [6] * 4, scales_a=4096.0, scales_b=1.0, a="e2m1-k4-e8m0", out=out,
              overflow=overflow, rounding=rounding)  # fmt: skip
    assert same(got, want)


# ------------------------------------------------------------------ profiles, by hand

ONES = [1.0] * 8


def test_sequential_sums_swamp_what_chunks_keep():
    """Wang et al. (NeurIPS 2018): eight ones onto 1024 in fp16 1-6-9, whose ulp there is 2.

    One by one each is a tie that goes back to 1024; chunks of four arrive as 4.
    """
    args = {"a": "e5m2", "out": "e6m9"}
    assert dot(ONES, ONES, 1024.0, accumulation="sequential", **args) == 1024
    assert dot(ONES, ONES, 1024.0, accumulation="chunk(1,e6m9)", **args) == 1024
    assert dot(ONES, ONES, 1024.0, accumulation="chunk(4,e6m9)", **args) == 1032
    assert dot(ONES, ONES, 1024.0, **args) == 1032


def test_a_chunk_is_rounded_inside_too():
    """256 + 1 ties back to 256 in bf16, then 3: 260 by ties to even from 259; exact: 260.

    The ulp of bf16 at 256 is 2: 256+1 = 256, 256+3 = 259 ties to 260.
    """
    values = [256.0, 1.0, 3.0, 0.0]
    assert dot(values, [1] * 4, a="bf16", out="fp32", accumulation="chunk(4,bf16)") == 260
    values = [256.0, 1.0, 1.0, 1.0]
    assert dot(values, [1] * 4, a="bf16", out="fp32", accumulation="chunk(4,bf16)") == 256
    assert dot(values, [1] * 4, a="bf16", out="fp32") == 259


def test_pairs_of_int16_in_int32():
    """Das et al. (arXiv 1802.00930): two products of int16 fill int32, the next pair goes to fp32.

    2 * 32767**2 = 2147352578, in fp32 (ulp 128) 2147352576; and with as much again
    4294705154, ulp 256, 4294705152.
    """
    most = [32767] * 4
    pairs = {"a": "int16sym-tensor-e8m0", "out": "fp32", "scales_a": 1.0, "scales_b": 1.0}
    assert dot(most, most, accumulation="chunk(auto,int32)", **pairs) == 4294705152
    spec: Any = unit("block-dot", a="dfp16", out="fp32", accumulation="chunk(auto,int32)")
    assert spec.accumulation == "chunk(2,int32)"
    # Four at a time leave int32: 4 * 32767**2 = 4294705156 = 2**32 - 262140.
    four = {"accumulation": "chunk(4,int32)", **pairs}
    assert dot(most, most, overflow="wrap", **four) == -262140
    assert dot(most, most, overflow="saturate", **four) == 2.0**31  # 2147483647 rounded


@pytest.mark.parametrize(
    ("element", "size", "inner", "count"),
    [
        ("int16sym", 32, "int32", 2),  # (2**31 - 1) // 32767**2
        ("int16", 32, "int32", 1),  # 32768**2 is half of 2**31: two leave it
        ("int8", 32, "int32", 32),  # 131071 would fit
        ("int8", 48, "int18", 6),  # 131071 // 16384 = 7, and 6 divides 48
        ("int8", 7, "int18", 7),
        ("int4sym", 64, "int8", 2),  # 127 // 49
        ("int8", 8, "int8", 1),  # one may leave it
    ],
)
def test_automatic_chunks(element, size, inner, count):
    spec: Any = unit("block-dot", a=f"{element}-tensor-e8m0", out="fp32", size=size,
                     accumulation=f"chunk(auto,{inner})")  # fmt: skip
    assert spec.profile.count == count


def test_chunks_are_scaled_when_they_join():
    """Inner sums are not scaled: 30000 + 30000 saturates at 32767 before 2**-10 is applied."""
    got = dot([100, 100], [300, 300], a="int16-k2-e8m0", out="fp32", scales_a=2.0**-10,
              scales_b=1.0, accumulation="chunk(2,int16)")  # fmt: skip
    assert got == 32767 * 2.0**-10


def test_wide_chunks_under_wide_scales():
    """An inner sum of 61 bits times scales of four bits each: more than 64, and none lost."""
    big = 2**23 - 1
    args: Any = {"a": "int24-k2-ue4m3", "out": "fp64", "scales_a": 1.875, "scales_b": 1.875}
    got = dot([big, big], [big, big], accumulation="chunk(2,fx64.14)", **args)
    assert got == float(Fraction(2 * big**2 * 225, 64))
    assert got == dot([big, big], [big, big], **args)


ALIGNED = [
    # NVIDIA's tensor cores cut terms off toward zero below the largest exponent (Fasi et al. 2021)
    ([1, 2.0**-7], [1, 2.0**-6], [1.0], 13, 1 + 2.0**-13),
    ([1, 2.0**-7], [1, 2.0**-7], [1.0], 13, 1.0),
    ([1, -(2.0**-7)], [1, 2.0**-7], [1.0], 13, 1.0),
    ([1, 1.5], [2.0**-6, 1.5], [1.0], 6, 2.25 + 2.0**-6),  # 2.25 has the exponent 0 of its fields
    # scales take part in the exponents
    ([1, 0, 1, 0], [1, 0, 1, 0], [1.0, 2.0**-4], 4, 1.0625),
    ([1, 0, 1, 0], [1, 0, 1, 0], [1.0, 2.0**-5], 4, 1.0),
    ([1, 0, 1, 0], [1, 0, 1, 0], [2.0**-100, 2.0**-104], 4, 17 * 2.0**-104),
]


@pytest.mark.parametrize(("a", "b", "scales", "bits", "want"), ALIGNED)
def test_aligned_sums_of_scaled_products(a, b, scales, bits, want):
    scales_a = scales if len(scales) > 1 else scales[0]
    got = dot(a, b, a="e4m3-k2-e8m0", b="e4m3", out="fp32", scales_a=scales_a,
              accumulation=f"aligned({bits})")  # fmt: skip
    assert got == want


def test_the_exponent_of_a_scale_is_that_of_its_field():
    """1.75 * 1.75 * 1.5 * 1.5 is 6.89: aligned at 2**0, not at 2**2; ue4m3 1.75, elements 1.5."""
    args: Any = {"a": "e2m1-k2-ue4m3", "out": "fp32", "scales_a": 1.75, "scales_b": 1.75}
    exact = 1.75 * 1.75 * 2.25
    got = dot([1.5, 0], [1.5, 0], 2.0**-4, accumulation="aligned(4)", **args)
    assert got == 6.875 + 2.0**-4
    assert exact == 6.890625


def test_groups_of_aligned_sums_are_rounded_between():
    """aligned(4,2): 1 + 2**-4 stays, then 2**-5 falls below the running sum's cut."""
    values = [1.0, 2.0**-4, 2.0**-5, 2.0**-5]
    args = {"a": "bf16", "out": "fp32"}
    assert dot(values, [1] * 4, accumulation="aligned(4,2)", **args) == 1.0625
    assert dot(values, [1] * 4, accumulation="aligned(5,2)", **args) == 1.125
    assert dot(values[::-1], [1] * 4, accumulation="aligned(4,2)", **args) == 1.125


def test_aligned_sums_of_four_factors_need_room():
    """Nine terms of nearly 16 times their exponent: 56 bits, 4 above, 4 for the count."""
    args: Any = {"a": "e2m1-k8-ue4m3", "out": "fp64", "scales_a": 1.875, "scales_b": 1.875}
    for bits in (50, 54, 55, 56, 57, 58, 60, 200):
        got = dot([1.5] * 8, [1.5] * 8, accumulation=f"aligned({bits})", **args)
        assert got == 8 * 1.5 * 1.5 * 1.875 * 1.875


def test_a_profile_may_name_its_rounding():
    spec = unit("block-dot", a="mxfp4", out="fp32", accumulation="Aligned( 25, 16, rtz )")
    assert spec.parameters["accumulation"] == "aligned(25,16)"
    assert spec.parameters["rounding"] == "rtz"
    assert unit("block-dot", **spec.parameters) == spec


# -------------------------------------------------------------------------------- beats


def random_block_codes(spec, count, seed=0):
    rng = np.random.default_rng(seed)
    return scalars.stimulus(spec, count, rng)


@pytest.mark.parametrize("name", ["mxfp4", "mxfp8-e4m3", "mxint8", "int4-k32-fp16"])
@pytest.mark.parametrize("lanes", [1, 8])
def test_beats_of_a_block_are_one_dot(name, lanes):
    whole: Any = unit("block-dot", a=name, out="fp32")
    parts: Any = unit("block-dot", a=name, out="fp32", lanes=lanes)
    codes = random_block_codes(whole, 200)
    beats = 32 // lanes
    split = {
        key: array.reshape(-1, lanes) if key in "ab" else array.repeat(beats)
        for key, array in codes.items()
    }
    last = np.tile(np.arange(beats) == beats - 1, 200)
    got = parts.evaluate(**split, last=last)["r"]
    assert np.array_equal(got, whole.evaluate(**codes)["r"])


def test_a_short_block_has_fewer_products():
    """The scales and the addend are those of the last beat."""
    spec: Any = unit("block-dot", a="e2m1-k8-e8m0", out="fp32", lanes=2)
    e2m1, fp32 = format("e2m1"), format("fp32")
    values = e2m1.encode([[1, 1], [2, 2], [3, 3]])  # type: ignore[union-attr]
    got = spec.evaluate(a=values, b=values, a_scale=[127, 128, 130], b_scale=127,
                        c=fp32.encode([5.0, 0.5, 0.25]), last=[0, 1, 1])  # type: ignore[union-attr]  # fmt: skip
    # 2 * (1+1+4+4) + 0.5 and 8 * (9+9) + 0.25
    assert fp32.decode(got["r"]).tolist() == [20.5, 144.25]  # type: ignore[union-attr]


def test_a_short_block_under_an_infinite_scale():
    """There is no zero product that would make it invalid."""
    spec: Any = unit("block-dot", a="int4-k8-fp16", b="int4", out="fp32", lanes=2)
    codes = {"a": [[1, 1]], "b": [[1, 1]], "c": [0], "last": [1]}
    assert np.isposinf(spec.out.decode(spec.evaluate(a_scale=[0x7C00], **codes)["r"]))
    codes["b"] = [[1, 0]]
    assert np.isnan(spec.out.decode(spec.evaluate(a_scale=[0x7C00], **codes)["r"]))


def test_a_result_of_too_many_beats():
    spec = unit("block-dot", a="mxfp4", out="fp32", lanes=16)
    zeros = np.zeros((3, 16), np.uint8)
    with pytest.raises(CodeError, match="block-dot: a sequence of 48 products exceeds terms=32"):
        spec.evaluate(a=zeros, b=zeros, a_scale=0, b_scale=0, c=0, last=[0, 0, 1])


PROFILES = ("exact", "sequential", "chunk(4,fp16)", "aligned(24)", "aligned(12,8)")


@pytest.mark.parametrize("acc", ["fp32", "fp16", "e4m3"])
@pytest.mark.parametrize("accumulation", PROFILES)
def test_block_mac_is_a_chain_of_block_dots(acc, accumulation):
    mac: Any = unit("block-mac", a="mxfp8-e4m3", b="mxfp4", out=acc, acc=acc,
                    accumulation=accumulation)  # fmt: skip
    one: Any = unit("block-dot", a="mxfp8-e4m3", b="mxfp4", out=acc, accumulation=accumulation)
    codes = random_block_codes(mac, 60)
    codes["last"] = (np.arange(60) % 4 == 3).astype(np.uint8)
    got = mac.evaluate(**codes)["r"]
    chain = np.zeros(15, one.out.code_dtype)
    for beat in range(4):
        part = {name: codes[name][beat::4] for name in ("a", "b", "a_scale", "b_scale")}
        chain = one.evaluate(**part, c=chain)["r"]
    assert np.array_equal(got, chain)


def test_exact_block_mac_rounds_once():
    """1, 2**-30 and -1 in three blocks: fp32 loses the second, the exact sum is that one."""
    codes = {
        "a": np.full((3, 1), format("e2m1").encode(1.0)),  # type: ignore[union-attr]
        "b": format("e2m1").encode([[1.0], [1.0], [-1.0]]),  # type: ignore[union-attr]
        "a_scale": [127, 97, 127], "b_scale": 127, "last": [0, 0, 1],
    }  # fmt: skip
    for acc, total in (("exact", 2.0**-30), ("fp32", 0.0)):
        spec: Any = unit("block-mac", a="e2m1-k1-e8m0", out="fp32", acc=acc)
        assert spec.out.decode(spec.evaluate(**codes)["r"]).tolist() == [total]


def test_blocks_begin_anew_after_last():
    """Sequences of 3 and 2 beats where a block has two: blocks of two and one beat, then two."""
    spec: Any = unit("block-mac", a="int8-k4-e8m0", out="fp32", lanes=2)
    one = [[1, 1]] * 5
    scales = [0, 128, 130, 0, 129]  # only those of a block's last beat count
    got = spec.evaluate(a=one, b=one, a_scale=scales, b_scale=127, last=[0, 0, 1, 0, 1])["r"]
    assert spec.out.decode(got).tolist() == [2 * 4 + 8 * 2, 4 * 4]


def test_contexts_take_turns():
    spec: Any = unit("block-mac", a="mxfp4", out="fp32", contexts=3)
    alone: Any = unit("block-mac", a="mxfp4", out="fp32")
    codes = random_block_codes(spec, 90)
    codes["last"] = (np.arange(90) % 30 >= 27).astype(np.uint8)
    got = spec.evaluate(**codes)["r"]
    for turn in range(3):
        own = {name: array[turn::3] for name, array in codes.items()}
        assert np.array_equal(got[turn::3], alone.evaluate(**own)["r"])


def test_each_rounding_has_its_own_default_policy():
    """An int32 accumulator saturates, and fp16 has infinities, whichever accumulates."""
    for kind, formats in (("mac", {"a": "int8"}), ("block-mac", {"a": "int8", "lanes": 1})):
        spec: Any = unit(kind, acc="int32", out="fp16", **formats)
        many = np.full((8, 1), 127, np.uint8)
        many = many[:, 0] if kind == "mac" else many
        got = spec.evaluate(a=many, b=many, last=np.arange(8) == 7)["r"]
        assert np.isposinf(spec.out.decode(got)).all()


def test_names_tell_inner_policies_apart():
    base = {"a": "e4m3", "out": "e4m3", "accumulation": "chunk(4,fp16)"}
    names = {
        unit("dot", **base, overflow=policy).name for policy in (None, "saturate", "nonfinite")
    }
    assert len(names) == 3


# ------------------------------------------------------------------------------- errors

CHOICES = (
    "must be exact, sequential, chunk(L,format), aligned(F[,G[,rounding]]), tensor-core(machine), "
    "cdna3 or rvbna[(G)]"
)


def profile_errors():
    for text, message in (
        ("tree", CHOICES),
        ("exact(3)", CHOICES),
        ("sequential(2)", CHOICES),
        ("chunk", CHOICES),
        ("aligned", CHOICES),
        ("chunk(4)", "must be chunk(L,format)"),
        ("chunk(4,,fp16)", "must be chunk(L,format)"),
        ("chunk(4,fp15)", "unknown format 'fp15'"),
        ("chunk(5,fp16)", "L=5 must divide the 32 products of a scale"),
        ("chunk(0,fp16)", "L must be an integer from 1 to 32, or auto"),
        ("chunk(64,fp16)", "L must be an integer from 1 to 32, or auto"),
        ("chunk(auto,fp16)", "auto with an integer format"),
        ("aligned()", "F from 4 to 256"),
        ("aligned(3)", "F from 4 to 256"),
        ("aligned(257)", "F from 4 to 256"),
        ("aligned(24,5)", "G=5 must be 0, or divide the 32 products of a scale"),
        ("aligned(24,8,up)", "rounding=up: must be one of rne, rna, rtz"),
        ("aligned(24,8,dynamic)", "takes one fixed direction"),
    ):
        shown = text.replace(" ", "")
        yield "block-dot", {"accumulation": text}, f"accumulation={shown}: ", message


ERRORS = [
    *profile_errors(),
    ("block-dot", {"a": None}, "block-dot: ", "parameter a is missing"),
    ("block-dot", {"a": "mxfp5"}, "a=mxfp5: ", "did you mean mxfp4"),
    ("block-dot", {"size": 48}, "size=48: ", "a multiple of the blocks of 32 elements of a=mxfp4"),
    ("block-dot", {"size": 0}, "size=0: ", "must be an integer from 1 to 4096"),
    ("block-dot", {"lanes": 12}, "lanes=12: ", "must divide the 32 products"),
    ("block-dot", {"lanes": 64}, "lanes=64: ", "must be an integer from 1 to 32"),
    ("block-dot", {"a": "nvfp4", "size": 32, "lanes": 16}, "lanes=16: ", "these 32 have 2"),
    ("block-dot", {"lanes": 8, "accumulation": "sequential"}, "lanes=8: ", "must be 32"),
    ("block-dot", {"a": "e2m1-k12-e8m0", "b": "e2m1-k8-e8m0", "size": 24}, "size=24: ", "cross"),
    ("block-dot", {"c": "mxfp4"}, "c=mxfp4: ", "must be a scalar format"),
    ("block-dot", {"out": "nvfp4"}, "out=nvfp4: ", "must be a scalar format"),
    (
        "block-dot",
        {"a": "int32-k8-fp32", "b": "int40-k8-fp32"},
        "a=int32-k8-fp32, b=",
        ": elements have 72",
    ),
    (
        "block-dot",
        {"a": "int8-k8-fp64", "b": "int8-k8-fp32"},
        "a=int8-k8-fp64, b=",
        "scales have 77 bits",
    ),
    (
        "block-dot",
        {"a": "int16-k8-fp32", "b": "int32-k8-fp32", "accumulation": "aligned(24)"},
        "accumulation=aligned(24): ",
        "must be exact above 64 bits",
    ),
    ("block-dot", {"a": "fp64", "accumulation": "sequential"}, "accumulation=", "above 64 bits"),
    ("block-dot", {"rounding": "dynamic"}, "rounding=dynamic: ", "one fixed direction"),
    ("block-dot", {"rounding": "sr", "accumulation": "sequential"}, "rounding=sr: ", "than once"),
    ("block-dot", {"overflow": "wrap"}, "overflow=wrap: ", "only fixed point wraps, not fp32"),
    (
        "block-dot",
        {"accumulation": "chunk(4,int16)", "overflow": "nonfinite"},
        "overflow=",
        "int16",
    ),
    ("block-mac", {"acc": "wide"}, "acc=wide: ", "unknown format 'wide'"),
    ("block-mac", {"acc": "mxfp4"}, "acc=mxfp4: ", "must be a scalar format"),
    ("block-mac", {"acc": "exact", "accumulation": "sequential"}, "accumulation=", "acc=exact"),
    ("block-mac", {"acc": "exact", "contexts": 2}, "contexts=2: ", "must be 1 with acc=exact"),
    ("block-mac", {"lanes": 8, "contexts": 2}, "contexts=2: ", "must be 1 with"),
    ("block-mac", {"contexts": 65}, "contexts=65: ", "must be an integer from 1 to 64"),
    ("block-mac", {"lanes": 48}, "lanes=48: ", "a multiple of the blocks of 32 elements"),
    ("block-mac", {"lanes": 12}, "lanes=12: ", "must divide the 32 products"),
    ("block-mac", {"terms": 8}, "terms=8: ", "must be at least the 32 of a block"),
    ("block-mac", {"acc": "int32", "overflow": "nonfinite"}, "overflow=nonfinite: ", "int32"),
    ("block-mac", {"size": 32}, "block-mac has no parameter 'size'", "lanes"),
]


@pytest.mark.parametrize(("kind", "parameters", "start", "message"), ERRORS)
def test_errors_name_the_parameter_the_value_and_what_is_allowed(kind, parameters, start, message):
    with pytest.raises(SpecError) as caught:
        unit(kind, **{"a": "mxfp4", "out": "fp32"} | parameters)
    text = str(caught.value)
    assert text.startswith(start)
    assert message in text
    assert "\n" not in text


# -------------------------------------------------------------------------- fractions


@pytest.mark.parametrize(("kind", "count"), [("block-dot", 16), ("block-mac", 12)])
@pytest.mark.parametrize("seed", [1, 2])
def test_random_units_against_fractions(kind, count, seed):
    """Several beats give fewer results than there are."""
    assert scalars.fractions_of_many(kind, 40, count, seed) > 40 * count // 4


WIDE = [
    ("block-dot", {"a": "int8-k4-fp32", "b": "int16-k4-fp32", "size": 8, "out": "fp32"}),
    ("block-dot", {"a": "fx28.27-k8-fp32", "out": "bf16", "rounding": "rtz"}),
    ("block-dot", {"a": "fp16-k4-fp32", "b": "int24-k2-bf16", "out": "int32", "c": "int16"}),
    ("block-dot", {"a": "int32-k4-fp32", "out": "fp32", "lanes": 2}),
    ("block-mac", {"a": "int8-k4-fp32", "b": "int16-k4-fp32", "out": "fp32"}),
    ("block-mac", {"a": "fx28.27-k2-fp32", "out": "fp32", "acc": "exact", "terms": 16}),
]
"""Products that exceed 64 bits with their scales, and not without."""


@pytest.mark.parametrize(("kind", "parameters"), WIDE)
def test_wide_scales_against_fractions(kind, parameters):
    assert scalars.fractions(unit(kind, **parameters), 60) > 7


@pytest.mark.parametrize("parameters", scalars.BLOCK_SUMS, ids=lambda p: unit(**p).name)
def test_common_units_against_fractions(parameters):
    assert scalars.fractions(unit(**parameters), 24) > 3
