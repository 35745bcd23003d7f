"""What the dashboards say of a run is what its result.json says: results exactly, rates within a bucket's width."""

from itertools import pairwise

import pytest

from monitoring.dashboards import compare_runs, load_test
from monitoring.dashboards.families import CLIENT_INTERVAL, CLIENT_TTFC
from monitoring.promql.panels import quantile
from streamgauge.catalog import CATALOG
from streamgauge.report.hdr import decode

pytestmark = pytest.mark.timeout(900)

RUNS = {"Base": 0, "New": 1}
METRICS = {"time_to_first_chunk": CLIENT_TTFC, "chunk_interval": CLIENT_INTERVAL}
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
BY = ("name", "protocol")


def streams(live, side):
    (found,) = live.results[RUNS[side]]["streams"]
    return found


@pytest.fixture(scope="module")
def rows(live):
    """The rows of a table of Compare runs after both runs, without the columns of the name and its protocol."""
    dashboard = compare_runs.build()
    asked = live.asked(dashboard, live.after_s)

    def of(title):
        panel = next(panel for panel in dashboard["panels"] if panel["title"] == title and panel["type"] == "table")
        return asked.table(panel, 700).rows

    return of


@pytest.mark.parametrize("side", RUNS)
def test_times_are_the_results(live, rows, side):
    found = {(row["Metric"], row["Statistic"]): row[side] for row in rows("Times") if side in row}
    every = ("duration", "chunk_delay", "start_delay", "service_time", "service_time_to_first_chunk", *METRICS)
    metrics = [metric for metric in every if streams(live, side).get(metric)]
    expected = {
        (metric, stat): streams(live, side)[metric][stat]
        for metric in metrics
        for stat in ("mean", "max", *QUANTILES)
        if streams(live, side)[metric][stat] is not None
    }
    assert len(expected) >= 15
    assert found == expected


@pytest.mark.parametrize("side", RUNS)
def test_counts_and_bytes_are_the_results(live, rows, side):
    counts, (in_all,) = {row["What"]: row[side] for row in rows("Counts")}, rows("Body bytes")
    expected = streams(live, side)
    assert (counts["streams_started"], counts["chunks"]) == (expected["started"], expected["chunks"])
    assert in_all[side] == expected["bytes"]


def test_a_difference_and_a_ratio_are_of_the_two_values(rows):
    found = [row for row in rows("Times") if {"Base", "New"} <= row.keys()]
    assert len(found) >= 15
    for row in found:
        assert row["Difference"] == pytest.approx(row["New"] - row["Base"], abs=1e-12)
        assert row["Ratio"] == pytest.approx(row["New"] / row["Base"])
    assert [row["Ratio"] for row in found] == sorted((row["Ratio"] for row in found), reverse=True)


def width(metric, value):
    """The width of the bucket that holds a value."""
    return next(high - low for low, high in pairwise((0.0, *CATALOG[metric].buckets)) if value <= high)


@pytest.mark.parametrize("label", QUANTILES)
@pytest.mark.parametrize("metric", METRICS)
def test_the_load_test_s_own_queries_agree_when_they_look_at_the_whole_run(live, metric, label):
    query = quantile(QUANTILES[label], METRICS[metric], BY)
    panels = [target["expr"] for panel in load_test.build()["panels"] for target in panel.get("targets", ())]
    assert label == "p90" or query in panels
    (first_s, unseen), *_, (last_s, count) = second_run(live, f"{METRICS[metric]}_count")
    asked = live.asked(load_test.build(), live.after_s).variables.substitute(
        query.replace("$__rate_interval", f"{round((last_s - first_s) * 1000) + 1}ms"), 700
    )
    (series,) = live.source.instant(asked, last_s)
    # A rate does not see what came before the first scrape; that may have been the fastest, or the slowest.
    measured = decode(streams(live, "New")[metric]["hdr"])
    least, most = (measured.quantile_s((QUANTILES[label] * (count - unseen) + each) / count) for each in (0, unseen))
    assert least - width(METRICS[metric], least) <= series.values[0] <= most + width(METRICS[metric], most)


def second_run(live, series):
    """The samples of a counter in the second run."""
    scraped_s = live.scraped_s(live.results[1]["run"])
    return [each for each in live.samples(series) if scraped_s[0] <= each[0] <= scraped_s[-1]]


def test_the_server_counted_the_same_chunks_over_its_workers(live):
    (series,) = live.source.instant('sum(stream_server_chunks_total{protocol="sse"})', live.after_s)
    assert series.values[0] == sum(each["chunks"] for result in live.results for each in result["streams"])
