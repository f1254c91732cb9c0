# SPDX-License-Identifier: BSD-2-Clause
"""Results: a record a line, one reader and writer, and values that come back as they were."""

import json
import math
from pathlib import Path

import pytest

from benchmarks import results
from macaw.golden.errors import MacawError

BENCHMARKS = results.FOLDER.parent
NAMES = sorted(path.stem for path in results.FOLDER.glob("*.json"))


def test_a_record_a_line():
    made = {
        "steps": 3,
        "settings": {"rate": 0.1, "sizes": [1, 2]},
        "rows": [{"name": "a", "found": {"x": [1, 2]}}, {"name": "é", "found": {}}],
        "units": {
            "mul": {"area": {"luts": 1}, "clock": {"luts": 2}},
            "add": {"area": {"luts": 3}},
        },
        "choice": {"target": "asic", "front": [{"area": 1}], "empty": {}},
        "none": [],
    }
    assert results.text(made).splitlines() == [
        "{",
        ' "steps": 3,',
        ' "settings": {"rate": 0.1, "sizes": [1, 2]},',
        ' "rows": [',
        '  {"name": "a", "found": {"x": [1, 2]}},',
        '  {"name": "é", "found": {}}',
        " ],",
        ' "units": {',
        '  "mul": {',
        '   "area": {"luts": 1},',
        '   "clock": {"luts": 2}',
        "  },",
        '  "add": {',
        '   "area": {"luts": 3}',
        "  }",
        " },",
        ' "choice": {',
        '  "target": "asic",',
        '  "front": [',
        '   {"area": 1}',
        "  ],",
        '  "empty": {}',
        " },",
        ' "none": []',
        "}",
    ]
    assert json.loads(results.text(made)) == made


def test_what_was_written_is_read(tmp_path: Path):
    made = {"rows": [{"x": 0.1, "n": 2**70, "nan": math.nan}], "least": 5e-324}
    file = results.write("new", made, tmp_path / "below")
    assert file == tmp_path / "below" / "new.json"
    assert json.dumps(results.read("new", file.parent)) == json.dumps(made)
    assert [path.name for path in file.parent.iterdir()] == ["new.json"]
    assert results.text({}) == "{}\n"


def test_what_is_missing_is_said(tmp_path: Path):
    assert results.read("new", tmp_path, {"rows": []}) == {"rows": []}
    with pytest.raises(MacawError, match=r"new\.json is missing: `make bench`"):
        results.read("new", tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_files_are_as_they_would_be_written(name: str):
    file = results.FOLDER / f"{name}.json"
    assert file.read_text(encoding="utf-8") == results.text(results.read(name))


@pytest.mark.parametrize("name", NAMES)
def test_files_are_called_what_their_scripts_are_called(name: str):
    assert [*BENCHMARKS.glob(f"*/**/{name.removesuffix('_layers')}.py")]


def test_nobody_else_reads_or_writes_them():
    for folder in (BENCHMARKS, BENCHMARKS.parent / "docs"):
        for path in folder.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if path.parent != results.FOLDER:
                assert "json.load" not in text, path
                assert "write_text" not in text, path
                assert "write_bytes" not in text, path
    assert not [*(BENCHMARKS.parent / "docs").rglob("*.json")]
