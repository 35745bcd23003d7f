"""What the page carries inside: its files for download, its charts, and the scripts that its policy lets run."""

import base64
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from streamgauge.report import html
from streamgauge.report.charts import over_time
from streamgauge.report.distribution import distributions
from streamgauge.report.result import SCHEMA, Result, json_text, write_result
from streamgauge.report.server_view import server_view
from streamgauge.report.tables import streams_csv, timeline_csv

FILES = ("result.json", "streams.csv", "timeline.csv")


def unpacked(page: str) -> dict[str, str]:
    """The files that the page carries, by name, as its script unpacks them."""
    found = re.search(r'<script type="application/json" id="packed">(.*?)</script>', page, re.DOTALL)
    assert found
    files = json.loads(found[1])
    return {name: gzip.decompress(base64.b64decode(packed)).decode() for name, packed in files.items()}


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    return make_result(seconds=3)


def test_the_files_for_download_are_those_that_lie_beside_the_page(result: Result) -> None:
    files = unpacked(html.render(result))
    expected = (json_text(result), streams_csv(result), timeline_csv(result))
    assert {name: files[name] for name in FILES} == dict(zip(FILES, expected, strict=True))
    assert set(files) == {*FILES, "plotly.js", "figures.json"}


def test_each_chart_has_its_place_its_words_and_its_figure(result: Result) -> None:
    page = html.render(result)
    over, by_percentile = over_time(result), distributions(result)
    places = re.findall(r'<figure class="card( wide)?">.*?id="chart-(\w+)".*?</figure>', page, re.DOTALL)
    assert places == [*(("", chart["key"]) for chart in over), *((" wide", chart["key"]) for chart in by_percentile)]
    assert json.loads(unpacked(page)["figures.json"]) == {
        chart["key"]: json.loads(json.dumps(chart["figure"])) for chart in [*over, *by_percentile]
    }
    for chart in [*over, *by_percentile]:
        assert f"<h3>{chart['title']}</h3>{chart['caption']}" in page


def test_the_policy_lets_run_the_scripts_that_the_page_carries_and_no_other(result: Result) -> None:
    page = html.render(result)
    carried = unpacked(page)["plotly.js"]
    assert carried == get_plotlyjs()
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in (*inline, carried)]
    policy = " ".join(f"'sha256-{each}'" for each in hashes)
    assert f'img-src data: blob:; script-src {policy}">' in page


def test_a_page_without_charts_carries_no_script_to_draw_them(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=(), seconds=1)
    result["timeline"] = []
    page = html.render(result)
    assert set(unpacked(page)) == set(FILES)
    assert page.count("'sha256-") == 1


def test_the_page_names_the_schema_of_its_data(result: Result) -> None:
    assert f"Data: result.json, schema {SCHEMA};" in html.render(result)


def test_a_report_that_cannot_be_written_leaves_the_one_before(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = html.write_report(result, tmp_path)
    before = path.read_bytes()

    def broken(path: Path, text: str, **_: object) -> int:
        path.write_bytes(text.encode(errors="replace")[:100])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(OSError, match="no space"):
        html.write_report(result, tmp_path)
    assert path.read_bytes() == before


def test_a_written_report_has_the_servers_view_and_the_styles(result: Result, tmp_path: Path, server: Any) -> None:
    server.serve(result)
    page = html.write_report(result, tmp_path, server_view("", server.scrape())).read_text(encoding="utf-8")
    assert "The server's own view" in page
    (style,) = re.findall(r"<style>\s*(.*?)</style>", page, re.DOTALL)
    assert style == Path(html.__file__).with_name("report.css").read_text(encoding="utf-8").lstrip()


def test_a_report_is_utf_8_whatever_the_locale(result: Result, tmp_path: Path) -> None:
    write_result(result, tmp_path)
    code = (
        "import sys; from pathlib import Path; from streamgauge.report import html, result;"
        "html.write_report(result.read_result(Path(sys.argv[1])), Path(sys.argv[1]))"
    )
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", code, tmp_path], env={**os.environ, **locale}, check=True, timeout=60)
    assert (tmp_path / "report.html").read_bytes() == html.render(result).encode()
