# SPDX-License-Identifier: BSD-2-Clause
"""``macaw compare``: what it refuses before it measures."""

import shlex
from pathlib import Path

import pytest
from command_line import Run, one_line


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("compare fp61", "fp16"),
        ("compare e4m3 --target mars", "mars"),
        ("compare mxfp5", "mxfp4"),
        ("compare mxfp4 bf16 --unit mac", "use dot"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)


def test_unwritable_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    one_line(run("compare", "e2m1", "-o", "taken/report"), "taken")
