"""The demo's child processes: each leads a session of its own, so that it can be ended with all that it started."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A process whose output goes to a file. Ctrl-C in the terminal does not reach it."""

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        #: What its output ends with, from these words on, tells nothing of why it ended.
        self.epilogue = "\0"
        parent = os.getpid()
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                # -P: what lies in the working directory must not stand in for a module.
                [sys.executable, "-P", "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=lambda: _end_with(parent),
            )

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended. It stays unreaped, so that its group cannot become another's."""
        if self._popen.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process, not to its group: it ends its own.

        SIGINT would end in Python's KeyboardInterrupt, in whichever of Locust's greenlets runs just then.
        """
        if self.running:
            os.kill(self.pid, signal.SIGTERM)

    def end(self, grace_s: float = 0.0) -> int:
        """Ask it to end, kill after ``grace_s`` whatever is left of its group, and return the exit status."""
        if grace_s:
            self.ask_to_end()
        deadline_s = time.monotonic() + grace_s
        while self.running and time.monotonic() < deadline_s:
            time.sleep(0.02)
        if self._popen.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
        return self._popen.wait()

    def move_log(self, log: Path) -> None:
        """Give its output another place, while it is written."""
        self.log = self.log.rename(log)

    def tail(self, lines: int = 15) -> str:
        """The last lines of its output, its epilogue left out."""
        words = self.log.read_text(errors="replace").partition(self.epilogue)[0]
        return "\n".join(words.rstrip().splitlines()[-lines:])


class Children:
    """All children of a demo; whatever still runs when it is left is killed."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.end()

    def start(
        self, name: str, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start ``python -m module``, in this process's environment unless another is given."""
        child = Child(name, module, arguments, log, environment)
        self._children.append(child)
        return child


def _end_with(parent: int) -> None:
    """In the child: ask the kernel for SIGTERM when the parent dies, whatever kills it."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


class ChildError(Exception):
    """A child process failed: ``child``, if one is given, whose last output is shown."""

    def __init__(self, reason: str, child: Child | None = None) -> None:
        super().__init__(reason)
        self.child = child
