"""Counters as reports show them."""

import pytest

from streamgauge.report.counter_text import COLUMNS, counted, remarks
from streamgauge.stats.stream_quantities import COUNTERS


@pytest.mark.parametrize(
    ("field", "streams", "text"),
    [
        ("chunks", {"chunks": 12_345}, "12,345"),
        ("bytes", {"bytes": 1_200_000}, "1.20 MB"),
        ("coalesced", {"coalesced_share": 0.25}, "25.0 %"),
        ("stalls", {}, "0"),
    ],
)
def test_a_counter_is_written_in_its_unit(field, streams, text):
    assert counted(COUNTERS[field], streams) == text


def test_columns_are_in_the_order_of_the_declarations():
    assert [each.field for each in COLUMNS] == ["chunks", "bytes", "stalls", "coalesced"]


def test_counters_of_one_topic_are_said_together():
    streams = {"lost": 1_234, "repeated": 0, "out_of_order": 1, "reconnects": 1}
    assert remarks(streams) == [
        "sequence numbers: 1,234 lost, 1 out of order",
        "streams that broke off reconnected 1 time",
    ]


def test_nothing_is_said_of_what_counted_nothing_or_is_not_there():
    assert remarks({"lost": 0}) == remarks({}) == []
