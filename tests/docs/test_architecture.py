# SPDX-License-Identifier: BSD-2-Clause
"""The page of the rooms, and what is read from the imports of a checkout."""

import itertools
import re
from pathlib import Path

import pytest

from docs import rooms
from docs.pages import architecture

PAGE = rooms.ROOT / "docs" / "architecture.md"


def test_every_place_that_the_table_names_exists():
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.M)[1:]
    assert len(rows) > 20
    for what, where in rows:
        links = re.findall(r"\[.+?\]\((.+?)\)", where)
        assert links, what
        assert all((PAGE.parent / link).exists() for link in links), where


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Three rooms in a row with an arrow past the middle one, and a late way up."""
    for name, text in {
        "src/macaw/__init__.py": '"""macaw: all of it.\n\nMore."""',
        "golden/__init__.py": '"""At the bottom."""\nfrom macaw import synth',
        "golden/formats.py": "def encode():\n    from macaw.hdl import gates",
        "hdl/__init__.py": '"""In the middle."""',
        "hdl/gates.py": "from macaw.golden import formats",
        "sim/__init__.py": '"""Beside it."""',
        "sim/run.py": "if TYPE_CHECKING:\n    from ..hdl import gates\nfrom . import read",
        "sim/read.py": "if TYPE_CHECKING:\n    from .run import Run",
        "synth/__init__.py": '"""On top."""',
        "synth/price.py": "from ..hdl.gates import Gates\nfrom macaw.golden import formats",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_arrows_are_those_that_no_way_replaces(checkout: Path):
    modules = rooms.modules_of(checkout)
    found = rooms.rooms_of(modules, checkout)
    assert found["macaw"] == rooms.Room(folder="src/macaw", files=1, line="All of it")
    direct, upward = rooms.arrows(modules, found)
    assert direct == {
        "macaw": set(),
        "macaw.golden": set(),
        "macaw.hdl": {"macaw.golden"},
        "macaw.sim": {"macaw.hdl"},
        "macaw.synth": {"macaw.hdl"},
    }
    assert {room: up for room, up in upward.items() if up} == {"macaw.golden": {"macaw.hdl"}}


def test_circles_are_told(checkout: Path):
    modules = rooms.modules_of(checkout)
    assert rooms.circles(rooms.uses(modules, late=False)) == []
    assert rooms.circles(rooms.uses(modules)) == [
        ["macaw.golden.formats", "macaw.hdl.gates"],
        ["macaw.sim.read", "macaw.sim.run"],
    ]
    (checkout / "golden" / "formats.py").write_text("from macaw.hdl import gates")
    modules = rooms.modules_of(checkout)
    circle = [["macaw.golden.formats", "macaw.hdl.gates"]]
    assert rooms.circles(rooms.uses(modules, late=False)) == circle
    text = rooms.figures(checkout)
    assert "circles of rooms: [['macaw.golden', 'macaw.hdl']]" in text
    assert "golden: 2 files" in text
    assert "longest: src/macaw/__init__.py, 3 lines" in text


def test_the_picture_has_each_room_and_arrow_once(checkout: Path):
    text = architecture.picture(checkout)
    for folder in ("src/macaw", "golden", "hdl", "sim", "synth"):
        assert text.count(f">{folder}</text>") == 1
    assert text.count('class="arrow"') == 3
    assert text.count('class="arrow late"') == 1


def test_boxes_do_not_overlap():
    modules = rooms.modules_of(rooms.ROOT)
    graph, _ = rooms.arrows(modules, rooms.rooms_of(modules, rooms.ROOT))
    plan = architecture.layout(graph)
    for row in plan.rows:
        boxes = [plan.x[place] for place in row if isinstance(place, str)]
        assert all(b - a >= architecture.WIDTH for a, b in itertools.pairwise(boxes))
    row = architecture.ranks(graph)
    assert all(row[user] > row[used] for user in graph for used in graph[user])
