"""Options of ``locust`` for the client metrics: their address, and how long to wait for the last scrape."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamgauge.durations import seconds_of
from streamgauge.load.option_names import add_argument

PORT, HOST = 9102, "127.0.0.1"
#: Seconds that a process waits for a scrape of its final values, if Prometheus has scraped it before.
LINGER_S = 15.0
_OFF = "off"


@dataclass(frozen=True, slots=True)
class ExporterOptions:
    """What the user set; None for a default."""

    port: int | None
    host: str
    linger_s: float | None


def _port(text: str) -> str:
    if text != _OFF and not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"expected a port, 0 (any free port) or off, got {text!r}")
    return text


def _linger(text: str) -> str:
    try:
        seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


_LINGER_HELP = (
    f"Longest wait for a scrape of the final values when a run ends; 0 for none; default {LINGER_S:g} if the run has "
    "been scraped before"
)
_OPTIONS: tuple[tuple[str, str, Callable[[str], str], str], ...] = (
    (
        "--stream-metrics-port",
        "PORT",
        _port,
        f"Port of the client metrics; default {PORT}; 0 for a free one; off for none",
    ),
    ("--stream-metrics-host", "HOST", str, f"Address to listen on; default {HOST}; 0.0.0.0 for all"),
    ("--stream-metrics-linger", "SECONDS", _linger, _LINGER_HELP),
)


def add_exporter_options(parser: Any) -> None:
    """Add the options to Locust's parser, after all others."""
    for flag, metavar, check, text in _OPTIONS:
        add_argument(
            parser,
            flag,
            section="Client metrics",
            metavar=metavar,
            type=_unless_empty(check),
            default="",
            help=text,
            include_in_web_ui=False,
        )


def _unless_empty(check: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: check(text) if text else text


def exporter_options(parsed: Any) -> ExporterOptions | None:
    """Return what is set in Locust's parsed options, or None if the client metrics are off."""
    port = getattr(parsed, "stream_metrics_port", _OFF)
    if port == _OFF:
        return None
    return ExporterOptions(
        port=int(port) if port else None,
        host=parsed.stream_metrics_host or HOST,
        linger_s=seconds_of(parsed.stream_metrics_linger) if parsed.stream_metrics_linger else None,
    )
