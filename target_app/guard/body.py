"""The limit on a request's body: checked against its declared length, else while it arrives."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from target_app.guard.refusal import Refusal


def too_large(most_bytes: int) -> Refusal:
    """Refuse a body of more than ``most_bytes`` bytes."""
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"the body exceeds {most_bytes} bytes")


def declared_bytes(scope: Scope) -> int:
    """Read the declared length; -1 for a body of unknown length, 0 without a body."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"transfer-encoding":
            return -1
    return length


class CountedBody:
    """Counts a request's body as it arrives, and refuses it beyond ``most_bytes`` unless a response has begun.

    ``receive`` then raises, so that the app stops; its own response is dropped, since the refusal was sent.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, most_bytes: int) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._most_bytes = self._left_bytes = most_bytes
        self._begun = self._refused = False

    async def receive(self) -> Message:
        """Receive for the app. Raises ``HTTPException`` once the body is too long."""
        message = await self._receive()
        self._left_bytes -= len(message.get("body", b""))
        if self._left_bytes < 0:
            refusal = too_large(self._most_bytes)
            if not self._begun:
                self._begun = self._refused = True
                await refusal.answer(self._scope, self._receive, self._send)
            raise HTTPException(refusal.status, refusal.detail)
        return message

    async def send(self, message: Message) -> None:
        """Send for the app."""
        if not self._refused:
            self._begun = True
            await self._send(message)
