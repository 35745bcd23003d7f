"""What reports an error, what is a chunk, and which status is acceptable: by the format, and as the scenario says."""

import itertools

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.http.statuses import read_statuses
from streamgauge.client.plan import StreamFailed
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.rules import read_chunk, read_error
from tests.client.first_chunk import longest_first_chunk_s
from tests.client.test_named_end import END, READ, SAID_DONE, chunk, delta, event, head, part
from tests.client.test_states import upgrade

COMPLETED, IN_BAND_ERROR, CHECK_FAILED = Outcome.COMPLETED, Outcome.IN_BAND_ERROR, Outcome.CHECK_FAILED
STALLED, HTTP_ERROR, ABORTED = Outcome.STALLED, Outcome.HTTP_ERROR, Outcome.ABORTED
LINES = "application/x-ndjson"


def sends(media_type, *data):
    """A response with a chunk of each of these data: events, lines, or as they are."""
    if media_type == LINES:
        return [head(LINES), *(chunk(f"{each}\n".encode()) for each in data), END]
    return [head(), *(event(each) for each in data), END]


#: JSON that can only be a report, and what it says; and JSON that has an ``error`` among its own data.
REPORTS = {
    '{"error":{"message":"engine died","code":500}}': "engine died",
    '{"error":"out of memory","error_type":"generation"}': "out of memory",
    '{"error":{"code":503,"status":"UNAVAILABLE"}}': '{"code": 503, "status": "UNAVAILABLE"}',
    '{"type":"error","error":{"type":"overloaded"}}': '{"type": "overloaded"}',
    '{"type":"error","message":"too hot"}': "too hot",
    '{"jsonrpc":"2.0","id":1,"error":{"code":0,"message":"unknown prompt"}}': "unknown prompt",
    '{"error":"model not found"}': "model not found",
    '{"error":true,"message":"too hot"}': "too hot",
}
DATA = (
    '{"step":1,"error":0.25}',
    '{"level":"warn","msg":"retry","error":"dial tcp"}',
    '{"level":"warn","error":{"message":"dial tcp"}}',
    '{"id":7,"error":"no such address"}',
    '{"jsonrpc":"2.0","id":1,"error":"none"}',
    '{"error":null,"code":0}',
    '{"error":""}',
    '{"error":1}',
    '{"id":7,"error":true}',
    '{"text":"\\"error\\""}',
    '["error"]',
)


@pytest.mark.parametrize("media_type", ["text/event-stream", LINES])
@pytest.mark.parametrize(("data", "said"), REPORTS.items())
def test_events_and_lines_that_can_only_report_an_error_fail_the_stream(media_type, data, said, stream):
    record = stream(sends(media_type, "1", data, "2"), protocol="auto")
    assert (record.outcome, record.reason, record.chunks) == (IN_BAND_ERROR, f"the stream said: {said}", 2)


@pytest.mark.parametrize("media_type", ["text/event-stream", LINES])
@pytest.mark.parametrize("data", DATA)
def test_a_member_of_that_name_is_data(media_type, data, stream):
    record = stream(sends(media_type, data, "2"), protocol="auto")
    assert (record.outcome, record.chunks) == (COMPLETED, 2), record.reason


def test_an_error_is_seen_on_the_fast_path(stream):
    events = [step for number in range(9) for step in (event(str(number)), READ)]
    record = stream([head(), READ, *events, event('{"error":{"message":"too hot"}}'), READ, event("9"), END])
    assert (record.outcome, record.reason, record.chunks) == (IN_BAND_ERROR, "the stream said: too hot", 10)


def by(error, **options):
    return {"error": read_error(error), **options}


REPORT = '{"error":{"message":"too hot"}}'
OFF = by("off")
TOKENS = {"protocol": "openai"}
#: What is sent, what is asked for, the outcome and the chunks.
ERRORS = {
    "events, off": ([head(), event("x", "error"), event(REPORT), END], OFF, COMPLETED, 2),
    "lines, off": (sends(LINES, REPORT, "1"), {"protocol": "ndjson", **OFF}, COMPLETED, 2),
    "tokens, off": ([head(), delta("a"), event(REPORT), SAID_DONE, END], {"protocol": "openai", **OFF}, COMPLETED, 1),
    "tokens, by default": ([head(), delta("a"), event(REPORT), SAID_DONE, END], TOKENS, IN_BAND_ERROR, 1),
    "tokens, another": (
        [head(), delta("a"), event("{}", "failed"), END], by("event:failed", protocol="openai"),
        IN_BAND_ERROR, 1,
    ),
    "another event": ([head(), event("x", "error"), event("y", "bad"), END], by("event:bad"), IN_BAND_ERROR, 2),
    "a text": ([head(), event("down"), END], by("data:down"), IN_BAND_ERROR, 1),
    "a member": (sends(LINES, '{"loss":1}'), by("json:loss", protocol="ndjson"), IN_BAND_ERROR, 1),
    "a member's value": (
        sends(LINES, '{"s":"ok"}', '{"s":"failed"}'), by("json:s=failed", protocol="ndjson"),
        IN_BAND_ERROR, 2,
    ),
    "one of several": ([head(), event("y", "bad"), END], by(["data:x", "event:bad"]), IN_BAND_ERROR, 1),
    "a callable's": ([head(), event("9"), END], by(lambda each: each.data > "5"), IN_BAND_ERROR, 1),
    "a part": (
        [head("multipart/mixed; boundary=b"), part(b"a"), part(b"bad"), chunk(b"--b--"), END],
        by("data:bad", protocol="multipart"), IN_BAND_ERROR, 2,
    ),
    "a transfer chunk": ([head("a/b"), chunk(b"bad"), END], by("data:bad", protocol="raw"), IN_BAND_ERROR, 1),
    "a message": ([upgrade], by("data:x", protocol="websocket"), IN_BAND_ERROR, 1),
    "before the end": ([head(), event("x", "error"), event("y", "done"), END], {"end": "event:done"}, IN_BAND_ERROR, 1),
}  # fmt: skip


@pytest.mark.parametrize(("script", "options", "outcome", "chunks"), ERRORS.values(), ids=ERRORS)
def test_the_scenario_says_what_reports_an_error(script, options, outcome, chunks, stream):
    record = stream(script, **options)
    assert (record.outcome, record.chunks) == (outcome, chunks), record.reason


def test_a_callable_can_give_the_reason(stream):
    record = stream([head(), event("99"), END], error=read_error(lambda each: f"heat {each.data}"))
    assert record.reason == "the stream said: heat 99"


PING, OPENING = event('{"type":"ping"}', "ping"), event('{"type":"start"}', "start")
TEXT = event('{"delta":{"text":"Hi"}}', "delta")
THOUGHT = event('{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}')
ROLE = event('{"choices":[{"index":0,"delta":{"role":"assistant"}}]}')
#: What is sent before and after the first chunk, what a chunk is, and the numbers of chunks and heartbeats.
CHUNKS = {
    "all": ([], [PING, TEXT, TEXT], None, {}, 3, 0),
    "an event": ([PING, OPENING], [TEXT, PING, TEXT], "event:delta", {}, 2, 3),
    "not an event": ([PING], [TEXT, TEXT], "not event:ping", {}, 2, 1),
    "neither of two events": ([PING, OPENING], [TEXT], ["not event:ping", "not event:start"], {}, 1, 2),
    "a member": ([PING, OPENING], [TEXT], "json:delta.text", {}, 1, 2),
    "a callable's": ([PING], [TEXT], lambda each: each.event == "delta", {}, 1, 1),
    "a member but no ping": ([PING], [TEXT], ["json:delta", "not event:ping"], {}, 1, 1),
    "the end is none": ([PING], [TEXT, event("", "done")], "event:delta", {"end": "event:done"}, 1, 1),
    "tokens by default": ([ROLE], [THOUGHT, delta("a"), SAID_DONE], None, TOKENS, 2, 0),
    "tokens without thoughts": (
        [ROLE, THOUGHT], [delta("a"), delta("b"), SAID_DONE], "json:choices.0.delta.content", TOKENS, 2, 3,
    ),
    "tokens with roles": ([], [ROLE, delta("a"), SAID_DONE], "json:choices.0.delta", TOKENS, 2, 1),
    "all tokens' events": ([], [ROLE, delta("a"), SAID_DONE], "any", TOKENS, 3, 0),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "named", "options", "chunks", "heartbeats"), CHUNKS.values(), ids=CHUNKS)
def test_the_scenario_says_what_a_chunk_is(before, after, named, options, chunks, heartbeats, stream):
    gap = [READ, 0.1] if before else []
    record = stream([head(), *before, *gap, *after, END], chunk=read_chunk(named), **options)
    assert (record.outcome, record.chunks, record.heartbeats) == (COMPLETED, chunks, heartbeats), record.reason
    assert not before or longest_first_chunk_s(record) >= 0.1


def test_what_is_no_chunk_is_neither_timed_nor_seen_by_the_scenario(plan, talk):
    seen = []
    made = plan(
        [head(), PING, READ, TEXT, READ, PING, READ, TEXT, END], chunk=read_chunk("event:delta"), on_chunk=seen.append
    )
    record = talk.stream(made)
    stats = talk.process_stats.stats("stream", "sse")
    assert (record.chunks, stats.chunks, stats.chunk_interval.all.count, len(seen)) == (2, 2, 1, 2)


def test_the_arrival_of_a_chunk_is_not_exact_if_a_ping_shared_its_read(stream):
    record = stream([head(), READ, TEXT, READ, TEXT + PING, READ, END], chunk=read_chunk("event:delta"))
    assert (record.chunks, record.coalesced) == (2, 1)


def test_numbers_go_on_over_what_is_no_chunk(stream):
    events = [chunk(b"id: %d\nevent: %b\ndata: 1\n\n" % (n, name)) for n, name in enumerate((b"a", b"ping", b"a"))]
    record = stream([head(), *events, END], chunk=read_chunk("event:a"), sequence="id")
    assert (record.chunks, record.lost) == (2, 0)


BEAT = chunk(b": on\n\n")
QUIET = {
    "comments": ([BEAT] * 3, {}, "but 3 heartbeats; if the stream may be quiet for longer, raise idle_timeout_s"),
    "one comment": ([BEAT], {}, "but 1 heartbeat; "),
    "pings": ([PING] * 3, {"chunk": read_chunk("not event:ping")}, "raise idle_timeout_s, or let chunk= count them"),
    "none": ([], {}, "no chunk within 0.3 s"),
}


@pytest.mark.parametrize(("beats", "options", "words"), QUIET.values(), ids=QUIET)
def test_a_stalled_stream_tells_of_its_heartbeats(beats, options, words, stream):
    steps = [step for beat in (BEAT, event("1"), *beats) for step in (beat, READ)]
    record = stream([head(), *steps], idle_timeout_s=0.3, **options)
    assert record.outcome is STALLED
    assert record.reason.startswith("no chunk within 0.3 s")
    assert record.reason.endswith(words) or words in record.reason
    assert ("heartbeat" in record.reason) is bool(beats)


def test_before_the_first_chunk_another_limit_is_to_be_raised(stream):
    record = stream([head(), BEAT, READ, BEAT, READ], first_chunk_timeout_s=0.3)
    assert record.reason.endswith(
        "but 2 heartbeats; if the stream may be quiet for longer, raise first_chunk_timeout_s"
    )


def answers(status, *more):
    return [f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno".encode(), *more]


STATUSES = {
    "a wanted refusal": (
        answers("429 Too Many"), "429", COMPLETED, "status 429 Too Many, which the scenario accepts, body: no",
    ),
    "another refusal": (answers("503 Busy"), "2xx,429", HTTP_ERROR, "status 503 Busy, body: no"),
    "a success": (sends("", "1"), "2xx,429", COMPLETED, ""),
    "an unwanted success": (
        sends("", "1"), "429", HTTP_ERROR, "status 200 OK, and the acceptable statuses are 429, body: data: 1",
    ),
    "a redirect that is not followed": (
        [b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"], "3xx", COMPLETED,
        "status 302 Found, which the scenario accepts",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "status", "outcome", "reason"), STATUSES.values(), ids=STATUSES)
def test_the_scenario_says_which_statuses_are_acceptable(script, status, outcome, reason, stream):
    record = stream(script, status=read_statuses(status), max_redirects=0)
    assert (record.outcome, record.reason) == (outcome, reason)
    assert record.accepted_refusals == (outcome is COMPLETED and record.chunks == 0)


def test_a_websocket_that_is_refused_as_wanted_has_completed(stream):
    record = stream(answers("403 No"), protocol="websocket", status=read_statuses("101,403"))
    assert (record.outcome, record.accepted_refusals) == (COMPLETED, 1)
    assert stream([upgrade, b"\x88\x00"], protocol="websocket", status=read_statuses("101")).chunks == 1


def test_a_refusal_of_a_reconnect_is_no_wanted_one(again):
    record = again(
        [head(), chunk(b"retry: 1\n\n"), event("1"), READ, "fin"], answers("429 No"), status=read_statuses("429,200")
    )
    assert (record.outcome, record.reason) == (HTTP_ERROR, "status 429 No, body: no")


EMPTY = {
    "no event": ([head(), END], {}, COMPLETED, "no chunk came"),
    "[DONE] alone": ([head(), SAID_DONE, END], TOKENS, COMPLETED, "no chunk came"),
    "comments alone": ([head(), BEAT, END], {}, COMPLETED, "no chunk came"),
    "a time to reconnect": ([head(), chunk(b"retry: 1\n\n"), END], {}, COMPLETED, "no chunk came"),
    "lines as events": (
        [head(), chunk(b'{"i":1}\n'), chunk(b'{"i":2}\n'), END], {}, Outcome.INCOMPLETE,
        "the body ended cleanly after 16 bytes without one whole chunk; it began with '{\"i\":1}",
    ),
    "JSON for tokens": (
        [head(), chunk(b'{"error":"no"}'), END], TOKENS, Outcome.INCOMPLETE, """it began with '{"error":"no"}'""",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "options", "outcome", "reason"), EMPTY.values(), ids=EMPTY)
def test_a_stream_that_brought_nothing_says_so(script, options, outcome, reason, plan):
    process_stats = ProcessStats()
    (record,) = run_streams([plan(script, **options)], process_stats)
    assert record.outcome is outcome
    assert reason in record.reason
    (stats,) = (each for each in process_stats.all_stats.values() if each.finished)
    assert stats.without_chunks == (outcome is COMPLETED)


def fails(error):
    def look(each):
        raise error

    return look


CHECKS = {
    "StreamFailed": (StreamFailed("wrong number"), CHECK_FAILED, "wrong number"),
    "StreamFailed without a word": (StreamFailed(), CHECK_FAILED, "StreamFailed"),
    "an assertion": (AssertionError("5 < 10"), CHECK_FAILED, "the scenario raised AssertionError('5 < 10')"),
    "anything": (LookupError("no such gauge"), CHECK_FAILED, "the scenario raised LookupError('no such gauge')"),
    "leaving": (StopIteration(), ABORTED, "the scenario raised StopIteration()"),
}


@pytest.mark.parametrize(("error", "outcome", "reason"), CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("where", ["on_chunk", "end", "error", "chunk"])
def test_a_callable_that_raises_fails_the_stream(error, outcome, reason, where, plan, talk):
    call = fails(error)
    look = {"on_chunk": call, "end": call, "error": read_error(call), "chunk": read_chunk(call)}[where]
    made = plan([head(), event("1"), READ, event("2"), END], leaves_by=(StopIteration,), **{where: look})
    record = talk.stream(made)
    assert (record.outcome, record.reason) == (outcome, reason)
    assert record.failed is (outcome is CHECK_FAILED)
    stats = talk.process_stats.stats("stream", "sse")
    assert dict(stats.outcomes) == {outcome: 1}


def test_hanging_up_is_no_failure(stream):
    counter = itertools.count()
    record = stream([head(), event("1"), READ, event("2"), READ, event("3")], on_chunk=lambda each: next(counter) < 1)
    assert (record.outcome, record.reason) == (ABORTED, "the scenario hung up")
