"""The directory in which the processes of one service keep their metrics, if ``PROMETHEUS_MULTIPROC_DIR`` names one."""

import os
from pathlib import Path

from prometheus_client import values

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class MultiprocessError(RuntimeError):
    """The processes cannot share metrics. Its text names the directory or the call that was too late, and a remedy."""


def metrics_directory() -> Path | None:
    """Return the directory in which the processes of this service keep their metrics; None for a single process."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def check_directory() -> None:
    """Raise ``MultiprocessError`` if the variable names a directory that does not exist or cannot be written to."""
    directory = metrics_directory()
    if directory is None:
        return
    if not directory.is_dir():
        raise MultiprocessError(
            f"{VARIABLE}: expected an existing directory, got {str(directory)!r}; create it before the service starts"
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise MultiprocessError(
            f"{VARIABLE}: this process may not write to {str(directory)!r}; give its user write access to the "
            "directory, or name another one"
        )


def check_values() -> None:
    """Raise ``MultiprocessError`` if the variable is set but this process would keep its metrics in memory."""
    if metrics_directory() is not None and values.ValueClass is values.MutexValue:
        raise MultiprocessError(
            f"{VARIABLE} was set after prometheus_client was imported; set it before this process starts, or call "
            "streamgauge.asgi.prepare_multiprocess()"
        )
