"""Writes the locustfile of a quick run: the same text is run, and saved for the user to change."""

from collections.abc import Iterator
from dataclasses import dataclass

from streamgauge.quick_run.python_text import call, class_name, json_value, literal, method_name, quoted
from streamgauge.quick_run.stream_request import Session, StreamRequest
from streamgauge.report.terminal import printable
from streamgauge.report.units import some

_JSON = "application/json"
Arguments = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Load:
    """Users and length of a run, and other options by their names in Locust's parsed options.

    Users, spawn rate and length are None if a rate of arrivals or a shape says them.
    """

    users: int | None
    spawn_rate: float | None
    run_time_s: int | None
    options: dict[str, object]

    def __str__(self) -> str:
        """Return the load in words, such as ``10 users for 10 s``."""
        rate, shape = self.options.get("stream_arrivals"), self.options.get("stream_shape")
        parts = [some(self.users, "user")] if self.users is not None and not rate and not shape else []
        parts += [f"arrivals {rate}"] if rate else []
        parts += [f"shape {shape}"] if shape else []
        return ", ".join(parts) + (f" for {self.run_time_s} s" if self.run_time_s is not None else "")

    @property
    def defaults(self) -> dict[str, object]:
        """What the locustfile makes the defaults of Locust's options."""
        rate = self.spawn_rate
        own = {
            "num_users": self.users,
            "spawn_rate": int(rate) if rate is not None and rate == int(rate) else rate,
            "run_time": None if self.run_time_s is None else f"{self.run_time_s}s",
        }
        return {name: value for name, value in own.items() if value is not None} | self.options


def locustfile_text(session: Session, load: Load) -> str:
    """Return the text of a locustfile in which ``session`` is what each user does, and ``load`` the default."""
    first = session.requests[0]
    user = _recorded_user(session) if session.recorded else _user(first)
    parts = [f"{_docstring(session, load)}\n\n{_imports(user)}", user, _defaults(load)]
    return "\n\n\n".join(part.rstrip() for part in parts) + "\n"


def _docstring(session: Session, load: Load) -> str:
    what = f"Load: {load} on {_shown(session.requests[0])}"
    if session.recorded:
        what = f"Load: {load}, each replaying a recorded session of {some(len(session.requests), 'stream')}"
    return (
        f'"""{_plain(what)}.\n\n'
        "Written by streamgauge run. `locust -f` runs it: with --headless at once, else from Locust's web UI, whose\n"
        'form has this load already.\n"""'
    )


def _plain(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', "'")


def _shown(request: StreamRequest) -> str:
    """Return the URL without user, password and query, which may hold what opens doors."""
    scheme, _, rest = request.origin.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}{request.path.partition('?')[0]}"


def _imports(user: str) -> str:
    lines = ["from typing import Any", ""]
    lines += ["import gevent"] if "gevent.sleep(" in user else []
    lines += ["from gevent.pool import Group"] if "Group()" in user else []
    lines += ["from locust import events, task", ""]
    return "\n".join([*lines, f"from streamgauge.load import {'Pause, ' if 'Pause(' in user else ''}StreamUser"])


def _user(request: StreamRequest) -> str:
    """Return the class of users that read one stream again and again. Options such as --stream-path may change it."""
    return (
        f"class {class_name(request.path.partition('?')[0])}(StreamUser):\n"
        f'    """Reads {_plain(_shown(request))} again and again."""\n\n'
        f"    host = {quoted(request.origin)}\n\n"
        "    @task\n"
        "    def read(self) -> None:\n"
        f"        {call('self.play', _arguments(request, request.path, plays=True), 2)}\n"
    )


def _recorded_user(session: Session) -> str:
    """Return the class of users that replay a session, one method for each stream."""
    first, names = session.requests[0], list[str]()
    methods, shared = [], _shared_headers(session)
    for request in session.requests:
        url = request.path if request.place == first.place else request.url
        names.append(method_name(request.path.partition("?")[0], names))
        text = call("self.client.stream", _arguments(request, url, plays=False, shared=shared), 2)
        methods.append(f"    def {names[-1]}(self) -> None:\n        {text}\n")
    replay = _together(session, names) if session.overlaps else _in_a_row(session, names)
    constant = f"#: Request headers of all streams.\nHEADERS = {literal(shared)}\n\n\n" if shared else ""
    head = (
        f"{constant}class RecordedSession(StreamUser):\n"
        f'    """Replays {len(session.requests)} recorded streams with the pauses between them."""\n\n'
        f"    host = {quoted(first.origin)}\n\n"
        "    @task\n    def replay(self) -> None:\n"
    )
    return head + "".join(f"        {line}\n" for line in replay) + "\n" + "\n".join(methods)


def _shared_headers(session: Session) -> dict[str, str | None]:
    """Return the fields that all requests of a session have, if they are worth a name of their own."""
    first, *others = (dict(each.headers) for each in session.requests)
    shared = {name: value for name, value in first.items() if all(each.get(name, "\0") == value for each in others)}
    return shared if others and len(shared) > 1 else {}


def _in_a_row(session: Session, names: list[str]) -> Iterator[str]:
    end_s = session.requests[0].begin_s
    for request, name in zip(session.requests, names, strict=True):
        yield from _pause(request.begin_s - end_s)
        yield f"self.{name}()"
        end_s = request.begin_s if request.end_s is None else request.end_s


def _together(session: Session, names: list[str]) -> Iterator[str]:
    """Yield the lines that start each stream at its time, whether or not the others have ended."""
    yield from ("streams = Group()", "try:")
    at_s = session.requests[0].begin_s
    for request, name in zip(session.requests, names, strict=True):
        yield from (f"    {line}" for line in _pause(request.begin_s - at_s))
        yield f"    streams.spawn(self.{name})"
        at_s = request.begin_s
    yield from ("    streams.join()", "finally:", "    streams.kill()")


def _pause(pause_s: float) -> Iterator[str]:
    if pause_s >= 0.001:  # a shorter one is that of the recording program
        yield f"gevent.sleep({round(pause_s, 3):g})"


def _arguments(
    request: StreamRequest, url: str, *, plays: bool, shared: dict[str, str | None] | None = None
) -> Arguments:
    """Yield the arguments of ``self.play`` or ``self.client.stream``."""
    if not plays:
        yield "", quoted(request.method)
    yield "", quoted(url)
    if plays and request.method != "GET":
        yield "method", quoted(request.method)
    for name in ("protocol", "status", "name"):
        if value := getattr(request, name):
            yield name, quoted(value)
    for name in ("end", "error", "chunk"):
        if rules := getattr(request, name):
            yield name, literal(rules[0] if len(rules) == 1 else list(rules), 3)
    if request.total_timeout_s is not None:
        yield "total_timeout_s", f"{request.total_timeout_s:g}"
    yield from _headers_and_body(request, shared or {})
    if request.messages:
        yield "send", _messages(request)


def _headers_and_body(request: StreamRequest, shared: dict[str, str | None]) -> Arguments:
    value = json_value(request.body) if isinstance(request.body, str) and not request.is_websocket else None
    kind = request.header("content-type")
    as_json = value is not None and kind is not None and kind.strip().lower() == _JSON
    headers = {name: text for name, text in request.headers if not (as_json and name.lower() == "content-type")}
    own = {name: text for name, text in headers.items() if name not in shared}
    if shared:
        yield "headers", "{\n" + " " * 16 + "**HEADERS," + literal(own, 3, 0)[1:] if own else "HEADERS"
    elif headers:
        yield "headers", literal(headers, 3, 60)
    if as_json:
        yield "json", literal(value, 3, 60)
    elif request.body:
        yield "data", literal(request.body)


def _messages(request: StreamRequest) -> str:
    """Return the list of messages that are sent on a WebSocket, and of the pauses before them."""
    entries = []
    for message in request.messages:
        if message.pause_s >= 0.001:
            entries.append(f"Pause({round(message.pause_s, 3):g})")
        entries.append(literal(message.data))
    return "[\n" + "".join(f"{' ' * 16}{each},\n" for each in entries) + " " * 12 + "]"


def _defaults(load: Load) -> str:
    arguments = ((name, literal(value, 2)) for name, value in load.defaults.items())
    return (
        "@events.init_command_line_parser.add_listener\n"
        "def set_defaults(parser: Any, **_: Any) -> None:\n"
        '    """Make this load the default; options on the command line change it."""\n'
        f"    {call('parser.set_defaults', arguments, 1)}\n"
    )
