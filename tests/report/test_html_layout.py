"""The report as it is seen: on a phone and a wide screen, light and dark, and on paper."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streamgauge.report import html, units
from streamgauge.report.result import Result, json_text
from streamgauge.report.tables import streams_csv, timeline_csv

pytestmark = pytest.mark.browser

DRAWN = "[...document.querySelectorAll('.chart')].every((chart) => chart.querySelectorAll('.main-svg').length)"
#: What is wider than the page, and charts that do not fill their place.
MISFITS = """(() => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll(":is(header, main, footer) *:not(svg *)")]
    .filter((each) => each.getBoundingClientRect().right > width + 0.5 || each.getBoundingClientRect().left < -0.5);
  const loose = [...document.querySelectorAll(".chart .main-svg")]
    .filter((each) => Math.abs(each.getBoundingClientRect().width - each.closest(".chart").clientWidth) > 1);
  const flat = [...document.querySelectorAll(".chart")].filter((each) => each.clientHeight < 100);
  return [...wide, ...loose, ...flat].map((each) => each.outerHTML.slice(0, 80));
})()"""
SIZES = "JSON.stringify([...document.querySelectorAll('.chart')].map((each) => each._fullLayout.width))"
#: Widths of A4 and of Letter in CSS pixels, less the margins of 12 mm on both sides.
PAPERS = {"A4": (8.27, 11.69, 703), "Letter": (8.5, 11.0, 725)}


@pytest.fixture(scope="module")
def result(make_result: Callable[..., Result]) -> Result:
    """A run whose table has all columns, ranges, and names long enough to be in the way."""
    result = make_result(failing=0.1)
    for each in result["streams"]:
        each["chunk_delay"] = {**each["chunk_interval"], "uncertain": {}}
        each["chunk_interval"]["uncertain"] = {"p50": (0.0123, 0.0456), "p99": (0.123, 0.456)}
        for metric in ("time_to_first_chunk", "chunk_interval"):  # no two percentiles read alike
            for percentile, times in (("p50", 1), ("p90", 2), ("p95", 4), ("p99", 8), ("p999", 16)):
                each[metric][percentile] = each["time_to_first_chunk"]["min"] * times * (3 if "i" in metric[:6] else 5)
    return result


@pytest.fixture(scope="module")
def opened(browser: Any, result: Result, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """A function that opens the report of ``result``, or of another run, once its charts are drawn.

    The report of ``result`` is opened once for all tests of the same look: they leave it as they found it.
    """
    tabs, shared = [], {}

    def open_new(width: int, scheme: str, of: Result) -> Any:
        path = html.write_report(of, tmp_path_factory.mktemp("run"))
        tabs.append(browser.open(path.as_uri(), width, 900, scheme))
        tabs[-1].wait(DRAWN)
        return tabs[-1]

    def open_report(width: int = 1440, scheme: str = "light", of: Result | None = None) -> Any:
        if of is not None:
            return open_new(width, scheme, of)
        if (width, scheme) not in shared:
            shared[width, scheme] = open_new(width, scheme, result)
        return shared[width, scheme]

    yield open_report
    for tab in tabs:
        assert tab.complaints == []
        tab.close()


@pytest.fixture
def dark(opened: Callable[..., Any], width: int) -> Iterator[Any]:
    """The dark report of this width, which is on the screen again after the test."""
    tab = opened(width, "dark")
    before = tab.evaluate(SIZES)
    yield tab
    tab.command("Emulation.setEmulatedMedia", media="")
    tab.appear(width, 900, "dark")
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    tab.wait(f"{SIZES} === '{before}'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 1440])
def test_the_key_figures_are_in_sight_and_the_page_does_not_scroll_sideways(
    opened: Callable[..., Any], width: int, scheme: str
) -> None:
    tab = opened(width, scheme)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
    tiles = tab.evaluate("""[...document.querySelectorAll(".tile")].map((tile) => {
      tile.scrollIntoView();
      return [tile.querySelector("h2"), ...tile.querySelectorAll(".figure, dt, dd")].every((each) => {
        const { left, right, top, bottom } = each.getBoundingClientRect();
        const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        return left >= 0 && right <= innerWidth && tile.contains(seen) && each.scrollWidth <= each.clientWidth + 1;
      });
    })""")
    assert tiles == [True] * 4


def test_the_tiles_show_the_runs_own_figures(opened: Callable[..., Any], result: Result) -> None:
    found = dict(
        opened().evaluate(
            """[...document.querySelectorAll(".tile")].map((tile) =>
              [tile.querySelector("h2").innerText, tile.innerText.replaceAll(/\\s+/g, " ")])"""
        )
    )
    for title, metric, mark in (("TTFC p99", "time_to_first_chunk", ""), ("Interval p99", "chunk_interval", "≈ ")):
        by_value = sorted(result["streams"], key=lambda each: -each[metric]["p99"])
        values = [f"{mark}{units.duration(each[metric]['p99'])}" for each in by_value]
        assert re.search(rf"{title} {re.escape(values[0])} ", found[title])
        assert by_value[0]["name"] in found[title]
        for each, value in zip(by_value[1:], values[1:], strict=True):
            assert f"{each['name']} {value}" in found[title]
    chunks = sum(each["chunks"] for each in result["streams"])
    assert f"Chunks/s {units.rate(chunks / result['run']['duration_s'])} " in found["Chunks/s"]
    ended = [(name, times) for each in result["streams"] for name, times in each["outcomes"].items()]
    failed = sum(times for name, times in ended if name not in ("completed", "censored"))
    judged = sum(times for name, times in ended if name != "censored")
    assert f"Failed {failed} ({units.share(failed / judged)})" in found["Failed"]


TICKS = {
    r"active": r"\d[\d,]*",
    r"streams|failed|chunks": r"\d[\d,]*/s",
    r"bytes": r"\d[\d,.]*(| |k|M)B/s",
    r"time_to_first_chunk.*|chunk_.*": r"\d[\d.]*(µs|ms|s)",
}


@pytest.mark.parametrize(
    ("options", "failing"),
    [({}, 0.03), ({"seconds": 2, "per_second": 1}, 1.0), ({"seconds": 700, "per_second": 1}, 0.3)],
    ids=["usual", "all failed", "long"],
)
def test_every_tick_has_its_unit_and_counts_are_whole(
    opened: Callable[..., Any], make_result: Callable[..., Result], options: dict[str, int], failing: float
) -> None:
    mix = (("a", "sse", 0.004, 0.05), ("b", "raw", 1.2, 0.02))
    tab = opened(of=make_result(mix=mix, failing=failing, **options))
    charts = tab.evaluate("""[...document.querySelectorAll(".chart")].map((chart) => [chart.id.slice(6), ...["x", "y"]
      .map((axis) => [...chart.querySelectorAll(`.${axis}tick text`)].map((each) => each.textContent))])""")
    assert len(charts) >= 6
    for key, times, values in charts:
        (pattern,) = (tick for keys, tick in TICKS.items() if re.fullmatch(keys, key))
        assert len(values) >= 2
        assert [value for value in values if not re.fullmatch(pattern, value)] == [], key
        along = r"\d[\d.]* %" if key.endswith("distribution") else r"\d[\d.]* (s|min)"
        assert [time for time in times if not re.fullmatch(along, time)] == [], key


def test_a_name_in_the_legend_hides_both_its_lines(opened: Callable[..., Any]) -> None:
    tab = opened()
    shown = "document.querySelectorAll('#chart-chunk_interval_over_time .js-line').length"
    pressed = "document.querySelector('#legend-chunk_interval_over_time button')"
    before = tab.evaluate(shown)
    for pressing, lines in (("false", before - 2), ("true", before)):
        tab.evaluate(f"{pressed}.click()")
        tab.wait(f"{shown} === {lines}")
        assert tab.evaluate(f"{pressed}.ariaPressed") == pressing


@pytest.mark.parametrize("prepared", [True, False], ids=["beforeprint", "style sheet alone"])
@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("paper", PAPERS)
def test_all_fits_the_page_in_the_layout_for_print(dark: Any, paper: str, width: int, prepared: bool) -> None:
    if prepared:
        dark.evaluate("dispatchEvent(new Event('beforeprint'))")
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    dark.command("Emulation.setEmulatedMedia", media="print", features=features)
    dark.command(
        "Emulation.setDeviceMetricsOverride", width=PAPERS[paper][2], height=1000, deviceScaleFactor=1, mobile=False
    )
    assert dark.evaluate("matchMedia('print').matches")
    assert dark.evaluate(MISFITS) == []
    colours = "getComputedStyle(document.body)"
    assert dark.evaluate(f"[{colours}.backgroundColor, {colours}.color]") == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("width", [375, 1440])
def test_a_chart_is_drawn_for_paper_when_the_page_is_printed_and_for_the_screen_afterwards(
    dark: Any, paper: str, width: int
) -> None:
    before = dark.evaluate(SIZES)
    dark.evaluate(f"""addEventListener("beforeprint", () => {{
      window.printed = [{SIZES}, [...new Set(
        [...document.querySelectorAll(".chart text")].map((each) => getComputedStyle(each).fill))]];
    }})""")
    inches = dict(zip(("paperWidth", "paperHeight"), PAPERS[paper], strict=False))
    pdf = base64.b64decode(dark.command("Page.printToPDF", **inches)["data"])
    sizes, inks = dark.evaluate("printed")
    assert set(json.loads(sizes)) == {690}
    assert inks == ["rgb(36, 41, 47)"]
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 12
    dark.wait(f"{SIZES} === '{before}'")


def test_the_files_it_carries_are_downloaded_without_those_beside_it(
    opened: Callable[..., Any], browser: Any, result: Result, tmp_path: Path
) -> None:
    tab, folder = opened(), tmp_path / "downloads"
    browser.command(
        "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), browserContextId=tab._context
    )
    expected = {"result.json": json_text, "streams.csv": streams_csv, "timeline.csv": timeline_csv}
    for name, text in expected.items():
        link = f"document.querySelector('a[download=\"{name}\"]')"
        tab.wait(f"{link}.href.startsWith('blob:')")
        tab.evaluate(f"{link}.click()")
        for _ in range(200):
            if (folder / name).exists() and (folder / name).read_text() == text(result):
                break
            tab.evaluate("new Promise((done) => setTimeout(done, 50))")
        assert (folder / name).read_text() == text(result)


def test_every_chart_has_a_name_and_says_how_to_read_it(opened: Callable[..., Any]) -> None:
    charts = opened().evaluate("""[...document.querySelectorAll("figure")].map((figure) => [
      figure.querySelector("h3").innerText, figure.querySelector("figcaption").innerText,
      figure.querySelector("[role=img]").ariaLabel])""")
    assert len(charts) == 10
    for title, caption, label in charts:
        assert title
        assert len(caption) > len(title) + 20
        assert label.startswith(f"{title}: ")
