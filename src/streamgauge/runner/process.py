"""Child processes, each with its own session, so that it can be ended together with all its descendants."""

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

_POLL_S = 0.05
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
        """Start ``command``, by default in this process's environment and directory.

        With ``ends_with_parent`` the child gets SIGTERM when the thread that starts it ends, so that thread must
        outlive the child.
        """
        self.name = name
        self.command = command
        self.log = log
        #: Output from this text on does not explain why the process ended.
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
        """Whether the process has not ended. It is not reaped, so that no other process can get its group's id."""
        if self._popen.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    @property
    def output(self) -> str:
        """The output so far."""
        return self.log.read_text(errors="replace")

    def until_ready(
        self, ready: Callable[[], _Found | None], interrupt: Interrupt, late: str = "was not ready"
    ) -> _Found:
        """Wait until ``ready`` returns a value other than None, and return it.

        Raises ChildError if the process ends first or takes too long, and Interrupted if the user asks for the end;
        then the process is killed.
        """
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            if interrupt.requested:
                self.end()
                raise Interrupted
            if (found := ready()) is not None:
                return found
            if not self.running:
                raise ChildError(f"{self.name} ended while it started, with status {self.end()}", self)
            time.sleep(_POLL_S)
        raise ChildError(f"{self.name} {late} within {_START_S:g} s", self)

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process, not to its group: the process ends its own children.

        SIGINT would raise KeyboardInterrupt in whichever of Locust's greenlets happens to run.
        """
        if self.running:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, limit_s: float) -> int:
        """Wait until the process ends by itself, and return its exit status. Raises subprocess.TimeoutExpired."""
        return self._popen.wait(limit_s)

    def end(self, grace_s: float = 0.0) -> int:
        """Ask the process to end, kill the rest of its group after ``grace_s``, and return the exit status."""
        if grace_s:
            self.ask_to_end()
        deadline_s = time.monotonic() + grace_s
        while self.running and time.monotonic() < deadline_s:
            time.sleep(0.02)
        if self._popen.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
        return self._popen.wait()

    def move_log(self, log: Path) -> None:
        """Move the file of the output while the process writes to it."""
        self.log = self.log.rename(log)

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the output, without the epilogue."""
        words = self.output.partition(self.epilogue)[0]
        return "\n".join(words.rstrip().splitlines()[-lines:])


class Children:
    """A context that kills every running child when it ends."""

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
        """Start a child, by default in this process's environment."""
        child = Child(name, command, log, environment)
        self._children.append(child)
        return child


def _end_with(parent: int) -> None:
    """Ask the kernel, in the child, for SIGTERM when the parent dies from any cause."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


class ChildError(Exception):
    """Raised if a child process failed. If ``child`` is given, its last output explains why."""

    def __init__(self, reason: str, child: Child | None = None) -> None:
        super().__init__(reason)
        self.child = child

    @property
    def last_output(self) -> str:
        """The last lines of the child's output; empty without a child."""
        return self.child.tail() if self.child else ""
