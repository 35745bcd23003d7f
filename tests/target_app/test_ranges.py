"""Which part of a file a request asks for (RFC 9110, section 14)."""

import pytest

from target_app.ranges import Range, UnsatisfiableRangeError, requested_range

ETAG = '"v1"'


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-499", Range(0, 500)),
        ("bytes=500-999", Range(500, 1000)),
        ("bytes=500-", Range(500, 1000)),
        ("bytes=-1", Range(999, 1000)),
        ("bytes=-5000", Range(0, 1000)),
        ("bytes=999-5000", Range(999, 1000)),
        ("Bytes= 0-0 ", Range(0, 1)),
        ("bytes=0-0,5-6", None),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=١-٢", None),
        ("lines=0-1", None),
        ("", None),
    ],
)
def test_a_range_is_that_part_and_what_is_none_is_ignored(field, expected):
    assert requested_range({"range": field}, ETAG, 1000) == expected


def test_without_the_field_it_is_the_whole():
    assert requested_range({}, ETAG, 1000) is None


@pytest.mark.parametrize("field", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", f"bytes={10**17}-"])
def test_a_range_beyond_the_end_cannot_be_had(field):
    with pytest.raises(UnsatisfiableRangeError):
        requested_range({"range": field}, ETAG, 1000)


@pytest.mark.parametrize(
    ("version", "expected"),
    [(ETAG, Range(0, 1)), ('"v2"', None), (f"W/{ETAG}", None), ("Fri, 01 Mar 2024 00:00:00 GMT", None)],
)
def test_the_range_of_another_version_is_ignored(version, expected):
    assert requested_range({"range": "bytes=0-0", "if-range": version}, ETAG, 1000) == expected


def test_a_part_names_its_place():
    assert Range(500, 1000).content_range(2000) == "bytes 500-999/2000"
    assert len(Range(500, 1000)) == 500
