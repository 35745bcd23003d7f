"""Token streams of OpenAI-compatible services, by servers that do as scripts say."""

import json

import pytest

from streamgauge.stats.outcome import Outcome
from tests.client.first_chunk import longest_first_chunk_s

COMPLETED, INCOMPLETE, TRUNCATED = Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TRUNCATED
IN_BAND_ERROR, HTTP_ERROR, PROTOCOL_ERROR = Outcome.IN_BAND_ERROR, Outcome.HTTP_ERROR, Outcome.PROTOCOL_ERROR
READ = "read"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunked(content_type: str, *fields: bytes) -> bytes:
    lines = (b"HTTP/1.1 200 OK", b"Content-Type: " + content_type.encode(), b"Transfer-Encoding: chunked", *fields)
    return b"\r\n".join((*lines, b"", b""))


TOKENS = chunked("text/event-stream; charset=utf-8")


def event(value: object) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return chunk(b"data: " + text.encode() + b"\n\n")


def delta(index: int = 0, finish: str | None = None, **content: object) -> bytes:
    return event({"choices": [{"index": index, "delta": content, "finish_reason": finish}]})


ROLE, STOP, DONE = delta(role="assistant", content=""), delta(finish="stop"), event("[DONE]")
USAGE = event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 12}})
WORDS = [step for word in ("the", " river", " rises") for step in (READ, delta(content=word))]
ERROR = event({"error": {"message": "out of memory", "type": "server_error"}})


def chat(stream, *script, **options):
    return stream([TOKENS, *script], protocol="openai", method="POST", **options)


def test_only_events_with_content_are_chunks_and_usage_counts_the_tokens(stream):
    record = chat(stream, ROLE, READ, *WORDS, STOP, USAGE, DONE, END)
    assert (record.outcome, record.chunks, record.tokens) == (COMPLETED, 3, 12), record.reason
    assert record.protocol == "openai"


def test_the_first_token_is_timed_and_not_the_role(stream):
    record = chat(stream, ROLE, READ, 0.1, delta(content="a"), STOP, DONE, END)
    assert longest_first_chunk_s(record) >= 0.1


def test_time_per_output_token_is_from_the_first_to_the_last_over_the_tokens_between(stream):
    record = chat(stream, delta(content="a"), READ, 0.1, delta(content="b"), READ, STOP, USAGE, DONE, END)
    most_s = (record.duration_s - record.time_to_first_chunk_s) / 11
    assert 0.1 / 11 <= record.time_per_output_token_s <= most_s + 1e-9


@pytest.mark.usefixtures("cpu_to_spare")
def test_tokens_that_come_in_one_read_leave_the_time_between_them_open(stream):
    both = delta(content="a") + delta(content="b")
    record = chat(stream, READ, 0.1, both, READ, USAGE, DONE, END)
    assert record.coalesced == 2
    least_s, most_s = record.time_per_output_token_range_s
    assert least_s == 0 < record.time_per_output_token_s < most_s
    first_s, last_s = record.time_to_first_chunk_range_s
    assert first_s < record.time_to_first_chunk_s < last_s
    assert most_s == pytest.approx((last_s - first_s) / 11)


@pytest.mark.parametrize("behind", [ROLE, STOP, USAGE, DONE], ids=["a role", "the finish", "the usage", "the end"])
def test_a_token_that_shares_its_read_with_what_follows_may_have_come_before(behind, stream):
    record = chat(stream, delta(content="a"), READ, 0.1, delta(content="b") + behind, READ, DONE, END)
    assert (record.chunks, record.coalesced) == (2, 1)
    least_s, most_s = record.time_per_output_token_range_s or (0, 0)
    assert least_s < most_s


def test_a_token_behind_what_is_none_is_timed_exactly(stream):
    record = chat(stream, READ, ROLE + delta(content="a"), READ, STOP, DONE, END)
    assert (record.chunks, record.coalesced) == (1, 0)


@pytest.mark.usefixtures("cpu_to_spare")
def test_tokens_in_reads_of_their_own_leave_nothing_open(stream):
    record = chat(stream, delta(content="a"), READ, 0.1, delta(content="b"), READ, STOP, USAGE, DONE, END)
    assert (record.time_to_first_chunk_range_s, record.time_per_output_token_range_s) == (None, None)


FOUR = event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 4}})
SILENT, EMPTY = delta(finish="stop", content=""), delta(content="")


@pytest.mark.usefixtures("cpu_to_spare")
def test_a_stop_token_without_text_is_the_last_of_the_tokens(stream):
    words = [step for word in "abc" for step in (delta(content=word), READ, 0.05)]
    record = chat(stream, ROLE, READ, *words, SILENT, READ, FOUR, DONE, END)
    assert (record.chunks, record.tokens, record.prompt_tokens) == (3, 4, 7)
    assert record.time_per_output_token_s >= 0.05
    assert record.time_per_output_token_s <= (record.duration_s - record.time_to_first_chunk_s) / 3


def test_part_of_a_character_is_a_token_before_the_first_text_that_takes_no_time_after_it(stream):
    words = [step for word in "abc" for step in (delta(content=word), READ, 0.05)]
    record = chat(stream, ROLE, READ, EMPTY, READ, 0.05, *words, STOP, FOUR, DONE, END)
    assert (record.chunks, record.tokens) == (3, 4)
    assert record.time_per_output_token_s >= 0.05


def test_a_finish_that_carries_no_token_is_not_the_last_token(stream):
    three = event({"choices": [], "usage": {"completion_tokens": 3}})
    words = [step for word in "abc" for step in (READ, delta(content=word))]
    record = chat(stream, ROLE, *words, READ, 0.3, STOP, READ, three, DONE, END)
    assert (record.chunks, record.tokens) == (3, 3)
    assert record.time_per_output_token_s <= (record.duration_s - record.time_to_first_chunk_s - 0.3) / 2


def test_one_text_and_a_stop_token_have_a_time_between_them(stream):
    two = event({"choices": [], "usage": {"completion_tokens": 2}})
    record = chat(stream, delta(content="a"), READ, 0.1, SILENT, READ, two, DONE, END)
    assert record.chunks == 1
    assert record.time_per_output_token_s >= 0.1


def test_without_usage_each_piece_of_content_is_a_token(stream):
    words = [step for word in ("the", " river", " rises") for step in (READ, 0.02, delta(content=word))]
    record = chat(stream, ROLE, *words, READ, STOP, DONE, END)
    assert record.tokens == 3
    assert record.time_per_output_token_s >= 0.02


def test_one_token_has_no_time_per_token(stream):
    record = chat(stream, delta(content="a"), STOP, DONE, END)
    assert (record.tokens, record.time_per_output_token_s) == (1, None)


def test_many_tokens_in_one_chunk_have_no_time_per_token(stream):
    record = chat(stream, delta(content="all at once"), STOP, USAGE, DONE, END)
    assert (record.tokens, record.time_per_output_token_s) == (12, None)


def test_reasoning_that_nobody_saw_takes_no_time_per_token(stream):
    counts = {"completion_tokens": 1002, "completion_tokens_details": {"reasoning_tokens": 1000}}
    words = [delta(content="a"), READ, 0.1, delta(content="b"), READ]
    record = chat(stream, *words, STOP, event({"choices": [], "usage": counts}), DONE, END)
    assert record.tokens == 1002
    assert record.time_per_output_token_s == pytest.approx(record.max_chunk_interval_s)


def test_tokens_of_several_choices_add_up(stream):
    both = event({"choices": [{"index": n, "delta": {"content": "x"}} for n in (0, 1)]})
    record = chat(stream, delta(0, content="a"), delta(1, content="b"), both, DONE, END)
    assert (record.outcome, record.chunks, record.tokens) == (COMPLETED, 3, 4)


def test_time_per_output_token_of_several_choices_is_that_of_each(stream):
    both = event({"choices": [{"index": n, "delta": {"content": "x"}} for n in (0, 1)]})
    record = chat(stream, both, READ, 0.1, both, READ, DONE, END)
    assert record.tokens == 4
    assert record.time_per_output_token_s == pytest.approx(record.max_chunk_interval_s)


TOKEN_ENDS = {
    "no [DONE]": ([*WORDS, STOP, END], {}, INCOMPLETE, 3),
    "no [DONE] before FIN": ([delta(content="a"), "fin"], {}, TRUNCATED, 1),
    "[DONE] and no transfer end": ([delta(content="a"), DONE, READ, "fin"], {}, TRUNCATED, 1),
    "[DONE] named": ([delta(content="a"), DONE, END], {"end": "data:[DONE]"}, COMPLETED, 1),
    "[DONE] named, and missing": ([delta(content="a"), END], {"end": "data:[DONE]"}, INCOMPLETE, 1),
    "another end instead": ([delta(content="a"), delta(content="b"), END], {"end": "chunks:2"}, COMPLETED, 2),
    "too few chunks": ([delta(content="a"), DONE, END], {"end": "chunks:2"}, INCOMPLETE, 1),
    "an error": ([delta(content="a"), READ, ERROR, DONE, END], {}, IN_BAND_ERROR, 1),
    "an error in the same read": ([delta(content="a") + ERROR + DONE + END], {}, IN_BAND_ERROR, 1),
    "an error and nothing else": ([ERROR, END], {}, IN_BAND_ERROR, 0),
    "an error event": ([delta(content="a"), chunk(b"event: error\ndata: busy\n\n"), END], {}, IN_BAND_ERROR, 1),
    "an error in a line of its own": ([delta(content="a"), chunk(b"error: {}\n\n"), DONE, END], {}, IN_BAND_ERROR, 1),
    "a choice that failed": ([delta(content="a"), delta(finish="error"), DONE, END], {}, IN_BAND_ERROR, 1),
    "no JSON": ([delta(content="a"), READ, event("oops"), END], {}, PROTOCOL_ERROR, 1),
    "no JSON in the same read": ([delta(content="a") + event("oops") + END], {}, PROTOCOL_ERROR, 1),
}  # fmt: skip


@pytest.mark.parametrize(("script", "options", "outcome", "chunks"), TOKEN_ENDS.values(), ids=TOKEN_ENDS)
def test_how_a_token_stream_ends_is_its_outcome(script, options, outcome, chunks, stream):
    record = chat(stream, *script, **options)
    assert (record.outcome, record.chunks) == (outcome, chunks), record.reason


def test_what_the_service_said_is_the_reason(stream):
    assert "out of memory" in chat(stream, ERROR, END).reason


SAYINGS = {
    "several lines": ("out of\n  memory\r\n", "out of memory"),
    "a terminal's control sequence": ("\x1b[2Jbusy", "\\x1b[2Jbusy"),
    "half a character": ("busy \ud83d", "busy \\ud83d"),
    "very long": ("x" * 1000, "x" * 160),
}


@pytest.mark.parametrize(("said", "words"), SAYINGS.values(), ids=SAYINGS)
def test_the_reason_is_one_line_that_can_be_printed(said, words, stream):
    assert chat(stream, event({"error": {"message": said}}), END).reason == f"the stream said: {words}"


def test_a_whole_answer_instead_of_a_stream_is_an_http_error(stream):
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"choices": []}'
    record = stream([answer], protocol="openai")
    assert record.outcome is HTTP_ERROR
