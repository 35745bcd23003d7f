"""The web UI of a demo in a real browser: START and STOP, as its user presses them."""

import json
import re
import time

import pytest

pytestmark = pytest.mark.browser

USERS, RUN_TIME_S = 3, 25


@pytest.fixture
def demo(playing, tmp_path):
    """A demo whose own run is under way; Ctrl-C ends it with the test."""
    with playing(tmp_path, "--users", str(USERS), "--run-time", f"{RUN_TIME_S}s", "--web") as demo:
        demo.wait_for_streams()
        yield demo
        demo.interrupt()


@pytest.fixture
def page(demo, locust_page):
    return locust_page(demo.address("Locust's web UI") + "/")


@pytest.fixture
def sample(demo, counted):
    """Reads a counter of the sample app."""
    return lambda name: counted(demo.address("its metrics"), name)


@pytest.fixture
def start(page, sample, until):
    """Presses START, and returns once the sample app sends chunks."""

    def press():
        before = sample("stream_server_chunks_total")
        page.start()
        page.wait_for_status("RUNNING")
        until(lambda: sample("stream_server_chunks_total") > before)

    return press


@pytest.fixture
def stop(demo, page, until):
    """Presses STOP; the result of this run, the demo's ``runs``-th, once the demo has said where it is."""

    def press(runs):
        page.press("Stop")
        page.wait_for_status("STOPPED")
        until(lambda: demo.output.read_text().count("report.html") == runs or demo.process.poll() is not None)
        reported = demo.reported_runs()
        assert len(reported) == runs, demo.errors.read_text()
        return json.loads((reported[-1] / "result.json").read_text())

    return press


def names(result):
    return {each["name"] for each in result["streams"]}


def outcomes(result):
    return {name for each in result["streams"] for name, times in each["outcomes"].items() if times}


def test_runs_start_and_stop_as_the_form_is_shown_and_with_other_values(demo, page, start, stop, sample, until):
    page.wait_for_status("RUNNING")
    stop(runs=1)
    page.open_form()
    assert (page.shown("userCount"), page.shown("runTime")) == (str(USERS), str(RUN_TIME_S))
    start()
    result = stop(runs=2)
    assert (result["run"]["users"], result["run"]["host"]) == (USERS, demo.address("sample app"))
    assert outcomes(result) <= {"completed", "censored"}
    assert names(result) <= {"/stream/sse", "/stream/ndjson", "/stream/file/{name}"}

    page.open_form()
    page.type("userCount", "1")  # which is the mix's listener to events
    page.type("streamPath", "/stream/sse?chunks=20&interval_ms=50")
    page.type("streamHeader", "Last-Event-ID: 14")  # the sample app resumes after that: five readings and the end
    before = sample("stream_server_finished_total")
    start()
    until(lambda: sample("stream_server_finished_total") >= before + 3)
    result = stop(runs=3)
    (streams,) = result["streams"]
    assert (result["run"]["users"], streams["name"]) == (1, "/stream/sse")
    assert streams["outcomes"]["completed"] >= 3
    assert streams["chunks"] == 6 * streams["started"]
    assert page.tab.complaints == []


def test_a_run_outlives_the_time_of_one_before_that_was_stopped_early(page, start, stop, sample, until):
    page.wait_for_status("RUNNING")
    over_s = time.monotonic() + RUN_TIME_S
    stop(runs=1)
    page.open_form()
    page.type("runTime", "")
    start()
    time.sleep(max(0.0, over_s - time.monotonic()) + 1)
    before = sample("stream_server_started_total")
    until(lambda: sample("stream_server_started_total") > before)
    page.wait_for_status("RUNNING")
    stop(runs=2)


BAD = {
    "streamEnd": ("nonsense", "--stream-end: .*'nonsense'"),
    "streamHeader": ("no colon", "--stream-header: .*'no colon'"),
    "host": ("127.0.0.1", "Host: expected a URL such as .*, got '127.0.0.1'$"),
}


def test_a_bad_value_is_explained_and_nothing_starts(demo, page, stop, sample):
    stop(runs=1)
    before = sample("stream_server_started_total")
    for field, (text, words) in BAD.items():
        page.tab.go(demo.address("Locust's web UI") + "/")
        page.open_form()
        page.type(field, text)
        page.start()
        assert re.match(words, page.alert())
    page.tab.go(demo.address("Locust's web UI") + "/")
    page.wait_for_status("STOPPED")
    assert len(list(demo.results.glob("*Z-*"))) == 1
    assert sample("stream_server_started_total") == before
