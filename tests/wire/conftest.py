"""The ways in which reads can split a stream."""

from collections.abc import Callable, Iterator

import pytest

Cuts = Callable[[bytes], Iterator[list[bytes]]]


@pytest.fixture(scope="session")
def cuts() -> Cuts:
    """All of ``data`` at once, byte by byte, in threes, and split at every point."""

    def of(data: bytes) -> Iterator[list[bytes]]:
        yield [data]
        for size in (1, 3):
            yield [data[start : start + size] for start in range(0, len(data), size)]
        for point in range(1, len(data)):
            yield [data[:point], data[point:]]

    return of
