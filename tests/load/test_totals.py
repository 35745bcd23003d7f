"""Totals of whole runs, in one process and over workers: every stream of the source's log, once."""

import pytest

from benchmarks.server import Server

USERS, CHUNKS = 10, 30
#: Streams of 3 s: each user's second one is under way when the run ends, and drains.
STREAM = ("--stream-path", f"/sse?chunks={CHUNKS - 1}&interval_ms=100", "--stream-end", "event:done")
RUN_TIME = "5s"
STREAMS = 2 * USERS


def alone(start, url, options, **more):
    return start.headless(url, *options, users=USERS, run_time=RUN_TIME, **more).wait()


def with_separate_workers(start, url, options, *, port, **more):
    workers = [start("--worker", "--master-port", port) for _ in range(2)]
    master = ("--master", "--expect-workers", 2, "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    run = alone(start, url, (*options, *master), **more)
    assert [worker.wait().status for worker in workers] == [0, 0]
    return run


@pytest.fixture(scope="module", params=["one process", "--processes 2", "master and two workers"])
def whole(request, start, free_port, two_processes, locust_stats, tmp_path_factory):
    """A run, Locust's statistics of it, the source's log of it, and how many workers there were."""
    directory = tmp_path_factory.mktemp("run")
    options = (*STREAM, "--json-file", directory / "stats")
    with Server() as source:
        if request.param == "one process":
            run = alone(start, source.url, options, result_dir=directory)
        elif request.param == "--processes 2":
            run = alone(start, source.url, (*options, *two_processes()), result_dir=directory)
        else:
            run = with_separate_workers(start, source.url, options, port=free_port(), result_dir=directory)
        assert run.status == 0, run.output
        return run, locust_stats(directory / "stats"), source.log(), 1 if request.param == "one process" else 2


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
