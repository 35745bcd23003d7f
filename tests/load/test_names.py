"""Host names in a Locust process: resolving one stops no other stream, and one that leads nowhere says so."""

import re

import pytest

from benchmarks.testbed.server import Server

#: The resolver of the C library, made slow: it answers for ``slow.test`` only once another stream has gone on.
LOCUSTFILE = """
import _socket
import time
from urllib.parse import urlsplit
from gevent.monkey import get_original
from locust import task
from locust.exception import StopUser
from streamgauge.load import StreamUser

native, sleep, seen, waited_s = _socket.getaddrinfo, get_original("time", "sleep"), [], []

def slow(host, *more):
    if host != "slow.test" or _socket.AI_NUMERICHOST in more:
        return native(host, *more)
    before, begun_s = len(seen), time.monotonic()
    while len(seen) < before + 10:
        if time.monotonic() > begun_s + 60:
            raise _socket.gaierror(_socket.EAI_AGAIN, "no other stream went on")
        sleep(0.01)
    waited_s.append(time.monotonic() - begun_s)
    return native("127.0.0.1", *more)

_socket.getaddrinfo = slow

class Streamer(StreamUser):
    abstract, fixed_count = True, 1

    def play_on(self, host, name, **more):
        port = urlsplit(self.host).port
        url = f"http://{host}:{port}/sse?chunks=20&interval_ms=20"
        return self.client.stream("GET", url, protocol="sse", name=name, end="event:done", **more)

class Resolved(Streamer):
    @task
    def listen(self):
        self.play_on("127.0.0.1", "resolved", on_chunk=seen.append)

class Slow(Streamer):
    @task
    def listen(self):
        self.play_on("slow.test", "slow")
        print("the slow one waited for", *waited_s, "s", flush=True)
        raise StopUser  # nobody would go on while it waits at the end of the run

class Lost(Streamer):
    @task
    def listen(self):
        self.play_on("no-such-host.invalid", "lost")
        self.wait()

    def wait_time(self):
        return 0.2
"""


@pytest.fixture(scope="module")
def run(start, until, tmp_path_factory):
    directory = tmp_path_factory.mktemp("names")
    locustfile = directory / "scenario.py"
    locustfile.write_text(LOCUSTFILE)
    with Server() as source:
        options = {"locustfile": locustfile, "result_dir": directory / "results"}
        running = start.headless(source.url, users=3, run_time="300s", **options)
        until(lambda: "the slow one waited" in running.output, "the slow one has ended")
        return running.stop()


def streams(run, name):
    return next(each for each in run.result["streams"] if each["name"] == name)


def test_a_slow_resolver_stops_no_other_stream(run):
    slow = streams(run, "slow")
    assert set(slow["outcomes"]) == {"completed"}, (slow["reasons"], run.output)
    assert set(streams(run, "resolved")["outcomes"]) == {"completed"}


def test_the_wait_for_a_resolver_is_part_of_the_stream(run):
    (waited_s,) = re.findall(r"the slow one waited for (\S+) s", run.output)
    found = streams(run, "slow")["time_to_first_chunk"]
    _, most_s = found["uncertain"].get("min", (None, found["min"]))
    assert most_s > float(waited_s)


def test_a_name_that_leads_nowhere_is_a_connect_error_that_names_it(run):
    lost = streams(run, "lost")
    assert set(lost["outcomes"]) == {"connect_error"}
    beginning = "connect_error: cannot resolve 'no-such-host.invalid': "
    assert all(reason.startswith(beginning) and reason != beginning for reason in lost["reasons"])
    assert run.status == 1
