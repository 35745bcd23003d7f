"""Describes the machine; on Linux, pins processes, reads their CPU time, and finds data that they have not read yet."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_CPU_CLOCK_OF_PROCESS = 2
_ESTABLISHED = "01"
_PACKAGES = ("streamgauge", "locust", "gevent", "geventhttpclient", "requests", "aiohttp", "uvloop", "httpx")


def supported() -> bool:
    """Whether the functions below work on this system."""
    return sys.platform == "linux"


def facts() -> dict[str, Any]:
    """Return the facts about the machine and its present load."""
    return {
        "cpu": _from_cpuinfo("model name") or platform.processor(),
        "cpu_mhz": float(_from_cpuinfo("cpu MHz") or 0),
        "cores": os.cpu_count(),
        "cores_allowed": len(os.sched_getaffinity(0)),
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "not readable",
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": f"{platform.system()} {platform.release()}",
        "virtual": "hypervisor" in (_from_cpuinfo("flags") or "").split(),
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the measured packages that are installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _from_cpuinfo(key: str) -> str:
    lines = (line.partition(":") for line in _text("/proc/cpuinfo").splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "")


def cores() -> tuple[int, int] | None:
    """Return a core for the source and one for the client; None if there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else None


@contextmanager
def born_on(core: int | None) -> Iterator[None]:
    """Start processes in this context on ``core`` only, with all their threads."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


#: A loop of the lowest priority that ends with its parent process.
_IDLE_LOOP = """
import os
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def awake(core: int | None) -> Iterator[None]:
    """Keep ``core`` from sleeping by a loop that yields to every other process at once.

    A core that sleeps most of the time is clocked down and loses its caches, so a process that does little takes longer
    for each step.
    """
    if core is None:
        yield
        return
    with born_on(core):
        loop = subprocess.Popen([sys.executable, "-c", _IDLE_LOOP])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def cpu_ns(pid: int) -> int:
    """Return the CPU time of process ``pid`` (user and system, all threads). Raises ProcessLookupError."""
    try:
        return time.clock_gettime_ns((~pid << 3) | _CPU_CLOCK_OF_PROCESS)
    except OSError:
        raise ProcessLookupError(f"no process {pid}") from None


def unread_bytes(port: int) -> int:
    """Return the bytes on their way to, or waiting in, the sockets of clients of local ``port``."""
    unread = 0
    for line in _text("/proc/net/tcp").splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        if state != _ESTABLISHED:
            continue
        sending, receiving = queues.split(":")
        if int(remote.partition(":")[2], 16) == port:
            unread += int(receiving, 16)
        elif int(local.partition(":")[2], 16) == port:
            unread += int(sending, 16)
    return unread


def await_quiet(busy_ns: Callable[[], int], unread: Callable[[], int], limit_s: float) -> float:
    """Wait until nothing is unread and CPU time ``busy_ns`` stops growing; return seconds until the last read."""
    begin_s = drained_s = time.monotonic()
    quiet, before_ns, before_s = 0, busy_ns(), begin_s
    while quiet < 3:
        time.sleep(0.03)
        now_ns, now_s = busy_ns(), time.monotonic()
        idle = now_ns - before_ns < (now_s - before_s) * 0.2e9
        if idle and not unread():
            quiet += 1
        else:
            quiet, drained_s = 0, now_s
        before_ns, before_s = now_ns, now_s
        if now_s - begin_s > limit_s:
            raise TimeoutError(f"the client did not finish reading within {limit_s:g} s of the last send")
    return drained_s - begin_s
