"""The exit statuses of Locust runs with streamgauge and of the ``streamgauge`` commands."""

from dataclasses import dataclass
from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit status of a process."""

    PASSED = 0
    """Every stream succeeded, and every rule held."""
    FAILED = 1
    """A stream or a rule failed, or the command could not do its work."""
    USAGE = 2
    """An option or the configuration is wrong; nothing was run."""
    UNTRUSTED = 3
    """The measurement cannot be trusted."""
    INTERRUPTED = 130
    """The user ended the process early, with SIGINT or SIGTERM."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The exit status of a test by itself, without the verdict on its streams."""

    own: int | None = None
    """The status that the test sets, such as Locust's ``process_exit_code``; None if it sets none."""
    failed: bool = False
    """Whether a request failed or the scenario raised an exception."""
    on_failure: int = ExitStatus.FAILED
    """The status of a test that failed."""
    broken: bool = False
    """Whether code outside the scenario raised an exception."""

    def joined(self, verdict: int) -> int:
        """Return the worse of this status and the ``verdict``'s.

        The verdict's 0 and 1 only say whether requests failed, which the test may judge otherwise. The verdict's 2 and
        3 say that nothing can be judged, so they replace 0 and 1; any other status of the test has its own meaning.
        """
        if self.own not in (None, ExitStatus.PASSED, ExitStatus.FAILED):
            return self.own
        if verdict in (ExitStatus.USAGE, ExitStatus.UNTRUSTED):
            return verdict
        if self.own is not None:
            return self.own
        if self.failed or verdict == ExitStatus.FAILED:
            return self.on_failure
        return ExitStatus.USAGE if self.broken else verdict
