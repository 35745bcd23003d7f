"""Runs that are started and stopped in Locust's web UI."""

import json
import signal
import urllib.parse
import urllib.request

import pytest

OPTIONS = ("stream_path", "stream_method", "stream_header", "stream_body", "stream_end", "idle_timeout")


class Web:
    """Locust's web UI, as a browser talks to it."""

    def __init__(self, url, running):
        self._url = url
        self.running = running

    def get(self, path, data=None):
        with urllib.request.urlopen(self._url + path, data, timeout=60) as reply:
            return reply.read().decode()

    def post(self, path, **form):
        return json.loads(self.get(path, urllib.parse.urlencode(form, doseq=True).encode()))

    def answers(self):
        try:
            return self.get("/")
        except OSError:
            return ""

    def finished(self):
        """Streams of the run under way that have ended, as Locust counts them."""
        rows = json.loads(self.get("/stats/requests"))["stats"]
        return sum(row["num_requests"] for row in rows if row["name"] != "Aggregated")


@pytest.fixture
def open_web(start, until, free_port, tmp_path):
    opened = []

    def open_one(*options):
        port = free_port()
        where = ("--web-host", "127.0.0.1", "--web-port", port)
        opened.append(start(*where, *options, result_dir=tmp_path / "results"))
        web = Web(f"http://127.0.0.1:{port}", opened[-1])
        until(web.answers, "the web UI answers")
        return web

    yield open_one
    for running in opened:
        running.kill()


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


def test_the_form_has_the_scenarios_options(open_web):
    page = open_web().get("/")
    assert [name for name in OPTIONS if name not in page] == []


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


def test_a_value_that_is_wrong_is_named_and_starts_no_stream(open_web, source, until):
    web = open_web()
    web.post("/swarm", user_count=1, spawn_rate=1, host=source.url, stream_end="foo")
    until(lambda: "'foo'" in web.running.output, "the value is named")
    assert "--stream-end" in web.running.output
    assert source.log().streams == []


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
    web.running.process.send_signal(signal.SIGTERM)
    run = web.running.wait()
    assert run.status == 0, run.output
    assert run.outcomes == {"completed": len(source.log().streams)}
