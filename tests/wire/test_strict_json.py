"""JSON as RFC 8259 has it, and no more."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.strict_json import json_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, st.booleans())
def test_what_one_writes_is_what_one_reads(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert json_of(text) == value
    assert json_of(text.encode("utf-8", "surrogatepass")) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b" \t\r\n[1] \n", [1]),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'"\\ud800"', "\ud800"),
        (b"1e999", float("inf")),
        (b"-" + b"1" * 5_000, float("-inf")),
        (b"1" * 4_300, int("1" * 4_300)),
    ],
)
def test_the_grammar_decides_what_is_json(data, value):
    assert json_of(data) == value


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b" ",
            b"NaN",
            b"[Infinity]",
            b"-Infinity",
            b"1 2",
            b"01",
            b"{'a':1}",
            b"[1,]",
            b"\xa01",
            b"1\x0b",
            b"\x0c1",
        ),
        *('"a"'.encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-32-be")),
        *(b'"\xed\xa0\x80"', b'"\xff"', b"[" * 100_000, b"[" + b"1" * 5_000 + b", NaN]"),
        *("\xa01", "1\x85", "\ufeff1"),
    ],
)
def test_all_else_is_refused(data):
    with pytest.raises(ValueError, match=r"."):
        json_of(data)
