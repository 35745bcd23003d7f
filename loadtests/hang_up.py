"""Hang-up: each user leaves its streams at a random chunk, as people close tabs. Its outcome is ``aborted``, a success.

It shows whether the service notices: whether it ends its work, and counts the client as disconnected.
"""

import itertools
from random import Random

from locust import events, task

from streamgauge.load import Option, StreamUser, declare_options


def read_range(text: str) -> tuple[int, int]:
    """Read ``20`` or ``1..20``: at which chunk to leave, at least and at most."""
    least, dots, most = (part.strip() for part in text.partition(".."))
    ends = least, most if dots else least
    if not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends) or not 1 <= int(ends[0]) <= int(
        ends[1]
    ):
        raise ValueError(f"expected a chunk such as 5, or a range such as 1..20, got {text!r}")
    return int(ends[0]), int(ends[1])


AFTER = Option(
    "--hang-up-after",
    "N|N..M",
    read_range,
    "Chunks after which to leave, at random",
    default="1..20",
    label="After chunks",
)
SEED = Option(
    "--hang-up-seed", "TEXT", str, "Seed: the same one makes the same choices again", default="1", label="Seed"
)
declare_options("Hang-up", AFTER, SEED)
_numbers = itertools.count()


def begin_numbers(**_: object) -> None:
    """Number the users of a run from 0 again, so that the same seed makes the same choices."""
    global _numbers
    _numbers = itertools.count()


events.test_start.add_listener(begin_numbers)


class HangUp(StreamUser):
    """Leaves ``/stream/sse``."""

    def on_start(self) -> None:
        worker = getattr(self.environment.runner, "worker_index", 0)
        self.random = Random(f"{self.value_of(SEED)}/{worker}/{next(_numbers)}")

    @task
    def leave(self) -> None:
        left = self.random.randint(*self.value_of(AFTER))

        def goes_on(_: object) -> bool:
            nonlocal left
            left -= 1
            return left > 0

        self.play(
            "/stream/sse",
            protocol="sse",
            name="/stream/sse (hang-up)",
            params={"chunks": 120, "interval_ms": 60},
            on_chunk=goes_on,
        )
