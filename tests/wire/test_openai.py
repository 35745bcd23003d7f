"""Token streams of OpenAI-compatible services."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.openai import OpenAiDecoder
from streamgauge.wire.token_count import TokenCount, Usage


def event(value) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chat(index: int = 0, finish_reason: str | None = None, **delta) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


DONE = b"data: [DONE]\n\n"
ROLE = chat(role="assistant", content="")
STOP = chat(finish_reason="stop")
USAGE = event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}})


def call(**function) -> bytes:
    return chat(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": function}])


def read(pieces: list[bytes], decoder: OpenAiDecoder) -> list[bytes]:
    return [chunk for piece in pieces for chunk in decoder.feed([piece])] + decoder.close()


def test_a_chat_has_a_chunk_for_each_piece_of_content(cuts):
    for pieces in cuts(b": ping\n\n" + ROLE + chat(content="Hel") + chat(content="lo") + STOP + USAGE + DONE):
        decoder = OpenAiDecoder()
        chunks = read(pieces, decoder)
        assert [decoder.parse(chunk)["choices"][0]["delta"]["content"] for chunk in chunks] == ["Hel", "lo"]
        assert (decoder.done, decoder.error, decoder.choices, decoder.heartbeats) == (True, None, 1, 1)
        assert decoder.usage == Usage(9, 12)
        assert (decoder.tokens, decoder.tokens_are_counted) == (12, True)
        assert decoder.pending  # what came last is no chunk


CONTENT = {
    "content": chat(content="a"),
    "white space": chat(content=" "),
    "content parts": chat(content=[{"type": "text", "text": "a"}]),
    "reasoning": chat(content=None, reasoning_content="a"),
    "reasoning, another name": chat(reasoning="a"),
    "thinking": chat(thinking="a"),
    "a refusal": chat(refusal="no"),
    "a tool call's arguments": call(arguments='{"a'),
    "a custom tool's input": chat(tool_calls=[{"index": 0, "type": "custom", "custom": {"name": "f", "input": "a"}}]),
    "a function call's arguments": chat(function_call={"arguments": "{"}),
    "content and a finish reason": chat(content="a", finish_reason="length"),
    "speech": chat(audio={"id": "x", "data": "AAAA"}),
    "what is spoken": chat(audio={"id": "x", "transcript": "a"}),
    "a text completion": event({"choices": [{"index": 0, "text": "a", "finish_reason": None}]}),
    "the second choice": event({"choices": [{"delta": {}}, {"index": 1, "delta": {"content": "a"}}]}),
    "usage beside it": event({"choices": [{"delta": {"content": "a"}}], "usage": None}),
    "more fields": b"id: 1\nevent: message\n" + chat(content="a"),
    "several data lines": b'data: {"choices":[{"delta":\ndata: {"content":"a"}}]}\n\n',
    "no blank after the colon": b'data:{"choices":[{"delta":{"content":"a"}}]}\n\n',
    "white space around": b'data:   {"choices":[{"delta":{"content":"a"}}]} \n\n',
    "CRLF": b'data: {"choices":[{"delta":{"content":"a"}}]}\r\n\r\n',
}
NO_CONTENT = {
    "a role": ROLE,
    "nothing": chat(),
    "a finish reason": STOP,
    "usage": USAGE,
    "a tool call's name": call(name="f", arguments=""),
    "a custom tool's name": chat(tool_calls=[{"index": 0, "type": "custom", "custom": {"name": "f", "input": ""}}]),
    "speech that only begins": chat(audio={"id": "x", "transcript": ""}),
    "an empty text": event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}),
    "no choices": event({"choices": []}),
    "choices of none": event({"choices": None}),
    "done": DONE,
    "no object": event([1]),
    "odd shapes": event({"choices": [None, 1, {"delta": [1]}, {"delta": {"tool_calls": [1, {"function": 1}]}}]}),
    "another event": b"event: ping\ndata: {}\n\n",
    "another event, no JSON": b"event: ping\ndata: now\n\n",
}


@pytest.mark.parametrize("data", CONTENT.values(), ids=CONTENT)
def test_generated_content_is_a_chunk(data, cuts):
    for pieces in cuts(data):
        decoder = OpenAiDecoder()
        assert len(read(pieces, decoder)) == 1
        assert (decoder.tokens, decoder.tokens_are_counted, decoder.error) == (1, False, None)


@pytest.mark.parametrize("data", NO_CONTENT.values(), ids=NO_CONTENT)
def test_what_brings_no_content_is_no_chunk(data, cuts):
    for pieces in cuts(data):
        decoder = OpenAiDecoder()
        assert read(pieces, decoder) == []
        assert decoder.error is None


def test_several_choices_are_counted_each():
    decoder = OpenAiDecoder()
    both = event({"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]})
    assert len(read([chat(0, content="x") + both + chat(2, content="y")], decoder)) == 3
    assert (decoder.choices, decoder.tokens) == (3, 4)


def test_the_last_usage_counts():
    decoder = OpenAiDecoder()
    for count in (1, 2, 3):
        decoder.feed([event({"choices": [{"delta": {"content": "a"}}], "usage": {"completion_tokens": count * 2}})])
    assert (decoder.tokens, decoder.tokens_are_counted, decoder.usage) == (6, True, Usage(None, 6))


def test_groqs_own_usage_counts():
    decoder = OpenAiDecoder()
    decoder.feed([chat(content="a") + event({"choices": [], "x_groq": {"usage": {"completion_tokens": 7}}})])
    assert (decoder.tokens, decoder.tokens_are_counted) == (7, True)


def usage(completion_tokens, **details) -> bytes:
    return event({"usage": {"completion_tokens": completion_tokens, "completion_tokens_details": details or None}})


def test_a_usage_of_zeros_beside_content_counts_nothing():
    decoder = OpenAiDecoder()
    decoder.feed([usage(0)])
    assert (decoder.tokens, decoder.tokens_are_counted) == (0, True)
    decoder.feed([chat(content="a") + chat(content="b") + usage(0)])
    assert (decoder.tokens, decoder.tokens_are_counted) == (2, False)


SHOWN = {
    "all": (chat(content="a"), usage(100), 100),
    "none counted": (chat(content="a"), b"", 1),
    "reasoning out of sight": (chat(content="a"), usage(100, reasoning_tokens=80), 20),
    "reasoning beside content": (chat(reasoning_content="a"), usage(100, reasoning_tokens=80), 100),
    "reasoning as content": (chat(content="a") * 90, usage(100, reasoning_tokens=80), 90),
    "a rejected prediction": (chat(content="a"), usage(100, reasoning_tokens=0, rejected_prediction_tokens=30), 70),
    "counts that contradict": (chat(content="a"), usage(5, reasoning_tokens=80), 1),
    "more events than tokens": (chat(content="a") * 9, usage(5, reasoning_tokens=1), 5),
}


@pytest.mark.parametrize(("content", "counts", "shown"), SHOWN.values(), ids=SHOWN)
def test_tokens_that_were_generated_out_of_sight_are_not_shown(content, counts, shown):
    decoder = OpenAiDecoder()
    decoder.feed([content + counts])
    assert decoder.shown_tokens == shown


@pytest.mark.parametrize("count", [None, "7", -1, True, 1.5, [7]])
def test_a_usage_that_does_not_count_leaves_the_counting_to_us(count):
    decoder = OpenAiDecoder()
    decoder.feed([chat(content="a") + event({"usage": {"completion_tokens": count}})])
    assert (decoder.tokens, decoder.tokens_are_counted) == (1, False)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (event({"error": {"message": "overloaded", "type": "server_error"}}), "overloaded"),
        (event({"error": "overloaded"}), "overloaded"),
        (event({"error": {"code": 500}}), '{"code": 500}'),
        (b"event: error\ndata: overloaded\n\n", "overloaded"),
        (b"event: error\n" + event({"error": {"message": "overloaded"}}), "overloaded"),
        (b"event: error\n" + event({"message": "overloaded"}), "overloaded"),
        (b"event: error\ndata:\n\n", "error"),
        (event({"object": "error", "message": "overloaded", "type": "ServerError", "code": 500}), "overloaded"),
        (event({"type": "error", "message": "overloaded"}), "overloaded"),
        (event({"error": "first"}) + event({"error": "second"}), "first"),
        (b'error: {"code": 500, "message": "overloaded", "type": "server_error"}\n\n' + DONE, "overloaded"),
        (b"error: overloaded\r\n\r\n" + DONE, "overloaded"),
        (
            event({"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "overloaded"}}]}),
            "overloaded",
        ),
        (chat(finish_reason="error") + DONE, "finish_reason error"),
        (event({"choices": [], "x_groq": {"id": "req_1", "error": "overloaded"}}) + DONE, "overloaded"),
    ],
)
def test_an_error_inside_the_stream_is_seen(data, error, cuts):
    for pieces in cuts(data):
        decoder = OpenAiDecoder()
        assert read(pieces, decoder) == []
        assert decoder.error == error


def test_a_long_error_is_cut():
    decoder = OpenAiDecoder()
    decoder.feed([event({"error": "x" * 10_000})])
    assert decoder.error == "x" * 500


@pytest.mark.parametrize("error", [None, "", {}, False])
def test_an_error_that_says_nothing_is_none(error):
    decoder = OpenAiDecoder()
    assert len(decoder.feed([event({"error": error, "choices": [{"text": "a"}]})])) == 1
    assert decoder.error is None


@pytest.mark.parametrize(
    "data",
    [
        b"not JSON",
        b"NaN",
        b"{",
        b'{"choices":[]} {}',
        b"[DONE",
        b'{"a":' * 50_000,
        b"1\xa0",
        b'{"choices":[{"text":"\n',
    ],
    ids=range(8),
)
def test_data_that_are_not_json_are_refused(data):
    for decoder, size in ((OpenAiDecoder(), len(data) + 8), (OpenAiDecoder(), 3)):
        stream = b"data: " + data + b"\n\n"
        with pytest.raises(ProtocolError, match="expected JSON"):
            read([stream[start : start + size] for start in range(0, len(stream), size)], decoder)


@pytest.mark.parametrize("beat", [b"data:\n\n", b"data: \n\n", b"data: \t\n\n", b"event: ping\ndata:\n\n"])
def test_an_event_without_data_is_a_heartbeat(beat, cuts):
    for pieces in cuts(chat(content="a") + beat + chat(content="b") + DONE):
        decoder = OpenAiDecoder()
        assert len(read(pieces, decoder)) == 2
        assert (decoder.heartbeats, decoder.error, decoder.done) == (1, None, True)


def test_a_chunk_is_parsed_once_and_kept_until_the_next_read():
    decoder = OpenAiDecoder()
    chunks = decoder.feed([chat(content="a") + chat(content="b")])
    first, second = map(decoder.parse, chunks)
    assert decoder.parse(chunks[0]) is first
    assert decoder.parse(chunks[1]) is second
    decoder.feed([])
    assert decoder.parse(chunks[0]) == first


def test_an_over_long_event_is_refused():
    with pytest.raises(ProtocolError, match="longer than 100"):
        read([b"data: " + b"x" * 80, b"x" * 80], OpenAiDecoder(100))


@given(st.lists(st.text(min_size=1, max_size=8), max_size=8), st.integers(1, 40))
def test_all_text_comes_through(texts, size):
    data = ROLE + b"".join(chat(content=text) for text in texts) + STOP + DONE
    decoder, got = OpenAiDecoder(), []
    for start in range(0, len(data), size):
        frames = map(decoder.parse, decoder.feed([data[start : start + size]]))
        got += [frame["choices"][0]["delta"]["content"] for frame in frames]
    assert (got, decoder.done, decoder.tokens) == (texts, True, len(texts))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "usage", "error", "tool_calls", "index"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_understood_or_passed_over(value):
    decoder = OpenAiDecoder()
    assert len(read([event(value)], decoder)) <= 1
    assert isinstance(decoder.tokens, int)


def test_the_time_per_output_token_leaves_the_first_out():
    assert TokenCount(5, 5).time_per_output_token_s(2.0) == 0.5
    assert TokenCount(9, 5).time_per_output_token_s(2.0) == 0.5, "only shown tokens were waited for"
    assert TokenCount(1, 1).time_per_output_token_s(2.0) is None
    assert TokenCount(0, 0).time_per_output_token_s(2.0) is None


def test_the_time_per_output_token_of_several_choices_is_that_of_each():
    assert TokenCount(15, 15, choices=3).time_per_output_token_s(2.0) == 0.5
    assert TokenCount(5, 5, choices=3).time_per_output_token_s(2.0) is None
    assert TokenCount(5, 5, choices=0).time_per_output_token_s(2.0) == 0.5
