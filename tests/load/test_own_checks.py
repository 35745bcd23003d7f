"""A scenario's own checks: streams that it fails or accepts, in its callback or later, and those that it leaves."""

import http.server
import re
import threading

import pytest

from benchmarks.testbed.server import Server

#: Each user has one stream of its own name, and says what became of it.
LOCUSTFILE = """
import os

import gevent
from locust import events, task
from locust.exception import CatchResponseError, RescheduleTask, StopUser
from streamgauge.load import StreamFailed, StreamUser

@events.request.add_listener
def told(name, exception, response, **more):
    print("request:", name, response.outcome, type(exception).__name__, flush=True)


class Checks(StreamUser):
    fixed_count = 1
    abstract = True
    checked = False

    def sse(self, path="/sse?chunks=4&interval_ms=20", **more):
        return self.client.stream("GET", path, protocol="sse", name=type(self).__name__, **more)

    def check(self):
        raise NotImplementedError

    @task
    def once(self):
        if self.checked:
            raise StopUser
        self.checked = True
        try:
            self.check()
        finally:
            print("checked", flush=True)


class Failed(Checks):
    def check(self):
        def look(event):
            raise StreamFailed("wrong number")

        record = self.sse(on_chunk=look)
        print("went on with", record.outcome, flush=True)


class Asserted(Checks):
    def check(self):
        def look(event):
            assert event.data == "never", "not never"

        self.sse(on_chunk=look)


class Rescheduled(Checks):
    def check(self):
        def look(event):
            raise RescheduleTask

        self.sse(on_chunk=look)


class FailedAfter(Checks):
    def check(self):
        with self.sse(catch_response=True) as record:
            if record.chunks < 10:
                record.failure(f"only {record.chunks // record.chunks} of ten")


class PassedAfter(Checks):
    def check(self):
        with self.sse(catch_response=True) as record:
            assert record.chunks == 5


class Accepted(Checks):
    def check(self):
        with self.sse(os.environ["REFUSES"], catch_response=True) as record:
            if record.status == 429:
                record.success()


class TwiceFailed(Checks):
    def check(self):
        with self.sse("/sse?chunks=4&interval_ms=20&cut=2", catch_response=True) as record:
            record.failure("as I feared")


class RaisedAfter(Checks):
    def check(self):
        with self.sse(catch_response=True) as record:
            assert record.chunks > 10, "too few"


class ToldAfter(Checks):
    def check(self):
        with self.sse(catch_response=True):
            raise CatchResponseError("told as Locust does")
        print("went on after", flush=True)


class Forgotten(Checks):
    def check(self):
        self.sse(catch_response=True)


class Plain(Checks):
    def check(self):
        try:
            self.sse().failure("too late")
        except TypeError as error:
            print("plain:", error, flush=True)


class Left(Checks):
    def check(self):
        with gevent.Timeout(0.5, False):
            self.sse("/sse?chunks=4000&interval_ms=20")


class Killed(Checks):
    def check(self):
        self.sse("/sse?chunks=4000&interval_ms=20", on_chunk=self.kill)

    def kill(self, event):
        gevent.spawn(self.stop, force=True)
"""
FAILED = ("Failed", "Asserted", "FailedAfter", "RaisedAfter", "ToldAfter")
#: The outcome of each user's stream, and its reason.
EXPECTED = {
    "Failed": ("check_failed", "wrong number"),
    "Asserted": ("check_failed", "the scenario raised AssertionError('not never')"),
    "Rescheduled": ("aborted", None),
    "FailedAfter": ("check_failed", "only 1 of ten"),
    "PassedAfter": ("completed", None),
    "Accepted": ("completed", None),
    "TwiceFailed": ("truncated", "as I feared (the connection was closed inside the body)"),
    "RaisedAfter": ("check_failed", "AssertionError('too few')"),
    "ToldAfter": ("check_failed", "told as Locust does"),
    "Forgotten": ("completed", None),
    "Plain": ("completed", None),
    "Left": ("aborted", None),
    "Killed": ("censored", None),
}


class Busy(http.server.BaseHTTPRequestHandler):
    """Refuses each request."""

    def do_GET(self):
        self.send_response(429)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def refuses():
    with http.server.HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def run(start, until, refuses, tmp_path_factory):
    """A run in which each user has had its stream."""
    directory = tmp_path_factory.mktemp("own_checks")
    locustfile = directory / "scenario.py"
    locustfile.write_text(LOCUSTFILE)
    with Server() as source:
        more = {"locustfile": locustfile, "result_dir": directory / "results", "variables": {"REFUSES": refuses}}
        running = start.headless(source.url, users=len(EXPECTED), run_time=None, **more)
        until(lambda: running.output.count("checked") == len(EXPECTED), "each has had its stream")
        return running.stop()


@pytest.fixture
def streams(run):
    return {each["name"]: each for each in run.result["streams"]}


@pytest.mark.parametrize(("name", "outcome", "reason"), [(name, *found) for name, found in EXPECTED.items()])
def test_each_stream_counts_once_as_the_scenario_judges_it(streams, run, name, outcome, reason):
    assert streams[name]["outcomes"] == {outcome: 1}, run.output
    assert list(streams[name]["reasons"]) == ([] if reason is None else [f"{outcome}: {reason}"])


def test_locusts_table_has_the_same_failures(run):
    told = dict(re.findall(r"^request: (\w+) \w+ (\w+)$", run.output, re.MULTILINE))
    assert told == {
        name: "StreamFailed" if reason else "NoneType" for name, (_, reason) in EXPECTED.items() if name != "Killed"
    }
    for name in FAILED:
        reason = f"check_failed: {EXPECTED[name][1]}"
        assert f"SSE {name}: StreamFailed({reason!r})" in run.output
    assert run.status == 1


def test_a_stream_that_the_scenario_fails_does_not_end_its_task(run):
    assert "went on with check_failed" in run.output
    assert "went on after" in run.output
    assert "wrong number" not in re.findall(r"^Traceback.*?^\w+: .*?$", run.output, re.MULTILINE | re.DOTALL)


def test_an_assertion_is_locusts_to_show_too(run):
    assert "AssertionError: not never" in run.output
    assert "AssertionError: too few" in run.output


def test_a_record_that_counts_already_says_how_to_judge_one(run):
    assert (
        "plain: to call failure() or success() on a record, pass catch_response=True and use a with block" in run.output
    )


def test_a_refusal_that_the_scenario_accepts_is_counted_as_one(streams):
    assert streams["Accepted"]["accepted_refusals"] == 1
