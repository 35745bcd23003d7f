"""README's "Test a service of your own in the stack", followed word for word from a fresh clone.

What is replaced: the names of the stack's network and of the user's container, which this machine may have already, and
the port of the service on it.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
SERVICE = Path(__file__).with_name("servers") / "own_service.py"
SECTION = "### Test a service of your own in the stack"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORTS = ("APP_PORT", "APP_METRICS_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT", "LOCUST_PORT", "CLIENT_METRICS_PORT")
#: What make gives to the commands that it runs: with these, ``make load`` would take the ARGS of ``make test``.
FROM_MAKE = ("ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
#: Of .env.example, not of the section.
FURTHER = "LOCUST_WORKERS=1\nTARGET_APP_WORKERS=2\nPROMETHEUS_RETENTION=3d\n"
UP_S = 300
#: A locustfile of the reader's own, with two user classes.
MINE = """
from locust import task
from streamgauge.load import StreamUser

class First(StreamUser):
    @task
    def first(self):
        self.play("/v1/events", protocol="sse")

class Second(StreamUser):
    @task
    def second(self):
        self.client.stream("GET", "/v1/events", headers={"Authorization": "Bearer secret"}, name="second")
"""


def clone(directory):
    """What a clone of the work tree would have."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)


class Reader:
    """Somebody who does what README says."""

    def __init__(self, directory, host_port):
        self.directory = directory
        self.project = f"streamgauge-own-{secrets.token_hex(4)}"
        self.container = f"my-service-{secrets.token_hex(4)}"
        outside_make = {name: value for name, value in os.environ.items() if name not in FROM_MAKE}
        self.environment = outside_make | dict.fromkeys(PORTS, "0") | {"COMPOSE_PROJECT_NAME": self.project}
        section = (directory / "README.md").read_text().partition(SECTION)[2].partition("\n## ")[0]
        for given, here in (
            ("streamgauge_default", f"{self.project}_default"),
            ("my-service", self.container),
            (":9000", f":{host_port}"),
        ):
            assert given in section
            section = section.replace(given, here)
        self.blocks = BLOCK.findall(section)

    def do(self, command, timeout_s=120):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        return SimpleNamespace(status=done.returncode, out=done.stdout, err=done.stderr)

    def read(self, number):
        """Do what a console block says; what its last command said."""
        consoles = [text for kind, text in self.blocks if kind == "console"]
        for line in consoles[number].splitlines():
            done = self.do(line.removeprefix("$ "), UP_S)
            if "make load" not in line:
                assert done.status == 0, done.err
        return done

    def asked(self):
        """What the container was asked for."""
        ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/counts').read().decode())"
        return json.loads(self.do(f'docker exec {self.container} python -c "{ask}"').out)

    def type_into_the_form(self):
        """Start a run in the web UI, with everything different, and stop it."""
        form = {"user_count": 1, "spawn_rate": 1, "host": f"http://{self.container}:8000", "user_classes": "First"}
        address = self.do("docker compose port locust-master 8089").out.strip()
        for path, fields in (("swarm", {**form, "stream_path": "/typed", "stream_header": "X-A: b"}), ("stop", {})):
            data = urllib.parse.urlencode(fields).encode()
            with urllib.request.urlopen(f"http://{address}/{path}", data, timeout=60) as reply:
                assert json.load(reply)["success"]
            time.sleep(2)


def counts(url):
    with urllib.request.urlopen(f"{url}/counts", timeout=10) as reply:
        return json.load(reply)


def until_it_answers(url):
    for _ in range(300):
        try:
            return counts(url)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


@pytest.fixture(scope="module")
def here(free_port):
    """The service on this machine."""
    port = free_port()
    process = subprocess.Popen([sys.executable, SERVICE, str(port)])
    try:
        url = f"http://127.0.0.1:{port}"
        until_it_answers(url)
        yield SimpleNamespace(port=port, url=url)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def reader(docker, here, tmp_path_factory):
    """Somebody whose stack is up, and a container of theirs that is in no network of it."""
    directory = tmp_path_factory.mktemp("clone")
    clone(directory)
    reader = Reader(directory, here.port)
    (settings,) = (text for kind, text in reader.blocks if kind == "sh")
    (directory / ".env").write_text(settings + FURTHER)
    image = re.search(r"^PYTHON_IMAGE=(.*)$", (directory / ".env.example").read_text(), re.MULTILINE)[1]
    own = f"docker run --detach --name {reader.container} --volume {SERVICE}:/service.py:ro {image}"
    try:
        assert reader.do(f"{own} python /service.py 8000").status == 0
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refused = reader.do(f"GRAFANA_PORT={port} make up")
            left = reader.do("docker compose ps --all --quiet").out
        reader.refusal = SimpleNamespace(port=port, left=left, **vars(refused))
        reader.on_machine = reader.read(0)
        reader.asked_of_machine = counts(here.url)
        reader.in_container = reader.read(1)
        reader.asked_of_container = reader.asked()
        (directory / "loadtests" / "mine.py").write_text(MINE)
        reader.second_up = reader.do("LOCUSTFILE=loadtests/mine.py make up", UP_S)
        reader.type_into_the_form()
        reader.after_the_form = reader.do("make load USERS=4 DURATION=4 ARGS=Second")
        yield reader
    finally:
        reader.do(f"docker rm --force {reader.container}; docker compose down --volumes --timeout 5", UP_S)


def passed(load):
    """It has, or this machine was too busy to tell: that is an error, and make's own status for any is 2."""
    return load.status == (2 if "invalid, not judged" in load.out else 0)


def test_a_taken_port_is_named_with_its_variable_and_nothing_is_started(reader):
    refused = reader.refusal
    assert refused.status == 2
    assert f"Port {refused.port} is taken. Free it, or set GRAFANA_PORT to another port" in refused.err
    assert refused.left == ""


def test_a_service_on_this_machine_gets_the_streams(reader, here):
    assert passed(reader.on_machine), reader.on_machine.out + reader.on_machine.err
    assert "/v1/events" in reader.on_machine.out
    asked = reader.asked_of_machine
    assert set(asked) == {"200 /v1/events"}
    result = results(reader)[0]
    assert result["run"]["host"] == f"http://host.docker.internal:{here.port}"
    (streams,) = result["streams"]
    assert streams["outcomes"] == {"completed": asked["200 /v1/events"]}


def test_a_service_in_a_container_gets_the_streams(reader):
    assert passed(reader.in_container), reader.in_container.out + reader.in_container.err
    assert f"http://{reader.container}:8000" in reader.in_container.err
    assert set(reader.asked_of_container) == {"200 /v1/events"}


def test_a_locustfile_of_ones_own_needs_no_image_and_a_run_can_choose_of_its_users(reader):
    assert reader.second_up.status == 0, reader.second_up.err
    assert passed(reader.after_the_form), reader.after_the_form.out + reader.after_the_form.err
    (streams,) = results(reader)[2]["streams"]
    assert streams["name"] == "second"


def test_a_run_has_nothing_of_what_was_typed_into_the_web_form(reader, here):
    assert results(reader)[2]["run"]["host"] == f"http://host.docker.internal:{here.port}"
    assert "/typed" in " ".join(reader.asked())
    assert "/typed" not in " ".join(counts(here.url))


def test_each_run_leaves_its_report_on_the_users_side(reader):
    for load in (reader.on_machine, reader.in_container):
        (report,) = re.findall(r"results/\S+/report\.html", load.out)
        assert (reader.directory / report).stat().st_size > 10_000
    assert results(reader)


def results(reader):
    return [json.loads(path.read_text()) for path in sorted(reader.directory.glob("results/*/result.json"))]


def test_a_path_that_is_not_there_is_said_to_be_the_reason(reader):
    load = reader.do('make load USERS=2 DURATION=2 ARGS="--stream-path /nowhere First"')
    verdict = results(reader)[-1]["verdict"]
    assert verdict["exit_code"] == (3 if verdict["trust"] == "invalid" else 1)
    assert load.status == 2
    assert f"load] Error {verdict['exit_code']}" in load.err
    assert "every stream got a 404" in load.err
    assert "http_error" in load.out


def test_a_wrong_value_starts_no_run(reader):
    before = len(results(reader))
    load = reader.do('make load USERS=2 DURATION=2 ARGS="--idle-timeout soon"')
    assert load.status == 2
    words = "expected a duration such as 30s, from 0 (no limit) to 1e+09 s, got 'soon'"
    assert f"make load: error: argument --stream-idle-timeout/--idle-timeout: {words}" in load.err
    assert len(results(reader)) == before


def test_what_the_file_sets_has_its_effect(reader):
    services = reader.do("docker compose ps --format '{{.Service}}'").out.split()
    assert services.count("locust-worker") == 1
    (listening,) = re.findall(r'\{"event": "listening".*\}', reader.do("docker compose logs --no-log-prefix app").out)
    assert len(json.loads(listening)["workers"]) == 2
    address = reader.do("docker compose port prometheus 9090").out.strip()
    with urllib.request.urlopen(f"http://{address}/api/v1/status/flags", timeout=10) as reply:
        assert json.load(reply)["data"]["storage.tsdb.retention.time"] == "3d"
