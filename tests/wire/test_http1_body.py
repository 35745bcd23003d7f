"""Message bodies: which framing a head asks for, and each framing's octets, RFC 9112 sections 6 and 7."""

from collections.abc import Callable

import pytest

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_body import (
    MAX_LINE_BYTES,
    MAX_TRAILER_BYTES,
    ChunkedBody,
    CloseBody,
    Framing,
    LengthBody,
    NoBody,
    framing_of,
)
from streamgauge.wire.http1_head import parse_head

CHUNKED = {
    "no chunk": (b"0\r\n\r\n", []),
    "one chunk": (b"5\r\nhello\r\n0\r\n\r\n", [b"hello"]),
    "two chunks": (b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", [b"a", b"bc"]),
    "lower hex": (b"a\r\n0123456789\r\n0\r\n\r\n", [b"0123456789"]),
    "upper hex": (b"A\r\n0123456789\r\n0\r\n\r\n", [b"0123456789"]),
    "two digits": (b"1F\r\n" + b"x" * 31 + b"\r\n0\r\n\r\n", [b"x" * 31]),
    "leading zeros": (b"0000000000000003\r\nabc\r\n000\r\n\r\n", [b"abc"]),
    "white space after the size": (b"3 \t\r\nabc\r\n0 \r\n\r\n", [b"abc"]),
    "extensions": (b'3;a=b;c="d;e"\r\nabc\r\n0;last\r\n\r\n', [b"abc"]),
    "white space before an extension": (b"3 ;a\r\nabc\r\n0\r\n\r\n", [b"abc"]),
    "CRLF as data": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", [b"\r\n\r\n"]),
    "last chunk as data": (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", [b"0\r\n\r\n"]),
    "trailers": (b"3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n", [b"abc"]),
    "trailers that LF ends": (b"3\r\nabc\r\n0\r\nA: b\nC: d\n\n", [b"abc"]),
    "an end that LF ends": (b"3\r\nabc\r\n0\r\n\n", [b"abc"]),
    "many leading zeros": (b"0" * 30 + b"3\r\nabc\r\n" + b"0" * 30 + b"\r\n\r\n", [b"abc"]),
    "folded trailers": (b"3\r\nabc\r\n0\r\nA: b\r\n c\r\n\td: e\r\nF: g\r\n\r\n", [b"abc"]),
}
BAD_CHUNKED = {
    "hex prefix": (b"0x1f\r\n", []),
    "plus": (b"+1\r\na\r\n", []),
    "minus": (b"-1\r\na\r\n", []),
    "underscore": (b"1_0\r\n", []),
    "empty size": (b"\r\n", []),
    "white space before the size": (b" 1\r\na\r\n", []),
    "no size before an extension": (b";a\r\n", []),
    "no hex": (b"g\r\n", []),
    "digits beyond ASCII": ("٣\r\nabc\r\n".encode(), []),
    "too many digits": (b"10000000000000000\r\na\r\n", []),
    "blanks that only Unicode has": (b"1\xa0\r\na\r\n", []),
    "NUL in a trailer": (b"1\r\na\r\n0\r\nA: \x00\r\n\r\n", [b"a"]),
    "CR in a trailer": (b"1\r\na\r\n0\r\nA: b\rc", [b"a"]),
    "size ended by LF": (b"1\na\r\n", []),
    "size ended by CR": (b"1\ra\r\n", []),
    "CR in an extension": (b"1;a\rb\r\na\r\n", []),
    "NUL in an extension": (b"1;a\x00b\r\na\r\n", []),
    "no CRLF after data": (b"1\r\nab\r\n", [b"a"]),
    "LF after data": (b"1\r\na\n1\r\nb\r\n", [b"a"]),
    "CR and no LF after data": (b"1\r\na\r1\r\n", [b"a"]),
    "bad size after good chunks": (b"1\r\na\r\n2\r\nbc\r\nzz\r\n", [b"a", b"bc"]),
    "trailer that begins folded": (b"1\r\na\r\n0\r\n A: b\r\n\r\n", [b"a"]),
    "trailer without a colon": (b"1\r\na\r\n0\r\nabc\r\n\r\n", [b"a"]),
    "trailer with a bad name": (b"1\r\na\r\n0\r\na b: c\r\n\r\n", [b"a"]),
    "endless size line": (b"1;" + b"x" * MAX_LINE_BYTES, []),
}


def read(framing: Framing, reads: list[bytes]) -> tuple[list[bytes], ProtocolError | None]:
    """The whole transfer chunks in ``reads``, and what went wrong."""
    chunks: list[bytes] = []
    goes_on = False
    problem = None
    for data in reads:
        try:
            pieces = framing.feed(data)
        except ProtocolError as error:
            pieces, problem = error.before, error
        if pieces and goes_on:
            chunks[-1] += pieces.pop(0)
        chunks += pieces
        goes_on = framing.partial
        if framing.finished or problem:
            break
    return chunks, problem


def body(make: Callable[[], Framing], reads: list[bytes]) -> tuple[bytes, bytes, bool]:
    """What is in the body, what is after it, and whether it is finished."""
    framing, inside = make(), b""
    while reads and not framing.finished:
        inside += b"".join(framing.feed(reads.pop(0)))
    return inside, framing.rest + b"".join(reads), framing.finished


@pytest.mark.parametrize(("data", "chunks"), CHUNKED.values(), ids=CHUNKED)
def test_transfer_chunks_come_out_the_same_however_they_are_split(data, chunks, cuts):
    for reads in cuts(data):
        framing = ChunkedBody()
        assert read(framing, reads) == (chunks, None)
        assert framing.finished
        assert framing.close()


@pytest.mark.parametrize(("data", "chunks"), CHUNKED.values(), ids=CHUNKED)
def test_bytes_after_a_chunked_body_are_left(data, chunks, cuts):
    for reads in cuts(data + b"HTTP/1.1"):
        assert body(ChunkedBody, reads) == (b"".join(chunks), b"HTTP/1.1", True)


@pytest.mark.parametrize(("data", "before"), BAD_CHUNKED.values(), ids=BAD_CHUNKED)
def test_bad_chunks_are_an_error_after_what_was_whole(data, before, cuts):
    samples = list(cuts(data))
    for reads in samples[:: max(1, len(samples) // 100)]:
        chunks, problem = read(ChunkedBody(), reads)
        assert problem is not None
        assert chunks == before


@pytest.mark.parametrize(
    "data", [b"", b"5", b"5\r\n", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"0\r\n", b"0\r\nA: b"]
)
def test_a_chunked_body_that_ends_anywhere_else_is_not_whole(data):
    framing = ChunkedBody()
    framing.feed(data)
    assert not framing.close()


def test_a_transfer_chunk_that_goes_on_is_partial():
    framing = ChunkedBody()
    assert (framing.feed(b"1\r\na\r\n5\r\nhe"), framing.partial) == ([b"a", b"he"], True)
    assert (framing.feed(b"ll"), framing.partial) == ([b"ll"], True)
    assert (framing.feed(b"o"), framing.partial) == ([b"o"], False)


@pytest.mark.parametrize(
    ("data", "beyond", "ending"),
    [
        (b"2\r\nab", False, False),
        (b"2\r\nab\r", False, False),
        (b"2\r\nab\r\n", False, False),
        (b"2\r\na", False, False),
        (b"2\r\nab\r\n1", True, False),
        (b"2\r\nab\r\n0", True, False),  # a size may have leading zeros
        (b"2\r\nab\r\n1\r\n", True, False),
        (b"2\r\nab\r\n1\r\nc", False, False),
        (b"2\r\nab\r\n0\r\n", False, True),
        (b"2\r\nab\r\n0\r\n\r", False, True),
        (b"2\r\nab\r\n0\r\n\r\n", False, True),
        (b"2\r\nab\r\n0\r\nA: b\r\n\r\n", False, True),
        (b"2\r\nab\r\n0\r\n\r\nHTTP", True, True),
    ],
)
def test_what_begins_after_a_transfer_chunk_is_beyond_it_or_ends_the_body(data, beyond, ending):
    framing = ChunkedBody()
    framing.feed(data)
    assert (framing.beyond, framing.ending) == (beyond, ending)


def test_the_longest_size_line_passes_and_a_longer_one_does_not(cuts):
    line = b"1;" + b"x" * (MAX_LINE_BYTES - 4) + b"\r\n"
    assert read(ChunkedBody(), [line + b"a\r\n"]) == ([b"a"], None)
    assert read(ChunkedBody(), [line[:-1], line[-1:] + b"a\r\n"]) == ([b"a"], None)
    longer = b"1;x" + line[2:]
    for reads in ([longer], [longer[:-1], longer[-1:]], [longer[:-2], longer[-2:]]):
        assert read(ChunkedBody(), reads)[1] is not None


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_an_endless_trailer_is_an_error(size):
    data = b"0\r\n" + b"A: xxxxxxxx\r\n" * (MAX_TRAILER_BYTES // 13 + 1)
    _, problem = read(ChunkedBody(), [data[start : start + size] for start in range(0, len(data), size)])
    assert "trailer longer than" in str(problem)


def test_a_trailer_line_without_end_is_an_error():
    framing = ChunkedBody()
    framing.feed(b"0\r\n")
    with pytest.raises(ProtocolError, match="trailer longer than"):
        framing.feed(b"x" * (MAX_TRAILER_BYTES + 1))


@pytest.mark.parametrize(("length", "after"), [(0, b""), (0, b"x"), (5, b""), (5, b"rest")])
def test_a_length_takes_its_octets_and_no_more(length, after, cuts):
    data = b"hello"[:length] + after
    for reads in cuts(data) if data else [[]]:
        assert body(lambda: LengthBody(length), reads) == (b"hello"[:length], after, True)


def test_a_body_shorter_than_its_length_is_not_whole():
    framing = LengthBody(5)
    assert framing.feed(b"hell") == [b"hell"]
    assert not framing.close()


def test_a_body_until_close_takes_all_and_ends_with_the_close(cuts):
    for reads in cuts(b"0\r\n\r\nhello"):
        framing = CloseBody()
        assert b"".join(b"".join(framing.feed(data)) for data in reads) == b"0\r\n\r\nhello"
        assert not framing.finished
        assert framing.close()
        assert framing.finished


def test_no_body_leaves_everything():
    framing = NoBody()
    assert framing.finished
    assert framing.feed(b"HTTP/1.1") == []
    assert framing.rest == b"HTTP/1.1"


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        ("", CloseBody),
        ("Content-Length: 5", LengthBody),
        ("Content-Length: 5, 5", LengthBody),
        ("Content-Length: 5\r\nContent-Length: 5", LengthBody),
        ("Transfer-Encoding: chunked", ChunkedBody),
        ("Transfer-Encoding: Chunked", ChunkedBody),
        ("Transfer-Encoding: identity, chunked", ChunkedBody),
        ("Transfer-Encoding: identity", CloseBody),
        ("Transfer-Encoding: identity\r\nContent-Length: 5", CloseBody),
        ("Transfer-Encoding: chunked, identity", CloseBody),
        ("Transfer-Encoding: , chunked\t,", ChunkedBody),
        ("Content-Length: 0000000000000000000000005, 5", LengthBody),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", ChunkedBody),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", ChunkedBody),
    ],
)
def test_the_head_chooses_the_framing(fields, framing):
    assert type(framing_of(parse_head(f"HTTP/1.1 200 OK\r\n{fields}".encode().rstrip()), "GET")) is framing


@pytest.mark.parametrize(("status", "method"), [(200, "HEAD"), (204, "GET"), (304, "GET"), (101, "GET")])
@pytest.mark.parametrize("fields", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_some_responses_have_no_body_whatever_the_head_says(status, method, fields):
    assert type(framing_of(parse_head(f"HTTP/1.1 {status} X\r\n{fields}".encode()), method)) is NoBody


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 5, 6",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length:",
        "Content-Length: -1",
        "Content-Length: +5",
        "Content-Length: 1_0",
        "Content-Length: 0x5",
        "Content-Length: 5 6",
        "Content-Length: \xb2",
        "Content-Length: 1111111111111111111",
        "Content-Length: 5\xa0",
        "Content-Length: \x855",
        "Transfer-Encoding: chunked\xa0",
        "Transfer-Encoding: identity, gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_framing_that_cannot_be_trusted_is_an_error(fields):
    with pytest.raises(ProtocolError):
        framing_of(parse_head(f"HTTP/1.1 200 OK\r\n{fields}".encode("latin-1")), "GET")


@pytest.mark.parametrize("make", [NoBody, lambda: LengthBody(0), lambda: LengthBody(2)], ids=["none", "0", "2"])
def test_bytes_beyond_a_body_are_kept_from_every_read(make):
    framing = make()
    framing.feed(b"ab" if not framing.finished else b"")
    assert framing.finished
    assert framing.rest == b""
    pieces = [framing.feed(data) for data in (b"HT", b"TP")]
    assert (pieces, framing.rest, framing.beyond) == ([[], []], b"HTTP", True)


@pytest.mark.parametrize("make", [lambda: LengthBody(2), CloseBody, ChunkedBody], ids=["length", "close", "chunked"])
def test_a_read_of_nothing_is_no_piece(make):
    assert make().feed(b"") == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"1\r\na0123456789\r\n", "expected CRLF after a transfer chunk, got b'01234567'"),
        (b"x" * 41 + b"\r\n", f"expected a transfer chunk's size, got {b'x' * 40}"),
        (b"x" * 41, f"expected a transfer chunk's size, got {b'x' * 40}"),
        (b"0\r\n" + b"x" * 81 + b"\r\n", f"expected a trailer field, got {b'x' * 80}"),
        (b"0\r\n\x00" + b"x" * 80, f"expected a trailer field, got {bytes(1) + b'x' * 79}"),
        (b"1;" + b"x" * MAX_LINE_BYTES, f"transfer chunk's size line longer than {MAX_LINE_BYTES} bytes"),
    ],
)
def test_an_error_shows_where_the_framing_went_wrong(data, words):
    with pytest.raises(ProtocolError) as raised:
        ChunkedBody().feed(data)
    assert str(raised.value) == words
