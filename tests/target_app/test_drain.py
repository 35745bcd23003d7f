"""SIGTERM: no new streams, an end marker for those under way, then the exit, all within the grace time."""

import asyncio
import contextlib
import os
import signal
import socket
import time

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from target_app.drain import Drain
from target_app.guard.admission import AdmissionControl, Running
from target_app.settings import Settings
from target_app.shutdown import Shutdown

ENDLESS = {
    "/stream/sse": b"event: done",
    "/stream/ndjson": b'"type":"done"',
    "/stream/text": b"",
    "/stream/bytes": b"",
    "/native/sse": b"event: done",
}
#: Its client does not read on, so it cannot end.
STALLED = "/stream/bytes?chunks=100000&interval_ms=0&chunk_bytes=8192"
#: What leaves such a client alone, however long a busy machine takes for a test.
PATIENT = ("--send-timeout-s", "3600", "--tcp-user-timeout-s", "0")
TERMINATOR = b"0\r\n\r\n"
#: Longer than any test waits: what ends has ended by itself.
GRACE_S = 600


@pytest.fixture
def connect():
    with contextlib.ExitStack() as stack:

        def begin(app, path):
            connection = stack.enter_context(app.connect(path))
            return connection, connection.recv(65536)

        yield begin


def _rest(connection):
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hundred_streams_end_with_their_terminators(start, connect, until, workers):
    app = start("--grace-s", str(GRACE_S), "--workers", str(workers))
    paths = list(ENDLESS) * 20
    streams = [connect(app, f"{path}?chunks=10000&interval_ms=100") for path in paths]
    until(lambda: app.metric("stream_server_active") == len(paths))
    app.process.send_signal(signal.SIGTERM)
    for path, (connection, received) in zip(paths, streams, strict=True):
        whole = received + _rest(connection)
        assert whole.endswith(TERMINATOR), path
        assert ENDLESS[path] in whole
    assert app.end() == 0


def test_new_streams_are_refused_while_others_end(start, connect, until):
    app = start("--grace-s", str(GRACE_S), *PATIENT)
    connection, _ = connect(app, STALLED)
    until(lambda: app.metric("stream_server_active") == 1)
    assert app.get("/readyz").json() == {"status": "ready"}
    app.process.send_signal(signal.SIGTERM)
    until(lambda: app.get("/readyz").status == 503)
    assert app.get("/readyz").json() == {"status": "draining"}
    refused = app.get("/stream/sse?chunks=1")
    assert (refused.status, refused.headers["connection"], refused.headers["retry-after"]) == (
        503,
        "close",
        str(GRACE_S),
    )
    assert app.get("/healthz").status == 200
    assert app.metric("stream_server_rejected_total", reason="draining") == 1
    assert _rest(connection)
    assert app.end() == 0


def test_what_does_not_end_in_time_is_cut_and_counted(start, connect, until, tmp_path):
    app = start("--grace-s", "2", "--workers", "2", *PATIENT, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    connect(app, STALLED)
    until(lambda: app.metric("stream_server_active") == 1)
    began_s = time.monotonic()
    app.process.send_signal(signal.SIGTERM)
    assert app.end() == 0
    assert time.monotonic() - began_s >= 2
    left = CollectorRegistry()
    MultiProcessCollector(left, str(tmp_path))
    labels = {"route": "/stream/bytes", "protocol": "raw", "outcome": "shutdown", "status_code": "200"}
    assert left.get_sample_value("stream_server_finished_total", labels) == 1


def test_a_second_signal_ends_it_at_once(start, connect, until):
    app = start("--grace-s", str(GRACE_S), *PATIENT)
    connect(app, STALLED)
    until(lambda: app.metric("stream_server_active") == 1)
    app.process.send_signal(signal.SIGINT)
    until(lambda: app.get("/readyz").status == 503)
    app.process.send_signal(signal.SIGINT)
    assert app.end() == 0


class Signals:
    """The signals of this process: ``told`` has those that the server's own handler got."""

    def __init__(self, monkeypatch):
        self.told = []
        self.heard = asyncio.Event()
        self._handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM), self._hear)
        monkeypatch.setattr(signal, "getsignal", self._handlers.__getitem__)
        monkeypatch.setattr(signal, "signal", self._handlers.__setitem__)

    def _hear(self, number, _):
        self.told.append(number)
        self.heard.set()

    def send(self, number):
        self._handlers[number](number, None)


@pytest.fixture
def signals(monkeypatch):
    return Signals(monkeypatch)


def test_a_second_signal_that_is_ahead_of_the_drain_is_heard(signals, virtually, monkeypatch):
    aborted = []
    monkeypatch.setattr(Running, "abort", lambda _, outcome: aborted.append(outcome))
    admission = AdmissionControl(Settings(grace_s=GRACE_S))
    drain = Drain(Settings(grace_s=GRACE_S), admission, Shutdown())

    async def scenario():
        drain.follow()
        with admission.admitted({"type": "http"}, "client"):
            for _ in range(2):
                signals.send(signal.SIGINT)
            await signals.heard.wait()

    virtually(scenario())
    assert (aborted, signals.told) == (["shutdown"], [signal.SIGINT])


@pytest.mark.parametrize(
    ("number", "longest_s", "least_s"), [(signal.SIGTERM, 30.5, 30), (signal.SIGINT, 0.5, 0)], ids=["SIGTERM", "SIGINT"]
)
def test_the_port_stays_open_for_the_minimum_time_at_sigterm(signals, virtually, number, longest_s, least_s):
    settings = Settings(grace_s=5, min_drain_s=30)
    drain = Drain(settings, AdmissionControl(settings), Shutdown())

    async def scenario():
        drain.follow()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        signals.send(number)
        await signals.heard.wait()
        return loop.time() - began_s

    assert least_s <= virtually(scenario()) <= longest_s
    assert signals.told == [number]


def test_streams_are_cut_at_the_grace_time_although_the_port_stays_open(signals, virtually, monkeypatch):
    settings = Settings(grace_s=5, min_drain_s=30)
    admission = AdmissionControl(settings)
    drain = Drain(settings, admission, Shutdown())

    async def scenario():
        drain.follow()
        loop = asyncio.get_running_loop()
        cut = loop.create_future()
        monkeypatch.setattr(Running, "abort", lambda _, outcome: cut.done() or cut.set_result(loop.time()))
        with admission.admitted({"type": "http"}, "client"):
            signals.send(signal.SIGTERM)
            return await cut, list(signals.told)

    cut_s, told = virtually(scenario())
    assert 5 <= cut_s < 6
    assert told == []


def test_a_server_without_handlers_of_its_own_is_left_alone(monkeypatch, virtually):
    taken = []
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    monkeypatch.setattr(signal, "signal", lambda *each: taken.append(each))
    drain = Drain(Settings(), AdmissionControl(Settings()), Shutdown())

    async def scenario():
        drain.follow()

    virtually(scenario())
    assert taken == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_readyz_can_be_seen_to_refuse_before_the_port_closes(start, workers):
    app = start("--min-drain-s", "2", "--workers", workers)
    began_s = time.monotonic()
    app.process.send_signal(signal.SIGTERM)
    refusals = 0
    with contextlib.suppress(ConnectionError, IndexError):  # or no answer, if the port closed at that moment
        while True:
            refusals += app.get("/readyz").status == 503
    assert refusals
    assert app.end() == 0
    assert time.monotonic() - began_s >= 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_is_one_signal(start, connect, until, number):
    app = start("--grace-s", str(GRACE_S), "--workers", "2", *PATIENT)
    connection, _ = connect(app, STALLED)
    until(lambda: app.metric("stream_server_active") == 1)
    os.killpg(app.process.pid, number)
    time.sleep(0.5)  # a second signal would have cut it by now; there is nothing that could be waited for
    assert app.metric("stream_server_active") == 1
    assert _rest(connection).endswith(TERMINATOR)
    assert app.end() == 0


def test_a_second_signal_to_the_whole_group_ends_it_at_once(start, connect, until):
    app = start("--grace-s", str(GRACE_S), "--workers", "2", *PATIENT)
    connect(app, STALLED)
    until(lambda: app.metric("stream_server_active") == 1)
    os.killpg(app.process.pid, signal.SIGINT)
    until(lambda: app.get("/readyz").status == 503)
    os.killpg(app.process.pid, signal.SIGINT)
    assert app.end() == 0


def test_a_websocket_is_closed_in_good_order(start, until):
    app = start("--grace-s", str(GRACE_S))
    with socket.create_connection(app.address, timeout=60) as connection:
        connection.sendall(
            b"GET /stream/ws?chunks=100000&interval_ms=20 HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        received = connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 101")
        app.process.send_signal(signal.SIGTERM)
        received += _rest(connection)
    assert b'"type":"done"' in received
    assert b"\x88" in received[-130:], "no close frame"
    assert app.end() == 0


def test_workers_end_when_their_supervisor_is_killed(start, until):
    app = start("--workers", "2")
    app.process.kill()
    app.process.wait()

    def gone(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            return False
        return True

    until(lambda: all(gone(pid) for pid in app.announcement["workers"]))
