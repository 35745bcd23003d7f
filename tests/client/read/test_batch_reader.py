"""Reading many streams in one loop: whose chunks are counted where, and when they arrived."""

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from streamgauge.client.connect.stamped_socket import SO_TIMESTAMPNS
from streamgauge.client.read.batch_reader import AT_ONCE, BatchReader
from streamgauge.client.read.fast_path import FastPath
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.sequence import SequenceCheck

MS = 1_000_000
WALL_OFFSET_NS = 10**18


class Body(SimpleNamespace):
    def add_fast(self, size_bytes: int, last_frame: bytes) -> None:
        self.bytes += size_bytes
        self.last_frame = last_frame


class Bench:
    """A batch reader on clocks that are set by hand, and streams that read what they are given."""

    def __init__(self) -> None:
        self.now_ns = 10**12
        self.step_ns = 0
        self.process_stats = ProcessStats(lambda: self.now_ns)
        wall = lambda: self.now_ns + WALL_OFFSET_NS + self.step_ns  # noqa: E731
        self.clock = ArrivalClock(wall, lambda: self.now_ns)
        self.batch_reader = BatchReader(self.process_stats, self.clock)
        self.passed_on: list[tuple[bytes, int]] = []
        self.errors: list[OSError] = []

    def stream(self, name: str = "a") -> Any:
        timer = ChunkTimer(self.process_stats.begin(name, "sse"), self.now_ns, 10**9)
        timer.chunk(self.now_ns)
        sequence, sock = SequenceCheck(), SimpleNamespace()
        checks = SimpleNamespace(
            inspected=(frozenset({b"done"}), (b"[DONE]",)), sequence=sequence, end_is_named=True, end_came=False
        )
        body: Any = Body(bytes=0, max_chunk_bytes=1000, framing=None, decoder=None, checks=checks)
        transport: Any = SimpleNamespace(sock=sock)
        reader: Any = SimpleNamespace(pass_on=lambda *read: self.passed_on.append(read), fail=self.errors.append)
        schedule: Any = SimpleNamespace(close_ns=0)
        fast_path = FastPath(transport, body, timer, schedule, reader)
        return SimpleNamespace(fast_path=fast_path, sock=sock, timer=timer, body=body, sequence=sequence)

    def read(self, *reads: tuple[Any, bytes | OSError], age_ns: int = MS, stamped: bool = True) -> None:
        """One pass, 10 ms after the last, in which these streams read these bytes, which came ``age_ns`` ago."""
        self.now_ns += 10 * MS
        self.clock.begin_pass()
        stamp = divmod(self.now_ns - age_ns + WALL_OFFSET_NS + self.step_ns, 10**9)
        ancillary = [(1, SO_TIMESTAMPNS, struct.pack("qq", *stamp))] if stamped else []
        for stream, data in reads:
            stream.sock.recvmsg = lambda *_, data=data: self._received(data, ancillary)
        self.batch_reader([stream.fast_path for stream, _ in reads])
        for stream, _ in reads:
            stream.fast_path.sync()

    @staticmethod
    def _received(data: bytes | OSError, ancillary: Any) -> Any:
        if isinstance(data, OSError):
            raise data
        return data, ancillary, 0, None


@pytest.fixture
def bench() -> Bench:
    return Bench()


def event(number: int) -> bytes:
    payload = b"id: %d\ndata: x\n\n" % number
    return b"%x\r\n%b\r\n" % (len(payload), payload)


def test_each_name_counts_its_own_streams(bench):
    streams = [bench.stream(name) for name in "abab"]
    bench.read(*((each, event(1)) for each in streams))
    bench.read((streams[0], event(2)))
    counted = {name: (stats.chunks - 2, stats.bytes) for (name, _), stats in bench.process_stats.all_stats.items()}
    size = len(b"id: 1\ndata: x\n\n")
    assert counted == {"a": (3, 3 * size), "b": (2, 2 * size)}
    assert [each.timer.chunks for each in streams] == [3, 2, 2, 2]
    assert [each.body.bytes for each in streams] == [2 * size, size, size, size]


def test_arrivals_are_the_kernels(bench):
    stream = bench.stream()
    begun_ns = stream.timer.last_ns
    bench.read((stream, event(1)), age_ns=4 * MS)
    bench.read((stream, event(2)), age_ns=MS)
    assert stream.timer.last_ns == begun_ns + 19 * MS
    assert stream.timer.stats.chunk_interval.all.sum_ns == 19 * MS
    assert (bench.process_stats.lag.count, bench.process_stats.lag.sum_ns) == (2, 5 * MS)


def test_numbers_are_checked(bench):
    stream = bench.stream()
    for number in (1, 2, 4, 4):
        bench.read((stream, event(number)))
    assert (stream.sequence.lost, stream.sequence.repeated) == (1, 1)


@pytest.mark.parametrize(
    "data", [b"b\r\n: heartbeat", event(1) * 2, b"16\r\nevent: done\ndata: x\n\n\r\n", b"9" * 2000]
)
def test_anything_but_a_plain_event_is_passed_on_with_its_arrival(bench, data):
    stream = bench.stream()
    bench.read((stream, data), age_ns=3 * MS)
    assert bench.passed_on == [(data, bench.now_ns - 3 * MS)]
    assert stream.timer.chunks == 1


def test_a_close_is_not_a_read(bench):
    bench.read((bench.stream(), b""), (bench.stream(), event(1)))
    assert bench.passed_on == [(b"", 0)]
    assert (bench.clock.reads, bench.process_stats.lag.count) == (1, 1)


def test_an_error_is_its_own_streams(bench):
    error, other = BlockingIOError(), bench.stream()
    bench.read((bench.stream(), error), (other, event(1)))
    assert bench.errors == [error]
    assert other.timer.chunks == 2


def test_without_stamps_the_read_is_the_arrival(bench):
    stream = bench.stream()
    bench.read((stream, event(1)), stamped=False)
    assert stream.timer.last_ns == bench.now_ns
    assert (bench.clock.reads, bench.clock.fallbacks) == (1, 1)


@pytest.mark.parametrize("step_ns", [3_600_000 * MS, -3_600_000 * MS])
def test_a_clock_step_is_counted_once_and_moves_no_chunk_for_long(bench, step_ns):
    stream = bench.stream()
    bench.read((stream, event(1)))
    bench.step_ns = step_ns
    for number in range(2, 5):
        bench.read((stream, event(number)))
    assert bench.clock.steps == 1
    assert stream.timer.last_ns == bench.now_ns - MS
    assert stream.timer.max_interval_ns <= 12 * MS


def test_more_streams_than_are_read_at_once_are_all_read(bench):
    streams = [bench.stream() for _ in range(AT_ONCE + 3)]
    bench.read(*((each, event(1)) for each in streams))
    assert {each.timer.chunks for each in streams} == {2}
    assert bench.clock.reads == len(streams)


def test_what_was_added_up_is_not_added_again(bench):
    stream = bench.stream()
    bench.read((stream, event(1)))
    stream.fast_path.sync()
    assert (stream.timer.chunks, stream.body.bytes) == (2, len(b"id: 1\ndata: x\n\n"))


def test_numbers_may_begin_anywhere_and_go_on_after_a_read_through_the_stages(bench):
    stream = bench.stream()
    bench.read((stream, event(7)))
    stream.sequence.add(8)
    stream.fast_path.resume()
    bench.read((stream, event(9)))
    assert (stream.sequence.lost, stream.sequence.repeated, stream.sequence.due) == (0, 0, 10)


def test_reads_with_and_without_stamps_are_told_apart(bench):
    plain, stamped = bench.stream(), bench.stream()
    bench.now_ns += 10 * MS
    bench.clock.begin_pass()
    stamp = struct.pack("qq", *divmod(bench.now_ns - MS + WALL_OFFSET_NS, 10**9))
    plain.sock.recvmsg = lambda *_: (event(1), [], 0, None)
    stamped.sock.recvmsg = lambda *_: (event(1), [(1, SO_TIMESTAMPNS, stamp)], 0, None)
    bench.batch_reader([plain.fast_path, stamped.fast_path])
    assert plain.fast_path.last_ns - stamped.fast_path.last_ns == MS
    assert bench.clock.fallbacks == 1
