# SPDX-License-Identifier: BSD-2-Clause
"""What the studies of cost compute themselves: sums, counts, recordings, factors."""

import numpy as np
import pytest

import macaw
from benchmarks.studies.digits_network import SHAPES, Network
from benchmarks.studies.price import claims, layers, minifloats, rows


def small_network() -> Network:
    random = np.random.default_rng(1)
    return Network(
        layers={n: (random.standard_normal(s) / 4, np.zeros(s[0])) for n, s in SHAPES.items()}
    )


IMAGES = np.random.default_rng(2).random((2, 8, 8, 1))


def test_long_sums_go_on_from_what_there_is():
    a, b = claims.operands("normal", (3, 128), np.random.default_rng(1))
    specs = [
        macaw.unit("dot", a="e5m2", out="e6m9", lanes=n, accumulation="sequential")
        for n in (32, 128)
    ]
    short, whole = (claims.summed(spec, a, b) for spec in specs)
    assert short.tolist() == whole.tolist()


def test_errors_grow_less_in_chunks():
    found = {(r["data"], r["length"], r["sum"]): r["error"] for r in claims.sums(4, 4096, 1)}
    sequential, chunked, exact = (found["positive", 4096, how] for how in claims.ACCUMULATIONS)
    assert sequential > 10 * chunked > 10 * exact
    assert found["positive", 64, "sequential"] == found["positive", 64, "chunk(64,e6m9)"]


def test_results_are_counted_by_column():
    made = np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]])
    found = claims.several("x", made, np.array([1.0, -1.0]))
    assert (found["products"], found["different"], found["results"]) == (2, 1, 2.0)
    assert found["spread"] == 2.0


def test_an_exact_sum_has_no_order():
    found = {row["sum"]: row for row in claims.orders(3, 256, 1)}
    assert found["exact, bf16"]["results"] == 1
    assert found["sequential, bf16"]["results"] > 1
    assert found["sequential, bf16"]["spread"] > found["sequential, fp32"]["spread"] > 0


@pytest.mark.parametrize("width", minifloats.WIDTHS)
def test_all_splits_of_a_width(width: int):
    names = minifloats.floats(width)
    formats = [macaw.format(name) for name in names]
    assert len({*names}) == width - 1
    for fmt in formats:
        assert fmt.width == width
        values = fmt.decode(np.arange(1 << width))
        assert np.isfinite(values).all()


def test_the_factor_is_that_of_least_error():
    values = np.array([0.1, -0.5, 0.7, 3.0])
    fmt = macaw.format("int4")
    factor = minifloats.factor_of(values, fmt)
    first = 7 / 3
    tried = [first * 2 ** (step / 4) for step in range(minifloats.STEPS)]
    errors = [
        np.sum((np.clip(np.rint(values * each), -8, 7) / each - values) ** 2) for each in tried
    ]
    assert factor == tried[int(np.argmin(errors))]


def test_the_network_is_run_as_it_is():
    network = small_network()
    logits = minifloats.forward(network, IMAGES, lambda _, x: x)
    assert logits.tolist() == network.run(IMAGES)["logits"].tolist()


def test_wide_formats_keep_the_network():
    labels = np.array([1, 2])
    kept = [
        minifloats.kept(name, small_network(), IMAGES, IMAGES, labels)["logits"]
        for name in ("int3", "int8", "int16")
    ]
    assert kept == sorted(kept)
    assert kept[-1] > 60


def test_what_is_recorded_of_the_network_stays(monkeypatch):
    monkeypatch.setattr(
        minifloats, "network", lambda formats, epochs: {"rows": [{"format": f} for f in formats]}
    )
    recorded = {"network": {"rows": [{"format": "int4", "accuracy": 0.5}]}, "ecp5": 1}
    assert minifloats.with_network(recorded, ["int4"], 1) == recorded
    anew = minifloats.with_network(recorded, ["e2m1", "int4"], 1)
    assert anew == {"network": {"rows": [{"format": "int4"}, {"format": "e2m1"}]}, "ecp5": 1}
    assert minifloats.with_network({}, ["int4"], 1) == {"network": {"rows": [{"format": "int4"}]}}


@pytest.mark.parametrize("name", layers.FORMATS)
def test_a_recording_is_the_dot_products_of_a_layer(name: str):
    network = small_network()
    codes = layers.recording(network, IMAGES, "conv3", name, 100)
    fmt = macaw.format(name)
    beats = 9 * SHAPES["conv3"][3] // layers.LANES
    assert codes["last"].tolist() == ([0] * (beats - 1) + [1]) * (len(codes["a"]) // beats)
    a, b = (fmt.decode(codes[each]).reshape(-1, beats * layers.LANES) for each in "ab")
    weight = network.layers["conv3"][0].reshape(len(network.layers["conv3"][0]), -1)
    for row, channel in enumerate(b):
        assert np.corrcoef(channel, weight[row % len(weight)])[0, 1] > 0.99
    assert (a >= 0).all()
    assert a.any(axis=1).all()
    spec = layers.unit_of(name)
    assert len(
        spec.evaluate(
            **codes, **({"bias": np.zeros(len(codes["a"]), np.uint32)} if name == "int8" else {})
        )["r"]
    )


ROWS = [{"format": name, "cost": 1} for name in ("int8", "mxfp4")]


def test_formats_that_are_not_asked_for_stay():
    old = {"settings": {"clock": "60FO4", "reference": "int8"}, "rows": ROWS}
    made = [{"format": name, "cost": 2} for name in ("mxfp4", "extra", "fp16")]
    new = {"settings": {"clock": "60FO4", "reference": "mxfp4"}, "rows": made}
    found = rows.joined(old, new, ("fp16", "int8", "mxfp4"))
    told = [(row["format"], row["cost"]) for row in found["rows"]]
    assert told == [("fp16", 2), ("int8", 1), ("mxfp4", 2), ("extra", 2)]
    assert rows.joined({}, old, ("int8",))["rows"] == ROWS


def test_rows_of_other_settings_do_not():
    old = {"settings": {"clock": "60FO4"}, "rows": ROWS}
    new = {"settings": {"clock": "30FO4"}, "rows": ROWS[:1]}
    assert rows.joined(old, new, ("int8", "mxfp4")) == new
