"""A JSON array whose objects come one by one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.json_array import JsonArrayDecoder

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def read(pieces: list[bytes], decoder: JsonArrayDecoder) -> list[bytes]:
    return [chunk for piece in pieces for chunk in decoder.feed([piece])]


def test_each_object_is_a_chunk_however_the_array_is_split(cuts):
    objects = [b'{"a":"}]{[\\\\"}', '{"ä":"\\"}"}'.encode(), b"{}", b'{"a":[{"b":[]}]}']
    for pieces in cuts(b" [ " + objects[0] + b"\n,\r\n" + b",".join(objects[1:]) + b"\n]\n"):
        decoder = JsonArrayDecoder()
        assert read(pieces, decoder) == objects
        assert not decoder.pending


def test_part_of_an_object_is_held():
    decoder = JsonArrayDecoder()
    assert decoder.feed([b'[{"a"']) == []
    assert decoder.pending
    assert decoder.feed([b':1}, {"b":']) == [b'{"a":1}']
    assert decoder.pending


def test_a_body_of_one_object_is_read():
    assert JsonArrayDecoder().feed([b'{"error":{"code":503}}']) == [b'{"error":{"code":503}}']


@pytest.mark.parametrize("data", [b"1", b"[1", b"[{}] {}", b"[[", b"]", b"[{}]]", b'["a"', b"<html>"])
def test_anything_but_objects_is_refused(data, cuts):
    for pieces in cuts(data):
        with pytest.raises(ProtocolError, match="expected an array of JSON objects"):
            read(pieces, JsonArrayDecoder())


def test_an_over_long_object_is_refused_and_those_before_it_count(cuts):
    for pieces in cuts(b'[{"a":1},{"a":"' + b"x" * 90):
        got, decoder = [], JsonArrayDecoder(80)
        try:
            for piece in pieces:
                got += decoder.feed([piece])
        except ProtocolError as error:
            got += [*error.before, str(error)]
        assert got == [b'{"a":1}', "object longer than 80 bytes"]


@given(
    st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=5), st.integers(1, 30), st.booleans()
)
def test_all_objects_come_through(objects, size, ascii_only):
    data = json.dumps(objects, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass")
    chunks = read([data[start : start + size] for start in range(0, len(data), size)], JsonArrayDecoder())
    assert [json.loads(chunk.decode("utf-8", "surrogatepass")) for chunk in chunks] == objects
