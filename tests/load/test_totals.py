"""Totals of whole runs, in one process and over workers: every stream of the source's log, once."""

import pytest

from benchmarks.server import Server

USERS, CHUNKS = 10, 25
#: Streams of 2.5 s: each user's second one is under way when the run ends, and drains.
STREAM = ("--stream-path", f"/sse?chunks={CHUNKS - 1}&interval_ms=100", "--stream-end", "event:done")
RUN_TIME = "4s"
STREAMS = 2 * USERS


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
        self.running = start.headless(url, *with_stats, users=USERS, run_time=RUN_TIME, result_dir=directory)

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
    assert run.outcomes == {"completed": STREAMS}
    assert len(log.streams) == STREAMS


def test_chunks_are_those_that_the_source_sent(whole):
    run, _, log, _ = whole
    assert run.chunks == log.chunks == STREAMS * CHUNKS
    assert run.result["streams"][0]["chunk_interval"]["count"] == STREAMS * (CHUNKS - 1)


def test_each_stream_is_one_request_of_locusts(whole):
    run, stats, _, _ = whole
    (streams,) = run.result["streams"]
    assert streams["started"] == STREAMS
    assert {name: (each["num_requests"], each["num_failures"]) for name, each in stats.items()} == {
        "/sse": (STREAMS, 0)
    }
    assert stats["/sse"]["method"] == "SSE"


def test_locusts_response_time_and_length_are_the_streams_duration_and_bytes(whole):
    run, stats, _, _ = whole
    (streams,) = run.result["streams"]
    assert stats["/sse"]["total_content_length"] == streams["bytes"]
    mean_s = stats["/sse"]["total_response_time"] / STREAMS / 1000
    assert mean_s == pytest.approx(streams["duration"]["mean"], rel=0.01)


def test_the_timeline_adds_up_to_the_totals(whole):
    run, _, _, _ = whole
    points = run.result["timeline"]
    for count, total in (("started", STREAMS), ("finished", STREAMS), ("failed", 0), ("chunks", STREAMS * CHUNKS)):
        assert sum(point[count] for point in points) == total
    assert max(point["active"] for point in points) == USERS


def test_the_result_says_how_many_workers_and_users_there_were(whole):
    run, _, _, workers = whole
    assert run.result["run"]["workers"] == workers
    assert run.result["run"]["users"] == USERS
    assert not run.result["run"]["interrupted"]


def test_users_keep_their_connections(whole):
    _, _, log, _ = whole
    assert log.connections == USERS


@pytest.mark.parametrize("workers", [1, 2])
def test_streams_that_outlive_the_stop_timeout_are_censored_and_no_failure(
    start, source, locust_stats, tmp_path, workers, two_processes
):
    stats = tmp_path / "stats"
    stream = ("--stream-path", "/sse?chunks=200&interval_ms=50", "--stop-timeout", 1, "--json-file", stats)
    options = (*stream, *two_processes()) if workers > 1 else stream
    run = start.headless(source.url, *options, users=4, run_time="1s", result_dir=tmp_path / "results").wait()
    assert run.status == 0, run.output
    assert run.outcomes == {"censored": 4}
    assert len(source.log().streams) == 4
    assert locust_stats(stats) == {}
    assert 0 < run.chunks < 4 * 200


def test_reset_stats_leaves_out_what_ended_while_users_were_starting(start, source, locust_stats, tmp_path):
    stream = ("--stream-path", "/sse?chunks=4&interval_ms=20", "--stream-end", "event:done")
    stats = tmp_path / "stats"
    options = ("--headless", "-H", source.url, "-u", 5, "-r", 3, "-t", "3s", "--reset-stats", "--json-file", stats)
    run = start(*options, *stream, result_dir=tmp_path).wait()
    assert run.status == 0, run.output
    finished = run.outcomes["completed"]
    assert finished == locust_stats(stats)["/sse"]["num_requests"]
    assert 0 < finished < len(source.log().streams)


LONG = "chunks=60&interval_ms=50"
#: How the streams of 3 s end: by themselves, by the server's hand, or by the end of the run.
ENDS = {
    "completed": (f"/sse?{LONG}", 0),
    "truncated": (f"/sse?{LONG}&cut=59", 1),
    "censored": ("/sse?chunks=600&interval_ms=50", 0),
}


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("outcome", "path", "status"), [(outcome, *how) for outcome, how in ENDS.items()], ids=ENDS)
def test_a_reset_in_mid_stream_leaves_a_result_of_what_came_after(
    start, source, tmp_path, outcome, path, status, workers, two_processes
):
    options = ("--headless", "-H", source.url, "-u", 2, "-r", 1, "-t", "2s", "--reset-stats", "--stream-path", path)
    options += ("--stop-timeout", 1 if outcome == "censored" else 20, *(two_processes() if workers else ()))
    run = start(*options, result_dir=tmp_path).wait()
    assert run.status == status, run.output
    (streams,) = run.result["streams"]
    assert streams["outcomes"] == {outcome: 2}
    assert 0 < streams["chunks"] < source.log().chunks
    assert 0 <= streams["started"] < 2  # the second user's may begin after the reset; the first one's began before
    assert 0 <= streams["time_to_first_chunk"]["count"] < 2
