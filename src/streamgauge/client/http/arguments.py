"""Reads the arguments of a request as requests and httpx take them, or says what to use instead.

Each function raises TypeError for a value of a type that it cannot use, and RequestError for one that cannot be sent.
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from streamgauge.client.connect.target import basic
from streamgauge.client.http.request import RequestError, body_of

#: Header fields: a mapping, or pairs. A value of None removes the field that would be sent otherwise.
HeaderArgument = Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None
#: Parts of a query: a mapping, pairs, or the text itself.
ParamsArgument = Mapping[str, object] | Iterable[tuple[str, object]] | str | bytes | None

_FORM = "application/x-www-form-urlencoded"
#: Arguments of other clients, and what does the same here.
_INSTEAD = {
    **dict.fromkeys(("verify", "ssl"), "--stream-insecure or --stream-ca-file sets this for the whole run"),
    "cert": "--stream-client-cert and --stream-client-key set this for the whole run",
    **dict.fromkeys(("proxies", "proxy"), "--stream-proxy sets this for the whole run"),
    "timeout": "use first_chunk_timeout_s, idle_timeout_s or total_timeout_s",
    "catch_response": "look at the record that is returned",
    "files": "encode the form yourself, and give it as data= with its Content-Type in headers=",
    **dict.fromkeys(("hooks", "event_hooks"), "add a listener to Locust's request event"),
}


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call says of its request."""

    headers: dict[str, str]
    removed: frozenset[str]
    """Fields not to send, by lower-case name."""
    params: Mapping[str, object] | list[tuple[str, object]] | str | None
    body: bytes
    max_redirects: int | None
    """None if the call does not say."""


def read_arguments(
    headers: HeaderArgument, params: ParamsArgument, json: Any, data: Any, others: dict[str, Any]
) -> Arguments:
    """Read the arguments of one call; take those that belong to its request out of ``others``."""
    given, removed = _fields(headers)
    if others:
        given = _credentials(others) | given
    if "content" in others:
        if data is not None:
            raise TypeError("content: data= has the body already")
        data = others.pop("content")
    body, of_body = _body(json, data)
    of_body = {name: value for name, value in of_body.items() if name.lower() not in removed}
    return Arguments(of_body | given, removed, _params(params), body, _max_redirects(others))


def no_such_argument(call: str, name: str) -> TypeError:
    """Return the error of a call that has no argument of this name; it says what to use instead, if that is known."""
    words = _INSTEAD.get(name)
    return TypeError(f"{call}() has no argument {name!r}" + (f": {words}" if words else ""))


def check_callbacks(**callbacks: object) -> None:
    """Raise TypeError for an async function, and for an ``on_…`` that is not a function; by argument."""
    for name, value in callbacks.items():
        if value is None:
            continue
        if not callable(value):
            if name.startswith("on_"):
                raise TypeError(f"{name}: expected a function, got {value!r}")
            continue
        for each in (value, value.__call__):  # an object may have an async method
            if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
                shown = getattr(value, "__name__", repr(value))
                raise TypeError(f"{name}: expected a plain function, got the async {shown!r}, which nothing awaits")


def header_pairs(headers: HeaderArgument) -> list[tuple[Any, Any]]:
    """Return the name and the value of each field."""
    if headers is None:
        return []
    if isinstance(headers, Mapping):
        return list(headers.items())
    if isinstance(headers, str | bytes) or not isinstance(headers, Iterable):
        raise TypeError(f"headers: expected a mapping, or pairs of name and value, got {type(headers).__name__}")
    return list(headers)


def _fields(headers: HeaderArgument) -> tuple[dict[str, str], frozenset[str]]:
    found: dict[str, tuple[str, str]] = {}
    removed = set()
    for each in header_pairs(headers):
        name, value = _field(each)
        found.pop(name.lower(), None)
        if value is None:
            removed.add(name.lower())
        else:
            found[name.lower()] = name, value
            removed.discard(name.lower())
    return dict(found.values()), frozenset(removed)


def _field(pair: Any) -> tuple[str, str | None]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"headers: expected pairs of name and value, got {type(pair).__name__}")
    name, value = pair
    name = name.decode("latin-1") if isinstance(name, bytes) else name
    value = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(name, str):
        raise TypeError(f"headers: expected a name, got {name!r}")
    if value is not None and not isinstance(value, str):
        raise TypeError(f"headers: {name}: expected text or bytes, got {value!r}; use str(…)")
    if value is not None and ("\n" in value or "\r" in value):  # the value may be a secret
        raise RequestError(f"headers: {name}: expected one line, got a line break; use .strip()")
    return name, value


def _params(params: ParamsArgument) -> Mapping[str, object] | list[tuple[str, object]] | str | None:
    if params is None:
        return None
    if isinstance(params, str | bytes):
        text = params if isinstance(params, str) else params.decode()
        return text.removeprefix("?")
    return _pairs("params", params)


def _pairs(argument: str, given: Any) -> list[tuple[str, object]]:
    """Return the pairs of a mapping, or of pairs, without those that have no value."""
    found = given.items() if isinstance(given, Mapping) else given
    try:
        return [(name, value) for name, value in found if value is not None]
    except (TypeError, ValueError):
        shown = type(given).__name__
        raise TypeError(f"{argument}: expected a mapping, or pairs of name and value, got {shown}") from None


def _body(json: Any, data: Any) -> tuple[bytes, dict[str, str]]:
    if data is None or isinstance(data, str | bytes):
        return body_of(json, data)
    if isinstance(data, bytearray | memoryview):
        return body_of(json, bytes(data))
    if isinstance(data, Mapping | list | tuple):
        if not data:
            return body_of(json, None)
        form, _ = body_of(json, urlencode(_pairs("data", data), doseq=True))
        return form, {"Content-Type": _FORM}
    if hasattr(data, "read"):
        return _body(json, data.read())
    raise TypeError(f"data: expected text, bytes, a form or an open file, got {type(data).__name__}")


def _credentials(others: dict[str, Any]) -> dict[str, str]:
    """Return the fields of ``auth`` and ``cookies``."""
    found = {}
    if (auth := others.pop("auth", None)) is not None:
        if not (isinstance(auth, tuple | list) and len(auth) == 2 and all(isinstance(each, str) for each in auth)):
            shown = type(auth).__name__
            raise TypeError(f"auth: expected (user, password), got {shown}; use headers= with Authorization")
        found["Authorization"] = basic(*auth)
    if (cookies := others.pop("cookies", None)) is not None:
        found["Cookie"] = "; ".join(f"{name}={value}" for name, value in _pairs("cookies", cookies))
    return found


def _max_redirects(others: dict[str, Any]) -> int | None:
    for name in ("allow_redirects", "follow_redirects"):
        if name in others and not others.pop(name):
            return 0
    return None
