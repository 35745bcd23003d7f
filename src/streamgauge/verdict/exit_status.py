"""The exit statuses of Locust runs with streamgauge and of the ``streamgauge`` commands."""

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
