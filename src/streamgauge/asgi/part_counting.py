"""The parts of a multipart body (RFC 2046, section 5.1), counted when they are complete, as readers count them.

1. A delimiter is a line of its own: ``--``, the boundary, and then ``--`` or blanks. Elsewhere these bytes are content.
2. A part with a Content-Length is complete after that many bytes, whatever they are.
3. Any other part is complete at the next delimiter.

Bytes that no standard allows are passed over up to the next delimiter.
"""

import re
from typing import Self

from streamgauge.asgi.chunk_counting import ChunkCounter, MessageCounter

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^";,]+))', re.IGNORECASE)
_TAIL = re.compile(rb"(--)|[ \t]*\r?\n")
_TAIL_BEGUN = re.compile(rb"-?|[ \t]{0,1024}\r?")
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]{1,18})[ \t]*", re.IGNORECASE)
#: Longer heads are taken for content, so that nothing unbounded is held.
_MAX_HEAD_BYTES = 16_384


class PartCounter(ChunkCounter):
    """Multipart: a complete part is a chunk."""

    __slots__ = ("_head_bytes", "_held", "_left_bytes", "_length", "_needle", "_needles", "_parts", "_step")

    between = False

    def __init__(self, boundary: bytes) -> None:
        # Some servers include the two dashes in the parameter; the first delimiter shows whether this one does.
        self._needles = [b"\n--" + boundary, b"\n" + boundary][: 2 if boundary.startswith(b"--") else 1]
        self._needle = self._needles[0]
        self._held = b"\n"  # the body's first line begins here
        self._step = self._find_first
        self._length: int | None = None
        self._head_bytes = self._left_bytes = self._parts = 0

    @classmethod
    def of(cls, content_type: str) -> Self | MessageCounter:
        """Return the counter for the boundary in ``content_type``; a counter of messages if there is none."""
        found = _BOUNDARY.search(content_type)
        return cls((found[1] or found[2]).strip(" \t").encode("latin-1")) if found else MessageCounter()

    def count(self, body: bytes, /) -> int:
        """Return how many parts ``body`` completes."""
        self._parts = 0
        self._held += body
        while self._step():
            pass
        return self._parts

    def _find_first(self) -> bool:
        found = [(self._delimiter_end(needle), needle) for needle in self._needles]
        for end, needle in found:
            if end >= 0:
                self._needle = needle
                return self._begin_part(end)
        self._forget(max(self._needles, key=len))
        return False

    def _find_next(self) -> bool:
        """Read to the delimiter that completes the part, or, after an error, begins the next."""
        end = self._delimiter_end(self._needle)
        if end < 0:
            self._forget(self._needle)
            return False
        self._parts += self._head_bytes >= 0
        return self._begin_part(end)

    def _delimiter_end(self, needle: bytes) -> int:
        """Return where the first complete delimiter ends; -1 if there is none."""
        held, position = self._held, self._held.find(needle)
        while position >= 0:
            tail = _TAIL.match(held, position + len(needle))
            if tail:
                return tail.end()
            position = held.find(needle, position + 1)
        return -1

    def _forget(self, needle: bytes) -> None:
        """Keep only what may begin a delimiter."""
        held, position = self._held, self._held.rfind(needle)
        if position < 0 or not _TAIL_BEGUN.fullmatch(held, position + len(needle)):
            position = max(0, len(held) - len(needle) + 1)
        self._held = held[position:]

    def _begin_part(self, end: int) -> bool:
        """Continue after a delimiter that ends at ``end``."""
        closing = self._held[end - 2 : end] == b"--"
        self._held = b"" if closing else self._held[end:]
        self._step = self._ignore if closing else self._read_head
        self._length, self._head_bytes = None, 0
        return not closing

    def _ignore(self) -> bool:
        self._held = b""
        return False

    def _read_head(self) -> bool:
        """Read one line of the part's head. A delimiter may follow the head at once."""
        held, dashes = self._held, self._needle[1:]
        if held.startswith(dashes) and (tail := _TAIL.match(held, len(dashes))):
            self._parts += self._head_bytes > 0
            return self._begin_part(tail.end())
        end = held.find(b"\n")
        if end < 0 and len(held) <= _MAX_HEAD_BYTES:
            return False
        line = held[: max(end, 0)].removesuffix(b"\r")
        if line and self._head_bytes <= _MAX_HEAD_BYTES:
            if field := _LENGTH.fullmatch(line):
                self._length = int(field[1])
            self._head_bytes += end + 1
            self._held = held[end + 1 :]
            return True
        self._held = held[max(end, 0) :]  # with the head's last LF: the delimiter may follow at once
        self._step = self._find_next if self._length is None else self._pass_over
        self._left_bytes = (self._length or 0) + 1
        return True

    def _pass_over(self) -> bool:
        """Pass over the content of a part with a length, and the LF before it."""
        passed = min(self._left_bytes, len(self._held))
        self._left_bytes -= passed
        self._held = self._held[passed:]
        if self._left_bytes:
            return False
        self._parts += 1
        self._step = self._pass_gap
        return True

    def _pass_gap(self) -> bool:
        """Read the line ends and the delimiter after a part with a length; after anything else, find the next part."""
        held, dashes = self._held.lstrip(b"\r\n"), self._needle[1:]
        if len(held) < len(dashes) and dashes.startswith(held):
            self._held = held
            return False
        tail = _TAIL.match(held, len(dashes)) if held.startswith(dashes) else None
        if tail:
            self._held = held
            return self._begin_part(tail.end())
        if held.startswith(dashes) and _TAIL_BEGUN.fullmatch(held, len(dashes)):
            self._held = held
            return False
        self._held, self._head_bytes = b"\n" + held, -1
        self._step = self._find_next
        return True
