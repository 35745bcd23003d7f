"""The settings: from the command line, else the environment, else the default; validated before anything starts."""

import argparse
import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated, Any, Literal, NoReturn, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ENVIRONMENT_PREFIX = "TARGET_APP_"
SHORTEST_KEY = 16
DAY_S, GIB = 86_400, 1 << 30
#: A path below which the app is served: nothing in it needs an escape in a URL or in HTML.
PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


def _must_be(expected: str) -> NoReturn:
    raise PydanticCustomError("expected", "Input should be {expected}", {"expected": expected})


def _plain_number(value: object) -> object:
    """Refuse exponents, underscores, spaces and nan, which Python takes and people rarely mean."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9.]+", value):
        _must_be("a number in plain digits")
    return value


def _on_or_off(value: object) -> object:
    if isinstance(value, str) and value not in ("on", "off"):
        _must_be("on or off")
    return value


def _key(text: str) -> str:
    """Check a key against what RFC 6750, section 2.1, lets a bearer token be."""
    if len(text) < SHORTEST_KEY or not re.fullmatch(r"[A-Za-z0-9._~+/-]*[A-Za-z0-9][._~+/-]*=*", text):
        _must_be(f"at least {SHORTEST_KEY} letters, digits and -._~+/")
    return text


def _origin(text: str) -> str:
    """Check an origin against the form that browsers send."""
    parts = urlsplit(text)
    if text != "*" and (not parts.netloc or text != f"{parts.scheme}://{parts.netloc}"):
        _must_be("an origin such as https://example.org, or *")
    return text


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        _must_be("an address or a network such as 10.0.0.0/8")
    return text


def _prefix(text: str) -> str:
    """Check a prefix, which may be given with a slash at its end."""
    prefix = text.rstrip("/")
    if prefix and not PREFIX.fullmatch(prefix):
        _must_be("a path such as /gauge")
    return prefix


def _split(value: object) -> object:
    """Split the comma-separated list that a variable holds."""
    return [part for part in map(str.strip, value.split(",")) if part] if isinstance(value, str) else value


Whole = Annotated[int, BeforeValidator(_plain_number)]
Size = Annotated[Whole, Field(ge=1024, le=GIB)]
Seconds = Annotated[Whole, Field(ge=0, le=3600)]
Port = Annotated[Whole, Field(ge=0, le=65535)]
Count = Annotated[Whole, Field(ge=0, le=1_000_000)]
Rate = Annotated[float, Field(ge=0, le=1e6), BeforeValidator(_plain_number)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Host = Annotated[str, Field(min_length=1)]
Keys = Annotated[tuple[Annotated[str, AfterValidator(_key)], ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """How the app is served. Each field is an option, its text the help, and with the prefix a variable.

    The defaults let a load test through that comes from one address without a key: nothing is asked of a client, and
    no limit is per client. What bounds the server's own memory and time is on.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, frozen=True, use_attribute_docstrings=True
    )

    metrics_host: Host = "127.0.0.1"
    """Address of the metrics port."""
    host: Host = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8000
    """The app's port; 0 takes any free port."""
    metrics_port: Port = 9101
    """The metrics port; 0 takes any free port."""
    root_path: Prefix = ""
    """Path below which a proxy serves the app, such as /gauge; a trusted proxy's X-Forwarded-Prefix goes first."""
    workers: Annotated[Whole, Field(ge=1, le=256)] = 1
    """Processes that share the port; one that dies is replaced by another."""
    http: Literal["httptools", "h11"] = "httptools"
    """HTTP parser."""
    grace_s: Seconds = 5
    """Seconds that running streams have to end in at SIGTERM or Ctrl-C; then they are cut."""
    min_drain_s: Seconds = 1
    """Seconds that the port at least stays open at SIGTERM, while /readyz answers 503, so that load balancers learn."""
    log_level: Literal["critical", "error", "warning", "info", "debug"] = "info"
    """Least severe messages to log."""

    api_keys: Annotated[Keys, Field(repr=False)] = ()
    """A key that lets a client in, as X-API-Key or bearer token; may be repeated. Prefer the variable."""
    cors_origins: Origins = ()
    """An origin whose pages may read the streams, or * for any; may be repeated."""
    trusted_proxies: Networks = ()
    """Address or network of a proxy whose X-Forwarded-For, -Proto and -Prefix are believed; may be repeated."""

    max_streams: Count = 10_000
    """Concurrent streams over all workers; 0 sets no limit."""
    max_streams_per_client: Count = 0
    """Concurrent streams of one client, in each worker; 0 sets no limit."""
    starts_per_s: Rate = 0.0
    """Streams that one client may start per second, in each worker; 0 sets no limit."""
    start_burst: Annotated[Count, Field(ge=1)] = 10
    """Streams that one client may start at once."""
    max_body_bytes: Size = 1 << 20
    """Largest request body in bytes."""
    max_stream_s: Annotated[Whole, Field(ge=1, le=DAY_S)] = 3660
    """Longest duration of a stream in seconds."""

    send_timeout_s: Annotated[Seconds, Field(ge=1)] = 30
    """Seconds that one send may wait; then the stream is cut."""
    tcp_user_timeout_s: Seconds = 30
    """Seconds that sent bytes may stay unread (TCP_USER_TIMEOUT); 0 leaves it to the system."""
    write_buffer_bytes: Size = 65536
    """Bytes that a connection buffers before its sends wait."""
    send_buffer_bytes: Size = 65536
    """The kernel's buffer of a connection in bytes (SO_SNDBUF)."""
    not_sent_bytes: Size = 16384
    """Most bytes in that buffer not yet sent (TCP_NOTSENT_LOWAT)."""

    heartbeat_s: Seconds = 15
    """Seconds of silence before a heartbeat; 0 sends none."""
    compression: Annotated[bool, BeforeValidator(_on_or_off)] = True
    """Whether responses are compressed for clients that accept it."""
    compress_from_bytes: Annotated[Whole, Field(ge=0, le=GIB)] = 500
    """Shortest whole body in bytes to compress."""

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.port and self.port == self.metrics_port:
            message = "--port and --metrics-port must differ, got {port} for both"
            raise PydanticCustomError("same_port", message, {"port": self.port})
        return self


#: The headings of ``--help``, by the first option below each. pydantic-settings' own command line has no headings for
#: a flat model, and does not name the variables.
_HEADINGS = {
    "metrics_host": "serving",
    "api_keys": "security",
    "max_streams": "limits on clients",
    "send_timeout_s": "back-pressure: a client that does not read",
    "heartbeat_s": "streams",
}
#: Options that may be repeated: the field is a list, the option gives one entry of it.
_REPEATED = {"api_keys": "api-key", "cors_origins": "cors-origin", "trusted_proxies": "trusted-proxy"}


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Read the settings; a wrong one exits with status 2 and one line that names it and its value."""
    given = vars(_parser().parse_args(arguments))
    try:
        return Settings(**given)
    except ValidationError as error:
        _exit(_explained(error.errors()[0], given))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line."""
        _exit(message)


def _exit(message: str) -> NoReturn:
    argparse.ArgumentParser(prog="target_app").exit(2, f"target_app: {message}\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="target_app",
        description="The sample streaming app: one stream per wire format, each measured.",
        epilog="The variable in brackets sets the same as its option. For an option that may be repeated, the variable "
        "holds a list separated by commas.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    group = parser.add_argument_group()
    for name, field in Settings.model_fields.items():
        if name in _HEADINGS:
            group = parser.add_argument_group(_HEADINGS[name])
        text = f"{field.description} [{_variable(name)}; default {_text(field.default)}]"
        action = "append" if name in _REPEATED else "store"
        group.add_argument(_flag(name), dest=name, metavar=_values(field), help=text, action=action)
    return parser


def _flag(name: str) -> str:
    return f"--{_REPEATED.get(name, name).replace('_', '-')}"


def _variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()


def _values(field: FieldInfo) -> str:
    """Name the values that the help shows: the words to choose from, if the field has some."""
    words = ("on", "off") if field.annotation is bool else get_args(field.annotation)
    return "|".join(words) if isinstance(field.default, str | bool) and words else "VALUE"


def _text(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return "none" if default in ((), "") else f"{default:g}" if isinstance(default, float) else str(default)


def _explained(error: ErrorDetails, given: dict[str, Any]) -> str:
    """Name the option or variable, what it must be, and its value, unless that is a key."""
    if not error["loc"]:
        return error["msg"]
    name = str(error["loc"][0])
    source = _flag(name) if name in given else _variable(name)
    value = f"{len(str(error['input']))} characters" if name == "api_keys" else repr(error["input"])
    return f"{source}: {re.sub(r'^[A-Z][a-z]+ should', 'must', error['msg'])}, got {value}"
