"""The protocol ``auto``: the content type settles it, or the first chunk of a language model's stream."""

import json

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.rules import read_chunk, read_error

EVENTS, LINES = (
    f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for kind in ("text/event-stream", "application/x-ndjson")
)
END, READ = b"0\r\n\r\n", "read"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(value: object) -> bytes:
    return chunk(b"data: " + json.dumps(value).encode() + b"\n\n")


def delta(**content: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": content}]})


ROLE, TOKEN, DONE = delta(role="assistant", content=""), delta(content="a"), chunk(b"data: [DONE]\n\n")
MESSAGE = chunk(b'event: message_start\ndata: {"type":"message_start"}\n\n')
STOP = chunk(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')

PLAIN = {
    "words": (EVENTS, chunk(b"data: hello\n\n"), "sse"),
    "a number": (EVENTS, event(1), "sse"),
    "an object": (EVENTS, event({"choices": 3, "type": "x", "token": "x", "stop": 1}), "sse"),
    "choices of something else": (EVENTS, event({"choices": ["red", "blue"]}), "sse"),
    "an empty list of choices": (EVENTS, event({"choices": []}), "sse"),
    "an error": (EVENTS, event({"detail": "candidates"}), "sse"),
    "broken JSON": (EVENTS, chunk(b'data: {"choices": [\n\n'), "sse"),
    "a line": (LINES, chunk(b'{"step":1,"done":false}\n'), "ndjson"),
    "a line of a list": (LINES, chunk(b'["done"]\n'), "ndjson"),
}


@pytest.mark.parametrize(("head", "first", "protocol"), PLAIN.values(), ids=PLAIN)
def test_a_plain_stream_stays_what_its_media_type_says(head, first, protocol, plan):
    process_stats = ProcessStats()
    (record,) = run_streams([plan([head, first, READ, first, END], protocol="auto")], process_stats)
    assert (record.protocol, record.outcome, record.chunks, record.tokens) == (protocol, Outcome.COMPLETED, 2, None)
    found = {key: (each.started, each.bytes, each.chunks) for key, each in process_stats.all_stats.items()}
    assert found == {("stream", "auto"): (0, 0, 0), ("stream", protocol): (1, record.bytes, 2)}


@pytest.mark.parametrize("script", [[EVENTS, END], [EVENTS, chunk(b": beat\n\n"), END]], ids=["nothing", "heartbeats"])
def test_a_stream_without_a_chunk_counts_under_its_media_type(script, plan):
    process_stats = ProcessStats()
    (record,) = run_streams([plan(script, protocol="auto")], process_stats)
    assert (record.protocol, record.outcome) == ("sse", Outcome.COMPLETED)
    stats = process_stats.stats("stream", "sse")
    assert (stats.started, stats.bytes) == (1, record.bytes)


def test_what_the_found_format_ends_with_is_due(stream):
    record = stream([EVENTS, ROLE, READ, TOKEN, END], protocol="auto")
    assert (record.protocol, record.outcome, record.chunks) == ("openai", Outcome.INCOMPLETE, 1)


def test_a_heartbeat_before_it_decides_nothing(stream):
    record = stream([EVENTS, chunk(b": hi\n\n"), READ, ROLE, READ, TOKEN, DONE, END], protocol="auto")
    assert (record.protocol, record.outcome, record.chunks, record.heartbeats) == ("openai", Outcome.COMPLETED, 1, 1)


def test_a_line_that_only_the_end_of_the_body_completes_decides_too(stream):
    last = b'{"model":"m","response":"a","done":true,"eval_count":1}'
    record = stream([LINES, chunk(last), END], protocol="auto")
    assert (record.protocol, record.outcome, record.chunks, record.tokens) == ("ollama", Outcome.COMPLETED, 1, 1)


def test_data_that_break_the_found_format_are_a_protocol_error_as_if_it_were_named(stream):
    script = [EVENTS, ROLE[:-2] + b"\r\n", chunk(b"data: oops\n\n"), END]
    for protocol in ("auto", "openai"):
        record = stream(script, protocol=protocol)
        assert (record.protocol, record.outcome) == ("openai", Outcome.PROTOCOL_ERROR)


#: Nothing counts after the named end.
KEPT = {
    "a callback": ({"on_chunk": lambda event: event.data}, 4),
    "a callable end": ({"end": lambda event: event.data == "[DONE]"}, 3),
    "numbers": ({"sequence": "id"}, 4),
    "reconnects": ({"reconnect": 1, "end": "event:done"}, 4),
    "an event as the end": ({"end": "event:done"}, 4),
    "a rule for errors": ({"error": read_error("json:failed")}, 4),
    "a rule for chunks": ({"chunk": read_chunk("json:choices")}, 2),
}


@pytest.mark.parametrize(("options", "chunks"), KEPT.values(), ids=KEPT)
def test_a_scenario_that_looks_at_events_gets_events(options, chunks, stream):
    script = [EVENTS, ROLE, READ, TOKEN, DONE, chunk(b"event: done\ndata: x\n\n"), END]
    record = stream(script, protocol="auto", **options)
    assert (record.protocol, record.outcome, record.chunks) == ("sse", Outcome.COMPLETED, chunks)


@pytest.mark.parametrize(
    ("script", "end"), [([ROLE, TOKEN, DONE], "data:[DONE]"), ([MESSAGE, STOP], "event:message_stop")]
)
def test_a_scenario_may_name_the_end_that_the_found_format_has(script, end, stream):
    record = stream([EVENTS, *script, END], protocol="auto", end=end)
    assert (record.protocol != "sse", record.outcome) == (True, Outcome.COMPLETED)
