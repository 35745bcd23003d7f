"""A locustfile: users that each read one chat stream, with streamgauge or with one of Locust's own clients."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from locust import FastHttpUser, HttpUser, events, task
from locust.exception import StopUser

from benchmarks.peers import variables
from benchmarks.peers.token_source import MODEL
from streamgauge.load import StreamUser

PATH = "/v1/chat/completions"
BODY = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": "tick"}]}
#: Of each stream: its start and the arrivals of its tokens, in monotonic ns.
SEEN: list[list[int]] = []


def _time_tokens(start_ns: int, lines: Iterable[str | bytes]) -> None:
    moments = [start_ns]
    SEEN.append(moments)
    texts = (line if isinstance(line, str) else line.decode() for line in lines)
    moments.extend(time.monotonic_ns() for text in texts if '"content"' in text)


class Streamgauge(StreamUser):
    """Reads with streamgauge."""

    @task
    def chat(self) -> None:
        self.client.stream("POST", PATH, protocol="openai", json=BODY)
        raise StopUser


class Fast(FastHttpUser):
    """Reads with FastHttpUser and ``iter_lines``, as Locust documents it."""

    @task
    def chat(self) -> None:
        _time_tokens(time.monotonic_ns(), self.client.iter_lines(PATH, method="POST", json=BODY))
        raise StopUser


class Requests(HttpUser):
    """Reads with HttpUser (requests), ``stream=True`` and ``iter_lines``."""

    @task
    def chat(self) -> None:
        start_ns = time.monotonic_ns()
        _time_tokens(start_ns, self.client.post(PATH, json=BODY, stream=True).iter_lines())
        raise StopUser


@events.quit.add_listener
def _write(**_: Any) -> None:
    if SEEN:
        Path(os.environ[variables.SEEN_FILE]).write_text(json.dumps(SEEN))


for _each in (Streamgauge, Fast, Requests):
    _each.abstract = _each.__name__ != os.environ[variables.CLIENT]

del _each
