"""Disturbs a load generator or its connection during one run, so that its figures may be wrong."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import psutil

Sabotage = Callable[[int], AbstractContextManager[None]]
_BUSY = (sys.executable, "-c", "while True: pass")
_RELAY = (sys.executable, "-m", "benchmarks.testbed.relay")


@contextmanager
def nothing(_pid: int) -> Iterator[None]:
    """Leave the generator alone."""
    yield


@contextmanager
def cpu_taken(pid: int, hogs: int = 3) -> Iterator[None]:
    """Let busy processes share the generator's cores with it."""
    cores = psutil.Process(pid).cpu_affinity()
    busy = [subprocess.Popen(_BUSY) for _ in range(hogs)]
    for each in busy:
        psutil.Process(each.pid).cpu_affinity(cores)
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


@contextmanager
def cpu_rationed(pid: int) -> Iterator[None]:
    """Stop and continue the generator repeatedly, so that it has the CPU for a share of the time."""
    period_s, stopped_share = random.uniform(0.02, 0.12), random.uniform(0.3, 0.7)
    with _meanwhile(lambda over: _ration(pid, over, period_s, stopped_share)):
        yield


def _ration(pid: int, over: threading.Event, period_s: float, stopped_share: float) -> None:
    while not over.wait(period_s * (1 - stopped_share)):
        with _stopped(pid):
            over.wait(period_s * stopped_share)


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Stop the generator once, for 0.3 to 1 s."""
    with _meanwhile(lambda over: _suspend(pid, over, random.uniform(0.2, 0.8), random.uniform(0.3, 1.0))):
        yield


def _suspend(pid: int, over: threading.Event, after_s: float, for_s: float) -> None:
    if not over.wait(after_s):
        with _stopped(pid):
            over.wait(for_s)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def _meanwhile(what: Callable[[threading.Event], None]) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=what, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of run."""

    title: str
    sabotage: Sabotage = nothing
    knobs: str = ""
    """Parameters of the source."""
    relay: tuple[str, ...] = ()
    """The relay between source and generator, as a command without the source's port."""
    locustfile: str = "src/streamgauge/calibrate/scenario.py"
    variables: Callable[[], dict[str, str]] = field(default=dict)
    may_be_trusted: bool = True
    """Whether the figures are right in spite of the disturbance."""


def _step() -> dict[str, str]:
    by_s = random.choice((-1, 1)) * 10 ** random.uniform(-2.5, 1)
    return {"STREAMGAUGE_STEP": f"{random.uniform(0.2, 0.8):.3f}:{by_s:.6f}"}


KINDS = {
    "fine": Kind("nothing done to it"),
    "cpu_taken": Kind("busy processes on its core", cpu_taken),
    "cpu_rationed": Kind("stopped 30–70 % of the time, in turns of 20–120 ms", cpu_rationed),
    "pairs": Kind("the source sends chunks in pairs", knobs="&burst=2", may_be_trusted=False),
    "late_end": Kind("the source ends each body 5 ms after its last chunk", knobs="&end_ms=5"),
    "relay": Kind("a relay holds chunks back for 120 ms", relay=(*_RELAY, "--every-ms", "120"), may_be_trusted=False),
    "stepped_clock": Kind(
        "the wall clock steps by 3 ms to 10 s",
        locustfile="benchmarks/testbed/stepped_clock.py",
        variables=_step,
        may_be_trusted=False,
    ),
    "suspended": Kind("suspended once for 0.3–1 s", suspended, may_be_trusted=False),
}
