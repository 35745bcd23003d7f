"""What a faulty source can do, and what each of it means. All that is at random comes from a seed.

How many events come first, how long they are, how they are cut and where exactly the fault lies is at random. All
streams are Server-Sent Events that should end with ``event: done``, unless it says otherwise here.

========================  ================  ============================================================================
behaviour                 means             what the source does
========================  ================  ============================================================================
good_chunked              completed         transfer chunks that do not follow the events
good_length               completed         a Content-Length, and as much
good_close                completed         all until a FIN, which is the end where nothing else says so
good_then_rst             completed         a whole body, and a reset behind it
good_coded                completed         gzip, deflate, br or zstd, flushed behind each event
good_lines                completed         NDJSON
good_line_ends            completed         CR, LF and CRLF in turn, comments, a BOM, ids
slow_drip                 completed         a byte or a few at a time
bad_utf8                  completed         bytes that are no UTF-8: the standard reads U+FFFD, and no error
extensions_and_trailers   completed         chunk extensions, trailer fields, interim responses before the head
missing_end               incomplete        a clean end of the body, and no ``event: done``
missing_end_before_fin    incomplete        the same, where a FIN is the end
length_too_small          incomplete        a Content-Length that leaves ``event: done`` out
fin_before_head           truncated         a FIN for an answer
fin_in_head               truncated         a FIN inside the head
fin_in_chunk              truncated         a FIN inside a transfer chunk
fin_between_chunks        truncated         a FIN where the next transfer chunk should begin, even behind the named end
rst_in_body               truncated         a reset inside the body
rst_before_fin            truncated         a reset where a FIN would have been the end
length_too_large          truncated         a Content-Length, less than that, and a FIN
coding_cut_off            truncated         coded data that end in the middle, in a body that is whole
event_error               in_band_error     ``event: error``
line_error                in_band_error     NDJSON with a line that is ``{"error": …}``
silent                    stalled           nothing at all
silent_body               stalled           a head, and nothing more
stalls                    stalled           some events, and nothing more
heartbeats_only           stalled           some events, and then comments alone
drips_no_event            stalled           some events, and then one that never ends
endless                   stalled           events, and no end within the total limit
bad_chunk_size            protocol_error    a transfer chunk's size that is no number
bad_chunk_end             protocol_error    something else than CRLF behind a transfer chunk
over_long_size_line       protocol_error    a chunk extension without end
over_long_header          protocol_error    a field of more than 64 KiB
bad_header                protocol_error    a field without a colon
bad_status_line           protocol_error    something that is no HTTP
two_lengths               protocol_error    two Content-Lengths that differ
over_long_event           protocol_error    an event longer than the limit
coding_broken             protocol_error    coded data with bytes that cannot be
status                    http_error        a status from 400 on
another_type              http_error        a page instead of events
hang_up                   aborted           events, on which the client hangs up
========================  ================  ============================================================================
"""

import json
import random
import zlib
from collections.abc import Callable

from benchmarks.fault_parts import (
    CHUNKED,
    DONE,
    END,
    SSE,
    Step,
    again,
    chunk_of,
    chunked,
    chunks_of,
    coded_body,
    event_of,
    events_of,
    paced,
)

Build = Callable[[random.Random], list[Step]]

LINES = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
#: The longest event that clients are to accept.
MAX_EVENT_BYTES = 20_000
_BEHAVIOURS: dict[str, Build] = {}


def meanings() -> dict[str, str]:
    """What each behaviour means, by the table above."""
    assert __doc__ is not None
    rows = [line.split()[:2] for line in __doc__.split("\n") if line[:1].isalpha() and line.count("  ") > 1]
    return {name: outcome for name, outcome in rows if name != "behaviour"}


def script_of(name: str, seed: int) -> list[Step]:
    """What the source does. Raises KeyError."""
    return _BEHAVIOURS[name](random.Random(f"{name} {seed}"))


def _behaviour(build: Build) -> Build:
    _BEHAVIOURS[build.__name__] = build
    return build


# What is good


@_behaviour
def good_chunked(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), DONE), END]


@_behaviour
def good_length(rng: random.Random) -> list[Step]:
    body = b"".join((*events_of(rng), DONE))
    return [SSE + b"Content-Length: %d\r\n\r\n" % len(body), *paced(rng, [body])]


@_behaviour
def good_close(rng: random.Random) -> list[Step]:
    return [SSE + b"\r\n", *paced(rng, [*events_of(rng), DONE]), "fin"]


@_behaviour
def good_then_rst(rng: random.Random) -> list[Step]:
    return [*good_chunked(rng), 0.05, "rst"]


@_behaviour
def good_coded(rng: random.Random) -> list[Step]:
    head, pieces = coded_body(rng)
    return [head, *paced(rng, [chunk_of(piece) for piece in pieces if piece]), END]


@_behaviour
def good_lines(rng: random.Random) -> list[Step]:
    lines = [json.dumps({"n": n, "text": event_of(rng).decode()}).encode() + b"\n" for n in range(rng.randint(1, 6))]
    return [*chunked(rng, *lines, head=LINES), END]


@_behaviour
def good_line_ends(rng: random.Random) -> list[Step]:
    events = [b": hi\n\n", *(b"id: %d\n%b" % at for at in enumerate(events_of(rng))), b": ping\n\n", DONE]
    ended = [event.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n"))) for event in events]
    return [*chunked(rng, b"\xef\xbb\xbf", *ended), END]


@_behaviour
def slow_drip(rng: random.Random) -> list[Step]:
    whole = b"".join(step for step in good_chunked(random.Random(rng.random())) if isinstance(step, bytes))
    size = max(1, len(whole) // 40)
    return [step for at in range(0, len(whole), size) for step in (whole[at : at + size], 0.02)]


@_behaviour
def bad_utf8(rng: random.Random) -> list[Step]:
    broken = rng.choice((b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80"))
    return [*chunked(rng, *events_of(rng), b"data: a" + broken + b"z\n\n", DONE), END]


@_behaviour
def extensions_and_trailers(rng: random.Random) -> list[Step]:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * rng.randint(0, 2)
    chunks = [b"%x;name=%d\r\n%b\r\n" % (len(each), len(each), each) for each in (*events_of(rng), DONE)]
    return [interim + SSE + CHUNKED, *paced(rng, chunks), b"0\r\nDigest: x\r\nA: b\r\n\r\n"]


# What ends too early


@_behaviour
def missing_end(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), END]


@_behaviour
def missing_end_before_fin(rng: random.Random) -> list[Step]:
    return [SSE + b"\r\n", *paced(rng, events_of(rng)), "fin"]


@_behaviour
def length_too_small(rng: random.Random) -> list[Step]:
    # In one write: what comes later would be taken for the next response, by any client that keeps its connection.
    events = b"".join(events_of(rng))
    length = len(events) + rng.randint(0, len(DONE) - 1)
    return [SSE + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % length + events + DONE, "fin"]


@_behaviour
def fin_before_head(rng: random.Random) -> list[Step]:
    return [rng.choice((0.0, 0.01)), "fin"]


@_behaviour
def fin_in_head(rng: random.Random) -> list[Step]:
    head = SSE + CHUNKED
    return [head[: rng.randint(1, len(head) - 1)], "fin"]


@_behaviour
def fin_in_chunk(rng: random.Random) -> list[Step]:
    last = chunk_of(rng.choice((event_of(rng), DONE)))
    return [*chunked(rng, *events_of(rng)), last[: rng.randint(1, len(last) - 1)], "fin"]


@_behaviour
def fin_between_chunks(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), *rng.choice(((), (DONE,)))), rng.choice((b"", b"0\r\n")), "fin"]


@_behaviour
def rst_in_body(rng: random.Random) -> list[Step]:
    return [*fin_in_chunk(rng)[:-1], rng.choice((0.0, 0.02)), "rst"]


@_behaviour
def rst_before_fin(rng: random.Random) -> list[Step]:
    return [SSE + b"\r\n", *paced(rng, [*events_of(rng), DONE]), 0.02, "rst"]


@_behaviour
def length_too_large(rng: random.Random) -> list[Step]:
    body = b"".join((*events_of(rng), DONE))
    return [SSE + b"Content-Length: %d\r\n\r\n" % (len(body) + rng.randint(1, 1000)), *paced(rng, [body]), "fin"]


@_behaviour
def coding_cut_off(rng: random.Random) -> list[Step]:
    head, pieces = coded_body(rng)
    coded = b"".join(pieces)
    return [head, *paced(rng, chunks_of(rng, coded[: rng.randint(2, len(coded) - 1)])), END]


# What says so itself


@_behaviour
def event_error(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), b"event: error\ndata: too hot\n\n", *rng.choice(((), (DONE,)))), END]


@_behaviour
def line_error(rng: random.Random) -> list[Step]:
    error = {"error": rng.choice(("too hot", {"code": 5}, True))}
    return [*chunked(rng, b'{"n": 1}\n', json.dumps(error).encode() + b"\n", head=LINES), END]


# What stalls


@_behaviour
def silent(_: random.Random) -> list[Step]:
    return ["hang"]


@_behaviour
def silent_body(rng: random.Random) -> list[Step]:
    return [SSE + rng.choice((CHUNKED, b"Content-Length: 5\r\n\r\n", b"\r\n")), "hang"]


@_behaviour
def stalls(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng, 1)), "hang"]


@_behaviour
def heartbeats_only(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), *again(600, chunk_of(b": on\n\n"), 0.1), "hang"]


@_behaviour
def drips_no_event(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng), b"data: "), *again(600, chunk_of(b"x"), 0.1), "hang"]


@_behaviour
def endless(rng: random.Random) -> list[Step]:
    return [SSE + CHUNKED, *again(1_200, chunk_of(event_of(rng)), 0.05), "hang"]


# What no standard allows


@_behaviour
def bad_chunk_size(rng: random.Random) -> list[Step]:
    size = rng.choice((b"zz", b"-5", b"0x5", b" 5", b"", b"5 5", b"123456789012345678", b"\xff"))
    return [*chunked(rng, *events_of(rng)), size + b"\r\ndata:\r\n", "hang"]


@_behaviour
def bad_chunk_end(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), b"5\r\ndata:" + rng.choice((b"\n\n", b"ab", b"\rX")), "hang"]


@_behaviour
def over_long_size_line(rng: random.Random) -> list[Step]:
    return [*chunked(rng, *events_of(rng)), b"5;" + b"x" * 20_000, "hang"]


@_behaviour
def over_long_header(rng: random.Random) -> list[Step]:
    field = b"X-Long: " + b"x" * rng.randint(65_536, 200_000)
    return [SSE + field + rng.choice((b"", b"\r\n" + CHUNKED)), "hang"]


@_behaviour
def bad_header(rng: random.Random) -> list[Step]:
    field = rng.choice((b"no colon", b"bad name: x", b": x", b"A\x00B: x", b"A : b"))
    return [SSE + field + b"\r\n" + CHUNKED, "hang"]


@_behaviour
def bad_status_line(rng: random.Random) -> list[Step]:
    line = rng.choice((b"SSH-2.0-x", b"HTTP/2.0 200 OK", b"HTTP/1.1 20 OK", b"ICY 200 OK", b"data: 1", b"HTTP/1.1200"))
    return [line + b"\r\n" + SSE.partition(b"\r\n")[2] + CHUNKED, "hang"]


@_behaviour
def two_lengths(rng: random.Random) -> list[Step]:
    values = rng.choice((b"5\r\nContent-Length: 6", b"5, 6", b"-5", b"+5", b"5x", b""))
    return [SSE + b"Content-Length: " + values + b"\r\n\r\n" + DONE, "hang"]


@_behaviour
def over_long_event(rng: random.Random) -> list[Step]:
    event = b"data: " + b"x" * (MAX_EVENT_BYTES + rng.randint(1, 50_000)) + rng.choice((b"", b"\n\n"))
    return [*chunked(rng, *events_of(rng), event), "hang"]


@_behaviour
def coding_broken(rng: random.Random) -> list[Step]:
    head = SSE + b"Content-Encoding: gzip\r\n" + CHUNKED
    packer = zlib.compressobj(wbits=31)
    good = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in events_of(rng, 1)]
    # A block of the type that deflate reserves.
    return [head, *paced(rng, [chunk_of(piece) for piece in (*good, b"\x07\xff\xff\xff")]), "hang"]


# What is refused, and what the client ends


@_behaviour
def status(rng: random.Random) -> list[Step]:
    code = rng.choice((400, 401, 403, 404, 429, 500, 502, 503, 504))
    return [b"HTTP/1.1 %d Oh\r\nContent-Type: text/event-stream\r\nContent-Length: 2\r\n\r\nno" % code]


@_behaviour
def another_type(rng: random.Random) -> list[Step]:
    kind = rng.choice((b"text/html", b"application/json", b"text/plain", b""))
    return [SSE.replace(b"text/event-stream", kind) + b"Content-Length: %d\r\n\r\n" % len(DONE) + DONE]


@_behaviour
def hang_up(rng: random.Random) -> list[Step]:
    return [SSE + CHUNKED, *again(600, chunk_of(event_of(rng)), 0.02), "hang"]
