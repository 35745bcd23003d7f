"""The SSE scenario in a process that says at its end for how long its event loop stood still at most."""

import time
from typing import Any

import gevent
from locust import events
from locust.env import Environment

from loadtests.sse import SseListener

__all__ = ["SseListener"]
TURN_S = 0.02


@events.init.add_listener
def watch(environment: Environment, **_: Any) -> None:
    longest_s = 0.0

    def turn() -> None:
        nonlocal longest_s
        while True:
            begun_s = time.monotonic()
            gevent.sleep(TURN_S)
            longest_s = max(longest_s, time.monotonic() - begun_s)

    gevent.spawn(turn)
    environment.events.quit.add_listener(lambda **_: print(f"Stood still for {longest_s:.3f} s", flush=True))
