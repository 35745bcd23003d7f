"""When the paced source sends, by a clock that passes only while it sleeps: exactly as its knobs say."""

from itertools import pairwise

import pytest

from streamgauge.calibrate import source

DONE, END = b"event: done\ndata: bye\n\n", b"0\r\n\r\n"


class Writer:
    """The time of each write, in seconds since the first, and what was written."""

    def __init__(self):
        self.now_s, self.writes, self.closed = 0.0, [], False

    async def sleep(self, for_s):
        self.now_s += max(0.0, for_s)

    def monotonic(self):
        return self.now_s

    def monotonic_ns(self):
        return round(self.now_s * 1e9)

    def write(self, data):
        self.writes.append((self.now_s, data))

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


@pytest.fixture
def play(monkeypatch):
    """The times and the bytes of a stream's chunks, and the writer and the log of it."""

    def run(**knobs):
        writer, log = Writer(), source.Sent(None, 0)
        monkeypatch.setattr(source.asyncio, "sleep", writer.sleep)
        monkeypatch.setattr(source, "time", writer)
        stream = source.stream(writer, {name: float(value) for name, value in knobs.items()}, log)
        with pytest.raises(StopIteration):  # nothing waits for anything real
            stream.send(None)
        monkeypatch.undo()
        _, *chunks = writer.writes
        return chunks, writer, log

    return run


def times(chunks):
    return [now_s for now_s, _ in chunks]


def test_every_event_is_an_interval_after_the_one_before_and_the_end_follows_the_last(play):
    chunks, _, log = play(chunks=4, interval_ms=250)
    assert times(chunks) == [0.25, 0.5, 0.75, 1.0, 1.25, 1.25]
    assert [data for _, data in chunks][-2:] == [source.frame(DONE), END]
    assert log.before_ns == log.after_ns == [each * 250_000_000 for each in range(1, 6)]


def test_without_knobs_it_is_50_events_20_a_second(play):
    chunks, *_ = play()
    assert len(chunks) == 50 + 2
    assert times(chunks)[:-1] == pytest.approx([0.05 * each for each in range(1, 52)])
    assert {len(data) for _, data in chunks[:-2]} == {len(source.frame(b"x" * 77))}


def test_the_end_of_the_body_may_follow_later(play):
    chunks, *_ = play(chunks=1, interval_ms=100, end_ms=5)
    assert times(chunks) == pytest.approx([0.1, 0.2, 0.205])


def test_a_burst_is_as_many_events_at_once_and_as_many_intervals_between(play):
    chunks, *_ = play(chunks=5, interval_ms=100, burst=3)
    assert times(chunks) == pytest.approx([0.3, 0.3, 0.3, 0.6, 0.6, 0.6, 0.6])


@pytest.mark.parametrize("burst", [1, 2])
def test_each_wait_is_longer_or_shorter_by_up_to_the_share_that_jitter_says(play, burst):
    chunks, *_ = play(chunks=4000, interval_ms=1000, jitter=0.5, burst=burst)
    sent_s = times(chunks)[:4000:burst]
    waits = [later - earlier for earlier, later in pairwise(sent_s)]
    assert 0.5 * burst <= min(waits) < 0.6 * burst
    assert 1.4 * burst < max(waits) <= 1.5 * burst
    assert sent_s[-1] == pytest.approx(4000, abs=0.25 * burst + 1e-6)  # it does not drift


def test_a_cut_is_in_the_middle_of_the_chunk_after_so_many(play):
    chunks, writer, log = play(chunks=9, interval_ms=100, cut=3)
    assert len(log.before_ns) == 3
    assert writer.closed
    whole, half = chunks[2][1], chunks[3][1]
    assert len(chunks) == 4
    assert len(half) == len(whole) // 2
