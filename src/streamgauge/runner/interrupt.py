"""Handle SIGINT and SIGTERM of the user: the first asks for the end, the second kills."""

import signal
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """Raised if the user asked for the end before there was a run to conclude."""


class Killed(BaseException):
    """Raised if the user asked for the end a second time: exit at once."""


class Interrupt:
    """A context in which the first SIGINT or SIGTERM sets ``requested``, and the second raises ``Killed``."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupt":
        self._before = {each: signal.signal(each, self._on_signal) for each in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_IGN)  # no further signal may interrupt the killing
            raise Killed
        self.requested = True

    def check(self) -> None:
        """Raise Interrupted if the user asked for the end."""
        if self.requested:
            raise Interrupted
