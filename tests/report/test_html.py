import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from streamgauge.report import html
from streamgauge.report.result import Result, ResultError, write_result
from streamgauge.report.server_view import server_view
from tests.report.test_slo_text import judged

LOADING = {"src", "href", "srcset", "poster", "data", "action", "background"}


class Page(HTMLParser):
    """What a report holds: its text outside scripts and styles, its elements, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.tooltips: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(text)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), "an inline event handler"
            if name in LOADING and value:
                self.references.append(value)
            elif name == "id" and value:
                self.ids.append(value)
            elif name == "title" and value:
                self.tooltips.append(value)

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1] == "script":
            self.scripts.append(data)
        elif not self.elements or self.elements[-1] != "style":
            self.text += data


def test_the_report_lies_beside_the_result_that_it_links_to(make_result: Callable[..., Result], tmp_path: Path) -> None:
    result = make_result(seconds=2)
    write_result(result, tmp_path / "run")
    path = html.write_report(result, tmp_path / "run")
    assert path == tmp_path / "run" / "report.html"
    assert sorted(each.name for each in path.parent.iterdir()) == ["report.html", "result.json"]
    assert set(Page(path.read_text()).references) == {"result.json", "streams.csv", "timeline.csv"}


def test_nothing_is_loaded_and_only_its_own_scripts_may_run(make_result: Callable[..., Result]) -> None:
    text = html.render(make_result(seconds=2))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none';")
    assert len(re.findall(r"'sha256-[\w+/]+=*'", policy[1])) == 2
    assert "@import" not in text.partition("</style>")[0]
    assert "url(" not in text.partition("</style>")[0]


def test_ids_are_unique(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result(seconds=2)
    server.serve(result)
    ids = Page(html.render(result, server_view("", server.scrape()))).ids
    assert len(ids) == len(set(ids))


def test_hostile_names_and_reasons_stay_text(make_result: Callable[..., Result], server: Any) -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    result = make_result(mix=((hostile, '"><b>', 0.01, 0.05),), seconds=2, failing=0)
    result["streams"][0]["reasons"] = {f"http_error: {hostile}": 1}
    result["verdict"]["reasons"] = [hostile]
    result["run"].update(host=hostile, locustfile=hostile, id=hostile, started_at=hostile, versions={hostile: hostile})
    server.serve(result)
    page = Page(html.render(result, server_view("", server.scrape())))
    assert "img" not in page.elements
    assert page.elements.count("script") == 2
    assert page.references == ["result.json", "streams.csv", "timeline.csv"]
    assert page.text.count(hostile) >= 8


@pytest.mark.parametrize(
    ("trust", "exit_code", "words"),
    [
        ("trusted", 0, "trusted · passed"),
        ("degraded", 1, "degraded · failed"),
        ("invalid", 3, "invalid · not judged"),
    ],
)
def test_the_verdict_opens_the_page(make_result: Callable[..., Result], trust: Any, exit_code: int, words: str) -> None:
    result = make_result(seconds=2)
    result["verdict"].update(trust=trust, exit_code=exit_code, reasons=["lag p99 was 9 ms, more than 2 ms"])
    page = Page(html.render(result))
    assert words in page.text
    assert page.text.index(words) < page.text.index("lag p99 was 9 ms") < page.text.index("Streams by name")


def test_warnings_stand_below_the_verdict(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    assert "Warning" not in Page(html.render(result)).text
    result["run"]["warnings"] = ["--stream-end was used by no scenario", "another <b>one</b>"]  # type: ignore[typeddict-unknown-key]
    text = Page(html.render(result)).text
    verdict, first, second, tiles = map(
        text.index, ("trusted · ", "Warning: --stream-end was used by no", "Warning: another <b>one</b>", "TTFC p99")
    )
    assert verdict < first < second < tiles


def test_an_interrupted_run_says_so(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    assert "nterrupted" not in Page(html.render(result)).text
    result["run"]["interrupted"] = True
    assert "Interrupted: the run was stopped early" in Page(html.render(result)).text


def test_an_undetermined_percentile_is_marked_with_its_range(make_result: Callable[..., Result]) -> None:
    page = Page(html.render(make_result()))
    assert re.search(r"≈ \d+ µs320–440 µs", page.text)
    assert any("at least 320 µs, at most 440 µs" in tooltip for tooltip in page.tooltips)


def test_totals_have_counts_and_no_percentiles(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=3)
    (row,) = re.findall(r"<tfoot>.*?</tfoot>", html.render(result), re.DOTALL)
    assert f"{sum(each['chunks'] for each in result['streams']):,}" in row
    assert not re.search(r"\d (ms|µs|s)\b", row)


def test_the_server_stands_beside_the_client(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result(seconds=2)
    server.serve(result)
    page = Page(html.render(result, server_view("", server.scrape())))
    chunks = sum(each["chunks"] for each in result["streams"])
    assert f"chunks: client {chunks:,} = server {chunks:,} ✓" in page.text
    assert "≤ 75 ms means at most 75 ms" in page.text
    assert "By route: all agree" in page.text


def test_a_difference_to_the_server_is_open_to_see(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result(seconds=2)
    server.serve(result)
    server.streamed("/stream/sse", "sse", streams=0, chunks=5, size=0)
    text = html.render(result, server_view("", server.scrape()))
    assert "<details open>" in text
    assert "the server has 5 more" in text


def test_rules_are_listed_with_what_they_found(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    result["verdict"]["slo"] = [
        judged(rule="chunk_interval.p99 < 20ms", observed=0.0412, limit=0.02, passed=False),
        judged(rule="x/failed == 0", observed=None, passed=False, reason="no stream has the name 'x'"),
    ]
    result["run"]["slo_source"] = "--stream-slo"
    page = Page(html.render(result))
    assert "chunk_interval.p99 < 20ms✗ failed41.2 ms21.2 ms above" in page.text
    assert "x/failed == 0no stream has the name 'x'✗ failed: no data––" in page.text
    assert "2 of 2 SLO rules failed" in page.text
    assert "The rules are from --stream-slo." in page.text


def test_a_chunk_delay_gets_its_column_where_it_was_measured(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    assert "Chunk delay" not in html.render(result)
    result["streams"][0]["chunk_delay"] = result["streams"][0]["chunk_interval"]
    text = html.render(result)
    assert "Chunk delay</th>" in text
    assert 'id="chart-chunk_delay_distribution"' in text


@pytest.mark.parametrize(("names", "seconds"), [(3, 3600), (300, 60)])
def test_a_report_stays_small(make_result: Callable[..., Result], names: int, seconds: int) -> None:
    mix = tuple((f"/name/{n}", "sse", 0.01 * (n % 20 + 1), 0.05) for n in range(names))
    page = html.render(make_result(mix=mix, seconds=seconds, per_second=3))
    assert len(page.encode()) < 6_000_000
    assert "too large for this page" not in page


def test_files_that_are_too_large_are_left_beside_the_report(
    make_result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamgauge.report.downloads.MOST_BYTES", 1000)
    page = html.render(make_result(seconds=2))
    assert "too large for this page: find these files in its directory" in page
    assert '"result.json":' not in page
    assert Page(page).references == ["result.json", "streams.csv", "timeline.csv"]


def test_a_run_without_streams_has_a_report(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=(), seconds=1)
    result["timeline"] = []
    text = html.render(result)
    page = Page(text)
    assert "No stream started" in page.text
    assert "The run has no timeline" in page.text
    assert len(text) < 100_000, "the charts' scripts without a chart"


def test_only_failures_leave_dashes_where_percentiles_would_be(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2, failing=1.0)
    page = Page(html.render(result))
    assert "Why streams failed" in page.text
    assert "100 %" in page.text
    assert "truncated: the connection ended" in page.text


def test_a_broken_histogram_is_named(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    result["streams"][0]["chunk_interval"]["hdr"] = "nonsense"
    with pytest.raises(ResultError, match="nonsense"):
        html.render(result)


@pytest.mark.parametrize("metric", ["time_to_first_chunk", "chunk_interval"])
def test_a_mark_is_explained_wherever_it_stands(make_result: Callable[..., Result], metric: str) -> None:
    result = make_result(seconds=2)
    for each in result["streams"]:
        each["chunk_interval"]["uncertain"] = {}
    assert "marks a percentile" not in html.render(result)
    result["streams"][0][metric]["uncertain"] = {"p99": (0.01, 0.25)}  # type: ignore[literal-required]
    page = html.render(result)
    assert "marks a percentile that is known only as a range" in page
    assert "10.0–250 ms" in page


@pytest.mark.parametrize(
    ("started_at", "shown"),
    [
        ("2026-03-01T10:15:00.123456+00:00", "2026-03-01 10:15:00 UTC"),
        ("2026-03-01T10:15:00+02:00", "2026-03-01 10:15:00 +0200"),
        ("2026-03-01T10:15:00", "2026-03-01 10:15:00"),
        ("some time ago", "some time ago"),
    ],
)
def test_the_page_says_when_the_run_started(make_result: Callable[..., Result], started_at: str, shown: str) -> None:
    result = make_result(mix=(), seconds=1)
    result["run"]["started_at"] = started_at
    text = re.sub(r"<[^>]*>", "|", html.render(result))
    assert re.search(rf"(?<![^\s|]){re.escape(shown)}(?![^\s|,.])(?! [U+])", text)


def test_a_report_makes_the_folder_that_it_lies_in(make_result: Callable[..., Result], tmp_path: Path) -> None:
    result = make_result(mix=(), seconds=1)
    result["run"]["locustfile"] = "caf\udce9.py"
    for _ in range(2):
        path = html.write_report(result, tmp_path / "a" / "b")
    assert path == tmp_path / "a" / "b" / "report.html"
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    assert "caf?.py" in path.read_text(encoding="utf-8")
