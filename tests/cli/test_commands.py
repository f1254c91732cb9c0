# SPDX-License-Identifier: BSD-2-Clause
"""The command as a whole: its verbs, their help, the examples that it shows, how it fails."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import tensor_files
from command_line import Run, one_line

import macaw
from macaw import cli
from macaw.tensors.quantize import arrays_of

VERBS = ("formats", "units", "generate", "verify", "synth", "compare", "sweep", "choose",
         "quantize", "doctor")  # fmt: skip
SLOW = ("verify", "synth", "compare", "sweep", "choose")


def test_version(run: Run) -> None:
    assert run("--version").out == f"macaw {macaw.__version__}\n"


def test_without_a_verb_shows_help(run: Run) -> None:
    assert set(VERBS) <= set(run().out.split())


def examples(verb: str) -> list[str]:
    text = cli.cli.commands[verb].help or ""
    return re.findall(r"^ *(macaw .*)$", text.replace("\b", ""), re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_an_example(run: Run, verb: str) -> None:
    outcome = run(verb, "--help")
    assert outcome.code == 0
    assert f"macaw {verb}" in outcome.out
    assert "--json" in outcome.out


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(line, marks=[pytest.mark.slow] * (verb in SLOW))
        for verb in VERBS
        for line in examples(verb)
    ],
)
def test_example_runs(run: Run, example: str) -> None:
    weights = np.linspace(-2, 2, 1024, dtype=np.float32).reshape(8, 128)
    np.save("weights.npy", weights)
    layer = {"name": "conv1", "macs": 4608, "weights": 72, "formats": {"int8": 1e-4, "int4": 0.02}}
    Path("layers.json").write_text(json.dumps({"layers": [layer]}))
    np.savez("codes.npz", weights=np.arange(256, dtype=np.uint8))
    np.savez("blocks.npz", **arrays_of("weights", macaw.format("nvfp4").quantize(weights)))
    lanes = np.random.default_rng(1).integers(0, 256, (2, 72, 8), np.uint8)
    np.savez("conv3.npz", a=lanes[0], b=lanes[1])
    if "quantize" in example:
        tensor_files.write_all(weights.reshape(32, 32))
    outcome = run(*shlex.split(example)[1:])
    assert outcome.code == 0, outcome.err


def test_unknown_verb(run: Run) -> None:
    one_line(run("divide"), "divide")


def test_defect_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(macaw, "format", broken)
    outcome = run("formats", "e4m3")
    assert outcome.code == 3
    assert outcome.err.startswith("macaw: this is a defect")
    assert outcome.err.count("\n") == 1
