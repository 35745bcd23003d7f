"""Sizes of chunks: counted at the catalog's bounds, once, however they are cut and merged."""

import json

import pytest

from streamgauge.catalog import SIZE_BUCKETS
from streamgauge.stats.sizes import Sizes
from streamgauge.stats.stream_stats import StreamStats


def sizes_of(*sizes_bytes: int) -> Sizes:
    sizes = Sizes()
    sizes.record_all(sizes_bytes)
    return sizes


@pytest.mark.parametrize(
    ("size_bytes", "bucket"), [(0, 0), (64, 0), (65, 1), (256, 1), (1 << 20, 7), ((1 << 20) + 1, len(SIZE_BUCKETS))]
)
def test_a_bound_belongs_to_its_bucket(size_bytes, bucket):
    assert sizes_of(size_bytes).counts.index(1) == bucket


def test_the_sum_is_that_of_all_chunks():
    assert sizes_of(1, 70, 70, 3_000_000).sum_bytes == 3_000_141


def test_merged_sizes_are_those_of_both_and_survive_json():
    both = Sizes()
    for part in (sizes_of(1, 70), sizes_of(70, 5000)):
        both.merge(Sizes.from_dict(json.loads(json.dumps(part.to_dict()))))
    assert both == sizes_of(1, 70, 70, 5000)


def test_sizes_are_equal_by_their_counts_and_their_sum_and_to_nothing_else():
    assert sizes_of(70, 1) == sizes_of(1, 70)
    assert sizes_of(1) != sizes_of(2)
    assert sizes_of(64, 66) != sizes_of(65, 65)
    assert sizes_of(1) != [1]


def test_sizes_change_and_so_are_no_keys():
    with pytest.raises(TypeError, match="unhashable type: 'Sizes'"):
        hash(Sizes())


def test_counts_of_other_buckets_are_refused():
    with pytest.raises(ValueError, match="expected 9 counts"):
        Sizes.from_dict({"by_bucket": [1, 2], "sum_bytes": 3})


def test_a_tally_gives_its_sizes_away_once():
    stats = StreamStats()
    stats.chunks += 1
    stats.chunk_sizes.record_all([100])
    assert StreamStats.from_dict(stats.take().to_dict()).chunk_sizes.sum_bytes == 100
    assert stats.take().chunk_sizes.sum_bytes == 0
