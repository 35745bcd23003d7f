"""Reads a curl command, as a person writes it or a browser copies it: the request, and how the service is reached."""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

from streamgauge.client.http.request import RequestError, utf8
from streamgauge.quick_run import curl_options
from streamgauge.quick_run.curl_options import CurlProblem, options_of
from streamgauge.quick_run.shell_words import QuotingError, split
from streamgauge.quick_run.stream_request import (
    Field,
    RequestProblem,
    Session,
    StreamRequest,
    joined,
    protocol_of_url,
    whole_url,
)

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
#: Headers of an opening that the client writes itself.
_OF_OPENING = frozenset(
    ("upgrade", "connection", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions")
)
_WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}
#: The values that may be any bytes.
_BYTES = frozenset(("data", "data_raw", "data_binary", "json"))
#: What the options of the network are called in Locust.
_NETWORK = {
    "proxy": "stream_proxy",
    "cert": "stream_client_cert",
    "key": "stream_client_key",
    "cacert": "stream_ca_file",
    "unix_socket": "stream_unix_socket",
    "connect_to": "stream_connect_to",
    "resolve": "stream_resolve",
}


def curl_session(command: str) -> Session:
    """Read the text of a curl command. Raises CurlProblem and RequestProblem."""
    try:
        words = split(command)
    except QuotingError as error:
        raise CurlProblem(f"{error}") from None
    if not words or Path(words[0]).name.lower() not in ("curl", "curl.exe"):
        raise CurlProblem(f"expected a command that begins with curl, got {command[:40]!r}")
    return curl_session_of_words(words[1:])


def curl_session_of_words(words: Sequence[str]) -> Session:
    """Read the words that follow ``curl``. Raises CurlProblem and RequestProblem."""
    command = _Command()
    for name, value in options_of(words):
        command.add(name, value)
    return command.session()


class _Command:
    """A command as its options add up."""

    def __init__(self) -> None:
        self._urls: list[str] = []
        self._headers: list[Field] = []
        self._data: list[bytes] = []
        self._cookies: list[str] = []
        self._found: dict[str, str] = {}
        self._lists: dict[str, list[str]] = {"connect_to": [], "resolve": [], "url_query": []}
        self._kind = _FORM
        self._notes: list[str] = []

    def add(self, name: str, value: str) -> None:
        if not name or curl_options.VALUES.get(name) == "url":
            _check_text(name or "the URL", value)
            self._urls.append(value)
        elif key := curl_options.VALUES.get(name):
            self._set(name, key, value)
        elif key := curl_options.SWITCHES.get(name):
            self._found[key] = "yes"
        elif name in curl_options.NOTED_SWITCHES or name in curl_options.NOTED_VALUES:
            self._notes.append(f"curl's {name} has no effect here")
        elif name not in curl_options.SILENT and name not in curl_options.SILENT_VALUES:
            raise CurlProblem(f"{name}: streamgauge does not know this option of curl; leave it out, or use others")

    def _set(self, name: str, key: str, value: str) -> None:
        if key not in _BYTES:
            _check_text(name, value)
        if key.startswith("data") or key == "json":
            self._data.append(_data(name, key, value))
            self._kind = _JSON if key == "json" else self._kind
        elif key == "header":
            self._headers += _headers(name, value)
        elif key == "cookie":
            if "=" not in value:
                raise CurlProblem(
                    f"{name} {value!r}: expected cookies such as 'name=value'; files of cookies are not read"
                )
            self._cookies.append(value)
        elif key in self._lists:
            self._lists[key].append(value)
        else:
            self._found[key] = value

    def session(self) -> Session:
        if len(self._urls) != 1:
            raise CurlProblem(f"expected one URL, got {', '.join(map(repr, self._urls)) or 'none'}")
        if "head" in self._found:
            raise CurlProblem("-I: a response without a body is no stream; leave it out")
        request = self._request(whole_url(self._urls[0]))
        options: dict[str, object] = {ours: self._found[name] for name, ours in _NETWORK.items() if name in self._found}
        options |= {
            _NETWORK[name]: "\n".join(found) for name, found in self._lists.items() if found and name in _NETWORK
        }
        if "insecure" in self._found:
            options["stream_insecure"] = True
        if "proxy" in self._found and "://" not in self._found["proxy"]:
            options["stream_proxy"] = f"http://{self._found['proxy']}"
        return Session((request,), options, tuple(dict.fromkeys(self._notes)))

    def _request(self, url: str) -> StreamRequest:
        headers, body = self._all_headers(), b"".join(_joined(self._data, self._kind)) if self._data else None
        query = [*self._lists["url_query"]]
        if "get" in self._found and body is not None:
            try:
                query, body = [*query, body.decode()], None
            except UnicodeDecodeError as error:
                raise CurlProblem(
                    f"-G: expected data that is UTF-8 text, got {error.object[:40]!r}; encode it with --data-urlencode"
                ) from None
        url = _with_query(url, query)
        names = {name.lower() for name, _ in headers}
        if body is not None:
            headers += [("Content-Type", self._kind)] if "content-type" not in names else []
            headers += [("Accept", _JSON)] if self._kind == _JSON and "accept" not in names else []
        if (upgrade := dict(headers)) and any(
            name.lower() == "upgrade" and value and value.lower() == "websocket" for name, value in upgrade.items()
        ):
            scheme, _, rest = url.partition("://")
            url = f"{_WEBSOCKET_SCHEMES.get(scheme, scheme)}://{rest}"
        protocol = protocol_of_url(url)
        if protocol:
            headers = [each for each in headers if each[0].lower() not in _OF_OPENING]
        return StreamRequest(
            url,
            method=self._found.get("method", "GET" if body is None or protocol else "POST").upper(),
            headers=tuple(each for each in headers if not _own(each)),
            body=_text(body),
            protocol=protocol,
            total_timeout_s=self._max_time_s(),
        )

    def _all_headers(self) -> list[Field]:
        """Return the fields; one that ``-H`` names wins over the option that would set it."""
        found = self._found
        set_by_option = {
            "User-Agent": found.get("user_agent"),
            "Referer": found.get("referer", "").removesuffix(";auto") or None,
            "Cookie": "; ".join(self._cookies) or None,
            "Accept-Encoding": "gzip, deflate, br, zstd" if "compressed" in found else None,
            "Authorization": _authorization(found),
        }
        given = {name.lower() for name, _ in self._headers}
        by_option = ((name, value) for name, value in set_by_option.items() if name.lower() not in given)
        return [*((name, value or None) for name, value in by_option if value is not None), *joined(self._headers)]

    def _max_time_s(self) -> float | None:
        text = self._found.get("max_time")
        try:
            seconds = float(text) if text is not None else None
        except ValueError:
            seconds = -1.0
        if seconds is not None and not 0 <= seconds < float("inf"):
            raise CurlProblem(f"--max-time: expected seconds, got {text!r}")
        return seconds or None


def _check_text(name: str, value: str) -> None:
    try:
        utf8(value)
    except RequestError as error:
        raise CurlProblem(f"{name}: {error}") from None


def _own(field: Field) -> bool:
    """Whether the client writes this field itself: a browser's pseudo fields, the body's length, keep-alive."""
    name, value = field[0].lower(), field[1] or ""
    return name.startswith(":") or name == "content-length" or (name, value.lower()) == ("connection", "keep-alive")


def _authorization(found: dict[str, str]) -> str | None:
    if "bearer" in found:
        return f"Bearer {found['bearer']}"
    if "user" in found:
        return "Basic " + b64encode(found["user"].encode()).decode()
    return None


def _headers(name: str, value: str) -> list[Field]:
    """Read ``K: V``, ``K:`` (do not send it), ``K;`` (send it without a value), or ``@FILE`` with one a line."""
    if value.startswith("@"):
        lines = _file(name, value[1:]).decode(errors="replace").splitlines()
        return [field for line in lines if line.strip() for field in _headers(name, line)]
    field, colon, text = value.partition(":" if not value.startswith(":") else ": ")
    if not colon and value.endswith(";"):
        return [(value[:-1].strip(), "")]
    if not colon:
        raise CurlProblem(f"{name}: expected 'Name: value', got {value!r}")
    return [(field.strip(), text.strip() or None)]


def _file(name: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise CurlProblem(f"{name}: {path!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _data(name: str, key: str, value: str) -> bytes:
    """Return what one option adds to the body. Only ``--data`` removes line breaks of files, as curl does."""
    if key == "data_urlencode":
        return _urlencoded(name, value).encode()
    if not value.startswith("@") or key == "data_raw":
        return value.encode("utf-8", "surrogateescape")
    data = _file(name, value[1:])
    return data.translate(None, b"\r\n\0") if key == "data" else data


def _urlencoded(name: str, value: str) -> str:
    """Read ``content``, ``=content``, ``name=content``, ``@file`` and ``name@file``."""
    field, mark, content = value.partition("=")
    if not mark:
        field, mark, content = value.partition("@")
        if not mark:
            return quote_plus(value)
        content = _file(name, content).decode(errors="replace")
    return (f"{field}=" if field else "") + quote_plus(content)


def _joined(parts: list[bytes], kind: str) -> list[bytes]:
    """Join the parts of a body: those of a form with ``&``."""
    return [part if not at or kind == _JSON else b"&" + part for at, part in enumerate(parts)]


def _text(body: bytes | None) -> str | bytes | None:
    if body is None:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _with_query(url: str, parts: list[str]) -> str:
    if not parts:
        return url
    query = urlsplit(url).query
    try:
        return whole_url(f"{url}{'&' if query else '?'}{'&'.join(parts)}")
    except RequestProblem as problem:
        raise CurlProblem(str(problem)) from None
