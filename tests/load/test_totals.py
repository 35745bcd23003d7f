"""Totals of whole runs, in one process and over workers: every stream of the source's log, once."""

import time
from datetime import datetime

import pytest

from benchmarks.testbed.server import Server
from tests.load.conftest import SPAWN_RATE

USERS, CHUNKS = 10, 25
#: Streams of 2.5 s, one after the other: when the run ends, some are under way, and drain.
STREAM = ("--stream-path", f"/sse?chunks={CHUNKS - 1}&interval_ms=100", "--stream-end", "event:done")
RUN_TIME_S = 4

#: Processes that stream: none but Locust's own, two that the master forks, two that are started beside it.
MODES = {"one process": 1, "--processes 2": 2, "master and two workers": 2}


class Whole:
    """A run under way, and all that counts it."""

    def __init__(self, mode, start, directory, port, two_processes):
        self.source = Server()
        self.workers = []
        self._directory = directory
        options = {
            "one process": (),
            "--processes 2": two_processes,
            "master and two workers": ("--master", "--expect-workers", 2, "--master-bind-port", port),
        }[mode]
        if mode == "master and two workers":
            self.workers = [start("--worker", "--master-port", port) for _ in range(2)]
        with_stats = (*STREAM, *options, "--json-file", directory / "stats")
        url = self.source.__enter__().url
        self.running = start.headless(url, *with_stats, users=USERS, run_time=f"{RUN_TIME_S}s", result_dir=directory)

    def end(self, locust_stats):
        """The run, Locust's statistics of it, and the source's log of it."""
        run = self.running.wait()
        assert run.status == 0, run.output
        assert [worker.wait().status for worker in self.workers] == [0] * len(self.workers)
        return run, locust_stats(self._directory / "stats"), self.source.log()


@pytest.fixture(scope="module")
def runs(start, free_port, two_processes, locust_stats, tmp_path_factory):
    """One run in each mode, all at once: they mostly wait."""
    wholes = {}
    try:
        for mode in MODES:
            wholes[mode] = Whole(mode, start, tmp_path_factory.mktemp("run"), free_port(), two_processes())
        return {mode: (*whole.end(locust_stats), MODES[mode]) for mode, whole in wholes.items()}
    finally:
        for whole in wholes.values():
            whole.source.end()


@pytest.fixture(params=MODES)
def whole(request, runs):
    return runs[request.param]


def test_streams_that_drain_after_the_end_are_counted_and_none_is_censored(whole):
    run, _, log, _ = whole
    assert run.outcomes == {"completed": len(log.streams)}
    last_s = max(sends[-1] for sends in log.streams) / 1e9 + time.time() - time.monotonic()
    assert last_s > datetime.fromisoformat(run.result["run"]["started_at"]).timestamp() + RUN_TIME_S


def test_chunks_are_those_that_the_source_sent(whole):
    run, _, log, _ = whole
    assert run.chunks == log.chunks == len(log.streams) * CHUNKS
    assert run.result["streams"][0]["chunk_interval"]["count"] == len(log.intervals_ns)


def test_each_stream_is_one_request_of_locusts(whole):
    run, stats, log, _ = whole
    (streams,) = run.result["streams"]
    assert streams["started"] == len(log.streams)
    assert {name: (each["num_requests"], each["num_failures"]) for name, each in stats.items()} == {
        "/sse": (len(log.streams), 0)
    }
    assert stats["/sse"]["method"] == "SSE"


def test_locusts_response_time_and_length_are_the_streams_duration_and_bytes(whole):
    run, stats, log, _ = whole
    (streams,) = run.result["streams"]
    assert stats["/sse"]["total_content_length"] == streams["bytes"]
    mean_s = stats["/sse"]["total_response_time"] / len(log.streams) / 1000
    assert mean_s == pytest.approx(streams["duration"]["mean"], rel=0.01)


def test_the_timeline_adds_up_to_the_totals(whole):
    run, _, log, _ = whole
    points, streams = run.result["timeline"], len(log.streams)
    for count, total in (("started", streams), ("finished", streams), ("failed", 0), ("chunks", log.chunks)):
        assert sum(point[count] for point in points) == total
        assert sum(named[count] for point in points for named in point["streams"]) == total
    assert {(named["name"], named["protocol"]) for point in points for named in point["streams"]} == {("/sse", "sse")}
    assert max(point["active"] for point in points) == USERS


def test_the_result_says_how_many_workers_and_users_there_were_and_how_fast_these_came(whole):
    run, _, _, workers = whole
    about = run.result["run"]
    assert (about["workers"], about["users"], about["spawn_rate"]) == (workers, USERS, SPAWN_RATE)
    assert about["locustfile"].endswith("sse.py")
    assert not about["interrupted"]


def test_users_keep_their_connections(whole):
    _, _, log, _ = whole
    assert log.connections == USERS


@pytest.fixture(scope="module")
def outlived(start, two_processes, locust_stats, tmp_path_factory):
    """By how many processes streamed, runs whose streams outlive the stop timeout by far; both at once."""
    stream = ("--stream-path", "/sse?chunks=2000&interval_ms=50", "--stop-timeout", 1)
    running = {}
    with Server() as one, Server() as other:
        for workers, source, options in ((1, one, ()), (2, other, two_processes())):
            place = tmp_path_factory.mktemp("run")
            options = (*stream, *options, "--json-file", place / "stats")
            running[workers] = start.headless(source.url, *options, users=4, run_time="3s", result_dir=place), source
        return {
            workers: (each.wait(), locust_stats(each.result_dir / "stats"), source.log())
            for workers, (each, source) in running.items()
        }


@pytest.mark.parametrize("workers", [1, 2])
def test_streams_that_outlive_the_stop_timeout_are_censored_and_no_failure(outlived, workers):
    run, stats, log = outlived[workers]
    assert run.status == 0, run.output
    assert run.outcomes == {"censored": len(log.streams)}
    assert 0 < len(log.streams) <= 4
    assert stats == {}
    assert 0 < run.chunks <= log.chunks < 2000
