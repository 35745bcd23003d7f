"""The stack of docker-compose.yml, started for real: all healthy, and during a run every panel has data."""

import json
import math
import os
import secrets
import subprocess
import time
import urllib.parse
import urllib.request
from functools import cached_property
from pathlib import Path

import pytest
import trustme

from monitoring.config import SCRAPE_INTERVAL_S
from monitoring.dashboards import DASHBOARDS
from tools.preview.prometheus import Prometheus
from tools.preview.queries import PanelQueries
from tools.preview.variables import Window, options, resolve

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PORTS = (
    *("APP_PORT", "APP_METRICS_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT"),
    *("LOCUST_PORT", "CLIENT_METRICS_PORT", "ALERTMANAGER_PORT"),
)
SERVICES = {"alertmanager": 1, "app": 1, "grafana": 1, "locust-master": 1, "locust-worker": 3, "prometheus": 1}
#: A run is judged from its fifteenth counted second on.
UP_S, RUN_S, DOWN_S = 150, 24, 60
USERS = 20
BUILT = [build() for build in DASHBOARDS]
TARGETS = [(each, panel, target) for each in BUILT for panel in each["panels"] for target in panel.get("targets", ())]
VARIABLES = [(built, each) for built in BUILT for each in built["templating"]["list"] if each["type"] == "query"]
#: What this run does not feed: nobody asks for send stamps, nobody is refused, and nothing need be wrong. It has no SLO
#: rule and no arrivals.
UNFED = (
    *("output_token", "prompt_tokens", "stream_client_chunk_delay_seconds", "stream_server_rejected_total", "ALERTS"),
    *("slo_passed", "start_delay", "scheduled_arrivals", "late_starts", "dropped_arrivals"),
    *("wanted_users", "wanted_arrivals"),
)
POINTS = 700
OF_A_STOPPED_RUN = {"completed", "censored"}
#: The form's line of a user class.
ROW = "[...document.querySelectorAll('tr')].find(each => each.textContent.includes('{name}'))"


class Stack:
    """A compose project of its own, on ports that Docker chooses."""

    def __init__(self):
        self.project = f"streamgauge-test-{secrets.token_hex(4)}"
        self.environment = os.environ | dict.fromkeys(PORTS, "0") | {"LOCUST_WORKERS": "2"}
        self.started_at = time.time()
        self._asked = {}

    def compose(self, *arguments, timeout_s=30, given=""):
        command = ["docker", "compose", "--project-name", self.project, *arguments]
        how = {"cwd": ROOT, "env": self.environment, "timeout": timeout_s}
        return subprocess.run(command, **how, input=given, capture_output=True, text=True, check=False)

    def load(self, seconds):
        """A run through the master, as ``make load`` does it; what it says."""
        load = ("python", "load.py", "--users", str(USERS), "--run-time", f"{seconds}s")
        done = self.compose("exec", "-T", "locust-master", *load, timeout_s=seconds + 90)
        busy = "invalid, not judged" in done.stdout
        assert done.returncode == (3 if busy else 0), done.stdout + done.stderr
        return done.stdout

    def run(self):
        """A run of the whole mix, by which the panels are judged; later runs leave that as it is."""
        self.started_at = time.time()
        self.said = self.load(seconds=RUN_S)
        self.last_seen_s = self._last_seen_s()
        time.sleep(2 * SCRAPE_INTERVAL_S)  # so that the run's result is scraped
        self.over_s = time.time()
        for dashboard in BUILT:  # before later runs, which would be the newest ones
            self.asked(dashboard)
            self.asked(dashboard, afterwards=True)

    def address(self, service, port):
        """Where Docker published a service's port."""
        return f"http://{self.compose('port', service, str(port)).stdout.strip()}"

    def results(self):
        """The runs whose reports are written, by their directories' names."""
        listed = self.compose("exec", "-T", "locust-master", "sh", "-c", "ls -d results/*/report.html")
        return {line.split("/")[1] for line in listed.stdout.split()}

    def result(self, name):
        """The result of a run."""
        return json.loads(self.compose("exec", "-T", "locust-master", "cat", f"results/{name}/result.json").stdout)

    def give(self, file, text):
        """Write a file below the home of master and workers; its path there."""
        path = f"/home/streamgauge/{file}"
        for service, count in SERVICES.items():
            for number in range(1, count + 1) if service.startswith("locust-") else ():
                where = ("exec", "-T", "--index", str(number), service)
                done = self.compose(*where, "sh", "-c", f"cat > {path}", given=text)
                assert done.returncode == 0, done.stderr
        return path

    def grafana(self, path, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(f"{self.address('grafana', 3000)}{path}?{query}", timeout=10) as reply:
            return json.load(reply)

    @cached_property
    def source(self):
        """Prometheus through Grafana's proxy for the data source that its dashboards use."""
        return Prometheus(f"{self.address('grafana', 3000)}/api/datasources/proxy/uid/prometheus")

    def _last_seen_s(self):
        """When all users were last seen to run, in Unix seconds: on a busy machine a run begins and ends late.

        After that no stream starts, and panels of first chunks would be empty.
        """
        now_s = time.time()
        (last,) = self.source.instant(
            f"max_over_time(timestamp(stream_client_users == {USERS})[{now_s - self.started_at:.0f}s:1s])", now_s
        )
        return last.values[0]

    def asked(self, dashboard, *, afterwards=False):
        """A dashboard's queries near the end of the run, or after it."""
        key = dashboard["uid"], afterwards
        if key not in self._asked:
            window = Window(self.started_at - 60, self.over_s if afterwards else self.last_seen_s)
            self._asked[key] = PanelQueries(self.source, resolve(dashboard, self.source, window, {}))
        return self._asked[key]


@pytest.fixture(scope="module")
def stack(docker):
    stack = Stack()
    try:
        services = ("--profile", "alerts", "up", "--scale", "locust-worker=3")
        how = ("--build", "--detach", "--wait", "--wait-timeout", str(UP_S))
        up = stack.compose(*services, *how, timeout_s=UP_S + 60)
        assert up.returncode == 0, up.stderr + stack.compose("logs", "--tail", "30").stdout
        stack.run()
        yield stack
    finally:
        stack.compose("--profile", "alerts", "down", "--volumes", "--timeout", "5", timeout_s=DOWN_S)


def named(case):
    return f"{case[0]['title']}: {case[1]['title']} {case[2]['refId']}"


def is_ratio_of_shares(panel, target):
    """Whether a clean run leaves it empty: a share of nothing has no ratio to another."""
    return panel["title"] == "Shares" and target["expr"].endswith("> 0)")


def test_every_service_is_up_and_healthy(stack):
    states = [json.loads(line) for line in stack.compose("ps", "--all", "--format", "json").stdout.splitlines()]
    assert {state["Health"] for state in states} == {"healthy"}
    services = [state["Service"] for state in states]
    assert {service: services.count(service) for service in services} == SERVICES


def test_every_port_is_published_on_the_loopback_address_alone(stack):
    states = [json.loads(line) for line in stack.compose("ps", "--format", "json").stdout.splitlines()]
    published = [port for state in states for port in state["Publishers"] or () if port["PublishedPort"]]
    assert {port["URL"] for port in published} == {"127.0.0.1"}


def test_the_totals_of_client_and_server_agree(stack):
    for total in ("streams finished", "chunks", "bytes"):
        assert f"✓ {total}: client" in stack.said


@pytest.mark.parametrize("built", BUILT, ids=lambda built: built["uid"])
def test_grafana_has_the_dashboard(stack, built):
    assert stack.grafana(f"/api/dashboards/uid/{built['uid']}")["dashboard"]["title"] == built["title"]


@pytest.mark.parametrize("case", TARGETS, ids=named)
def test_a_panel_has_data_during_the_run_and_never_nan(stack, case):
    dashboard, panel, target = case
    asked = stack.asked(dashboard, afterwards="_result_" in target["expr"])
    found = asked.answer(target, POINTS)
    in_words = panel["options"].get("textMode") == "name"  # one query of two has an answer
    others = [asked.answer(each, POINTS) for each in panel["targets"]] if in_words else []
    assert found or any(others) or any(name in target["expr"] for name in UNFED) or is_ratio_of_shares(panel, target)
    assert all(math.isfinite(value) for series in found for value in series.values)


@pytest.mark.parametrize("case", VARIABLES, ids=lambda case: f"{case[0]['title']}: {case[1]['name']}")
def test_a_variable_has_values(stack, case):
    asked = stack.asked(case[0], afterwards=True)
    assert options(case[1], asked.source, asked.variables)


@pytest.fixture
def page(stack, locust_page):
    return locust_page(stack.address("locust-master", 8089) + "/")


@pytest.fixture
def run(stack, page, counted, until):
    """Presses START in the form, and does ``then`` once the sample app sends chunks; the result of the run."""

    def start(then):
        known, metrics = stack.results(), stack.address("app", 9101)
        before = counted(metrics, "stream_server_chunks_total")
        page.start()
        page.wait_for_status("RUNNING")
        until(lambda: counted(metrics, "stream_server_chunks_total") > before)
        then()
        page.wait_for_status("STOPPED")
        (found,) = until(lambda: stack.results() - known)
        return stack.result(found)

    return start


def options_of_a_chat(stack):
    """Every text of the form: a chat with the sample app, which serves as the proxy to a host that is not there."""
    own = trustme.CA().issue_cert("user@example.org")
    body = {"model": "river", "messages": [{"role": "user", "content": "How high?"}], "stream": True}
    limits = {"streamFirstChunkTimeout": "7", "streamIdleTimeout": "8s", "streamTotalTimeout": "9"}
    limits |= {"streamRefusalPause": "0.5"}
    load = {"userCount": "6", "spawnRate": "100", "runTime": "5s", "profile": "chat"}
    return {
        **load,
        **limits,
        "host": "http://upstream.test",
        "streamProxy": "http://app:8000",
        "streamPath": "/v1/chat/completions?chunks=7&interval_ms=20",
        "streamMethod": "POST",
        "streamHeader": "Content-Type: application/json\nX-Probe: a, b",
        "streamBody": json.dumps(body, indent=1),
        "streamEnd": "data:[DONE]",
        "streamAccept": "text/event-stream",
        "streamReconnect": "1",
        "streamCaFile": "/etc/ssl/certs/ca-certificates.crt",
        "streamClientCert": stack.give("cert.pem", own.cert_chain_pems[0].bytes().decode()),
        "streamClientKey": stack.give("key.pem", own.private_key_pem.bytes().decode()),
    }


@pytest.mark.browser
def test_runs_start_in_the_page_as_the_form_is_shown_and_with_every_option(stack, page, run):
    page.open_form()
    users = int(page.shown("userCount"))
    result = run(lambda: page.press("Stop"))
    assert (result["run"]["host"], result["run"]["users"], result["run"]["workers"]) == ("http://app:8000", users, 3)
    assert {name for each in result["streams"] for name, times in each["outcomes"].items() if times} <= OF_A_STOPPED_RUN

    page.open_form()
    for name, text in options_of_a_chat(stack).items():
        page.type(name, text)
    for name in ("streamStamps", "streamInsecure"):
        page.tick(name)
    for name in ("Downloader", "NdjsonReader"):
        page.tab.evaluate(ROW.format(name=name) + ".querySelector('input').click()")
    result = run(lambda: None)  # its time ends it
    assert (result["run"]["host"], result["run"]["users"]) == ("http://upstream.test", 6)
    (streams,) = result["streams"]
    assert streams["name"] == "/v1/chat/completions"
    assert {name for name, times in streams["outcomes"].items() if times} == {"completed"}
    assert streams["chunks"] == (7 + 3) * streams["started"]  # role and reason to finish come around, and [DONE]
    assert streams["chunk_delay"]["count"]
    assert not result["run"].get("warnings")
    assert page.tab.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("field", "text", "words"),
    [("streamEnd", "nonsense", "--stream-end: "), ("host", "app:8000", "Host: ")],
    ids=["end", "host"],
)
def test_a_bad_value_is_explained_in_the_page_and_nothing_starts(stack, page, field, text, words):
    known = stack.results()
    page.open_form()
    page.type(field, text)
    page.start()
    said = page.alert()
    assert said.startswith(words)
    assert repr(text) in said
    with urllib.request.urlopen(stack.address("locust-master", 8089) + "/stats/requests", timeout=60) as reply:
        found = json.load(reply)
    assert (found["state"] in ("ready", "stopped"), found["user_count"]) == (True, 0)
    assert stack.results() == known
