"""What a scenario may send on a WebSocket."""

import pytest

from streamgauge.wire.messages import Answers, SendError, StartMessages, messages_of, read_send, text_or_bytes

MESSAGES = {
    "a text": ("hello", ("hello",)),
    "an empty text": ("", ("",)),
    "bytes": (b"hello", (b"hello",)),
    "a bytearray": (bytearray(b"a"), (b"a",)),
    "an object": ({"type": "init", "ü": [1]}, ('{"type":"init","\\u00fc":[1]}',)),
    "a number": (1, ("1",)),
    "several": (["a", b"b", {"c": 1}], ("a", b"b", '{"c":1}')),
    "a tuple": (("a", "b"), ("a", "b")),
    "a JSON array": ([["1", "phx_join", {}]], ('["1","phx_join",{}]',)),
    "null": ([None], ("null",)),
    "nothing": (None, ()),
    "an empty list": ([], ()),
}


@pytest.mark.parametrize(("found", "messages"), MESSAGES.values(), ids=MESSAGES)
def test_a_value_is_one_message_and_a_list_several(found, messages):
    assert messages_of(found) == messages


@pytest.mark.parametrize("value", ["\ud800", float("nan"), {"a": object()}, ["a", {1, 2}]], ids=repr)
def test_what_no_message_can_hold_is_refused_with_its_value(value):
    with pytest.raises(SendError, match=r"send: expected a text, bytes or a value that JSON has, got "):
        read_send(value)


def test_a_callable_is_asked_later():
    assert read_send(print) == Answers(print)
    assert read_send(["a"]) == StartMessages(("a",))
    assert read_send(StartMessages(("a",))) == StartMessages(("a",))
    assert read_send(None) is None


def test_bytes_that_are_utf8_may_be_a_text():
    assert (text_or_bytes("é".encode()), text_or_bytes(b"\xff")) == ("é", b"\xff")
