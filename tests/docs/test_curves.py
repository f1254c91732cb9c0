# SPDX-License-Identifier: BSD-2-Clause
"""Curves of pages: all their points, where they were measured, by the plotting library."""

from benchmarks import results
from docs.pages import lmul
from docs.pages.curves import Line, panel
from docs.pages.flexpoint import training
from macaw.synth.page import charts

LINES = [
    Line(x=[0, 2, 7], y=[1.0, 0.25, 0.5], colour="#ff0000", name="b", steps=True),
    Line(x=[1, 5], y=[8.0, 2.0], colour="#00ff00", name="a", width=5.0),
]
TICKS = {0.25: "a quarter", 1: "1", 8: "8 %"}


def test_a_panel_has_all_points_of_its_lines():
    made = panel("head", LINES, "y", TICKS, "x").to_dict()
    assert made["title"] == "head"
    for line, layer in zip(LINES, made["layer"], strict=True):
        values = made["datasets"][layer["data"]["name"]]
        assert [(v["x"], v["y"], v["name"]) for v in values] == [
            (x, y, line.name) for x, y in zip(line.x, line.y)
        ]
        assert layer["mark"]["strokeWidth"] == line.width
        assert layer["mark"]["interpolate"] == ("step-after" if line.steps else "linear")
        x, y, colour = (layer["encoding"][name] for name in ("x", "y", "color"))
        assert x["scale"]["domain"] == [0, 7]
        assert (y["scale"]["type"], y["scale"]["domain"]) == ("log", [0.25, 8])
        assert y["axis"]["values"] == [*TICKS]
        assert colour["scale"] == {"domain": ["b", "a"], "range": ["#ff0000", "#00ff00"]}


def test_ticks_are_written_as_they_are_called():
    drawn = charts.picture([panel("head", LINES, "y", TICKS, "x")])
    assert all(f">{text}</text>" in drawn for text in TICKS.values())
    assert 'fill="white"' in drawn, "what a dark page shows it on"


def test_pictures_of_pages():
    trained = results.read("flexpoint_training")
    drawn = training.losses(trained), training.exponents(trained)
    priced = lmul.drawing(results.read("product_errors"), results.read("lmul"))
    for name in (*training.CURVES, *training.NETWORKS.values()):
        assert f">{name}</text>" in drawn[0]
    assert drawn[1].count(f">{training.TRUE}</text>") == len(trained["trace"])
    for product in lmul.COLOURS:
        assert f">{lmul.NAMES[product]}</text>" in priced
    assert all(picture.count("<svg") == 1 for picture in (*drawn, priced))
