"""Reads the streams of a recorded session from a HAR file (HTTP Archive 1.2), with the pauses between them.

WebSocket messages stand in ``_webSocketMessages``, as Chromium and Playwright write them.
"""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from streamgauge.catalog import RAW_PROTOCOL, protocol_of
from streamgauge.media_types import media_type
from streamgauge.quick_run.stream_request import Field, RequestProblem, SentMessage, Session, StreamRequest, joined

#: Fields that the client writes itself, or that belong to the recorded connection.
_NOT_REPLAYED = frozenset(
    (
        *(
            "host",
            "connection",
            "content-length",
            "upgrade",
            "keep-alive",
            "transfer-encoding",
            "te",
            "proxy-connection",
        ),
        *("sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "http2-settings"),
    )
)
_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}
_BINARY = 2
#: A time of a message beyond this, in the year 5138, is in milliseconds.
_LATEST_S = 1e11
_LATEST_MS = _LATEST_S * 1000
_MOST_TYPES = 12
Entry = Mapping[str, Any]


def har_session(path: Path) -> Session:
    """Read the streams of a HAR file. Raises RequestProblem."""
    shown = f"--har {str(path)!r}"
    entries = _entries(path, shown)
    try:
        streams = [each for each in entries if _is_stream(each)]
        if not streams:
            raise RequestProblem(f"{shown}: no stream among its {_inventory(entries)}. A stream is {_STREAMS}.")
        began_s = min(_began_s(each) for each in streams)
        requests = sorted((_request(each, began_s) for each in streams), key=lambda each: each.begin_s)
        for each in requests:
            each.check()
        named = _named(requests)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        if isinstance(error, RequestProblem):
            raise
        raise RequestProblem(f"{shown}: an entry is not as HAR 1.2 has it: {type(error).__name__}: {error}") from None
    return Session(tuple(named), notes=_notes(named, len(entries)), recorded=True)


_STREAMS = (
    "a response of type text/event-stream, NDJSON or multipart/x-mixed-replace, or a WebSocket. Record the page while "
    "its streams run, and save the HAR with content once they have ended"
)


def _entries(path: Path, shown: str) -> list[Entry]:
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise RequestProblem(f"{shown}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise RequestProblem(f"{shown}: expected JSON, as browsers save a HAR: {error}") from None
    log = data.get("log") if isinstance(data, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise RequestProblem(f"{shown}: expected a HAR, which has log.entries")
    return entries


def _text(value: object) -> str:
    """Return a value that has to be a text. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {value!r:.40}")
    return value


def _finite(value: object) -> float:
    """Return a number. Raises ValueError for one that is no time, such as the ``NaN`` that Python reads as JSON."""
    number = float(value)  # type: ignore[arg-type]
    if not abs(number) < _LATEST_MS:
        raise ValueError(f"expected a time, got {value!r:.40}")
    return number


def _is_websocket(entry: Entry) -> bool:
    return bool(entry.get("_webSocketMessages")) or str(entry["request"]["url"]).startswith(("ws:", "wss:"))


def _is_stream(entry: Entry) -> bool:
    return _is_websocket(entry) or protocol_of(_content_type(entry)) != RAW_PROTOCOL


def _content_type(entry: Entry) -> str:
    response = entry["response"]
    named = next((each["value"] for each in response.get("headers", ()) if each["name"].lower() == "content-type"), "")
    return str(named or response.get("content", {}).get("mimeType") or "")


def _inventory(entries: list[Entry]) -> str:
    """Return what the recording holds: ``14 requests (text/html 1, …)``."""
    kinds = Counter(media_type(_content_type(each)) or "without a type" for each in entries)
    listed = [f"{kind} {times}" for kind, times in kinds.most_common(_MOST_TYPES)]
    listed += ["…"] if len(kinds) > _MOST_TYPES else []
    return f"{len(entries)} {'request' if len(entries) == 1 else 'requests'}" + (
        f" ({', '.join(listed)})" if listed else ""
    )


def _began_s(entry: Entry) -> float:
    return datetime.fromisoformat(entry["startedDateTime"]).timestamp()


def _request(entry: Entry, session_began_s: float) -> StreamRequest:
    request = entry["request"]
    began_s = _began_s(entry)
    websocket = _is_websocket(entry)
    messages = entry.get("_webSocketMessages") or []
    received = sum(each["type"] == "receive" for each in messages)
    return StreamRequest(
        url=_url(request["url"], websocket=websocket),
        method="GET" if websocket else request["method"].upper(),
        headers=_headers(request),
        body=None if websocket else _body(request),
        messages=_sent(messages, began_s) if websocket else (),
        protocol="websocket" if websocket else "",
        end=(f"chunks:{received}",) if websocket and received else (),
        begin_s=began_s - session_began_s,
        end_s=_end_s(entry, began_s - session_began_s, websocket=websocket),
    )


def _end_s(entry: Entry, begin_s: float, *, websocket: bool) -> float | None:
    """Return when a stream ended. Playwright, and browsers that left the page, do not know it of every response."""
    receive_ms = (entry.get("timings") or {}).get("receive", 0)
    if receive_ms is None or (receive_ms < 0 and not websocket):
        return None
    return begin_s + max(0.0, _finite(entry.get("time") or 0) / 1000)


def _time_s(message: Entry) -> float:
    """Return when a message came or went: Chromium gives seconds since 1970, Playwright milliseconds."""
    found = _finite(message["time"])
    return found / 1000 if found > _LATEST_S else found


def _url(url: str, *, websocket: bool) -> str:
    url = url.partition("#")[0]
    scheme, _, rest = url.partition("://")
    return f"{_WEBSOCKET_SCHEMES.get(scheme, scheme)}://{rest}" if websocket else url


def _headers(request: Entry) -> tuple[Field, ...]:
    every = ((_text(each["name"]), _text(each["value"])) for each in request.get("headers", ()))
    found = joined(each for each in every if not each[0].startswith(":") and each[0].lower() not in _NOT_REPLAYED)
    if request.get("cookies") and "cookie" not in {name.lower() for name, _ in found}:
        cookies = "; ".join(f"{_text(each['name'])}={_text(each['value'])}" for each in request["cookies"])
        found += (("Cookie", cookies),)
    return found


def _body(request: Entry) -> str | bytes | None:
    posted = request.get("postData") or {}
    text = _text(posted.get("text") or "")
    if text and posted.get("encoding") == "base64":
        return b64decode(text)
    return text or None


def _sent(messages: list[Entry], began_s: float) -> tuple[SentMessage, ...]:
    """Return the messages that the client sent, each with its pause after the one before."""
    at_s, found = began_s, []
    for each in messages:
        if each["type"] == "send":
            text = _text(each["data"])
            data = b64decode(text) if each.get("opcode") == _BINARY else text
            time_s = _time_s(each)
            found.append(SentMessage(data, max(0.0, time_s - at_s)))
            at_s = max(at_s, time_s)
    return tuple(found)


def _named(requests: list[StreamRequest]) -> list[StreamRequest]:
    """Name the streams with their host if there are several hosts."""
    if len({each.place for each in requests}) == 1:
        return requests
    return [
        replace(each, name=each.origin.partition("://")[2].rpartition("@")[2] + each.path.partition("?")[0])
        for each in requests
    ]


def _notes(requests: list[StreamRequest], entries: int) -> tuple[str, ...]:
    session = Session(tuple(requests))
    notes = [f"{len(requests)} of the {entries} recorded requests are streams; only they are replayed"]
    if names := session.credentials:
        notes.append(f"recorded values of {' and '.join(names)} are sent again; they may have expired")
    if any(each.is_websocket and each.end for each in requests):
        notes.append("a WebSocket ends after as many messages as were recorded")
    return tuple(notes)
