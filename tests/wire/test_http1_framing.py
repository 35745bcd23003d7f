"""The framing that a head asks for takes its length from there, and an error shows what the head said."""

import pytest

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_body import framing_of
from streamgauge.wire.http1_head import parse_head


def framing(fields):
    return framing_of(parse_head(b"HTTP/1.1 200 OK\r\n" + fields), "GET")


def test_a_body_is_as_long_as_its_head_says():
    found = framing(b"Content-Length: 5")
    assert (found.feed(b"hello, world"), found.rest, found.finished) == ([b"hello"], b", world", True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (b"Content-Length: " + b"x" * 81, f"expected one content-length, got {'x' * 80!r}"),
        (b"Transfer-Encoding: " + b"x" * 81, f"expected transfer-encoding chunked, got {'x' * 80!r}"),
    ],
)
def test_an_error_shows_the_field(fields, words):
    with pytest.raises(ProtocolError) as raised:
        framing(fields)
    assert str(raised.value) == words
