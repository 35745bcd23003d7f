"""A server as people start it, by its own command line, and what its clients and its metrics saw of a run."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from prometheus_client.multiprocess import MultiProcessCollector

from streamgauge.asgi.dead_processes import fold_dead_processes

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
DEADLINE_S = 60.0
GRACE_S = 1

_UVICORN = ["uvicorn", "--port", "{port}", "--log-level", "critical", "--timeout-graceful-shutdown", str(GRACE_S)]
_GUNICORN = ["gunicorn", "-b", "127.0.0.1:{port}", "--graceful-timeout", str(GRACE_S), "--log-level", "critical"]
#: The command line of each server, without the app.
COMMANDS = {
    **{
        f"uvicorn-{http}-{loop}": [*_UVICORN, "--http", http, "--loop", loop, "--ws", "wsproto"]
        for http in ("httptools", "h11")
        for loop in ("uvloop", "asyncio")
    },
    "hypercorn": ["hypercorn", "-b", "127.0.0.1:{port}", "--graceful-timeout", str(GRACE_S)],
    "granian": ["granian", "--interface", "asgi", "--port", "{port}", "--workers-kill-timeout", str(GRACE_S + 1)],
    "daphne": ["daphne", "-v", "0", "-p", "{port}"],
    "gunicorn-uvicorn": [*_GUNICORN, "-k", "uvicorn_worker.UvicornWorker"],
    "gunicorn-asgi": [*_GUNICORN, "-k", "asgi"],
}


class Program:
    """One server with ``app`` of ``served.py``. Its metrics are in ``directory``, also after its end."""

    def __init__(self, server, app, directory, free_port):
        self.port, self.metrics_port, self.directory = free_port(), free_port(), directory
        command, *options = (word.format(port=self.port) for word in COMMANDS[server])
        variables = {"PROMETHEUS_MULTIPROC_DIR": str(directory), "METRICS_PORT": str(self.metrics_port)}
        with (directory / "log").open("w") as log:
            self.process = subprocess.Popen(
                [BIN / command, *options, f"served:{app}"],
                cwd=HERE,
                env={**os.environ, "PYTHONPATH": str(HERE), **variables},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self):
        try:
            self.until(lambda: socket.create_connection(("127.0.0.1", self.port)).close() or True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(DEADLINE_S)

    def log(self):
        return (self.directory / "log").read_text()

    def until(self, condition):
        """Poll until a condition holds. An ``OSError`` counts as false."""
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            with contextlib.suppress(OSError):
                if condition():
                    return
            assert time.monotonic() < deadline_s, f"it did not happen: {self.log()}"
            assert self.process.poll() is None, self.log()
            time.sleep(0.02)

    def end(self, number):
        """End the server by a signal, as an operator or its supervisor does. Return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def open(self, path, version="1.1", timeout_s=DEADLINE_S, **fields):
        """Return a connection on which ``path`` was requested."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)
        lines = [f"GET {path} HTTP/{version}", "Host: test", *(f"{name}: {value}" for name, value in fields.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection

    def websocket(self, path):
        fields = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        return self.open(path, **fields, **{"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})

    def get(self, path, version="1.1", timeout_s=DEADLINE_S):
        """Return the whole answer, and how the connection ended; see ``read_all``."""
        with self.open(path, version, timeout_s, Connection="close") as connection:
            return read_all(connection)

    def page(self):
        """Return the metrics page."""
        return (
            urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=DEADLINE_S).read().decode()
        )

    def counts(self):
        """Return the samples of the directory by short name, route and outcome. It is read without a server."""
        fold_dead_processes(self.directory)
        found = Counter()
        files = [str(file) for file in self.directory.glob("*.db") if file.stat().st_size]
        for family in MultiProcessCollector.merge(files):
            for sample in family.samples:
                its = sample.labels
                labels = [its.get("route", ""), its.get("outcome") or its.get("status_code", "")]
                key = " ".join(filter(None, [sample.name.removeprefix("stream_server_"), *labels]))
                found[key] += sample.value
        return found


def read_all(connection):
    """Read to the end. Return what came, and how it ended: by ``fin``, by ``reset``, or ``open`` if not in time."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        return received, "reset"
    except TimeoutError:
        return received, "open"
    return received, "fin"


def read_until(connection, end):
    """Read up to ``end``, or to the end of the connection."""
    received = b""
    while not received.endswith(end) and (piece := connection.recv(65536)):
        received += piece
    return received


def reset(connection):
    """Close a connection at once, as a client that crashes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
