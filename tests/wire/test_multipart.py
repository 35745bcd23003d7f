"""Multipart bodies: RFC 2046, and what servers make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.multipart import MAX_PADDING_BYTES, MAX_PART_HEAD_BYTES, MultipartDecoder, boundary_of

# RFC 2046 section 5.1.1
STANDARD = (
    b"This is the preamble.  It is to be ignored, though it\r\nis a handy place for composition agents\r\n"
    b"--simple boundary\r\n\r\nThis is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n"
    b"--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
    b"This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n\r\n"
    b"--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be ignored.\r\n--simple boundary\r\n\r\nx"
)
IMPLICIT = b"This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak."
EXPLICIT = b"This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n"
NESTED = b"--c\r\n\r\ninner\r\n--c--"
# body, chunks, whether the closing delimiter came
BODIES = {
    "nothing": (b"", [], False),
    "no part": (b"--b--", [], True),
    "preamble alone": (b"no\r\n --b\r\nx--b\r\n", [], False),
    "one part": (b"--b\r\n\r\nabc\r\n--b--\r\n", [b"abc"], True),
    "line ends of LF alone": (b"\n--b\nA: b\n\nabc\n\n--b\n\nd\n--b--\n", [b"abc\n", b"d"], True),
    "no closing delimiter": (b"--b\r\n\r\nabc\r\n--b\r\n\r\nnot closed", [b"abc"], False),
    "a part of no content": (b"--b\r\n\r\n\r\n--b\r\n\r\n--b\r\nA: b\r\n--b--", [b"", b"", b""], True),
    "a delimiter twice": (b"--b\r\n--b\r\n\r\nabc\r\n--b--", [b"abc"], True),
    "padding": (b"--b \t\r\n\r\nabc\r\n--b  \n\nd\r\n--b--", [b"abc", b"d"], True),
    "what looks like a boundary": (
        b"--b\r\n\r\n--bx\r\n--b x\r\n --b\r\n--\r\n--b-\r\n\r--b\r\n--b--",
        [b"--bx\r\n--b x\r\n --b\r\n--\r\n--b-\r\n\r--b"],
        True,
    ),
    "a length": (b"--b\r\nContent-Length: 3\r\n\r\nabc\r\n--b--", [b"abc"], True),
    "a boundary within a length": (
        b"--b\r\ncontent-length:11\r\n\r\n\r\n--b--\r\nab\r\n--b--",
        [b"\r\n--b--\r\nab"],
        True,
    ),
    "a length of 0": (b"--b\r\nContent-Length: 0\r\n\r\n\r\n--b\r\nContent-Length: 1\n\na\n--b--", [b"", b"a"], True),
    "no line end after a length": (b"--b\r\nContent-Length: 3\r\n\r\nabc--b--", [b"abc"], True),
    "empty lines after a length": (
        b"--b\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n\r\n--b\n\nd\n--b--",
        [b"abc", b"d"],
        True,
    ),
    "the same length twice": (b"--b\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na\r\n--b--", [b"a"], True),
    "a folded field": (b"--b\r\nA: b\r\n --b\r\n\tc\r\n\r\nabc\r\n--b--", [b"abc"], True),
    "nested": (b"--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n" + NESTED + b"\r\n--b--", [NESTED], True),
    "content of line ends": (b"--b\r\n\r\n\r\n\r\n\n--b--", [b"\r\n\r\n"], True),
}


def read(pieces: list[bytes], decoder: MultipartDecoder) -> list[bytes]:
    chunks = [chunk for piece in pieces for chunk in decoder.feed([piece])]
    return chunks + decoder.close()


@pytest.mark.parametrize(("body", "chunks", "closed"), BODIES.values(), ids=BODIES)
def test_parts_are_the_same_however_the_body_is_split(body, chunks, closed, cuts):
    for pieces in cuts(body):
        decoder = MultipartDecoder("multipart/mixed; boundary=b")
        assert (read(pieces, decoder), decoder.closed) == (chunks, closed)


def test_the_standards_example_has_two_parts(cuts):
    for pieces in cuts(STANDARD):
        decoder = MultipartDecoder('multipart/mixed; boundary="simple boundary"')
        assert read(pieces, decoder) == [IMPLICIT, EXPLICIT]
        assert decoder.closed
        assert not decoder.pending


def test_pieces_of_one_read_are_one_stream():
    assert MultipartDecoder("multipart/mixed;boundary=b").feed([b"--b\r\n\r", b"\nab", b"c\r\n--", b"b--"]) == [b"abc"]


def test_a_part_with_a_length_is_there_before_the_next_boundary():
    decoder = MultipartDecoder("multipart/x-mixed-replace; boundary=b")
    assert decoder.feed([b"--b\r\nContent-Length: 3\r\n\r\nab"]) == []
    assert decoder.pending
    assert decoder.feed([b"c"]) == [b"abc"]
    assert not decoder.pending
    assert decoder.feed([b"\r\n--b\r\nContent-Type: image/jpeg\r\n"]) == []
    assert not decoder.pending, "a header is not content"


def test_a_part_without_a_length_waits_for_the_boundary():
    decoder = MultipartDecoder("multipart/x-mixed-replace; boundary=b")
    assert (decoder.feed([b"--b\r\n\r\nabc"]), decoder.pending) == ([], True)
    assert (decoder.feed([b"\r\n--b"]), decoder.pending) == ([], True)
    assert (decoder.feed([b"\r\n"]), decoder.pending) == ([b"abc"], False)


@pytest.mark.parametrize("dashes", [b"--", b""], ids=["as the standard says", "as some servers do"])
def test_a_boundary_with_its_dashes_in_the_parameter_is_read_both_ways(dashes, cuts):
    mark = dashes + b"--b"
    for pieces in cuts(b"x\r\n" + mark + b"\r\n\r\n--c\r\n" + mark + b"\r\n\r\nd\r\n" + mark + b"--"):
        decoder = MultipartDecoder('multipart/x-mixed-replace; boundary="--b"')
        assert (read(pieces, decoder), decoder.closed) == ([b"--c", b"d"], True)


def test_the_first_delimiter_shows_which_boundary_is_meant(cuts):
    for pieces in cuts(b"----bx\n--b\n\nabc\n----b\n\nd\n--b--"):
        assert read(pieces, MultipartDecoder('a/b; boundary="--b"')) == [b"abc\n----b\n\nd"]


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/mixed; boundary=abc", "abc"),
        ("multipart/mixed;Boundary=abc;charset=utf-8", "abc"),
        ('multipart/mixed; charset=x; boundary="a;b c"', "a;b c"),
        (r'multipart/mixed; boundary="a\"b"', 'a"b'),
        ("multipart/mixed; boundary = abc ; x=y", "abc"),
        ('multipart/mixed; note="; boundary=no"; boundary=yes', "yes"),
        ("multipart/mixed; boundary=gc0pJq0M:08jU534c0p", "gc0pJq0M:08jU534c0p"),
    ],
)
def test_a_boundary_is_found(content_type, boundary):
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/mixed",
        "",
        'multipart/mixed; boundary=""',
        "multipart/mixed; boundary=" + "b" * 201,
        'm/m;boundary="é"',
    ],
)
def test_a_missing_boundary_is_refused(content_type):
    with pytest.raises(ProtocolError, match="boundary"):
        MultipartDecoder(content_type)


REFUSED = {
    "no header field": (b"--b\r\nno colon\r\n\r\nx\r\n--b--", "header field"),
    "CR in a header": (b"--b\r\nA: b\rC: d\r\n\r\n", "header field"),
    "a header that CR ends": (b"--b\r\nA: b\rC: d", "header field"),
    "NUL in a header": (b"--b\r\nA: \x00\r\n\r\n", "header field"),
    "NUL in a fold": (b"--b\r\nA: b\r\n \x00\r\n\r\n", "header field"),
    "a fold of nothing": (b"--b\r\n x\r\n\r\n", "header field"),
    "a bad length": (b"--b\r\nContent-Length: -1\r\n\r\nx", "content-length"),
    "two lengths": (b"--b\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "content-length"),
    "a length too small": (b"--b\r\nContent-Length: 1\r\n\r\nab\r\n--b--", "after a part of 1 bytes"),
    "a length that is one too great": (b"--b\r\nContent-Length: 3\r\n\r\nab\r\n--b--", "after a part of 3 bytes"),
    "a length that is two too great": (b"--b\r\nContent-Length: 4\r\n\r\nab\r\n--b--", "after a part of 4 bytes"),
    "a length with NBSP": (b"--b\r\nContent-Length: 2\xa0\r\n\r\nab\r\n--b--", "content-length"),
    "another boundary": (b"--x\r\n\r\nab\r\n--b--", "expected a part"),
    "a length too great": (b"--b\r\nContent-Length: 5\r\n\r\nab\r\n--b--", "after a part of 5 bytes"),
    "another boundary after a length": (b"--b\r\nContent-Length: 1\r\n\r\na\r\n--bx\r\n", "after a part of 1 bytes"),
    "a length beyond the limit": (b"--b\r\nContent-Length: 101\r\n\r\n", "longer than 100"),
    "content beyond the limit": (b"--b\r\n\r\n" + b"x" * 101 + b"\r\n--b--", "longer than 100"),
    "content beyond the limit, no end": (b"--b\r\n\r\n" + b"x" * 200, "longer than 100"),
    "a long header": (b"--b\r\n" + b"A: b\r\n" * (MAX_PART_HEAD_BYTES // 6 + 1) + b"\r\n", "header longer"),
    "a long field": (b"--b\r\nA: " + b"b" * MAX_PART_HEAD_BYTES, "header longer"),
    "much padding": (b"--b" + b" " * (MAX_PADDING_BYTES + 1) + b"\r\n\r\n", "padding"),
    "much padding, no end": (b"--b" + b" " * (MAX_PADDING_BYTES + 1), "padding"),
    "much padding, then something else": (b"--b\r\n\r\na\r\n--b" + b" " * (MAX_PADDING_BYTES + 1) + b"x", "padding"),
    "many line ends after a length": (
        b"--b\r\nContent-Length: 1\r\n\r\na" + b"\n" * (MAX_PADDING_BYTES + 1),
        "padding",
    ),
}


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("content", [b"ab\r", b"ab\n", b"ab\r\n", b"\r"])
def test_counted_content_may_end_as_lines_do(content, line_end, cuts):
    length = b"--b" + line_end + b"Content-Length: %d" % len(content) + 2 * line_end
    for pieces in cuts(length + content + line_end + b"--b--"):
        assert read(pieces, MultipartDecoder("a/b;boundary=b")) == [content]


def test_a_multipart_body_may_have_no_part(cuts):
    for pieces in cuts(b"\r\n--b--\r\n"):
        assert read(pieces, MultipartDecoder("a/b;boundary=b")) == []


@pytest.mark.parametrize(("body", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_multipart_is_refused(body, message):
    for size in (len(body), 1, 3):
        with pytest.raises(ProtocolError, match=message):
            read(
                [body[start : start + size] for start in range(0, len(body), size)],
                MultipartDecoder("a/b;boundary=b", 100),
            )


def test_content_may_be_as_long_as_the_limit(cuts):
    for pieces in cuts(b"--b\r\n\r\n" + b"x" * 20 + b"\r\n--b--"):
        assert read(pieces, MultipartDecoder("a/b;boundary=b", 20)) == [b"x" * 20]


def test_a_preamble_without_end_is_not_held():
    decoder = MultipartDecoder("a/b;boundary=b")
    for _ in range(100):
        assert decoder.feed([b"nothing of note\r\n--" * 100]) == []
    assert len(decoder._held) < 10


def test_a_parts_content_is_its_own_value():
    assert MultipartDecoder("multipart/mixed; boundary=b").parse(b"abc") == b"abc"


@given(
    st.lists(st.tuples(st.binary(max_size=30), st.booleans()), min_size=1, max_size=5),
    st.sampled_from([b"\r\n", b"\n"]),
    st.binary(max_size=10),
    st.integers(1, 9),
)
def test_what_one_writes_is_what_one_reads(parts, line_end, epilogue, size):
    body, contents = b"preamble" + line_end, []
    for content, counted in parts:
        if not counted:
            content = content.replace(b"--", b"==").rstrip(b"\r")
        contents.append(content)
        head = b"Content-Length: %d" % len(content) + line_end if counted else b""
        body += b"--b" + line_end + head + line_end + content + line_end
    body += b"--b--" + epilogue
    decoder = MultipartDecoder("multipart/mixed; boundary=b")
    assert read([body[start : start + size] for start in range(0, len(body), size)], decoder) == contents
    assert decoder.closed


def test_a_delimiter_that_comes_in_pieces_is_no_part_of_the_header_before_it():
    body = b"--b\nA: " + b"a" * (MAX_PART_HEAD_BYTES - 4) + b"\n--b\nB: b\n\n1\n--b--"
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        decoder = MultipartDecoder("multipart/mixed; boundary=b")
        assert [part for piece in pieces for part in decoder.feed([piece])] == [b"", b"1"]


@pytest.mark.parametrize(("part", "content"), [(b"\n1", b"1"), (b"A: b", b"")], ids=["content", "a header alone"])
def test_a_part_before_too_much_padding_is_complete(part, content):
    body = b"--b\n" + part + b"\n--b" + b"\t" * (MAX_PADDING_BYTES + 1) + b"\n"
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        decoder = MultipartDecoder("multipart/mixed; boundary=b")
        chunks: list[bytes] = []
        with pytest.raises(ProtocolError, match="padding") as refused:
            chunks.extend(chunk for piece in pieces for chunk in decoder.feed([piece]))
        assert [*chunks, *refused.value.before] == [content]
