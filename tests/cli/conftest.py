# SPDX-License-Identifier: BSD-2-Clause
"""What tests of verbs share."""

from pathlib import Path

import pytest
from command_line import Outcome, Run

from macaw import cli


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = cli.main(list(arguments))
        out, err = capsys.readouterr()
        return Outcome(code, str(out), str(err))

    return call
