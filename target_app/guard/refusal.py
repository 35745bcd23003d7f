"""A refusal: the response that tells why a stream does not start (RFC 9457)."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import Message, Receive, Scope, Send

from streamgauge.asgi import count_rejected

MEDIA_TYPE = "application/problem+json"
_REJECTION = "websocket.http.response"
#: RFC 6455, section 7.4.1: violates the endpoint's policy.
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a stream is refused: ``reason`` is the label in the metrics, ``detail`` a sentence for people."""

    status: HTTPStatus
    reason: str
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the refusal and send it; to a WebSocket before its handshake is accepted."""
        count_rejected(scope, self.reason)
        kind = "http.response"
        if scope["type"] == "websocket":
            await receive()
            if _REJECTION not in scope.get("extensions", {}):
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": self.detail})
                return
            kind = _REJECTION
        await send(self._start(kind))
        body = b"" if scope.get("method") == "HEAD" else self.body
        await send({"type": f"{kind}.body", "body": body, "more_body": False})

    @property
    def body(self) -> bytes:
        """The response's body."""
        problem = {"type": "about:blank", "title": self.status.phrase, "status": self.status, "detail": self.detail}
        return json.dumps(problem).encode()

    def _start(self, kind: str) -> Message:
        fields = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(self.body))]
        return {"type": f"{kind}.start", "status": int(self.status), "headers": [*fields, *self.headers]}


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """Write the header field for when to retry: whole seconds, at least one (RFC 9110, section 10.2.3)."""
    return b"retry-after", b"%d" % max(1, -int(-seconds // 1))
