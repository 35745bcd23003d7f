"""Requests whose connections are led elsewhere reach the same place in the same words as curl's with the same rules."""

import subprocess

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.overrides import Overrides, read_connect_to, read_resolved
from streamgauge.client.connect.routing import Network
from streamgauge.stats.outcome import Outcome

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n"
#: A URL, rules of ``--connect-to``, those of ``--resolve``, and whether the server is a proxy.
CASES = {
    "any URL": ("http://shop.test/", ["::127.0.0.1:PORT"], [], False),
    "one host and port": ("http://shop.test:81/", ["a.test:81:h:1", "shop.test:81:127.0.0.1:PORT"], [], False),
    "another port": ("http://127.0.0.1:81/", [":81::PORT"], [], False),
    "an address": ("http://shop.test:PORT/", [], ["shop.test:PORT:127.0.0.1"], False),
    "the later address": (
        "http://shop.test:PORT/",
        [],
        ["shop.test:PORT:127.0.0.9", "shop.test:PORT:127.0.0.1"],
        False,
    ),
    "any host": ("http://other.test:PORT/", [], ["*:PORT:127.0.0.1"], False),
    "a host before any": ("http://shop.test:PORT/", [], ["shop.test:PORT:127.0.0.1", "*:PORT:127.0.0.9"], False),
    "one of several addresses": ("http://shop.test:PORT/", [], ["shop.test:PORT:[::1],127.0.0.1"], False),
    "a place by its address": ("http://shop.test/", ["::there.test:PORT"], ["there.test:PORT:127.0.0.1"], False),
    "a place behind a proxy": ("http://shop.test/", ["::there.test:81"], [], True),
    "a URL that no rule is for, behind a proxy": ("http://shop.test/", ["a.test:80:there.test:81"], [], True),
    "the address of a proxy": ("http://shop.test/", [], ["proxy.test:PORT:127.0.0.1"], True),
}


def asked(server):
    """The request lines and hosts of what was asked so far."""
    heads = [head.decode().split("\r\n") for head in server.requests]
    server.requests.clear()
    return [(lines[0], next(line for line in lines if line.lower().startswith("host:"))) for lines in heads]


@pytest.mark.parametrize("case", CASES)
def test_curl_asks_the_same_place_in_the_same_words(program, server, plan, case):
    curl = program("curl")
    url, connect_to, resolve, proxied = CASES[case]
    url, *rules = (text.replace("PORT", str(server.port)) for text in (url, *connect_to, *resolve))
    connect_to, resolve = rules[: len(connect_to)], rules[len(connect_to) :]
    proxy = f"http://{'proxy.test' if resolve else '127.0.0.1'}:{server.port}" if proxied else None
    server.scripts |= {"there.test:81": [b"HTTP/1.1 200 OK\r\n\r\n"], url: [WHOLE]}
    led = [word for rule in connect_to for word in ("--connect-to", rule)]
    led += [word for rule in resolve for word in ("--resolve", rule)]
    network = Network(
        proxy, overrides=Overrides(tuple(map(read_connect_to, connect_to)), tuple(map(read_resolved, resolve)))
    )
    (record,) = run_streams([plan([WHOLE], url=url)], network=network)
    assert record.outcome is Outcome.COMPLETED, record.reason
    ours = asked(server)
    through = ("--proxy", proxy) if proxy else ("--noproxy", "*")
    done = subprocess.run([curl, "-sS", "-m", "60", *through, *led, url], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("data: 1\n\n", "")
    assert asked(server) == ours
    assert ours
