# SPDX-License-Identifier: BSD-2-Clause
"""``macaw verify``: what passed, what failed, what stopped it."""

import shlex
import signal
import subprocess
import sys

import pytest
from command_line import Outcome, Run, external, one_line

import macaw
from macaw.sim import Report


def test_verify_passes(run: Run) -> None:
    outcome = run("verify", "mul", "a=e2m1", "--exhaustive", "--seed", "1", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["passed"]
    assert outcome.json["mismatch"] is None


def test_coverage_is_told_and_fails_nothing(run: Run) -> None:
    command = "verify mul a=fp16 --vectors 20 --seed 1 --coverage"
    outcome = run(*command.split())
    assert outcome.code == 0, outcome.err
    bins, names = outcome.out.splitlines()[-1].split(" never hit: ")
    told = run(*command.split(), "--json").json["coverage"]
    assert told["never"] == names.split("; ")
    assert bins.startswith(f"{len(told['bins'])} bins: {told['hit']} hit, ")
    assert run("verify", "mul", "a=fp16", "--formal", "--coverage").code == 2


def test_verify_failure_is_exit_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Report(
        passed=False, name="mul_e2m1", vectors=1, simulator="icarus", seed=1, seconds=0.0
    )
    monkeypatch.setattr(macaw, "verify", lambda *_, **__: failed)
    outcome = run("verify", "mul", "a=e2m1")
    assert outcome.code == 1
    assert "FAILED" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("verify mul a=e2m1 --simulator modelsim", "modelsim"),
        ("verify mul a=e2m1 --vectors 0", "vectors"),
        ("verify mul a=e2m1 --seed -1", "seed"),
        ("verify fma a=fp32 out=fp32 --exhaustive", "exhaustive"),
        ("verify mul a=e2m1 --formal --exhaustive", "exhaustive=true: is of simulation"),
        ("verify mul a=e2m1 --formal --no-stalls", "stalls=false: is of simulation"),
        ("verify mul a=e2m1 --formal --netlist mars", "mars"),
        ("verify mul a=e2m1 --formal --liberty x.lib", "liberty=x.lib: goes with netlist=asic"),
        ("verify mul a=e2m1 --limit 5", "limit=5.0: needs --formal"),
        ("verify mul a=e2m1 --formal --method bdd", "method=bdd"),
        ("verify mul a=e2m1 --formal --largest 40", "largest"),
        ("verify mul a=e2m1 --formal --limit -1", "limit=-1"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)


def test_formal(run: Run) -> None:
    outcome = run("verify", "mul", "a=e3m3ieee", "--formal", "--method", "symfpu", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["verdict"] == "proven"
    outcome = run("verify", "mac", "a=e2m1", "out=fp16", "--formal")
    assert outcome.code == 1
    assert "open" in outcome.out
    assert "keeps a state" in outcome.out


def test_missing_simulator() -> None:
    done = external("verify", "mul", "a=e2m1", "--simulator", "icarus", PATH="/nonexistent")
    one_line(Outcome(done.returncode, done.stdout, done.stderr), "iverilog")


def test_interrupt() -> None:
    command = "-m macaw.cli verify fma a=fp32 out=fp32 --vectors 100000000 --simulator bulk"
    process = subprocess.Popen(
        [sys.executable, *command.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    process.stderr.read(1)  # it is under way, and says so
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "macaw: interrupted"
    assert out == ""
