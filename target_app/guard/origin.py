"""Which pages may open a WebSocket: browsers apply no CORS check to it, so any page could open one."""

import logging
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

_LOG = logging.getLogger("uvicorn.error")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
#: Refused origins that were logged; made-up ones must not fill the memory or the log.
_MOST_LOGGED = 100


class Origins:
    """Allows pages of the origins that ``named`` lists, and the app's own.

    A page is the app's own if the browser says so (``Sec-Fetch-Site``, which no script can set), or if its host is the
    one that the request was sent to: ``Host``, or what a proxy reports in ``X-Forwarded-Host`` or ``Forwarded``. A page
    cannot set these either, so they are believed of any client. A host without a port stands for any port: many proxies
    pass it on so.
    """

    def __init__(self, named: Collection[str]) -> None:
        self._named = frozenset(named)
        self._logged: set[str] = set()

    def allow(self, scope: Scope) -> bool:
        """Tell whether a WebSocket may open. A client without an origin is no browser."""
        fields = Headers(scope=scope)
        origin = fields.get("origin", "")
        if not origin or origin in self._named or "*" in self._named or fields.get("sec-fetch-site") == "same-origin":
            return True
        hosts = _hosts(fields)
        allowed = any(_same(origin, host) for host in hosts)
        if not allowed:
            self._log(origin, hosts)
        return allowed

    def _log(self, origin: str, hosts: list[str]) -> None:
        if origin not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add(origin)
            _LOG.warning(
                "refused a WebSocket of a page of %r, since the request was sent to %s; if the page is this service's "
                "own behind a proxy, let the proxy pass on Host or X-Forwarded-Host, else name the origin with "
                "--cors-origin",
                origin,
                " or ".join(map(repr, hosts)) or "no host",
            )


def _hosts(fields: Headers) -> list[str]:
    """List the hosts that the client may have sent the request to."""
    forwarded = [
        part.partition("=") for each in fields.getlist("forwarded") for part in each.replace(",", ";").split(";")
    ]
    sent = [value for name, _, value in forwarded if name.strip().lower() == "host"]
    sent += [part for each in fields.getlist("x-forwarded-host") for part in each.split(",")]
    return [each.strip().strip('"') for each in (*fields.getlist("host"), *sent) if each.strip()]


def _same(origin: str, host: str) -> bool:
    try:
        page, server = urlsplit(origin), urlsplit(f"//{host}")
        page_port, server_port = page.port or _DEFAULT_PORTS.get(page.scheme), server.port
    except ValueError:
        return False
    return page.hostname is not None and page.hostname == server.hostname and server_port in (None, page_port)
