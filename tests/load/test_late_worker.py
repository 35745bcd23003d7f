"""A worker that comes while a run is under way: what it counts belongs to the seconds in which it counted."""


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
