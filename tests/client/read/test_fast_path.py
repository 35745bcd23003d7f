"""The fast path gives the same record as the stages."""

import time
from dataclasses import fields, replace
from typing import Any

import pytest

from streamgauge.client.exchange import Exchange
from streamgauge.client.read.batch_reader import BatchReader
from streamgauge.client.read.fast_path import FastPath
from streamgauge.stats.outcome import Outcome

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def numbered(*numbers: int) -> list[bytes | str]:
    """Numbered events, each in a read of its own."""
    return [step for number in numbers for step in (chunk(b"id: %d\ndata: x\n\n" % number), "read")]


@pytest.fixture
def fast_reads(monkeypatch) -> list[bytes]:
    """What the batch reader read, whether or not it passed it on."""
    taken: list[bytes] = []
    read = BatchReader._read

    def watched(self: BatchReader, fast_paths: list[FastPath]) -> Any:
        reads = read(self, fast_paths)
        taken.extend(data for _, data, _, _ in reads)
        return reads

    monkeypatch.setattr(BatchReader, "_read", watched)
    return taken


@pytest.fixture
def stage_reads(monkeypatch) -> list[bytes]:
    """What went through the stages."""
    taken: list[bytes] = []
    receive = Exchange._receive_body

    def watched(self: Exchange, data: bytes, arrival_ns: int) -> bool:
        taken.append(data)
        return receive(self, data, arrival_ns)

    monkeypatch.setattr(Exchange, "_receive_body", watched)
    return taken


def test_numbers_are_checked_on_the_fast_path_too(stream, fast_reads) -> None:
    record = stream((HEAD, *numbered(1, 2, 4, 4, 3, 7), b"0\r\n\r\n"), sequence="id")
    assert (record.chunks, record.lost, record.repeated, record.out_of_order) == (6, 2, 1, 1)
    assert len(fast_reads) >= 3


@pytest.mark.parametrize(
    "event", [b"event: done\ndata: x\n\n", b"event: error\ndata: x\n\n", b": hush\n\n", b"data: 1\r\n\r\n"]
)
def test_an_event_that_a_check_must_see_goes_through_the_stages(stream, fast_reads, stage_reads, event) -> None:
    stream((HEAD, *numbered(1, 2, 3), chunk(event), "read", b"0\r\n\r\n"), end="event:done")
    assert any(chunk(event) in read for read in stage_reads)
    assert set(fast_reads) - set(stage_reads)


@pytest.mark.parametrize("event", [b"event: reading\ndata: x\n\n", b"data: x\nid: 9\nevent: a\n\n", b"data:\n\n"])
def test_an_event_that_no_check_must_see_does_not(stream, fast_reads, stage_reads, event) -> None:
    stream((HEAD, *numbered(1, 2, 3), *(5 * [chunk(event), "read"]), b"0\r\n\r\n"), end="event:done")
    assert chunk(event) in set(fast_reads) - set(stage_reads)


def test_a_named_end_in_the_data_is_found(stream, fast_reads) -> None:
    script = (HEAD, *numbered(1, 2, 3), chunk(b"data: [DONE]\n\n"), "read", b"0\r\n\r\n")
    assert stream(script, end="data:[DONE]").outcome is Outcome.COMPLETED
    assert fast_reads


def test_a_stall_on_the_fast_path_is_counted(stream, fast_reads) -> None:
    moments_s: list[float] = []
    look = lambda *_: moments_s.append(time.monotonic())  # noqa: E731
    events = [(look, step, look, "read") for step in numbered(1, 2, 3, 4, 5, 6)[::2]]
    script = (HEAD, *events[0], *events[1], *events[2], 0.4, *events[3], *events[4], 0.4, *events[5], b"0\r\n\r\n")
    record = stream(script, stall_threshold_s=0.3)
    least = sum(later - earlier > 0.3 for earlier, later in zip(moments_s[1::2], moments_s[2::2], strict=False))
    most = sum(later - earlier > 0.3 for earlier, later in zip(moments_s[::2], moments_s[3::2], strict=False))
    assert 2 <= least <= record.stalls <= most
    assert record.max_chunk_interval_s >= 0.4
    assert {chunk(b"id: 4\ndata: x\n\n"), chunk(b"id: 6\ndata: x\n\n")} & set(fast_reads)


def test_both_ways_give_the_same_record(stream, monkeypatch) -> None:
    script = (HEAD, *numbered(*range(20)), chunk(b"event: done\ndata: x\n\n"), "read", b"0\r\n\r\n")
    fast = stream(script, end="event:done", stall_threshold_s=60.0)
    monkeypatch.setattr(FastPath, "of", classmethod(lambda *_: None))
    slow = stream(script, end="event:done", stall_threshold_s=60.0)
    assert fast.outcome is Outcome.COMPLETED
    # Times, and which chunks shared a read, depend on the machine.
    timed = {each.name: 0 for each in fields(fast) if each.name.endswith("_s")} | {"coalesced": 0}
    assert replace(fast, **timed) == replace(slow, **timed)
