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
from streamgauge.client.request import Request, RequestError
from streamgauge.client.target import Target
from streamgauge.wire.end import EndError, check_end

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
    limits: Limits = _DEFAULTS


def _path(text: str) -> str:
    if not (text.startswith("/") or "://" in text):
        raise ValueError(f"expected a path that starts with / or a whole URL, got {text!r}")
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


def _seconds(text: str) -> float | None:
    """Seconds; 0 is no limit."""
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        raise ValueError(f"expected seconds, got {text!r}") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"expected 0 (no limit) or more seconds, got {text!r}")
    return seconds or None


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """A check for argparse that keeps the text, which workers and the web form are sent."""

    def check(text: str) -> str:
        try:
            if text:
                read(text)
        except (ValueError, RequestError, EndError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return check


def add_options(parser: Any) -> None:
    """Add the options to Locust's parser (the ``init_command_line_parser`` event)."""
    parser.set_defaults(stop_timeout=STOP_TIMEOUT)
    for flag, metavar, read, text in (
        ("--stream-path", "PATH", _path, "Path below the host, or whole URL, in place of the scenario's own"),
        ("--stream-method", "METHOD", _method, "Request method in place of the scenario's own"),
        ("--stream-body", "TEXT|@FILE", _body, "Request body, or the file that holds it"),
        ("--stream-end", "END", check_end, "The end that must have come: event:NAME, data:TEXT or chunks:N"),
        ("--stream-accept", "TYPE", str, "Accept field in place of the scenario's own"),
        ("--first-chunk-timeout", "SECONDS", _seconds, f"Default {_DEFAULTS.first_chunk_timeout_s:g}; 0 for no limit"),
        (
            "--idle-timeout",
            "SECONDS",
            _seconds,
            f"Longest wait for a chunk; default {_DEFAULTS.idle_timeout_s:g}; 0 for no limit",
        ),
        ("--total-timeout", "SECONDS", _seconds, "Longest that a stream may last; default no limit"),
    ):
        parser.add_argument(flag, metavar=metavar, type=_checked(read), default="", help=text, env_var=_variable(flag))
    parser.add_argument(
        "--stream-header",
        metavar="'K: V'",
        type=_checked(_header),
        action="append",
        default=[],
        help="Request header; again and again for several",
        env_var=_variable("--stream-header"),
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

    def value(name: str, read: Callable[[str], Any], unset: Any = None) -> Any:
        text = getattr(parsed, name, "") or ""
        try:
            return read(str(text)) if text else unset
        except (ValueError, RequestError, EndError) as error:
            raise ValueError(f"--{name.replace('_', '-')}: {error}") from None

    return ScenarioOptions(
        path=value("stream_path", _path),
        method=value("stream_method", _method),
        headers=dict(_header(text) for text in getattr(parsed, "stream_header", None) or [] if text),
        body=value("stream_body", _body),
        end=value("stream_end", check_end),
        accept=value("stream_accept", str),
        limits=Limits(
            first_chunk_timeout_s=value("first_chunk_timeout", _seconds, _DEFAULTS.first_chunk_timeout_s),
            idle_timeout_s=value("idle_timeout", _seconds, _DEFAULTS.idle_timeout_s),
            total_timeout_s=value("total_timeout", _seconds, _DEFAULTS.total_timeout_s),
        ),
    )
