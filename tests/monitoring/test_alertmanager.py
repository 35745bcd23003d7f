"""Who hears of what, asked of a real Alertmanager with the stack's configuration: receivers and inhibition."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml

from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "monitoring" / "alertmanager" / "alertmanager.yml"
DEADLINE_S = 60.0
# Debian's build reads its message templates from a folder of its package. Where that is not installed, it gets empty
# ones in a mount namespace of its own: no receiver here sends a message.
WITHOUT_TEMPLATES = (
    "mount -t tmpfs none /usr/share && mkdir -p /usr/share/prometheus/alertmanager"
    " && touch /usr/share/prometheus/alertmanager/default.tmpl /usr/share/prometheus/alertmanager/email.tmpl"
    ' && exec "$@"'
)
DOWN = {"alertname": "StreamAppDown", "severity": "page", "side": "server", "job": "app"}
LAG = {"alertname": "EventLoopLag", "severity": "ticket", "side": "server", "job": "app"}
READERS = {"alertname": "SlowReaders", "severity": "info", "side": "server", "job": "app"}
CUT = {"alertname": "ClientStreamsTruncated", "severity": "ticket", "side": "client", "job": "load"}
STALLED = CUT | {"alertname": "ClientStreamsStalled", "about": "latency"}
UNTRUSTED = {"alertname": "GeneratorNotTrusted", "severity": "info", "side": "client", "job": "load"}
BURN = {"alertname": "StreamSuccessBudgetBurn", "side": "server", "job": "app", "objective": "success"}
FAST, SLOW = BURN | {"severity": "page", "window": "1h"}, BURN | {"severity": "ticket", "window": "3d"}
SLOW_CHUNKS = SLOW | {"alertname": "StreamChunkIntervalBudgetBurn", "objective": "chunk_interval"}

BURNING = "StreamSuccessBudgetBurn page"


class Alertmanager:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/api/v2"

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=DEADLINE_S) as reply:
            return json.load(reply)

    def ready(self):
        try:
            return bool(self.get("/status"))
        except OSError:
            return False

    def receivers(self, *alerts):
        """Each alert's receivers, where it is not held back. The alerts are of this question alone."""
        mark = f"question {time.monotonic_ns()}"
        # Comes last, and of a job of its own: once one of these holds back the other, all the others are taken in.
        witnesses = [SLOW | {"job": mark}, FAST | {"job": mark}]
        labels = [{**alert, "question": mark} for alert in (*alerts, *witnesses)]
        self._post([{"labels": each} for each in labels])
        found = wait_until(lambda: self._taken_in(mark, len(labels)))
        self._post([{"labels": each, "endsAt": "2020-01-01T00:00:00Z"} for each in labels])
        return {
            f"{each['labels']['alertname']} {each['labels']['severity']}": [one["name"] for one in each["receivers"]]
            for each in found
            if each["status"]["state"] == "active" and each["labels"]["job"] != mark
        }

    def _taken_in(self, mark, count):
        query = urllib.parse.urlencode({"filter": f'question="{mark}"'})
        found = self.get(f"/alerts?{query}")
        held_back = [each["labels"]["job"] for each in found if each["status"]["state"] == "suppressed"]
        return found if len(found) == count and mark in held_back else None

    def _post(self, alerts):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/alerts", json.dumps(alerts).encode(), headers)
        urllib.request.urlopen(request, timeout=DEADLINE_S).close()


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory, program, free_port):
    found = program("alertmanager")
    folder, port = tmp_path_factory.mktemp("alertmanager"), free_port()
    command = [
        found,
        f"--config.file={CONFIGURATION}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    help_text = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    debian = "debian" in help_text.stdout + help_text.stderr
    if debian and not Path("/usr/share/prometheus/alertmanager/default.tmpl").exists():
        command = ["unshare", "--mount", "--map-root-user", "sh", "-c", WITHOUT_TEMPLATES, "sh", *command]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            running = Alertmanager(port)
            wait_until(lambda: running.ready() or process.poll() is not None)
            assert process.poll() is None, (folder / "log").read_text()
            yield running
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("alert", "receiver"),
    [(DOWN, "page"), (LAG, "ticket"), (READERS, "info"), (LAG | {"severity": "unheard-of"}, "ticket")],
    ids=["page", "ticket", "info", "unknown"],
)
def test_an_alert_goes_to_the_receiver_of_its_severity(alertmanager, alert, receiver):
    assert list(alertmanager.receivers(alert).values()) == [[receiver]]


@pytest.mark.parametrize(
    ("alerts", "heard"),
    [
        ((DOWN, LAG, READERS, FAST), {"StreamAppDown page"}),
        ((DOWN, CUT), {"StreamAppDown page"}),
        ((DOWN, LAG | {"job": "other"}), {"StreamAppDown page", "EventLoopLag ticket"}),
        ((FAST, SLOW, SLOW_CHUNKS), {"StreamSuccessBudgetBurn page", "StreamChunkIntervalBudgetBurn ticket"}),
        ((FAST, SLOW | {"job": "other"}), {"StreamSuccessBudgetBurn page", "StreamSuccessBudgetBurn ticket"}),
        ((UNTRUSTED, STALLED), {"GeneratorNotTrusted info"}),
        ((UNTRUSTED, CUT), {"GeneratorNotTrusted info", "ClientStreamsTruncated ticket"}),
        ((UNTRUSTED | {"job": "app"}, LAG, FAST), {"GeneratorNotTrusted info", "EventLoopLag ticket", BURNING}),
        ((UNTRUSTED, STALLED | {"job": "other"}), {"GeneratorNotTrusted info", "ClientStreamsStalled ticket"}),
        ((LAG, READERS, CUT), {"EventLoopLag ticket", "SlowReaders info", "ClientStreamsTruncated ticket"}),
    ],
    ids=[
        "an app that is down explains its streams",
        "an app that is down explains its load test",
        "another app has its own causes",
        "a fast burn holds back the slow one of its objective",
        "but no other job's",
        "a generator that is not trusted may have made the delays that it reports",
        "but not the streams that were cut short",
        "nor what the server says, whatever its job is",
        "nor another generator's delays",
        "causes hold nothing back",
    ],
)
def test_what_an_alert_explains_is_held_back(alertmanager, alerts, heard):
    assert set(alertmanager.receivers(*alerts)) == heard


def test_every_severity_has_a_receiver_of_its_name():
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    routed = {route["matchers"][0]: route["receiver"] for route in configuration["route"]["routes"]}
    assert routed == {f'severity="{name}"': name for name in ("page", "ticket", "info")}


def test_prometheus_finds_the_alertmanager_of_the_stack():
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["alertmanager"]
    scraped = yaml.safe_load((ROOT / "monitoring" / "prometheus" / "prometheus.yml").read_text())
    (found,) = scraped["alerting"]["alertmanagers"][0]["dns_sd_configs"]
    assert found["names"] == ["alertmanager"]
    assert service["ports"] == [f"127.0.0.1:${{ALERTMANAGER_PORT:-{found['port']}}}:{found['port']}"]
    assert service["profiles"] == ["alerts"]
    assert f"./{CONFIGURATION.parent.relative_to(ROOT)}:/etc/alertmanager:ro" in service["volumes"]
