# SPDX-License-Identifier: BSD-2-Clause
"""What is generated in README.md and docs/ is what results and commands give now."""

import re
from pathlib import Path

import pytest

from benchmarks import results
from docs import generate, pages
from macaw.tools.sources import imported

DOCS = generate.DOCS
PICTURES = {*(DOCS / "images").iterdir()} - {DOCS / "images" / "compare.svg"}
FILES = sorted({generate.README, *DOCS.glob("*.md"), *PICTURES})
"""compare.svg is what `macaw compare` drew."""


@pytest.fixture(scope="module")
def generated() -> dict[Path, str]:
    return generate.generated()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_generated_files_are_current(path: Path, generated: dict[Path, str]):
    assert path.read_text(encoding="utf-8") == generated[path], "run `make docs`"


def test_nothing_else_is_generated(generated: dict[Path, str]):
    assert {*generated} == {*FILES}


def test_newer_figures_come_first(tmp_path: Path, generated: dict[Path, str]):
    """And those that are not there are the ones of benchmarks/results/."""
    row = {"precision": 9, "fold": 2, "target": "ecp5", "area": 1234, "ffs": 56}
    results.write("predictor", {"area": [row]}, tmp_path)
    found = generate.generated(tmp_path)
    changed = {path for path, text in found.items() if text != generated[path]}
    assert changed == {DOCS / "flexpoint-hardware.md"}
    assert "| 9 | 2 clocks | 1,234 | 56 |" in found[DOCS / "flexpoint-hardware.md"]


def test_every_table_has_its_place():
    for name, tables in generate.TABLES.items():
        marks = re.findall(r"<!-- begin: (.+) -->", (DOCS / name).read_text(encoding="utf-8"))
        assert {*tables} <= {*marks}


def test_every_result_is_shown_or_used():
    makers = [*generate.WHOLE.values()]
    makers += [how for tables in generate.TABLES.values() for how in tables.values()]
    shown = {name for _, names in makers for name in names}
    measured = {path.stem for path in results.FOLDER.glob("*.json")}
    # `speed.bulk` is a requirement of the proof; the layers are there for `macaw choose`.
    assert measured - shown == {"bulk", "integer_network_layers"}


def test_a_page_that_is_not_current_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    page, other = DOCS / "dyadic-results.md", DOCS / "dyadic.md"
    monkeypatch.setattr(generate, "generated", lambda folder: {page: "new\n", other: "old\n"})
    monkeypatch.setattr(generate, "DRAWN", tmp_path / "none")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / other.name).write_text("old\n")
    generate.main(["--output", str(tmp_path)])
    assert (tmp_path / "docs" / page.name).read_text() == "new\n"
    assert capsys.readouterr().out == f"wrote {tmp_path / 'docs' / page.name}\n"


def test_marks_are_replaced_and_nothing_else():
    page = "a\n<!-- begin: cost -->\n\nold\n\n<!-- end: cost -->\nb\n"
    page += "<!-- begin: macaw units neg -->\nold\n<!-- end -->\nc\n"
    new = generate.refreshed(page.replace("neg", "mul"), {"cost": "new"})
    assert "a\n<!-- begin: cost -->\n\nnew\n\n<!-- end: cost -->\nb\n" in new
    assert "```text\nmul: " in new
    assert new.endswith("<!-- end -->\nc\n")
    with pytest.raises(KeyError):
        generate.refreshed(page, {})


def test_pages_measure_nothing():
    """They take figures and give text: no files, no units, no runs."""
    for path in Path(pages.__path__[0]).glob("*.py"):
        names = imported(path, "docs.pages")
        assert not {"benchmarks.results", "pathlib", "json"} & names, path
