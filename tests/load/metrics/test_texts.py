"""Names, class names and reasons with characters that a sink may not carry: every sink of a run has them, escaped."""

import csv
import re
import urllib.error
import urllib.request

import pytest

LOCUSTFILE = """
from locust import constant, task
from streamgauge.load import StreamUser

class Odd(StreamUser):
    wait_time = constant(0.2)

    @task
    def listen(self):
        self.client.stream("GET", "/sse?chunks=1&interval_ms=1", protocol="sse", name="a\\udc80\\x1b\\n\\0\\u2028")
        self.client.stream("GET", "/nowhere", protocol="sse", name="b\\ud800")

Odd.__name__ = "Odd\\x1b"
"""
NAME, REFUSED, USER = r"a\udc80\x1b\n\x00\u2028", r"b\ud800", r"Odd\x1b"


@pytest.fixture(scope="module")
def run(_server, start, until, free_port, tmp_path_factory):
    """An ended run, and a scrape of its metrics while it ran."""
    directory, port = tmp_path_factory.mktemp("texts"), free_port()
    locustfile = directory / "scenario.py"
    locustfile.write_text(LOCUSTFILE)
    options = ("--metrics-port", port, "--metrics-host", "127.0.0.1", "--metrics-linger", 0, "--stream-path", "/unused")
    files = ("--csv", directory / "locust")
    where = {"locustfile": locustfile, "result_dir": directory / "results"}
    running = start.headless(_server.url, *options, *files, users=1, run_time="300s", **where)
    pages = []

    def scraped():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as reply:
                pages.append(reply.read().decode())
        except urllib.error.HTTPError:
            raise
        except OSError:  # the port is not open yet
            return False
        return pages and "finished_total" in pages[-1] and "b\\\\ud800" in pages[-1]

    until(scraped, "both names are in the metrics")
    return running.stop(), pages[-1], directory


def test_the_metrics_have_the_names(run):
    _, page, _ = run
    assert {*re.findall(r'stream_client_started_total{name="([^"]*)"', page)} == {
        NAME.replace("\\", "\\\\"),
        REFUSED.replace("\\", "\\\\"),
    }


def test_the_result_has_names_reasons_and_classes(run):
    ended, _, _ = run
    assert {each["name"] for each in ended.result["streams"]} == {NAME, REFUSED}
    assert any(USER in warning for warning in ended.result["run"]["warnings"])


def test_tables_reports_and_the_terminal_have_the_names(run):
    ended, _, directory = run
    (table,) = directory.glob("results/*/streams.csv")
    with table.open(encoding="utf-8", newline="") as file:
        assert {row["name"] for row in csv.DictReader(file)} == {NAME, REFUSED}
    (report,) = directory.glob("results/*/report.html")
    assert NAME in report.read_text(encoding="utf-8")
    assert NAME in ended.output
    assert NAME in (directory / "locust_stats.csv").read_text()
