# SPDX-License-Identifier: BSD-2-Clause
"""Gates that quantise, dequantise and rotate: against golden, on blocks of every kind."""

from typing import Any

import numpy as np
import pytest
from simulated import simulated

from macaw.golden import SpecError, format, unit
from macaw.golden.arithmetic.operands import Operand
from macaw.hdl import build, generate
from macaw.hdl.arithmetic.divide import divide
from macaw.hdl.arithmetic.shift import largest
from macaw.hdl.arithmetic.words.butterfly import butterfly
from macaw.hdl.schedule.scheduler import Scheduler
from macaw.hdl.schedule.wire import Wire, cat
from macaw.sim import verify
from macaw.sim.stimulus.block import blocks, tensor_scales

UNITS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("block-quantize", {"a": "bf16", "out": "mxfp4", "size": 4}, {}),
    ("block-quantize", {"a": "fp16", "out": "mxint8", "size": 3, "rounding": "sr"}, {"stages": 2}),
    ("block-quantize", {"a": "bf16", "out": "hbfp8", "size": 3, "scale_rule": "even"}, {}),
    ("block-quantize", {"a": "bf16", "out": "nvfp4", "size": 2}, {"stages": 3, "flow": "stream"}),
    ("block-quantize", {"a": "fp16", "out": "ue5m3int4", "size": 2, "order": "exact"}, {}),
    ("block-dequantize", {"a": "nvfp4", "out": "bf16", "size": 4}, {"stages": 1}),
    ("block-dequantize", {"a": "mxint8", "out": "fp16", "size": 3, "rounding": "sr"}, {}),
    ("hadamard", {"a": "e4m3", "out": "bf16", "size": 8, "signs": 37}, {"stages": 2}),
    ("hadamard", {"a": "bf16", "size": 4, "accumulation": "aligned(12)"}, {"flow": "valid"}),
]


@pytest.mark.parametrize(("kind", "parameters", "options"), UNITS, ids=lambda x: str(x)[:60])
def test_bits_are_golden(kind: str, parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit(kind, **parameters)
    report = verify(spec, simulator="bulk", vectors=4000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize("size", [1, 5, 32])
def test_largest(size: int):
    words = np.random.default_rng(1).integers(0, 64, (200, size))
    got = simulated(
        lambda p, word: largest(p, word.lanes(6)), 6 * size, [_joined(row, 6) for row in words]
    )
    assert got == words.max(1).tolist()


@pytest.mark.parametrize("divisor", [1, 2, 3, 7, 8, 21])
def test_divide(divisor: int):
    """Every dividend of 8 bits: digits and sticky are those of the integer quotient."""
    width, digits = divisor.bit_length(), 7

    def build(p: Scheduler, word: Wire) -> Wire:
        quotient, sticky = divide(p, word, p.constant(divisor), digits)
        return cat(sticky, quotient)

    got = simulated(build, 8, range(256))
    for dividend, result in enumerate(got):
        scaled = dividend << 16
        weight = 16 + 8 - width - (digits - 1)
        whole, rest = divmod(scaled, divisor << weight)
        assert result == whole << 1 | (rest != 0), dividend


def test_butterfly():
    matrix = [[(-1) ** (i & j).bit_count() for j in range(4)] for i in range(4)]
    words = np.random.default_rng(1).integers(0, 16, (50, 4))

    def build(p: Scheduler, word: Wire) -> Wire:
        return cat(*(total.bits(8) for total in butterfly(p, word.lanes(4))))

    got = simulated(build, 16, [_joined(row, 4) for row in words])
    for row, result in zip(words, got, strict=True):
        assert [result >> 8 * i & 255 for i in range(4)] == [x % 256 for x in matrix @ row]


def test_wide_transforms_are_refused():
    with pytest.raises(SpecError, match=r"accumulation=exact: .* use accumulation=aligned\(24\)"):
        build(unit("hadamard", a="bf16"))


def test_ports_of_several_results():
    design = generate(unit("block-quantize", a="bf16", out="nvfp4", size=4), stages=1)
    ports = {port["name"]: port["width"] for port in design.metadata["ports"]}
    assert ports == {"clk": 1, "rst": 1, "i_a": 64, "i_encode": 32, "i_decode": 32} | {
        "o_r": 16,
        "o_scale": 7,
    }


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16", "e4m3", "e4m3fnuz", "dlfloat16", "ue4m3"])
def test_blocks_are_of_every_kind(name: str):
    operand = Operand(format=format(name), lanes=5)
    codes = blocks(np.random.default_rng(0), operand, 2000)
    assert codes.shape == (2000, 5)
    assert codes.dtype == operand.format.code_dtype
    assert not (codes.astype(np.int64) >> operand.format.width).any()
    values = np.abs(operand.format.decode(codes))
    assert np.isnan(values).any()
    assert (~values.any(1)).sum() > 50
    least, most = values.min(1), values.max(1)
    assert ((least == most) & (most > 0)).sum() > 50
    with np.errstate(invalid="ignore", divide="ignore"):
        mantissa = np.frexp(most[np.isfinite(most) & (most > 0)])[0]
    assert (mantissa == 0.5).sum() > 100


def test_tensor_scales_suit_their_blocks():
    amax = np.exp2(np.random.default_rng(0).uniform(-30, 30, 4000))
    encode, decode = tensor_scales(np.random.default_rng(1), amax, 6 * 448)
    ratio = encode.view(np.float32) * amax / 2688
    assert ((ratio > 2**-21) & (ratio < 4)).mean() > 0.8
    for codes in (encode, decode):
        assert (codes == 0).any()
        assert (codes >= 0x7F800000).any()


def _joined(row: np.ndarray, width: int) -> int:
    return sum(int(x) << width * i for i, x in enumerate(row))
