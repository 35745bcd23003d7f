"""What an app reports about its own stream, because ASGI messages do not show it: its outcome, or its rejection."""

from collections.abc import Callable

from streamgauge.asgi.interface import Scope

#: How a stream can end, as the server sees it.
OUTCOMES = ("completed", "error", "refused", "client_disconnect", "send_timeout", "deadline", "shutdown")
#: The protocol label of a rejected stream whose protocol the app did not name.
UNKNOWN = "none"
_KEY = "streamgauge.marks"


class AppMarks:
    """The app's marks on one request or WebSocket.

    ``route`` returns its route label. ``count`` counts a rejection by route, protocol and reason.
    """

    __slots__ = ("_count", "_route", "outcome", "rejected")

    def __init__(self, route: Callable[[], str], count: Callable[[str, str, str], None]) -> None:
        self._route = route
        self._count = count
        self.outcome: str | None = None
        """The outcome that the app marked."""
        self.rejected = False
        """Whether the rejection was counted."""

    def attach(self, scope: Scope) -> None:
        """Store these marks in ``scope``, where the app's code finds them. Copies of the scope share them."""
        scope[_KEY] = self

    @staticmethod
    def of(scope: Scope) -> "AppMarks | None":
        """Return the marks of ``scope``; None if no middleware measures it."""
        return scope.get(_KEY)

    def reject(self, reason: str, protocol: str) -> None:
        """Count the rejection, once."""
        if not self.rejected:
            self.rejected = True
            self._count(self._route(), protocol, reason)


def mark_outcome(scope: Scope, outcome: str) -> None:
    """Set the outcome of the stream of ``scope``, where its messages do not show it.

    For example, a stream that reports its failure in band and then ends cleanly is an ``error``; code that cuts a
    stream marks ``send_timeout``, ``deadline`` or ``shutdown``. The first mark before the stream's end counts. Does
    nothing if no middleware measures ``scope``. Raises ``ValueError`` if ``outcome`` is not one of ``OUTCOMES``.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"expected an outcome, one of {', '.join(OUTCOMES)}, got {outcome!r}")
    marks = AppMarks.of(scope)
    if marks is not None and marks.outcome is None:
        marks.outcome = outcome


def count_rejected(scope: Scope, reason: str, protocol: str = "") -> None:
    """Count the stream that ``scope`` asks for as rejected before its first byte.

    ``reason``: a word from a small set, such as ``rate_limit``. ``protocol``: what would have been streamed; by default
    ``websocket`` for a WebSocket and ``none`` for anything else. May be called before the app has chosen a route. Each
    scope counts once. Does nothing if no middleware measures ``scope``.
    """
    marks = AppMarks.of(scope)
    if marks is not None:
        marks.reject(reason, protocol or ("websocket" if scope["type"] == "websocket" else UNKNOWN))
