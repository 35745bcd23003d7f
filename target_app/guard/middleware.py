"""The middleware that asks every guard before a stream begins, and does nothing after that."""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from target_app.guard.body import CountedBody, announced_bytes, too_large
from target_app.guard.credentials import Keys, address, shows_key
from target_app.guard.gate import Gate
from target_app.guard.refusal import Refusal
from target_app.settings import Settings


class Guard:
    """Guards every path of ``app`` but the ``open_paths``: what is forgotten is guarded."""

    def __init__(self, app: ASGIApp, gate: Gate, settings: Settings, open_paths: Collection[str]) -> None:
        self.app = app
        self._gate = gate
        self._keys = Keys(settings.api_keys)
        self._origins = frozenset(settings.cors_origins)
        self._most_bytes = settings.max_body_bytes
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the stream, or let it through."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in self._open_paths:
            await self.app(scope, receive, send)
            return
        client = self._keys.holder(scope["headers"]) if self._keys else address(scope)
        refusal = self._refusal(scope, client)
        if refusal is not None or client is None:
            await (refusal or _unauthorized(scope)).answer(scope, receive, send)
            return
        if scope["type"] == "http" and announced_bytes(scope) < 0:
            body = CountedBody(scope, receive, send, self._most_bytes)
            receive, send = body.receive, body.send
        with self._gate.admitted(scope, client):
            await self._gate.turnstile.enter()
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope, client: str | None) -> Refusal | None:
        """Why the stream is refused, if it is: what is cheapest to tell, and tells a stranger least, comes first."""
        if client is None:
            return _unauthorized(scope)
        if scope["type"] == "websocket" and not self._may_connect(scope):
            return Refusal(HTTPStatus.FORBIDDEN, "origin", "no WebSocket for pages of this origin")
        if scope["type"] == "http" and announced_bytes(scope) > self._most_bytes:
            return too_large(self._most_bytes)
        return self._gate.closed() or self._gate.refuses(client)

    def _may_connect(self, scope: Scope) -> bool:
        """Whether a WebSocket may begin: no browser asks first, as CORS does, so that any page could open one."""
        fields = dict(scope["headers"])
        origin = fields.get(b"origin", b"").decode("latin-1")
        same = _host_of(origin) == fields.get(b"host", b"").decode("latin-1")
        return not origin or same or origin in self._origins or "*" in self._origins


def _host_of(origin: str) -> str | None:
    """The host and port of an origin; None of what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _unauthorized(scope: Scope) -> Refusal:
    """RFC 6750, section 3: a request that shows no key is told nothing but how to show one."""
    wrong = shows_key(scope["headers"])
    challenge = b'Bearer realm="streams"' + (b', error="invalid_token"' if wrong else b"")
    detail = "the key is not one that is known" if wrong else "a key is needed, as X-API-Key or bearer token"
    return Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, ((b"www-authenticate", challenge),))
