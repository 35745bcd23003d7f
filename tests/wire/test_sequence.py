"""Lost, repeated and late numbers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire.ndjson import NdjsonDecoder
from streamgauge.wire.sequence import EventId, JsonMember, SequenceCheck, SequenceError, number_reader, read_numbering
from streamgauge.wire.sse import SseDecoder


def counts(numbers, **options) -> tuple[int, int, int, int]:
    check = SequenceCheck(**options)
    for number in numbers:
        check.add(number)
    return check.lost, check.repeated, check.out_of_order, check.beyond_window


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], (0, 0, 0, 0)),
        ([7], (0, 0, 0, 0)),
        (range(5, 5000), (0, 0, 0, 0)),
        ([1, 2, 5], (2, 0, 0, 0)),
        ([1, 3, 2], (0, 0, 1, 0)),
        ([1, 2, 2, 2], (0, 2, 0, 0)),
        ([1, 4, 2, 2], (1, 1, 1, 0)),
        ([5, 3], (1, 0, 1, 0)),
        ([5, 3, 4], (0, 0, 2, 0)),
        ([-2, -1, 0], (0, 0, 0, 0)),
        ([0, 10**18], (10**18 - 1, 0, 0, 0)),
    ],
)
def test_numbers_are_counted(numbers, expected):
    assert counts(numbers) == expected


def test_a_known_first_number_shows_what_was_lost_before_the_first():
    assert counts([3, 4], first=1) == (2, 0, 0, 0)
    assert counts([1, 2], first=1) == (0, 0, 0, 0)
    assert counts([2, 1], first=1) == (0, 0, 1, 0)


def test_beyond_the_window_a_number_is_repeated_where_none_is_lost():
    assert counts([*range(1, 5001), *range(1, 3001)]) == (0, 3000, 0, 0)
    assert counts([0, 1, 2, 3, 4, 0], window=4) == (0, 1, 0, 0)
    assert counts([0, 2, 1, 3, 4, 5, 0], window=4) == (0, 1, 1, 0)


def test_beyond_the_window_nobody_can_tell_where_one_is_lost():
    assert counts([0, 4, 1], window=4) == (2, 0, 1, 0)
    assert counts([0, 5, 1], window=4) == (4, 0, 0, 1)
    assert counts([0, 2, 3, 4, 5, 0], window=4) == (1, 0, 0, 1)
    assert counts([5, 6, 7, 8, 9, 0], window=4) == (0, 0, 0, 1)


def test_memory_does_not_grow():
    check = SequenceCheck(window=64)
    for number in range(0, 100_000, 3):
        check.add(number)
    assert check._seen.bit_length() <= 64


def model(numbers, first=None):
    """The same, with all numbers remembered."""
    seen, repeated, out_of_order = set(), 0, 0
    for number in numbers:
        if number in seen:
            repeated += 1
        elif seen and number < max(seen):
            out_of_order += 1
        seen.add(number)
    least = min([*seen, first]) if first is not None else min(seen, default=0)
    lost = max(seen) - least + 1 - len(seen) if seen else 0
    return lost, repeated, out_of_order, 0


@given(st.lists(st.integers(0, 40)), st.none() | st.integers(-3, 0))
def test_within_the_window_the_counts_are_those_of_a_full_memory(numbers, first):
    assert counts(numbers, first=first, window=64) == model(numbers, first)


@given(st.lists(st.integers(-5, 5), max_size=200), st.sampled_from([0, 1, 2]))
def test_a_stream_that_moves_on_is_counted_exactly_within_the_window(jitters, step):
    numbers = [index * step + jitter for index, jitter in enumerate(jitters)]
    assert counts(numbers, window=32) == model(numbers)


@given(st.lists(st.integers(0, 60)))
def test_with_a_small_window_every_chunk_is_still_accounted_for(numbers):
    lost, repeated, out_of_order, beyond = counts(numbers, window=4)
    exact_lost, exact_repeated, exact_out_of_order, _ = model(numbers)
    assert 0 <= exact_repeated - repeated <= beyond
    assert 0 <= exact_out_of_order - out_of_order <= beyond
    if numbers and min(numbers) == numbers[0]:
        assert 0 <= lost - exact_lost <= beyond


SSE_IDS = {
    b"id: 5\ndata: x": 5,
    b"id:5\ndata: x": 5,
    b"data: x\nid: 5": 5,
    b"data: id: 5": None,
    b"id: 5\nid: 6\ndata: x": 6,
    b"id: 5\ndata: x\nid": None,
    b"id: 5\nid\ndata: x": None,
    b"id: a5\ndata: x": None,
    b"id: 5 \ndata: x": None,
    b"id:  5\ndata: x": None,
    b"data: x": None,
    b"id: " + b"9" * 30 + b"\ndata: x": None,
}


@pytest.mark.parametrize(("chunk", "number"), SSE_IDS.items())
def test_an_events_id_is_its_number(chunk, number):
    assert number_reader(EventId(), SseDecoder.parse)(chunk) == number


JSON_NUMBERS = {
    b'{"n":5,"x":1}': 5,
    b'{"n": -5}': -5,
    b'{"x":1,"n":5}': 5,
    b'{"n":"5"}': 5,
    b'{"n":5.0}': None,
    b'{"n":true}': None,
    b'{"n":null}': None,
    b'{"n":5,"n":6}': 6,
    b'{"n":5,"x":{"n":6}}': 5,
    b'{"x":{"n":6}}': None,
    b"[5]": None,
    b"5": None,
    b"not JSON": None,
    b'{"n":' + b"[" * 100_000: None,
}


@pytest.mark.parametrize(("text", "number"), JSON_NUMBERS.items(), ids=range(len(JSON_NUMBERS)))
def test_a_member_of_the_json_is_the_number(text, number):
    assert number_reader(JsonMember("n"), NdjsonDecoder.parse)(text) == number
    assert number_reader(JsonMember("n"), SseDecoder.parse)(b"data: " + text) == number
    assert number_reader(JsonMember("n"), SseDecoder.parse)(b"event: e\ndata: " + text) == number
    assert number_reader(JsonMember("n"), bytes)(text) == number


@given(st.dictionaries(st.sampled_from(["n", "m", 'a"n"']), st.integers(0, 9) | st.text(max_size=3)))
def test_the_number_is_the_one_that_a_json_parser_finds(value):
    text = json.dumps(value).encode()
    expected = value.get("n")
    if isinstance(expected, str):
        expected = int(expected) if expected.isascii() and expected.isdigit() else None
    assert number_reader(JsonMember("n"), NdjsonDecoder.parse)(text) == expected


def test_a_callable_is_given_the_parsed_chunk():
    assert number_reader(read_numbering(lambda event: len(event.data)), SseDecoder.parse)(b"data: abc") == 3
    assert number_reader(read_numbering(lambda event: None), SseDecoder.parse)(b"data: abc") is None


@pytest.mark.parametrize("source", ["", "ids", "json", "json:", "xml:n"])
def test_a_source_that_names_nothing_is_refused(source):
    with pytest.raises(SequenceError, match="expected id, json:KEY or a callable"):
        read_numbering(source)
