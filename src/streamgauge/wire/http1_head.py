"""Parse the heads of HTTP/1.1 responses (RFC 9112) up to the empty line, and skip interim (1xx) responses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from streamgauge.wire.errors import ProtocolError

MAX_HEAD_BYTES = 65_536

#: A field's name (RFC 9110 section 5.6.2).
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a final response. ``fields`` has lower-case names; repeated fields are joined by ``, ``.

    ``set_cookies`` has each Set-Cookie field separately, since their values contain commas. Of several Content-Type
    fields the last one counts (WHATWG Fetch section 2.2.2, "extract a MIME type").
    """

    status: int
    reason: str
    minor_version: int
    fields: Mapping[str, str]
    set_cookies: tuple[str, ...] = ()

    def tokens(self, field: str) -> list[str]:
        """Return the comma-separated members of ``field``, in lower case."""
        return [member.strip().lower() for member in self.fields.get(field, "").split(",") if member.strip()]

    @property
    def keeps_alive(self) -> bool:
        """Whether the peer lets the connection serve another request (RFC 9112 section 9.3)."""
        options = self.tokens("connection")
        return "close" not in options and (self.minor_version == 1 or "keep-alive" in options)


class HeadParser:
    """Collects a response head; ``rest`` holds the bytes that follow it."""

    def __init__(self, max_bytes: int = MAX_HEAD_BYTES) -> None:
        self.rest = b""
        self._held = b""
        self._max_bytes = max_bytes

    def feed(self, data: bytes) -> Head | None:
        """Return the head once it is complete, else None. Raises ProtocolError."""
        start, held = max(0, len(self._held) - 3), self._held + data  # its end may have begun in an earlier read
        while found := _HEAD_END.search(held, start):
            if found.end() > self._max_bytes:
                break
            head = parse_head(held[: found.start()])
            start, held = 0, held[found.end() :]
            if head.status >= 200 or head.status == 101:
                self.rest = held
                return head
        if len(held) > self._max_bytes:
            raise ProtocolError(f"response head longer than {self._max_bytes} bytes")
        if held and not b"HTTP/1."[: len(held)] == held[:7]:
            raise ProtocolError(f"expected a status line, got {held[:40]!r}")
        self._held = held
        return None

    @property
    def started(self) -> bool:
        """Whether any byte of a head is held."""
        return bool(self._held)


def parse_head(block: bytes) -> Head:
    """Parse the head in ``block``, which ends before the empty line. Raises ProtocolError."""
    first, *lines = [line.removesuffix(b"\r") for line in block.split(b"\n")]
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None:
        raise ProtocolError(f"expected a status line, got {first[:80]!r}")
    minor, status, reason = status_line.groups()
    fields: dict[str, list[str]] = {}
    for name, value in _field_lines(lines):
        fields.setdefault(name, []).append(value)
    return Head(
        int(status),
        (reason or b"").decode("latin-1"),
        int(minor),
        {name: values[-1] if name == "content-type" else ", ".join(values) for name, values in fields.items()},
        tuple(fields.get("set-cookie", ())),
    )


def _field_lines(lines: list[bytes]) -> list[tuple[str, str]]:
    """Return names in lower case, and values; join lines that obs-fold (RFC 9112 section 5.2) continues."""
    found: list[tuple[str, str]] = []
    for line in lines:
        folds = bool(found) and line[:1] in (b" ", b"\t")
        raw_name, colon, raw_value = line.partition(b":")
        if b"\x00" in line or b"\r" in line or not (folds or (colon and TOKEN.fullmatch(raw_name))):
            raise ProtocolError(f"expected a header field, got {line[:80]!r}")
        value = (line if folds else raw_value).strip(b" \t").decode("latin-1")
        if folds:
            name, before = found.pop()
            found.append((name, f"{before} {value}"))
        else:
            found.append((raw_name.decode("ascii").lower(), value))
    return found
