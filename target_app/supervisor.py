"""The supervisor: starts workers on one port and a process for their metrics, restarts them, and shuts them down.

It forks, so it has no threads and no event loop. It only waits for signals, so no load delays it. The metrics have a
process of their own, which outlives every worker.
"""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from urllib.parse import urlsplit

from streamgauge.asgi import MetricsPortError, prepare_multiprocess, serve_metrics
from target_app.guard.count import StreamCount
from target_app.listener import url_of
from target_app.sample_files import SampleFiles, make_sample_files
from target_app.settings import Settings
from target_app.worker import print_event, run

_WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_START_S = 30.0
#: A child that dies at once is restarted no more often than this.
_LEAST_LIFE_S = 1.0
#: Time for a worker beyond the grace time: for last bytes and its exit.
_LEAVING_S = 3.0
_fork = multiprocessing.get_context("fork")


class WorkerError(RuntimeError):
    """A worker did not start. The reason is in the log."""


@dataclass(slots=True)
class _Child:
    """A process, the pipe on which it reports that it is ready, and its start time."""

    process: ForkProcess
    ready: Connection
    started_s: float

    def wait_until_ready(self) -> str:
        """Wait for the report. Raises ``WorkerError`` if there is none."""
        try:
            if not self.ready.poll(_START_S):
                raise WorkerError(f"process {self.process.pid} was not ready after {_START_S:g} s")
            return str(self.ready.recv())
        except EOFError:
            raise WorkerError(f"process {self.process.pid} ended during its start") from None

    @property
    def needs_restart(self) -> bool:
        """Whether it has died and may be restarted."""
        return not self.process.is_alive() and time.monotonic() - self.started_s > _LEAST_LIFE_S


class Supervisor:
    """Runs ``settings.workers`` workers on ``listener``, which share ``files``, and restarts those that die."""

    def __init__(self, settings: Settings, listener: socket.socket, files: SampleFiles) -> None:
        self._settings = settings
        self._listener = listener
        self._files = files
        self._streams = StreamCount(settings.workers)
        self._lifeline, self._held = os.pipe()
        self._workers: list[_Child] = []
        self._metrics_port = settings.metrics_port
        self._metrics: _Child | None = None

    def start(self) -> str:
        """Start all children and return the metrics' address. Raises ``MetricsPortError`` or ``WorkerError``."""
        self._metrics = self._begin(self._serve_metrics)
        url = self._metrics.wait_until_ready()
        if not url.startswith("http"):
            raise MetricsPortError(url)
        self._metrics_port = urlsplit(url).port or 0
        self._workers = [self._begin(self._worker(number)) for number in range(self._settings.workers)]
        for child in self._workers:
            child.wait_until_ready()
        return url

    def watch(self) -> None:
        """Restart children that die, until SIGTERM or SIGINT."""
        while True:
            found = signal.sigtimedwait(_WATCHED, _LEAST_LIFE_S)
            if found is not None and found.si_signo != signal.SIGCHLD:
                return
            self._restart_dead()

    def end(self) -> None:
        """Let every worker drain and exit; kill one that does not, and all at a second signal."""
        for child in self._workers:
            child.process.terminate()
        self._listener.close()
        longest_s = max(self._settings.grace_s, self._settings.min_drain_s)
        deadline_s = time.monotonic() + longest_s + _LEAVING_S
        while any(child.process.is_alive() for child in self._workers) and time.monotonic() < deadline_s:
            found = signal.sigtimedwait(_WATCHED, 0.1)
            if found is not None and found.si_signo != signal.SIGCHLD:
                break
        for child in (*self._workers, *([self._metrics] if self._metrics else [])):
            child.process.kill()
            child.process.join()

    @property
    def pids(self) -> list[int | None]:
        """The workers' process ids."""
        return [child.process.pid for child in self._workers]

    def _restart_dead(self) -> None:
        for number, child in enumerate(self._workers):
            if child.needs_restart:
                self._streams.clear(number)
                self._workers[number] = self._begin(self._worker(number))
                print_event(event="worker_replaced", pid=child.process.pid, by=self._workers[number].process.pid)
        if self._metrics is not None and self._metrics.needs_restart:
            self._metrics = self._begin(self._serve_metrics)

    def _worker(self, number: int) -> Callable[[Connection], None]:
        def work(ready: Connection) -> None:
            self._streams.take(number)
            run(
                self._settings,
                self._listener,
                lambda: ready.send("ready"),
                streams=self._streams,
                files=self._files,
                lifeline=self._lifeline,
            )

        return work

    def _serve_metrics(self, ready: Connection) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the metrics outlive the workers
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        self._listener.close()
        try:
            with serve_metrics(self._metrics_port, self._settings.metrics_host) as metrics:
                ready.send(metrics.url)
                os.read(self._lifeline, 1)
        except MetricsPortError as error:
            ready.send(str(error))

    def _begin(self, work: Callable[[Connection], None]) -> _Child:
        ready, theirs = _fork.Pipe(duplex=False)

        def begin() -> None:
            os.close(self._held)
            ready.close()
            work(theirs)

        process = _fork.Process(target=begin, daemon=True)
        process.start()
        theirs.close()
        return _Child(process, ready, time.monotonic())


def supervise(settings: Settings, listener: socket.socket) -> None:
    """Serve with several workers until SIGTERM or Ctrl-C. Raises like ``start``, and ``MultiprocessError``."""
    prepare_multiprocess()
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    with make_sample_files() as files:  # not by a worker: the files must outlive it
        supervisor = Supervisor(settings, listener, files)
        try:
            metrics_url = supervisor.start()
            url = url_of(listener, settings.host)
            print_event(event="listening", url=url, metrics_url=metrics_url, pid=os.getpid(), workers=supervisor.pids)
            supervisor.watch()
        finally:
            supervisor.end()
