# SPDX-License-Identifier: BSD-2-Clause
"""What verbs say of work that is long."""

import time

from macaw.cli.output import Progress


def test_silent_work_is_said_to_go_on(capsys, monkeypatch):
    monkeypatch.setattr(Progress, "interval", 0.01)
    with Progress("generate"):
        time.sleep(0.5)
    assert capsys.readouterr().err == "generate: …\n"


def test_short_work_and_work_that_tells_are_left_alone(capsys, monkeypatch):
    monkeypatch.setattr(Progress, "interval", 0.2)
    with Progress("short"):
        pass
    with Progress("compare") as progress:
        progress("fp16")
        time.sleep(0.5)
    assert capsys.readouterr().err == "compare: fp16\n"
