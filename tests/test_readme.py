# SPDX-License-Identifier: BSD-2-Clause
"""README and docs tell the truth: examples run, links resolve."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
