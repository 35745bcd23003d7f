"""What a scenario sends on a WebSocket, and when, by a server that does as a script says."""

import time

import pytest
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from streamgauge.client.blocking import run_streams
from streamgauge.client.plan import PlanError
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.messages import Pause, SendError, read_send
from tests.client.test_websocket import TEXT, Upgrade, close, frame

COMPLETED, ABORTED = Outcome.COMPLETED, Outcome.ABORTED


@pytest.fixture
def opens():
    return Upgrade()


@pytest.fixture
def websocket(stream):
    return lambda *script, send=None, **options: stream(
        [*script], protocol="websocket", send=read_send(send), **options
    )


def heard(opens):
    """The messages that the server got, once it has read up to the client's close."""
    deadline_s = time.monotonic() + 10
    while not any(isinstance(each, CloseConnection) for each in opens.heard) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return [each.data for each in opens.heard if isinstance(each, TextMessage | BytesMessage)]


def test_messages_go_after_the_body_and_in_their_order(websocket, opens):
    record = websocket(opens, close(1000), opens.until(CloseConnection), send=["two", b"3", {"n": 4}], body=b"one")
    assert (record.outcome, record.chunks, record.bytes) == (COMPLETED, 0, 0), record.reason
    assert heard(opens) == ["one", "two", bytearray(b"3"), '{"n":4}']


def test_a_callable_sees_the_opening_and_each_chunk_once(websocket, opens):
    seen = []

    def answer(chunk):
        seen.append(chunk)
        return None if chunk is None else [f"got {chunk.decode()}", "and more"]

    messages = frame(TEXT, b"a") + frame(TEXT, b"b")
    until = opens.until(CloseConnection)
    record = websocket(opens, messages, "read", frame(TEXT, b"c"), "read", close(1000), until, send=answer)
    assert (record.outcome, record.chunks, record.bytes) == (COMPLETED, 3, 3), record.reason
    assert seen == [None, b"a", b"b", b"c"]
    assert heard(opens) == ["got a", "and more", "got b", "and more", "got c", "and more"]


def until_heard(opens, count):
    """A step that reads until the client has sent so many messages."""

    def step(connection, head):
        while len([each for each in opens.heard if isinstance(each, TextMessage)]) < count:
            opens.read(connection)

    return step


def test_a_pause_is_waited_out_between_two_messages(websocket, opens):
    began_s = time.monotonic()
    script = until_heard(opens, 3), close(1000), opens.until(CloseConnection)
    record = websocket(opens, *script, send=["a", Pause(0.3), "b", Pause(0), "c"])
    assert time.monotonic() - began_s >= 0.3
    assert (record.outcome, heard(opens)) == (COMPLETED, ["a", "b", "c"]), record.reason


def test_an_answer_waits_for_the_pause_before_it(websocket, opens):
    send = {None: [Pause(0.2), "first"], b"a": "second", b"b": [Pause(0.1), "third"]}.get
    script = until_heard(opens, 3), close(1000), opens.until(CloseConnection)
    websocket(opens, frame(TEXT, b"a") + frame(TEXT, b"b"), *script, send=send)
    assert heard(opens) == ["first", "second", "third"]


def test_what_follows_a_pause_is_not_sent_once_the_stream_has_ended(websocket, opens):
    until = opens.until(CloseConnection)
    record = websocket(
        opens, until_heard(opens, 1), frame(TEXT, b"end"), until, end="data:end", send=["a", Pause(60), "b"]
    )
    assert (record.outcome, heard(opens)) == (COMPLETED, ["a"]), record.reason
    assert record.duration_s < 30


@pytest.mark.parametrize("length", [-1, float("nan"), float("inf"), "1"])
def test_a_pause_of_no_length_is_refused(length):
    with pytest.raises(SendError, match=r"^Pause: expected seconds, 0 or more, got "):
        Pause(length)


def test_the_first_message_may_come_with_the_handshake(websocket, opens):
    def step(connection, head):
        opens(connection, head)

    seen = []
    websocket(step, frame(TEXT, b"a") + close(1000), opens.until(CloseConnection), send=seen.append)
    assert seen[:1] == [None], "the opening comes before every chunk"
    assert set(seen) <= {None, b"a"}


def test_the_named_end_is_answered_before_the_close_and_nothing_after_it(websocket, opens):
    until = opens.until(CloseConnection)
    record = websocket(
        opens, frame(TEXT, b"end"), until, frame(TEXT, b"late"), close(1000), end="data:end",
        send=lambda chunk: chunk and f"bye {chunk.decode()}",
    )  # fmt: skip
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason
    assert heard(opens) == ["bye end"]
    assert isinstance(opens.heard[-1], CloseConnection)


@pytest.mark.parametrize("at", [None, b"a"], ids=["the opening", "a chunk"])
@pytest.mark.parametrize("fault", [LookupError("no such"), float("nan")], ids=["raises", "no JSON"])
def test_what_goes_wrong_in_a_callable_reaches_its_caller_and_ends_the_stream(plan, opens, at, fault):
    def answer(chunk):
        if chunk != at:
            return None
        if isinstance(fault, Exception):
            raise fault
        return fault

    script = [opens, frame(TEXT, b"a"), opens.until(CloseConnection)]
    kind = LookupError if isinstance(fault, Exception) else SendError
    with pytest.raises(kind):
        run_streams([plan(script, protocol="websocket", send=read_send(answer))])


@pytest.mark.parametrize("protocol", ["sse", "auto", "raw"])
def test_only_a_websocket_sends(plan, protocol):
    with pytest.raises(PlanError, match=f"send: only a WebSocket sends messages, and the protocol is {protocol}"):
        plan(protocol=protocol, send=read_send("a"))
