"""How large a request's body may be: refused by the length it announces, else where it passes the limit."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from target_app.guard.refusal import Refusal


def too_large(most_bytes: int) -> Refusal:
    """The refusal of a body of more than ``most_bytes`` bytes."""
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"the body is longer than {most_bytes} bytes")


def announced_bytes(scope: Scope) -> int:
    """The length that the request announces; -1 for a body of unknown length, 0 where there is none."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"transfer-encoding":
            return -1
    return length


class CountedBody:
    """A request whose body is counted as it comes. Beyond ``most_bytes`` it is refused, if it is not answered yet.

    ``receive`` then raises, so that the app gives up; whatever it makes of that is not sent, for the answer is out.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, most_bytes: int) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._most_bytes = self._left_bytes = most_bytes
        self._begun = self._refused = False

    async def receive(self) -> Message:
        """The app's ``receive``. Raises ``HTTPException`` once the body is too long."""
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
        """The app's ``send``."""
        if not self._refused:
            self._begun = True
            await self._send(message)
