"""The named end is an act: once it has come, the stream has completed, whatever the server does after it."""

import time

import pytest

from streamgauge.client import states
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats

COMPLETED, INCOMPLETE = Outcome.COMPLETED, Outcome.INCOMPLETE
END, READ = b"0\r\n\r\n", "read"
#: Long enough that it does not pass unless something waits for it.
LONG_S = 60.0


def head(media_type: str = "text/event-stream", framing: str = "Transfer-Encoding: chunked") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n{framing}\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(data: str, name: str = "") -> bytes:
    return chunk((f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode())


ONE, TWO, DONE = event("one"), event("two"), event("x", "done")
SAID_DONE = event("[DONE]")


def delta(text: str = "", reason: str = "null") -> bytes:
    content = f'{{"content":"{text}"}}' if text else "{}"
    return event(f'{{"choices":[{{"index":0,"delta":{content},"finish_reason":{reason}}}]}}')


USAGE = event('{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":7}}')
STOP = delta(reason='"stop"')
LINES, TOKENS = {"protocol": "ndjson"}, {"protocol": "openai"}
MIXED, FRAMES = "multipart/mixed; boundary=b", "multipart/x-mixed-replace; boundary=b"


def part(content: bytes) -> bytes:
    return chunk(b"--b\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(content), content))


#: What the server sends before it leaves the response open, what is asked for, and the chunks up to the end.
LEFT_OPEN = {
    "an event": ([head(), ONE, DONE], {"end": "event:done"}, 2),
    "an event, in one read": ([head() + ONE + DONE], {"end": "event:done"}, 2),
    "an event's data": ([head(), ONE + TWO], {"end": "data:two"}, 2),
    "a member of an event": ([head(), ONE, event('{"done":true}')], {"end": "json:done"}, 2),
    "one of several": ([head(), ONE, DONE], {"end": ["event:over", "data:x"]}, 2),
    "a callable's": ([head(), ONE, TWO], {"end": lambda each: each.data == "two"}, 2),
    "an event, of a length": ([head(framing="Content-Length: 9999"), b"data: one\n\n"], {"end": "data:one"}, 1),
    "an event, until the close": ([head(framing="X: y"), b"data: one\n\n"], {"end": "data:one"}, 1),
    "a line": (
        [head("application/x-ndjson"), chunk(b'{"n":1}\n'), chunk(b'{"n":2,"done":true,"ns":81}\n')],
        {**LINES, "end": "json:done=true"}, 2,
    ),
    "the tokens' own": ([head(), delta("a"), STOP, SAID_DONE], TOKENS, 1),
    "a finish reason": ([head(), delta("a"), delta("b"), STOP], {**TOKENS, "end": "json:choices.0.finish_reason"}, 2),
    "a finish reason for a callable": (
        [head(), delta("a"), STOP], {**TOKENS, "end": lambda frame: frame["choices"][0]["finish_reason"]}, 1,
    ),
    "the usage for a callable": ([head(), delta("a"), STOP, USAGE], {**TOKENS, "end": lambda each: "usage" in each}, 1),
    "a part": ([head(FRAMES), part(b"a"), part(b"b")], {"protocol": "multipart", "end": "data:b"}, 2),
    "a part of a document": ([head(MIXED), part(b"a")], {"protocol": "multipart", "end": "chunks:1"}, 1),
    "a transfer chunk": ([head("text/plain"), chunk(b"a"), chunk(b"bye")], {"protocol": "raw", "end": "data:bye"}, 2),
}  # fmt: skip


@pytest.fixture
def _short_wait(monkeypatch):
    monkeypatch.setattr(states, "ENDING_S", 0.05)


@pytest.mark.usefixtures("_short_wait")
@pytest.mark.parametrize(("script", "options", "chunks"), LEFT_OPEN.values(), ids=LEFT_OPEN)
@pytest.mark.parametrize("reads", ["as they come", "apart"])
def test_a_response_that_stays_open_after_its_named_end_is_left(script, options, chunks, reads, stream, server, until):
    steps = [step for each in script for step in ((each, READ) if reads == "apart" else (each,))]
    record = stream(steps, total_timeout_s=LONG_S, **options)
    assert (record.outcome, record.reason, record.chunks) == (COMPLETED, "", chunks)
    until(lambda: server.hung_up)


MORE = {
    "chunks in the same read": [ONE + DONE + TWO + TWO + END],
    "chunks in later reads": [ONE, DONE, READ, TWO, READ, TWO, READ, END],
    "an error": [ONE, DONE, READ, event("too hot", "error"), READ, END],
    "an error in the same read": [ONE, DONE + event("too hot", "error"), END],
    "part of an event": [ONE, DONE, READ, chunk(b"data: tw"), READ, END],
    "an event that is too long": [ONE, DONE, READ, chunk(b"data: " + b"x" * 2000 + b"\n\n"), END],
}


@pytest.mark.parametrize("script", MORE.values(), ids=MORE)
def test_what_comes_after_the_named_end_does_not_count(script, plan, talk):
    made = plan([head(), *script], end="event:done", max_chunk_bytes=1000)
    record = talk.stream(made)
    assert (record.outcome, record.reason, record.chunks) == (COMPLETED, "", 2)
    stats = talk.process_stats.stats("stream", "sse")
    assert (stats.chunks, stats.chunk_interval.all.count, sum(stats.chunk_sizes.counts)) == (2, 1, 2)


def test_the_usage_after_a_finish_reason_still_counts_the_tokens(stream):
    end = "json:choices.0.finish_reason"
    record = stream([head(), delta("a"), delta("b"), STOP, READ, USAGE + SAID_DONE + END], protocol="openai", end=end)
    assert (record.outcome, record.chunks, record.tokens) == (COMPLETED, 2, 7)


def test_a_connection_is_kept_if_the_response_ends_soon_after_its_named_end(plan, talk, server):
    for _ in range(2):
        assert talk.stream(plan([head(), ONE, DONE, READ, 0.02, END], end="event:done")).outcome is COMPLETED
    assert server.connections == 1


@pytest.mark.usefixtures("_short_wait")
def test_a_connection_that_was_left_is_not_used_again(plan, talk, server):
    for path in ("/a", "/b"):
        assert talk.stream(plan([head(), DONE], path, end="event:done")).outcome is COMPLETED
    assert server.connections == 2


def endless(connection, head_of_request):
    """Send events until the client hangs up."""
    try:
        for number in range(10**6):
            connection.sendall(event(str(number)))
            time.sleep(0.001)
    except OSError:
        pass


def test_a_number_of_chunks_ends_an_endless_feed_at_once(stream, monkeypatch):
    """The chunk after them shows that the feed goes on, so that there is nothing to wait for."""
    monkeypatch.setattr(states, "ENDING_S", LONG_S)
    process_stats = ProcessStats()
    record = stream([head(), endless], end="chunks:3", total_timeout_s=LONG_S / 2)
    assert (record.outcome, record.reason, record.chunks) == (COMPLETED, "", 3)
    assert process_stats.active == 0


def test_a_stream_that_has_just_so_many_chunks_keeps_its_connection(plan, talk, server):
    for _ in range(2):
        assert talk.stream(plan([head(), ONE, TWO, END], end="chunks:2")).chunks == 2
    assert server.connections == 1


@pytest.mark.usefixtures("_short_wait", "cpu_to_spare")
def test_a_stream_that_was_left_lasted_until_its_named_end(stream):
    record = stream([head(), ONE, READ, 0.1, DONE], end="event:done")
    assert record.duration_s == pytest.approx(record.time_to_first_chunk_s + record.max_chunk_interval_s)


def test_a_stream_that_the_run_ends_after_its_named_end_has_completed(plan, talk, monkeypatch):
    monkeypatch.setattr(states, "ENDING_S", LONG_S)
    made, stats = plan([head(), DONE], end="event:done"), talk.process_stats
    record = talk.stream(made, until=lambda: any(each.chunks for each in stats.all_stats.values()))
    assert record.outcome is COMPLETED


ALMOST = {
    "a line that varies": (
        [head("application/x-ndjson"), chunk(b'{"n":1}\n'), chunk(b'{"n":2,"done":true,"ns":81}\n'), END],
        {**LINES, "end": 'data:{"done":true}'}, """; it ended with '{"n":2,"done":true,"ns":81}'""",
    ),
    "another event": ([head(), ONE, event("bye", "over"), END], {"end": "event:done"}, "with 'event: over data: bye'"),
    "no [DONE]": ([head(), delta("a"), STOP, END], TOKENS, '"finish_reason":"stop"'),
    "long data": ([head(), event("y" * 900), END], {"end": "data:y"}, f"with 'data: {'y' * 194}'"),
    "too few chunks": ([head(), ONE, END], {"end": "chunks:2"}, "with 'data: one'"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "options", "words"), ALMOST.values(), ids=ALMOST)
@pytest.mark.parametrize("reads", ["as they come", "apart"])
def test_a_stream_without_its_named_end_tells_what_it_ended_with(script, options, words, reads, stream):
    steps = [step for each in script for step in ((each, READ) if reads == "apart" else (each,))]
    record = stream(steps, **options)
    assert record.outcome is INCOMPLETE
    assert words in record.reason


def test_streams_without_their_named_end_are_counted_together_with_the_quote_of_the_first(plan, talk):
    for number in range(3):
        record = talk.stream(plan([head(), event(str(number)), END], f"/{number}", end="event:done"))
        assert record.reason.endswith(f"it ended with 'data: {number}'")
    (reason,) = talk.process_stats.stats("stream", "sse").reasons.items()
    assert reason == ("incomplete: the body ended cleanly, and the named end had not come; it ended with 'data: 0'", 3)


def test_what_a_stream_ended_with_is_told_of_the_fast_path_too(stream):
    events = [step for number in range(20) for step in (event(f"number {number}"), READ)]
    record = stream([head(), READ, *events, END], end="event:done")
    assert record.reason == "the body ended cleanly, and the named end had not come; it ended with 'data: number 19'"


@pytest.mark.usefixtures("_short_wait", "cpu_to_spare")
def test_a_stream_that_was_left_without_a_chunk_says_so(stream):
    record = stream([head(), SAID_DONE], protocol="openai")
    assert (record.outcome, record.reason, record.without_chunks) == (COMPLETED, "no chunk came", 1)


def test_a_stream_of_tokens_may_end_without_its_own_end_if_the_scenario_says_so(stream):
    record = stream([head(), delta("a"), STOP, END], protocol="openai", end="off")
    assert (record.outcome, record.reason, record.chunks) == (COMPLETED, "", 1)
