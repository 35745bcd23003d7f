"""``--reset-stats``: a result of what came after the last user had started, also of streams that were under way.

The client metrics forget nothing: a counter that fell would be a new process to Prometheus.
"""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.testbed.server import Server
from tests.load.metrics.test_port import LISTENING, WAITING, page

USERS = 5
LONG = "chunks=60&interval_ms=50"
#: How the streams of 3 s end: by themselves, by the server's hand, or by the end of the run; and the run's status.
ENDS = {
    "completed": (f"/sse?{LONG}", 0),
    "truncated": (f"/sse?{LONG}&cut=59", 1),
    "censored": ("/sse?chunks=2000&interval_ms=50", 0),
}
#: What Locust says where its workers are so late that it resets the run before their users stream, and how often a run
#: is made anew then.
EARLY, ATTEMPTS = "Spawning is complete and report waittime is expired", 5
#: Runs at a time: they mostly wait.
AT_ONCE = 4


def test_what_ended_while_users_were_starting_is_left_out(start, source, until, locust_stats, tmp_path):
    stream = ("--stream-path", "/sse?chunks=4&interval_ms=20", "--stream-end", "event:done")
    stats = tmp_path / "stats"
    options = (
        "--headless",
        "-H",
        source.url,
        "-u",
        USERS,
        "-r",
        3,
        "-t",
        "300s",
        "--reset-stats",
        "--json-file",
        stats,
    )
    running = start(*options, *stream, result_dir=tmp_path)
    until(running.spawned, "all users are there")
    before = len(running.points())
    until(lambda: any(point["finished"] for point in running.points()[before:]), "streams have ended since")
    run = running.stop()
    assert run.status == 0, run.output
    finished = run.outcomes["completed"]
    # A stream that ends as the reset comes is forgotten, and its user may be woken, and tell Locust, after it.
    assert 0 <= locust_stats(stats)["/sse"]["num_requests"] - finished <= USERS
    assert 0 < finished < len(source.log().streams)
    ran = run.result["run"]
    assert ran["counted_s"] < ran["duration_s"] - 0.9  # the last users started a second after the first


@pytest.fixture(scope="module")
def reset(start, until, two_processes, tmp_path_factory):
    """Runs that are reset in mid-stream, and then end, by how their streams do and how many workers they have."""

    def play(outcome, workers):
        path, _ = ENDS[outcome]
        end = ("--stop-timeout", 1 if outcome == "censored" else 60, *(two_processes() if workers else ()))
        load = ("--headless", "-u", 2, "-r", 0.5, "-t", "300s", "--reset-stats", "--stream-path", path, *end)
        metrics = ("--metrics-port", 0, "--metrics-linger", 600)
        for _ in range(ATTEMPTS):
            with Server() as source:
                running = start("-H", source.url, *load, *metrics, result_dir=tmp_path_factory.mktemp("run"))
                until(running.spawned, "all users are there")
                running.child.ask_to_end()
                until(lambda: WAITING in running.output, "it waits for the last scrape")  # noqa: B023 - is called here
                _, shown = page(LISTENING.search(running.output)[1])
                run, log = running.wait(), source.log()
            if EARLY not in run.output:
                break
        return run, log, shown

    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {(outcome, workers): pool.submit(play, outcome, workers) for outcome in ENDS for workers in (0, 2)}
    return lambda *which: runs[which].result()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("outcome", ENDS)
def test_a_reset_in_mid_stream_leaves_a_result_of_what_came_after(reset, outcome, workers):
    run, log, _ = reset(outcome, workers)
    _, status = ENDS[outcome]
    assert run.status == status, run.output
    (streams,) = run.result["streams"]
    assert streams["outcomes"].keys() == {outcome}
    ended = streams["outcomes"][outcome]
    assert 2 <= ended <= len(log.streams)
    assert 0 < streams["chunks"] < log.chunks
    assert 0 <= streams["started"] < ended  # the second user's may begin after the reset; the first one's began before
    assert 0 <= streams["time_to_first_chunk"]["count"] < ended


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("outcome", ENDS)
def test_the_client_metrics_have_what_came_before_the_reset_too(reset, outcome, workers):
    run, log, shown = reset(outcome, workers)

    def total(series):
        return sum(float(value) for value in re.findall(rf"^stream_client_{series}.* (\S+)$", shown, re.MULTILINE))

    (streams,) = run.result["streams"]
    assert total("started_total") == len(log.streams) > streams["started"]
    assert total(f'finished_total{{.*outcome="{outcome}"') == len(log.streams)
    if outcome == "completed":
        assert total("chunks_total") == log.chunks
        assert total("chunk_interval_seconds_count") == log.chunks - len(log.streams)
    assert total("time_to_first_chunk_seconds_count") == len(log.streams)
