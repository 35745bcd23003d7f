"""How large a request's body may be: refused by the length it announces, else where it passes the limit."""

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from streamgauge.asgi import count_rejected

STATUS = 413
REASON = "body_too_large"


def detail(most_bytes: int) -> str:
    """What a client is told."""
    return f"the body is longer than {most_bytes} bytes"


def announced_bytes(scope: Scope) -> int:
    """The length that the request announces; -1 for a body of unknown length, 0 where there is none."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"transfer-encoding":
            return -1
    return length


def counted(scope: Scope, receive: Receive, most_bytes: int) -> Receive:
    """``receive`` that raises status 413 once more than ``most_bytes`` bytes of body have come."""
    left_bytes = most_bytes

    async def receive_counted() -> Message:
        nonlocal left_bytes
        message = await receive()
        left_bytes -= len(message.get("body", b""))
        if left_bytes < 0:
            count_rejected(scope, REASON)
            raise HTTPException(STATUS, detail(most_bytes))
        return message

    return receive_counted
