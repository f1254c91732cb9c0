# SPDX-License-Identifier: BSD-2-Clause
"""Public units beside macaw's: read from a checkout, and judged before they are measured."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import __main__ as runner
from benchmarks import results
from benchmarks.cost import fpus, quotients
from benchmarks.cost.measure import parse
from benchmarks.cost.public import anchors
from benchmarks.cost.public import units as public
from macaw.golden.errors import MacawError, SpecError
from macaw.golden.units import unit
from macaw.hdl import generate

SPEC = unit("mul", a="int4", out="int8")
THEIRS = """
`include "sizes.svh"
module their_multiplier #(parameter int W = 2) (
  input logic signed [W-1:0] x, y, output logic signed [2*W-1:0] product);
  always_comb product = x * y `PLUS;
endmodule
"""
TOP = f"""module {public.TOP}(input [3:0] i_a, i_b, output [7:0] o_r);
their_multiplier #(.W(4)) theirs(.x(i_a), .y(i_b), .product(o_r));
endmodule
"""
UNIT = public.Public(
    project="theirs",
    name="int4",
    unit="mul a=int4 out=int8",
    files={"their": ("their_multiplier.sv",)},
    includes={"their": ("include",)},
    top=TOP,
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "include").mkdir()
    (folder / "src" / "deep" / "their_multiplier.sv").write_text(THEIRS)
    (folder / "include" / "sizes.svh").write_text("`define PLUS\n")
    return folder


def judged(checkout: Path) -> int:
    read = public.source(UNIT, {"their": checkout})
    metadata = {**generate(SPEC, stages=0).metadata, "name": read.name}
    return anchors.equal(SPEC, read.verilog, metadata)


@pytest.mark.parametrize("module", [fpus, quotients])
def test_figures_that_are_written_down_say_of_what_they_are(module: ModuleType):
    """They were measured once, and repeat what a reader has no other source of."""
    assert module.ANCHORS
    told = " ".join(module.Anchor.__doc__.split())
    assert re.search(r"\b2026-\d\d-\d\d\b", told)
    for words in ("Yosys 0.70", "nextpnr-ecp5 0.11.1", "revision"):
        assert words in told


def test_a_unit_of_the_same_function_is_found_to_be_one(checkout: Path):
    assert judged(checkout) == anchors.VECTORS


def test_one_of_another_function_is_refused(checkout: Path):
    (checkout / "include" / "sizes.svh").write_text("`define PLUS + (x == -8)\n")
    with pytest.raises(MacawError, match=r"mul_int4_int8.* differs"):
        judged(checkout)


@pytest.mark.parametrize(("profile", "bits"), public.REQUANTISERS)
def test_requantisers_in_plain_verilog_are_the_units(profile: str, bits: int):
    name = f"requantisation, {profile}, 32 x {bits}"
    (theirs,) = (each for each in public.UNITS if each.name == name)
    spec = parse(theirs.unit)[0]
    read = public.source(theirs, {})
    metadata = {**generate(spec, stages=0).metadata, "name": read.name}
    assert anchors.equal(spec, read.verilog, metadata) == anchors.VECTORS
    (one,) = (line for line in read.verilog.splitlines() if "$signed" in line and "*" in line)
    wrong = read.verilog.replace(one, one.replace("*", "+"))
    with pytest.raises(MacawError, match="differs"):
        anchors.equal(spec, wrong, metadata)


def test_what_a_checkout_lacks_is_named(tmp_path: Path, checkout: Path):
    with pytest.raises(SpecError, match=r"has no their_multiplier\.sv"):
        public.source(UNIT, {"their": tmp_path / "nothing"})
    (checkout / "include" / "sizes.svh").unlink()
    (checkout / "include").rmdir()
    with pytest.raises(SpecError, match="has no include"):
        public.source(UNIT, {"their": checkout})


def test_a_unit_that_differs_is_an_exit_status(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    (checkout / "include" / "sizes.svh").write_text("`define PLUS + (x == -8)\n")
    monkeypatch.setattr(public, "UNITS", (UNIT,))
    output = ["--jobs", "1", "--output", str(checkout)]
    monkeypatch.setattr(sys, "argv", ["anchors", f"their={checkout}", *output])
    assert anchors.main() == 1
    assert "theirs int4: mul_int4_int8" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["anchors", "--only", "nothing", *output])
    with pytest.raises(SpecError, match="--only nothing: no row matches; the first is theirs int4"):
        anchors.main()


def test_an_archive_tells_its_commit(checkout: Path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert anchors.revision(checkout.rename(checkout.with_name(f"their-{commit}"))) == commit
    assert anchors.revision(checkout.with_name(f"their-{commit[1:]}")) == "no commit"


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert anchors.revision(checkout) == "no commit"


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("cvpfu=.", "must be NAME=FOLDER, NAME of .*cvfpu"),
        ("cvfpu", "no such folder"),
        ("cvfpu=nowhere", "no such folder"),
    ],
)
def test_a_wrong_checkout_is_said(word: str, why: str):
    with pytest.raises(SpecError, match=why):
        anchors.checkouts_of([word])


def test_rows_have_names_of_their_own_and_units_that_are_macaw_s():
    names = [public.row(each) for each in public.UNITS]
    assert len({*names}) == len(names)
    for each in public.UNITS:
        assert anchors.parse(each.unit)[0].kind == each.unit.split()[0]
        assert f"module {public.TOP}(" in each.top


def test_without_checkouts_it_says_that_it_has_nothing_to_compare_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(sys, "argv", ["anchors"])
    assert anchors.main() == runner.MISSING
    assert "no checkout" in capsys.readouterr().err


def test_a_library_that_is_not_there_is_said_before_anything_is_measured(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(public, "UNITS", (UNIT,))
    monkeypatch.setattr(anchors, "tried", None)
    words = [f"their={checkout}", "--liberty", str(checkout / "no.lib"), "--output", str(checkout)]
    monkeypatch.setattr(sys, "argv", ["anchors", *words])
    with pytest.raises(SpecError, match=r"no\.lib cannot be read"):
        anchors.main()


def test_what_was_measured_is_kept_when_a_later_unit_ends_it(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
):
    later = replace(UNIT, name="later")
    monkeypatch.setattr(public, "UNITS", (UNIT, later))

    def tried(unit: public.Public, **_: object) -> dict[str, str]:
        if unit is later:
            raise KeyboardInterrupt
        return {"made": unit.name}

    monkeypatch.setattr(anchors, "tried", tried)
    words = [f"their={checkout}", "--jobs", "1", "--output", str(checkout)]
    monkeypatch.setattr(sys, "argv", ["anchors", *words])
    with pytest.raises(KeyboardInterrupt):
        anchors.main()
    assert results.read("anchors", checkout) == {"rows": {"theirs int4": {"made": "int4"}}}


def test_rows_of_digits_are_kept_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done: list[dict[str, object]] = []

    def measure(**case: object) -> dict[str, object]:
        if len(done) == 2:
            raise MacawError("the third")
        del case["progress"]
        done.append(case)
        return case

    monkeypatch.setattr(quotients, "measure", measure)
    words = ["--formats", "fp16", "--jobs", "1", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["quotients", *words])
    older = [case | {"old": True} for case in quotients.cases()[::-1]]
    results.write("quotients", {"rows": older}, tmp_path)
    with pytest.raises(MacawError, match="the third"):
        quotients.main()
    rows = results.read("quotients", tmp_path)["rows"]
    assert [row for row in rows if "old" not in row] == done
    assert [row | {"old": True} for row in rows] == older[::-1]


def test_formats_without_digits_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(sys, "argv", ["quotients", "--formats", "fp16,e4m3"])
    with pytest.raises(SystemExit):
        quotients.main()
    assert "--formats e4m3: must be of fp32, fp16" in capsys.readouterr().err
