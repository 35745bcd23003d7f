"""Workers that come while a run is under way, and users that come while a worker is not ready yet."""

from pathlib import Path


def test_the_timeline_of_a_late_worker_begins_when_it_came(start, source, until, free_port, tmp_path):
    port = free_port()
    master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", 1)
    stream = ("--stream-path", "/sse?chunks=20&interval_ms=20", "--stream-end", "event:done")
    worker = ("--worker", "--master-port", port)
    running = start.headless(source.url, *master, *stream, users=4, run_time=None, result_dir=tmp_path)
    start(*worker)
    before = until(lambda: len(running.points()) > 5 and running.points(), "some seconds are counted")
    start(*worker)
    until(lambda: running.output.count("reported as ready") > 1, "a second worker is there")
    there = len(running.points())
    until(lambda: len(running.points()) > there + 10, "it has reported")
    run = running.stop()
    assert run.result["run"]["workers"] == 2, run.output
    assert max(point["active"] for point in run.result["timeline"][: len(before)]) == 4


def test_streams_of_users_that_come_before_a_worker_is_ready_count(start, source, two_processes, tmp_path):
    early = Path(__file__).parent / "locustfiles" / "slow_start.py"
    load = ("--headless", "-u", 4, "-r", 100, "-t", "4s", *two_processes())
    run = start("-H", source.url, *load, locustfile=early, result_dir=tmp_path).wait()
    (streams,), log = run.result["streams"], source.log()
    assert streams["started"] == sum(streams["outcomes"].values()) == len(log.streams), run.output
    assert streams["chunks"] == log.chunks
    assert run.result["run"]["workers"] == 2
