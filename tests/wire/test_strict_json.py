"""JSON as RFC 8259 has it, and no more."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.strict_json import items_of, json_of

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


ARRAYS = [
    "[]",
    " [ ] ",
    "[1]",
    '[1, "a", {"b": [2]}, [], null]',
    "[\n1\n,\n2\n]\n",
    "\ufeff[1]",
    "[" + "9" * 5000 + "]",
]


@pytest.mark.parametrize("text", ARRAYS, ids=lambda text: text[:20])
def test_an_array_is_read_value_by_value(text):
    assert list(items_of(text.encode())) == json_of(text.encode())


@pytest.mark.parametrize(
    ("text", "line"),
    [("", 1), ("{}", 1), ("1", 1), ("[1", 1), ("[1\n 2]", 2), ("[1,\n]", 2), ("[1,\n2\n]\nx", 3), ("[\n\nNan]", 3)],
)
def test_what_is_not_an_array_is_refused_with_its_line(text, line):
    with pytest.raises(json.JSONDecodeError) as refused:
        list(items_of(text.encode()))
    assert refused.value.lineno == line


@pytest.mark.parametrize("text", ["[NaN]", "[1, Infinity]", "[" * 100_000])
def test_an_array_of_other_values_is_refused(text):
    with pytest.raises(ValueError, match=r"not JSON|nested too deeply"):
        list(items_of(text.encode()))
