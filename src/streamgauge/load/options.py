"""Adds streamgauge's options to Locust's parser, checks them, and reads them.

Each option can also be set as ``LOCUST_…`` in the environment, in Locust's configuration files, and in the web form.
All but the switches hold a text, which is sent unchanged to workers and to the form; an empty text means *not set*.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.tls import TlsError, TlsSettings
from streamgauge.client.http.statuses import read_statuses
from streamgauge.client.plan import Limits, problem_with_rules
from streamgauge.load import checks
from streamgauge.load.connection_options import CONNECT_TO, RESOLVE, UNIX_SOCKET, overrides_of
from streamgauge.load.option import Lines, Option
from streamgauge.load.option_names import add_argument, dest
from streamgauge.load.own_options import own_options
from streamgauge.load.scenario_options import REFUSAL_PAUSE_S, ScenarioOptions
from streamgauge.load.shapes.shape_options import SHAPE
from streamgauge.load.slo_options import SLO
from streamgauge.load.warm_up_option import WARM_UP
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.rules import read_chunk, read_end, read_error

#: Default of Locust's ``--stop-timeout``: streams under way at the end of a run get this much time.
STOP_TIMEOUT = "15s"
_DEFAULTS = Limits()

RESULT_DIR = "--stream-result-dir"
RECONNECT, SEND, STAMPS, INSECURE = "--stream-reconnect", "--stream-send", "--stream-stamps", "--stream-insecure"
INCLUDE_USAGE = "--stream-include-usage"
_PATH = Option("--stream-path", "PATH", checks.path, "Path on the host, or a whole URL; default the scenario's own")
_PROTOCOL = Option(
    "--stream-protocol",
    "NAME",
    checks.protocol,
    f"Format of the stream: {', '.join(FORMATS)}; auto takes it from the content; default the scenario's own",
)
_METHOD = Option("--stream-method", "METHOD", checks.method, "Request method; default the scenario's own")
_HEADERS = Option(
    "--stream-header",
    "'K: V'",
    checks.headers,
    "Request header of all streams, 'Name: value'; repeat the option, or write one header per line",
    Lines,
)
_BODY = Option(
    "--stream-body",
    "TEXT|@FILE",
    checks.body,
    "Request body, or @FILE to read it; JSON has Content-Type application/json unless a header says otherwise",
)
_SEND = Option(
    SEND,
    "TEXT|@FILE",
    checks.messages,
    "Message to send on a WebSocket; repeat the option, or write one message per line",
    Lines,
)
_END = Option(
    "--stream-end",
    "RULE",
    checks.rules(read_end),
    "How a complete stream must end: event:NAME, data:TEXT, json:MEMBER[=VALUE], chunks:N or off; "
    "repeat the option for several",
    Lines,
)
_ERROR = Option(
    "--stream-error",
    "RULE",
    checks.rules(read_error),
    "What reports an error: event:NAME, data:TEXT, json:MEMBER[=VALUE] or off; repeat the option for several",
    Lines,
)
_CHUNK = Option(
    "--stream-chunk",
    "RULE",
    checks.rules(read_chunk),
    "What counts as a chunk, for example json:delta.text or 'not event:ping', or any; repeat the option for several",
    Lines,
)
_STATUS = Option(
    "--stream-status",
    "STATUSES",
    read_statuses,
    "Acceptable statuses, such as 2xx,429; default those that open a stream",
)
_ACCEPT = Option(
    "--stream-accept",
    "TYPE",
    checks.accept,
    "Accept header; default by the scenario's protocol",
)
_RECONNECT = Option(
    RECONNECT,
    "N",
    checks.times,
    "How often to reconnect an event stream that breaks off; default 0",
)
_FIRST = Option(
    "--stream-first-chunk-timeout",
    "SECONDS",
    checks.limit,
    f"Longest wait for the first chunk; default {_DEFAULTS.first_chunk_timeout_s:g}; 0 for no limit",
)
_IDLE = Option(
    "--stream-idle-timeout",
    "SECONDS",
    checks.limit,
    f"Longest wait for the next chunk; default {_DEFAULTS.idle_timeout_s:g}; 0 for no limit",
)
_TOTAL = Option("--stream-total-timeout", "SECONDS", checks.limit, "Longest duration of a stream; default no limit")
_PAUSE = Option(
    "--stream-refusal-pause",
    "SECONDS",
    checks.pause,
    f"Longest pause of a user whose streams are refused; default {REFUSAL_PAUSE_S:g}; 0 for none",
)
_PROXY = Option(
    "--stream-proxy",
    "URL",
    checks.proxy,
    "Forward proxy, http://[user:password@]host:port; proxy variables are ignored",
)
_CA_FILE = Option(
    "--stream-ca-file", "FILE", checks.authorities, "Trusted CA certificates (PEM) instead of the system's"
)
_CERT = Option("--stream-client-cert", "FILE", checks.file, "Client certificate (PEM) for mutual TLS")
_KEY = Option(
    "--stream-client-key",
    "FILE",
    checks.file,
    "Private key (PEM) of the client certificate, unless --stream-client-cert holds it",
)
_SERVER_NAME = Option(
    "--stream-server-name",
    "NAME",
    checks.server_name,
    "Host name of the service, if --host is an address: for TLS (SNI and the certificate) and in the Host header",
)
_OF_PLAY = (_PATH, _PROTOCOL, _METHOD, _BODY, _SEND, _END, _ERROR, _CHUNK, _STATUS, _ACCEPT, _RECONNECT)
_SWITCHES = {
    STAMPS: "Measure chunk delay: ask for send stamps, which StreamMetrics(app, stamps=True) adds to event streams",
    INCLUDE_USAGE: "Ask an OpenAI-compatible server for its count of tokens (stream_options.include_usage)",
    INSECURE: "Accept any server certificate",
}
_SWITCHES_OF_PLAY = (STAMPS, INCLUDE_USAGE)
#: The options by section of ``--help`` and of the web form: what most runs need first, the network last.
_SECTIONS: dict[str, tuple[Option | str, ...]] = {
    "Load": (SHAPE,),
    "Request": (_PATH, _PROTOCOL, _METHOD, _HEADERS, _BODY, _SEND, _ACCEPT, INCLUDE_USAGE),
    "What a stream must do": (_END, _ERROR, _CHUNK, _STATUS, _RECONNECT, STAMPS),
    "What the run must meet": (SLO,),
    "Time limits": (_FIRST, _IDLE, _TOTAL, _PAUSE),
    "What the figures leave out": (WARM_UP,),
    "Network and TLS": (CONNECT_TO, RESOLVE, UNIX_SOCKET, _PROXY, _SERVER_NAME, _CA_FILE, _CERT, _KEY, INSECURE),
}
_TEXTS = tuple(option for section in _SECTIONS.values() for option in section if isinstance(option, Option))
#: The fields of the web form that can have several lines.
MULTILINE = (_BODY.dest, *(each.dest for each in _TEXTS if each.action is Lines))


def set_defaults(parser: Any) -> None:
    """Change defaults of Locust's own options (the ``init_command_line_parser`` event)."""
    parser.set_defaults(stop_timeout=STOP_TIMEOUT)


def result_dir(parsed: Any) -> str:
    """Return the directory for results in Locust's parsed options; empty if none is set."""
    return getattr(parsed, dest(RESULT_DIR), "") or ""


def add_options(parser: Any) -> None:
    """Add the options to Locust's parser, after all others."""
    for title, section in _SECTIONS.items():
        for option in section:
            if isinstance(option, str):
                add_argument(parser, option, section=title, action="store_true", help=_SWITCHES[option])
            else:
                option.add_to(parser, title)
    add_argument(
        parser,
        RESULT_DIR,
        section="Results",
        metavar="DIR",
        default="",
        help="Write DIR/<run id>/result.json, report.html, streams.csv and timeline.csv when a run ends",
        include_in_web_ui=False,
    )


def form_sections() -> dict[str, dict[str, str]]:
    """Return the sections of the web form: in each, the help of an option by the name of its field."""
    return {
        title: {
            dest(each) if isinstance(each, str) else each.dest: _SWITCHES[each] if isinstance(each, str) else each.help
            for each in section
        }
        for title, section in _SECTIONS.items()
    }


def options_of_play(parsed: Any) -> tuple[str, ...]:
    """Return the flags of the set options that only ``StreamUser.play`` reads."""
    texts = [option.flag for option in _OF_PLAY if getattr(parsed, option.dest, "")]
    switches = [flag for flag in _SWITCHES_OF_PLAY if getattr(parsed, dest(flag), False)]
    return (*texts, *switches)


def with_form(parsed: Any, form: Mapping[str, str]) -> argparse.Namespace:
    """Return the parsed options with the changes of Locust's web form to our options."""
    texts = {option.dest: form[option.dest] for option in (*_TEXTS, *own_options()) if option.dest in form}
    switches = {name: form[name] == "true" for name in map(dest, _SWITCHES) if name in form}
    return argparse.Namespace(**{**vars(parsed or argparse.Namespace()), **texts, **switches})


def scenario_options(parsed: Any) -> ScenarioOptions:
    """Read our options from Locust's parsed options. Raises ValueError that names the option and its value."""
    _check_rules(parsed)
    WARM_UP.value(parsed)
    limits = {"first_chunk_timeout_s": _FIRST, "idle_timeout_s": _IDLE, "total_timeout_s": _TOTAL}
    return ScenarioOptions(
        path=_PATH.value(parsed),
        protocol=_PROTOCOL.value(parsed),
        method=_METHOD.value(parsed),
        headers=_HEADERS.value(parsed, {}),
        body=_BODY.value(parsed),
        send=_SEND.value(parsed),
        end=_END.value(parsed),
        error=_ERROR.value(parsed),
        chunk=_CHUNK.value(parsed),
        status=_STATUS.value(parsed),
        accept=_ACCEPT.value(parsed),
        stamped=bool(getattr(parsed, dest(STAMPS), False)),
        include_usage=bool(getattr(parsed, dest(INCLUDE_USAGE), False)),
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
    proxy, insecure = _PROXY.value(parsed), bool(getattr(parsed, dest(INSECURE), False))
    name = _SERVER_NAME.value(parsed, "")
    overrides = overrides_of(parsed, proxy=proxy, server_name=name)
    try:
        return Network(proxy, TlsSettings(**values, insecure=insecure), name, overrides=overrides)
    except TlsError as error:
        raise ValueError(f"{_CERT.flag}, {_KEY.flag}: {error}") from None
