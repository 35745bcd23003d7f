"""Locust's web UI, as programs and browsers talk to it."""

import json
import re
import urllib.parse
import urllib.request

import pytest


class Web:
    """Locust's web UI at ``url``."""

    def __init__(self, url, running):
        self.url = url
        self.running = running

    def get(self, path, data=None):
        with urllib.request.urlopen(self.url + path, data, timeout=60) as reply:
            return reply.read().decode()

    def post(self, path, **form):
        return json.loads(self.get(path, urllib.parse.urlencode(form, doseq=True).encode()))

    def answers(self):
        try:
            return self.get("/")
        except OSError:
            return ""

    def statistics(self):
        return json.loads(self.get("/stats/requests"))

    def shown(self):
        """The options in the form with the values that it shows."""
        arguments = re.search(r"window\.templateArgs = (.*)\n", self.get("/"))[1]
        return {name: option["default_value"] for name, option in json.loads(arguments)["extra_options"].items()}

    def finished(self):
        """Streams of the run under way that have ended, as Locust counts them."""
        rows = self.statistics()["stats"]
        return sum(row["num_requests"] for row in rows if row["name"] != "Aggregated")


@pytest.fixture(scope="module")
def open_one_web(start, until, free_port):
    """Opens the web UI of a Locust of its own, which may go on until the module's tests are done."""

    def open_one(*options, path="", **more):
        port = free_port()
        where = ("--web-host", "127.0.0.1", "--web-port", port)
        web = Web(f"http://127.0.0.1:{port}{path}", start(*where, *options, **more))
        until(web.answers, "the web UI answers")
        return web

    return open_one


@pytest.fixture
def open_web(open_one_web, tmp_path):
    """Opens the web UI of a Locust that ends with the test; it writes its results."""
    opened = []

    def open_one(*options, **more):
        opened.append(open_one_web(*options, result_dir=tmp_path / "results", **more))
        return opened[-1]

    yield open_one
    for web in opened:
        web.running.kill()
