"""In token streams of OpenAI's format, the chunks are the events that carry generated content, as for the client."""

import json

import pytest

from streamgauge.asgi.token_counting import TokenCounter
from streamgauge.wire.openai import OpenAiDecoder


def frame(delta=None, **more):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choices, **more}


def text_frame(text):
    return {"object": "text_completion", "choices": [{"text": text, "index": 0}]}


ROLE, END = frame({"role": "assistant", "content": ""}), frame({})
USAGE = frame(usage={"prompt_tokens": 1, "completion_tokens": 2})
CALL = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]}
ARGUMENTS = {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}
FRAMES = {
    "role": (ROLE, 0),
    "role and null": (frame({"role": "assistant", "content": None}), 0),
    "content": (frame({"content": "Hi"}), 1),
    "a quotation mark": (frame({"content": '"'}), 1),
    "role with content": (frame({"role": "assistant", "content": "Hi"}), 1),
    "reasoning": (frame({"content": "", "reasoning_content": "Hm"}), 1),
    "reasoning of others": (frame({"content": None, "reasoning": "Hm"}), 1),
    "refusal": (frame({"refusal": "No"}), 1),
    "a call's name": (frame(CALL), 0),
    "a call's arguments": (frame(ARGUMENTS), 1),
    "end": (END, 0),
    "usage": (USAGE, 0),
    "text": (text_frame("Hi"), 1),
    "no text": (text_frame(""), 0),
}


def event(value):
    return b"data: %b\n\n" % (value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["compact", "blanks"])
@pytest.mark.parametrize(("value", "chunks"), FRAMES.values(), ids=FRAMES)
def test_both_sides_count_the_events_with_content(value, chunks, separators):
    sent = event(json.dumps(value, separators=separators).encode())
    assert TokenCounter().count(sent) == len(OpenAiDecoder().feed([sent])) == chunks
    assert TokenCounter.whole(sent) == chunks * len(sent)


STREAM = [ROLE, frame({"content": "Hel"}), frame({"content": "lo"}), END, USAGE, b"[DONE]"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_counts_alike_however_the_stream_is_split(line_end):
    body = b": hello\n\n".replace(b"\n", line_end) + b"".join(map(event, STREAM)).replace(b"\n", line_end)
    for size in (1, 7, 50, len(body)):
        counter = TokenCounter()
        assert sum(counter.count(body[at : at + size]) for at in range(0, len(body), size)) == 2
        assert counter.heartbeats() == 1
        assert counter.between


def test_a_token_streams_first_chunk_is_its_first_content(server):
    server.stream([(1.0, event(each), 0.0) for each in STREAM])
    assert server.value("chunks_total") == 2
    assert server.value("time_to_first_chunk_seconds_sum") == 2.0
    assert server.value("chunk_interval_seconds_sum") == 1.0
    assert server.value("body_bytes_total") == sum(len(event(each)) for each in STREAM)


def test_a_heartbeat_before_the_first_event_hides_no_token_stream(server):
    server.bodies(b": processing\n\n", *map(event, STREAM))
    assert (server.value("chunks_total"), server.value("heartbeats_total")) == (2, 1)


def test_other_events_all_count(server):
    server.bodies(*[event({"role": "x", "content": ""})] * 3, event(b"[DONE]"))
    assert server.value("chunks_total") == 4


def test_an_event_without_an_end_is_not_held_for_ever():
    counter = TokenCounter()
    counter.count(event(ROLE))
    assert counter.count(b"data: " + b"x" * (1 << 20)) == 1
    assert counter.between
