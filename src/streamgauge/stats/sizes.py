"""Sizes of chunks in bytes, counted exactly at the bounds of the catalog."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from streamgauge.catalog import SIZE_BUCKETS

#: How many sizes are counted together.
_BATCH = 2_048


class Sizes:
    """Counts of sizes by bucket, and the sum of the sizes."""

    __slots__ = ("_batch", "_counts", "_sum_bytes")

    def __init__(self) -> None:
        self._batch: list[int] = []
        self._counts = [0] * (len(SIZE_BUCKETS) + 1)
        self._sum_bytes = 0

    def record_all(self, sizes_bytes: Sequence[int]) -> None:
        """Count a chunk of each of these sizes."""
        self._batch.extend(sizes_bytes)
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        """Count the sizes that were recorded since the last call."""
        for size_bytes, times in Counter(self._batch).items():
            self._counts[bisect_left(SIZE_BUCKETS, size_bytes)] += times
            self._sum_bytes += size_bytes * times
        self._batch.clear()

    @property
    def counts(self) -> list[int]:
        """Chunks by bucket, each including its bound; the last bucket is above all bounds."""
        self._flush()
        return self._counts

    @property
    def empty(self) -> bool:
        """Whether no chunk was counted."""
        return not (self._batch or any(self._counts))

    @property
    def sum_bytes(self) -> int:
        """The total bytes of all chunks."""
        self._flush()
        return self._sum_bytes

    def merge(self, other: "Sizes") -> None:
        """Add ``other``'s counts to these."""
        self._counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self._sum_bytes += other.sum_bytes

    def to_dict(self) -> dict[str, Any]:
        """Return a form for msgpack and JSON; :meth:`from_dict` reads it."""
        return {"by_bucket": self.counts, "sum_bytes": self.sum_bytes}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Sizes":
        """Read the form that :meth:`to_dict` returns. Raises ValueError for counts of other buckets."""
        sizes = cls()
        counts = list(data["by_bucket"])
        if len(counts) != len(sizes._counts):
            raise ValueError(f"expected {len(sizes._counts)} counts of chunk sizes, got {len(counts)}")
        sizes._counts, sizes._sum_bytes = counts, data["sum_bytes"]
        return sizes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sizes) and (self.counts, self.sum_bytes) == (other.counts, other.sum_bytes)

    def __hash__(self) -> int:  # they are mutable
        raise TypeError("unhashable type: 'Sizes'")
