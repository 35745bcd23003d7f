"""Starts a server that logs its sends in its own process, and reads its log."""

import json
import subprocess
import urllib.request
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from streamgauge.calibrate.truth import quantile
from streamgauge.runner.process import python_module

ROOT = Path(__file__).parents[2]
SOURCE = python_module("streamgauge.calibrate.source")
ENDED_S = 10


def quantile_s(values_ns: list[int], q: float) -> float:
    """Return the quantile ``q`` in seconds (nearest rank); NaN without values."""
    found = quantile(values_ns, q)
    return float("nan") if found is None else found / 1e9


@dataclass(frozen=True, slots=True)
class Log:
    """A server's log: the number of connections with streams, and by stream the monotonic ns before each send.

    ``sent`` has the ns after each send, if the server logs them.
    """

    connections: int
    streams: list[list[int]]
    sent: list[list[int]] = field(default_factory=list)

    @property
    def chunks(self) -> int:
        """Return the number of sends."""
        return sum(map(len, self.streams))

    @property
    def intervals_ns(self) -> list[int]:
        """Return the times between sends of a stream, of all streams together."""
        return [after - before for sends in self.streams for before, after in pairwise(sends)]


class Server:
    """A server under ``command``, which prints its port in its first line; a context that starts and ends it."""

    def __init__(self, *command: str) -> None:
        self._command = command or SOURCE
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port.isdigit():
            self.end()
            raise RuntimeError(f"expected a port in the first line of {self._command!r}, got {port!r}")
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Return the process id."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(ENDED_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def log(self) -> Log:
        """Return the log since the last call."""
        with urllib.request.urlopen(f"{self.url}/log", timeout=60) as reply:
            return Log(**json.load(reply))
