# SPDX-License-Identifier: BSD-2-Clause
"""Code books from files: values as written, rounded once, and what files say that are none."""

import hashlib
import json
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import macaw
from macaw.golden.errors import FormatError
from macaw.golden.formats import format as format_of
from macaw.golden.formats.block import Block
from macaw.golden.formats.block import format as any_format
from macaw.golden.formats.books import BOOKS, Book
from macaw.golden.units import unit
from macaw.golden.units.naming import identifier


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def book(content: Any, name: str = "mine.json") -> Book:
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8")
    found = format_of(name)
    assert isinstance(found, Book)
    return found


def test_a_list_is_a_book_and_its_name_is_the_path_and_a_digest() -> None:
    fmt = book([-1, 0, 0.5, 1])
    digest = hashlib.sha256(np.array([-1, 0, 0.5, 1], "<f8").tobytes()).hexdigest()
    assert fmt.name == f"mine.json@{digest[:8]}"
    assert fmt.values == (-1, 0, 0.5, 1)
    assert format_of(fmt.name) == fmt
    assert fmt.encode(np.array([0.25, 0.26, -7])).tolist() == [2, 2, 0]


def test_nf4_from_a_file_is_nf4() -> None:
    written = [repr(value) for value in BOOKS["nf4"].values]
    assert book({"values": written}).values == BOOKS["nf4"].values
    shorter = [float(np.float32(value)) for value in BOOKS["nf4"].values]
    assert book(shorter).values == BOOKS["nf4"].values


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.1", float(np.float32(0.1))),
        ('"0.1"', float(np.float32(0.1))),
        ('"-.5"', -0.5),
        ('"1/3"', float(np.float32(1 / 3))),
        ('"-2/3"', float(np.float32(-2 / 3))),
        ('"0x1.8p-1"', 0.75),
        ('"-0XAp0"', -10.0),
        ("2e3", 2000.0),
        ("16777217", 16777216.0),  # a tie, to even
        ("16777219", 16777220.0),
        # A float64 between would make a tie of what is above it.
        ("16777217.0000000000000001", 16777218.0),
        ('"0x1000001.00000000000001"', 16777218.0),
    ],
)
def test_values_are_rounded_once_from_what_is_written(written: str, value: float) -> None:
    assert book(f"[{written}, 100]").values == (value, 100.0)


@pytest.mark.parametrize("written", ["-0.0", '"-0.0"', '"-0"', '"-0x0p0"', '"-0/5"'])
def test_negative_zero_keeps_its_sign(written: str) -> None:
    fmt = book(f"[0, 1, {written}, -1]")
    assert math.copysign(1, fmt.values[2]) == -1
    assert fmt.negative_zero


def test_names_keep_their_case_and_may_have_folders(folder: Path) -> None:
    (folder / "Books").mkdir()
    fmt = book([1, 2], "Books/My-own_2.JSON")
    assert fmt.name.startswith("Books/My-own_2.JSON@")
    block = any_format("Books/My-own_2.JSON-k32-fp32")
    assert isinstance(block, Block)
    assert block.element == fmt
    assert any_format(block.name) == block
    zeroed = any_format("Books/My-own_2.JSON-tensor-ue4m3-fp32")
    assert isinstance(zeroed, Block)
    assert (zeroed.element, zeroed.size) == (fmt, None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "mine.json: not JSON: "),
        ('{"value": [1, 2]}', "must be a list of values, or an object with values alone"),
        ('{"values": [1, 2], "scale": 2}', "must be a list of values"),
        ("3", "must be a list of values"),
        ("[" * 20000, "not JSON: "),
        ("[1, 2, 3]", "mine.json: 3 values: must be a power of two from 2 to 256"),
        ("[]", "0 values"),
        ("[1, true]", "value True of code 1: must be a number, or a string as 0.25"),
        ("[1, null]", "value None of code 1"),
        ("[" + "9" * 900 + ", 1]", "value 999999999999999999...9999999999999999999 of code 0: its"),
        ('["' + "9" * 1001 + '", 1]', "9' of code 0: must be a number"),
        ("[1, [2]]", "value [2] of code 1"),
        ("[1, NaN]", "value 'NaN' of code 1: must be a number"),
        ("[-Infinity, 1]", "value '-Infinity' of code 0: must be a number"),
        ('["one", 1]', "value 'one' of code 0"),
        ('["1/0", 1]', "value '1/0' of code 0"),
        ('["0x", 1]', "value '0x' of code 0"),
        ("[1e99999, 1]", "value '1e99999' of code 0: must be a number"),
        ("[1e39, 1]", "value '1e39' of code 0: its magnitude must be 0, or within float32's"),
        ("[1e-39, 1]", "value '1e-39' of code 0: its magnitude must be 0"),
        ("[1, 1]", "all values are 1.0: two must differ"),
        (" " * 70000, "more than 65536 bytes"),
    ],
)
def test_files_that_are_no_books_say_why_in_a_line(content: str, says: str) -> None:
    with pytest.raises(FormatError, match=re.escape(says)) as raised:
        book(content)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("mine.json: ")


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "mine.json").write_bytes(b"\xff\xfe\x00[1")
    with pytest.raises(FormatError, match=r"mine\.json: not JSON"):
        format_of("mine.json")


def test_files_that_are_not_there_are_refused(folder: Path) -> None:
    with pytest.raises(FormatError, match=r"none\.json: No such file or directory"):
        format_of("none.json")
    (folder / "a.json").mkdir()
    with pytest.raises(FormatError, match=r"a\.json: Is a directory"):
        format_of("a.json")


def test_a_name_with_a_digest_means_these_values_or_nothing(folder: Path) -> None:
    first = book([1, 2, 3, 4])
    spec = unit("mul", a=first, b="nf4", out="fp32")
    second = book([1, 2, 3, 5])
    assert first.name != second.name
    # What was read is known.
    assert unit("mul", **spec.parameters) == unit("mul", **spec.essential) == spec
    stranger = f"mine.json@{'0' * 8}"
    with pytest.raises(FormatError, match=f"{stranger}: mine.json has other values now") as raised:
        format_of(stranger)
    assert second.name in str(raised.value)
    with pytest.raises(FormatError, match=r"gone.json: No such file or directory"):
        any_format(f"gone.json@{'0' * 8}-k4-fp32")
    with pytest.raises(FormatError, match="is not the digest of these values"):
        Book(name=first.name, values=second.values)


def test_what_is_written_elsewhere_is_read_or_refused(folder: Path) -> None:
    """By a process that has read nothing yet."""
    spec = unit("mul", a=book([1, 2, 3, 4]), b="nf4", out="fp32")
    read = "import macaw, json, sys; print(macaw.unit('mul', **json.load(sys.stdin)).name)"

    def elsewhere() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", read]
        text = json.dumps(spec.parameters)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    assert elsewhere().stdout.strip() == spec.name
    book([1, 2, 3, 5])
    assert "mine.json has other values now" in elsewhere().stderr


def test_units_have_the_file_s_name_in_theirs() -> None:
    Path("a").mkdir()
    fmt = book([1, 2], "a/My-own.2.json")
    digest = fmt.name[-8:]
    assert unit("mul", a=fmt, out="fp32").name == f"mul_my_own_2_{digest}_fp32"
    block = unit("block-dot", a="a/My-own.2.json-k4-fp32", out="fp32")
    assert block.name == f"block_dot4_my_own_2_{digest}_k4_fp32_fp32"
    second = any_format("a/My-own.2.json-k4-ue4m3-fp32")
    assert identifier(second) == f"my_own_2_{digest}_k4_ue4m3xfp32"


def test_names_of_units_need_no_file(folder: Path) -> None:
    spec = unit("mul", a=book([1, 2, 3, 4]), b="nf4", out="fp32")
    packed = pickle.dumps(spec)
    (folder / "mine.json").unlink()
    read = (
        "import pickle, sys; spec = pickle.load(sys.stdin.buffer);"
        "print(spec.name, *spec.essential.values())"
    )
    done = subprocess.run(
        [sys.executable, "-c", read], input=packed, capture_output=True, check=True
    )
    assert done.stdout.decode().split() == [spec.name, *map(str, spec.essential.values())]


@pytest.mark.parametrize("name", ["my book.json", "my,book.json", "a(b).json", "a=b.json"])
def test_paths_that_stand_in_no_command_are_refused(name: str) -> None:
    with pytest.raises(FormatError, match=r"a code book's file is <path>\.json, of letters"):
        any_format(name)


def test_books_are_registered() -> None:
    values = ["-1/3", 0, np.float32(0.1), 0.5]
    fmt = macaw.register_book("thirds", values)
    assert fmt.values == (float(np.float32(-1 / 3)), 0, float(np.float32(0.1)), 0.5)
    assert macaw.format("thirds") == macaw.format(fmt.name) == fmt
    assert macaw.register_book("thirds", iter(values)) == fmt
    assert any_format("thirds-k4-fp32").name == f"{fmt.name}-k4-fp32"  # type: ignore[union-attr]
    assert unit("mul", a="thirds", out="fp32").name == f"mul_thirds_{fmt.name[-8:]}_fp32"
    with pytest.raises(
        FormatError, match=f"thirds: is registered with other values, as {fmt.name}"
    ):
        macaw.register_book("thirds", [1, 2])
    with pytest.raises(FormatError, match="other@00000000: no code book other was registered here"):
        format_of("other@00000000")


@pytest.mark.parametrize(
    "name", ["nf4", "e4m3", "mxfp4", "fp8", "half", "e9m99", "lns4", "e5m2ftz"]
)
def test_names_that_mean_something_are_not_registered(name: str) -> None:
    with pytest.raises(FormatError, match=f"name={name}: is the name of another format"):
        macaw.register_book(name, [1, 2])


@pytest.mark.parametrize("name", ["", "My", "a b", "a.json", "a@00000000", 5, None])
def test_registered_names_are_words(name: Any) -> None:
    with pytest.raises(FormatError, match="must be a small letter, then these and digits"):
        macaw.register_book(name, [1, 2])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (5, "wrong: values must be a sequence of numbers"),
        ([1, None], "wrong: value None of code 1: must be a number"),
        ([1, 10**5000], "wrong: value of so many digits of code 1: its magnitude"),
        ([1, float("nan")], "wrong: value nan of code 1: must be a number"),
        ([1, 2, 3], "wrong: 3 values: must be a power of two"),
        ([1, 1], "wrong: all values are 1.0"),
    ],
)
def test_what_is_no_book_is_not_registered(values: Any, says: str) -> None:
    with pytest.raises(FormatError, match=re.escape(says)):
        macaw.register_book("wrong", values)
    with pytest.raises(FormatError, match="unknown format 'wrong'"):
        format_of("wrong")
