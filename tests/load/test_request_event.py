"""The one ``request`` event of a stream, as a listener of the user's own sees it."""

import json
import time

import pytest

SCENARIO = """
import json
import gevent
from locust import events, task
from locust.exception import StopUser
from streamgauge.load import StreamUser

class Asker(StreamUser):
    def context(self):
        return {"asker": 7}

    @task
    def ask(self):
        self.client.stream("GET", "/events", name="good", protocol="sse", end="event:done")
        self.client.stream("GET", "/status/503", name="bad", protocol="sse")
        gevent.spawn(self.environment.runner.quit)
        raise StopUser

@events.request.add_listener
def note(response, exception, **event):
    whole = {"exception": exception and str(exception), "outcome": response.outcome, "bytes": response.bytes}
    whole |= {"status_code": response.status_code, "at": response.url, "text": response.text}
    whole |= {"type": response.headers["Content-Type"], "none": response.headers.get("No")}
    print("EVENT", json.dumps(event | whole | {"duration_s": response.duration_s}), flush=True)
"""


@pytest.fixture
def events(start, recorder, tmp_path):
    """Each by its name, with the moment at which its request reached the server, in Unix seconds."""
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(SCENARIO)
    options = ("--refusal-pause", 0, "--metrics-port", "off")
    run = start.headless(recorder.url, *options, users=1, run_time="60s", locustfile=locustfile).wait()
    noted = [json.loads(line[6:]) for line in run.output.splitlines() if line.startswith("EVENT ")]
    since_s = time.time() - time.monotonic()
    assert len(noted) == len(recorder.requests) == 2, run.output
    return {each["name"]: (each, since_s + asked["at_s"]) for each, asked in zip(noted, recorder.requests, strict=True)}


def test_a_listener_sees_when_where_and_how_a_stream_went(events, recorder):
    good, asked_at_s = events["good"]
    assert (good["request_type"], good["url"], good["context"]) == ("SSE", f"{recorder.url}/events", {"asker": 7})
    assert (good["outcome"], good["exception"]) == ("completed", None)
    assert good["start_time"] < asked_at_s  # which is before the response, by as much as the server waits
    assert good["response_time"] == good["duration_s"] * 1000 > 50
    assert good["response_length"] == good["bytes"] == len(b"data: x\n\nevent: done\ndata: x\n\n")


def test_a_listener_written_for_locusts_clients_finds_its_way(events, recorder):
    for name, status, path in (("good", 200, "/events"), ("bad", 503, "/status/503")):
        event, _ = events[name]
        assert (event["status_code"], event["at"]) == (status, recorder.url + path)
        assert (event["type"], event["none"], event["text"]) == ("text/event-stream", None, "")


def test_a_stream_that_failed_says_its_outcome_and_why(events):
    bad, _ = events["bad"]
    assert bad["outcome"] == "http_error"
    assert bad["exception"].startswith("http_error: ")
    assert "503" in bad["exception"]
