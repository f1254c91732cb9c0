# SPDX-License-Identifier: BSD-2-Clause
"""README and docs tell the truth: examples run, links resolve."""

import doctest
import re
import shlex
import sys
from pathlib import Path

import pytest

import macaw
import macaw.golden.units as golden_units
import macaw.golden.units.elementwise as golden_elementwise
import macaw.hdl.units as hdl_units
import macaw.hdl.units.elementwise as hdl_elementwise
from macaw import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RULES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def fenced(page: Path, language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S))


def with_block(language: str) -> list[Path]:
    return [page for page in PAGES if fenced(page, language)]


def name(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", with_block("python"), ids=name)
def test_python_examples(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = fenced(page, "python")
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=RULES).run(test, out=told.append)
    assert result.failed == 0, "".join(told)


@pytest.mark.parametrize("page", with_block("console"), ids=name)
def test_console_examples(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for part in re.split(r"^\$ ", fenced(page, "console"), flags=re.M)[1:]:
        command, _, expected = part.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "macaw"
        capsys.readouterr()
        code = cli.main(arguments)
        out, err = capsys.readouterr()
        assert code == 0, f"{command}: {err}"
        wanted = expected.strip()
        if wanted:
            assert doctest.OutputChecker().check_output(wanted, out.strip(), RULES), out


def test_adding_a_unit_takes_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "adding-a-unit.md").read_text()
    specification, gates = re.findall(r"^```py\n(.*?)^```", text, re.M | re.S)
    names = {}
    for kin, source in ((golden_elementwise, specification), (hdl_elementwise, gates)):
        monkeypatch.setitem(sys.modules, "page", kin)
        names = {**names, **vars(kin), "__name__": "page"}
        exec(compile(source, "page", "exec"), names)  # the page is ours
    neg = names["Neg"]
    monkeypatch.setitem(golden_units.UNITS, "neg", neg)
    monkeypatch.setitem(hdl_units.DATAPATHS, neg, names["NegDatapath"])

    results = macaw.unit("neg", a="e4m3").evaluate(a=[0x38, 0xFE, 0x00])
    assert results["r"].tolist() == [0xB8, 0x7E, 0x80]
    for command in (
        "units neg",
        "verify neg a=e4m3 --exhaustive --seed 1",
        "verify neg a=bf16 out=e4m3 rounding=rtz --stages 2 --flow stream --vectors 500 --seed 1",
    ):
        assert cli.main(command.split()) == 0, capsys.readouterr()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
