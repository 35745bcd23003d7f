"""Parse the heads of HTTP/1.1 responses (RFC 9112) up to the empty line, and skip interim (1xx) responses.

Later minor versions are read as 1.1 (RFC 9110 section 2.5). Lines may end with LF alone, and empty lines before a
status line are skipped. A reason phrase may hold any character, since clients are to ignore it (RFC 9112 section 4).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from streamgauge.wire.blanks import members, trimmed
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.foreign_protocols import spoken

MAX_HEAD_BYTES = 65_536
#: Heads up to this length are remembered: those of a service's responses are the same for a second, its ``Date``.
MAX_KNOWN_BYTES = 2_048

#: A field's name (RFC 9110 section 5.6.2).
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: ([^\r\n]*))?")
_LINE_ENDS = b"\r\n"
#: A CR that ends no line, for which no line end needs to be awaited.
_BARE_CR = re.compile(rb"\r(?![\r\n]|\Z)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a final response. ``fields`` has lower-case names; repeated fields are joined by ``, ``.

    ``set_cookies`` has each Set-Cookie field separately, since their values contain commas.
    """

    status: int
    reason: str
    minor_version: int
    fields: Mapping[str, str]
    set_cookies: tuple[str, ...] = ()
    keeps_alive: bool = field(init=False, compare=False)
    """Whether the peer lets the connection serve another request (RFC 9112 section 9.3)."""

    def __post_init__(self) -> None:
        """Read whether the connection is kept."""
        options = self.tokens("connection") if "connection" in self.fields else []
        keeps_alive = "close" not in options and (self.minor_version >= 1 or "keep-alive" in options)
        object.__setattr__(self, "keeps_alive", keeps_alive)

    def tokens(self, field: str) -> list[str]:
        """Return the comma-separated members of ``field``, in lower case."""
        return [member.lower() for member in members(self.fields.get(field, ""))]


class HeadParser:
    """Collects a response head; ``rest`` holds the bytes that follow it."""

    def __init__(self, max_bytes: int = MAX_HEAD_BYTES) -> None:
        self.rest = b""
        self._held = b""
        self._max_bytes = max_bytes

    def feed(self, data: bytes) -> Head | None:
        """Return the head once it is complete, else None. Raises ProtocolError."""
        start, held = max(0, len(self._held) - 3), self._held + data  # its end may have begun in an earlier read
        held = held if self._held else held.lstrip(_LINE_ENDS)
        while found := _HEAD_END.search(held, start):
            if found.end() > self._max_bytes:
                break
            block = held[: found.start()]
            head = _parse_known_head(block) if len(block) <= MAX_KNOWN_BYTES else parse_head(block)
            start, held = 0, held[found.end() :]
            if head.status >= 200 or head.status == 101:
                self.rest = held
                return head
            held = held.lstrip(_LINE_ENDS)
        if len(held) > self._max_bytes:
            raise ProtocolError(f"response head longer than {self._max_bytes} bytes")
        self._check_so_far(held, start)
        self._held = held
        return None

    @staticmethod
    def _check_so_far(held: bytes, start: int) -> None:
        """Refuse what no further byte can make a head, so that nobody waits for one."""
        first, line_end, _ = held.partition(b"\n")
        if (held and b"HTTP/1."[: len(held)] != held[:7]) or (
            line_end and not _STATUS_LINE.fullmatch(first.removesuffix(b"\r"))
        ):
            raise _no_status_line(held)
        if bare := _BARE_CR.search(held, start):
            raise ProtocolError(f"expected LF after CR in a head, got {held[bare.start() : bare.start() + 8]!r}")

    @property
    def started(self) -> bool:
        """Whether any byte of a head is held."""
        return bool(self._held)


def parse_head(block: bytes) -> Head:
    """Parse the head in ``block``, which ends before the empty line. Raises ProtocolError."""
    first, *lines = [line.removesuffix(b"\r") for line in block.split(b"\n")]
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None:
        raise _no_status_line(first)
    minor, status, reason = status_line.groups()
    fields: dict[str, list[str]] = {}
    for name, value in _field_lines(lines):
        fields.setdefault(name, []).append(value)
    return Head(
        int(status),
        (reason or b"").decode("latin-1"),
        int(minor),
        {name: ", ".join(values) for name, values in fields.items()},
        tuple(fields.get("set-cookie", ())),
    )


#: Nothing changes a Head, so that streams can share one.
_parse_known_head = lru_cache(maxsize=8)(parse_head)


def _field_lines(lines: list[bytes]) -> list[tuple[str, str]]:
    """Return names in lower case, and values; join lines that obs-fold (RFC 9112 section 5.2) continues."""
    found: list[tuple[str, str]] = []
    for line in lines:
        folds = bool(found) and line[:1] in (b" ", b"\t")
        if not is_field_line(line, folds=folds):
            raise ProtocolError(f"expected a header field, got {line[:80]!r}")
        raw_name, _, raw_value = line.partition(b":")
        value = trimmed((line if folds else raw_value).decode("latin-1"))
        if folds:
            name, before = found.pop()
            found.append((name, f"{before} {value}"))
        else:
            found.append((raw_name.decode("ascii").lower(), value))
    return found


def is_field_line(line: bytes, *, folds: bool) -> bool:
    """Whether a line of a header or a trailer is a field, or continues one (``folds``)."""
    name, colon, _ = line.partition(b":")
    return b"\x00" not in line and b"\r" not in line and (folds or (bool(colon) and bool(_TOKEN.fullmatch(name))))


def _no_status_line(data: bytes) -> ProtocolError:
    foreign = spoken(data)
    return ProtocolError(f"expected a status line, got {data[:40]!r}" + (f": this is {foreign}" if foreign else ""))
