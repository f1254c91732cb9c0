# SPDX-License-Identifier: BSD-2-Clause
"""Code books of the user's own, and of powers, in every command that takes a format."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Run, one_line

import macaw

VALUES = [-1, "-1/3", 0, 0.1, "0x1.8p-2", 1, 2, 4]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my.json").write_text(json.dumps(VALUES), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_formats_shows_a_file(run: Run) -> None:
    outcome = run("formats", "my.json", "--json").json
    assert outcome["name"] == macaw.format("my.json").name
    assert outcome["values"] == macaw.format("my.json").decode(range(8)).tolist()
    assert outcome["kind"] == "code book"
    assert run("formats", "my.json-k64-fp32", "--json").json["element"] == outcome["name"]
    assert "macaw formats my.json@" in run("formats", "my.json-k64-fp32").out


@pytest.mark.parametrize("name", ["lns8.3", "lns4.1nozero", "nupes4a1.5", "nupes8a0.37"])
def test_formats_shows_powers(run: Run, name: str) -> None:
    outcome = run("formats", name, "--json").json
    assert (outcome["name"], outcome["kind"]) == (name, "code book")
    assert outcome["values"] == list(macaw.format(name).values)
    assert run("formats", f"{name}-k64-fp32").code == 0


def test_what_is_generated_says_which_values(run: Run) -> None:
    outcome = run("generate", "mul", "a=my.json", "b=lns4.1", "out=fp16", "-o", "out")
    assert outcome.code == 0, outcome.err
    (made,) = Path("out").glob("*.json")
    name = macaw.format("my.json").name
    written = json.loads(made.read_text(encoding="utf-8"))
    spec = written["spec"]
    assert spec["a"] == name
    assert macaw.unit(spec.pop("unit"), **spec).evaluate(a=[7], b=[2])["r"] == [0x4400]  # 4 * 1
    assert f"a={name} b=lns4.1" in written["command"]
    words = written["command"].split()[1:]
    assert run(*words, "-o", "again").code == 0
    assert Path("again", made.name).read_text("utf-8") == made.read_text("utf-8")
    other = f"my.json@{'0' * 8}"
    outcome = run(*(word.replace(name, other) for word in words), "-o", "changed")
    one_line(outcome, f"a={other}: {other}: my.json has other values now, and with them is {name}")


def test_tensors_are_quantised_by_a_file(run: Run) -> None:
    np.save("x.npy", np.random.default_rng(5).normal(size=(4, 32)).astype(np.float32))
    outcome = run("quantize", "x.npy", "--format", "my.json-k32-fp32", "--json")
    assert outcome.code == 0, outcome.err
    assert run("quantize", "x.npy", "--format", "lns4.1-k32-fp32").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("formats", "none.json"), "none.json: No such file or directory"),
        (("generate", "mul", "a=none.json"), "a=none.json: none.json: No such file"),
        (("generate", "dot", "a=my.json", "out=my.json-k4-fp32"), "must be a scalar format"),
        (("generate", "mul", "a=lns8.9"), "must be lns<w>.<f>"),
        (("generate", "cast", "a=fp32", "out=lns8.1"), "fit in 64 bits of fixed point, not"),
        (("formats", "my file.json"), "of letters, digits and any of"),
    ],
)
def test_what_is_no_format_is_said_in_a_line(run: Run, words: tuple[str, ...], says: str) -> None:
    one_line(run(*words), says)
