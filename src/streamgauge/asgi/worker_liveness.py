"""Which processes that share a metrics directory are alive, and the removal of what dead processes left in it.

The counters and histograms of a dead process stay, so that totals never go backwards. Its ``livesum`` gauges (its
active streams) go. A live process holds a lock on a file, and the kernel releases the lock however the process dies. A
process id alone would not do: another process may have it by then, and in another container it means nothing.
"""

import fcntl
import os
import re
import threading
from contextlib import suppress
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

#: The names of prometheus_client's files.
METRIC_FILE = re.compile(r"(?:counter|histogram|summary|gauge_[a-z]+)_(\d+)\.db")
LOCK_FILE = re.compile(r"alive_(\d+)\.lock")

_removing = threading.Lock()
#: The open lock file of this process, by its process id: a fork has another id and needs a lock of its own.
_own_locks: dict[int, int] = {}


def mark_process_alive(directory: Path) -> None:
    """Lock a file in ``directory`` until this process ends, to show that it is alive. Further calls do nothing."""
    pid = os.getpid()
    if pid in _own_locks:
        return
    lock = _lock_path(directory, pid)
    id_was_used = lock.exists()
    while (file := _open_locked(lock)) is None:
        pass
    _own_locks[pid] = file
    if id_was_used:
        _remove_live_gauges(directory, pid)


def remove_dead_processes(directory: Path) -> None:
    """Remove the lock files and the live gauges of dead processes from ``directory``."""
    with _removing:
        for file in directory.glob("gauge_live*.db"):
            found = METRIC_FILE.fullmatch(file.name)
            if found and not _is_alive(directory, int(found[1])):
                _remove_live_gauges(directory, int(found[1]))
                _lock_path(directory, int(found[1])).unlink(missing_ok=True)


def live_processes(directory: Path) -> list[int]:
    """Return the ids of the live processes that measure streams."""
    found = (LOCK_FILE.fullmatch(file.name) for file in directory.glob("alive_*.lock"))
    return sorted(pid for match in found if match and _is_alive(directory, pid := int(match[1])))


def is_locked(lock: Path) -> bool:
    """Return whether a live process holds ``lock``. Do not pass this process's own lock: the test would release it."""
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _lock_path(directory: Path, pid: int) -> Path:
    return directory / f"alive_{pid}.lock"


def _open_locked(lock: Path) -> int | None:
    """Open and lock the file. Return None if ``remove_dead_processes`` of another process removed it meanwhile."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.lockf(file, fcntl.LOCK_EX)
    with suppress(FileNotFoundError):
        if os.fstat(file).st_ino == lock.stat().st_ino:
            return file
    os.close(file)
    return None


def _is_alive(directory: Path, pid: int) -> bool:
    if pid == os.getpid() and pid in _own_locks:
        return True
    try:
        return is_locked(_lock_path(directory, pid))
    except FileNotFoundError:  # a process that measures no streams has no lock file, only its id
        return _pid_exists(pid)


def _pid_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove_live_gauges(directory: Path, pid: int) -> None:
    with suppress(FileNotFoundError):  # another process has removed them already
        mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
