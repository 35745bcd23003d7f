"""The directories of runs below the result directory, and which of them a demo's Locust has made."""

import fcntl
import os
import re
import shutil
from pathlib import Path
from types import TracebackType

_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]+")


class Runs:
    """Finds new runs below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known = self._present()

    def _present(self) -> set[str]:
        return {each.name for each in self.root.iterdir() if _RUN.fullmatch(each.name)}

    def new(self) -> list[Path]:
        """The runs that are there since the last call, the oldest first."""
        found = self._present() - self._known
        self._known |= found
        return [self.root / name for name in sorted(found)]


class StartOfRun:
    """Held by one demo at a time below ``root``: two that start at once could not tell whose run is whose."""

    def __init__(self, root: Path) -> None:
        self._directory = os.open(root, os.O_RDONLY)

    def taken(self) -> bool:
        """Take it, unless another demo holds it."""
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


def discard(*paths: Path) -> None:
    """Remove files, and runs that have nothing in them."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
