"""Target of the fuzzer on the short look at a read: it sees what framing and decoder see, in linear time."""

import time
from typing import Any

from streamgauge.wire.http1_body import KNOWN_SIZES, ChunkedBody
from streamgauge.wire.sequence import EventId, number_reader
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.sse_fast_path import whole_event

LONG_BYTES = 65_536
#: 1.5 µs for each byte of a long read; what is linear takes a hundredth of it.
MOST_NS = 100_000_000


def in_chunk(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def check_whole(data: bytes, sizes: list[int]) -> None:
    """As it is and as a transfer chunk; and with a few of its lines, which the sizes choose, again and again."""
    for read in (data, in_chunk(data)):
        check_read(read)
    first, count = [*sizes, 0, 0][:2]
    lines = data.splitlines(keepends=True)
    first, count = first % len(lines), count % 3 + 1
    unit = b"".join(lines[first : first + count])
    before, behind = b"".join(lines[:first]), b"".join(lines[first + count :])
    check_time(in_chunk(before + unit * (LONG_BYTES // len(unit)) + behind))


def check_read(read: bytes) -> None:
    """What is accepted is, for framing and decoder, one chunk of just that, and leaves no trace in either."""
    event = whole_event(read)
    if event is None:
        return
    size_bytes, digits, name = event
    framing, decoder = ChunkedBody(), SseDecoder()
    decoder.feed([b"data:\n\n"])
    between = state_of(framing, decoder)
    KNOWN_SIZES.clear()
    for pieces in ([read], [read], [read[at : at + 1] for at in range(len(read))]):
        body, chunks = b"", []
        for piece in pieces:
            parts = framing.feed(piece)
            body += b"".join(parts)
            chunks += decoder.feed(parts, framing.partial)
        assert (len(body), chunks) == (size_bytes, [body[:-2]]), f"{read!r}: {event!r}, but {chunks!r}"
        assert state_of(framing, decoder) == between, f"{read!r}: {state_of(framing, decoder)!r} is no gap"
    parsed, number = decoder.parse(chunks[0]), number_reader(EventId(), decoder.parse)(chunks[0])
    assert (digits and digits.decode(), digits and int(digits)) == (parsed.id, number), f"{read!r}: {event!r}"
    assert (name or b"message").decode("utf-8", "replace") == parsed.event, f"{read!r}: {event!r}"
    assert parsed.retry_ms is None
    assert "\n" not in parsed.data


def state_of(framing: ChunkedBody, decoder: SseDecoder) -> Any:
    return vars(framing) | {"decoder": vars(decoder) | {"_held": [*decoder._held]}}


def check_time(read: bytes) -> None:
    """Several times, since the processor has other things to do as well."""
    taken_ns = []
    for _ in range(3):
        begun_ns = time.thread_time_ns()
        whole_event(read)
        taken_ns.append(time.thread_time_ns() - begun_ns)
        if taken_ns[-1] < MOST_NS:
            return
    raise AssertionError(f"{len(read)} bytes took {min(taken_ns)} ns: {read[:200]!r}")
