"""A run in Locust's web UI that is stopped while users are still being started, and whose streams end at once."""

import json
import time
import urllib.parse
import urllib.request

import pytest


@pytest.fixture
def web(start, two_processes, free_port, until, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = start("--web-host", "127.0.0.1", "--web-port", port, *two_processes(), result_dir=tmp_path / "results")

    def ask(path, **form):
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(f"{url}/{path}", data, timeout=60) as reply:
            return json.load(reply)

    def workers():
        try:
            return len(ask("stats/requests")["workers"])
        except OSError:
            return 0

    until(lambda: workers() == 2, "both workers are there")
    yield ask
    running.kill()


def test_it_is_said_to_have_stopped(web, source, until):
    ramp_s, run_s = 4, 3
    form = {"user_count": 2, "spawn_rate": 2 / ramp_s / 2, "host": source.url, "run_time": f"{run_s}s"}
    assert web("swarm", **form, stream_path="/sse?chunks=1&interval_ms=1")["success"]
    until(lambda: web("stats/requests")["state"] == "running" or web("stats/requests")["user_count"], "users run")
    until(lambda: web("stats/requests")["state"] == "stopped", "the run has stopped")
    time.sleep(2 * ramp_s)
    assert web("stats/requests")["state"] == "stopped"
