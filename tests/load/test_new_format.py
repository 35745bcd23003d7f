"""A format that only the tests know, in a whole run: the same label on both sides, and its type in Locust's tables."""

import pytest

from tests.asgi.conftest import Service
from tests.wire.netstring import MEDIA_TYPE, register

SCENARIO = """
import gevent
from locust import task
from locust.exception import StopUser
from streamgauge.load import StreamUser
from tests.wire.netstring import register

register()

class Reader(StreamUser):
    @task
    def read(self):
        self.play("/named", protocol="netstring")
        self.play("/found")
        self.play("/short")
        gevent.spawn(self.environment.runner.quit)
        raise StopUser
"""
STREAMS = {
    "/named": [b"3:one,", b"3:two,", b"3:fin,"],
    "/found": [b"3:one,", b"3:fin,"],
    "/short": [b"3:one,"],
}


class Sender:
    """An app that streams netstrings, and keeps each request's Accept."""

    def __init__(self):
        self.accepts = {}

    async def __call__(self, scope, receive, send):
        path = scope["path"]
        self.accepts[path] = dict(scope["headers"])[b"accept"].decode()
        fields = [(b"content-type", MEDIA_TYPE.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        for body in STREAMS[path]:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})


@pytest.fixture
def sender():
    return Sender()


@pytest.fixture
def service(sender, monkeypatch):
    register(monkeypatch.setitem)
    with Service(sender, "h11", route=lambda scope: scope["path"]) as service:
        yield service


@pytest.fixture
def run(run_locust, service, tmp_path):
    """A run whose ``--stream-end`` names the end of every stream."""
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(SCENARIO)
    load = ("--headless", "-u", 1, "-t", "120s", "-H", f"http://127.0.0.1:{service.port}", "--metrics-port", "off")
    report = ("--stream-end", "data:fin", "--json-file", tmp_path / "locust")
    return run_locust(locustfile, *load, *report, result_dir=tmp_path / "results")


def test_a_new_format_has_its_own_name_in_results_metrics_and_locusts_tables(
    run, service, sender, locust_stats, tmp_path
):
    found = {each["name"]: (each["protocol"], each["chunks"], each["outcomes"]) for each in run.result["streams"]}
    assert found == {
        "/named": ("netstring", 3, {"completed": 1}),
        "/found": ("netstring", 2, {"completed": 1}),
        "/short": ("netstring", 1, {"incomplete": 1}),
    }, run.output
    assert {each["method"] for each in locust_stats(tmp_path / "locust").values()} == {"NETSTRING"}
    assert sender.accepts["/named"] == MEDIA_TYPE
    counted = {path: service.value("chunks_total", route=path, protocol="netstring") for path in STREAMS}
    assert counted == {path: len(pieces) for path, pieces in STREAMS.items()}
