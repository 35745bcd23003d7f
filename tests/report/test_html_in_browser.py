"""The report in a real browser that can reach no network."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from streamgauge.report import html
from streamgauge.report.result import Result

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--virtual-time-budget=20000",
)


@pytest.fixture
def opened(tmp_path: Path, chromium: str) -> Callable[[Result], tuple[str, str]]:
    """A function that opens a result's report; it returns the page as it then is, and what the page complained of."""

    def open_report(result: Result) -> tuple[str, str]:
        path = html.write_report(result, tmp_path / "run")
        command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
        return done.stdout, "\n".join(line for line in done.stderr.splitlines() if ":CONSOLE" in line)

    return open_report


def charts_drawn(page: str) -> dict[str, int]:
    """For each chart, how many lines it drew; a chart that was not drawn has none."""
    parts = re.split(r'<div class="chart[^"]*" id="chart-', page)[1:]
    return {part.partition('"')[0]: part.count('class="js-line"') * part.count('class="main-svg"') for part in parts}


def test_every_chart_draws_without_a_network(
    make_result: Callable[..., Result], opened: Callable[[Result], tuple[str, str]]
) -> None:
    page, complaints = opened(make_result())
    drawn = charts_drawn(page)
    assert len(drawn) == 9
    assert all(drawn.values()), drawn
    assert complaints == ""


@pytest.mark.parametrize(
    ("mix", "seconds", "charts"),
    [
        pytest.param((("</script><script>alert(1)//", "sse", 0.01, 0.05),), 2, 8, id="a hostile name"),
        pytest.param((("/x", "sse", 0.01, 0.05),), 1, 8, id="one second"),
        pytest.param((("/x", "sse", 0.01, 0.05),), 3600, 8, id="one hour"),
        pytest.param(tuple((f"/name/{n}", "sse", 0.01, 0.05) for n in range(60)), 5, 9, id="60 names"),
        pytest.param((), 3, 4, id="no streams"),
    ],
)
def test_unusual_runs_draw_too(
    make_result: Callable[..., Result],
    opened: Callable[[Result], tuple[str, str]],
    mix: tuple[tuple[str, str, float, float], ...],
    seconds: int,
    charts: int,
) -> None:
    page, complaints = opened(make_result(mix=mix, seconds=seconds, per_second=3))
    assert len(charts_drawn(page)) == charts
    assert page.count("could not be drawn") == page.count("could not be drawn: ${error}")
    assert complaints == ""


def test_the_browser_refuses_what_the_report_did_not_bring(
    make_result: Callable[..., Result], opened: Callable[[Result], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    added = "<script>document.title = 'owned'</script><img src='http://127.0.0.1:9/x.png'></body>"
    render = html.render
    monkeypatch.setattr(html, "render", lambda *args: render(*args).replace("</body>", added))
    page, complaints = opened(make_result(seconds=2))
    assert "owned</title>" not in page
    assert complaints.count("Content Security Policy") >= 2
