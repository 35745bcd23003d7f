"""Multipart, numbered chunks, lines that say error, and the choice of a protocol by content type."""

import time

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats

COMPLETED, INCOMPLETE, PROTOCOL_ERROR = Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.PROTOCOL_ERROR
IN_BAND_ERROR = Outcome.IN_BAND_ERROR
READ = "read"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunked(content_type: str, *fields: bytes) -> bytes:
    lines = (b"HTTP/1.1 200 OK", b"Content-Type: " + content_type.encode(), b"Transfer-Encoding: chunked", *fields)
    return b"\r\n".join((*lines, b"", b""))


UNFRAMED = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n\r\n"
FRAMES = "multipart/x-mixed-replace; boundary=frame"


def part(content: bytes, *, length: bool) -> bytes:
    counted = b"Content-Length: %d\r\n" % len(content) if length else b""
    return b"--frame\r\nContent-Type: text/plain\r\n" + counted + b"\r\n" + content + b"\r\n"


def parts(stream, *script, **options):
    steps = [chunk(step) if isinstance(step, bytes) else step for step in script]
    return stream([chunked(FRAMES), *steps, END], **{"protocol": "multipart", **options})


@pytest.mark.parametrize("length", [True, False])
def test_each_part_is_a_chunk(length, stream):
    seen = []
    script = [step for n in b"abc" for step in (READ, part(bytes([n]) * 3, length=length))]
    record = parts(stream, *script, b"--frame--\r\n", on_chunk=seen.append)
    assert (record.outcome, record.chunks, seen) == (COMPLETED, 3, [b"aaa", b"bbb", b"ccc"]), record.reason


@pytest.mark.usefixtures("cpu_to_spare")
def test_a_part_of_known_length_is_timed_when_it_is_there_and_not_by_the_next_boundary(stream):
    seen_s = []
    look = [lambda *_: seen_s.append(time.monotonic()), 0.1]
    script = [part(b"a", length=True), READ, *look, part(b"b", length=True), READ, *look]
    record = parts(stream, *script, b"--frame--\r\n")
    first_s = record.start_s + record.time_to_first_chunk_s
    assert first_s <= seen_s[0]
    assert seen_s[0] + 0.1 <= first_s + record.max_chunk_interval_s <= seen_s[1]
    assert record.coalesced == 0


@pytest.mark.parametrize("length", [True, False])
def test_a_missing_closing_delimiter_is_incomplete(length, stream):
    record = parts(stream, part(b"a", length=length), part(b"b", length=length), b"--frame\r\n")
    assert (record.outcome, record.chunks) == (INCOMPLETE, 2)
    assert "closing delimiter" in record.reason


ENDLESS, MIXED = FRAMES, "multipart/mixed; boundary=frame"
UNCLOSED = {
    "replacing parts, and their named end": (ENDLESS, "data:b", COMPLETED),
    "replacing parts, and another end": (ENDLESS, "data:z", INCOMPLETE),
    "replacing parts, and enough of them": (ENDLESS, "chunks:2", COMPLETED),
    "a mixture, and its named end": (MIXED, "data:b", INCOMPLETE),
}


@pytest.mark.parametrize(("content_type", "end", "outcome"), UNCLOSED.values(), ids=UNCLOSED)
@pytest.mark.parametrize("closes", [[END], ["fin"]])
def test_parts_that_replace_each_other_need_no_closing_delimiter_behind_their_named_end(
    content_type, end, outcome, closes, stream
):
    head = chunked(content_type) if closes == [END] else UNFRAMED % content_type.encode()
    frames = [part(b"a", length=True), part(b"b", length=True)]
    steps = map(chunk, frames) if closes == [END] else frames
    record = stream([head, *steps, READ, *closes], protocol="multipart", end=end)
    assert (record.outcome, record.chunks) == (outcome, 2), record.reason


def test_a_response_without_a_body_owes_no_delimiter(stream):
    record = stream(
        [b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n\r\n" % FRAMES.encode()], method="HEAD", protocol="multipart"
    )
    assert (record.outcome, record.chunks) == (COMPLETED, 0), record.reason


def test_a_part_that_is_cut_off_is_no_chunk(stream):
    record = parts(stream, part(b"a", length=True), part(b"bbbb", length=True)[:-4])
    assert (record.outcome, record.chunks) == (INCOMPLETE, 1)


@pytest.mark.parametrize("pause", [[], [READ]])
def test_parts_before_one_that_is_not_delimited_count(pause, stream):
    script = [part(b"a", length=True), part(b"b", length=True), *pause, b"no boundary"]
    steps = [chunk(b"".join(script))] if not pause else [chunk(s) if isinstance(s, bytes) else s for s in script]
    record = stream([chunked(FRAMES), *steps], protocol="multipart")
    assert (record.outcome, record.chunks) == (PROTOCOL_ERROR, 2), record.reason


def test_a_multipart_without_a_boundary_is_a_protocol_error(stream):
    record = stream([chunked("multipart/mixed"), END], protocol="multipart")
    assert record.outcome is PROTOCOL_ERROR
    assert "boundary" in record.reason


ORDERS = {
    "in order": ([4, 5, 6], (0, 0, 0)),
    "lost": ([1, 2, 5], (2, 0, 0)),
    "repeated": ([1, 2, 2, 3], (0, 1, 0)),
    "out of order": ([1, 3, 2, 4], (0, 0, 1)),
    "all of it": ([1, 4, 3, 4, 9], (5, 1, 1)),
}
NUMBERED = {
    "id": ("sse", "text/event-stream", b"id: %d\ndata: x\n\n", "id"),
    "json in events": ("sse", "text/event-stream", b'data: {"n": %d}\n\n', "json:n"),
    "json lines": ("ndjson", "application/x-ndjson", b'{"level": 1, "n": %d}\n', "json:n"),
    "a callable": ("ndjson", "application/x-ndjson", b'{"n": {"m": %d}}\n', lambda value: value["n"]["m"]),
}


@pytest.mark.parametrize(("numbers", "counts"), ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize(("protocol", "content_type", "template", "source"), NUMBERED.values(), ids=NUMBERED)
def test_numbers_that_are_missing_or_misplaced_are_in_the_record(
    protocol, content_type, template, source, numbers, counts, plan
):
    script = [chunked(content_type), *(chunk(template % number) for number in numbers), END]
    process_stats = ProcessStats()
    (record,) = run_streams([plan(script, protocol=protocol, sequence=source)], process_stats)
    assert record.outcome is COMPLETED, record.reason
    assert (record.lost, record.repeated, record.out_of_order) == counts
    (stats,) = process_stats.all_stats.values()
    assert (stats.lost, stats.repeated, stats.out_of_order) == counts


@pytest.mark.parametrize(("lacking", "counts"), [([], (0, 1, 0)), ([2], (1, 0, 1))], ids=["none lost", "one lost"])
def test_a_number_far_behind_is_repeated_unless_it_may_be_late(lacking, counts, plan):
    numbers = [*(number for number in range(1, 2001) if number not in lacking), 3]
    script = [chunked("application/x-ndjson"), *(chunk(b'{"n": %d}\n' % number) for number in numbers), END]
    process_stats = ProcessStats()
    (record,) = run_streams([plan(script, protocol="ndjson", sequence="json:n")], process_stats)
    (stats,) = process_stats.all_stats.values()
    assert (record.lost, record.repeated, record.beyond_window) == counts
    assert (stats.lost, stats.repeated, stats.beyond_window) == counts


def test_a_number_beyond_all_counting_is_none(stream):
    script = [chunked("application/x-ndjson"), *(chunk(b'{"n": %d}\n' % n) for n in (1, 10**40, 2)), END]
    record = stream(script, protocol="ndjson", sequence="json:n")
    assert (record.outcome, record.lost, record.chunks) == (COMPLETED, 0, 3)


LINES = {
    "type": (b'{"type": "error", "message": "too hot"}\n', "too hot"),
    "an object": (b'{"error": {"code": 5}}\n', "code"),
    "a text": (b'{"error": "too hot", "error_type": "heat"}\n', "too hot"),
}
HARMLESS = {
    "none": b'{"error": null}\n',
    "a number": b'{"error": 0.25}\n',
    "a member among others": b'{"id": 1, "error": "too hot"}\n',
    "empty": b'{"error": ""}\n',
    "a word": b'{"text": "\\"error\\""}\n',
    "a level": b'{"level": "error"}\n',
    "in a list": b'["error"]\n',
    "no JSON": b'"error" she said\n',
    "too deep": b"[" * 5000 + b'"error"' + b"]" * 5000 + b"\n",
}


@pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES)
def test_a_line_that_says_error_is_an_in_band_error(line, reason, stream):
    record = stream([chunked("application/x-ndjson"), chunk(b"1\n"), chunk(line), END], protocol="ndjson")
    assert (record.outcome, record.chunks) == (IN_BAND_ERROR, 2)
    assert reason in record.reason


@pytest.mark.parametrize("line", HARMLESS.values(), ids=HARMLESS)
def test_a_line_that_only_mentions_one_is_not(line, stream):
    record = stream([chunked("application/x-ndjson"), chunk(line), END], protocol="ndjson")
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


AUTO = {
    "events": ("text/event-stream", [b"data: 1\n\n", b"data: 2\n\n"], "sse"),
    "tokens are events": ("text/event-stream", [b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"], "sse"),
    "lines": ("application/jsonl; charset=utf-8", [b"1\n", b"2\n"], "ndjson"),
    "parts": (FRAMES, [part(b"a", length=True), part(b"b", length=False), b"--frame--"], "multipart"),
    "parts of another kind": (
        "multipart/related; boundary=frame",
        [part(b"a", length=True), part(b"b", length=True), b"--frame--"],
        "multipart",
    ),
    "anything": ("video/mp4", [b"\0\1", b"\2"], "raw"),
}


@pytest.mark.parametrize(("content_type", "pieces", "protocol"), AUTO.values(), ids=AUTO)
def test_the_content_type_says_what_the_stream_speaks(content_type, pieces, protocol, plan):
    process_stats = ProcessStats()
    made = plan([chunked(content_type), *map(chunk, pieces), END], protocol="auto")
    (record,) = run_streams([made], process_stats)
    assert (record.outcome, record.protocol, record.chunks) == (COMPLETED, protocol, 2), record.reason
    assert process_stats.all_stats["stream", protocol].started == 1
