"""Which of the processes that share a directory of metrics are alive, and what the dead left there.

Counters and histograms of a process stay when it dies, so that totals never go backwards; its share of what is under
way (``livesum`` gauges) goes. A process shows that it lives by a lock on a file, which the kernel frees at any kind of
death: a process id alone may be another's by then, or mean nothing in another container.
"""

import fcntl
import os
import re
import threading
from contextlib import suppress
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

#: What prometheus_client calls its files.
METRICS = re.compile(r"(?:counter|histogram|summary|gauge_[a-z]+)_(\d+)\.db")
LOCK = re.compile(r"alive_(\d+)\.lock")

_reaping = threading.Lock()
_signed_in: dict[int, int] = {}


def sign_in(place: Path) -> None:
    """Show in ``place``, until this process ends, that it lives. To call it again does no harm."""
    pid = os.getpid()
    if pid in _signed_in:
        return
    lock = _lock(place, pid)
    predecessor = lock.exists()
    while (file := _locked(lock)) is None:
        pass
    _signed_in[pid] = file
    if predecessor:
        _bury(place, pid)


def reap(place: Path) -> None:
    """Remove what dead processes left in ``place`` of what is under way now."""
    with _reaping:
        for file in place.glob("gauge_live*.db"):
            found = METRICS.fullmatch(file.name)
            if found and not _lives(place, int(found[1])):
                _bury(place, int(found[1]))
                _lock(place, int(found[1])).unlink(missing_ok=True)


def living(place: Path) -> list[int]:
    """The ids of the processes that measure streams and live."""
    found = (LOCK.fullmatch(file.name) for file in place.glob("alive_*.lock"))
    return sorted(pid for match in found if match and _lives(place, pid := int(match[1])))


def is_locked(lock: Path) -> bool:
    """Whether the process of that lock lives. Not to be asked of this process's own, which that would free."""
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _lock(place: Path, pid: int) -> Path:
    return place / f"alive_{pid}.lock"


def _locked(lock: Path) -> int | None:
    """The open, locked file; None where one that looked for the dead has removed it meanwhile."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.lockf(file, fcntl.LOCK_EX)
    with suppress(FileNotFoundError):
        if os.fstat(file).st_ino == lock.stat().st_ino:
            return file
    os.close(file)
    return None


def _lives(place: Path, pid: int) -> bool:
    if pid == os.getpid() and pid in _signed_in:
        return True
    try:
        return is_locked(_lock(place, pid))
    except FileNotFoundError:  # a process that measures no streams: its id is all that is known
        return _runs(pid)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _bury(place: Path, pid: int) -> None:
    with suppress(FileNotFoundError):  # another process was quicker
        mark_process_dead(pid, str(place))  # type: ignore[no-untyped-call]
