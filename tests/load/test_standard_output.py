"""Standard output: streamgauge's table and verdict, or Locust's JSON alone if the user asks for it."""

import json
import subprocess

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.runner.load_plan import environment_without_locust, locust_command


@pytest.fixture
def printed(source):
    """Runs Locust; returns its standard output and its standard error."""

    def run(*options):
        load = ("--headless", "-u", 2, "-t", "1s", "-H", source.url, "--metrics-port", "off")
        stream = ("--stream-path", "/sse?chunks=3&interval_ms=20")
        command = locust_command("loadtests/sse.py", *load, *stream, *options)
        done = subprocess.run(
            [*map(str, command)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment_without_locust({}),
            timeout=90,
        )
        return done.stdout, done.stderr

    return run


@pytest.mark.parametrize("more", [(), ("--print-stats",), ("--only-summary",)])
def test_json_has_standard_output_to_itself(printed, more):
    out, err = printed("--json", *more)
    assert {each["name"] for each in json.loads(out)} == {"/sse"}
    assert "per s" in err
    assert "None of " in err


def test_otherwise_the_table_and_the_verdict_are_on_standard_output(printed, tmp_path):
    out, err = printed("--json-file", tmp_path / "stats", "--csv", tmp_path / "csv")
    assert json.loads((tmp_path / "stats.json").read_text())
    assert out.lstrip().startswith("TTFC")
    assert "None of " in out
    assert "None of " not in err
