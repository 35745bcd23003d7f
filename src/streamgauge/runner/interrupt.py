"""The user's wish to end: the first signal asks, the second one kills."""

import signal
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """The user asked for the end before there was anything to end well."""


class Killed(BaseException):
    """The user asked a second time: leave at once."""


class Interrupt:
    """Turns SIGINT and SIGTERM, while it is entered, into ``asked``, and the second of them into ``Killed``."""

    def __init__(self) -> None:
        self.asked = False
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
        if self.asked:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_IGN)  # nothing may stop the killing
            raise Killed
        self.asked = True

    def check(self) -> None:
        """Raise Interrupted if the user asked."""
        if self.asked:
            raise Interrupted
