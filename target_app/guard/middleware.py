"""The middleware that runs every guard before a stream starts."""

from collections.abc import Collection
from functools import partial
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from target_app.forwarded import route_path
from target_app.guard.admission import AdmissionControl
from target_app.guard.body import CountedBody, declared_bytes, too_large
from target_app.guard.charge import Charge, costs_a_token
from target_app.guard.credentials import Keys, address, has_key
from target_app.guard.origin import Origins
from target_app.guard.refusal import Refusal
from target_app.settings import Settings


class Guard:
    """Guards every path of ``app`` but the ``open_paths``, so that a new path is guarded by default."""

    def __init__(
        self, app: ASGIApp, admission: AdmissionControl, settings: Settings, open_paths: Collection[str]
    ) -> None:
        self.app = app
        self._admission = admission
        self._keys = Keys(settings.api_keys)
        self._origins = Origins(settings.cors_origins)
        self._most_bytes = settings.max_body_bytes
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the stream, or run the app."""
        if scope["type"] not in ("http", "websocket") or route_path(scope) in self._open_paths:
            await self.app(scope, receive, send)
            return
        client = self._keys.holder(scope["headers"]) if self._keys else address(scope)
        refusal = self._refusal(scope, client)
        if refusal is not None or client is None:
            await (refusal or _unauthorized(scope)).answer(scope, receive, send)
            return
        if scope["type"] == "http" and declared_bytes(scope) < 0:
            body = CountedBody(scope, receive, send, self._most_bytes)
            receive, send = body.receive, body.send
        if self._admission.limits_rate and costs_a_token(scope):
            send = Charge(send, partial(self._admission.refund, client)).send
        with self._admission.admitted(scope, client):
            await self._admission.start_queue.wait_turn()
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope, client: str | None) -> Refusal | None:
        """Check every guard, starting with those that are cheap and tell a stranger least."""
        if client is None:
            return _unauthorized(scope)
        if scope["type"] == "websocket" and not self._origins.allow(scope):
            return Refusal(HTTPStatus.FORBIDDEN, "origin", "pages of this origin may not open a WebSocket")
        if scope["type"] == "http" and declared_bytes(scope) > self._most_bytes:
            return too_large(self._most_bytes)
        return self._admission.refusal_for_all() or self._admission.refusal_for(client, costs_a_token(scope))


def _unauthorized(scope: Scope) -> Refusal:
    """Refuse a request without a known key. Without any, send only the challenge (RFC 6750, section 3)."""
    wrong = has_key(scope["headers"])
    challenge = b'Bearer realm="streams"' + (b', error="invalid_token"' if wrong else b"")
    detail = "unknown key" if wrong else "send a key as X-API-Key or bearer token"
    return Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, ((b"www-authenticate", challenge),))
