"""Keeps the cookies that responses set, and sends them with later requests, as the standard library does (RFC 6265)."""

import re
from dataclasses import replace
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import Request as UrllibRequest

from streamgauge.client.connect.target import Target
from streamgauge.client.http.request import Request, merged
from streamgauge.wire.blanks import trimmed
from streamgauge.wire.http1_head import Head

#: Characters that make a client ignore the whole Set-Cookie (RFC 6265bis section 5.6, step 1).
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: A cookie without a domain goes only to its own host (RFC 6265 section 5.4).
_POLICY = DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)


class Cookies:
    """One user's cookies."""

    def __init__(self) -> None:
        self._jar: CookieJar | None = None  # most users never get a cookie

    def added_to(self, request: Request) -> Request:
        """Return ``request`` with its cookies in one field. A cookie that a response set replaces the request's own."""
        if self._jar is None:
            return request
        asking = UrllibRequest(request.target.url)
        self._jar.add_cookie_header(asking)
        if not (kept := asking.get_header("Cookie")):
            return request
        names = {_name(cookie) for cookie in kept.split(";")}
        own = [
            trimmed(cookie)
            for cookie in request.field("cookie").split(";")
            if trimmed(cookie) and _name(cookie) not in names
        ]
        return replace(request, headers=merged(request.headers, {"Cookie": "; ".join((*own, kept))}))

    def take(self, target: Target, head: Head | None) -> None:
        """Keep the cookies that a response from ``target`` set."""
        cookies = () if head is None else tuple(each for each in head.set_cookies if not _CONTROLS.search(each))
        if cookies:
            self._jar = self._jar or CookieJar(_POLICY)
            self._jar.extract_cookies(_Response(cookies), UrllibRequest(target.url))  # type: ignore[arg-type]


def _name(cookie: str) -> str:
    return trimmed(cookie.partition("=")[0])


class _Response:
    """The part of a response that a CookieJar reads."""

    def __init__(self, set_cookies: tuple[str, ...]) -> None:
        self._message = Message()
        for cookie in set_cookies:
            self._message["Set-Cookie"] = cookie

    def info(self) -> Message:
        return self._message
