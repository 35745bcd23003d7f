"""What an app itself says of the stream it serves, where the ASGI messages cannot tell: its end, its refusal."""

from collections.abc import Callable

from streamgauge.asgi.interface import Scope

#: How a stream can end, as the server sees it.
OUTCOMES = ("completed", "error", "client_disconnect", "send_timeout", "deadline", "shutdown")
#: The protocol of a refused stream that nobody named.
UNKNOWN = "none"
_KEY = "streamgauge.notes"


class Notes:
    """The notes on one request or WebSocket. ``route`` gives its label, ``count`` takes route, protocol and reason."""

    __slots__ = ("_count", "_route", "outcome", "refused")

    def __init__(self, route: Callable[[], str], count: Callable[[str, str, str], None]) -> None:
        self._route = route
        self._count = count
        self.outcome: str | None = None
        """The outcome that the app marked."""
        self.refused = False
        """Whether the refusal was counted."""

    def attach(self, scope: Scope) -> None:
        """Put them where the app's code finds them; a copy of the scope has the same."""
        scope[_KEY] = self

    @staticmethod
    def on(scope: Scope) -> "Notes | None":
        """Those of a scope that is measured."""
        return scope.get(_KEY)

    def refuse(self, reason: str, protocol: str) -> None:
        """Count the refusal, once."""
        if not self.refused:
            self.refused = True
            self._count(self._route(), protocol, reason)


def mark_outcome(scope: Scope, outcome: str) -> None:
    """Say how the stream of ``scope`` ends, where that cannot be told from its messages.

    A stream that reports its failure in band and then ends cleanly, for one, is an ``error``; a guard that cuts a
    stream says ``send_timeout``, ``deadline`` or ``shutdown``. The first mark counts, if the stream is still under way.
    Nothing happens where nothing measures. Raises ``ValueError`` for an outcome that there is not.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"expected an outcome, one of {', '.join(OUTCOMES)}, got {outcome!r}")
    notes = Notes.on(scope)
    if notes is not None and notes.outcome is None:
        notes.outcome = outcome


def count_rejected(scope: Scope, reason: str, protocol: str = "") -> None:
    """Count the stream that ``scope`` asks for as refused before its first byte.

    ``reason``: a word out of a small set, such as ``rate_limit``. ``protocol``: what would have been streamed; unnamed
    it is ``websocket`` for a WebSocket and else ``none``. Works before the app has chosen a route. A scope counts once,
    and nothing happens where nothing measures.
    """
    notes = Notes.on(scope)
    if notes is not None:
        notes.refuse(reason, protocol or ("websocket" if scope["type"] == "websocket" else UNKNOWN))
