"""Several workers: one port, one set of metrics, and no death that takes them away."""

import contextlib
import http.client
import json
import os
import re
import signal
from pathlib import Path

import pytest

PATH = "/stream/ndjson?chunks=9&interval_ms=0"


def _answer(app):
    connection = http.client.HTTPConnection(*app.address, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", PATH)
        return connection.getresponse().read()


def test_the_workers_are_announced_and_counted_together(start, until):
    app = start("--workers", "3")
    assert len(set(app.announcement["workers"])) == 3
    assert app.announcement["pid"] == app.process.pid not in app.announcement["workers"]
    for _ in range(30):
        _answer(app)
    until(lambda: app.metric("stream_server_finished_total", outcome="completed") == 30)
    until(lambda: app.metric("stream_server_chunks_total") == 300)


def test_a_worker_that_dies_is_replaced_and_its_counts_stay(start, until):
    app = start("--workers", "2")
    for _ in range(10):
        _answer(app)
    until(lambda: app.metric("stream_server_chunks_total") == 100)
    for pid in app.announcement["workers"]:
        os.kill(pid, signal.SIGKILL)
        replaced = json.loads(app.process.stdout.readline())
        assert (replaced["event"], replaced["pid"]) == ("worker_replaced", pid)
    for _ in range(10):
        _answer(app)
    until(lambda: app.metric("stream_server_chunks_total") == 200)
    until(lambda: app.metric("stream_server_active") == 0)


def nameless(pid, place):
    """The files without a name that a process holds open on the disk of ``place``."""
    opened = Path(f"/proc/{pid}/fd").iterdir()
    return {each.stat().st_ino for each in opened if re.match(rf"{place}/.* \(deleted\)", str(each.readlink()))}


def test_the_workers_share_the_files_and_leave_none_behind(start, tmp_path):
    app = start("--workers", "2", TMPDIR=str(tmp_path))
    first, second = app.announcement["workers"]
    files = nameless(second, tmp_path)
    assert nameless(first, tmp_path) == files
    assert len(files) == 3
    body = app.get("/stream/file/river.txt?interval_ms=0").body
    os.kill(first, signal.SIGKILL)
    replaced = json.loads(app.process.stdout.readline())
    assert replaced["event"] == "worker_replaced"
    os.kill(second, signal.SIGKILL)
    assert json.loads(app.process.stdout.readline())["event"] == "worker_replaced"
    assert app.get("/stream/file/river.txt?interval_ms=0").body == body
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and each.stat().st_size > 1_000_000]


def test_the_streams_of_a_dead_worker_are_no_longer_active_nor_capped(start, until):
    app = start("--workers", "2", "--max-streams", "4")
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            connection = stack.enter_context(app.connect("/stream/sse?chunks=50&interval_ms=60000"))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        until(lambda: app.metric("stream_server_active") == 4)
        for pid in app.announcement["workers"]:
            os.kill(pid, signal.SIGKILL)
        until(lambda: app.metric("stream_server_active") == 0)
    until(lambda: b'"type":"done"' in _answer(app))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_supervisor_ends_all(start, number):
    app = start("--workers", "2")
    app.process.send_signal(number)
    assert app.end() == 0
    for pid in app.announcement["workers"]:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_busy_metrics_port_is_named_with_workers_too(run, start):
    busy = start().announcement["metrics_url"].split(":")[2].partition("/")[0]
    result = run("--workers", "2", "--port", "0", "--metrics-port", busy)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"--metrics-port {busy}" in result.stderr
    assert "Address already in use" in result.stderr
