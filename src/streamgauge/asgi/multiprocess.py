"""The metrics directory of a service that consists of several processes.

Each process writes files of its own into the directory that ``PROMETHEUS_MULTIPROC_DIR`` names, and a scrape adds them
up. The variable must be set before prometheus_client is imported, and the directory must be empty before the first of
the processes starts.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.worker_liveness import LOCK_FILE, METRIC_FILE, is_locked

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class MultiprocessError(RuntimeError):
    """The processes cannot share metrics. Its text names the directory or the call that was too late, and a remedy."""


def metrics_directory() -> Path | None:
    """Return the directory in which the processes of this service keep their metrics; None for a single process."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


class MergedCollector(Collector):
    """The sum of what all processes that keep their metrics in ``directory`` have counted."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """Return the merged families. Files of size 0 are left out: a process is just creating them."""
        files = [str(file) for file in self._directory.glob("*.db") if _size_bytes(file)]
        found: Iterable[Metric] = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return found


def prepare_multiprocess(path: str | os.PathLike[str] | None = None) -> Path:
    """Make this process and those that it starts keep their metrics in one directory. Return the directory.

    Call it in the process that starts the workers, before it starts any, makes a ``StreamMetrics``, or calls
    ``serve_metrics``. ``path``: the directory; by default the value of ``PROMETHEUS_MULTIPROC_DIR``, else a temporary
    one that this process removes when it ends. The metrics of an earlier service are removed from it, so that totals
    start at 0. Raises ``MultiprocessError`` if the directory cannot be used, if a process of another service still
    writes to it, or if the call comes too late.
    """
    if Instruments.exist():
        raise MultiprocessError(
            "prepare_multiprocess() was called too late: this process has already made metrics; call it before "
            "StreamMetrics and serve_metrics"
        )
    chosen = path or os.environ.get(VARIABLE)
    directory = Path(chosen) if chosen else _temporary()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_old_metrics(directory)
    except OSError as error:
        raise MultiprocessError(
            f"cannot use metrics directory {str(directory)!r}: {error.strerror or error}; set {VARIABLE} to a "
            "directory that this process can create and write to"
        ) from error
    os.environ[VARIABLE] = str(directory)
    # prometheus_client made its choice when it was imported. Workers that are forks of this process inherit ours.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    return directory


def check_directory() -> None:
    """Raise ``MultiprocessError`` if the variable names a directory that does not exist."""
    directory = metrics_directory()
    if directory is not None and not directory.is_dir():
        raise MultiprocessError(
            f"{VARIABLE}: expected an existing directory, got {str(directory)!r}; create it before the service starts"
        )


def check_values() -> None:
    """Raise ``MultiprocessError`` if the variable is set but this process would keep its metrics in memory."""
    if metrics_directory() is not None and values.ValueClass is values.MutexValue:
        raise MultiprocessError(
            f"{VARIABLE} was set after prometheus_client was imported; set it before this process starts, or call "
            "streamgauge.asgi.prepare_multiprocess()"
        )


def _size_bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # the gauge of a dead process, which another scrape has removed
        return 0


def _remove_old_metrics(directory: Path) -> None:
    files = list(directory.iterdir())
    for file in files:
        found = LOCK_FILE.fullmatch(file.name)
        if found and is_locked(file):
            raise MultiprocessError(
                f"metrics directory {str(directory)!r}: process {found[1]} still writes to it; stop that service, or "
                "use another directory"
            )
    for file in files:
        if METRIC_FILE.fullmatch(file.name) or LOCK_FILE.fullmatch(file.name):
            file.unlink(missing_ok=True)


def _temporary() -> Path:
    directory, owner = Path(tempfile.mkdtemp(prefix="streamgauge-metrics-")), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(directory, ignore_errors=True)

    atexit.register(remove)
    return directory
