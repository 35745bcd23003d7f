"""The streams of language models' APIs: which frames are chunks, what counts the tokens, what ends and what fails."""

import pytest

from streamgauge.wire.anthropic import MessagesDecoder
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.gemini import GeminiDecoder
from streamgauge.wire.ollama import OllamaDecoder
from streamgauge.wire.openai import OpenAiDecoder
from streamgauge.wire.openai_responses import ResponsesDecoder
from tests.wire.token_streams import DONE, STREAMS, piece, response, text_delta


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_is_read_the_same_however_it_is_split(stream, cuts):
    for pieces in cuts(stream.data):
        decoder = stream.decoder()
        chunks = [chunk for each in pieces for chunk in decoder.feed([each])] + decoder.close()
        assert len(chunks) == stream.chunks
        assert (decoder.token_count(), decoder.done, decoder.error) == (stream.count, stream.done, stream.error)


@pytest.mark.parametrize("make", [MessagesDecoder, ResponsesDecoder, GeminiDecoder, OpenAiDecoder])
@pytest.mark.parametrize("beat", [b"data:\n\n", b"data: \n\n", b": ping\n\n"])
def test_an_event_without_data_keeps_the_stream_open(make, beat):
    decoder = make()
    assert decoder.feed([beat]) == []
    assert (decoder.heartbeats, decoder.done, decoder.error) == (1, False, None)


@pytest.mark.parametrize("make", [MessagesDecoder, ResponsesDecoder, GeminiDecoder])
def test_what_other_formats_end_with_ends_nothing(make):
    decoder = make()
    assert decoder.feed([DONE]) == []
    assert not decoder.done


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (MessagesDecoder, b"event: content_block_delta\ndata: {oops\n\n"),
        (ResponsesDecoder, b"event: response.output_text.delta\ndata: {oops\n\n"),
        (GeminiDecoder, b"data: {oops\n\n"),
        (OllamaDecoder, b"{oops\n"),
    ],
)
def test_data_of_its_own_events_that_are_not_json_are_refused(make, data):
    with pytest.raises(ProtocolError, match="expected JSON"):
        make().feed([data])


@pytest.mark.parametrize("make", [MessagesDecoder, ResponsesDecoder])
def test_an_event_of_another_api_may_hold_anything(make):
    assert make().feed([b"event: notice\ndata: now\n\n"]) == []


def test_reasoning_is_content_and_does_not_answer():
    decoder = MessagesDecoder()
    assert len(decoder.feed([piece(type="thinking_delta", thinking="hm")])) == 1
    assert not decoder.answered
    decoder.feed([piece(type="text_delta", text="a")])
    assert decoder.answered


def test_a_silent_token_is_seen_only_behind_the_last_chunk_of_a_read():
    text, end = text_delta("a"), response("completed")
    decoder = ResponsesDecoder()
    for data, silent in ((text, False), (text_delta(""), True), (text_delta("") + text, False), (text + end, True)):
        decoder.feed([data])
        assert decoder.silent_token is silent
