"""Prints how users are spread over a second, and what a stop leaves in the measurement; run in a process of its own."""

import json
import resource
import time

import gevent
from locust.dispatch import UsersDispatcher

from streamgauge.load.open_files import SPARE_FILES, shortage
from streamgauge.load.process_meter import ProcessMeter
from streamgauge.load.run.dispatch import evenly, slice_of


class Worker:
    """What a dispatcher asks of a worker."""

    id = "worker"
    user_classes_count: dict[str, int] = {}  # noqa: RUF012 - Locust's own name


class Someone:
    """What a dispatcher asks of a class of users."""

    weight, fixed_count = 1, 0


def starts():
    """When users start at 1000 a second, in ms from the first, and how many are there by then."""
    dispatcher = evenly(UsersDispatcher, lambda: False)(worker_nodes=[Worker()], user_classes=[Someone])
    dispatcher.new_dispatch(400, 1000)
    begin_s = time.monotonic()
    return [(sum(users["worker"].values()), round((time.monotonic() - begin_s) * 1000)) for users in dispatcher]


def stopped(*, told):
    """What a process reports of a second in which the event loop stood still for 0.6 s, while it stopped or not."""
    meter = ProcessMeter()
    meter.begin()
    gevent.sleep(0.05)
    meter.process_context.process_stats.lag.record_ns(1_000_000)
    if told:
        meter.leave_out_stop()
    gevent.get_hub().loop.update_now()
    end_s = time.monotonic() + 0.6
    while time.monotonic() < end_s:
        pass
    meter.process_context.process_stats.lag.record_ns(600_000_000)
    gevent.sleep(0.3)
    meter.process_context.process_stats.lag.record_ns(2_000_000)
    meter.end()
    parts = meter.take()
    lag_s = sorted(value for part in parts for value in (part.lag.min_s, part.lag.max_s) if value is not None)
    return {"pause_s": max(part.longest_pause_s for part in parts), "lag_s": lag_s[-1], "least_s": lag_s[0]}


def files():
    """What is said of as many users as have files, and of one more; and how many files there may be."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return [hard, shortage(hard - SPARE_FILES), shortage(hard - SPARE_FILES + 1)]


if __name__ == "__main__":
    found = {
        "starts": starts(),
        "slices": [slice_of(*each) for each in ((1, 1), (10, 1), (45, 1), (1000, 1), (1000, 40))],
    }
    print(json.dumps({**found, "files": files(), "told": stopped(told=True), "untold": stopped(told=False)}))
