"""The end of this process: whether a signal has asked for it, and what has to run before it.

Servers such as uvicorn shut down at a signal and then raise it again with its default action, which kills the process
before ``atexit`` runs. And a framework that notices a signal may cut its streams itself, in a way that looks like an
error. So the handlers of these signals are chained: the one before is always called, unchanged.
"""

import atexit
import signal
import threading
from collections.abc import Callable
from types import FrameType

#: gunicorn ends its workers by SIGQUIT at a SIGINT.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
#: How long a signal whose action is to kill the process waits for what has to run before.
LAST_ACTS_S = 2.0

_Handler = Callable[[int, FrameType | None], object]
_asked = threading.Event()
_acts: list[Callable[[], None]] = []
_notes: list[Callable[[], None]] = []


def asked_to_end() -> bool:
    """Return whether a signal that ends servers has come since ``watch_signals``."""
    return _asked.is_set()


def at_end(act: Callable[[], None]) -> Callable[[], None]:
    """Call ``act`` when this process ends: at its exit, or at a signal that would kill it, if signals are watched.

    The last act comes first. Return ``act``, so that this can be a decorator.
    """
    _acts.append(act)
    return act


def at_signal(note: Callable[[], None]) -> Callable[[], None]:
    """Call ``note`` at each signal. It runs in the signal handler, so it must take no lock. Return ``note``."""
    _notes.append(note)
    return note


def watch_signals() -> None:
    """Chain the handlers of the signals that end servers. Does nothing for ignored ones and outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        before = signal.getsignal(number)
        if before is signal.SIG_DFL and number != signal.SIGQUIT:  # whose default action dumps core
            signal.signal(number, _end)
        elif callable(before) and before is not _end and not isinstance(before, _Chained):
            signal.signal(number, _Chained(before))


class _Chained:
    """A handler that notes the signal and calls the handler before it."""

    def __init__(self, before: _Handler) -> None:
        self._before = before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        _note()
        self._before(number, frame)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Run what has to run, and end by the signal, as without a handler.

    In a thread of its own: the main thread may be interrupted while it holds a lock that an act needs.
    """
    _note()
    acts = threading.Thread(target=_run_acts, daemon=True)
    acts.start()
    acts.join(LAST_ACTS_S)
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _note() -> None:
    _asked.set()
    for note in _notes:
        note()


@atexit.register
def _run_acts() -> None:
    while _acts:
        _acts.pop()()
