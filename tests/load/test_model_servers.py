"""What model servers send, in real runs whose protocol an option names: results, records and Locust's tables."""

import json
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.model_servers.completions import COMPLETIONS
from tests.model_servers.others import OTHERS
from tests.model_servers.server import serving
from tests.model_servers.truth import check_figures, check_times, in_one_of_some_plays

pytestmark = pytest.mark.timeout(600)

SCRIPTS = COMPLETIONS | OTHERS
SCENARIO = """
import dataclasses
import json
import urllib.parse

import gevent
from locust import task
from locust.exception import StopUser
from streamgauge.load import StreamUser

class Asker(StreamUser):
    @task
    def ask(self):
        for name in {names!r}:
            record = self.play("/" + urllib.parse.quote(name), method="POST", name=name, json={{"stream": True}})
            print("record " + json.dumps([name, dataclasses.asdict(record)]), flush=True)
        gevent.spawn(self.environment.runner.quit)
        raise StopUser
"""
PROTOCOLS = {
    protocol: [name for name, script in SCRIPTS.items() if script.protocol == protocol]
    for protocol in ("openai", "openai-responses", "anthropic", "gemini", "ollama")
}
PROTOCOLS["auto"] = [name for name, script in SCRIPTS.items() if script.found]


@pytest.fixture(scope="module")
def server():
    with serving(SCRIPTS) as server:
        yield server


@pytest.fixture
def run(start, server, tmp_path):
    """Plays scripts in a run of one user; returns the run and its records by name."""

    def play(protocol, names, *options):
        locustfile = tmp_path / "scenario.py"
        locustfile.write_text(SCENARIO.format(names=names))
        more = {"locustfile": locustfile, "result_dir": Path(mkdtemp(dir=tmp_path))}
        options = ("--stream-protocol", protocol, "--json-file", tmp_path / "locust", *options)
        done = start.headless(server.url, *options, users=1, run_time="240s", **more).wait(280)
        lines = [line.partition("record ")[2] for line in done.output.splitlines() if line.startswith("record ")]
        return done, dict(map(json.loads, lines))

    return play


@in_one_of_some_plays
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_run_has_the_figures_of_its_scripts(run, server, locust_stats, tmp_path, protocol):
    names = PROTOCOLS[protocol]
    done, records = run(protocol, names)
    assert list(records) == names, done.output
    streams = {each["name"]: each for each in done.result["streams"]}
    for name in names:
        script, record, found = SCRIPTS[name], records[name], streams[name]
        check_figures(script, record)
        check_times(script, record, server.played[name])
        counts = (found["protocol"], found["outcomes"], found["chunks"], found["tokens"])
        assert counts == (script.protocol, {script.outcome: 1}, script.chunks, script.tokens)
        if script.between and script.outcome == "completed":
            assert found["time_per_output_token"]["count"] == 1
    kinds = {name: each["method"] for name, each in locust_stats(tmp_path / "locust").items()}
    assert kinds == {name: SCRIPTS[name].protocol.upper() for name in names}
    failed = any(SCRIPTS[name].outcome != "completed" for name in names)
    assert done.status == (3 if done.result["verdict"]["trust"] == "invalid" else int(failed)), done.output


def test_the_usage_is_asked_for_where_the_option_says_so(run, server):
    name = "vLLM"
    run("openai", [name], "--stream-include-usage")
    assert json.loads(server.bodies[name]) == {"stream": True, "stream_options": {"include_usage": True}}
