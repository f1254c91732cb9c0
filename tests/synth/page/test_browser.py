# SPDX-License-Identifier: BSD-2-Clause
"""The page in a real browser: Debian's Chromium, driven by Playwright."""

import itertools
import json
import math
import shutil

import pytest
from playwright.sync_api import sync_playwright

from macaw.synth import Sweep
from macaw.synth.columns import COLUMNS, tidy
from macaw.synth.page import page as pages
from macaw.synth.page import pareto
from macaw.synth.page.sheet import LESS, MORE, Column, Sheet

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")

HOSTILE = "<img src=x onerror=alert(1)>"
SHARE = {"copies": 1, "cost": 0.0, "ffs": 0, "dsps": 0, "delay": None}
BREAKDOWN = {
    "name": "mac", "target": "asic", "cost_unit": "gates", "delay_unit": "FO4",
    "shares": [
        SHARE | {"part": "multiply", "cost": 70.0, "ffs": 3, "delay": 4.0},
        SHARE | {"part": "add </script>", "cost": 40.0, "copies": 2, "delay": 8.0},
        SHARE | {"part": "across the parts", "cost": -10.0},
    ],
    "whole": SHARE | {"part": "whole", "cost": 100.0, "ffs": 3, "delay": 12.0},
}  # fmt: skip
COSTS = (900, 400, None, 120, 60, 1500, 88.25)


def row(index, target):
    """A row with absent figures here and there, and a name that would be a script."""
    name = HOSTILE if index == 3 else f"e{index}m{7 - index}"
    cost = COSTS[index]
    return {
        "format": name, "target": target, "bits": 8 + index % 3, "stages": index,
        "cost": cost, "cost_unit": "gates" if target == "asic" else "LUTs",
        "rate": None if index == 5 else 10.0 * (index + 1), "proven": None if index % 2 else 1000,
        "sqnr_gaussian": None if index == 1 else 50 - 7 * index,
        "sqnr_heavy_tailed": math.inf if index == 4 else 45 - 7 * index,
        "status": "done" if cost else "failed", "error": None if cost else 'no "gates" <b>here</b>',
    }  # fmt: skip


ROWS = [
    {**row(index, target), **({"sqnr_heavy_tailed": None} if index == 4 else {})}
    for target in ("asic", "ecp5")
    for index in range(len(COSTS))
]
NAMES = (
    "format", "bits", "target", "stages", "cost", "cost_unit", "rate", "sqnr_gaussian",
    "sqnr_heavy_tailed", "proven", "status", "error",
)  # fmt: skip
SHEET = Sheet(
    title="Rows <for> a test",
    about="Seven formats & two targets.",
    columns=[column for column in COLUMNS if column.name in NAMES],
    rows=ROWS,
    shown=("format", "target", "stages", "cost", "sqnr_gaussian", "error"),
    axes=("cost", "sqnr_gaussian"),
    beside="sqnr_heavy_tailed",
    reference="e0m7",
    breakdowns={0: BREAKDOWN, 1: BREAKDOWN},
    method=["By <hand>."],
    command="macaw compare 'e<2-3>m1'",
    data={"rows": ROWS},
)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync", "--no-first-run"],
        )  # fmt: skip
        yield started
        started.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page of a sheet; at the end nothing may have been said, nor asked of a network."""
    said, contexts = [], []

    def open_page(sheet=SHEET, **options):
        path = tmp_path / "page.html"
        path.write_text(pages.html(sheet), encoding="utf-8")
        context = browser.new_context(viewport={"width": 1300, "height": 1000}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        tab.on("request", lambda asked: asked.url.startswith(("blob:", "data:", path.as_uri()))
               or said.append(asked.url))  # fmt: skip
        tab.goto(path.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def drawn(tab):
    """How many plots and bars there are, once they are drawn."""
    return tab.evaluate("window.macaw.drawn()")


def column(tab, name):
    """The texts of a column, from above."""
    heads = tab.locator("#rows th").evaluate_all("all => all.map((th) => th.dataset.column)")
    at = heads.index(name)
    return tab.locator("#rows tbody tr").evaluate_all(
        f"all => all.map((tr) => tr.cells[{at}].textContent)"
    )


def points(tab):
    return tab.locator("#plots .points_marks path").count()


def test_what_is_seen_at_first(opened):
    tab = opened()
    assert drawn(tab) == 3  # two plots, and bars of the target that has parts
    assert tab.title() == "macaw: Rows <for> a test"
    assert column(tab, "format") == [row["format"] for row in ROWS]
    assert tab.locator("img").count() == 0
    assert 'no "gates" <b>here</b>' in column(tab, "error")
    whole = [r for r in ROWS if None not in (r["cost"], r["sqnr_gaussian"])]
    assert points(tab) == len(whole) == 10
    both = [r for r in whole if r["sqnr_heavy_tailed"] is not None]
    assert tab.locator("#plots .seconds_marks path").count() == len(both) == 8
    assert f"not drawn: {len(ROWS) - len(whole)} of the rows" in tab.inner_text("#about-front")
    assert HOSTILE in tab.locator("#plots svg").first.evaluate("svg => svg.textContent")
    assert tab.locator("#rows tr.reference").count() == 2
    assert "By <hand>." in tab.inner_text("body")


def test_columns_sort_and_absent_figures_come_last(opened):
    tab = opened()
    numbers = sorted(row["cost"] for row in ROWS if row["cost"] is not None)
    for down in (False, True):
        tab.click("#rows th[data-column=cost] button")
        way = "descending" if down else "ascending"
        assert tab.get_attribute("#rows th[data-column=cost]", "aria-sort") == way
        shown = [cell.replace(",", "") for cell in column(tab, "cost")]
        assert shown[-2:] == ["", ""]
        expected = numbers[::-1] if down else numbers
        assert [float(cell) for cell in shown[:-2]] == pytest.approx(expected)
    tab.click("#rows th[data-column=format] button")
    assert tab.get_attribute("#rows th[data-column=cost]", "aria-sort") is None
    names = column(tab, "format")
    assert names[:4] == [HOSTILE, HOSTILE, "e0m7", "e0m7"]
    assert names[4:] == sorted(names[4:])


def test_columns_hide_and_show(opened):
    tab = opened()
    tab.click("#columns summary")
    tab.uncheck("#columns input[value=stages]")
    tab.check("#columns input[value=rate]")
    heads = tab.locator("#rows th").evaluate_all("all => all.map((th) => th.dataset.column)")
    assert heads == ["format", "target", "cost", "rate", "sqnr_gaussian", "error"]
    tab.click("#columns button:has-text('all')")
    assert tab.locator("#rows th").count() == len(NAMES)
    tab.click("h1")
    assert tab.locator("#columns").get_attribute("open") is None


def test_formats_and_targets_filter_rows_points_and_bars(opened):
    tab = opened()
    tab.fill("#words", "E1M6, e6")
    assert set(column(tab, "format")) == {"e1m6", "e6m1"}
    assert tab.inner_text("#count") == "4 of 14 rows"
    assert drawn(tab) == 3
    assert points(tab) == 2
    assert tab.locator("#bars svg").count() == 1
    tab.uncheck("#targets input[value=asic]")
    assert column(tab, "target") == ["ecp5", "ecp5"]
    assert drawn(tab) == 1
    assert tab.locator("#bars svg").count() == 0
    tab.check("#targets input[value=asic]")
    tab.fill("#words", "")
    tab.click("#formats summary")
    tab.uncheck("#formats input[value=e0m7]")
    assert len(column(tab, "format")) == 12
    assert "e0m7" not in column(tab, "format")
    tab.click("#formats button:has-text('none')")
    assert tab.inner_text("#count") == "No row passes the filters."
    assert column(tab, "format") == []
    assert drawn(tab) == 0


def test_axes_are_chosen_among_all_figures(opened):
    tab = opened()
    figures = [c.name for c in SHEET.figures]
    assert {"bits", "stages", "cost", "rate", "proven"} < set(figures)
    for name in ("x", "y"):
        options = tab.locator(f"#{name} option").evaluate_all("all => all.map((o) => o.value)")
        assert options == figures
    assert tab.is_checked("#x-log")
    assert not tab.is_checked("#y-log")
    tab.select_option("#x", "stages")
    assert not tab.is_checked("#x-log")
    tab.select_option("#y", "rate")
    drawn(tab)
    text = tab.locator("#plots svg").first.evaluate("svg => svg.textContent")
    assert "stages" in text
    assert "rate" in text
    assert "SQNR" not in text
    assert tab.locator("#plots .seconds_marks").count() == 0
    assert points(tab) == sum(row["rate"] is not None for row in ROWS)
    tab.select_option("#y", "proven")
    assert "of proven by neither less nor more is better" in tab.inner_text("#about-front")
    drawn(tab)
    assert tab.locator("#plots .front_marks path").count() == 0


def test_the_front_is_that_of_python(opened):
    tab = opened()
    judged = [c for c in SHEET.figures if c.better]
    pairs = list(itertools.permutations(judged, 2))
    asked = [[x.name, y.name] for x, y in pairs]
    indices = [index for index, row in enumerate(ROWS) if row["target"] == "asic"]
    found = tab.evaluate(
        "([pairs, rows]) => pairs.map(([x, y]) => window.macaw.front(x, y, rows))",
        [asked, indices],
    )
    for (x, y), rows in zip(pairs, found):
        signs = {LESS: 1, MORE: -1}
        signed = [
            tuple(None if ROWS[i][c.name] is None else signs[c.better] * ROWS[i][c.name]
                  for c in (x, y))
            for i in indices
        ]  # fmt: skip
        assert set(rows) == {indices[at] for at in pareto.front(signed)}, (x.name, y.name)
    assert len({tuple(sorted(rows)) for rows in found}) > 5


def test_a_point_tells_its_row(opened):
    tab = opened()
    drawn(tab)
    mark = tab.locator(f'#plots .points_marks path[aria-label="{HOSTILE}"]').first
    mark.hover(force=True)
    tip = tab.inner_text("#tip")
    for text in (HOSTILE, "120 gates", "29 dB", "asic"):
        assert text in tip
    assert tab.locator("#rows tr.lit").get_attribute("data-row") == "3"
    tab.mouse.move(5, 5)
    assert tab.is_hidden("#tip")
    bar = tab.locator("#bars .mark-rect path").first
    bar.hover(force=True)
    assert "70 gates" in tab.inner_text("#tip")
    assert "70.0 %" in tab.inner_text("#tip")


def test_bars_of_other_shares(opened):
    tab = opened()
    drawn(tab)
    assert tab.locator("#share option").all_inner_texts() == ["area", "slowest path", "flip-flops"]
    assert tab.locator("#bars .mark-rect path").count() == 6
    tab.select_option("#share", "delay")
    drawn(tab)
    assert tab.locator("#bars .mark-rect path").count() == 4
    tab.click("#part-tables summary >> nth=0")
    table = tab.inner_text("#part-tables details >> nth=0")
    assert "add </script> (x2)" in table
    assert "-10.0" in table


def ground(tab):
    return tab.evaluate("getComputedStyle(document.body).backgroundColor")


def test_light_and_dark(opened):
    assert ground(opened()) == "rgb(255, 255, 255)"
    tab = opened(color_scheme="dark")
    assert ground(tab) == "rgb(18, 24, 31)"
    drawn(tab)
    colours = tab.locator("#plots svg text").evaluate_all(
        "all => all.map((text) => text.getAttribute('fill'))"
    )
    assert "#12202e" not in colours
    assert "#e4e9ee" in colours
    tab.click("#theme")
    assert ground(tab) == "rgb(255, 255, 255)"


def test_paper(opened):
    tab = opened(color_scheme="dark")
    drawn(tab)
    assert tab.pdf().startswith(b"%PDF")
    assert ground(tab) == "rgb(18, 24, 31)"  # again
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    drawn(tab)
    assert ground(tab) == "rgb(255, 255, 255)"
    assert tab.is_hidden("#filters")
    assert tab.is_hidden("#plots .tools >> nth=0")
    assert tab.is_visible("#rows")


def test_plots_and_rows_are_saved(opened):
    tab = opened()
    drawn(tab)

    def saved(selector):
        with tab.expect_download() as download:
            tab.click(selector)
        return download.value.suggested_filename, download.value.path().read_bytes()

    name, svg = saved("#plots button:has-text('SVG') >> nth=0")
    assert name == "asic-sqnr_gaussian-by-cost.svg"
    assert svg.startswith(b"<svg")
    name, png = saved("#plots button:has-text('PNG') >> nth=0")
    assert name.endswith(".png")
    assert png.startswith(b"\x89PNG")
    assert saved("#bars button:has-text('PNG') >> nth=0")[1].startswith(b"\x89PNG")
    lines = saved("#save-csv")[1].decode().splitlines()
    assert lines[0] == "format,target,stages,cost,sqnr_gaussian,error"
    assert lines[3] == 'e2m5,asic,2,,36,"no ""gates"" <b>here</b>"'
    assert json.loads(saved("#save-json")[1])["rows"] == ROWS


def test_no_rows(opened):
    tab = opened(Sheet(title="None", about="", columns=SHEET.columns, rows=[], shown=("format",),
                       axes=("cost", "bits")))  # fmt: skip
    assert "There is nothing to show: no row was measured." in tab.inner_text("#empty")
    assert tab.locator("table").count() == 0


def test_rows_without_any_figure(opened):
    refused = {"target": "asic", "status": "refused", "error": "no such unit"}
    rows = [tidy({"format": name, **refused}) for name in ("e0m1", "e0m2")]
    tab = opened(Sweep(rows=tuple(rows)).sheet())
    assert column(tab, "error") == ["no such unit"] * 2
    assert "No row has both figures." in tab.inner_text("#plots")


def test_a_sweep_of_many_points(opened):
    rows = [
        tidy({"format": f"e{n}m1", "target": "asic", "cost": float(n % 97 + 1), "lanes": n,
              "area_per_rate": float(n % 97 + 1), "sqnr_gaussian": float(n * 31 % 101),
              "status": "done"})
        for n in range(1500)
    ]  # fmt: skip
    tab = opened(
        Sweep(rows=tuple(rows), command="macaw sweep").pareto("cost", "sqnr_gaussian").sheet()
    )
    assert drawn(tab) == 1
    assert tab.locator("#plots canvas").count() == 1  # not 1,500 elements
    assert tab.input_value("#x") == "cost"
    assert tab.locator("#rows tbody tr").count() == 1500
    marked = {i for i, r in enumerate(Sweep(rows=tuple(rows)).pareto("cost", "sqnr_gaussian").rows)
              if r["pareto"]}  # fmt: skip
    assert (
        set(tab.evaluate("window.macaw.front('cost', 'sqnr_gaussian', [...Array(1500).keys()])"))
        == marked
    )


def test_units_in_columns_of_their_own():
    per = Column("area_per_rate", float, "", "cost_unit/rate_unit")
    assert per.title({"cost_unit": "um2", "rate_unit": "1/us"}) == "area per rate, um2·us"
