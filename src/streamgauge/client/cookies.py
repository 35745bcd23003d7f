"""Cookies as the standard library keeps them (RFC 6265 by and large): set by responses, sent with later requests."""

from email.message import Message
from http.cookiejar import CookieJar
from urllib.request import Request as UrllibRequest

from streamgauge.client.target import Target
from streamgauge.wire.http1 import Head


class Cookies:
    """One user's cookies."""

    def __init__(self) -> None:
        self._jar: CookieJar | None = None  # most users never get a cookie

    def header(self, target: Target) -> dict[str, str]:
        """The Cookie field for a request to ``target``, if there is any."""
        if self._jar is None:
            return {}
        request = UrllibRequest(target.url)
        self._jar.add_cookie_header(request)
        cookie = request.get_header("Cookie")
        return {"Cookie": cookie} if cookie else {}

    def take(self, target: Target, head: Head | None) -> None:
        """Keep what a response from ``target`` set."""
        if head is not None and head.set_cookies:
            self._jar = self._jar or CookieJar()
            self._jar.extract_cookies(_Response(head.set_cookies), UrllibRequest(target.url))  # type: ignore[arg-type]


class _Response:
    """As much of a response as a CookieJar looks at."""

    def __init__(self, set_cookies: tuple[str, ...]) -> None:
        self._message = Message()
        for cookie in set_cookies:
            self._message["Set-Cookie"] = cookie

    def info(self) -> Message:
        return self._message
