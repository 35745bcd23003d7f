"""Runs that are started and stopped in Locust's web UI."""

import json

import pytest


@pytest.fixture(params=[1, 2], ids=["alone", "two workers"])
def web(request, open_web, two_processes, until):
    """The web UI of Locust alone, and of a master whose two workers are there."""
    if request.param == 1:
        return open_web()
    web = open_web(*two_processes())
    until(lambda: len(json.loads(web.get("/stats/requests"))["workers"]) == 2, "both workers are there")
    return web


def swarm(web, source, chunks):
    stream = {"stream_path": f"/sse?chunks={chunks}&interval_ms=20", "stream_end": "event:done"}
    answer = web.post("/swarm", user_count=4, spawn_rate=100, host=source.url, **stream)
    assert answer["success"], answer


def test_each_run_gets_a_result_of_its_own(web, source, until):
    for number, chunks in enumerate((9, 19), 1):
        swarm(web, source, chunks)
        until(lambda: web.finished() >= 8, "streams have ended")
        web.post("/stop")
        until(lambda number=number: len(web.running.results) == number, "the result is written")
        result, log = web.running.results[-1], source.log()
        (streams,) = result["streams"]
        assert streams["outcomes"] == {"completed": len(log.streams)}, web.running.output
        assert streams["chunks"] == log.chunks == (chunks + 1) * len(log.streams)
        assert not result["run"]["interrupted"]


def test_a_reset_in_mid_stream_leaves_a_result_of_what_came_after(web, source, until):
    swarm(web, source, chunks=150)
    until(lambda: source.log().streams, "a stream is under way")
    assert web.get("/stats/reset", b"") == "ok"
    web.post("/stop")
    until(lambda: web.running.results, "the result is written")
    (streams,) = web.running.results[-1]["streams"]
    assert list(streams["outcomes"]) == ["completed"], web.running.output
    assert streams["started"] < streams["outcomes"]["completed"]
    assert 0 < streams["chunks"] <= 151 * streams["outcomes"]["completed"]


def test_without_a_host_users_stop_and_each_process_logs_why_once_a_run(web, until):
    processes = len(web.statistics().get("workers", "1"))
    for runs in (1, 2):
        said = runs * processes
        assert web.post("/swarm", user_count=4, spawn_rate=100, host="")["success"]
        until(lambda said=said: web.running.output.count("is a path, and no host is set") == said, "the log says why")
        until(lambda: web.statistics()["user_count"] == 0, "the users have stopped")
        web.post("/stop")
        until(lambda runs=runs: len(web.running.results) == runs, "the result is written")
    assert [result["verdict"]["trust"] for result in web.running.results] == ["invalid"] * 2
    assert "Traceback" not in web.running.output


def test_an_autostarted_run_ends_by_itself_with_result_and_status(open_web, source):
    stream = ("--stream-path", "/sse?chunks=10&interval_ms=20", "--stream-end", "event:done")
    web = open_web("--autostart", "--autoquit", 0, "-H", source.url, "-u", 4, "-r", 100, "-t", "2s", *stream)
    run = web.running.wait()
    assert run.status == 0, run.output
    assert run.outcomes == {"completed": len(source.log().streams)}


def test_sigterm_in_mid_run_lets_streams_end_and_writes_the_result(open_web, source, until):
    web = open_web()
    swarm(web, source, chunks=50)
    until(lambda: web.finished() >= 4, "streams have ended")
    web.running.child.ask_to_end()
    run = web.running.wait()
    assert run.status == 0, run.output
    assert run.outcomes == {"completed": len(source.log().streams)}


SCENARIO = """
from locust import constant, task
from streamgauge.load import StreamUser

class Listener(StreamUser):
    wait_time = constant(0.1)
    @task
    def listen(self):
        self.client.stream("GET", "/own", protocol="sse")

class Player(StreamUser):
    wait_time = constant(0.1)
    @task
    def listen(self):
        self.play("/own", protocol="sse")
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_is_not_warned_of_what_users_of_the_run_before_did_not_use(
    workers, open_web, two_processes, recorder, tmp_path, until
):
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(SCENARIO)
    web = open_web("--class-picker", *(two_processes() if workers else ()), locustfile=locustfile)
    until(lambda: len(web.statistics().get("workers", ())) == workers, "the workers are there")
    for number, (name, path) in enumerate({"Listener": "/own", "Player": "/other"}.items(), 1):
        form = {"user_classes": name, "user_count": 2, "spawn_rate": 100, "host": recorder.url}
        assert web.post("/swarm", **form, stream_path="/other")["success"]
        until(lambda path=path: path in {each["path"] for each in recorder.requests}, "a stream is under way")
        web.post("/stop")
        until(lambda number=number: len(web.running.results) == number, "the result is written")
    first, second = (result["run"].get("warnings", []) for result in web.running.results)
    assert ["--stream-path: not used by Listener" in each for each in first] == [True]
    assert second == []
