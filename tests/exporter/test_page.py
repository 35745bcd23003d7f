"""The page as Prometheus reads it."""

import subprocess
import time

import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from streamgauge.catalog import CATALOG, CLIENT, PROCESS, SIZE_BUCKETS
from streamgauge.exporter.page import Page, page_app

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
STARTED = "process_start_time_seconds"
#: What prometheus_client says of a process beside that.
OF_THE_PROCESS = {STARTED, "process_virtual_memory_bytes"}
#: In runs whose server stamps no chunks.
ABSENT = {
    "stream_client_chunk_delay_seconds",
    "stream_client_time_per_output_token_seconds",
    "stream_client_start_delay_seconds",
    "stream_client_wanted_users",
    "stream_client_wanted_arrivals_per_second",
}


class Asked:
    """One answer of the app."""

    def __init__(self, app, path="/metrics", accept="", **more):
        self.sent = []
        environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": "", "HTTP_ACCEPT": accept, **more}
        body = app(environ, lambda status, headers: self.sent.append((status, dict(headers))))
        self.text = b"".join(body).decode()
        self.close = getattr(body, "close", lambda: None)
        ((self.status, self.headers),) = self.sent


@pytest.fixture
def scrapes():
    return []


@pytest.fixture
def app(state, some_slices, scrapes, result_of):
    state.add("p", some_slices)
    state.end(result_of(parts=some_slices, rules="failed.ratio < 1%"))
    return page_app(Page(state.read), scrapes.append)


def families(text, accept):
    return {each.name: each for each in (read_openmetrics if accept else read_plain)(text)}


@pytest.mark.parametrize("accept", ["", OPENMETRICS], ids=["plain", "OpenMetrics"])
def test_every_client_metric_is_there_as_the_catalog_has_it(app, accept):
    found = families(Asked(app, accept=accept).text, accept)
    for metric in CLIENT:
        if metric.name not in ABSENT:
            family = found[metric.name.removesuffix("_total")]
            assert (family.type, family.documentation) == (metric.type, metric.help)
            assert {sample.name for sample in family.samples} == set(metric.series)
            assert {label for s in family.samples for label in s.labels} - {"le"} == set(metric.labels)


def test_nothing_is_there_that_the_catalog_does_not_have(app):
    names = {sample.name for family in families(Asked(app).text, "").values() for sample in family.samples}
    assert names - OF_THE_PROCESS <= {series for metric in (*CLIENT, *PROCESS) for series in metric.series}


def test_the_page_says_what_its_process_uses(app):
    found = {name: family.samples for name, family in families(Asked(app).text, "").items()}
    own = psutil.Process()
    (memory,), (descriptors,) = found["process_resident_memory_bytes"], found["process_open_fds"]
    assert own.memory_info().rss / 2 < memory.value < own.memory_info().rss * 2
    assert 0 < descriptors.value <= found["process_max_fds"][0].value
    assert 0 < found["process_cpu_seconds"][0].value <= sum(own.cpu_times()[:2]) + 1


def test_the_page_says_since_when_its_process_counts(app):
    (sample,) = families(Asked(app).text, "")[STARTED].samples
    own_s = psutil.Process().create_time()
    assert own_s - 1 <= sample.value <= time.time()  # the boot time that it is counted from is of whole seconds
    assert families(Asked(app).text, "")[STARTED].samples == [sample]


def test_counts_are_cumulative_and_end_with_all(app):
    samples = families(Asked(app).text, "")["stream_client_chunk_size_bytes"].samples
    of_a = [sample for sample in samples if sample.labels["name"] == "a"]
    counts = [sample.value for sample in of_a if sample.name.endswith("_bucket")]
    (count,) = (sample.value for sample in of_a if sample.name.endswith("_count"))
    assert counts == sorted(counts)
    assert counts[-1] == count > 0
    assert [float(s.labels["le"]) for s in of_a if "le" in s.labels] == [*SIZE_BUCKETS, float("inf")]


def test_sums_are_seconds(app, state):
    (family,) = (f for f in read_plain(Asked(app).text) if f.name == "stream_client_chunk_interval_seconds")
    sums = {s.labels["name"]: s.value for s in family.samples if s.name.endswith("_sum")}
    expected = dict(state.read()["stream_client_chunk_interval_seconds"])
    assert sums == {name: expected[name, "sse"].total / 1e9 for name in sums}


def test_the_linter_of_prometheus_has_no_objection(app, program):
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=Asked(app).text, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_name_that_needs_escaping_survives(state, slice_of):
    part = slice_of(started=1)
    part.all_stats['/x"\\\n', "sse"] = part.all_stats.pop(("a", "sse"))
    state.add("p", [part])
    family = families(Asked(page_app(Page(state.read), print)).text, "")["stream_client_started"]
    assert family.samples[0].labels["name"] == '/x"\\\n'


def test_other_paths_say_where_the_metrics_are(app, scrapes):
    asked = Asked(app, path="/")
    assert (asked.status, asked.text) == ("404 Not Found", "The metrics are at /metrics.\n")
    assert scrapes == []


def test_a_scrape_is_told_once_it_is_sent_as_of_when_it_was_asked_for(app, scrapes):
    before_s = time.monotonic()
    asked = Asked(app)
    assert scrapes == []
    after_s = time.monotonic()
    asked.close()
    assert before_s <= scrapes[0] <= after_s


@pytest.mark.parametrize(("timeouts", "told"), [("1e-9", 0), ("600", 1), ("soon", 1)])
def test_a_scrape_that_its_asker_has_given_up_is_not_told(app, scrapes, timeouts, told):
    Asked(app, HTTP_X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS=timeouts).close()
    assert len(scrapes) == told


def test_a_resting_page_is_the_same_page(state, some_slices):
    state.add("p", some_slices)
    pages = [Asked(page_app(Page(state.read, resting=each), print)).text.splitlines() for each in (True, False)]
    resting, busy = ([line for line in page if "process_" not in line] for page in pages)
    assert resting == busy
    assert len(busy) > 300


def test_the_catalog_has_every_metric_that_is_read(state, some_slices):
    state.add("p", some_slices)
    assert set(state.read()) <= set(CATALOG)
