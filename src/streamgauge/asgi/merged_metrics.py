"""The metrics directory as a scrape reads it: the sum of the files of all processes, and whether files are missing."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from streamgauge.asgi.dead_processes import reading
from streamgauge.asgi.metrics_directory import VARIABLE
from streamgauge.asgi.worker_liveness import measuring_processes, was_measured

#: The files that each process has before it says that it measures streams, by what precedes ``_PID.db``.
_FILES = ("histogram", "gauge_livesum")


class MergedCollector(Collector):
    """The sum of what all processes that keep their metrics in ``directory`` have counted, as ``read`` found it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._families: list[Metric] = []

    def read(self) -> None:
        """Read and add up the files. Files of size 0 are left out: a process is just creating them."""
        with reading(self._directory):
            files = [str(file) for file in self._directory.glob("*.db") if _size_bytes(file)]
            merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
            self._families = list(merged)

    def collect(self) -> Iterable[Metric]:
        """Return the families that ``read`` found."""
        return self._families

    def problem(self) -> str | None:
        """Return why this page can never be right, with the remedy; None if it is right."""
        where = f"the metrics directory {str(self._directory)!r}"
        remedy = f"Restart the service, with {VARIABLE} set to a directory that nothing cleans up."
        lost = [pid for pid in measuring_processes(self._directory) if not self._has_files(pid)]
        if lost:
            pids = ", ".join(map(str, lost))
            return f"Files of process {pids} are missing from {where}, so what is counted now is lost. {remedy}"
        if not was_measured(self._directory):
            return (
                f"No process has measured anything in {where} yet. If the service is up: start its workers with the "
                f"same {VARIABLE}, and let the server serve the app that StreamMetrics wraps."
            )
        return None

    def _has_files(self, pid: int) -> bool:
        return all((self._directory / f"{kind}_{pid}.db").exists() for kind in _FILES)


def missing_directory(directory: Path) -> str | None:
    """Return what to do if ``directory`` does not exist; None if it does."""
    if directory.is_dir():
        return None
    return (
        f"The metrics directory {str(directory)!r} is gone, so what is counted now is lost. Restart the service, with "
        f"{VARIABLE} set to a directory that nothing cleans up."
    )


def _size_bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # the gauge of a dead process, which another scrape has removed
        return 0
