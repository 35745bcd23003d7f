"""Where clients see the app: below a prefix, behind a proxy.

The prefix is the scope's ``root_path``, and the scope's ``path`` begins with it, as ASGI wants it. A proxy may take the
prefix off before it passes a request on, or leave it: both work.
"""

from collections.abc import Collection, MutableMapping
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from target_app.settings import PREFIX


def route_path(scope: Scope) -> str:
    """Return the path below the prefix."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path.removeprefix(root) or "/" if path == root or path.startswith(f"{root}/") else path


def address_of(scope: MutableMapping[str, object], path: str) -> str:
    """Return the path by which clients reach the app's ``path``."""
    return f"{scope.get('root_path', '')}{path}"


class Forwarded:
    """Tells ``app`` its prefix, and the client's address and scheme, as a trusted proxy reports them.

    ``root_path``: the prefix if no trusted proxy sends ``X-Forwarded-Prefix``; if it is empty, the server's own.
    ``trusted``: networks of proxies that are believed.
    """

    def __init__(self, app: ASGIApp, trusted: Collection[str], root_path: str) -> None:
        self.app = ProxyHeadersMiddleware(app, list(trusted)) if trusted else app  # type: ignore[arg-type]
        self._trusted = [ip_network(each) for each in trusted]
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app; a redirect to the path without its last slash, or to the prefix with one, stays below it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)  # type: ignore[arg-type]
            return
        root = self._sent_prefix(scope) or self._root_path or scope.get("root_path", "").rstrip("/")
        scope["root_path"] = scope["app_root_path"] = root
        if root and route_path(scope) == scope["path"]:
            scope["path"] = root + scope["path"]
        if scope["type"] == "http" and (scope["path"].endswith("/") or scope["path"] == root):
            send = _Redirected(scope, send).send
        await self.app(scope, receive, send)  # type: ignore[arg-type]

    def _sent_prefix(self, scope: Scope) -> str:
        """Read ``X-Forwarded-Prefix`` of a trusted proxy; several proxies take off one after another."""
        sent = Headers(scope=scope).getlist("x-forwarded-prefix") if self._trusted else []
        if not sent or not self._trusts(scope.get("client")):
            return ""
        prefix = "".join(part.strip().rstrip("/") for part in ",".join(sent).split(","))
        return prefix if PREFIX.fullmatch(prefix) else ""

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        try:
            found = ip_address(client[0]) if client else None
        except ValueError:
            return False
        return found is not None and any(found in network for network in self._trusted)


class _Redirected:
    """The response to a path with a slash at its end that should have none, or the other way round.

    Starlette redirects to the other path, at the host and scheme that this server sees. Behind a proxy these may be
    wrong, so the redirect gets no host; nor a path from the root, unless the prefix is known.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send

    async def send(self, message: Message) -> None:
        """Send a message of the app."""
        if message["type"] == "http.response.start" and message["status"] == 307:
            root, path = self._scope["root_path"], self._scope["path"].rstrip("/")
            target = f"../{path.rpartition('/')[2]}" if not root else f"{root}/" if path == root else path
            query = self._scope["query_string"].decode("latin-1")
            fields = MutableHeaders(scope=message)
            fields["location"] = f"{target}?{query}" if query else target
        await self._send(message)
