"""``streamgauge options``: the help of Locust with our options and those of a scenario."""

import subprocess
import sys

SCENARIO = """
from streamgauge.load import Option, StreamUser, declare_options
declare_options("Lift", Option("--lift-floors", "N", int, "How many floors", default="3"))
{more}
"""


def options(*arguments):
    code = "import sys; sys.argv[0] = 'streamgauge'; from streamgauge.cli import main; main()"
    command = [sys.executable, "-c", code, "options", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def test_the_options_of_locust_streamgauge_and_the_scenario_stand_under_their_headings(tmp_path):
    (tmp_path / "lift.py").write_text(SCENARIO.format(more=""))
    lines = options(tmp_path / "lift.py").stdout.splitlines()
    at = [lines.index(each) for each in ("Common options:", "Lift:", "Request:", "Client metrics:")]
    assert at == sorted(at)
    assert lines[at[1] + 1].split() == ["--lift-floors", "N", "How", "many", "floors;", "default", "3"]
    assert lines[at[2] + 1].split()[:2] == ["--stream-path", "PATH"]


def test_without_a_locustfile_it_shows_those_of_all_scenarios():
    shown = options().stdout
    assert "\nRequest:\n" in shown
    assert "--lift-floors" not in shown


def test_a_locustfile_that_cannot_be_loaded_is_named(tmp_path):
    (tmp_path / "broken.py").write_text(
        SCENARIO.format(more="declare_options('Stairs', Option('--stream-x', 'N', int, 'x'))")
    )
    done = options(tmp_path / "broken.py")
    assert done.returncode == 2
    assert "broken.py': ValueError: expected a flag such as --my-scenario-rate, not below --stream-, got" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_flag_under_two_headings_is_refused(tmp_path):
    (tmp_path / "broken.py").write_text(
        SCENARIO.format(more="declare_options('Stairs', Option('--lift-floors', 'N', int, 'x'))")
    )
    assert "ValueError: --lift-floors: already declared under 'Lift'" in options(tmp_path / "broken.py").stderr
