# SPDX-License-Identifier: BSD-2-Clause
"""Plots as SVG and PNG, without a browser."""

import re
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from macaw.synth.page.charts import (
    FAINT,
    FIRST,
    HEIGHT,
    NAMED,
    SECOND,
    Bars,
    Plot,
    Point,
    bars,
    chart,
    logarithmic,
    merged,
    picture,
    pixels,
    stored,
)

POINTS = (
    Point(x=1, y=20, second=18, name="a<b", text="a: one", best=True),
    Point(x=30, y=10, name="c", text="c: two"),
)


def drawn(**options):
    plot = Plot(head="area & co", points=POINTS, x_title="cost", y_title="dB", **options)
    return picture([chart(plot)])


def test_every_point_and_its_name_is_in_the_picture():
    text = drawn(legend=("normal", "heavy"), steps="step-after")
    root = ElementTree.fromstring(text)
    marks = {each.get("aria-label"): each for each in root.iter()}
    assert marks["a: one"].get("fill") == FIRST
    assert marks["c: two"].get("fill") == FAINT
    words = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"a<b", "c", "area & co", "cost", "dB", "normal", "heavy"} <= words
    assert text.count(f'stroke="{SECOND}"') >= 1


def test_the_same_plot_is_the_same_file():
    assert drawn(x_log=True) == drawn(x_log=True)
    assert drawn(x_log=True) != drawn()


def test_pixels_are_twice_as_many():
    plot = chart(Plot(head="h", points=POINTS, x_title="x", y_title="y"))
    width = int(re.findall(r'width="(\d+)"', picture([plot]))[0])
    png = pixels([plot])
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == pytest.approx(2 * width, abs=2)


def test_a_plot_of_nothing():
    assert ">empty<" in picture([chart(Plot(head="empty", points=(), x_title="x", y_title="y"))])


def test_of_many_points_the_front_alone_is_named():
    def names(count):
        points = [Point(x=n, y=n, name=f"p{n}", best=n == 3) for n in range(count)]
        text = picture([chart(Plot(head="", points=points, x_title="x", y_title="y"))])
        return set(re.findall(r">(p\d+)<", text))

    assert len(names(NAMED)) == NAMED
    assert names(NAMED + 1) == {"p3"}


def test_what_a_logarithmic_axis_does_not_reach_is_at_its_end():
    points = [Point(x=1, y=1, text="one"), Point(x=2, y=0, text="none")]
    text = picture([chart(Plot(head="", points=points, x_title="x", y_title="y", y_log=True))])
    (at,) = re.findall(r'aria-label="none"[^>]*transform="translate\([^,]*,([^)]*)\)"', text)
    assert float(at) == HEIGHT


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], False), ([1, 9], False), ([1, 10], True), ([0, 10], False), ([-5, 50], False)],
)
def test_which_axes_are_logarithmic(values, expected):
    assert logarithmic(values) is expected


def test_parts_keep_their_order():
    assert merged([["a", "c"], ["a", "b", "c"], ["z"]]) == ["z", "a", "b", "c"]
    made = Bars(head="h", wholes={"x": {"add": 3.0, "across": -1.0}, "y": {"mul": 2.0}}, x_title="")
    words = re.findall(r"<text[^>]*>([^<]*)<", picture([bars(made)]))
    assert [word for word in words if word in ("add", "across", "mul")] == ["mul", "add", "across"]
    assert {"x", "y", "h"} <= set(words)


def test_what_was_drawn_is_not_drawn_again(monkeypatch, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    made = []

    def make():
        made.append(1)
        return f"picture {len(made)}"

    texts = [stored(make, what="picture", of=of) for of in ({"a": 1}, {"a": 1}, {"a": 2})]
    assert texts == ["picture 1", "picture 1", "picture 2"]
    for path in tmp_path.rglob("*.json"):
        path.write_text('{"text": 3}')  # damaged
    assert stored(make, what="picture", of={"a": 1}) == "picture 3"


def test_a_picture_from_the_store_is_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    first = drawn()
    monkeypatch.setitem(sys.modules, "vl_convert", None)  # it cannot be imported
    assert drawn() == first
