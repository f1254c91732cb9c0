# SPDX-License-Identifier: BSD-2-Clause
"""Operands from files: what they say of energy, and files that are none."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import macaw
from macaw.golden.errors import SpecError
from macaw.synth.energy import recorded, stream

MUL = macaw.unit("mul", a="int4", out="int8")
DOT = macaw.unit("int-mac", a="int4", lanes=2)
FMA = macaw.unit("fma", a="e2m1", out="fp16")


def saved(folder: Path, name: str = "x.npz", **arrays: Any) -> Path:
    path = folder / name
    if path.suffix == ".json":
        path.write_text(json.dumps(arrays))
    else:
        np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("name", ["x.npz", "x.json"])
def test_what_was_recorded_is_what_is_moved(name: str, tmp_path: Path):
    codes = stream(MUL, "heavy", 300)
    if name.endswith(".json"):
        path = saved(tmp_path, name, **{each: array.tolist() for each, array in codes.items()})
    else:
        path = saved(tmp_path, name, **codes)
    found = recorded.read(path, MUL)
    assert {each: array.tolist() for each, array in found.codes.items()} == {
        each: array.tolist() for each, array in codes.items()
    }
    count = len(codes["a"])
    made = macaw.synthesize(MUL, "asic", energy=True, data=path)
    assert made.operations == count
    assert made.operands == found.label == f"{name} {found.digest[:16]}"


def test_operands_that_stand_still_cost_nothing(tmp_path: Path):
    still = saved(tmp_path, "still.npz", a=np.full(100, 7), b=np.full(100, 9))
    moving = saved(tmp_path, "moving.npz", a=np.tile([0, 15], 50), b=np.full(100, 9))
    energies = [
        macaw.synthesize(MUL, "asic", energy=True, data=path).energy_per_operation
        for path in (still, moving)
    ]
    assert energies[0] == 0
    assert energies[1] is not None
    assert energies[1] > 0


def test_other_codes_are_measured_again(tmp_path: Path):
    first = saved(tmp_path, a=np.full(100, 7), b=np.full(100, 9))
    one = macaw.synthesize(MUL, "asic", energy=True, data=first)
    saved(tmp_path, a=np.tile([0, 15], 50), b=np.full(100, 9))
    other = macaw.synthesize(MUL, "asic", energy=True, data=first)
    assert one.operands != other.operands
    assert one.energy_per_operation != other.energy_per_operation


def test_what_is_not_in_the_file(tmp_path: Path):
    """An addend is zero, and sums end."""
    path = saved(tmp_path, a=np.zeros((200, 2), np.uint8), b=np.ones((200, 2), np.uint8))
    codes = recorded.read(path, DOT).codes
    assert {*codes} == {*DOT.ports.inputs}
    assert not codes["bias"].any()
    assert codes["last"].sum() == -(-200 // 64)
    codes = recorded.read(saved(tmp_path, a=np.ones(9, int), b=np.ones(9, int)), FMA).codes
    assert not codes["c"].any()
    given = {"a": np.ones(9, int), "b": np.ones(9, int), "c": np.full(9, 5)}
    assert set(recorded.read(saved(tmp_path, **given), FMA).codes["c"].tolist()) == {5}


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "has no operand of mul_int4_int8: a, b"),
        ({"weight": [1, 2, 3, 4]}, "'weight' is no operand of mul_int4_int8; it has a, b"),
        ({"a": [1, 2, 3, 16]}, "a: codes of int4 are 0 to 15, not 16"),
        ({"a": [1, 2, 3, -1]}, "a: codes of int4 are 0 to 15, not -1"),
        ({"a": [1.0, 2.0, 3.0, 4.0]}, "a: must be codes, an array of whole numbers"),
        ({"a": 3}, "a: must be codes"),
        ({"a": ["x", "y"]}, "a: must be codes"),
        ({"a": [[1, 2], [3, 4]]}, r"a: must be of shape \(operations\); it is \(2, 2\)"),
        ({"a": [1, 2, 3, 4], "b": [1, 2, 3, 4, 5]}, "a has 4 operations, and b 5"),
        ({"a": [1, 2, 3]}, "has 3 operations, of 4 to 65536"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["x.npz", "x.json"])
def test_other_arrays_are_refused(name: str, arrays: dict[str, Any], said: str, tmp_path: Path):
    path = saved(tmp_path, name, **arrays)
    with pytest.raises(SpecError, match=said) as error:
        recorded.read(path, MUL)
    assert "\n" not in str(error.value)


def test_operands_that_the_unit_does_not_take(tmp_path: Path):
    """A sum of more terms than there is room for."""
    spec = macaw.unit("mac", a="e2m1", out="fp32", terms=4)
    path = saved(tmp_path, a=np.ones(9, int), b=np.ones(9, int), last=np.arange(9) // 8)
    with pytest.raises(SpecError, match=r"data: .*x\.npz: .*terms") as error:
        recorded.read(path, spec)
    assert "\n" not in str(error.value)


def test_lanes_are_the_last_axis(tmp_path: Path):
    path = saved(tmp_path, a=np.zeros((9, 3), int))
    with pytest.raises(SpecError, match=r"a: must be of shape \(operations, 2\); it is \(9, 3\)"):
        recorded.read(path, DOT)


def _single() -> bytes:
    """An array that is in no archive."""
    file = io.BytesIO()
    np.save(file, np.zeros(8, np.uint8))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.npz", None, "cannot be read: No such file"),
        ("x.npz", b"no archive", "cannot be read: "),
        ("x.npz", b"", "cannot be read: "),
        ("x.npz", _single(), "cannot be read: "),
        ("x.json", b"{", "cannot be read: "),
        ("x.json", b"[" * 100_000, "cannot be read: "),
        ("x.json", b"[1, 2]", "must be an object with an array an operand"),
        ("x.json", b'{"a": [[1, 2], [3]]}', "a: rows are of several lengths"),
        ("x.csv", b"1,2", "must be a file .npz or .json"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes | None, said: str, tmp_path: Path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError, match=said) as error:
        recorded.read(path, MUL)
    assert "\n" not in str(error.value)


def test_nothing_in_a_file_is_run(tmp_path: Path):
    """An array of objects is a pickle, which numpy would call."""
    path = saved(tmp_path, a=np.array([{}, {}, {}, {}], dtype=object))
    with pytest.raises(SpecError, match="cannot be read: Object arrays"):
        recorded.read(path, MUL)


@pytest.mark.parametrize("value", [3, b"x", [1], {"a": [1]}])
def test_data_is_a_file(value: Any):
    with pytest.raises(SpecError, match=r"data=.*must be a file"):
        macaw.synthesize(MUL, "asic", energy=True, data=value)


def test_data_is_for_energy(tmp_path: Path):
    with pytest.raises(SpecError, match="goes with energy only"):
        macaw.synthesize(MUL, "asic", data=tmp_path / "x.npz")
