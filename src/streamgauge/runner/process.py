"""Child processes: each leads a session of its own, so that it can be ended with all that it started."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from streamgauge.runner.interrupt import Interrupt, Interrupted

_TURN_S = 0.05
_START_S = 60.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_Found = TypeVar("_Found")


def python_module(module: str, *arguments: object) -> list[str]:
    """Make the command ``python -m module``. ``-P`` keeps the working directory from hiding a module."""
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


class Child:
    """A process whose output goes to a file. Ctrl-C in the terminal does not reach it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        *,
        ends_with_parent: bool = True,
    ) -> None:
        """Start ``command``, in this process's environment and directory unless others are given.

        ``ends_with_parent`` sends it SIGTERM when the thread that starts it ends, so that thread has to outlive it.
        """
        self.name = name
        self.command = command
        self.log = log
        #: The output from these words on does not tell why the process ended.
        self.epilogue = "\0"
        parent = os.getpid()
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=(lambda: _end_with(parent)) if ends_with_parent else None,
            )

    @property
    def pid(self) -> int:
        """The id of the process, and of its group."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended. It stays unreaped, so that no other process can take its group's id."""
        if self._popen.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def until_ready(
        self, ready: Callable[[], _Found | None], interrupt: Interrupt, late: str = "was not ready"
    ) -> _Found:
        """Wait until ``ready`` finds something, and return that.

        Raises ChildError where the process ends first or is too late, and Interrupted where the user wants the end;
        then the process is killed.
        """
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            if interrupt.asked:
                self.end()
                raise Interrupted
            if (found := ready()) is not None:
                return found
            if not self.running:
                raise ChildError(f"{self.name} ended at its start, with status {self.end()}", self)
            time.sleep(_TURN_S)
        raise ChildError(f"{self.name} {late} within {_START_S:g} s", self)

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process, not to its group: it ends its own.

        SIGINT would end in Python's KeyboardInterrupt, in whichever of Locust's greenlets runs just then.
        """
        if self.running:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, limit_s: float) -> int:
        """Wait until it ends by itself, and return its exit status. Raises subprocess.TimeoutExpired."""
        return self._popen.wait(limit_s)

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
        """Move the file that its output goes to, while it is written."""
        self.log = self.log.rename(log)

    def tail(self, lines: int = 15) -> str:
        """The last lines of its output, without the epilogue."""
        words = self.output.partition(self.epilogue)[0]
        return "\n".join(words.rstrip().splitlines()[-lines:])


class Children:
    """A context that kills, when it is left, every child that still runs."""

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
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start a child, in this process's environment unless another is given."""
        child = Child(name, command, log, environment)
        self._children.append(child)
        return child


def _end_with(parent: int) -> None:
    """In the child: ask the kernel for SIGTERM when the parent dies, whatever kills it."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


class ChildError(Exception):
    """A child process failed: ``child``, if one is given, whose last output tells why."""

    def __init__(self, reason: str, child: Child | None = None) -> None:
        super().__init__(reason)
        self.child = child

    @property
    def last_words(self) -> str:
        """The child's last lines."""
        return self.child.tail() if self.child else ""
