# SPDX-License-Identifier: BSD-2-Clause
"""The units of Flexpoint in gates: cases by hand, random ones, and layers of a training again."""

import subprocess

import numpy as np
import pytest

from benchmarks.studies import training
from macaw.golden import Autoflex
from macaw.golden.errors import CodeError, SpecError
from macaw.golden.units import unit
from macaw.hdl import generate
from macaw.sim import verify
from macaw.sim.bench.bulk import TRAFFIC, Model
from macaw.sim.proof.outsiders import flex as prove_flex_units
from macaw.tools import simulators

needs_bulk = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")

# What flat Verilog from Yosys has by its nature: tests/sim/test_catalogue.py.
EXPECTED_WARNINGS = ("PROCASSINIT", "UNUSEDSIGNAL", "UNOPTFLAT", "WIDTHEXPAND")


def codes(numbers, width=16):
    return [number % (1 << width) for number in numbers]


def simulated(spec, arrays, **options):
    with Model.of(generate(spec, **options)) as model:
        results, problem = model.run({n: np.asarray(array) for n, array in arrays.items()})
    assert problem is None
    return results


def beats(rows):
    """Arrays for flex-mac from rows of a, b, ea, eb, er, last, end."""
    a, b, ea, eb, er, last, end = zip(*rows, strict=True)
    scales = [np.array(exponents) + 31 for exponents in (ea, eb, er)]
    names = ("a_scale", "b_scale", "r_scale")
    arrays = {"a": codes(a), "b": codes(b), **dict(zip(names, scales, strict=True))}
    return {n: np.asarray(x, np.uint16) for n, x in (arrays | {"last": last, "end": end}).items()}


# a, b, exponents of a, b and the result, last, end; then r, maximum, overflow of each `last`
BY_HAND = {
    "the largest magnitude is that of the most negative integer": (
        [(-32768, 1, 0, 0, 0, 1, 0), (1, 1, 0, 0, 0, 1, 1)],
        [(-32768, 32768, 1), (1, 32768, 1)],
    ),
    "overflow from 32767 on, either sign": (
        [(x, 1, 0, 0, 0, 1, 1) for x in (32766, 32767, -32766, -32767)],
        [(32766, 32766, 0), (32767, 32767, 1), (-32766, 32766, 0), (-32767, 32767, 1)],
    ),
    "end without last means nothing": (
        [(5, 1, 0, 0, 0, 1, 0), (2, 1, 0, 0, 0, 0, 1), (1, 1, 0, 0, 0, 1, 1),
         (-2, 1, 0, 0, 0, 1, 1)],
        [(5, 5, 0), (3, 5, 0), (-2, 2, 0)],
    ),
    "ties go to even": (
        [(x, 1, 0, -1, 0, 1, 1) for x in (1, 3, 5, -1, -3, -5, 2, -7)],
        [(0, 0, 0), (2, 2, 0), (2, 2, 0), (0, 0, 0), (-2, 2, 0), (-2, 2, 0), (1, 1, 0),
         (-4, 4, 0)],
    ),
    "exponents at their ends": (
        [(1, 1, 0, 0, -31, 1, 1), (-1, 1, 0, 0, -31, 1, 1), (0, 1, 0, 0, -31, 1, 1),
         (-32768, -32768, -31, -31, 0, 1, 1), (-32768, -32768, -31, 0, 0, 1, 1),
         (-32768, -32768, -15, 0, 0, 1, 1), (32767, -32768, -15, 0, 0, 1, 1),
         (-32768, 32767, -15, -15, 0, 1, 1), (1, -1, -31, -31, 0, 1, 1)],
        [(32767, 32767, 1), (-32768, 32768, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0),
         (32767, 32767, 1), (-32767, 32767, 1), (-1, 1, 0), (0, 0, 0)],
    ),
    "a sum needs no room beside its result": (
        [*[(32767, 32767, 0, 0, 0, 0, 0)] * 3, *[(-32767, 32767, 0, 0, 0, 0, 0)] * 3,
         (3, 7, -9, -9, -18, 1, 1)],
        [(21, 21, 0)],
    ),
    "rounding reaches the end of the range, not beyond": (
        [(32767, 2, -1, 0, 0, 0, 0), (1, 1, 0, -1, 0, 1, 1), (-32768, 2, 0, 0, 0, 0, 0),
         (-1, 1, 0, -1, 0, 1, 1)],
        [(32767, 32767, 1), (-32768, 32768, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name):
    rows, wanted = BY_HAND[name]
    results = unit("flex-mac", a="flex16+5").evaluate(**beats(rows))
    r = results["r"].astype(np.int16).tolist()
    assert list(zip(r, results["maximum"], results["overflow"], strict=True)) == wanted


@needs_bulk
def test_by_hand_in_gates():
    spec = unit("flex-mac", a="flex16+5")
    arrays = beats([row for rows, _ in BY_HAND.values() for row in rows])
    results, wanted = simulated(spec, arrays, stages=3), spec.evaluate(**arrays)
    for port, expected in wanted.items():
        np.testing.assert_array_equal(results[port], expected)


def test_golden_agrees_with_fractions():
    """Every unit, many formats up to 32 bits, every rounding, on what the gates get."""
    assert prove_flex_units.some(20, 3) > 3000


RANDOM = [
    ({"kind": "flex-mac", "a": "flex16+5", "lanes": 8}, {"stages": 3, "flow": "stream"}),
    ({"kind": "flex-mac", "a": "flex8+5", "rounding": "sr"}, {"stages": 2, "flow": "valid"}),
    ({"kind": "flex-mac", "a": "flex16+5", "b": "flex8+3", "out": "flex12+6", "lanes": 3},
     {"frequency": 100.0, "bus": "axis"}),
    ({"kind": "flex-matmul", "a": "flex16+5", "rows": 2, "columns": 2}, {"stages": 2}),
    ({"kind": "flex-add", "a": "flex8+3", "b": "flex12+5", "out": "flex9+4", "lanes": 3,
      "rounding": "rna"}, {"stages": 1, "bus": "axis"}),
    ({"kind": "flex-mul", "a": "flex16+5", "lanes": 2, "rounding": "rup"}, {"stages": 1}),
]  # fmt: skip


def ids(value):
    return "_".join(str(part).replace("flex-", "") for part in value.values())


@needs_bulk
@pytest.mark.parametrize(("parameters", "options"), RANDOM, ids=ids)
def test_gates_agree_with_golden(parameters, options):
    report = verify(unit(**parameters), simulator="bulk", vectors=40_000, seed=1, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize(("parameters", "options"), RANDOM[2:5], ids=ids)
def test_lint(parameters, options, tmp_path):
    tool = simulators.verilator()
    design = generate(unit(**parameters), **options)
    design.write(tmp_path)
    allowed = [f"-Wno-{name}" for name in EXPECTED_WARNINGS]
    command = [*tool.command, "--lint-only", "-Wall", *allowed, f"{design.name}.v"]
    done = subprocess.run(
        command, cwd=tmp_path, env=tool.environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "%Warning" not in done.stderr


def test_stimulus_reaches_what_matters():
    from macaw.sim.stimulus import stimulus

    spec = unit("flex-mac", a="flex16+5")
    parts = list(stimulus(spec, vectors=1 << 18, seed=4))
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    results = spec.evaluate(**arrays)
    last = arrays["last"] != 0
    shift = arrays["r_scale"].astype(int) - arrays["a_scale"] - arrays["b_scale"]
    r = results["r"].astype(np.int16)
    assert 0.2 < results["overflow"].mean() < 0.8
    assert shift[last].min() < -55
    assert shift[last].max() > 25
    assert 0.05 < ((r == 32767) | (r == -32768)).mean() < 0.5
    near = unit("flex-mac", a="flex16+5", rounding="rna").evaluate(**arrays)["r"]
    assert (near != results["r"]).mean() > 0.002, "ties"


def test_refusals():
    with pytest.raises(SpecError, match=r"a=fp16: must be a Flexpoint format"):
        unit("flex-mac", a="fp16")
    with pytest.raises(SpecError, match="overflow=wrap: Flexpoint saturates"):
        unit("flex-add", a="flex16+5", overflow="wrap")
    with pytest.raises(SpecError, match="terms=4: must be at least lanes=8"):
        unit("flex-mac", a="flex16+5", lanes=8, terms=4)
    with pytest.raises(SpecError, match=r"terms=1073741824: the sum needs 158 bits|needs 9\d bits"):
        generate(unit("flex-mac", a="flex32+8", terms=1 << 30), widest_sum=90)
    spec = unit("flex-mac", a="flex16+5", terms=2)
    with pytest.raises(CodeError, match="a sequence of 3 products exceeds terms=2"):
        spec.evaluate(a=[1] * 3, b=1, a_scale=0, b_scale=0, r_scale=0, last=[0, 0, 1], end=0)
    with pytest.raises(CodeError, match="the beats must be the only axis"):
        spec.evaluate(a=[[1]], b=1, a_scale=0, b_scale=0, r_scale=0, last=1, end=0)


class Tiles:
    """A matrix product cut into tiles for `flex-matmul`, and put together again."""

    def __init__(self, a, b, rows, columns):
        self.shape = (*a.shape[:-1], b.shape[1])
        a = a.mantissas.reshape(-1, a.shape[-1]).view(np.uint16)
        b = b.mantissas.view(np.uint16)
        self.m, self.n = a.shape[0], b.shape[1]
        self.rows, self.columns, depth = rows, columns, a.shape[1]
        self.down, self.across = -(-self.m // rows), -(-self.n // columns)
        a = np.pad(a, ((0, self.down * rows - self.m), (0, 0)))
        b = np.pad(b, ((0, 0), (0, self.across * columns - self.n)))
        # One beat for each place in depth, tile after tile.
        a = np.repeat(a.reshape(self.down, rows, depth).swapaxes(1, 2), self.across, 0)
        b = np.tile(b.reshape(depth, self.across, columns).swapaxes(0, 1), (self.down, 1, 1))
        last = np.zeros(len(a) * depth, np.uint8)
        last[depth - 1 :: depth] = 1
        end = np.zeros_like(last)
        end[-1] = 1
        self.arrays = {"a": a.reshape(-1, rows), "b": b.reshape(-1, columns)}
        self.arrays |= {"last": last, "end": end}

    def joined(self, r):
        tiles = r.reshape(self.down, self.across, self.rows, self.columns).swapaxes(1, 2)
        whole = tiles.reshape(self.down * self.rows, -1)[: self.m, : self.n]
        return whole.astype(np.uint16).view(np.int16).reshape(self.shape)


@pytest.fixture(scope="module")
def tile():
    """`flex-matmul` in gates."""
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    spec = unit("flex-matmul", a="flex16+5", rows=4, columns=4)
    with Model.of(generate(spec, stages=2, flow="stream")) as model:
        yield model


@pytest.mark.parametrize(("kind", "batch"), [("mlp", 8), ("conv", 1)])
def test_layers_of_a_training(kind, batch, tile):
    """Every matrix product of two steps, in gates; their statistics choose the exponents."""
    products = training.record(kind, steps=2, batch=batch)
    assert len(products) > 10

    def written(product, exponent):
        tiles = Tiles(product.a, product.b, 4, 4)
        scales = {"a": product.a.exponent, "b": product.b.exponent, "r": exponent}
        beats = len(tiles.arrays["last"])
        for name, value in scales.items():
            tiles.arrays[f"{name}_scale"] = np.full(beats, value + 31, np.uint8)
        results, problem = tile.run(tiles.arrays, traffic=TRAFFIC[1], seed=beats)
        assert problem is None
        return tiles.joined(results["r"]), results["maximum"][-1], results["overflow"][-1]

    managers = {}
    for product in products:
        manager = managers.get(product.name)
        if manager is None:
            manager = managers[product.name] = Autoflex("flex16+5")
            while not manager.initialise(int(written(product, manager.exponent)[1])):
                pass
        assert manager.exponent == product.result.exponent
        mantissas, maximum, overflow = written(product, manager.exponent)
        np.testing.assert_array_equal(mantissas, product.result.mantissas)
        assert maximum == product.result.maximum
        assert bool(overflow) == product.result.overflow
        manager.update(int(maximum))
