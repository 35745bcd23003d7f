"""What the dashboards say of a run is what its result.json says: totals exactly, quantiles within a bucket's width."""

from itertools import pairwise

import pytest

from monitoring.dashboards import compare_runs, load_test
from monitoring.dashboards.families import (
    CLIENT_BYTES,
    CLIENT_CHUNKS,
    CLIENT_DURATION,
    CLIENT_FINISHED,
    CLIENT_INTERVAL,
    CLIENT_STARTED,
    CLIENT_TTFC,
)
from monitoring.promql import quantile
from monitoring.windows import Run
from streamgauge.catalog import CATALOG

RUNS = {"base": 0, "new": 1}
METRICS = {"time_to_first_chunk": CLIENT_TTFC, "chunk_interval": CLIENT_INTERVAL}
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
BY = ("name", "protocol")


class Asked:
    """The single value of a query, with the two runs chosen."""

    def __init__(self, live):
        self._live = live
        self._scope = live.asked(compare_runs.build(), live.after_s).scope

    def fill(self, query):
        return self._scope.fill(query, 700)

    def __call__(self, query):
        (series,) = self._live.source.instant(self.fill(query), self._live.after_s)
        return series.values[0]


@pytest.fixture(scope="module")
def ask(live):
    return Asked(live)


def streams(live, variable):
    (found,) = live.results[RUNS[variable]]["streams"]
    return found


def width(metric, value):
    """The width of the bucket that holds a value."""
    return next(high - low for low, high in pairwise((0.0, *CATALOG[metric].buckets)) if value <= high)


@pytest.mark.parametrize("variable", RUNS)
def test_a_run_s_totals_are_its_result_s(live, ask, variable):
    run, expected = Run(variable), streams(live, variable)
    assert ask(run.growth(CLIENT_STARTED)) == expected["started"]
    assert ask(run.growth(CLIENT_CHUNKS)) == expected["chunks"]
    assert ask(run.growth(CLIENT_BYTES)) == expected["bytes"]
    assert ask(run.growth(CLIENT_FINISHED, (), 'outcome="completed"')) == expected["outcomes"]["completed"]
    assert ask(run.growth(CLIENT_INTERVAL, part="_count")) == expected["chunk_interval"]["count"]


@pytest.mark.parametrize("variable", RUNS)
@pytest.mark.parametrize("label", QUANTILES)
@pytest.mark.parametrize("metric", METRICS)
def test_a_run_s_quantiles_are_its_result_s_within_a_bucket(live, ask, variable, metric, label):
    expected = streams(live, variable)[metric][label]
    shown = ask(Run(variable).quantile(QUANTILES[label], METRICS[metric], BY))
    assert shown == pytest.approx(expected, abs=width(METRICS[metric], expected))


@pytest.mark.parametrize("variable", RUNS)
def test_a_run_s_mean_duration_is_its_result_s(live, ask, variable):
    expected = streams(live, variable)["duration"]["mean"]
    assert ask(Run(variable).mean(CLIENT_DURATION)) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("label", QUANTILES)
@pytest.mark.parametrize("metric", METRICS)
def test_the_load_test_s_own_queries_agree_when_they_look_at_the_whole_run(live, ask, metric, label):
    query = quantile(QUANTILES[label], METRICS[metric], BY)
    panels = [target["expr"] for panel in load_test.build()["panels"] for target in panel.get("targets", ())]
    assert label == "p90" or query in panels
    (first_s, unseen), *_, (last_s, count) = second_run(live, f"{METRICS[metric]}_count")
    range_ms = round((last_s - first_s) * 1000) + 1
    (series,) = live.source.instant(ask.fill(query.replace("$__rate_interval", f"{range_ms}ms")), last_s)
    # A rate does not see what came before the first scrape; that may have been the fastest, or the slowest.
    least, most = (
        ask(Run("new").quantile((QUANTILES[label] * (count - unseen) + each) / count, METRICS[metric], BY))
        for each in (0, unseen)
    )
    assert least - width(METRICS[metric], least) <= series.values[0] <= most + width(METRICS[metric], most)


def second_run(live, series):
    """The samples of a counter in the second run."""
    scraped_s = live.scraped_s(live.results[1]["run"])
    return [each for each in live.samples(series) if scraped_s[0] <= each[0] <= scraped_s[-1]]


def test_the_server_counted_the_same_chunks_over_its_workers(live):
    (series,) = live.source.instant('sum(stream_server_chunks_total{protocol="sse"})', live.after_s)
    assert series.values[0] == sum(each["chunks"] for result in live.results for each in result["streams"])
