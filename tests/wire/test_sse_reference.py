"""Random event streams, read by the decoder and, line by line, as the standard's own steps say."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.sse import SseDecoder


@dataclass
class Interpreter:
    """WHATWG HTML 9.2.6, "interpreting an event stream", on the whole stream at once. Ids are kept by event."""

    data: str = ""
    event: str = ""
    id: str | None = None
    retry_ms: int | None = None
    events: list[tuple[str, str, str | None, int | None]] = field(default_factory=list)

    def interpret(self, stream: bytes) -> list[tuple[str, str, str | None, int | None]]:
        text = stream.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        *lines, _unfinished = re.split("\r\n|\n|\r", text)
        for line in lines:
            if line == "":
                self.dispatch()
            elif line.startswith(":"):
                pass
            elif ":" in line:
                name, value = line.split(":", 1)
                self.process(name, value.removeprefix(" "))
            else:
                self.process(line, "")
        return self.events

    def process(self, name: str, value: str) -> None:
        if name == "event":
            self.event = value
        elif name == "data":
            self.data += value + "\n"
        elif name == "id" and "\0" not in value:
            self.id = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            self.retry_ms = int(value)

    def dispatch(self) -> None:
        if self.data != "":
            self.events.append((self.event or "message", self.data.removesuffix("\n"), self.id, self.retry_ms))
        self.data, self.event, self.id, self.retry_ms = "", "", None, None


ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
NAMES = st.sampled_from([b"data", b"data", b"event", b"id", b"retry", b"", b"x", b"dat", b"data "])
VALUES = st.one_of(
    st.sampled_from([b"", b" ", b"  a", b"12", b"error", b"a:b", b"data:", b"\x00", b"\xef\xbb\xbf", b"\xff"]),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8).map(str.encode),
)
LINES = st.one_of(
    st.tuples(NAMES, st.sampled_from([b":", b": "]), VALUES).map(b"".join),
    NAMES,
    st.just(b""),
    st.binary(max_size=6),
)
STREAMS = st.one_of(
    st.tuples(
        st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb"]),
        st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=20).map(b"".join),
        st.sampled_from([b"", b"data: unfinished"]),
    ).map(b"".join),
    st.lists(st.sampled_from([b"\n", b"\r", b"data", b":", b" ", b"a"]), max_size=40).map(b"".join),
)


@given(STREAMS, st.lists(st.integers(0, 200), max_size=8))
def test_any_stream_holds_the_events_that_the_standard_finds(stream, points):
    edges = [0, *sorted(min(point, len(stream)) for point in points), len(stream)]
    decoder = SseDecoder()
    chunks = [c for a, b in pairwise(edges) for c in decoder.feed([stream[a:b]])] + decoder.close()
    found = [decoder.parse(chunk) for chunk in chunks]
    assert [(e.event, e.data, e.id, e.retry_ms) for e in found] == Interpreter().interpret(stream)
