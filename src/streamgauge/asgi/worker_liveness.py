"""Which processes that share a metrics directory are alive.

A live process holds a lock on a file, and the kernel releases the lock however the process dies. A process id alone
would not do: another process may have it by then, and in another container it means nothing.
"""

import fcntl
import os
import re
from contextlib import ExitStack, suppress
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from streamgauge.asgi.process_end import at_signal

#: The names of prometheus_client's files.
METRIC_FILE = re.compile(r"(?:counter|histogram|summary|gauge_[a-z]+)_(\d+)\.db")
LOCK_FILE = re.compile(r"alive_(\d+)\.lock")
#: What a process writes into its lock file: that it measures streams, and that a signal has asked it to end.
_MEASURES, _ENDS = b"measures", b"measures, ends"
#: A file that shows that a process has measured streams, also once it is dead.
_MEASURED = "measured"
#: The names of the other files: that one, and those with which dead processes are folded.
OWN_FILE = re.compile(r"measured|fold\.(?:lock|journal)(?:\.new)?|.*_0\.db\.new")

#: The open lock file of this process, by its process id: a fork has another id and needs a lock of its own.
_own_locks: dict[int, int] = {}


def mark_process_alive(directory: Path, *, measures: bool = False) -> None:
    """Lock a file in ``directory`` until this process ends, to show that it is alive. Further calls do nothing.

    ``measures``: whether the process measures streams; the file says so from then on. If the file was deleted
    meanwhile, make it again: so a scrape finds a live process whose other files are gone.
    """
    pid = os.getpid()
    file = _own_locks.get(pid)
    if file is None or not os.fstat(file).st_nlink:
        file = _lock_own(directory, pid, id_is_new=file is None)
    if measures and file is not None and not os.fstat(file).st_size:
        os.pwrite(file, _MEASURES, 0)
        (directory / _MEASURED).touch()


@at_signal
def _note_end() -> None:
    file = _own_locks.get(os.getpid())
    if file is not None and os.fstat(file).st_size:
        os.pwrite(file, _ENDS, 0)


def was_ending(lock: Path) -> bool:
    """Return whether the process of ``lock`` measured streams when a signal asked it to end."""
    return lock.stat().st_size == len(_ENDS)


def _lock_own(directory: Path, pid: int, *, id_is_new: bool) -> int | None:
    lock = _lock_path(directory, pid)
    id_was_used = id_is_new and lock.exists()
    try:
        while (file := _open_locked(lock)) is None:
            pass
    except FileNotFoundError:  # the directory is gone as well; the scrape says so
        return None
    os.truncate(file, 0)
    _own_locks[pid] = file
    if id_was_used:
        remove_live_gauges(directory, pid)
    return file


def measuring_processes(directory: Path) -> list[int]:
    """Return the ids of the live processes that measure streams."""
    found = ((LOCK_FILE.fullmatch(file.name), file) for file in directory.glob("alive_*.lock"))
    return sorted(
        pid for match, file in found if match and _is_measuring(file) and _is_alive(directory, pid := int(match[1]))
    )


def was_measured(directory: Path) -> bool:
    """Return whether any process has measured streams since the service started."""
    return (directory / _MEASURED).exists()


def is_locked(lock: Path) -> bool:
    """Return whether a live process holds ``lock``. Do not pass this process's own lock: the test would release it."""
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def hold_dead(directory: Path, pid: int, held: ExitStack) -> bool:
    """Return whether process ``pid`` is dead. If it is, hold its lock until ``held`` is closed."""
    if pid == os.getpid():
        return False
    with suppress(OSError):  # the lock is held, or another process has removed it
        file = _lock_path(directory, pid).open("r+b")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise
        held.enter_context(file)
        return True
    return False


def pid_exists(pid: int) -> bool:
    """Return whether this container has a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove_live_gauges(directory: Path, pid: int) -> None:
    """Remove the gauges of process ``pid`` that count only while it lives, such as its active streams."""
    with suppress(FileNotFoundError):  # another process has removed them already
        mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]


def _is_measuring(lock: Path) -> bool:
    with suppress(FileNotFoundError):  # another process has just folded a dead one
        return lock.stat().st_size > 0
    return False


def _lock_path(directory: Path, pid: int) -> Path:
    return directory / f"alive_{pid}.lock"


def _open_locked(lock: Path) -> int | None:
    """Open and lock the file. Return None if another process removed it meanwhile because its owner was dead."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.lockf(file, fcntl.LOCK_EX)
    with suppress(FileNotFoundError):
        if os.fstat(file).st_ino == lock.stat().st_ino:
            return file
    os.close(file)
    return None


def _is_alive(directory: Path, pid: int) -> bool:
    if pid == os.getpid():
        return pid in _own_locks
    with suppress(FileNotFoundError):
        return is_locked(_lock_path(directory, pid))
    return False
