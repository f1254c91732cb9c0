# SPDX-License-Identifier: BSD-2-Clause
"""Damaged files of every kind that `macaw quantize` reads: it works, or says why in one line.

A longer run: ``MACAW_FUZZ=100000 pytest tests/tensors/test_fuzz.py``.
"""

import contextlib
import io
import json
import os
import random
import signal
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensor_files

from macaw import cli

COUNT = int(os.environ.get("MACAW_FUZZ", "150"))
LIMIT = 20  # seconds for one file; one takes milliseconds
OPTIONS = ((), (), ("--dtype", "bf16"), ("--dtype", "e5m2"), ("--include", "*w*"))
FORMATS = ("e4m3", "mxfp4", "nvfp4", "int8", "fp16")


def quantize(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(["quantize", *arguments])
    return code, out.getvalue(), err.getvalue()


def hanging(*_: object) -> None:
    raise AssertionError(f"a file took more than {LIMIT} seconds")


def outcome(file: Path, rng: random.Random) -> str:
    """Quantise a file, and hold what comes of it to the promise: "done", "part" or "refused"."""
    output = file.with_name(f"out{rng.choice(('.npz', '.safetensors'))}")
    options = rng.choice(OPTIONS)
    code, out, err = quantize(
        str(file), "--format", rng.choice(FORMATS), *options, "-o", str(output), "--json"
    )
    beside = {path.name for path in file.parent.iterdir()}
    if code == 0:
        report = json.loads(out)
        assert err == ""
        assert report["tensors"]
        assert beside == {file.name, output.name}
        if output.suffix == ".npz":
            with np.load(output, allow_pickle=False) as written:
                assert all(written[name].dtype.kind == "u" for name in written.files)
        output.unlink()
        return "part" if report["skipped"] else "done"
    assert code == 2, f"exit {code}: {err}"
    assert out == ""
    assert err.startswith("macaw: ")
    assert err.count("\n") == 1
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in err[:-1]), err
    assert beside == {file.name}, "something was left"
    return "refused"


@pytest.mark.parametrize("kind", tensor_files.KINDS)
def test_damaged_files(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MACAW_TRACEBACK", "1")  # a defect shows where
    before = signal.signal(signal.SIGALRM, hanging)
    counts: Counter[str] = Counter()
    try:
        for seed in range(COUNT):
            rng = random.Random(f"{kind} {seed}")
            file = tmp_path / f"x.{kind}"
            file.write_bytes(tensor_files.one(kind, rng))
            signal.alarm(LIMIT)
            try:
                counts[outcome(file, rng)] += 1
            except BaseException as error:
                error.add_note(f"seed {seed} of {kind}, {file}")
                raise
            finally:
                signal.alarm(0)
    finally:
        signal.signal(signal.SIGALRM, before)
    print(f"{kind}: {dict(counts)}")  # noqa: T201
    assert sum(counts.values()) == COUNT
    assert min(counts["done"] + counts["part"], counts["refused"]) > COUNT / 20  # not all of a kind
