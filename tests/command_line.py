# SPDX-License-Identifier: BSD-2-Clause
"""macaw as one types it, for tests: what it prints, how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


def external(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "macaw.cli", *arguments],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def one_line(outcome: Outcome, *fragments: str) -> None:
    """Bad input: one line on stderr, exit code 2."""
    assert outcome.code == 2, outcome
    assert outcome.err.startswith("macaw: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.out == ""
    for fragment in fragments:
        assert fragment in outcome.err
