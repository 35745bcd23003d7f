"""The pauses of a user that is refused, by a clock of the test's own: the least and the most of each."""

import pytest

from streamgauge.client.backoff import Backoff
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord


def record(outcome, status=None, **headers):
    return StreamRecord("name", "sse", outcome, 0.0, 0.1, status=status, headers=headers)


REFUSED = record(Outcome.CONNECT_ERROR)
DONE = record(Outcome.COMPLETED, 200)


def pauses(backoff, records):
    found = []
    for each in records:
        backoff.ended(each, now_s=100.0)
        found.append(backoff.left_s(100.0))
    return found


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (1.0, 1.0)])
def test_pauses_double_from_a_sixteenth_to_the_longest(chance, share):
    found = pauses(Backoff(8.0, lambda: chance), [REFUSED] * 7)
    assert found == [share * most for most in (0.5, 1, 2, 4, 8, 8, 8)]


def test_a_success_ends_the_row():
    found = pauses(Backoff(8.0, lambda: 1.0), [REFUSED, REFUSED, DONE, REFUSED])
    assert found == [0.5, 1.0, 0.0, 0.5]


def test_a_stream_that_the_end_of_the_run_cut_off_changes_nothing():
    found = pauses(Backoff(8.0, lambda: 1.0), [REFUSED, record(Outcome.CENSORED), REFUSED])
    assert found == [0.5, 0.5, 1.0]


def test_time_that_the_user_waited_anyway_counts():
    backoff = Backoff(8.0, lambda: 1.0)
    backoff.ended(REFUSED, now_s=100.0)
    assert [backoff.left_s(now_s) for now_s in (100.0, 100.25, 100.5, 200.0)] == [0.5, 0.25, 0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "pause_s"), [("3", 3.0), (" 8 ", 8.0), ("9", 8.0), ("9" * 400, 8.0), ("0", 0.5), ("soon", 0.5), ("", 0.5)]
)
def test_a_server_may_ask_for_a_longer_pause_up_to_the_longest(text, pause_s):
    answer = record(Outcome.HTTP_ERROR, 429, **{"retry-after": text})
    assert pauses(Backoff(8.0, lambda: 1.0), [answer]) == [pause_s]


@pytest.mark.parametrize(
    ("ended", "pause"),
    [
        (record(Outcome.CONNECT_ERROR), True),
        (record(Outcome.HTTP_ERROR, 401), True),
        (record(Outcome.HTTP_ERROR, 503), True),
        (record(Outcome.HTTP_ERROR, 200), True),  # another content type
        (record(Outcome.TRUNCATED), True),  # accepted and closed, as proxies without a server do
        (record(Outcome.PROTOCOL_ERROR), True),
        (record(Outcome.TRUNCATED, 200), False),
        (record(Outcome.INCOMPLETE, 200), False),
        (record(Outcome.IN_BAND_ERROR, 200), False),
        (record(Outcome.STALLED), False),
        (record(Outcome.STALLED, 200), False),
        (record(Outcome.ABORTED), False),
    ],
    ids=lambda value: f"{value.outcome}-{value.status}" if isinstance(value, StreamRecord) else str(value),
)
def test_a_stream_that_was_refused_before_it_began_is_followed_by_a_pause(ended, pause):
    assert (pauses(Backoff(8.0), [ended]) != [0.0]) is pause
