# SPDX-License-Identifier: BSD-2-Clause
"""The reader of IBM's FPgen suite, with lines written in its syntax."""

from pathlib import Path

import pytest

from macaw.golden.errors import MacawError
from macaw.golden.formats import format
from macaw.sim.proof import fpgen

LINES = """Floating point tests: some
---------------------------

b32+ =0 +1.000000P0 +1.000001P0 -> +1.000000P1 x
b32- < +1.000000P0 +1.000000P0 -> -Zero
b32* =0 x +1.000000P-126 +1.400000P-1 -> +0.600000P-126
b32* =0 +1.000001P-126 +1.7FFFFEP-1 -> +1.000000P-126 xu
b32*+ 0 +Inf +Zero Q -> Q i
b32/ =0 z +1.000000P0 +Zero -> # z
b32/ =^ +1.000000P0 -Zero -> -Inf z
b32V > +1.000000P1 -> +1.3504F4P0 x
b32* > xu +1.000000P-100 +1.000000P-100 -> +1.000000P-8 u
b32+ =0 Q S -> Q
b32<C =0 S -1.000000P3 -> Q i
b32~ =0 S -> S i
b32?0 =0 -Zero -> 0x1
b32?- =0 Q -> 0x1
b32b64cff =0 -0.000001P-126 -> -1.0000000000000P-149
b32% =0 +1.000000P3 +1.000000P1 -> +Zero
d64+ =0 +1E0 +1E0 -> +2E0
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "the suite"
    folder.mkdir()
    (folder / "Some.fptest").write_text(LINES)
    return folder


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("+1.000000P0", 0x3F800000),
        ("-1.7FFFFFP127", 0xFF7FFFFF),
        ("+0.000001P-126", 0x00000001),
        ("-0.7FFFFFP-126", 0x807FFFFF),
        ("-Inf", 0xFF800000),
        ("-Zero", 0x80000000),
    ],
)
def test_numbers_are_read(text, code):
    assert fpgen.code_of(text, format("fp32")) == code


@pytest.mark.parametrize("text", ["1.0", "+1.000001P200", "+0.000001P-127", "+1.G00000P0", "+inf"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(MacawError, match=r"must be a number like|is no number of fp32"):
        fpgen.code_of(text, format("fp32"))


def test_golden_and_gates_agree(suite):
    rows, found = fpgen.judge(suite, gates=True)
    assert sum(row.vectors for row in rows) == 12
    assert [row.golden for row in rows] == [0] * len(rows)
    assert {row.gates for row in rows} == {0, None}
    assert sum(row.after for row in rows) == 1
    assert sorted(found.amended.values()) == [1, 1]
    assert sum(found.left_out.values()) == 5


@pytest.mark.parametrize(
    "line",
    [
        "b32+ =0 +1.000000P0 +1.000001P0 -> +1.000001P1 x",
        "b32+ =0 +1.000000P0 +1.000001P0 -> +1.000000P1",
        "b32<C > +1.000000P0 -Inf -> +1.000000P0",
        "b32?f =0 +Inf -> 0x1",
        "b32* =0 +1.000000P-126 +1.000000P-1 -> +0.400000P-126 xu",
        "b32V =0 -1.000000P0 -> S i",
    ],
)
def test_a_difference_is_found(suite, line):
    (suite / "Wrong.fptest").write_text(line + "\n")
    rows, _ = fpgen.judge(suite)
    assert [row.first for row in rows if row.golden] == ["Wrong.fptest:1"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b32+ =0 +1.000000P0 -> +1.000000P0", r"^Wrong.fptest:1: .* must be 2 operands"),
        ("b32?f =0 +Inf -> yes", "yes: must be 0x0 or 0x1"),
        ("b32?- =0 -> 0x1", "must be 1 operands"),
        ("b32+ =9 +1.000000P0 +Zero -> +1.000000P0", "is no test of the suite"),
        ("b32+ =0 +1.000000P0 +Zero -> +1.000000P0 q", "flags must be of xuozi"),
    ],
)
def test_another_syntax_is_refused(suite, line, message):
    (suite / "Wrong.fptest").write_text(line + "\n")
    with pytest.raises(MacawError, match=message):
        fpgen.judge(suite)


def test_a_folder_without_tests_is_refused(tmp_path):
    with pytest.raises(MacawError, match=r"FOLDER=.*must have files \*\.fptest"):
        fpgen.judge(tmp_path)
