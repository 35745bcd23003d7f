"""Reads the texts of options. Each function raises ValueError that says what it expected and what it got."""

import re
from collections.abc import Callable
from math import inf
from pathlib import Path

from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.target import Target, host_name, is_whole_url, target_of
from streamgauge.client.connect.tls import TlsSettings, context_of
from streamgauge.client.http.request import Request, RequestError
from streamgauge.durations import seconds_of
from streamgauge.wire.digits import whole_number
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.messages import Message, text_or_bytes
from streamgauge.wire.rules import Rules

#: Upper limit of durations: longer than any run, and valid for timers and for nanoseconds.
LONGEST_S = 1e9
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def path(text: str) -> str:
    """Read a path below the host, or a whole URL."""
    text = text.strip()
    if not (text.startswith("/") or is_whole_url(text)):
        raise ValueError(f"expected a path that starts with / or a whole URL, got {text!r}")
    _utf8(text)
    target_of(text, "http://localhost")
    return text


def protocol(text: str) -> str:
    """Read the name of a format."""
    name = text.strip()
    if name not in FORMATS:
        raise ValueError(f"expected one of {', '.join(FORMATS)}, got {text!r}")
    return name


def method(text: str) -> str:
    """Read a request method."""
    text = text.strip()
    _check_request(text, {})
    return text.upper()


def headers(text: str) -> dict[str, str]:
    """Read request headers, one ``Name: value`` per line; skip empty lines."""
    return dict(_header(line) for line in _LINE_BREAK.split(text) if line.strip())


def _header(line: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in line.partition(":"))
    try:
        if not colon:
            raise RequestError("no colon")
        _check_request("GET", {name: value})
    except RequestError:
        raise ValueError(f"expected 'Name: value', the value in Latin-1, got {line!r}") from None
    return name, value


def accept(text: str) -> str:
    """Read the value of an Accept header."""
    text = text.strip()
    try:
        _check_request("GET", {"Accept": text})
    except RequestError:
        raise ValueError(f"expected media types, in Latin-1 on one line, got {text!r}") from None
    return text


def _check_request(method: str, fields: dict[str, str]) -> None:
    Request(method, Target("http", "localhost", 80, "/"), fields).encode()


def body(text: str) -> bytes:
    """Read a request body: the text itself, or ``@FILE``."""
    if text.startswith("@"):
        return _content(text[1:])
    return _utf8(text)


def messages(text: str) -> tuple[Message, ...]:
    """Read the messages for a WebSocket, one per line: the text itself, or ``@FILE``. Skip empty lines."""
    return tuple(text_or_bytes(body(line)) for line in _LINE_BREAK.split(text) if line)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"expected UTF-8, got {text!r}") from None


def rules(read: Callable[[list[str]], Rules | None]) -> Callable[[str], Rules | None]:
    """Make the function that reads rules, one per line; it skips empty lines."""
    return lambda text: read([line for line in _LINE_BREAK.split(text) if line.strip()])


def file(text: str) -> str:
    """Check that a file can be read."""
    _content(text)
    return text


def _content(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {name!r}: {error.strerror}") from None
    except ValueError:  # the name contains a NUL
        raise ValueError(f"cannot read {name!r}: not a file name") from None


def authorities(text: str) -> str:
    """Check that a file holds CA certificates."""
    context_of(TlsSettings(ca_file=file(text)))
    return text


def proxy(text: str) -> str:
    """Read the URL of a forward proxy."""
    text = text.strip()
    if not text.lower().startswith("http://"):
        raise ValueError(f"expected http://[user:password@]host:port, got {text!r}")
    Network(proxy=text)
    return text


def server_name(text: str) -> str:
    """Read a host name; return it as it is sent."""
    name = text.strip()
    try:
        return host_name(name)
    except UnicodeError:
        raise ValueError(f"expected a host name such as shop.example.com, got {text!r}") from None


def limit(text: str) -> float | None:
    """Read a time limit in seconds; 0 means no limit."""
    return _seconds(text, "no limit") or None


def pause(text: str) -> float:
    """Read the longest pause in seconds; 0 means no pause."""
    return _seconds(text, "no pause")


def _seconds(text: str, zero: str) -> float:
    try:
        seconds = seconds_of(text.strip())
    except ValueError:
        seconds = inf
    if seconds > LONGEST_S:
        raise ValueError(f"expected a duration such as 30s, from 0 ({zero}) to {LONGEST_S:g} s, got {text!r}")
    return seconds


def times(text: str) -> int:
    """Read a number of times."""
    if (found := whole_number(text.strip())) is None:
        raise ValueError(f"expected a whole number such as 3, got {text!r}")
    return found
