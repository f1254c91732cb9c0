# SPDX-License-Identifier: BSD-2-Clause
"""Design spaces: which points there are, that they are compare's, and that none is lost."""

import csv
import dataclasses
import json
import math
import shlex
from dataclasses import replace

import pytest

from macaw import cli
from macaw.golden.errors import SpecError, ToolError
from macaw.synth import Settings, compare, jobs, row
from macaw.synth.columns import COLUMNS, DONE, FAILED, REFUSED
from macaw.synth.sweep import plan, points, run, sweep
from macaw.tools import files

CHEAP = {"lanes": 2, "stages": [0, 1], "workers": 1}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(shared, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(shared))


@pytest.fixture
def todo(monkeypatch):
    """The points that were measured."""
    asked = []
    each = jobs.each

    def told(listed, **where):
        asked.extend(job.arguments["point"] for job in listed)
        return each(listed, **where)

    monkeypatch.setattr(jobs, "each", told)
    return asked


def names(listed):
    return [(p.name, p.place.name, p.how.lanes, p.how.stages, p.how.clock) for p in listed]


def test_every_value_meets_every_other_and_formats_take_turns():
    found = names(plan("int<3-4>", ("ecp5", "asic"), lanes="1-2", stages=[0, 3]))
    assert found == [
        (fmt, target, lanes, stages, None)
        for lanes in (1, 2)
        for stages in (0, 3)
        for target in ("ecp5", "asic")
        for fmt in ("int3", "int4")
    ]


def test_names_that_mean_the_same_are_one_point():
    assert [p.name for p in plan(["e4m3", "e<4>m3", "float8_e4m3fn", "int8"])] == ["e4m3", "int8"]


def test_accumulators_of_formats_that_name_none():
    found = plan(["e2m1", "int8->int16"], accumulator="fp16,fp32")
    assert [p.name for p in found] == ["e2m1->fp16", "e2m1->fp32", "int8->int16"]


def test_lanes_and_units_are_those_of_a_comparison():
    """With a block format among them all are dot products, of a block where it is smaller."""
    found = {p.name: p.how for p in plan(["int4", "nvfp4"], ("asic",))}
    assert [(how.unit, how.lanes) for how in found.values()] == [("dot", 32), ("dot", 16)]
    assert plan(["int4"])[0].how.lanes == 1


def test_clocks_go_with_the_targets_that_have_their_unit():
    found = plan(["int4"], ("ecp5", "asic"), clock="100MHz,9000ps,50FO4")
    assert [(p.place.name, p.how.clock) for p in found] == [
        ("ecp5", "100 MHz"), ("ecp5", "9000 ps"), ("asic", "50 FO4"),
    ]  # fmt: skip


def test_what_cannot_be_built_is_known_before():
    found = {p.name: p.error for p in plan(["e<0-2>m1", "mxfp4:int8", "int4"], lanes=2)}
    assert "a format without exponent" in (found["e0m1"] or "")
    assert "int8 is no block format" in (found["mxfp4:int8"] or "")
    assert {name for name, error in found.items() if error is None} == {"e1m1", "e2m1", "int4"}


@pytest.mark.parametrize(
    ("formats", "options", "fragment"),
    [
        ("fp61", {}, "unknown format 'fp61'"),
        ("e0m<1-3>", {}, "a format without exponent"),
        ([], {}, "formats: must be one at least"),
        ("int<2-9>", {"lanes": "1-4", "most": 31}, "points: 32 are more than 31; most=32"),
        ("e<1-999999>m<1-999999>", {}, "points: 999,998,000,001 are more than 10,000"),
        ("int4", {"clock": "50FO4", "targets": "ecp5"}, "target ecp5 takes MHz or ps"),
        ("int4", {"clock": "50FO4", "targets": ["asic", "ecp5"]}, "target ecp5 takes MHz or ps"),
        ("int4", {"clock": "50FO4,100", "targets": "asic"}, "clock=100 MHz: target asic takes FO4"),
        ("int4", {"clock": "50FO4", "stages": 1}, "stages=1: clock=50FO4 decides"),
        ("int4", {"stages": "0,65"}, "stages=65: must be an integer from 0 to 64"),
        ("int4", {"lanes": 0}, "lanes=0: must be an integer from 1"),
        ("int4", {"accumulator": "fp99"}, "unknown format 'fp99'"),
        ("int4", {"accumulator": "mxfp4"}, "mxfp4"),
        ("int4", {"optimise": "balanced,fast"}, "optimise=fast: must be one of balanced"),
        ("int4", {"targets": "xilinx7"}, "xilinx7 gives area only"),
        ("int4", {"reference": "fp32"}, "sweep has no setting 'reference'"),
        ("int4", {"speed": 3}, "sweep has no setting 'speed'"),
    ],
)
def test_what_is_refused_at_once(formats, options, fragment):
    with pytest.raises(ValueError) as raised:
        plan(formats, **options)
    assert fragment in str(raised.value)


def test_rows_are_those_of_compare():
    made = sweep(["e2m1", "int3", "int2:int4"], **CHEAP)
    assert [each["status"] for each in made.rows] == [DONE] * 6
    for stages in (0, 1):
        beside = compare(
            ["e2m1", "int3", "int2:int4"], ["asic"], lanes=2, stages=stages, proof=False
        )
        found = {each["format"]: each for each in made.rows if each["stages"] == stages}
        assert len(found) == 3
        for each in beside.rows:
            told = {**each.result, **dataclasses.asdict(each)}
            mine = found[each.format]
            shared = mine.keys() & told.keys() - {"notes"}
            assert {"cost", "rate", "period_fo4", "unit", "macs", "bits", "latency"} <= shared
            assert {name: mine[name] for name in shared} == {name: told[name] for name in shared}
            for name, value in each.sqnr.items():
                assert mine[f"sqnr_{name.replace('-', '_')}"] == value
            assert mine["area_per_mac"] == each.cost / 2
            assert mine["area_per_rate"] == each.cost / each.rate


def test_several_seeds_of_place_and_route(capsys):
    made = sweep(["int3"], ["ecp5", "asic"], **CHEAP | {"stages": 1}, seeds=3)
    routed, mapped = made.rows
    assert (routed["seed"], routed["seeds"]) == (1, 3)
    assert routed["fmax_mhz_least"] <= routed["fmax_mhz"] <= routed["fmax_mhz_most"]
    assert (mapped["seeds"], mapped["fmax_mhz_least"]) == (None, None)
    assert cli.main([*shlex.split(routed["command"])[1:], "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    for name in ("fmax_mhz", "fmax_mhz_least", "fmax_mhz_most"):
        assert said[name] == routed[name]
    (again,) = plan(["int3"], ["asic"], lanes=2, stages=1)
    assert again.kept() == mapped  # which no seed changes


def test_the_command_of_a_row_measures_the_same(capsys):
    made = sweep(["e2m1", "int3"], **CHEAP)
    for each in made.rows:
        assert cli.main([*shlex.split(each["command"])[1:], "--json"]) == 0
        (said,) = json.loads(capsys.readouterr().out)
        assert said["gate_equivalents"] == each["cost"]
        assert said["delay_fo4"] == each["period_fo4"]
        assert said["latency"] == each["latency"]
        assert said["name"].startswith(each["unit"])


def test_worker_processes_find_the_same(tmp_path, monkeypatch):
    here = sweep(["e2m1", "int3"], **CHEAP)
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    there = sweep(["e2m1", "int3"], **{**CHEAP, "workers": 2})
    assert here.rows == there.rows


def test_a_row_that_is_kept_is_not_measured_again(todo):
    first = sweep(["e2m1", "int3"], **CHEAP)
    todo.clear()
    again = sweep(["e2m1", "int3", "int2"], **CHEAP)
    assert names(todo) == names(plan("int2", lanes=2, stages=[0, 1]))
    assert [each for each in again.rows if each["format"] != "int2"] == list(first.rows)
    todo.clear()
    fresh = sweep(["e2m1"], **{**CHEAP, "stages": 0}, cache=False)
    assert len(todo) == 1
    assert fresh.rows[0] == first.rows[0]


def test_the_rest_goes_on_without_what_fails(monkeypatch, todo, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    price, errors = row.price, {
        "int2": ToolError("yosys: no room"),
        "int4": SpecError("no gates hold it"),
        "int5": AssertionError("lanes"),
    }  # fmt: skip

    def broken(fmt, place, how, progress=None):
        if fmt.name in errors:
            raise errors[fmt.name]
        return price(fmt, place, how, progress)

    monkeypatch.setattr(row, "price", broken)
    made = sweep("int<1-5>", lanes=2, stages=0, workers=1)
    found = {each["format"]: (each["status"], each["error"], each["cost"]) for each in made.rows}
    assert found["int2"] == (FAILED, "yosys: no room", None)
    assert found["int4"] == (REFUSED, "no gates hold it", None)
    assert found["int5"] == (FAILED, "this is a defect of macaw: AssertionError: lanes", None)
    assert [found[name][0] for name in ("int1", "int3")] == [DONE, DONE]
    assert not made.passed
    # Refusals follow from macaw's text and are kept; failures may be over tomorrow.
    errors.clear()
    todo.clear()
    again = sweep("int<1-5>", lanes=2, stages=0, workers=1)
    assert [each.name for each in todo] == ["int2", "int5"]
    assert again.passed
    assert [each["status"] for each in again.rows] == [DONE, DONE, DONE, REFUSED, DONE]


def test_a_full_disk_ends_it_and_what_was_kept_is_there(monkeypatch, todo, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    write = files.write
    room = 2

    def full(path, text):
        nonlocal room
        if '"status": "done"' in text:
            room -= 1
            if room < 0:
                cause = OSError(28, "No space left on device", str(path))
                raise ToolError(f"{path} cannot be written: No space left on device") from cause
        write(path, text)

    monkeypatch.setattr(files, "write", full)
    with pytest.raises(ToolError, match=r"No space left .*; 2 of 6 points are kept, and the same"):
        sweep("int<2-4>", **CHEAP)
    monkeypatch.setattr(files, "write", write)
    assert len(todo) == 6
    todo.clear()
    assert len(sweep("int<2-4>", **CHEAP).rows) == 6
    assert len(todo) == 4


def test_another_macaw_on_a_worker_is_told():
    (point,) = plan("int2", lanes=2, stages=0)
    found = points.measure(point, point.identity | {"source": "another"})
    assert found["status"] == FAILED
    assert "has another macaw or other tools" in found["error"]
    assert points.measure(point, point.identity)["status"] == DONE


OTHER = {
    "unit": "dot", "lanes": 3, "multiplier": "dsp", "vectors": 5, "proof": True, "seed": 2,
    "seeds": 2, "breakdown": True, "energy": True, "operands": "heavy", "optimise": "area",
    "stages": 2, "clock": "30FO4", "reference": "x", "trial": row.accuracy.Trial(pairs=2),
    "retime": True,
}  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Settings)])
def test_every_setting_that_decides_is_in_the_key(name):
    (point,) = plan("int2", lanes=2)
    if name in ("cache", "timeout"):
        other = replace(point.how, **{name: {"cache": False, "timeout": 7.0}[name]})
        assert replace(point, how=other).key == point.key
    else:
        how = replace(point.how, stages=1) if name == "retime" else point.how  # it needs them
        other = replace(how, **{name: OTHER[name]})
        assert replace(point, how=other).key != replace(point, how=how).key


def test_formats_and_targets_are_in_the_key(monkeypatch):
    (point,) = plan("int2", lanes=2)
    others = [plan(*of, lanes=2)[0] for of in (["int3"], ["int2->int16"], ["int2", "ecp5"])]
    others.append(plan("int2", lanes=2, accuracy=False)[0])
    assert len({point.key, *(other.key for other in others)}) == 5
    before = point.key
    assert plan("int2", lanes=2)[0].key == before
    monkeypatch.setattr(points.sources, "digest", lambda *_: "another")
    assert point.key != before


ROWS = [
    {"format": "e2m1", "cost": 1.5, "lanes": 2, "reached": True, "status": DONE,
     "sqnr_gaussian": math.inf, "notes": 'a, "b"\nc'},
    {"format": "int9", "status": REFUSED, "error": "größer"},
]  # fmt: skip


def made():
    return run.Sweep(rows=tuple(points.tidy(each) for each in ROWS))


def test_csv(tmp_path):
    path = made().write(tmp_path / "new" / "sweep.csv")
    with path.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert list(first) == [column.name for column in COLUMNS]
    assert (first["format"], first["cost"], first["lanes"]) == ("e2m1", "1.5", "2")
    assert (first["reached"], first["sqnr_gaussian"]) == ("true", "")
    assert first["notes"] == 'a, "b"\nc'
    assert (second["error"], second["cost"]) == ("größer", "")


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = made().pareto("cost", "bits").write(tmp_path / "sweep.parquet")
    table = parquet.read_table(path)
    assert table.to_pylist() == [{**each, "pareto": False} for each in made().rows]
    assert table.schema.field("fmax_mhz").metadata[b"unit"] == b"MHz"
    kinds = {column.name: str(table.schema.field(column.name).type) for column in COLUMNS}
    assert (kinds["cost"], kinds["lanes"], kinds["reached"]) == ("double", "int64", "bool")


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = made().write(tmp_path / "sweep.csv")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ToolError, match=r"sweep.csv cannot be written: No space left"):
        run.Sweep(rows=()).write(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["sweep.csv"]


@pytest.mark.parametrize("name", ["sweep", "sweep.txt", "sweep.csv.gz"])
def test_other_endings(name):
    with pytest.raises(SpecError, match=r"must end in \.csv, \.parquet or \.html"):
        made().write(name)


def test_parquet_without_the_extra(monkeypatch):
    monkeypatch.setattr(run.table.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolError, match=r"pip install macaw\[sweep\]"):
        made().write("sweep.parquet")


def test_json():
    told = made().to_json()
    assert told["points"] == {DONE: 1, REFUSED: 1, FAILED: 0}
    assert [column["name"] for column in told["columns"]] == list(told["rows"][0])
    assert json.dumps(told)
