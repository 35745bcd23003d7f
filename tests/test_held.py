"""What is left behind is noticed, be it ever so small, and what comes and goes is not."""

import os

import pytest

from tests.held import left_behind


class Kept:
    """Something to keep."""


@pytest.mark.parametrize("times", [5, 25])
def test_an_object_kept_each_time_is_noticed(times):
    kept = []
    left = left_behind(lambda: kept.append(Kept()), times)
    assert left[f"{__name__}.Kept"] == times
    assert left["bytes each"] >= 40


def test_a_string_kept_each_time_is_noticed_though_nothing_lists_it():
    kept = []
    left = left_behind(lambda: kept.append(f"client {len(kept)}"), 25)
    assert list(left) == ["bytes each"]


def test_an_open_file_kept_each_time_is_noticed():
    files = []
    left = left_behind(lambda: files.append(os.open(os.devnull, os.O_RDONLY)), 5)
    for file in files:
        os.close(file)
    assert left["descriptors"] == 5


def test_what_grows_in_one_round_alone_is_not_left_behind():
    done, table = [0], {}

    def repeat():
        done[0] += 1
        if done[0] == 60:
            table.update((str(number), Kept()) for number in range(1000))

    assert left_behind(repeat, 25) == {}
