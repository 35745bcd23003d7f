"""The app under the command lines of servers: its settings, its drain and its metrics are those of its own launcher."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.target_app.conftest import DEADLINE_S, Running, environment
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
UVICORN = ("-m", "uvicorn", "target_app.asgi:app", "--port")
#: Beside the servers' own names: without a lifespan, as under servers that have none; and with several processes.
COMMANDS = {
    "uvicorn": UVICORN,
    "uvicorn without a lifespan": ("-m", "uvicorn", "--lifespan", "off", *UVICORN[2:]),
    "uvicorn with h11 and asyncio": ("-m", "uvicorn", "--http", "h11", "--loop", "asyncio", *UVICORN[2:]),
    "uvicorn with workers": ("-m", "uvicorn", "--workers", "2", *UVICORN[2:]),
}
ENDLESS = "/stream/sse?chunks=10000&interval_ms=100"


@pytest.fixture
def launch(free_port, tmp_path):
    """Starts the app by a server's own command line, with the settings as variables."""
    with contextlib.ExitStack() as stack:

        def start(command, **settings):
            port = free_port()
            (tmp_path / "metrics").mkdir()
            variables = {f"TARGET_APP_{name.upper()}": value for name, value in settings.items()}
            metrics_port = int(variables.setdefault("TARGET_APP_METRICS_PORT", str(free_port())))
            if "--workers" in command:
                variables["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path / "metrics")
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, *command, str(port)],
                    cwd=ROOT,
                    env=environment(**variables),
                    start_new_session=True,
                )
            )
            stack.callback(end_all, process)
            host = settings.get("metrics_host", "127.0.0.1")
            urls = {"url": f"http://127.0.0.1:{port}", "metrics_url": f"http://{host}:{metrics_port}/metrics"}
            wait_until(lambda: listens("127.0.0.1", port))
            app = Running(process, urls)
            app.get("/healthz")  # without a lifespan, the app begins with its first request
            wait_until(lambda: listens(host, metrics_port))
            return app

        yield start


def end_all(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def listens(host, port):
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=DEADLINE_S):
        return True
    return False


@pytest.fixture(params=COMMANDS)
def command(request):
    return COMMANDS[request.param]


def test_a_stream_ends_with_its_marker_and_readyz_refuses_meanwhile(launch, until, command):
    app = launch(command, min_drain_s="2", grace_s="600")
    with app.connect(ENDLESS) as connection:
        received = connection.recv(65536)
        app.process.send_signal(signal.SIGTERM)
        until(lambda: app.get("/readyz").status == 503)
        received += b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"event: done" in received
    assert received.endswith(b"0\r\n\r\n")
    app.end()


def test_the_settings_are_those_of_the_variables(launch, until, command):
    app = launch(
        command,
        metrics_host="127.0.0.2",
        root_path="/gauge",
        api_keys="a-key-of-sixteen-or-more",
        cors_origins="https://a.example",
    )
    key = {"X-API-Key": "a-key-of-sixteen-or-more", "Origin": "https://a.example"}
    assert app.get("/gauge/").json()["docs"] == "/gauge/docs"
    assert app.get("/gauge/stream/sse?chunks=1").status == 401
    answer = app.get("/stream/file/river.txt?chunks=1&interval_ms=0", headers=key)
    assert (answer.status, len(answer.body)) == (200, 65536)
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    until(lambda: app.metric("stream_server_finished_total", outcome="completed") == 1)


def test_a_metrics_port_that_is_taken_does_not_stop_the_server_and_is_logged(launch, busy, capfd, until):
    app = launch(UVICORN, metrics_port=str(busy))
    assert app.get("/healthz").status == 200
    shown = ""

    def named():
        nonlocal shown
        shown += capfd.readouterr().err
        return f"cannot open metrics port {busy}" in shown and "PROMETHEUS_MULTIPROC_DIR" in shown

    until(named)


def test_a_wrong_variable_is_named_in_one_line():
    wrong = environment(TARGET_APP_GRACE_S="soon")
    command = [sys.executable, *UVICORN, "0"]
    done = subprocess.run(command, cwd=ROOT, env=wrong, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("target_app: TARGET_APP_GRACE_S: must be a number in plain digits, got 'soon'")


def test_another_worker_serves_the_metrics_when_the_one_that_did_has_died(launch, until):
    app = launch(COMMANDS["uvicorn with workers"])
    port = urlsplit(app.announcement["metrics_url"]).port
    app.get("/stream/text?chunks=1")
    until(lambda: app.metric("stream_server_finished_total") == 1)
    (holder,) = holders(app.process.pid, port)
    holder.kill()
    until(lambda: set(holders(app.process.pid, port)) - {holder})
    assert app.metric("stream_server_finished_total") == 1


def holders(supervisor, port):
    """The worker processes that listen on a port."""
    found = []
    for worker in psutil.Process(supervisor).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(each.laddr and each.laddr.port == port for each in worker.net_connections()):
                found.append(worker)
    return found
