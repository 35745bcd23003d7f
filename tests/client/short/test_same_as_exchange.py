"""A stream that goes the short way has the record and the counts that an exchange gives it, whatever comes."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.client.connect.dial import Route
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.short.short_plan import ShortPlan
from streamgauge.client.short.short_stream import ShortStream
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.rules import read_end

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
START_NS = 1_000_000_000
PLAIN = (
    b"data: 1\n\n",
    b'data: {"number": 2}\n\n',
    b"id: 7\ndata: with an id\n\n",
    b"event: word\ndata: named\n\n",
    b"data: named behind\nevent: word\n\n",
    b"data:\n\n",
    b"data: [DONE]\n\n",
)
ODD = (
    b": heartbeat\n\n",
    b"data: two\ndata: lines\n\n",
    b"data: crlf\r\n\r\n",
    b"event: error\ndata: gone\n\n",
    b'data: {"error": {"message": "gone"}}\n\n',
    b"id: x\ndata: odd id\n\n",
    b"retry: 10\ndata: 1\n\n",
    b"data: one\n\ndata: chunk, two events\n\n",
    b"data: half an ev",
    b"ent\n\n",
    b"\n",
    b"\xef\xbb\xbfdata: mark\n\n",
    b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
)
END = b"event: done\ndata: bye\n\n"
CLOSINGS = (LAST, b"", b"0\r\nTrailer: 1\r\n\r\n", LAST + b"more", b"0\r\n", b"zz\r\n")


def transfer_chunk(data: bytes, size: str = "%x") -> bytes:
    return (size % len(data)).encode() + b"\r\n" + data + b"\r\n"


class Socket:
    def fileno(self) -> int:
        return 99

    def send(self, data: bytes) -> int:
        return len(data)

    def getsockopt(self, *_: int) -> bytes:
        raise OSError


class Watching:
    """A watch of the event loop that never calls back, and the loop itself."""

    def __getattr__(self, name: str):
        return lambda *_: self


class Transport(Watching):
    """A connection on which nothing happens by itself. All of the first read came at once, or not."""

    sock, end, beyond = Socket(), None, False

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once

    def came_at_once(self) -> bool:
        found, self._at_once = self._at_once, False
        return found

    def read(self) -> tuple[bytes, int]:
        raise BlockingIOError


def streamed(plan: StreamPlan, reads, *, at_once=True, late_ends=0.0, short=True):
    """Read a stream of such reads: data and arrival. Return how it went, its record and all counts."""
    process_stats = ProcessStats(lambda: START_NS)
    context = ProcessContext(process_stats, Watching(), cpu_waited_ns=lambda: 0, cpu_busy_ns=lambda: None)
    for wire_format in ("sse", "auto"):
        process_stats.stats("stream", wire_format).late_ends = late_ends
    connection = Transport(at_once=at_once), Route(()), plan.request
    stream = ShortStream(plan, ShortPlan(plan), context, connection, lambda: None)
    stream.send()
    for data, arrival_ns in reads:
        context.clock.floor_ns = arrival_ns - 400_000
        stream.pass_on(data, arrival_ns)
    went_short = short and stream.end()
    if not went_short:
        exchange = stream.exchange()
        exchange.censor()
    if plan.checked_later:
        stream.settle(stream.record)
    every = {
        key: (stats.to_dict(), stats.typical_chunks, stats.late_ends, stats.slowest.to_list())
        for key, stats in process_stats.all_stats.items()
        if not stats.empty
    }
    return went_short, stream.record, every, process_stats.active


def plan_of(protocol="sse", end: str | None = "event:done", **more) -> StreamPlan:
    request = Request("GET", target_of("http://127.0.0.1:1/path"), {})
    return StreamPlan("stream", request, FORMATS[protocol], read_end(end), Limits(), **more)


def differences(plan: StreamPlan, reads, **how) -> tuple[bool, list[str]]:
    """Return whether the stream went the short way, and what differs from an exchange."""
    went_short, record, every, active = streamed(plan, reads, **how)
    _, expected, expected_every, expected_active = streamed(plan, reads, short=False, **how)
    found = [
        f"{each.name}: {getattr(record, each.name)} for {getattr(expected, each.name)}"
        for each in fields(record)
        if getattr(record, each.name) != getattr(expected, each.name)
    ]
    if every != expected_every:
        found.append(f"{every}\nfor\n{expected_every}")
    return went_short, found + ([] if active == expected_active == 0 else ["active"])


def cut(data: bytes, places: list[float], at_chunks: bool) -> list[tuple[bytes, int]]:
    """Cut what a service sends into reads, at these shares of its length, or at the transfer chunks next to them."""
    ends = [at + 2 for at in range(len(data)) if data.startswith(b"\r\n", at)] if at_chunks else []
    positions = {int(place * len(data)) for place in places}
    if ends:
        positions = {min(ends, key=lambda end: abs(end - position)) for position in positions}
    bounds = sorted({0, len(data)} | positions)
    pieces = [data[begin:end] for begin, end in pairwise(bounds)]
    return [(piece, START_NS + 1_000_000 * (number + 1)) for number, piece in enumerate(pieces) if piece]


events = st.lists(st.sampled_from(PLAIN * 3 + ODD), max_size=6)
plans = st.sampled_from(
    (
        plan_of(),
        plan_of(end=None),
        plan_of(end="data:[DONE]"),
        plan_of("auto", None),
        plan_of("auto"),
        plan_of(checked_later=True),
        replace(plan_of(), limits=Limits(max_chunk_bytes=12)),
    )
)


@given(
    plan=plans,
    before=events,
    ends=st.lists(st.just(END), max_size=2),
    after=st.lists(st.sampled_from(PLAIN), max_size=1),
    closing=st.sampled_from(CLOSINGS[:1] * 6 + CLOSINGS),
    size=st.sampled_from(("%x", "%x", "%X", "0%x", "%x;extension")),
    places=st.lists(st.floats(0, 1), max_size=4),
    at_chunks=st.booleans(),
    at_once=st.booleans(),
    late_ends=st.sampled_from((0.0, 1.0)),
)
def test_any_stream_counts_as_in_an_exchange(
    plan, before, ends, after, closing, size, places, at_chunks, at_once, late_ends
):
    sent = HEAD + b"".join(transfer_chunk(event, size) for event in (*before, *ends, *after)) + closing
    _, found = differences(plan, cut(sent, places, at_chunks), at_once=at_once, late_ends=late_ends)
    assert found == []


def sent(*data: bytes, head: bytes = HEAD) -> list[bytes]:
    """The head and what follows, as one read each; texts in a row are one read."""
    return [head + data[0], *data[1:]]


def timed(pieces: list[bytes]) -> list[tuple[bytes, int]]:
    return [(piece, START_NS + 2_000_000 * (number + 1)) for number, piece in enumerate(pieces)]


ONE, TWO, DONE = transfer_chunk(PLAIN[0]), transfer_chunk(PLAIN[2]), transfer_chunk(END)
#: What most services send, and what must go the short way for that to be of use.
USUAL = {
    "one event": ([HEAD + DONE + LAST], plan_of()),
    "many events": ([HEAD + ONE + TWO * 18 + DONE + LAST], plan_of()),
    "a read for each": ([HEAD + ONE, TWO, TWO, DONE, LAST], plan_of()),
    "the head alone": ([HEAD, ONE + DONE + LAST], plan_of()),
    "no named end": ([HEAD + ONE + TWO + LAST], plan_of(end=None)),
    "a format that is not named": ([HEAD + ONE + TWO + LAST], plan_of("auto", None)),
    "judged by the scenario": ([HEAD + ONE + DONE + LAST], plan_of(checked_later=True)),
    "the last bytes apart": ([HEAD + ONE + DONE + b"0\r\n", b"\r\n"], plan_of()),
}


@pytest.mark.parametrize(("pieces", "plan"), USUAL.values(), ids=USUAL)
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("late_ends", [0.0, 1.0])
def test_what_is_usual_goes_the_short_way(pieces, plan, at_once, late_ends):
    went_short, found = differences(plan, timed(pieces), at_once=at_once, late_ends=late_ends)
    assert (went_short, found) == (pieces[-1] != b"\r\n", [])


#: What an exchange has to go on with.
OTHER = {
    "the named end did not come": ([HEAD + ONE + LAST], plan_of()),
    "an error": ([HEAD + ONE + transfer_chunk(b"event: error\ndata: 1\n\n") + LAST], plan_of(end=None)),
    "more after the named end": ([HEAD + DONE + ONE + LAST], plan_of()),
    "more after the body": ([HEAD + DONE + LAST + b"HTTP/1.1 200 OK"], plan_of()),
    "a wrong size": ([HEAD + b"9" + DONE[2:] + LAST], plan_of()),
    "a refusal": ([HEAD.replace(b"200 OK", b"503 Busy") + DONE + LAST], plan_of()),
    "another type": ([HEAD.replace(b"text/event-stream", b"text/html") + DONE + LAST], plan_of()),
    "a cookie": ([HEAD[:-2] + b"Set-Cookie: a=1\r\n\r\n" + DONE + LAST], plan_of()),
    "a coding": ([HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n" + DONE + LAST], plan_of()),
    "the last one on its connection": ([HEAD[:-2] + b"Connection: close\r\n\r\n" + DONE + LAST], plan_of()),
    "an interim response": ([b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + DONE + LAST], plan_of()),
    "no head": ([b"SSH-2.0-OpenSSH_9\r\n" + LAST], plan_of()),
    "closed": ([HEAD + ONE, b""], plan_of()),
    "closed before a response": ([b""], plan_of()),
    "no event": ([HEAD + LAST], plan_of(end=None)),
    "an event inside two reads": ([HEAD + ONE[:9], ONE[9:] + DONE + LAST], plan_of()),
    "a chunk that is too long": ([HEAD + DONE + LAST], replace(plan_of(), limits=Limits(max_chunk_bytes=9))),
    "another format": ([HEAD + transfer_chunk(ODD[-1]) + LAST], plan_of("auto", None)),
}


@pytest.mark.parametrize(("pieces", "plan"), OTHER.values(), ids=OTHER)
def test_an_exchange_goes_on_with_everything_else(pieces, plan):
    went_short, found = differences(plan, timed(pieces))
    assert (went_short, found) == (False, [])
