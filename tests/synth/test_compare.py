# SPDX-License-Identifier: BSD-2-Clause
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

from macaw.golden.errors import MacawError, SpecError
from macaw.golden.formats.block import BLOCKS, expand_scales
from macaw.golden.formats.block import format as format_of
from macaw.golden.units import unit
from macaw.synth import Comparison, Row, Settings, accuracy, compare, jobs, run, source
from macaw.synth.columns import figures
from macaw.synth.compare import _relative as relative
from macaw.synth.work import accumulator, candidates, kind_of, lanes_of


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(shared, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(shared))


@pytest.mark.parametrize(
    ("name", "sums"),
    [("fp32", "fp32"), ("e4m3", "fp32"), ("e2m1", "fp32"), ("int4", "int32"), ("int8", "int32"),
     ("int16", "int48"), ("fx8.6", "fx32.12"), ("mxfp4", "fp32"), ("dfp16", "fp32"),
     ("binary", "int32"), ("shift4", "int32"), ("binary:binary", "int32"), ("int4:int8", "int32"),
     ("ternary:int16", "int32"), ("int8:int16", "int40"), ("int4:fp16", "fp32"),
     ("binary:bf16", "fp32")],
)  # fmt: skip
def test_accumulators(name, sums):
    assert accumulator(name) == format_of(sums)


@pytest.mark.parametrize("name", ["fp64", "int32"])
def test_formats_without_an_accumulator(name):
    with pytest.raises(SpecError, match=f"{name}: .* accumulator"):
        accumulator(format_of(name))


def test_candidates_do_equal_work():
    kinds = [spec.kind for spec in candidates(format_of("e4m3"))]
    assert kinds == ["fma", "mac"]
    assert [spec.name for spec in candidates(format_of("int8"))] == ["fma_int8_int32"]
    (exact, aligned) = candidates(format_of("bf16"), "dot", 8)
    assert (exact.macs, aligned.macs) == (8, 8)
    with pytest.raises(SpecError, match="lanes"):
        candidates(format_of("e4m3"), "fma", 4)


@pytest.mark.parametrize(
    ("name", "lanes"),
    [("bf16", 32), ("int8", 32), ("mxfp4", 32), ("nvfp4", 16), ("hbfp8", 24), ("dfp16", 32),
     ("e2m1-k8-e8m0", 8), ("int4sym-k128-fp16", 32), ("int4sym-k48-fp16", 24)],
)  # fmt: skip
def test_beside_a_block_format_all_are_dot_products(name, lanes):
    fmt = format_of(name)
    assert lanes_of(fmt, [fmt, format_of("mxfp4")]) == lanes
    for spec in candidates(fmt, kind_of([fmt, format_of("mxfp4")]), lanes):
        assert spec.macs == lanes
        assert spec.kind == ("dot" if name in ("bf16", "int8") else "block-dot")
    assert lanes_of(format_of("bf16"), [format_of("fp32"), format_of("int8")]) == 1


def test_lanes_that_are_given_hold_for_blocks_too():
    assert [spec.size for spec in candidates(format_of("mxfp4"), "dot", 64)] == [64, 64]
    with pytest.raises(SpecError, match="size=48"):
        candidates(format_of("mxfp4"), "dot", 48)
    with pytest.raises(SpecError, match="mac takes no block format"):
        candidates(format_of("mxfp4"), "mac")


@pytest.mark.parametrize("name", [*BLOCKS, "int4sym-k128-fp16", "e2m1-k8x4-ue4m3-fp32"])
def test_dot_products_of_blocks_are_those_of_the_dequantised_values(name):
    # In float64: what the exact sum in blocks and fp32 between them may differ by is far below.
    fmt = format_of(name)
    spec = candidates(fmt, "auto", lanes_of(fmt, [fmt]))[0]
    random = np.random.default_rng(1)
    values = {operand: random.standard_normal((6, 200)) for operand in "ab"}
    codes, scale, exact = {}, 1.0, np.ones((6, 200))
    for operand, array in values.items():
        made, factor = accuracy.quantized(spec, operand, array)
        codes |= made
        scale *= factor
        exact *= fmt.quantize(array).dequantize()
    found = accuracy.dot_products(spec, **codes) / scale
    assert accuracy.ratio(np.sum(exact, axis=-1), found) > 120


def test_each_beat_has_the_scales_of_its_blocks():
    # Two blocks of 16 a beat, and one of 128 over four beats: powers of two show whose scale it is.
    for size in (16, 128):
        fmt = format_of(f"int8sym-k{size}-e8m0")
        spec = unit("block-dot", a=fmt, out="fp32", size=32)
        scales = np.arange(120, 120 + 256 // size, dtype=np.uint8)[None]
        spread = expand_scales(fmt, scales, (1, 256), -1)
        ones = np.ones((1, 256), np.uint8)
        same = np.full((1, 256), 127, np.uint8)
        found = accuracy.dot_products(spec, ones, ones, a_scale=spread, b_scale=same)
        assert found == np.sum(np.exp2(spread - 127.0))


def test_block_formats_keep_more_than_their_elements_alone():
    trial = accuracy.Trial(pairs=32, length=96)
    blocks, elements = (
        accuracy.sqnr(candidates(format_of(name), "dot", 32)[0], "heavy-tailed", trial)
        for name in ("mxint8", "int8")
    )
    assert blocks > elements + 10


@pytest.mark.parametrize(
    ("greatest", "limit", "scale"),
    [(1.0, 448.0, 256.0), (3.0, 6.0, 2.0), (10.0, 6.0, 0.5), (4.0, 4.0, 1.0)],
)
def test_the_scale_is_the_largest_power_of_two_that_fits(greatest, limit, scale):
    assert accuracy.scale_of(np.array([-greatest, 0.1]), limit) == scale


def test_posits_are_scaled_to_where_they_have_digits():
    trial = accuracy.Trial(pairs=32, length=64)
    found = {
        name: accuracy.sqnr(candidates(format_of(name), "dot", 16)[0], "gaussian", trial)
        for name in ("posit8", "e4m3", "posit16", "fp16")
    }
    assert found["posit8"] > found["e4m3"] - 1
    assert found["posit16"] > found["fp16"] + 3
    wide = candidates(format_of("posit32"), "dot", 2)[0].ports.outputs["r"].format
    assert wide == format_of("posit32")


def test_accuracy_rises_with_the_mantissa():
    trial = accuracy.Trial(pairs=32, length=64)
    found = [
        accuracy.sqnr(unit("fma", a=name, out="fp32"), "gaussian", trial)
        for name in ("e5m2", "e4m3", "e3m4", "bf16", "fp16", "fp32")
    ]
    assert found == sorted(found)
    assert 15 < found[0] < 30
    assert found[-1] > 120


def test_integers_lose_to_floats_on_heavy_tails():
    trial = accuracy.Trial(pairs=64, length=256)
    integers = unit("fma", a="int8", out="int32")
    floats = unit("fma", a="e4m3", out="fp32")
    normal, heavy = (accuracy.sqnr(integers, d, trial) for d in accuracy.DISTRIBUTIONS)
    assert normal > accuracy.sqnr(floats, "gaussian", trial)
    assert heavy < accuracy.sqnr(floats, "heavy-tailed", trial)


def test_an_accumulator_inside_gives_the_same_sum_as_a_loop_of_fma():
    # int8 products and sums are exact in both.
    random = np.random.default_rng(1)
    a, b = random.integers(0, 256, (2, 8, 16), np.uint8)
    loop = accuracy.dot_products(unit("fma", a="int8", out="int32"), a, b)
    inside = accuracy.dot_products(unit("mac", a="int8", acc="int32", out="int32"), a, b)
    lanes = accuracy.dot_products(unit("dot", a="int8", out="int32", lanes=4), a, b)
    exact = np.sum(a.view(np.int8).astype(int) * b.view(np.int8), axis=-1)
    assert loop.tolist() == inside.tolist() == lanes.tolist() == exact.tolist()


def test_a_comparison_from_end_to_end(tmp_path):
    news = []
    made = compare(
        ["e2m1", "int4"], ["asic"], reference="int4", vectors=2000,
        trial=accuracy.Trial(pairs=16, length=64), progress=news.append,
    )  # fmt: skip
    assert [row.format for row in made.rows] == ["e2m1", "int4"]
    for row in made.rows:
        assert row.error is None
        assert row.proven >= 2000
        assert row.cost > 0
        assert set(row.sqnr) == set(accuracy.DISTRIBUTIONS)
    assert made.rows[1].cost_per_mac == made.rows[1].cost_per_rate == 1.0
    assert made.rows[0].cost_per_mac > 1.0
    assert any("proving" in line for line in news)
    made.write(tmp_path)
    assert json.loads((tmp_path / "compare.json").read_text())["rows"][0]["format"] == "e2m1"
    again = compare(
        ["e2m1", "int4"], ["asic"], reference="int4", vectors=2000,
        trial=accuracy.Trial(pairs=16, length=64),
    )  # fmt: skip
    assert [row.cost for row in again.rows] == [row.cost for row in made.rows]


def test_products_with_energy_and_one_that_cannot_be_built(tmp_path):
    made = compare(
        ["int2*int4->int12", "e2m1*mxfp4", "int3"], ["asic"], reference="int3", vectors=500,
        trial=accuracy.Trial(pairs=8, length=64), energy=True, operands="heavy", lanes=1,
    )  # fmt: skip
    first, wrong, last = made.rows
    assert not made.passed
    assert "e2m1 is no block format" in (wrong.error or "")
    for row in (first, last):
        assert row.error is None
        assert row.energy_unit == "inv"
        assert (row.energy_per_mac or 0) > 0
        assert row.result["energy_per_operation"] == row.energy_per_mac
        assert row.result["operands"] == "heavy"
    heads, *lines = made.table().splitlines()[1:]
    assert heads.split()[-1] == "energy/MAC"
    assert lines[0].endswith(" inv")
    assert embedded(made.html())["rows"][0]["energy_per_mac"] == first.energy_per_mac
    assert made.to_json()["rows"][0]["energy_per_mac"] == first.energy_per_mac
    with pytest.raises(SpecError, match="operands: 'x' is none of"):
        compare(["int3"], ["asic"], energy=True, operands="x")


def test_an_equal_clock():
    made = compare(
        ["int4"], ["asic"], clock="40FO4", energy=True, proof=False,
        trial=accuracy.Trial(pairs=8, length=64),
    )  # fmt: skip
    (row,) = made.rows
    assert made.passed
    assert (row.clock, row.reached) == ("40 FO4", True)
    assert (row.period_fo4 or math.inf) <= 40
    assert row.rate == pytest.approx(1000 / 40)
    assert row.result["energy_per_operation"] > 0
    shorter = run(unit("fma", a="int4", out="int32"), "asic", stages=row.stages - 1)
    assert (shorter.delay_fo4 or 0) > 40
    data = made.to_json()
    assert data["settings"]["clock"] == data["rows"][0]["clock"] == "40 FO4"
    assert data["rows"][0]["reached"] is True
    assert made.table().startswith(
        "asic: cost in gate equivalents; relative to int4; fewest stages"
    )
    page = made.html()
    assert "fewest pipeline stages with which it reaches 40 FO4" in page
    assert "place and route with seed 1" in page
    assert f">int4 ({row.stages})<" in made.svg()


def test_a_clock_that_is_not_reached():
    made = compare(
        ["int2"], ["asic"], clock="5FO4", proof=False, trial=accuracy.Trial(pairs=8, length=64),
    )  # fmt: skip
    (row,) = made.rows
    assert made.passed
    assert row.reached is False
    assert (row.period_fo4 or 0) > 5
    assert row.rate == pytest.approx(1000 / (row.period_fo4 or 1))
    assert " not reached " in made.table()
    assert embedded(made.html())["rows"][0]["reached"] is False
    assert f">int2 ({row.stages}, not reached)<" in made.svg()


def test_without_a_clock_nothing_tells_of_one():
    data = MADE.to_json()
    assert not {"clock", "reached"} & {*data["settings"], *data["rows"][0]}
    assert "reached" not in MADE.table() + MADE.svg()
    assert not any("reached" in row for row in embedded(MADE.html())["rows"])


def test_targets_by_themselves_are_those_that_have_the_unit(monkeypatch):
    asked = []
    monkeypatch.setattr(jobs, "run", lambda listed, **_: asked.extend(listed) or [])
    for clock, names in (("100", {"ecp5"}), ("9000ps", {"ecp5"}), ("50FO4", {"asic"})):
        asked.clear()
        with pytest.raises(KeyError):
            compare(["int4"], clock=clock)
        assert {job.arguments["place"].name for job in asked if "place" in job.arguments} == names


@pytest.mark.slow
def test_a_comparison_of_blocks_and_scalars():
    made = compare(
        ["int4", "nvint4"], ["asic"], vectors=2000, trial=accuracy.Trial(pairs=8, length=64),
    )  # fmt: skip
    integer, block = made.rows
    assert made.passed, (integer.error, block.error)
    assert (integer.macs, block.macs) == (32, 16)
    assert (integer.bits, block.bits) == (4, 4 + 7 / 16)
    assert block.cost_per_mac == pytest.approx(block.cost / 16 / (integer.cost / 32))
    assert block.proven >= 2000
    assert "4.438" in made.table()
    assert "16 or 32 multiply-accumulates" in made.html()


def seeded(name, cost, least, middle, most, **more):
    clocks = {"fmax_mhz_least": least, "fmax_mhz": middle, "fmax_mhz_most": most}
    return Row(format=name, target="ecp5", bits=4, cost=cost, cost_unit="LUTs", fmax_mhz=middle,
               rate=middle, rate_least=least, rate_most=most, result=clocks, **more)  # fmt: skip


@pytest.mark.parametrize(
    ("cost", "clocks", "cost_differs", "clock_differs"),
    [
        (100.0, (95, 101, 110), False, False),
        (100.0, (111, 115, 120), True, True),
        (100.0, (110, 115, 120), False, False),  # they meet at 110
        (109.0, (100, 115, 120), False, False),  # 1.09 of the cost, at 120 of 90 MHz
        (140.0, (95, 101, 110), True, False),
        (115.0, (111, 115, 120), False, True),  # dearer and faster
        (50.0, (80, 85, 89.9), True, True),
    ],
)
def test_a_difference_inside_the_spread_is_none(cost, clocks, cost_differs, clock_differs):
    rows = (seeded("int4", 100.0, 90, 100, 110), seeded("int5", cost, *clocks))
    reference, other = relative(rows, {}, "int4")
    assert (reference.cost_differs, reference.clock_differs) == (None, None)
    assert (other.cost_differs, other.clock_differs) == (cost_differs, clock_differs)
    ratios = [
        cost / mine / (100.0 / theirs) for mine in clocks for theirs in (90, 100, 110)
    ]  # fmt: skip
    assert other.cost_per_rate_least == pytest.approx(min(ratios))
    assert other.cost_per_rate_most == pytest.approx(max(ratios))
    made = Comparison(rows=(reference, other), settings=Settings(reference="int4", seeds=3))
    line = made.table().splitlines()[-1]
    assert f" {clocks[1]} ({clocks[0]}-{round(clocks[2])}) MHz" in line
    assert line.count("(none)") == (not cost_differs) + (not clock_differs)
    assert "(none)" not in made.table().splitlines()[-2]


def test_several_seeds_from_end_to_end():
    asked = {"proof": False, "stages": 1, "trial": accuracy.Trial(pairs=8, length=64)}
    made = compare(["int2", "int3"], ["ecp5", "asic"], seeds=3, **asked)
    assert made.passed
    for row in made.on("ecp5"):
        by_seed = row.result["fmax_mhz_by_seed"]
        alone = [
            compare([row.format], ["ecp5"], seed=seed, **asked).rows[0].fmax_mhz
            for seed in (1, 2, 3)
        ]
        assert [*by_seed] == alone
        assert row.fmax_mhz == sorted(alone)[1]
        assert (row.rate_least, row.rate, row.rate_most) == tuple(sorted(alone))
    for row in made.on("asic"):
        assert row.rate_least is row.cost_differs is None
        assert row.result["fmax_mhz_by_seed"] == []
    data = made.to_json()
    assert data["settings"]["seeds"] == 3
    assert data["rows"][1]["cost_differs"] in (True, False)
    assert "3 seeds, from 1 on" in made.html()
    single = compare(["int2", "int3"], ["ecp5"], **asked).to_json()
    assert "seeds" not in single["settings"]
    assert not {"rate_least", "cost_differs"} & single["rows"][1].keys()


def test_the_clock_that_is_asked_for_is_reached_by_the_median():
    asked = {"proof": False, "trial": accuracy.Trial(pairs=8, length=64)}
    (first,) = compare(["int3"], ["ecp5"], stages=2, seeds=3, **asked).rows
    clocks = sorted(first.result["fmax_mhz_by_seed"])
    assert clocks[0] < clocks[1]
    (row,) = compare(["int3"], ["ecp5"], clock=clocks[1], seeds=3, **asked).rows
    assert row.reached
    assert row.rate == row.rate_most == pytest.approx(clocks[1])
    assert row.stages <= 2


ROWS = (
    Row(format="fp32", target="ecp5", bits=32, unit="fma_fp32", stages=6, latency=6, cost=2000.0,
        cost_unit="LUT4 equivalents", fmax_mhz=90.0, rate=90.0, cost_per_mac=1.0,
        cost_per_rate=1.0, proven=1_000_000, sqnr={"gaussian": 130.0, "heavy-tailed": 129.0}),
    Row(format="int8", target="ecp5", bits=8, unit="fma_int8_int32", stages=2, latency=2,
        cost=240.0, cost_unit="LUT4 equivalents", fmax_mhz=170.0, rate=170.0, cost_per_mac=0.12,
        cost_per_rate=0.06, sqnr={"gaussian": 31.6, "heavy-tailed": math.inf}),
    Row(format="e4m3", target="ecp5", bits=8, error="yosys: <nothing> came of it"),
)  # fmt: skip
MADE = Comparison(rows=ROWS, settings=Settings(reference="fp32"), command="macaw compare")


def embedded(page):
    """What the page's script is told."""
    (text,) = re.findall(r'<script type="application/json" id="sheet">(.*?)</script>', page)
    return json.loads(text)


def test_the_page_is_self_contained():
    page = MADE.html()
    assert embedded(page)["rows"][1]["unit"] == "fma_int8_int32"
    assert "<nothing>" not in page
    assert embedded(page)["rows"][2]["error"] == "yosys: <nothing> came of it"
    for outside in (" src=", "<link", "@import", "import("):
        assert outside not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_the_page_has_every_figure_of_the_rows():
    told = embedded(MADE.html())
    names = {column["name"] for column in told["columns"]}
    assert {"bits", "stages", "cost", "fmax_mhz", "rate", "area_per_mac", "cost_per_rate"} <= names
    first, second, third = told["rows"]
    assert (first["cost"], first["fmax_mhz"], first["proven"]) == (2000.0, 90.0, 1_000_000)
    assert first["area_per_rate"] == 2000.0 / 90.0
    assert "sqnr_heavy_tailed" not in second  # infinite
    assert third == {
        "format": "e4m3", "bits": 8, "target": "ecp5", "status": "failed",
        "error": "yosys: <nothing> came of it",
    }  # fmt: skip


def test_the_picture_is_xml_with_a_point_for_each_whole_row():
    root = ElementTree.fromstring(MADE.svg())
    found = [each.get("aria-label") or "" for each in root.iter()]
    told = [label for label in found if label.startswith(("fp32:", "int8:", "e4m3:"))]
    assert told == [
        "fp32: relative area per MAC/s 1 of fp32's; SQNR, normal data 130 dB; "
        "SQNR, heavy tails 129 dB",
        "int8: relative area per MAC/s 0.06 of fp32's; SQNR, normal data 31.6 dB",
    ]


def test_a_comparison_without_a_whole_row_has_a_picture_too():
    empty = Comparison(rows=ROWS[2:], settings=Settings(reference="fp32"))
    assert "nothing to show" in empty.svg()
    assert empty.table().endswith("came of it")


def test_a_page_of_no_rows_says_so():
    page = Comparison(rows=(), settings=Settings(reference="fp32")).html()
    assert "There is nothing to show" in page


def test_pictures_of_the_parts(tmp_path):
    share = {"copies": 1, "ffs": 0, "dsps": 0, "delay": None}
    whole = {"part": "whole", "cost": 9.0, **share}
    parts = {
        "name": "x", "target": "ecp5", "cost_unit": "LUT4 equivalents", "delay_unit": "ns",
        "shares": [{"part": "add", "cost": 9.0, **share}], "whole": whole,
    }  # fmt: skip
    rows = (replace(ROWS[0], breakdown=parts), *ROWS[1:])
    made = Comparison(rows=rows, settings=Settings(reference="fp32"))
    names = ["json", "html", "svg", "png"]
    assert [path.name for path in MADE.write(tmp_path)] == [f"compare.{each}" for each in names]
    more = [path.name for path in made.write(tmp_path)][4:]
    assert more == ["compare-parts.svg", "compare-parts.png"]
    assert (tmp_path / "compare-parts.png").read_bytes().startswith(b"\x89PNG")
    assert ">add<" in (tmp_path / "compare-parts.svg").read_text()


def test_json_has_no_infinities():
    text = json.dumps(MADE.to_json(), allow_nan=False)
    assert json.loads(text)["rows"][1]["sqnr"]["heavy-tailed"] is None


def test_the_table_is_aligned():
    lines = MADE.table().splitlines()
    assert lines[0] == "ecp5: cost in LUT4 equivalents; relative to fp32"
    assert len(lines[1]) == len(lines[2]) == len(lines[3])
    assert "1,000,000" in lines[2]
    assert lines[3].endswith("not")


@pytest.mark.parametrize(
    ("formats", "options", "message"),
    [
        (["e4m9x"], {}, "e4m9x"),
        (["e4m3"], {"targets": ["nowhere"]}, "nowhere"),
        (["e4m3"], {"targets": ["xilinx7"]}, "area only"),
        (["e4m3"], {"unit": "cast"}, "unit"),
        (["e4m3"], {"lanes": 0}, "lanes"),
        (["e4m3"], {"vectors": 0}, "vectors"),
        (["e4m3"], {"frob": 1}, "frob"),
        (["e4m3"], {"seeds": 0}, "seeds=0: must be an integer from 1 to 100"),
        (["e4m3"], {"seeds": 101}, "seeds=101: must be"),
        (["e4m3"], {"seeds": 3, "seed": 2**31 - 2}, "seed=2147483646: must be"),
        (["e4m3"], {"seeds": 3, "targets": ["asic"]}, "seeds=3: no target among these has place"),
        (["fp64"], {}, "fp64"),
        (["mxfp44"], {}, "mxfp4"),
        (["int4"], {"clock": "5ns"}, "clock=5ns: must be MHz"),
        (["int4"], {"clock": 0}, "clock=0: must be from"),
        (["int4"], {"clock": 100, "targets": ["asic"]}, "clock=100 MHz: target asic takes FO4"),
        (["int4"], {"clock": "5000ps", "targets": ["asic"]}, "target asic takes FO4"),
        (["int4"], {"clock": "50FO4", "targets": ["ecp5"]}, "target ecp5 takes MHz or ps"),
        (["int4"], {"clock": 100, "targets": ["xilinx7"]}, "xilinx7 gives area only"),
        (["mxfp4"], {"unit": "fma"}, "fma takes no block format"),
        (["mxfp4", "int8"], {"lanes": 48}, "size=48"),
        (["mxfp4", "fp64"], {}, "fp64"),
        (["e4m3"], {"executor": "slurm"}, "slurm"),
        (["e4m3"], {"reference": "e4m9x"}, "e4m9x"),
        (["int4:"], {}, "weight:activation"),
        (["int4:frob"], {}, "frob"),
        (["mxfp4:int8"], {}, "int8 is no block format.*mxfp4:mxfp4"),
    ],
)
def test_bad_input_is_refused_before_any_work(formats, options, message):
    with pytest.raises(MacawError, match=message):
        compare(formats, **options)


def test_an_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MacawError, match="cannot be written"):
        MADE.write(tmp_path / "file")


def test_a_wrong_unit_has_no_price(monkeypatch):
    class Wrong:
        passed, mismatch = False, "vector 3: expected 1, got 2"

    monkeypatch.setattr("macaw.sim.verify", lambda spec, **_: Wrong)
    with pytest.raises(MacawError, match="differs from its golden model: vector 3"):
        source.prove(unit("mul", a="e2m1", out="e2m1"), vectors=10, seed=1, stages=0)


def test_the_digest_of_the_source_is_stable_and_specific():
    assert source.digest("golden") == source.digest("golden")
    assert source.digest("golden") != source.digest("golden", "hdl")


def test_units_are_mapped_for_area_or_for_delay():
    rows = {
        how: compare(["e2m1"], ["asic"], optimise=how, unit="dot", lanes=2, proof=False).rows[0]
        for how in ("balanced", "area", "delay")
    }
    assert not any(row.error for row in rows.values())
    assert rows["area"].cost < rows["balanced"].cost
    assert rows["delay"].rate > rows["balanced"].rate
    with pytest.raises(SpecError, match=r"optimise=fast: must be one of balanced, area, delay"):
        Settings(optimise="fast")


def test_a_table_does_not_take_what_generates_a_module_for_what_measures_it():
    made = compare(["int2"], ["asic"], stages=0, proof=False)
    (row,) = made.rows
    assert row.result["generated_by"].startswith("macaw generate ")
    assert "command" not in figures(row)
