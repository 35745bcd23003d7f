"""Makes the plan of a quick run from the options of ``streamgauge run``, and checks them."""

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamgauge.client.connect.target import TargetError
from streamgauge.client.http.request import RequestError, type_of, utf8
from streamgauge.client.http.statuses import read_statuses
from streamgauge.client.plan import problem_with_rules
from streamgauge.quick_run.curl_command import curl_session, curl_session_of_words
from streamgauge.quick_run.curl_options import CurlProblem
from streamgauge.quick_run.har_file import har_session
from streamgauge.quick_run.locustfile_text import Load
from streamgauge.quick_run.stream_request import (
    Field,
    RequestProblem,
    Session,
    StreamRequest,
    joined,
    protocol_of_url,
    whole_url,
)
from streamgauge.quick_run.whole_run import Plan
from streamgauge.runner.locust_ports import LocustPorts
from streamgauge.runner.ports import PortChooser
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.rules import read_chunk, read_end, read_error

Options = Mapping[str, Any]
_USERS, _RUN_TIME_S = 10, 10
#: Options that change the only stream of a run.
_OF_ONE_STREAM = ("method", "data", "protocol", "end", "error", "chunk", "status", "name")
#: What would be left out without a word if it were empty, as a variable of the shell is that nobody has set.
_NEVER_EMPTY = ("method", "rate", "shape", "warm_up", "slo", "status", "name", "connect_to", "resolve", "unix_socket")
_READ: dict[str, Callable[[Any], Any]] = {"end": read_end, "error": read_error, "chunk": read_chunk}
#: Our options that Locust checks, by the name of streamgauge's option of Locust.
_OF_LOCUST = {
    "stream_arrivals": "rate",
    "stream_shape": "shape",
    "stream_warm_up": "warm_up",
    "stream_slo": "slo",
    "stream_insecure": "insecure",
    "stream_proxy": "proxy",
    "stream_connect_to": "connect_to",
    "stream_resolve": "resolve",
    "stream_unix_socket": "unix_socket",
}


def plan_of(options: Options, words: Sequence[str], curl_words: Sequence[str]) -> Plan:
    """Make the plan. Raises RequestProblem and PortError, which name the option and its value."""
    _check_texts(options)
    _check_combinations(options, curl_words)
    session = _session(options, curl_words)
    web, processes = options["web"], options["processes"]
    return Plan(
        session=session,
        load=_load(options, session),
        processes=processes,
        ports=LocustPorts.chosen(PortChooser(), options["web_port"], web=web, workers=processes > 1),
        result_dir=options["result_dir"],
        save=options["save"],
        words=tuple(words),
        curl_words=tuple(curl_words),
    )


def _check_texts(options: Options) -> None:
    """Raise RequestProblem for a text that no request and no file can have; a curl command names its own options."""
    for name, value in options.items():
        for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if name in _NEVER_EMPTY and not text.strip():
                raise RequestProblem(
                    f"--{name.replace('_', '-')}: expected a value, got {text!r}; leave the option out if it has none"
                )
            try:
                utf8(text)
            except RequestError as error:
                if name != "curl":
                    shown = "the URL" if name == "url" else f"--{name.replace('_', '-')}"
                    raise RequestProblem(f"{shown}: {error}") from None


def _check_combinations(options: Options, curl_words: Sequence[str]) -> None:
    given = [name for name, value in _sources(options, curl_words).items() if value]
    if not given:
        raise RequestProblem(
            "expected a URL, --curl, --har or a curl command; try: streamgauge run http://127.0.0.1:8000/stream"
        )
    if len(given) > 1:
        raise RequestProblem(f"expected one source of requests, got {' and '.join(given)}")
    if options["web_port"] is not None and not options["web"]:
        raise RequestProblem(f"--web-port {options['web_port']} needs --web, which starts the web UI")
    if (save := options["save"]) is not None and Path(save).exists():
        raise RequestProblem(f"--save {str(save)!r}: the file exists already; choose another name or remove it")
    if save is not None and Path(save).suffix != ".py":
        raise RequestProblem(f"--save {str(save)!r}: expected a name that ends with .py, as Locust needs it")


def _sources(options: Options, curl_words: Sequence[str]) -> dict[str, bool]:
    return {
        f"the URL {options['url']!r}": options["url"] is not None,
        "--curl": options["curl"] is not None,
        f"--har {str(options['har'])!r}": options["har"] is not None,
        "a curl command": bool(curl_words),
    }


def _session(options: Options, curl_words: Sequence[str]) -> Session:
    if options["har"] is not None:
        return _with_headers(_recorded(options), options)
    try:
        if curl_words:
            session = curl_session_of_words(curl_words[1:])
        elif options["curl"] is not None:
            session = curl_session(sys.stdin.read() if options["curl"] == "-" else options["curl"])
        else:
            url = whole_url(options["url"])
            session = Session((StreamRequest(url, protocol=protocol_of_url(url)),))
    except CurlProblem as problem:
        raise RequestProblem(f"{'--curl' if options['curl'] is not None else 'curl'}: {problem}") from None
    session = _with_headers(session, options)
    return replace(session, requests=(_changed(session.requests[0], options),))


def _recorded(options: Options) -> Session:
    for name in _OF_ONE_STREAM:
        if options[name]:
            shown = options[name] if isinstance(options[name], str) else options[name][0]
            raise RequestProblem(
                f"--{name} {shown!r}: a recorded session has streams of its own; --save FILE.py writes a locustfile "
                "in which you can change each"
            )
    return har_session(options["har"])


def _with_headers(session: Session, options: Options) -> Session:
    """Add the headers of the options to each request, in place of its own of the same name."""
    added = joined(_header(text) for text in options["header"])
    names = {name.lower() for name, _ in added}
    requests = (
        replace(each, headers=(*((name, value) for name, value in each.headers if name.lower() not in names), *added))
        for each in session.requests
    )
    return replace(session, requests=tuple(requests))


def _header(text: str) -> Field:
    """Read ``Name: value`` as curl does: ``Name:`` removes the field, ``Name;`` sends it without a value."""
    name, colon, value = text.partition(":")
    if not colon and text.endswith(";"):
        return text[:-1].strip(), ""
    if not colon or not name.strip():
        raise RequestProblem(f"--header: expected 'Name: value', got {text!r}")
    return name.strip(), value.strip() or None


def _changed(request: StreamRequest, options: Options) -> StreamRequest:
    """Return the request with the changes of the options, checked."""
    if options["protocol"]:
        request = replace(request, protocol="" if options["protocol"] == "auto" else options["protocol"])
    if options["data"] is not None:
        request = _with_body(request, _body(options["data"]))
    if options["method"]:
        request = replace(request, method=options["method"].upper())
    request = replace(
        request,
        end=tuple(options["end"]),
        error=tuple(options["error"]),
        chunk=tuple(options["chunk"]),
        status=options["status"] or "",
        name=options["name"] or "",
    )
    _check(request)
    return request


def _body(text: str) -> str | bytes:
    if not text.startswith("@"):
        return text
    try:
        data = Path(text[1:]).read_bytes() if text != "@-" else sys.stdin.buffer.read()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise RequestProblem(f"--data: {text[1:]!r} cannot be read: {why}") from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _with_body(request: StreamRequest, body: str | bytes) -> StreamRequest:
    kind = {} if request.is_websocket else type_of(body.encode() if isinstance(body, str) else body)
    headers = request.headers if request.header("content-type") is not None else (*request.headers, *kind.items())
    method = "POST" if request.method == "GET" and not request.is_websocket else request.method
    return replace(request, body=body, headers=headers, method=method)


def _check(request: StreamRequest) -> None:
    """Raise RequestProblem for what the client would refuse."""
    protocol = request.protocol or "auto"
    for name, read in _READ.items():
        given = getattr(request, name)
        try:
            problem = problem_with_rules(read(list(given) or None), FORMATS[protocol])
        except ValueError as error:
            problem = str(error)
        else:
            problem = problem and f"{problem}, and the protocol is {protocol}"
        if problem:
            raise RequestProblem(f"--{name} {', '.join(given)!r}: {problem}")
    try:
        read_statuses(request.status or None)
    except ValueError as error:
        raise RequestProblem(f"--status {request.status!r}: {error}") from None
    try:
        request.check()
    except (RequestError, TargetError) as error:
        raise RequestProblem(f"--method, --header: {error}") from None


def _is_trace(rate: str | None) -> bool:
    """Whether the arrivals are those of a trace, with which the run ends."""
    return rate is not None and rate.strip().startswith("trace:")


def _load(options: Options, session: Session) -> Load:
    users, run_time_s = options["users"], options["run_time"]
    if users is None and not options["rate"]:  # those of a shape too: Locust's form always has a number
        users = 1 if session.recorded and not options["shape"] else _USERS
    if run_time_s is None and not options["shape"] and not _is_trace(options["rate"]):
        run_time_s = max(_RUN_TIME_S, math.ceil(session.length_s) + 1 if session.recorded else 0)
    values = {name: options[ours] for name, ours in _OF_LOCUST.items() if options[ours]}
    if rate := values.get("stream_arrivals"):
        values["stream_arrivals"] = f"{rate}/s" if re.fullmatch(r"\d+(\.\d+)?", rate) else rate
    texts = {name: "\n".join(value) if isinstance(value, tuple) else value for name, value in values.items()}
    spawn_rate = options["spawn_rate"] or (None if users is None else float(users))
    return Load(users, spawn_rate, run_time_s, session.options | texts)
