"""Streams that are asked for at once begin one after another, and leave the loop to those under way."""

import asyncio

from target_app.guard.start_queue import StartQueue


def test_one_begins_in_a_turn_of_the_loop_in_order():
    async def begin_all():
        queue, turns, began = StartQueue(), 0, []

        async def begin(number):
            await queue.wait_turn()
            began.append((number, turns))

        starts = [asyncio.create_task(begin(number)) for number in range(20)]
        while not all(start.done() for start in starts):
            await asyncio.sleep(0)
            turns += 1
        return began

    began = asyncio.run(begin_all())
    assert [number for number, _ in began] == list(range(20))
    assert len({turn for _, turn in began}) == 20


def test_who_leaves_the_line_holds_nobody_up():
    async def leave():
        queue = StartQueue()
        starts = [asyncio.create_task(queue.wait_turn()) for _ in range(5)]
        await asyncio.sleep(0)
        starts[2].cancel()
        await asyncio.wait_for(asyncio.gather(starts[0], starts[1], starts[3], starts[4]), 60)
        await asyncio.wait_for(queue.wait_turn(), 60)

    asyncio.run(leave())
