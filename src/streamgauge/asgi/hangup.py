"""The client's hang-up as an error: which errors of an app come from it.

Frameworks and servers raise errors of their own for it. They are recognised by name, since none is imported here.
"""

from collections.abc import Iterator

#: Errors that frameworks and servers raise for a WebSocket that is closed.
_WEBSOCKET_ERRORS = ("WebSocketDisconnect", "ClientDisconnected")
#: Errors that frameworks raise instead of an ``OSError`` of ``send``, which then is their context.
_FRAMEWORK_ERRORS = ("ClientDisconnect", *_WEBSOCKET_ERRORS)


class HangUpError(OSError):
    """Raised by ``send`` after the client has hung up, so that the app stops producing (ASGI 2.4, "Send")."""

    def __init__(self) -> None:
        super().__init__("the client hung up")


def caused_by_hangup(error: BaseException) -> bool:
    """Return whether a ``HangUpError`` is at the root of ``error``: itself, in a group, or as a cause or context.

    Then the hang-up ended the stream. ``error`` may still be one of the app's own, raised while it cleaned up.
    """
    return any(isinstance(one, HangUpError) for one in _all_of(error))


def is_hangup(error: BaseException) -> bool:
    """Return whether ``error`` reports the hang-up and nothing else; in a group, whether every error does.

    Such an error is a ``HangUpError``, is raised ``from`` one, or is what a framework raises instead of one.
    """
    seen = set[int]()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        if isinstance(one, BaseExceptionGroup):
            return all(is_hangup(part) for part in one.exceptions)
        if isinstance(one, HangUpError):
            return True
        seen.add(id(one))
        one = one.__cause__ or (one.__context__ if type(one).__name__ in _FRAMEWORK_ERRORS else None)
    return False


def caused_by_disconnect(error: BaseException) -> bool:
    """Return whether a closed WebSocket is at the root of ``error``: ``HangUpError`` or a framework's error for it."""
    return any(isinstance(one, HangUpError) or type(one).__name__ in _WEBSOCKET_ERRORS for one in _all_of(error))


def _all_of(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error``, its causes and contexts, and the members of groups, each once."""
    pending, seen = [error], set[int]()
    while pending:
        one = pending.pop()
        yield one
        seen.add(id(one))
        parts = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        pending += [
            part for part in (*parts, one.__cause__, one.__context__) if part is not None and id(part) not in seen
        ]
