"""A demo with Locust's web UI: further runs are started there, until Ctrl-C ends everything."""

import json
import urllib.parse
import urllib.request

import pytest

from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(600)


def _play_twice(playing, directory):
    """The demo's own run, and one that is started in the web UI."""
    with playing(directory, "--users", "2", "--run-time", "2s", "--web") as demo:
        demo.wait_for("stays open at ")
        address = demo.errors.read_text().partition("stays open at ")[2].partition(";")[0]
        app = demo.errors.read_text().partition("sample app ")[2].partition(",")[0]
        form = {"user_count": "3", "spawn_rate": "3", "run_time": "2s", "host": app}
        with urllib.request.urlopen(f"{address}/swarm", urllib.parse.urlencode(form).encode(), timeout=60) as answer:
            assert json.load(answer)["success"]
        wait_until(lambda: demo.output.read_text().count("server's view ") == 2 or demo.process.poll() is not None)
        demo.then = demo.family()
        demo.interrupt()
    return demo


PLAYS = {"twice": _play_twice}


@pytest.fixture
def twice(played):
    return played("twice")


def test_each_run_has_its_table_and_its_files(twice):
    runs = sorted(twice.results.glob("*Z-*"))
    assert len(runs) == 2, twice.errors.read_text()
    users = [json.loads((run / "result.json").read_text())["run"]["users"] for run in runs]
    assert users == [2, 3]
    output = twice.output.read_text()
    for run in runs:
        assert f"results/{run.name}/report.html" in output
        agreement = json.loads((run / "server.json").read_text())["agreement"]
        assert all(line["equal"] and line["client"] for line in agreement if not line["name"]), agreement
    assert output.count("server's own view") == 2


def test_it_says_what_is_open_and_what_has_ended(twice):
    said = twice.errors.read_text()
    assert "The sample app stays at http://127.0.0.1:" in said
    assert said.rstrip().endswith("Locust's web UI and the sample app have ended.")


def test_ctrl_c_leaves_no_process(twice):
    assert len(twice.then) == 2
    first = min(twice.results.glob("*Z-*"))
    busy = json.loads((first / "result.json").read_text())["verdict"]["trust"] == "invalid"
    assert twice.process.returncode == (3 if busy else 0)
    assert not twice.survivors()
