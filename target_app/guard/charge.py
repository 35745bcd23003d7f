"""What a start costs: a response that starts no stream gives the token back."""

from collections.abc import Awaitable, Callable

from starlette.types import Message, Scope, Send

#: The responses that are streams: a whole body, and a range of one.
_STREAMS = (200, 206)


def costs_a_token(scope: Scope) -> bool:
    """Tell whether a request may start a stream: a HEAD, a preflight and other questions about it may not."""
    return scope["type"] == "websocket" or scope["method"] not in ("HEAD", "OPTIONS")


class Charge:
    """The token of one request. ``refund`` gives it back if the app answers without a stream, as with 204 or 304."""

    def __init__(self, send: Send, refund: Callable[[], None]) -> None:
        self._send = send
        self._refund = refund

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message for the app. This is no coroutine, so that a chunk costs one comparison."""
        kind = message["type"]
        if kind.endswith("http.response.start") and (kind.startswith("websocket") or message["status"] not in _STREAMS):
            self._refund()
        return self._send(message)
