"""Options of a locustfile's own that have the names of ours: the short names are theirs, the full ones are not."""

import json

import pytest

IMPORT, OWN = (
    "from streamgauge.load import StreamUser",
    """
@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--idle-timeout", type=int, default=5, env_var="LOCUST_IDLE_TIMEOUT", help="of my own")
    parser.add_argument("--insecure", dest="mine", action="store_true")
    parser.add_argument_group("mine").add_argument("--metrics-port", default="")
""",
)
SCENARIO = """
import json, os
from locust import events, task
from locust.exception import StopUser
{first}
{second}

@events.init.add_listener
def tell(environment, **_):
    found = environment.parsed_options
    names = ("idle_timeout", "mine", "metrics_port", "stream_idle_timeout", "stream_insecure", "stream_metrics_port")
    print("PARSED", json.dumps([getattr(found, name) for name in names]), flush=True)

class Asker(StreamUser):
    @task
    def ask(self):
        print("USED", self.options.limits, self.options.network.tls.insecure, flush=True)
        raise StopUser
"""


@pytest.fixture(params=[(IMPORT, OWN), (OWN, IMPORT)], ids=["ours first", "theirs first"])
def locustfile(request, tmp_path):
    first, second = request.param
    path = tmp_path / "scenario.py"
    path.write_text(SCENARIO.format(first=first, second=second))
    return path


@pytest.fixture
def parsed(run_locust, locustfile):
    """What Locust parses of options and variables, and what a user gets of it."""

    def ended(*options, **variables):
        load = ("--headless", "-t", "1s", "-H", "http://127.0.0.1:9", "--stream-metrics-port", "off")
        run = run_locust(locustfile, *load, *options, variables=variables)
        assert "PARSED" in run.output, run.output
        line = run.output.partition("PARSED ")[2].partition("\n")[0]
        return json.loads(line), run.output.partition("USED ")[2].partition("\n")[0]

    return ended


def test_a_short_name_is_theirs_and_the_full_one_still_ours(parsed):
    found, used = parsed("--idle-timeout", 7, "--insecure", "--metrics-port", 1, "--stream-idle-timeout", 8)
    assert found == [7, True, "1", "8", False, "off"]
    assert used == "{'idle_timeout_s': 8.0} False"


def test_so_is_a_variable(parsed):
    found, used = parsed(LOCUST_IDLE_TIMEOUT="7", LOCUST_STREAM_INSECURE="true")
    assert found == [7, False, "", "", True, "off"]
    assert used == "{} True"


def test_a_full_name_that_is_taken_is_refused_in_words(run_locust, tmp_path):
    path = tmp_path / "scenario.py"
    path.write_text(f"from locust import events\n{IMPORT}\n{OWN.replace('--idle-timeout', '--stream-end')}")
    run = run_locust(path, "--headless", "-t", "1s")
    assert run.status == 2
    assert "error: --stream-end: this is an option of streamgauge; rename that of the locustfile" in run.output
    assert "Traceback" not in run.output
