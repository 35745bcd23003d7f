"""Options that a scenario declares: one declaration, and help, form, environment and report follow."""

import json
import re

import pytest

LOCUSTFILE = """
from locust import task
from streamgauge.load import Lines, Option, StreamUser, declare_options

def whole(text):
    if not text.isdigit():
        raise ValueError(f"expected a whole number such as 3, got {text!r}")
    return int(text)

FLOORS = Option("--lift-floors", "N", whole, "How many floors; 100% of them", default="3", label="Floors")
STOPS = Option("--lift-stop", "NAME", str.split, "Where it stops; repeat the option for several", Lines)
declare_options("Lift", FLOORS, STOPS)

class Rider(StreamUser):
    @task
    def ride(self):
        path = "/".join((str(self.value_of(FLOORS)), *(self.value_of(STOPS) or ("nowhere",))))
        self.play("/lift/" + path, protocol="sse", end="event:done", name="lift")
"""


@pytest.fixture
def locustfile(tmp_path):
    path = tmp_path / "lift.py"
    path.write_text(LOCUSTFILE)
    return path


def test_the_form_has_them_under_their_heading_and_checks_them(open_web, recorder, until, locustfile):
    web = open_web("-H", recorder.url, "--lift-stop", "attic", locustfile=locustfile)
    (sections,) = re.findall(r"fields \} of (\[.*\])\) \{", web.get("/"))
    first = json.loads(sections)[0]
    assert (first["title"], [each["label"] for each in first["fields"]]) == ("Lift", ["Floors", "Lift stop"])
    assert [each["name"] for each in first["fields"]] == ["liftFloors", "liftStop"]
    assert [each["lines"] for each in first["fields"]] == [False, True]
    assert first["fields"][0]["help"] == "How many floors; 100% of them; default 3"
    assert next(iter(web.shown().items())) == ("lift_floors", "")
    load = {"user_count": 1, "spawn_rate": 1, "host": recorder.url}
    refused = web.post("/swarm", **load, lift_floors="many")
    assert refused["message"] == "--lift-floors: expected a whole number such as 3, got 'many'"
    assert web.post("/swarm", **load, lift_floors="7", lift_stop="cellar\r\nroof")["success"]
    until(lambda: recorder.requests, "a stream is asked for")
    assert recorder.requests[0]["path"] == "/lift/7/cellar/roof"


def test_the_command_line_and_the_environment_set_them_and_the_report_repeats_them(
    run_locust, recorder, locustfile, tmp_path
):
    load = ("--headless", "-u", 1, "-t", "1s", "-H", recorder.url, "--metrics-port", "off")
    stops = ("--lift-stop", "cellar", "--lift-stop", "roof")
    more = {"variables": {"LOCUST_LIFT_FLOORS": "12"}, "result_dir": tmp_path / "results"}
    run = run_locust(locustfile, *load, *stops, **more)
    assert recorder.requests[0]["path"] == "/lift/12/cellar/roof", run.output
    assert "--lift-floors 12 --lift-stop cellar --lift-stop roof" in run.result["run"]["command"]


def test_a_value_that_is_wrong_ends_the_run_at_its_start(run_locust, locustfile):
    run = run_locust(locustfile, "--headless", "-H", "http://127.0.0.1:9", "--lift-floors", "many")
    assert run.status == 2
    assert "error: argument --lift-floors: expected a whole number such as 3, got 'many'\n" in run.output
