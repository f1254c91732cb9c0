# SPDX-License-Identifier: BSD-2-Clause
"""``macaw formats``: everything that is registered, and anything that can be spelled."""

import re
import shlex

import pytest
from command_line import Run, one_line

from macaw.golden import BLOCKS, FORMATS
from macaw.golden.formats import BOOKS, POSITS, POWERS
from macaw.golden.formats.aliases import ALIASES, LEADS


def test_formats(run: Run) -> None:
    lines = run("formats").out.splitlines()
    assert lines[0].split()[:2] == ["format", "bits"]
    (e4m3,) = [line for line in lines if line.startswith("e4m3 ")]
    assert "448" in e4m3


def test_formats_json(run: Run) -> None:
    listed = {entry["name"]: entry for entry in run("formats", "--json").json}
    assert listed["e5m2"]["max"] == 57344.0
    assert listed["int8"]["min"] == -128.0


def test_formats_lists_everything_registered(run: Run) -> None:
    names = [*FORMATS, *POWERS, *BOOKS, *POSITS, *BLOCKS]
    first = [line.split()[0] for line in run("formats").out.splitlines() if line]
    assert [name for name in first if name in names] == names
    assert [entry["name"] for entry in run("formats", "--json").json] == names
    rows = re.findall(r"^\| `(\S+)`", run("formats", "--markdown").out, re.M)
    assert rows == names


def test_names_of_others(run: Run) -> None:
    outcome = run("formats", "torch.float8_e4m3fn")
    assert outcome.out.splitlines()[0].split() == ["name", "e4m3"]
    outcome = run("formats", "mxfp6")
    assert outcome.code == 2
    assert "mxfp6-e3m2 or mxfp6-e2m3" in outcome.err
    listed = run("formats", "--aliases", "--json").json
    assert (listed["aliases"], listed["refused"]) == (ALIASES, LEADS)
    assert "float8_e4m3fn, float8e4m3fn" in run("formats", "--aliases").out
    assert run("formats", "--aliases", "e4m3").code == 2


def test_format_shows_every_value(run: Run) -> None:
    outcome = run("formats", "e2m1", "--json").json
    assert outcome["values"][:8] == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    assert "6" in run("formats", "e2m1").out


def test_a_posit_shows_its_fields(run: Run) -> None:
    outcome = run("formats", "posit8", "--json").json
    assert (outcome["kind"], outcome["bits"], outcome["exponent"]) == ("posit", 8, 2)
    landmarks = {each["name"]: each["code"] for each in outcome["landmarks"]}
    assert (landmarks["one + epsilon"], landmarks["NaR"]) == (0x41, 0x80)
    assert "0 10 00 001" in run("formats", "posit8").out


def test_a_code_book_shows_its_values(run: Run) -> None:
    outcome = run("formats", "nf4", "--json").json
    assert (outcome["kind"], outcome["bits"], outcome["finite_values"]) == ("code book", 4, 16)
    assert (outcome["values"][0], outcome["values"][15]) == (-1.0, 1.0)
    assert "0.7229568362236023" in run("formats", "nf4").out


def test_format_spelled_by_grammar(run: Run) -> None:
    outcome = run("formats", "e3m2b4ieee", "--json").json
    assert (outcome["bits"], outcome["bias"]) == (6, 4)


@pytest.mark.parametrize(
    "name", ["fp64", "int32", "ufx64.64", "e8m0", "dlfloat16", "ternary", "fp4bnb"]
)
def test_format_shows_any(run: Run, name: str) -> None:
    assert run("formats", name).code == 0
    assert run("formats", name, "--json").json["name"] == name


def test_block_formats(run: Run) -> None:
    lines = run("formats").out.splitlines()
    (nvfp4,) = [line.split() for line in lines if line.startswith("nvfp4 ")]
    assert nvfp4 == ["nvfp4", "4.438", "e2m1", "16", "ue4m3", "fp32", "6", "2^-9", "448"]
    listed = {entry["name"]: entry for entry in run("formats", "--json").json}
    assert listed["mxfp4"]["bits"] == 4.25
    assert "| `hbfp8` | 8.017 | fx8.7sym | 24 x 24 |" in run("formats", "--markdown").out


@pytest.mark.parametrize("name", ["mxfp4", "nvfp4", "dfp16", "int4sym-k128-fp16"])
def test_a_block_format_explained(run: Run, name: str) -> None:
    outcome = run("formats", name, "--json").json
    assert (outcome["name"], outcome["kind"]) == (name, "block")
    text = run("formats", name).out
    assert f"macaw formats {outcome['element']}" in text
    assert re.search(rf"^scale +{outcome['scale']}$", text, re.MULTILINE)


def test_zero_points_are_named(run: Run) -> None:
    outcome = run("formats", "uint4-k128-fp16-zuint4", "--json").json
    assert (outcome["zero_point"], outcome["value"]) == ("uint4", "(element - zero) * scale")
    assert run("formats", "mxfp4", "--json").json["zero_point"] is None
    assert "macaw formats uint4" in run("formats", "uint4-k128-fp16-zuint4").out


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("formats fp61", "fp16"),
        ("formats uint4-k128-e8m0-zuint4", "scale=e8m0"),
        ("formats e12m3", "exponent=12"),
        ("formats int65", "width=65"),
        ("formats --colour", "--colour"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)
