"""Runs one client against the paced source: measures its CPU time in the steady phase, and keeps the source's log.

Under a paced load, each event has its own time, and a client with spare time sleeps between events: much of its CPU
time is then the kernel's, for putting it to sleep and waking it up. Under a backlog, the client is stopped while the
source sends one event on each stream, and continued afterwards: it uses CPU time only for chunks, as a busy client
does, and none of the chunks are coalesced.

The steady phase begins when all streams are open and warmed up and the client is idle. It ends when the client has read
everything that was sent in this phase and is idle again. During this phase, no stream is opened or closed.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.engine.clients import orders
from benchmarks.engine.roster import Client
from benchmarks.testbed import machine
from benchmarks.testbed.server import ROOT, Server
from streamgauge.report.result import Result
from streamgauge.runner.load_plan import environment_without_locust
from streamgauge.runner.process import Child
from streamgauge.runner.runs import results_in

#: Events on each stream before the steady phase. Linux acknowledges a connection's first 16 segments on arrival, and
#: all others when the reader reads them.
WARM_UP = 20
#: A rate that no client can keep up with.
AT_ONCE = 1e9
OPEN_LIMIT_S = 60
END_LIMIT_S = 60


class TrialError(RuntimeError):
    """The client failed."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a client is put through."""

    streams: int
    rate: float
    """Events a second, over all streams; under a backlog it says how many events there are."""
    seconds: float
    event_bytes: int = 100
    pinned: bool = True
    backlog: bool = False
    awake: bool = True
    """The client's core is kept from sleeping, where it has one of its own."""

    @property
    def chunks(self) -> int:
        """Return the number of events on each stream in the steady phase."""
        return max(2, round(self.rate * self.seconds / self.streams))

    @property
    def title(self) -> str:
        """Return the load in words."""
        return "busy" if self.backlog else f"{self.rate:g} chunks/s"

    @property
    def limit_s(self) -> float:
        """Return how long a client may go on reading after the last send."""
        return 30 + 3 * self.seconds


@dataclass(slots=True)
class Trial:
    """The outcome of a trial. Sends are by stream, in monotonic ns, of the whole run; ``steady`` is measured."""

    client: Client
    load: Load
    sends: dict[int, list[int]] = field(default_factory=dict)
    steady: slice = field(default_factory=lambda: slice(0, None))
    phases: list[dict[str, Any]] = field(default_factory=list)
    cpu_ns: int = 0
    wall_ns: int = 0
    drained_s: float = 0.0
    """From the last send until the client had read all."""
    output: dict[str, Any] = field(default_factory=dict)
    result: Result | None = None

    @property
    def sent_bytes(self) -> dict[int, int]:
        """Return the bytes that the source sent by stream, with heads and ends."""
        return {int(name): count for name, count in self.phases[-1]["sent_bytes"].items()}

    @property
    def main_phase(self) -> dict[str, Any]:
        """Return the source's log of the steady phase."""
        return self.phases[1] if len(self.phases) > 1 else self.phases[0]


def run_trial(client: Client, load: Load, *, timed: bool = False) -> Trial:
    """Run the trial. ``timed`` sends without pauses, and asks the client for arrivals even if noting them costs time.

    Raises TrialError.
    """
    trial = Trial(client, load)
    source_core, client_core = (load.pinned and machine.cores()) or (None, None)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with machine.born_on(source_core):
            source = Server(sys.executable, "-m", "benchmarks.testbed.blaster", "--event-bytes", str(load.event_bytes))
            source.__enter__()
        try:
            with machine.born_on(client_core):
                process = _started(client, load, source.url, directory, timed)
            try:
                with machine.awake(client_core if load.awake else None):
                    _Run(trial, source.url, process, directory).go(timed)
            finally:
                process.end()
            trial.output = json.loads((directory / "output.json").read_text())
            trial.result = next(iter(results_in(directory)), None)
        finally:
            source.end()
    return trial


def _started(client: Client, load: Load, url: str, directory: Path, timed: bool) -> Child:
    places = {"streams": str(load.streams), "results": str(directory)}
    command = [part.format(**places) if "{" in part else part for part in client.command]
    if "locust" in command:
        command += ["-H", url]
    variables = {
        **client.variables,
        orders.URL_VARIABLE: url,
        orders.STREAMS_VARIABLE: str(load.streams),
        orders.OUTPUT_VARIABLE: str(directory / "output.json"),
        **({orders.TIMED_VARIABLE: "1"} if timed else {}),
    }
    return Child(client.name, command, directory / "output.log", environment_without_locust(variables), ROOT)


class _Run:
    """A running client and its source."""

    def __init__(self, trial: Trial, url: str, process: Child, directory: Path) -> None:
        self._trial = trial
        self._url = url
        self._port = int(url.rpartition(":")[2])
        self._process = process
        self._output = directory / "output.json"

    def go(self, timed: bool) -> None:
        trial, load = self._trial, self._trial.load
        self._await_open()
        self._await_quiet()
        if timed:
            self._send(load.chunks + 1, end=True)
        else:
            self._send(WARM_UP)
            self._await_quiet()
            cpu_ns = machine.cpu_ns(self._process.pid)
            if load.backlog:
                self._send_backlogs(load.chunks)
            else:
                self._send(load.chunks)
            trial.drained_s = self._await_quiet()
            trial.cpu_ns = machine.cpu_ns(self._process.pid) - cpu_ns
            trial.wall_ns = sum(phase["took_ns"] for phase in trial.phases[1:]) + round(trial.drained_s * 1e9)
            trial.steady = slice(WARM_UP, WARM_UP + load.chunks)
            self._send(1, end=True)
        self._await_end()

    def _ask(self, path: str) -> dict[str, Any]:
        limit_s = self._trial.load.limit_s + self._trial.load.seconds
        with urllib.request.urlopen(self._url + path, timeout=limit_s) as reply:
            answer: dict[str, Any] = json.load(reply)
            return answer

    def _send(self, chunks: int, *, rate: float | None = None, end: bool = False) -> None:
        log = self._ask(f"/send?chunks={chunks}&rate={rate or self._trial.load.rate}{'&end=1' if end else ''}")
        if log["lost"]:
            raise self._failed(f"hung up on {len(log['lost'])} streams")
        for name, sends in log.pop("streams").items():
            self._trial.sends.setdefault(int(name), []).extend(sends)
        self._trial.phases.append(log)

    def _send_backlogs(self, count: int) -> None:
        """Send an event on each stream while the client is stopped, let it read them, and again."""
        limit_s = time.monotonic() + self._trial.load.limit_s
        for _ in range(count):
            os.kill(self._process.pid, signal.SIGSTOP)
            self._send(1, rate=AT_ONCE)
            os.kill(self._process.pid, signal.SIGCONT)
            # The table is not a snapshot: data that moves while it is read may be missed, but is not counted twice.
            while machine.unread_bytes(self._port) or machine.unread_bytes(self._port):
                if time.monotonic() > limit_s:
                    raise self._failed(
                        f"did not finish reading within {self._trial.load.limit_s:g} s of the first backlog"
                    )
                time.sleep(0.002)

    def _await_open(self) -> None:
        wanted, limit_s = self._trial.load.streams, time.monotonic() + OPEN_LIMIT_S
        while (opened := self._ask("/state")["open"]) < wanted:
            if not self._process.running:
                raise self._failed(f"ended with status {self._process.end()}, {opened} of {wanted} streams open")
            if time.monotonic() > limit_s:
                raise self._failed(f"opened {opened} of {wanted} streams within {OPEN_LIMIT_S} s")
            time.sleep(0.05)

    def _await_quiet(self) -> float:
        pid = self._process.pid
        try:
            return machine.await_quiet(
                lambda: machine.cpu_ns(pid), lambda: machine.unread_bytes(self._port), self._trial.load.limit_s
            )
        except (TimeoutError, ProcessLookupError) as error:
            raise self._failed(str(error)) from None

    def _await_end(self) -> None:
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise self._failed(f"did not end within {END_LIMIT_S} s of the end of its streams") from None
        if not self._output.exists():
            raise self._failed(f"ended with status {self._process.end()} and wrote nothing")

    def _failed(self, what: str) -> TrialError:
        return TrialError(f"{self._trial.client.name} {what}. Its last output:\n{self._process.tail()}")
