"""Response heads, RFC 9112 sections 2 to 5."""

import time

import pytest

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_head import Head, HeadParser, parse_head

OK = b"HTTP/1.1 200 OK\r\n"
HEADS = {
    "plain": (OK + b"A: b\r\n\r\n", 200, "OK", {"a": "b"}),
    "no fields": (OK + b"\r\n", 200, "OK", {}),
    "no reason phrase": (b"HTTP/1.1 200 \r\n\r\n", 200, "", {}),
    "no space after the status": (b"HTTP/1.1 204\r\n\r\n", 204, "", {}),
    "reason of several words": (b"HTTP/1.0 503 Service Not\tThere\r\n\r\n", 503, "Service Not\tThere", {}),
    "reason in latin-1": (b"HTTP/1.1 404 G\xe9ant\r\n\r\n", 404, "Géant", {}),
    "LF only": (b"HTTP/1.1 200 OK\nA: b\nC: d\n\n", 200, "OK", {"a": "b", "c": "d"}),
    "CRLF and LF mixed": (b"HTTP/1.1 200 OK\nA: b\r\n\n", 200, "OK", {"a": "b"}),
    "white space around a value": (OK + b"A: \t b c \t\r\n\r\n", 200, "OK", {"a": "b c"}),
    "no white space before a value": (OK + b"A:b\r\n\r\n", 200, "OK", {"a": "b"}),
    "empty value": (OK + b"A:\r\nB: \r\n\r\n", 200, "OK", {"a": "", "b": ""}),
    "colons in a value": (OK + b"A: b:c: d\r\n\r\n", 200, "OK", {"a": "b:c: d"}),
    "names in any case": (OK + b"CONTENT-type: x\r\n\r\n", 200, "OK", {"content-type": "x"}),
    "repeated field": (OK + b"A: 1\r\nB: 2\r\na: 3\r\n\r\n", 200, "OK", {"a": "1, 3", "b": "2"}),
    "repeated content type": (OK + b"Content-Type: a\r\nContent-Type: b\r\n\r\n", 200, "OK", {"content-type": "a, b"}),
    "leading empty lines": (b"\r\n\nHTTP/1.1 200 OK\r\n\r\n", 200, "OK", {}),
    "empty line after an interim response": (b"HTTP/1.1 100 Continue\r\n\r\n\r\n" + OK + b"\r\n", 200, "OK", {}),
    "a later minor version": (b"HTTP/1.2 200 OK\r\nA: b\r\n\r\n", 200, "OK", {"a": "b"}),
    "control characters in the reason": (b"HTTP/1.1 200 O\x07\x00K\r\n\r\n", 200, "O\x07\x00K", {}),
    "NBSP and VT": (OK + b"A: b\xa0\r\nB: \x85b\x0b\r\n\r\n", 200, "OK", {"a": "b\xa0", "b": "\x85b\x0b"}),
    "obs-fold": (OK + b"A: b\r\n \t c\r\n\td\r\nE: f\r\n\r\n", 200, "OK", {"a": "b c d", "e": "f"}),
    "fold of the field that was repeated": (OK + b"A: 1\r\nA: 2\r\n 3\r\n\r\n", 200, "OK", {"a": "1, 2 3"}),
    "all characters of a name": (OK + b"!#$%&'*+-.^_`|~09aZ: x\r\n\r\n", 200, "OK", {"!#$%&'*+-.^_`|~09az": "x"}),
    "value beyond ASCII": (OK + b"A: \xc3\xa9\r\n\r\n", 200, "OK", {"a": "Ã©"}),
    "interim responses first": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"\r\n", 200, "OK", {},
    ),
    "switching protocols is final": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, "Switching Protocols", {}),
}  # fmt: skip
BAD_HEADS = {
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a body without a head": b"data: 1\n\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\n\r\n",
    "a minor version of two digits": b"HTTP/1.10 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 OK\r\n\r\n",
    "status that is no number": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "two spaces before the status": b"HTTP/1.1  200 OK\r\n\r\n",
    "CR in the reason": b"HTTP/1.1 200 O\rK\r\n\r\n",
    "field without a colon": OK + b"A\r\n\r\n",
    "field without a name": OK + b": b\r\n\r\n",
    "white space before the colon": OK + b"A : b\r\n\r\n",
    "white space in the name": OK + b"A B: c\r\n\r\n",
    "name beyond ASCII": OK + b"\xe9: c\r\n\r\n",
    "fold before any field": OK + b" A: b\r\n\r\n",
    "NUL in a value": OK + b"A: b\x00c\r\n\r\n",
    "CR in a value": OK + b"A: b\rc\r\n\r\n",
    "NUL in a fold": OK + b"A: b\r\n c\x00d\r\n\r\n",
    "CR in a fold": OK + b"A: b\r\n c\rd\r\n\r\n",
    "bad interim response": b"HTTP/1.1 100 Continue\r\nbad\r\n\r\n" + OK + b"\r\n",
}


def read(reads: list[bytes], parser: HeadParser) -> tuple[Head | None, bytes]:
    """The head, and the bytes after it."""
    head = None
    rest = b""
    for data in reads:
        if head is None:
            head = parser.feed(data)
            rest += parser.rest
        else:
            rest += data
    return head, rest


@pytest.mark.parametrize(("data", "status", "reason", "fields"), HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("after", [b"", b"5\r\nhello\r\n", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["", "body", "response"])
def test_a_head_reads_the_same_however_it_is_split(data, status, reason, fields, after, cuts):
    for reads in cuts(data + after):
        head, rest = read(reads, HeadParser())
        assert head is not None
        assert (head.status, head.reason, head.fields, rest) == (status, reason, fields, after)


@pytest.mark.parametrize("data", BAD_HEADS.values(), ids=BAD_HEADS)
def test_a_bad_head_is_an_error_however_it_is_split(data, cuts):
    for reads in cuts(data):
        with pytest.raises(ProtocolError):
            read(reads, HeadParser())


@pytest.mark.parametrize("data", [b"HTTP/1.1 2x0 OK\r\n", OK + b"A: b\rC: d", OK + b"\rA: b"])
def test_a_head_that_no_more_bytes_can_mend_is_an_error_at_once(data, cuts):
    for reads in cuts(data):
        with pytest.raises(ProtocolError):
            read(reads, HeadParser())


def test_empty_lines_after_a_head_belong_to_its_body(cuts):
    for reads in cuts(OK + b"\r\n\r\n\nbody"):
        assert read(reads, HeadParser())[1] == b"\r\n\nbody"


def test_garbage_is_an_error_before_any_line_ends():
    with pytest.raises(ProtocolError, match="expected a status line, got b'SSH'"):
        HeadParser().feed(b"SSH")


def test_a_head_may_be_as_long_as_the_limit_and_no_longer(cuts):
    head = OK + b"A: " + b"x" * 41 + b"\r\n\r\n"
    for reads in cuts(head + b"body"):
        assert read(reads, HeadParser(max_bytes=len(head)))[1] == b"body"
        with pytest.raises(ProtocolError, match=f"longer than {len(head) - 1} bytes"):
            read(reads, HeadParser(max_bytes=len(head) - 1))


def test_a_head_without_end_is_an_error():
    with pytest.raises(ProtocolError, match="longer than 1000 bytes"):
        read([OK] + [b"A: xxxxxxxxxxxxxxxx\r\n"] * 100, HeadParser(max_bytes=1000))


def test_a_head_in_single_bytes_takes_as_long_as_it_is_long():
    def seconds(lines):
        parser, head = HeadParser(), OK + b"A: xxxxxxxxxxxxxxxx\r\n" * lines
        begun_s = time.process_time()
        for at in range(len(head)):
            parser.feed(head[at : at + 1])
        return time.process_time() - begun_s

    short_s, long_s = (min(seconds(lines) for _ in range(3)) for lines in (200, 1_600))
    assert long_s < 24 * short_s  # 8 times as long; what searches it all again and again needs 64 times the time


def test_a_parser_knows_whether_a_head_has_started():
    parser = HeadParser()
    assert not parser.started
    parser.feed(b"H")
    assert parser.started


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.2 200 OK", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\xa0", True),
        (b"HTTP/1.0 200 OK", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close", False),
        (b"HTTP/1.1 200 OK\r\nConnection: x, CLOSE", False),
        (b"HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive", True),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive, close", False),
    ],
)
def test_a_connection_is_kept_as_version_and_options_say(head, keeps):
    assert parse_head(head).keeps_alive is keeps


def test_tokens_are_lower_case_and_never_empty():
    assert parse_head(b"HTTP/1.1 200 OK\r\nA: x,, Y ,\r\nA: Z").tokens("a") == ["x", "y", "z"]


@pytest.mark.parametrize("more", [0, 3_000], ids=["short", "too long to be remembered"])
def test_each_cookie_is_kept_as_it_was_set(more):
    cookies = ("a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2")
    lines = "".join(f"Set-Cookie: {each}\r\n" for each in cookies) + f"A: {'x' * more}\r\n\r\n"
    head = HeadParser().feed(OK + lines.encode())
    assert head.set_cookies == cookies
    assert head.fields["a"] == "x" * more


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (OK + b"x" * 81 + b"\r\n\r\n", f"expected a header field, got {b'x' * 80}"),
        (b"y" * 41 + b"\r\n\r\n", f"expected a status line, got {b'y' * 40}"),
        (b"+OK\r\n\r\n", "expected a status line, got b'+OK': this is Redis or POP3"),
        (OK + b"A: b\rcdefghijk", "expected LF after CR in a head, got b'\\rcdefghi'"),
    ],
)
def test_an_error_shows_where_the_head_went_wrong(data, words):
    with pytest.raises(ProtocolError) as raised:
        HeadParser().feed(data)
    assert str(raised.value) == words
