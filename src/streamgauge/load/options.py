"""Adds streamgauge's options to Locust's parser, checks them, and reads them.

Each option can also be set as ``LOCUST_…`` in the environment, in Locust's configuration files, and in the web form.
All but the switches hold a text, which is sent unchanged to workers and to the form; an empty text means *not set*.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.tls import TlsError, TlsSettings
from streamgauge.client.http.statuses import Statuses, read_statuses
from streamgauge.client.plan import Limits, problem_with_rules
from streamgauge.load import checks
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.rules import Rules, read_chunk, read_end, read_error

#: Default of Locust's ``--stop-timeout``: streams under way at the end of a run get this much time.
STOP_TIMEOUT = "15s"
#: Longest pause of a refused user before its next stream.
REFUSAL_PAUSE_S = 1.0
_DEFAULTS = Limits()


@dataclass(frozen=True, slots=True)
class ScenarioOptions:
    """The options that are set. None keeps the value of the scenario's own stream."""

    path: str | None = None
    protocol: str | None = None
    method: str | None = None
    body: bytes | None = None
    end: Rules | None = None
    error: Rules | None = None
    chunk: Rules | None = None
    status: Statuses | None = None
    accept: str | None = None
    stamped: bool = False
    include_usage: bool = False
    reconnect: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    """This field and those below apply to all streams."""
    limits: Mapping[str, float | None] = field(default_factory=dict)
    """The limits that are set, by the name of their field in ``Limits``."""
    network: Network = field(default_factory=Network)
    refusal_pause_s: float = REFUSAL_PAUSE_S


def _dest(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _variable(flag: str) -> str:
    return "LOCUST_" + _dest(flag).upper()


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """Make a check for argparse that keeps the text."""

    def check(text: str) -> str:
        try:
            if text:
                read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return check


class _Lines(argparse._AppendAction):  # noqa: SLF001 - ConfigArgParse gives lists to its subclasses only
    """Joins the values of a repeated option into one text, one value per line: Locust's form splits lists at commas."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:  # noqa: ARG002
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, "\n".join(filter(None, (before, values))))


@dataclass(frozen=True, slots=True)
class _Option:
    """An option that holds a text."""

    flag: str
    metavar: str
    read: Callable[[str], Any]
    help: str
    action: Any = "store"

    @property
    def dest(self) -> str:
        return _dest(self.flag)

    def value(self, parsed: Any, unset: Any = None) -> Any:
        """Return the value in Locust's parsed options, or ``unset``. Raises ValueError."""
        text = getattr(parsed, self.dest, "") or ""
        try:
            return self.read(str(text)) if text else unset
        except ValueError as error:
            raise ValueError(f"{self.flag}: {error}") from None


RECONNECT, STAMPS, INSECURE = "--stream-reconnect", "--stream-stamps", "--insecure"
INCLUDE_USAGE = "--stream-include-usage"
_PATH = _Option("--stream-path", "PATH", checks.path, "Path on the host, or a whole URL; default the scenario's own")
_PROTOCOL = _Option(
    "--stream-protocol",
    "NAME",
    checks.protocol,
    f"Format of the stream: {', '.join(FORMATS)}; auto takes it from the content; default the scenario's own",
)
_METHOD = _Option("--stream-method", "METHOD", checks.method, "Request method; default the scenario's own")
_HEADERS = _Option(
    "--stream-header",
    "'K: V'",
    checks.headers,
    "Request header of all streams, 'Name: value'; repeat the option, or write one header per line",
    _Lines,
)
_BODY = _Option("--stream-body", "TEXT|@FILE", checks.body, "Request body, or @FILE to read it from a file")
_END = _Option(
    "--stream-end",
    "RULE",
    checks.rules(read_end),
    "How a complete stream must end: event:NAME, data:TEXT, json:MEMBER[=VALUE], chunks:N or off; "
    "repeat the option for several",
    _Lines,
)
_ERROR = _Option(
    "--stream-error",
    "RULE",
    checks.rules(read_error),
    "What reports an error: event:NAME, data:TEXT, json:MEMBER[=VALUE] or off; repeat the option for several",
    _Lines,
)
_CHUNK = _Option(
    "--stream-chunk",
    "RULE",
    checks.rules(read_chunk),
    "What counts as a chunk, for example json:delta.text or 'not event:ping', or any; repeat the option for several",
    _Lines,
)
_STATUS = _Option(
    "--stream-status",
    "STATUSES",
    read_statuses,
    "Acceptable statuses, such as 2xx,429; default those that open a stream",
)
_ACCEPT = _Option(
    "--stream-accept",
    "TYPE",
    checks.accept,
    "Accept header; with application/json, a JSON response is read as lines",
)
_RECONNECT = _Option(
    RECONNECT,
    "N",
    checks.times,
    "How often to reconnect an event stream that breaks off; default 0",
)
_FIRST = _Option(
    "--first-chunk-timeout",
    "SECONDS",
    checks.limit,
    f"Longest wait for the first chunk; default {_DEFAULTS.first_chunk_timeout_s:g}; 0 for no limit",
)
_IDLE = _Option(
    "--idle-timeout",
    "SECONDS",
    checks.limit,
    f"Longest wait for the next chunk; default {_DEFAULTS.idle_timeout_s:g}; 0 for no limit",
)
_TOTAL = _Option("--total-timeout", "SECONDS", checks.limit, "Longest duration of a stream; default no limit")
_PAUSE = _Option(
    "--refusal-pause",
    "SECONDS",
    checks.pause,
    f"Longest pause of a user whose streams are refused; default {REFUSAL_PAUSE_S:g}; 0 for none",
)
_PROXY = _Option(
    "--proxy", "URL", checks.proxy, "Forward proxy, http://[user:password@]host:port; proxy variables are ignored"
)
_CA_FILE = _Option("--ca-file", "FILE", checks.authorities, "Trusted CA certificates (PEM) instead of the system's")
_CERT = _Option("--client-cert", "FILE", checks.file, "Client certificate (PEM) for mutual TLS")
_KEY = _Option(
    "--client-key", "FILE", checks.file, "Private key (PEM) of the client certificate, unless --client-cert holds it"
)
_TEXTS = (
    *(_PATH, _PROTOCOL, _METHOD, _HEADERS, _BODY, _END, _ERROR, _CHUNK, _STATUS, _ACCEPT, _RECONNECT),
    *(_FIRST, _IDLE, _TOTAL, _PAUSE, _PROXY, _CA_FILE, _CERT, _KEY),
)
_OF_PLAY = (_PATH, _PROTOCOL, _METHOD, _BODY, _END, _ERROR, _CHUNK, _STATUS, _ACCEPT, _RECONNECT)
_SWITCHES = {
    STAMPS: "Measure chunk delay: ask for send stamps, which StreamMetrics(app, stamps=True) adds to event streams",
    INCLUDE_USAGE: "Ask an OpenAI-compatible server for its count of tokens (stream_options.include_usage)",
    INSECURE: "Accept any server certificate",
}
_SWITCHES_OF_PLAY = (STAMPS, INCLUDE_USAGE)
#: The fields of the web form that can have several lines.
MULTILINE = (_HEADERS.dest, _BODY.dest, _END.dest, _ERROR.dest, _CHUNK.dest)


def add_options(parser: Any) -> None:
    """Add the options to Locust's parser (the ``init_command_line_parser`` event)."""
    parser.set_defaults(stop_timeout=STOP_TIMEOUT)
    for option in _TEXTS:
        parser.add_argument(
            option.flag,
            metavar=option.metavar,
            type=_checked(option.read),
            action=option.action,
            default="",
            help=option.help,
            env_var=_variable(option.flag),
        )
    for flag, words in _SWITCHES.items():
        parser.add_argument(flag, action="store_true", help=words, env_var=_variable(flag))
    parser.add_argument(
        "--result-dir",
        metavar="DIR",
        default="",
        help="Write DIR/<run id>/result.json, report.html, streams.csv and timeline.csv when a run ends",
        env_var=_variable("--result-dir"),
        include_in_web_ui=False,
    )


def options_of_play(parsed: Any) -> tuple[str, ...]:
    """Return the flags of the set options that only ``StreamUser.play`` reads."""
    texts = [option.flag for option in _OF_PLAY if getattr(parsed, option.dest, "")]
    switches = [flag for flag in _SWITCHES_OF_PLAY if getattr(parsed, _dest(flag), False)]
    return (*texts, *switches)


def with_form(parsed: Any, form: Mapping[str, str]) -> argparse.Namespace:
    """Return the parsed options with the changes of Locust's web form to our options."""
    texts = {option.dest: form[option.dest] for option in _TEXTS if option.dest in form}
    switches = {dest: form[dest] == "true" for dest in map(_dest, _SWITCHES) if dest in form}
    return argparse.Namespace(**{**vars(parsed or argparse.Namespace()), **texts, **switches})


def scenario_options(parsed: Any) -> ScenarioOptions:
    """Read our options from Locust's parsed options. Raises ValueError that names the option and its value."""
    _check_rules(parsed)
    limits = {"first_chunk_timeout_s": _FIRST, "idle_timeout_s": _IDLE, "total_timeout_s": _TOTAL}
    return ScenarioOptions(
        path=_PATH.value(parsed),
        protocol=_PROTOCOL.value(parsed),
        method=_METHOD.value(parsed),
        headers=_HEADERS.value(parsed, {}),
        body=_BODY.value(parsed),
        end=_END.value(parsed),
        error=_ERROR.value(parsed),
        chunk=_CHUNK.value(parsed),
        status=_STATUS.value(parsed),
        accept=_ACCEPT.value(parsed),
        stamped=bool(getattr(parsed, _dest(STAMPS), False)),
        include_usage=bool(getattr(parsed, _dest(INCLUDE_USAGE), False)),
        reconnect=_RECONNECT.value(parsed, 0),
        limits={name: each.value(parsed) for name, each in limits.items() if getattr(parsed, each.dest, "")},
        refusal_pause_s=_PAUSE.value(parsed, REFUSAL_PAUSE_S),
        network=_network(parsed),
    )


def _check_rules(parsed: Any) -> None:
    """Raise ValueError if streams of the named format cannot have the named end, errors or chunks."""
    protocol = _PROTOCOL.value(parsed)
    for option in (_END, _ERROR, _CHUNK):
        if protocol is not None and (problem := problem_with_rules(option.value(parsed), FORMATS[protocol])):
            raise ValueError(f"{option.flag}, {_PROTOCOL.flag}: {problem}, and the protocol is {protocol}")


def _network(parsed: Any) -> Network:
    files = {"ca_file": _CA_FILE, "client_cert": _CERT, "client_key": _KEY}
    values = {name: option.value(parsed) for name, option in files.items()}
    proxy, insecure = _PROXY.value(parsed), bool(getattr(parsed, _dest(INSECURE), False))
    try:
        return Network(proxy, TlsSettings(**values, insecure=insecure))
    except TlsError as error:
        raise ValueError(f"{_CERT.flag}, {_KEY.flag}: {error}") from None
