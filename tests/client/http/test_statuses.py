"""The statuses that a scenario accepts."""

import pytest

from streamgauge.client.http.statuses import StatusError, Statuses, read_statuses

READ = {
    "429": {429},
    429: {429},
    "2xx": set(range(200, 300)),
    "2xx,429": {*range(200, 300), 429},
    " 200 , 500-502 ": {200, 500, 501, 502},
    (200, "429"): {200, 429},
    range(400, 405): {400, 401, 402, 403, 404},
}


@pytest.mark.parametrize(("named", "numbers"), READ.items(), ids=map(str, READ))
def test_statuses_are_numbers_classes_and_ranges(named, numbers):
    assert read_statuses(named).numbers == numbers


def test_no_statuses_leave_it_to_the_format():
    assert read_statuses(None) is None
    given = Statuses("429", frozenset({429}))
    assert read_statuses(given) is given


def test_a_long_range_of_numbers_is_told_as_one():
    assert str(read_statuses(range(200, 300))) == "200-299"
    assert str(read_statuses("2xx, 429")) == "2xx,429"


@pytest.mark.parametrize(
    "named",
    ["", "x", "2XX", "6xx", "0xx", "42", "4290", "200-", "500-400", "200;429", "٤٢٩", True, -1, (), ("2xx", "")],
)
def test_anything_else_is_refused_by_its_value(named):
    with pytest.raises(StatusError, match=r"^expected statuses such as 429, 2xx, 500-599 or 2xx,429, got ") as caught:
        read_statuses(named)
    assert repr(named) in str(caught.value)
