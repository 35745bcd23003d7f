"""The requests of a quick run: what a URL, a curl command or a recorded session asks for."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from streamgauge.client.connect.target import TargetError, is_whole_url, target_of
from streamgauge.client.http.request import Request, utf8
from streamgauge.report.hidden import is_secret, secret_parameters, without_secrets

_HTTPS_PORT = 443
_WEBSOCKET_SCHEMES = ("ws", "wss")


class RequestProblem(ValueError):
    """Raised if an input holds no request that can be run."""


#: A request header; a field whose value is None is not sent.
Field = tuple[str, str | None]


def joined(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return the fields with each name once: several values of one field mean the same as their list (RFC 9110, 5.3).

    Cookies have a list of their own form. A None beside a value is left out, as in curl.
    """
    found: dict[str, Field] = {}
    for name, value in fields:
        first_name, earlier = found.get(name.lower(), (name, None))
        joint = "; " if name.lower() == "cookie" else ", "
        values = [each for each in (earlier, value) if each is not None]
        found[name.lower()] = first_name, joint.join(values) if values else None
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that the client sends on a WebSocket, ``pause_s`` after its opening or after the message before."""

    data: str | bytes
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """One stream. ``url`` is whole; empty texts and tuples mean that the format or the client decides."""

    url: str
    method: str = "GET"
    headers: tuple[Field, ...] = ()
    body: str | bytes | None = None
    messages: tuple[SentMessage, ...] = ()
    protocol: str = ""
    end: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    chunk: tuple[str, ...] = ()
    status: str = ""
    name: str = ""
    total_timeout_s: float | None = None
    begin_s: float = 0.0
    """When it began in a recorded session, in seconds since the first request."""
    end_s: float | None = None
    """When it ended in a recorded session; None if the recording does not know it."""

    @property
    def origin(self) -> str:
        """Scheme, user, host and port: the part of the URL that Locust calls the host."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def place(self) -> tuple[bool, str]:
        """Whether it is encrypted, and user, host and port: the same for a WebSocket and for plain requests."""
        parts = urlsplit(self.url)
        return parts.scheme in ("https", "wss"), parts.netloc

    @property
    def path(self) -> str:
        """Path and query."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def is_websocket(self) -> bool:
        """Whether it opens a WebSocket."""
        return self.protocol == "websocket"

    def header(self, name: str) -> str | None:
        """Return the value of a field; None if it is not set."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)

    def check(self) -> None:
        """Raise TargetError or RequestError for what the client would refuse."""
        fields = {name: value for name, value in self.headers if value is not None}
        for text in (self.body, *(each.data for each in self.messages)):
            if isinstance(text, str):
                utf8(text)
        Request(self.method, target_of(self.url), fields)

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of its fields and parameters that open doors, and ``user and password`` if the URL has them."""
        parts = urlsplit(self.url)
        found = [name for name, value in self.headers if value and is_secret(name)]
        found += secret_parameters(parts.query)
        found += ["its body"] if isinstance(self.body, str) and without_secrets(self.body) != self.body else []
        return tuple(found) + (("user and password",) if parts.username is not None else ())


@dataclass(frozen=True, slots=True)
class Session:
    """All requests that one user makes, in the order in which they begin."""

    requests: tuple[StreamRequest, ...]
    options: dict[str, object] = field(default_factory=dict)
    """Options of Locust and streamgauge by their name in the parsed options, such as ``stream_proxy``."""
    notes: tuple[str, ...] = ()
    """What the user should know about how the input was read."""
    recorded: bool = False
    """Whether the requests were recorded, so that their pauses count."""

    @property
    def length_s(self) -> float:
        """How long the recorded session lasted at least, in seconds."""
        return max(each.begin_s if each.end_s is None else each.end_s for each in self.requests)

    @property
    def overlaps(self) -> bool:
        """Whether a stream began while another one may have been under way."""
        ends = [math.inf if each.end_s is None else each.end_s for each in self.requests]
        begins = [each.begin_s for each in self.requests]
        return any(begin < max(ends[:at]) for at, begin in enumerate(begins) if at)

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of all that opens doors, each once."""
        return tuple(dict.fromkeys(name for request in self.requests for name in request.credentials))


def whole_url(text: str) -> str:
    """Return a URL with a scheme and without a fragment: http by default, https for port 443. Raises RequestProblem."""
    if not text.strip():
        raise RequestProblem("expected a URL such as http://127.0.0.1:8000/stream, got an empty text")
    url = text.strip().partition("#")[0]
    try:
        if not is_whole_url(url):
            url = f"http://{url}"
            url = url.replace("http://", "https://", 1) if urlsplit(url).port == _HTTPS_PORT else url
        target_of(url)
    except (TargetError, ValueError) as error:
        raise RequestProblem(f"expected a URL such as http://127.0.0.1:8000/stream, got {text!r}: {error}") from None
    return url


def protocol_of_url(url: str) -> str:
    """Return ``websocket`` for a URL that says so, else an empty text: the response decides."""
    return "websocket" if urlsplit(url).scheme in _WEBSOCKET_SCHEMES else ""
