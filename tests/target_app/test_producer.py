"""The loop that makes every stream: what comes out of it, when it ends, and what it tells the instruments."""

import asyncio
from contextlib import aclosing
from itertools import count, islice, repeat

import pytest

from target_app.producer import Form, Plan, Producer, StreamCutError, StreamLimits
from target_app.shutdown import Shutdown

AT_ONCE = 0.0
LATE_S = 60.0


class Letters(Form):
    """A form that is easy to read."""

    heartbeat = "."
    has_terminator = True

    def __init__(self):
        self.closed = 0

    def chunk(self, number):
        return f"c{number}"

    def terminator(self, chunks):
        return f"end{chunks}"

    def error(self, message):
        return "error"

    async def close(self):
        self.closed += 1


class Plain(Letters):
    """One that has nothing but chunks."""

    heartbeat = None
    has_terminator = False

    def terminator(self, chunks):
        return None

    def error(self, message):
        return None


@pytest.fixture
def produce(virtually):
    """What a stream gave, what it marked, and whether it was cut; ``meanwhile`` is called 50 ms after its start."""

    def run(form, plan, limits=None, *, meanwhile=None):
        items, marks, cut = [], [], False
        keep = items.append

        async def scenario():
            nonlocal cut
            if meanwhile:
                asyncio.get_running_loop().call_later(0.05, meanwhile)
            async with aclosing(Producer(form, plan, limits or StreamLimits(Shutdown()), marks.append).run()) as stream:
                try:
                    async for item in stream:
                        keep(item)
                except StreamCutError:
                    cut = True

        virtually(asyncio.wait_for(scenario(), 30))
        assert form.closed == 1
        return items, marks, cut

    return run


def fast(chunks=3, **options):
    return Plan(chunks, repeat(AT_ONCE), **options)


def test_chunks_and_then_the_terminator(produce):
    assert produce(Letters(), fast()) == (["c0", "c1", "c2", "end3"], [], False)


def test_a_form_without_terminator_does_not_wait_for_one(produce):
    assert produce(Plain(), Plan(2, iter([0.0, 0.0, LATE_S]))) == (["c0", "c1"], [], False)


def test_a_preface_does_not_wait_for_the_first_chunk(produce):
    form = Letters()
    form.preface = "role"
    shutdown = Shutdown()
    items, *_ = produce(
        form, Plan(2, repeat(LATE_S)), StreamLimits(shutdown), meanwhile=lambda: shutdown.request("shutdown")
    )
    assert items == ["role", "end0"]


def test_a_resumed_stream_goes_on_where_it_was(produce):
    assert produce(Letters(), fast(5, first=3))[0] == ["c3", "c4", "end5"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("error", (["c0", "error"], ["error"], False)),
        ("cut", (["c0"], [], True)),
        ("end", (["c0"], [], False)),
    ],
)
def test_a_stream_fails_where_and_how_it_was_asked_to(produce, how, expected):
    assert produce(Letters(), fast(fail_at=1, fail_how=how)) == expected


def test_it_can_fail_in_place_of_its_terminator(produce):
    assert produce(Letters(), fast(2, fail_at=2, fail_how="end"))[0] == ["c0", "c1"]
    assert produce(Plain(), fast(2, fail_at=2, fail_how="cut")) == (["c0", "c1"], [], True)


def test_an_error_that_the_form_cannot_say_cuts_the_stream(produce):
    assert produce(Plain(), fast(fail_at=1, fail_how="error")) == (["c0"], ["error"], True)


def test_a_stall_is_silent_until_the_longest_time_is_over(produce):
    limits = StreamLimits(Shutdown(), max_stream_s=0.2, heartbeat_s=0.02)
    assert produce(Letters(), fast(fail_at=1, fail_how="stall"), limits) == (["c0", "error"], ["deadline"], False)


def test_a_stream_that_lasts_too_long_says_so_and_ends(produce):
    items, marks, cut = produce(
        Letters(), Plan(1000, (n * 0.01 for n in count())), StreamLimits(Shutdown(), max_stream_s=0.1)
    )
    assert (items[0], items[-1], marks, cut) == ("c0", "error", ["deadline"], False)
    assert len(items) == 11


def test_one_that_never_waits_ends_at_the_longest_time_too(produce):
    _, marks, cut = produce(Plain(), fast(10**9), StreamLimits(Shutdown(), max_stream_s=0.1))
    assert (marks, cut) == (["deadline"], True)


def test_silence_is_kept_alive_and_chunks_are_not_late_for_it(produce):
    items, *_ = produce(Letters(), Plan(1, iter([0.0, 1.5])), StreamLimits(Shutdown(), heartbeat_s=0.4))
    assert items == ["c0", ".", ".", ".", "end1"]


@pytest.mark.parametrize(("form", "heartbeat_s"), [(Plain, 0.02), (Letters, 0), (Letters, 5.0)])
def test_no_heartbeat_where_there_is_none_to_send(produce, form, heartbeat_s):
    items, *_ = produce(form(), Plan(2, iter([0.0, 0.1, 0.2])), StreamLimits(Shutdown(), heartbeat_s=heartbeat_s))
    assert "." not in items


def test_streams_that_are_to_end_end_with_their_terminator(produce):
    shutdown = Shutdown()
    plan = Plan(1000, (n * 0.01 for n in count()))
    items, marks, cut = produce(Letters(), plan, StreamLimits(shutdown), meanwhile=lambda: shutdown.request("shutdown"))
    assert items[-1] == f"end{len(items) - 1}"
    assert (marks, cut) == ([], False)


def test_one_whose_length_is_announced_hurries_instead(produce):
    shutdown, form = Shutdown(), Plain()
    form.has_length = True
    plan = Plan(5, iter([0.0, *repeat(LATE_S, 9)]))
    items, marks, cut = produce(form, plan, StreamLimits(shutdown), meanwhile=lambda: shutdown.request("shutdown"))
    assert (items, marks, cut) == ([f"c{n}" for n in range(5)], [], False)


def test_one_that_stalls_ends_when_it_is_to(produce):
    shutdown = Shutdown()
    plan = fast(fail_at=1, fail_how="stall")
    items, *_ = produce(Letters(), plan, StreamLimits(shutdown), meanwhile=lambda: shutdown.request("shutdown"))
    assert items == ["c0", "end1"]


def test_a_stream_that_never_waits_lets_others_run():
    turns = []

    async def scenario():
        async def other():
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in Producer(Plain(), fast(320), StreamLimits(Shutdown()), turns.append).run():
            pass
        task.cancel()

    asyncio.run(scenario())
    assert len(turns) == 10


def test_a_stream_that_nobody_reads_to_its_end_lets_go():
    form = Letters()

    async def scenario():
        async with aclosing(Producer(form, fast(10), StreamLimits(Shutdown()), print).run()) as stream:
            assert [item async for item in _first(stream, 2)] == ["c0", "c1"]

    asyncio.run(scenario())
    assert form.closed == 1


async def _first(stream, number):
    for _ in islice(count(), number):
        yield await anext(stream)
