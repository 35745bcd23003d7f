"""Find the directories of runs below a result directory, and which of them are new."""

import fcntl
import os
import re
import shutil
from pathlib import Path
from types import TracebackType

from streamgauge.report.result import FILE_NAME, Result, read_result

_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]+")


class Runs:
    """Finds new runs below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known = self._present()

    def _present(self) -> set[str]:
        return {each.name for each in self.root.iterdir() if _RUN.fullmatch(each.name)}

    def new(self) -> list[Path]:
        """Return the runs that began since the last call, the oldest first."""
        found = self._present() - self._known
        self._known |= found
        return [self.root / name for name in sorted(found)]


class StartOfRun:
    """A lock on ``root`` while a run starts, since two programs that start runs at once could confuse them."""

    def __init__(self, root: Path) -> None:
        self._directory = os.open(root, os.O_RDONLY)

    def taken(self) -> bool:
        """Take the lock, unless another process holds it."""
        try:
            fcntl.flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> "StartOfRun":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._directory)


def results_in(directory: Path) -> list[Result]:
    """Read the results of the runs below ``directory``, the oldest first."""
    found = [read_result(path) for path in directory.glob(f"*/{FILE_NAME}")]
    return sorted(found, key=lambda result: result["run"]["started_at"])


def discard(*paths: Path) -> None:
    """Remove files and directories."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
