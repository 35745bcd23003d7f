"""The settings: from the command line, else the environment, else the default; validated before anything starts."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any, NoReturn

from target_app.options import amount, host, key, network, one_of, option, origin, port_number, switch, whole

ENVIRONMENT_PREFIX = "TARGET_APP_"
_SERVING, _SECURITY, _LIMITS = "serving", "security", "limits of what clients may ask for"
_PRESSURE, _STREAMS = "back-pressure: a client that does not read", "streams"
_seconds = whole(0, 3600, "a whole number of seconds")
_size = whole(1024, 1 << 30, "a whole number of bytes")
_count = whole(0, 1_000_000, "a whole number")
_LEVELS = ("critical", "error", "warning", "info", "debug")


@dataclass(frozen=True, slots=True)
class Settings:
    """How the app is served. Its fields are the options, each with its default, and the variables' names.

    The defaults let a load test through that comes from one address without a key: nothing is asked of a client, and
    no limit is per client. What bounds the server's own memory and time is on.
    """

    metrics_host: str = option(_SERVING, "127.0.0.1", host, "address of the metrics' port")
    host: str = option(_SERVING, "127.0.0.1", host, "address to listen on")
    port: int = option(_SERVING, 8000, port_number, "the app's port; 0 takes a free one")
    metrics_port: int = option(_SERVING, 9101, port_number, "the metrics' port; 0 takes a free one")
    workers: int = option(
        _SERVING, 1, whole(1, 256, "a number of workers"), "processes that share the port; one that dies is replaced"
    )
    http: str = option(_SERVING, "httptools", one_of("httptools", "h11"), "HTTP parser: httptools or h11")
    grace_s: int = option(
        _SERVING, 5, _seconds, "seconds that streams under way have to end in at SIGTERM or Ctrl-C; then they are cut"
    )
    log_level: str = option(_SERVING, "info", one_of(*_LEVELS), ", ".join(_LEVELS[:-1]) + " or debug")

    api_keys: tuple[str, ...] = option(
        _SECURITY,
        (),
        key,
        "a key that lets a client in, as X-API-Key or bearer token; best set by the variable",
        "api-key",
    )
    cors_origins: tuple[str, ...] = option(
        _SECURITY, (), origin, "an origin whose pages may read the streams, or * for any", "cors-origin"
    )
    trusted_proxies: tuple[str, ...] = option(
        _SECURITY, (), network, "a proxy whose X-Forwarded-For names the client, as address or network", "trusted-proxy"
    )

    max_streams: int = option(_LIMITS, 10_000, _count, "streams at a time, over all workers; 0 sets no limit")
    max_streams_per_client: int = option(
        _LIMITS, 0, _count, "streams at a time of one client, in each worker; 0 sets no limit"
    )
    starts_per_s: float = option(
        _LIMITS,
        0.0,
        amount(1e6, "a rate"),
        "streams that one client may start a second, in each worker; 0 sets no limit",
    )
    start_burst: int = option(_LIMITS, 10, whole(1, 1_000_000, "a whole number"), "streams that it may start at once")
    max_body_bytes: int = option(_LIMITS, 1 << 20, _size, "bytes of a request's body")
    max_stream_s: int = option(
        _LIMITS, 3660, whole(1, 86400, "a whole number of seconds"), "seconds that a stream may last"
    )

    send_timeout_s: int = option(
        _PRESSURE,
        30,
        whole(1, 3600, "a whole number of seconds"),
        "seconds that one send may wait; then the stream is cut",
    )
    tcp_user_timeout_s: int = option(
        _PRESSURE, 30, _seconds, "seconds that sent bytes may stay unread (TCP_USER_TIMEOUT); 0 leaves it to the system"
    )
    write_buffer_bytes: int = option(_PRESSURE, 65536, _size, "bytes that a connection buffers before its sends wait")
    send_buffer_bytes: int = option(_PRESSURE, 65536, _size, "the kernel's buffer of a connection (SO_SNDBUF)")
    not_sent_bytes: int = option(
        _PRESSURE, 16384, _size, "bytes in it that are not yet sent at most (TCP_NOTSENT_LOWAT)"
    )

    heartbeat_s: int = option(
        _STREAMS, 15, _seconds, "seconds of silence after which a heartbeat goes out; 0 sends none"
    )
    compression: bool = option(
        _STREAMS, True, switch, "whether responses are compressed for clients that accept it: on or off"
    )
    compress_from_bytes: int = option(
        _STREAMS, 500, whole(0, 1 << 30, "a whole number of bytes"), "the shortest whole body that is compressed"
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, and exit status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def read_settings(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings. What is wrong ends the process with exit status 2 and one line that names it and its value."""
    parser = _Parser(
        prog="target_app",
        description="The sample streaming app: one stream per wire format, each measured.",
        epilog="Each option can also come from the environment variable that stands beside it. One that can be given "
        "again and again is a list with commas there.",
        allow_abbrev=False,
    )
    names = dict.fromkeys(each.metadata["group"] for each in fields(Settings))
    groups = {name: parser.add_argument_group(name) for name in names}
    for each in fields(Settings):
        text = f"{each.metadata['help']} [{_variable(each)}; default {_text(each.default)}]".replace("%", "%%")
        action = "append" if each.metadata["flag"] else "store"
        groups[each.metadata["group"]].add_argument(
            _flag(each), dest=each.name, metavar="VALUE", help=text, action=action
        )
    given = vars(parser.parse_args(arguments))
    settings = Settings(**{each.name: _value(parser, each, given[each.name], environment) for each in fields(Settings)})
    if settings.port and settings.port == settings.metrics_port:
        parser.error(f"--port and --metrics-port are both {settings.port}: the metrics need a port of their own")
    return settings


def _flag(each: Field[Any]) -> str:
    return "--" + (each.metadata["flag"] or each.name.replace("_", "-"))


def _variable(each: Field[Any]) -> str:
    return ENVIRONMENT_PREFIX + each.name.upper()


def _text(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if default == ():
        return "none"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _value(parser: _Parser, each: Field[Any], given: str | list[str] | None, environment: Mapping[str, str]) -> Any:
    name, found = _flag(each), given
    if found is None:
        name, found = _variable(each), environment.get(_variable(each))
        if not found:
            return each.default
        if each.metadata["flag"]:
            found = [part.strip() for part in found.split(",") if part.strip()]
    texts = found if isinstance(found, list) else [found]
    values = [_parsed(parser, each, name, text) for text in texts]
    return tuple(values) if each.metadata["flag"] else values[0]


def _parsed(parser: _Parser, each: Field[Any], name: str, text: str) -> object:
    try:
        return each.metadata["parse"](text)
    except ValueError as error:
        shown = f"what was given, {len(text)} characters," if each.metadata["parse"] is key else repr(text)
        parser.error(f"{name}: {shown} {error}")
