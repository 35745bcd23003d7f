"""Client metrics in a real Prometheus: after a run they are what its result says, whoever streamed."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.catalog import CATALOG, CLIENT
from streamgauge.report.hdr import decode
from streamgauge.stats.outcome import Outcome

pytestmark = pytest.mark.timeout(600)

USERS, RUN_TIME = 8, "6s"
#: Processes that stream, and Locust's options for it.
MODES = {"one process": 1, "four workers": 4}
TRUST = {"trusted": 2, "degraded": 1, "invalid": 0}
HISTOGRAMS = ("time_to_first_chunk", "chunk_interval", "duration")
#: Of a run that has ended a while ago, too.
LAST = "last_over_time({}[30m])"

SLO = "chunks.count > 0"


@pytest.fixture(scope="module")
def app():
    """The sample app's URL."""
    command = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0", "--log-level", "error"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def in_mode(mode, free_port):
    if mode == "one process":
        return ()
    port = free_port()
    bind = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port)
    return ("--processes", MODES[mode], *bind)


@pytest.fixture(scope="module")
def runs(app, prometheus, start, free_port, tmp_path_factory):
    """A run of the default mix in each mode, scraped to its end; both at once, since they mostly wait."""
    running = {}
    for mode in MODES:
        port = free_port()
        prometheus.scrape(port)
        here = ("--metrics-port", port, "--metrics-host", "127.0.0.1", "--metrics-linger", 60, "--slo", SLO)
        options = (*in_mode(mode, free_port), *here)
        directory = tmp_path_factory.mktemp("results")
        where = {"locustfile": "loadtests/locustfile.py", "result_dir": directory}
        running[mode] = port, start.headless(app, *options, users=USERS, run_time=RUN_TIME, **where)
    return {mode: (f"127.0.0.1:{port}", each.wait()) for mode, (port, each) in running.items()}


@pytest.fixture(params=MODES)
def run(request, runs, prometheus):
    """A run, its result, and the last values of its series."""
    instance, ended = runs[request.param]
    busy = ended.result["verdict"]["trust"] == "invalid"
    assert ended.status == (3 if busy else 0), ended.output

    def last(metric):
        """Values by the metric's own labels, in alphabetical order."""
        found = prometheus.query(LAST.format(f'stream_client_{metric}{{instance="{instance}"}}'))
        added = {"__name__", "instance", "job"}
        return {tuple(labels[each] for each in sorted(labels.keys() - added)): value for labels, value in found}

    return SimpleNamespace(
        mode=request.param,
        instance=instance,
        result=ended.result,
        last=last,
        output=ended.output,
        prometheus=prometheus,
    )


def by_name(result, field):
    return {(each["name"], each["protocol"]): each[field] for each in result["streams"]}


def test_every_metric_was_scraped_but_those_that_need_stamps_tokens_arrivals_or_shapes(run):
    series = f'count by (__name__) ({{__name__=~"stream_client_.+", instance="{run.instance}"}})'
    found = {labels["__name__"] for labels, _ in run.prometheus.query(f"last_over_time(({series})[5m:1s])")}
    missing = [metric.name for metric in CLIENT if not found & set(metric.series)]
    assert set(missing) == {
        "stream_client_chunk_delay_seconds",
        "stream_client_start_delay_seconds",
        "stream_client_time_per_output_token_seconds",
        "stream_client_wanted_arrivals_per_second",
        "stream_client_wanted_users",
    }


@pytest.mark.parametrize(
    ("metric", "field"),
    [
        ("started_total", "started"),
        ("chunks_total", "chunks"),
        ("body_bytes_total", "bytes"),
        ("stalls_total", "stalls"),
    ],
)
def test_counters_are_the_results(run, metric, field):
    assert len(run.result["streams"]) >= 2
    assert run.last(metric) == by_name(run.result, field)


def test_coalesced_chunks_are_the_results_share_of_all(run):
    expected = {
        key: each * by_name(run.result, "chunks")[key] for key, each in by_name(run.result, "coalesced_share").items()
    }
    assert run.last("coalesced_chunks_total") == pytest.approx(expected)


def test_outcomes_are_the_results(run):
    found = {
        (name, protocol, outcome): times for (name, outcome, protocol), times in run.last("finished_total").items()
    }
    outcomes = by_name(run.result, "outcomes").items()
    expected = {(*key, outcome): times for key, each in outcomes for outcome, times in each.items()}
    assert {key: times for key, times in found.items() if times} == expected
    assert {outcome for *_, outcome in found} == set(Outcome)  # the first failure is an increase, and no new series


@pytest.mark.parametrize("metric", HISTOGRAMS)
def test_histograms_are_the_results_in_count_and_sum(run, metric):
    results = by_name(run.result, metric)
    assert run.last(f"{metric}_seconds_count") == {key: each["count"] for key, each in results.items()}
    sums = {key: each["count"] * (each["mean"] or 0) for key, each in results.items()}
    assert run.last(f"{metric}_seconds_sum") == pytest.approx(sums, rel=1e-9)


@pytest.mark.parametrize("metric", HISTOGRAMS)
def test_every_bucket_is_the_results_histogram_at_its_bound(run, metric):
    bounds = CATALOG[f"stream_client_{metric}_seconds"].buckets
    found = {}
    for labels, count in run.last(f"{metric}_seconds_bucket").items():
        bound, name, protocol = labels
        found.setdefault((name, protocol), {})[float(bound)] = count
    for key, each in by_name(run.result, metric).items():
        counts = decode(each["hdr"]).cumulative(bounds)
        assert found[key] == {**dict(zip(bounds, counts, strict=True)), float("inf"): each["count"]}


def test_sizes_are_of_every_chunk(run):
    assert run.last("chunk_size_bytes_count") == by_name(run.result, "chunks")


def keyed(result, key):
    """Times by name, protocol and statistic, in the alphabetical order of their labels."""
    for each in result["streams"]:
        for metric in (*HISTOGRAMS, "chunk_delay", "time_per_output_token"):
            for stat in ("mean", "min", "max", "p50", "p90", "p95", "p99", "p999"):
                if each[metric] is not None and each[metric][stat] is not None:
                    yield (metric, each["name"], each["protocol"], key, stat), each[metric][stat]


def test_results_are_exported_exactly_as_the_file_has_them(run):
    run_id = run.result["run"]["id"]
    expected = dict(keyed(run.result, run_id))
    assert len(expected) >= 2 * 3 * 8
    assert run.last("result_seconds") == expected
    assert run.last("result_body_bytes") == {(*key, run_id): each for key, each in by_name(run.result, "bytes").items()}
    counts = {key[:-1]: each for key, each in of_metric(run.last("result_counts"), "chunks").items()}
    assert counts == by_name(run.result, "chunks")
    rates = {key[:-1]: each for key, each in of_metric(run.last("result_per_second"), "chunks").items()}
    assert rates == {key: each / run.result["run"]["counted_s"] for key, each in counts.items()}


def of_metric(values, metric):
    return {
        labels: value for (name, *labels_), value in values.items() if name == metric for labels in [tuple(labels_)]
    }


def test_the_load_of_the_run_is_exported(run):
    about = run.result["run"]
    labels = (about["host"], about["id"], "locustfile", run.result["verdict"]["trust"], str(about["users"]))
    assert run.last("result_info") == {labels: 1}
    assert run.last("result_users") == {(about["id"],): USERS}
    assert run.last("result_duration_seconds") == {(about["id"],): about["duration_s"]}


def test_nothing_is_active_at_the_end_and_the_verdict_is_the_results(run):
    assert set(run.last("active").values()) == {0}
    assert list(run.last("trust").values()) == [TRUST[run.result["verdict"]["trust"]]]


def test_the_run_says_which_it_is(run):
    labels = (run.result["run"]["host"], run.result["run"]["id"], "locustfile")
    assert run.last("run_info") == {labels: 1}
    assert list(run.last("run_start_timestamp_seconds")) == [labels]


def test_lag_is_that_of_each_process_that_streamed(run):
    assert len(run.last("generator_lag_seconds_count")) == MODES[run.mode]
    assert sum(run.last("generator_lag_seconds_count").values()) == run.result["generator"]["lag"]["count"]


def test_users_and_workers_were_there(run):
    most = [f'max_over_time(stream_client_{each}{{instance="{run.instance}"}}[30m])' for each in ("users", "workers")]
    assert [run.prometheus.query(each)[0][1] for each in most] == [USERS, MODES[run.mode]]


@pytest.mark.parametrize("series", [s for metric in CLIENT if metric.type != "gauge" for s in metric.series])
def test_no_counter_ever_fell(run, series):
    found = run.prometheus.query(f'resets({series}{{instance="{run.instance}"}}[30m])')
    assert found or "delay" in series or "output_token_seconds" in series
    assert [labels for labels, times in found if times] == []
