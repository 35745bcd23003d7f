"""Parts of multipart bodies are counted as the load generator's decoder counts them."""

import random

import pytest

from streamgauge.asgi.part_counting import PartCounter
from streamgauge.wire.multipart import MultipartDecoder


def part(content, *fields, boundary=b"-", line_end=b"\r\n"):
    head = b"".join(field + line_end for field in fields)
    return b"".join((b"--", boundary, line_end, head, line_end, content, line_end))


TEXTS = [b'{"t":"# Title\\n---\\nfront"}', b"a --- b", b"|---|---|", b"plain"]
JSON = b"Content-Type: application/json"
SIZED = b"say\r\n---\r\nnow"
BODIES = {
    "delimiter inside a line": (b"-", b"".join(part(text, JSON) for text in TEXTS) + b"-----\r\n", 4),
    "a word inside": (b"frame", part(b"say --frame now", boundary=b"frame") + b"--frame--", 1),
    "a longer word begins a line": (b"frame", part(b"a\r\n--frames\r\nb", boundary=b"frame") + b"--frame--", 1),
    "blanks after the boundary": (b"f", b"--f  \r\n\r\none\r\n--f\t\r\n\r\ntwo\r\n--f--", 2),
    "length": (b"-", part(SIZED, b"Content-Length: %d" % len(SIZED)) * 2, 2),
    "length of nothing": (b"-", part(b"", b"content-length: 0") * 2, 2),
    "no close": (b"-", part(b"one") + part(b"two"), 1),
    "lines end with LF": (b"f", part(b"1", JSON, boundary=b"f", line_end=b"\n") * 3 + b"--f--\n", 3),
    "preamble and epilogue": (b"f", b"This is multipart.\r\n--f\r\n\r\none\r\n--f--\r\n--f\r\n\r\nmore\r\n--f--", 1),
    "no content": (b"f", b"--f\r\nA: b\r\n\r\n\r\n--f\r\nA: b\r\n--f\r\n--f--", 2),
    "no line end before the delimiter": (b"f", b"--f\r\nContent-Length: 3\r\n\r\none--f\r\n\r\ntwo\r\n--f--", 2),
    "dashes in the parameter": (b"--f", part(b"one", boundary=b"f") + b"--f--", 1),
    "nothing": (b"f", b"", 0),
}


@pytest.mark.parametrize(("boundary", "body", "parts"), BODIES.values(), ids=BODIES)
def test_both_sides_count_the_same_parts_however_the_body_is_split(boundary, body, parts):
    content_type = f'multipart/mixed; boundary="{boundary.decode()}"'
    assert len(MultipartDecoder(content_type).feed([body])) == parts
    assert PartCounter.of(content_type).count(body) == parts
    for cut in range(1, len(body)):
        counter, decoder = PartCounter.of(content_type), MultipartDecoder(content_type)
        for piece in (body[:cut], body[cut:]):
            assert counter.count(piece) == len(decoder.feed([piece])), (body[:cut], body[cut:])
    counter = PartCounter.of(content_type)
    assert sum(counter.count(body[at : at + 1]) for at in range(len(body))) == parts


@pytest.mark.parametrize("seed", range(20))
def test_both_sides_count_the_same_parts_in_random_bodies(seed):
    choose = random.Random(seed)
    words = [b"-", b"--", b"---", b"\r\n", b"\n", b" ", b"ab", b"\r"]
    body = b""
    for _ in range(40):
        content = b"".join(choose.choices(words, k=choose.randrange(8)))
        fields = [b"Content-Length: %d" % len(content)] if choose.random() < 0.5 else [JSON]
        body += part(content, *fields, boundary=b"bound")
    body += b"--bound--\r\n"
    counter, decoder = PartCounter(b"bound"), MultipartDecoder("multipart/mixed; boundary=bound")
    at = 0
    while at < len(body):
        piece = body[at : at + choose.randrange(1, 60)]
        at += len(piece)
        assert counter.count(piece) == len(decoder.feed([piece]))


def test_no_more_than_a_head_is_held_whatever_comes():
    counter = PartCounter(b"f")
    for piece in (b"x" * 100_000, b"\r\n--f\r\n", *[b"y" * 10_000] * 20, b"\r\n\r\n", b"z" * 100_000):
        counter.count(piece)
        assert len(counter._held) <= 16_384 + 10_000


def test_after_bytes_that_follow_a_sized_part_the_next_delimiter_begins_the_next_part():
    body = b"--f\r\nContent-Length: 3\r\n\r\none, and more\r\n--f\r\n\r\ntwo\r\n--f--"
    assert PartCounter(b"f").count(body) == 2
