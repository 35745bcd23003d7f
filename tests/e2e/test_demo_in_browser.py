"""The web UI of a demo in a real browser: START and STOP, as its user presses them."""

import json
import re
import time
import urllib.request

import pytest

pytestmark = pytest.mark.browser

DEADLINE_S = 120
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


def eventually(holds):
    deadline_s = time.monotonic() + DEADLINE_S
    while not (found := holds()):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    return found


def counted(demo, name):
    """The sample app's own count of this name, over all of its streams."""
    with urllib.request.urlopen(demo.address("its metrics") + "/metrics", timeout=60) as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + "{"))


def start(demo, page):
    """Press START, and return once the sample app sends chunks."""
    before = counted(demo, "stream_server_chunks_total")
    page.start()
    page.wait_for_status("RUNNING")
    eventually(lambda: counted(demo, "stream_server_chunks_total") > before)


def stop(demo, page, runs):
    """Press STOP; the result of this run, the demo's ``runs``-th, once the demo has said where it is."""
    page.press("Stop")
    page.wait_for_status("STOPPED")
    eventually(lambda: demo.output.read_text().count("report.html") == runs or demo.process.poll() is not None)
    reported = demo.reported_runs()
    assert len(reported) == runs, demo.errors.read_text()
    return json.loads((reported[-1] / "result.json").read_text())


def names(result):
    return {each["name"] for each in result["streams"]}


def outcomes(result):
    return {name for each in result["streams"] for name, times in each["outcomes"].items() if times}


def test_runs_start_and_stop_as_the_form_is_shown_and_with_other_values(demo, page):
    page.wait_for_status("RUNNING")
    stop(demo, page, runs=1)
    page.open_form()
    assert (page.shown("userCount"), page.shown("runTime")) == (str(USERS), str(RUN_TIME_S))
    start(demo, page)
    result = stop(demo, page, runs=2)
    assert (result["run"]["users"], result["run"]["host"]) == (USERS, demo.address("sample app"))
    assert outcomes(result) <= {"completed", "censored"}
    assert names(result) <= {"/stream/sse", "/stream/ndjson", "/stream/file/{name}"}

    page.open_form()
    page.type("userCount", "1")  # which is the mix's listener to events
    page.type("streamPath", "/stream/sse?chunks=20&interval_ms=50")
    page.type("streamHeader", "Last-Event-ID: 14")  # the sample app resumes after that: five readings and the end
    before = counted(demo, "stream_server_finished_total")
    start(demo, page)
    eventually(lambda: counted(demo, "stream_server_finished_total") >= before + 3)
    result = stop(demo, page, runs=3)
    (streams,) = result["streams"]
    assert (result["run"]["users"], streams["name"]) == (1, "/stream/sse")
    assert streams["outcomes"]["completed"] >= 3
    assert streams["chunks"] == 6 * streams["started"]
    assert page.tab.complaints == []


def test_a_run_outlives_the_time_of_one_before_that_was_stopped_early(demo, page):
    page.wait_for_status("RUNNING")
    over_s = time.monotonic() + RUN_TIME_S
    stop(demo, page, runs=1)
    page.open_form()
    page.type("runTime", "")
    start(demo, page)
    time.sleep(max(0.0, over_s - time.monotonic()) + 1)
    before = counted(demo, "stream_server_started_total")
    eventually(lambda: counted(demo, "stream_server_started_total") > before)
    page.wait_for_status("RUNNING")
    stop(demo, page, runs=2)


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("streamEnd", "nonsense", "--stream-end: .*'nonsense'"),
        ("streamHeader", "no colon", "--stream-header: .*'no colon'"),
        ("host", "127.0.0.1", "Host: '127.0.0.1"),
    ],
    ids=["end", "header", "host"],
)
def test_a_bad_value_is_explained_and_nothing_starts(demo, page, field, text, words):
    stop(demo, page, runs=1)
    before = counted(demo, "stream_server_started_total")
    page.open_form()
    page.type(field, text)
    page.start()
    assert re.match(words, page.alert())
    page.tab.go(demo.address("Locust's web UI") + "/")
    page.wait_for_status("STOPPED")
    assert len(list(demo.results.glob("*Z-*"))) == 1
    assert counted(demo, "stream_server_started_total") == before
