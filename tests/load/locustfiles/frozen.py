"""The SSE scenario; its workers freeze when the run begins, before they have started a user."""

import os
import signal
from typing import Any

from locust import events
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.sse import SseListener

__all__ = ["SseListener"]


@events.test_start.add_listener
def freeze(environment: Environment, **_: Any) -> None:
    if isinstance(environment.runner, WorkerRunner):
        os.kill(os.getpid(), signal.SIGSTOP)
