"""Several processes that are one service: the directory in which they keep their metrics.

Each writes files of its own into the directory that ``PROMETHEUS_MULTIPROC_DIR`` names, and a scrape adds them up. That
variable must be there before prometheus_client is imported, and the directory empty before the first of them starts.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import values
from prometheus_client.metrics_core import Metric as Sampled
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.worker_liveness import LOCK, METRICS, is_locked

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class MultiprocessError(RuntimeError):
    """The processes cannot have common metrics. Its text names the directory, or what was done too late."""


def directory() -> Path | None:
    """Where the processes of this service keep their metrics; None where this one is alone."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


class Together(Collector):
    """What all processes that keep their metrics in ``place`` have counted, added up."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def collect(self) -> Iterable[Sampled]:
        """Of each process's files those that it has begun: one that is just being made has no size yet."""
        files = [str(file) for file in self._place.glob("*.db") if _size_bytes(file)]
        found: Iterable[Sampled] = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return found


def prepare_multiprocess(path: str | os.PathLike[str] | None = None) -> Path:
    """Let this process and those that it starts keep their metrics in one directory. Gives the directory.

    For the process that starts the workers, before it starts any, makes a ``StreamMetrics`` or calls ``serve_metrics``.
    ``path``: the directory; by default what ``PROMETHEUS_MULTIPROC_DIR`` says, else a temporary one that lasts as long
    as this process. What an earlier service left there is removed, for totals begin at 0. Raises ``MultiprocessError``
    if the directory cannot be had, if a process of another service still writes there, or if it is too late.
    """
    if Instruments.exist():
        raise MultiprocessError(
            "prepare_multiprocess() comes too late: this process has made metrics of its own before"
        )
    chosen = path or os.environ.get(VARIABLE)
    place = Path(chosen) if chosen else _temporary()
    try:
        place.mkdir(parents=True, exist_ok=True)
        _wipe(place)
    except OSError as error:
        raise MultiprocessError(f"directory for metrics {str(place)!r}: {error.strerror or error}") from error
    os.environ[VARIABLE] = str(place)
    # prometheus_client chose when it was imported; workers that are forks of this process inherit that choice.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    return place


def check_directory() -> None:
    """Raise ``MultiprocessError`` where the variable names no directory."""
    place = directory()
    if place is not None and not place.is_dir():
        raise MultiprocessError(f"{VARIABLE}: {str(place)!r} is no directory")


def check_values() -> None:
    """Raise ``MultiprocessError`` where this process would count for itself alone, against what the variable says."""
    if directory() is not None and values.ValueClass is values.MutexValue:
        raise MultiprocessError(
            f"{VARIABLE} was set after prometheus_client was imported: set it before this process starts, or call "
            "streamgauge.asgi.prepare_multiprocess()"
        )


def _size_bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # what a dead process had under way, which another scrape has removed
        return 0


def _wipe(place: Path) -> None:
    files = list(place.iterdir())
    for file in files:
        found = LOCK.fullmatch(file.name)
        if found and is_locked(file):
            raise MultiprocessError(f"directory for metrics {str(place)!r}: process {found[1]} still writes there")
    for file in files:
        if METRICS.fullmatch(file.name) or LOCK.fullmatch(file.name):
            file.unlink(missing_ok=True)


def _temporary() -> Path:
    place, owner = Path(tempfile.mkdtemp(prefix="streamgauge-metrics-")), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(remove)
    return place
