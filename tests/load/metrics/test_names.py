"""A scenario that gives each stream a name of its own: the client metrics stay bounded, and their totals right."""

import pytest

from streamgauge.exporter.result_gauges import NAMES as RESULTS
from streamgauge.stats.names import MOST_NAMES, OTHER_NAMES

LOCUSTFILE = "tests/load/locustfiles/sessions.py"


@pytest.fixture(scope="module")
def run(_server, prometheus, start, free_port, tmp_path_factory):
    """The result of a run, and what Prometheus last scraped of a metric, by name."""
    port = free_port()
    prometheus.scrape(port, every_s=10)  # a page of so many names takes long on a busy machine
    options = ("--metrics-port", port, "--metrics-host", "127.0.0.1", "--metrics-linger", 60)
    where = {"locustfile": LOCUSTFILE, "result_dir": tmp_path_factory.mktemp("results")}
    ended = start.headless(_server.url, *options, users=8, run_time="4s", **where).wait()

    def last(metric, matchers=""):
        selector = f'stream_client_{metric}{{instance="127.0.0.1:{port}"{matchers}}}'
        found = prometheus.query(f"last_over_time({selector}[30m])")
        return {labels.get("name"): value for labels, value in found}

    return ended.result, last


def test_there_are_more_names_than_the_limit(run):
    result, _ = run
    assert len(result["streams"]) == MOST_NAMES + 1
    assert result["run"]["names_left_out"] > MOST_NAMES


@pytest.mark.parametrize(("metric", "field"), [("started_total", "started"), ("chunks_total", "chunks")])
def test_totals_are_the_results_though_most_names_count_as_one(run, metric, field):
    result, last = run
    found = last(metric)
    assert len(found) == MOST_NAMES + 1
    assert OTHER_NAMES in found
    assert sum(found.values()) == sum(each[field] for each in result["streams"])


def test_the_names_that_have_no_series_are_counted(run):
    result, last = run
    others = result["run"]["names_left_out"]
    assert last("names_left_out") == {None: others}
    # One of the names that have results of their own is that of all others.
    assert last("result_names_left_out") == {None: MOST_NAMES + others - (RESULTS - 1)}
    assert len(last("result_counts", ', metric="chunks"')) == RESULTS
