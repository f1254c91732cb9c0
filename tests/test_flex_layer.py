# SPDX-License-Identifier: BSD-2-Clause
"""A layer that finds its own exponents: flex-mac and autoflex, and no host between them."""

from typing import Any

import numpy as np
from amaranth.hdl import Elaboratable, Module, Signal
from amaranth.sim import Simulator

from macaw.golden import unit
from macaw.golden.tensors.flexpoint import FlexTensor
from macaw.hdl import Implementation, build

ROWS, TERMS, LANES, STEPS = 3, 8, 4, 48
BIAS = 31


class Layer(Elaboratable):
    """The products of a matrix and a vector at each step, and the scale that they are stored with.

    The predictor gets the statistics with the last result of a tensor; what it says is the scale of
    the next one.
    """

    def __init__(self, start: int):
        mac = unit("flex-mac", a="flex16+5", lanes=LANES)
        predictor = unit("autoflex", out="flex16+5", length=8)
        self.mac: Any = build(mac, Implementation(stages=2, flow="valid"))
        self.predictor: Any = build(predictor, Implementation(fold=8, flow="valid"))
        self.scale = Signal(5, init=start)
        self.starting = Signal(init=1)
        self.settles = Signal()

    def elaborate(self, platform: object) -> Module:
        """Both units, a register for the scale, and the end of a tensor as late as its result."""
        m = Module()
        m.submodules.mac, m.submodules.predictor = mac, predictor = self.mac, self.predictor
        closes = mac.i_valid & mac.i_last & mac.i_end
        for number in range(mac.latency):
            later = Signal(name=f"closes_{number}")
            m.d.sync += later.eq(closes)
            closes = later
        m.d.comb += [
            mac.i_r_scale.eq(self.scale),
            predictor.i_valid.eq(mac.o_valid & closes),
            predictor.i_maximum.eq(mac.o_maximum),
            predictor.i_scale.eq(self.scale),
            predictor.i_init.eq(self.starting),
            predictor.i_end.eq(0),
            self.settles.eq(predictor.o_valid),
        ]
        with m.If(predictor.o_valid):
            m.d.sync += self.scale.eq(predictor.o_r)
            m.d.sync += self.starting.eq(self.starting & ~predictor.o_settled)
        return m


def _inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Mantissas of the matrix and of the vectors, codes of the vectors' scales and the matrix's."""
    rng = np.random.default_rng(4)
    matrix = rng.integers(-(2**14), 2**14, (ROWS, TERMS))
    vectors = rng.integers(-(2**14), 2**14, (STEPS, TERMS))
    steps = np.arange(STEPS)
    # still, growing, a leap beyond the range, shrinking; some vectors are zero
    scales = np.select([steps < 10, steps < 26, steps < 32], [10, steps, 31], 44 - steps // 2)
    vectors[[18, 40]] = 0
    return matrix, vectors, np.clip(scales, 0, 31), 14


def test_layer_without_a_host():
    """Mantissas and exponents of every step are golden's."""
    matrix, vectors, scales, matrix_scale = _inputs()
    layer = Layer(start=20)
    stored: list[list[int]] = []
    chosen: list[int] = []

    async def drive(context: Any) -> None:
        mac = layer.mac
        context.set(mac.i_a_scale, matrix_scale)
        for vector, scale in zip(vectors.tolist(), scales.tolist(), strict=True):
            context.set(mac.i_b_scale, scale)
            for row in range(ROWS):
                for begin in range(0, TERMS, LANES):
                    lanes = slice(begin, begin + LANES)
                    context.set(mac.i_a, _packed(matrix[row, lanes].tolist()))
                    context.set(mac.i_b, _packed(vector[lanes]))
                    context.set(mac.i_last, int(begin + LANES == TERMS))
                    context.set(mac.i_end, int(row == ROWS - 1))
                    context.set(mac.i_valid, 1)
                    await context.tick()
            context.set(mac.i_valid, 0)
            await context.tick().until(layer.settles)

    async def watch(context: Any) -> None:
        results: list[int] = []
        names = (layer.mac.o_valid, layer.mac.o_r, layer.settles, layer.predictor.o_r)
        async for *_, valid, code, settles, scale in context.tick().sample(*names):
            if valid:
                results.append(code - (code >> 15 << 16))
            if settles:
                stored.append(results)
                chosen.append(scale)
                results = []

    simulator = Simulator(layer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_testbench(watch, background=True)
    simulator.run()

    predictor = unit("autoflex", out="flex16+5", length=8)
    scale, starting = 20, 1
    taken: list[tuple[int, int, int, int]] = []
    tried = []
    for step in range(STEPS):
        left = FlexTensor(mantissas=matrix.astype(np.int16), exponent=matrix_scale - BIAS)
        right = FlexTensor(
            mantissas=vectors[step].astype(np.int16)[:, None], exponent=int(scales[step]) - BIAS
        )
        result = left.matmul(right, scale - BIAS)
        assert stored[step] == result.mantissas[:, 0].tolist(), step
        taken.append((result.maximum, scale, starting, 0))
        columns = zip(*taken, strict=True)
        codes = predictor.evaluate(
            **{
                name: np.array(column, np.uint16)
                for name, column in zip(predictor.ports.inputs, columns, strict=True)
            }
        )
        scale, starting = int(codes["r"][-1]), starting & ~int(codes["settled"][-1])
        tried.append(result.overflow)
        assert chosen[step] == scale, step
    assert not starting
    assert any(tried), "an overflow, and the recovery from it"
    assert not all(tried[-5:])
    assert len(set(chosen)) > 8


def _packed(lanes: list[int]) -> int:
    return sum((lane & 0xFFFF) << 16 * number for number, lane in enumerate(lanes))
