"""When chunks are due: without drift, in order, and the same again for the same seed."""

from itertools import islice, pairwise
from statistics import median

from target_app.pacing import due_times, token_due_times


def first(dues, number=2000):
    return list(islice(dues, number))


def test_beats_keep_to_the_streams_start():
    assert first(due_times(0.25), 5) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_without_an_interval_all_is_due_at_once():
    assert first(due_times(0.0, jitter=1.0), 5) == [0.0] * 5


def test_jitter_makes_chunks_late_by_up_to_its_share_and_never_early():
    dues = first(due_times(0.1, jitter=0.5, seed=1))
    late = [(due - number * 0.1) / 0.1 for number, due in enumerate(dues)]
    assert late[0] == 0
    assert min(late) > -1e-9
    assert 0.45 < max(late) < 0.5 + 1e-9
    assert max(late[:200]) > 0.4 < max(late[-200:])


def test_jitter_never_changes_the_order():
    dues = first(due_times(0.1, jitter=1.0, seed=2))
    assert dues == sorted(dues)


def test_a_seed_makes_a_schedule_again_and_no_seed_does_not():
    assert first(due_times(0.1, 0.5, 7)) == first(due_times(0.1, 0.5, 7))
    assert first(due_times(0.1, 0.5, 7)) != first(due_times(0.1, 0.5, 8))
    assert first(due_times(0.1, 0.5)) != first(due_times(0.1, 0.5))
    assert first(token_due_times(0.02, 0.5, 7)) == first(token_due_times(0.02, 0.5, 7))
    assert first(token_due_times(0.02, 0.5)) != first(token_due_times(0.02, 0.5))


def test_tokens_come_in_a_log_normal_cadence():
    dues = [0.0, *first(token_due_times(0.02, 0.5, seed=3), 20_000)]
    gaps = [after - before for before, after in pairwise(dues)]
    assert abs(median(gaps) / 0.02 - 1) < 0.03
    assert abs(sum(gaps) / len(gaps) / (0.02 * 1.1331) - 1) < 0.03
    assert 0.005 < sum(gap > 0.02 * 3.2 for gap in gaps) / len(gaps) < 0.015


def test_tokens_without_spread_come_at_a_fixed_interval():
    assert [round(due, 6) for due in first(token_due_times(0.02, 0.0), 3)] == [0.02, 0.04, 0.06]
