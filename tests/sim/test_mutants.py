# SPDX-License-Identifier: BSD-2-Clause
"""Mutants: their names, their sources, what judges them, and a sample of the listed ones."""

import ast
import json
import random

import numpy as np
import pytest

from macaw.golden import unit
from macaw.hdl import generate
from macaw.sim.proof.mutants import judge, listed, mutations, run
from macaw.sim.proof.mutants.judge import EQUIVALENT, KILLED, SURVIVED, Bench, Entry, sampled
from macaw.sim.proof.mutants.mutations import ROOT, Mutation, drawn, mutation, sources, stale
from macaw.sim.proof.mutants.planes import Circuit, NoPlanes, planes
from macaw.sim.proof.mutants.simulator import complaint, vectors_of
from macaw.sim.proof.mutants.spelling import read
from macaw.sim.proof.mutants.used import chosen
from macaw.tools import command

SAMPLE = 30
SHIFT = "hdl/arithmetic/shift.py"
DROPPED = Mutation(
    file="hdl/arithmetic/sums.py",
    where="sum_width",
    old="(bound * count).bit_length() + 1",
    new="(bound * count).bit_length()",
)
"""One bit less of accumulator."""
KILLER = "mac a=int2 out=int8 lanes=1 terms=3 --flow valid"


# ---------------------------------------------------------------------------- mutations


def test_operators_of_a_source():
    changes = {(m.old, m.new) for m in drawn(SHIFT)}
    assert ("width + 1", "width") in changes
    assert ("width + 1", "width - 1") in changes
    assert ("~select", "select") in changes
    assert not any(new.startswith(("'", '"')) for _, new in changes)


@pytest.mark.parametrize("file", ["hdl/arithmetic/shift.py", "golden/arithmetic/sums.py"])
def test_a_mutant_differs_at_one_place(file):
    before = ast.unparse(ast.parse((ROOT / file).read_text())).splitlines()
    for change in random.Random(1).sample(drawn(file), 12):
        after = change.source().splitlines()
        lines = max(len(change.old.splitlines()), len(change.new.splitlines()))
        first = next(n for n, (x, y) in enumerate(zip(before, after, strict=False)) if x != y)
        kept = len(before) - first - lines
        assert before[len(before) - kept :] == after[len(after) - kept :]


def test_names_are_unique_and_outlive_shifted_lines(tmp_path, monkeypatch):
    changes = drawn(SHIFT)
    assert len({m.name for m in changes}) == len(changes)
    text = (ROOT / SHIFT).read_text()
    moved = tmp_path / SHIFT
    moved.parent.mkdir(parents=True)
    moved.write_text(
        text.replace("\nimport", "\n\n\n# moved\nimport", 1).replace("\n\n\n", "\n" * 9)
    )
    monkeypatch.setattr(mutations, "ROOT", tmp_path)
    assert drawn(SHIFT) == changes


def test_fields_read_back():
    for change in drawn(SHIFT):
        assert mutation(json.loads(json.dumps(change.to_json()))) == change


def test_every_room_has_thousands_and_none_of_names():
    for room, least in (("hdl", 5_000), ("golden", 5_000)):
        files = sources(room)
        assert sum(len(drawn(file)) for file in files) > least
        assert not set(files) & set(mutations.WORDS)


def test_a_text_that_is_gone_is_stale():
    gone = Mutation(file=SHIFT, where="shift_right", old="width + 17", new="width")
    assert stale([gone, *drawn(SHIFT)]) == [gone]
    (verdict,) = Bench().judge([Entry(mutation=gone, unit="mul a=e2m1")])
    assert verdict.verdict == SURVIVED
    assert "no such text" in verdict.how


# ---------------------------------------------------------------------------- simulation in planes


def test_planes_of_words():
    words = np.array([[1, 2], [3, 0], [0, 3]], np.uint64)
    assert planes(words, 66) == [0b011, 0b010, *[0] * 62, 0b100, 0b101]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("fma a=e3m2ieee out=e3m2ieee rounding=rup flags=true", 3_000),
        ("mul a=int8 b=uint4 out=int8 overflow=saturate", 1),
        ("dot a=e2m1 lanes=2 out=e5m2 accumulation=sequential", 400),
        ("mul a=e4m3 out=e4m3 --stages 2 --flow stream", 300),
        ("mac a=e2m1 out=e3m2 lanes=2 terms=8 --bus axis --tlast on", 300),
        ("block-quantize a=fp16 out=e2m1-k4-e8m0 --fold 2 --flow valid", 200),
        ("mac a=e2m1 out=e3m2 terms=8 --stages 2 --flow none", 200),
        ("mac a=e2m1 out=e3m2 terms=8 --reset async --flow valid", 200),
        ("table a=e4m3 function=tanh --table ram --flow valid", 200),
    ],
)
def test_gates_agree_with_golden_and_are_caught_where_they_do_not(text, rows):
    spec, options = read(text)
    design = generate(spec, **options)
    codes = vectors_of(spec, rows, 1)
    assert complaint(design, codes, 1) == ""
    # The same gates held against another unit of the same ports.
    other = {"rounding": "rtz"} if "int" not in text else {"overflow": "wrap"}
    object.__setattr__(design, "spec", unit(spec.kind, **spec.parameters | other))
    assert complaint(design, codes, 1)


def test_memories_in_planes():
    channels = "channels=3 stored=add_b --flow valid"
    spec, options = read(f"pipeline 'stages=mul(a=int3) | add(a=int3)' {channels}")
    design = generate(spec, **options)
    codes = vectors_of(spec, 200, 1)
    assert complaint(design, codes, 1) == ""
    other, _ = read(f"pipeline 'stages=mul(a=int3) | add(a=int3, subtract=true)' {channels}")
    object.__setattr__(design, "spec", other)
    assert complaint(design, codes, 1)


def test_what_planes_cannot_simulate_is_said():
    circuit = Circuit(generate(unit("mul", a="int2", out="int4")))
    with pytest.raises(NoPlanes, match="no planes of u//"):
        circuit._operator("u//", ["a"], ["b"])


def test_handshakes_are_looked_at():
    free = "free is not None"
    entries = []
    for old, new, ready in (
        ("m.d.comb += handshake('o', 'valid').eq(out_valid)", "pass", "combinational"),
        ("~out_valid | handshake('o', 'ready')", "handshake('o', 'ready')", "combinational"),
        (f"{free} and option.ready == 'combinational'", free, "registered"),
    ):
        change = Mutation(file="hdl/component.py", where="Component.elaborate", old=old, new=new)
        text = f"add a=e2m1 --flow stream --stages 1 --ready {ready}"
        entries.append(Entry(mutation=change, unit=text))
    verdicts = Bench().judge(entries)
    assert [each.verdict for each in verdicts] == [KILLED] * 3
    said = ("nothing drives o_valid", "stuck before result", "i_ready follows o_ready at once")
    for verdict, text in zip(verdicts, said, strict=True):
        assert verdict.how.startswith(text)


# ---------------------------------------------------------------------------- judges


def test_killed_by_a_unit_and_the_tree_is_untouched():
    before = (ROOT / DROPPED.file).read_bytes()
    entry = Entry(mutation=DROPPED, unit=KILLER)
    (verdict,) = Bench(vectors=2_000).judge([entry])
    assert (verdict.verdict, verdict.by) == (KILLED, entry.unit)
    assert (ROOT / DROPPED.file).read_bytes() == before


def test_a_mutant_that_has_not_its_ports_is_killed():
    """Its gates are made late, and fail with a KeyError then."""
    change = Mutation(
        file="hdl/component.py",
        where="Component.elaborate",
        old="option.flow != 'none'",
        new="option.flow == 'none'",
    )
    (verdict,) = Bench(vectors=2_000).judge([Entry(mutation=change, unit="copy-sign a=e4m3")])
    assert (verdict.verdict, verdict.by) == (KILLED, "copy-sign a=e4m3")


def test_a_unit_that_does_not_use_it_kills_nothing():
    (verdict,) = Bench(vectors=2_000).judge([Entry(mutation=DROPPED, unit="classify a=e2m1")])
    assert verdict.verdict == SURVIVED


def test_what_is_wrongly_called_equivalent_is_refuted():
    entry = Entry(
        mutation=Mutation(
            file="hdl/arithmetic/round_float.py",
            where="ToFloat._capped",
            old="~(capped | under)",
            new="capped | under",
        ),
        equivalent="it is not",
        units=("fma a=e3m2ieee out=e3m2ieee",),
    )
    (verdict,) = Bench().judge([entry])
    assert verdict.verdict == SURVIVED
    assert verdict.how.startswith("refuted")


# ---------------------------------------------------------------------------- the lists


def test_every_listed_mutation_is_in_the_sources_once_and_says_what_kills_it():
    entries = listed.listed()
    changes = [entry.mutation for entry in entries]
    assert stale(changes) == []
    assert len({*changes}) == len(changes) > 60
    for entry in entries:
        assert [bool(entry.unit), bool(entry.test), bool(entry.equivalent)].count(True) == 1
        assert not entry.units or entry.equivalent


def test_units_that_are_tried_are_units():
    kinds = {read(text)[0].kind for text in chosen()}
    assert len(kinds) > 30


def test_a_sample_of_the_listed_mutants_is_killed():
    entries = [entry for entry in listed.listed() if not entry.equivalent]
    kept = {*sampled([entry.mutation for entry in entries], SAMPLE, seed=2026)}
    alive = []
    for functions in (True, False):  # what they have in common is imported once
        part = [e for e in entries if e.mutation in kept and bool(run.function(e)) is functions]
        alive += [v for v in Bench().judge(part) if v.verdict != KILLED]
    assert not alive, "\n".join(f"{each.mutation.name}: {each.how}" for each in alive)


# ---------------------------------------------------------------------------- the command


def test_the_command_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    entry = Entry(mutation=DROPPED, unit=KILLER)
    other = Entry(
        mutation=Mutation(file=SHIFT, where="shift_right", old="width + 1", new="width"),
        equivalent="of this test",
    )
    monkeypatch.setattr(run.lists, "listed", lambda: [entry, other])
    arguments = ["--folder", str(tmp_path), "--jobs", "1", "--vectors", "1000"]
    assert command.run(run.main, [*arguments, "--json"]) == command.PASSED
    found = {each["verdict"]: each for each in json.loads(capsys.readouterr().out)}
    assert found.keys() == {KILLED, EQUIVALENT}
    assert mutation(found[KILLED]) == DROPPED
    monkeypatch.setattr(judge, "_run", lambda tasks: pytest.fail("judged again"))
    assert command.run(run.main, [*arguments, "--only", "sums.py"]) == command.PASSED
    assert "in all" in capsys.readouterr().out
    assert command.run(run.main, [*arguments, "--only", "nothing"]) == command.BAD_INPUT


def test_a_survivor_is_an_exit_status(tmp_path, monkeypatch, capsys):
    entry = Entry(mutation=DROPPED, unit="classify a=e2m1")
    monkeypatch.setattr(run.lists, "listed", lambda: [entry])
    assert command.run(run.main, ["--folder", str(tmp_path)]) == command.FAILED
    assert f"survived: {DROPPED.name}" in capsys.readouterr().out
