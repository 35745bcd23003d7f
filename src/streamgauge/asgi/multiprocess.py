"""The set-up of a service that consists of several processes.

Each process writes files of its own into the directory that ``PROMETHEUS_MULTIPROC_DIR`` names, and a scrape adds them
up. The variable must be set before prometheus_client is imported, and the directory must be empty before the first of
the processes starts.
"""

import os
import shutil
import tempfile
from pathlib import Path

from prometheus_client import values

from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.metrics_directory import VARIABLE, MultiprocessError
from streamgauge.asgi.process_end import at_end, watch_signals
from streamgauge.asgi.worker_liveness import LOCK_FILE, METRIC_FILE, OWN_FILE, is_locked


def prepare_multiprocess(path: str | os.PathLike[str] | None = None) -> Path:
    """Make this process and those that it starts keep their metrics in one directory. Return the directory.

    Call it in the process that starts the workers, before it starts any, makes a ``StreamMetrics``, or calls
    ``serve_metrics``. ``path``: the directory; by default the value of ``PROMETHEUS_MULTIPROC_DIR``, else a temporary
    one that this process removes when it ends, also by SIGTERM. The metrics of an earlier service are removed from it,
    so that totals start at 0. Raises ``MultiprocessError`` if the directory cannot be used, if a process of another
    service still writes to it, or if the call comes too late.
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
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise MultiprocessError(
            f"cannot use metrics directory {str(directory)!r}: {error.strerror or error}; set {VARIABLE} to a "
            "directory that this process can create and write to"
        ) from error
    os.environ[VARIABLE] = str(directory)
    # prometheus_client made its choice when it was imported. Workers that are forks of this process inherit ours.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    return directory


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
        if any(pattern.fullmatch(file.name) for pattern in (METRIC_FILE, LOCK_FILE, OWN_FILE)):
            file.unlink(missing_ok=True)


def _temporary() -> Path:
    try:
        directory = Path(tempfile.mkdtemp(prefix="streamgauge-metrics-"))
    except OSError as error:
        raise MultiprocessError(
            f"cannot make a temporary metrics directory: {error.strerror or error}; set {VARIABLE} to a directory that "
            "this process can create and write to"
        ) from error
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(directory, ignore_errors=True)

    at_end(remove)
    watch_signals()
    return directory
