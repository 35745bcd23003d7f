"""streamgauge's own options of ``locust``: added to its parser, checked there, and read from it.

Each exists as an option, as ``LOCUST_…`` in the environment, in Locust's configuration files and in the web form.
A form and the environment give text, so that what is read is checked again; an empty text is no value.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamgauge.client.plan import Limits
from streamgauge.client.request import Request
from streamgauge.client.routing import Network
from streamgauge.client.target import Target
from streamgauge.client.tls import TlsSettings
from streamgauge.wire.end import check_end

#: Streams under way when a run ends get this long, in Locust's own option, unless it is given.
STOP_TIMEOUT = "15s"
_DEFAULTS = Limits()


@dataclass(frozen=True, slots=True)
class ScenarioOptions:
    """What the user set for all scenarios; None leaves the scenario's own."""

    path: str | None = None
    method: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    end: str | None = None
    accept: str | None = None
    stamped: bool = False
    reconnect: int = 0
    limits: Limits = _DEFAULTS
    network: Network = field(default_factory=Network)


def _path(text: str) -> str:
    if not (text.startswith("/") or "://" in text):
        raise ValueError(f"expected a path that starts with / or a whole URL, got {text!r}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"expected UTF-8, got {text!r}") from None
    return text


def _method(text: str) -> str:
    _check_request(text, {})
    return text.upper()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise ValueError(f"expected 'Name: value', got {text!r}")
    _check_request("GET", {name: value.strip()})
    return name, value.strip()


def _check_request(method: str, headers: dict[str, str]) -> None:
    Request(method, Target("http", "localhost", 80, "/"), headers).encode()


def _body(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {text[1:]!r}: {error.strerror}") from None


def _file(text: str) -> str:
    try:
        with Path(text).open("rb"):
            return text
    except OSError as error:
        raise ValueError(f"cannot read {text!r}: {error.strerror}") from None


def _proxy(text: str) -> str:
    Network(proxy=text)
    return text


def _seconds(text: str) -> float | None:
    """Seconds; 0 is no limit."""
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        raise ValueError(f"expected seconds, got {text!r}") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"expected 0 (no limit) or more seconds, got {text!r}")
    return seconds or None


def _times(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"expected a whole number of times, got {text!r}")
    return int(text)


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """A check for argparse that keeps the text, which workers and the web form are sent."""

    def check(text: str) -> str:
        try:
            if text:
                read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return check


@dataclass(frozen=True, slots=True)
class _Option:
    """One option that holds a text."""

    flag: str
    metavar: str
    read: Callable[[str], Any]
    help: str

    @property
    def dest(self) -> str:
        return self.flag.removeprefix("--").replace("-", "_")

    def value(self, parsed: Any, unset: Any = None) -> Any:
        """What is set in Locust's parsed options, else ``unset``. Raises ValueError."""
        text = getattr(parsed, self.dest, "") or ""
        try:
            return self.read(str(text)) if text else unset
        except ValueError as error:
            raise ValueError(f"{self.flag}: {error}") from None


_PATH = _Option("--stream-path", "PATH", _path, "Path below the host, or whole URL, in place of the scenario's own")
_METHOD = _Option("--stream-method", "METHOD", _method, "Request method in place of the scenario's own")
_BODY = _Option("--stream-body", "TEXT|@FILE", _body, "Request body, or the file that holds it")
_END = _Option("--stream-end", "END", check_end, "The end that must have come: event:NAME, data:TEXT or chunks:N")
_ACCEPT = _Option(
    "--stream-accept",
    "TYPE",
    str,
    "Accept field in place of the scenario's own; one of application/json has JSON read as lines",
)
_RECONNECT = _Option(
    "--stream-reconnect",
    "N",
    _times,
    "Times that an event stream which breaks off is connected to again, with Last-Event-ID; default 0",
)
_FIRST = _Option(
    "--first-chunk-timeout",
    "SECONDS",
    _seconds,
    f"Longest wait for the first chunk; default {_DEFAULTS.first_chunk_timeout_s:g}; 0 for no limit",
)
_IDLE = _Option(
    "--idle-timeout",
    "SECONDS",
    _seconds,
    f"Longest wait for the next chunk; default {_DEFAULTS.idle_timeout_s:g}; 0 for no limit",
)
_TOTAL = _Option("--total-timeout", "SECONDS", _seconds, "Longest that a stream may last; default no limit")
_PROXY = _Option(
    "--proxy", "URL", _proxy, "Forward proxy, http://[user:password@]host:port; none is taken from elsewhere"
)
_CA_FILE = _Option("--ca-file", "FILE", _file, "Authorities (PEM) to trust in place of the system's")
_CERT = _Option("--client-cert", "FILE", _file, "Client certificate (PEM) for mutual TLS")
_KEY = _Option("--client-key", "FILE", _file, "Key (PEM) of the client certificate, where that file does not hold it")
_TEXTS = (_PATH, _METHOD, _BODY, _END, _ACCEPT, _RECONNECT, _FIRST, _IDLE, _TOTAL, _PROXY, _CA_FILE, _CERT, _KEY)


def add_options(parser: Any) -> None:
    """Add the options to Locust's parser (the ``init_command_line_parser`` event)."""
    parser.set_defaults(stop_timeout=STOP_TIMEOUT)
    for option in _TEXTS:
        parser.add_argument(
            option.flag,
            metavar=option.metavar,
            type=_checked(option.read),
            default="",
            help=option.help,
            env_var=_variable(option.flag),
        )
    parser.add_argument(
        "--stream-header",
        metavar="'K: V'",
        type=_checked(_header),
        action="append",
        default=[""],  # Locust takes an empty list for one of integers, and fails on what its form sends
        help="Request header; again and again for several",
        env_var=_variable("--stream-header"),
    )
    parser.add_argument(
        "--stream-stamps",
        action="store_true",
        help="Measure chunk delay: ask for send stamps, which StreamMetrics(app, stamps=True) puts into event streams",
        env_var=_variable("--stream-stamps"),
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="Accept any certificate",
        env_var=_variable("--insecure"),
    )
    parser.add_argument(
        "--result-dir",
        metavar="DIR",
        default="",
        help="Write DIR/<run id>/result.json and report.html when a run ends",
        env_var=_variable("--result-dir"),
        include_in_web_ui=False,
    )


def _variable(flag: str) -> str:
    return "LOCUST_" + flag.removeprefix("--").replace("-", "_").upper()


def scenario_options(parsed: Any) -> ScenarioOptions:
    """What is set in Locust's parsed options. Raises ValueError, which names the option and its value."""
    return ScenarioOptions(
        path=_PATH.value(parsed),
        method=_METHOD.value(parsed),
        headers=dict(_header(text) for text in getattr(parsed, "stream_header", None) or [] if text),
        body=_BODY.value(parsed),
        end=_END.value(parsed),
        accept=_ACCEPT.value(parsed),
        stamped=bool(getattr(parsed, "stream_stamps", False)),
        reconnect=_RECONNECT.value(parsed, 0),
        limits=Limits(
            first_chunk_timeout_s=_FIRST.value(parsed, _DEFAULTS.first_chunk_timeout_s),
            idle_timeout_s=_IDLE.value(parsed, _DEFAULTS.idle_timeout_s),
            total_timeout_s=_TOTAL.value(parsed, _DEFAULTS.total_timeout_s),
        ),
        network=Network(
            _PROXY.value(parsed),
            TlsSettings(
                ca_file=_CA_FILE.value(parsed),
                client_cert=_CERT.value(parsed),
                client_key=_KEY.value(parsed),
                insecure=bool(getattr(parsed, "insecure", False)),
            ),
        ),
    )
