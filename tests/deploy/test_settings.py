"""Every variable of .env.example and docker-compose.yml: it has an effect, and Locust's options reach all of Locust."""

import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

from benchmarks.server import ROOT

pytestmark = pytest.mark.docker
#: The stack's own, which the user has no reason to set.
SET_BY_THE_STACK = {"LOCUST_METRICS_HOST", "LOCUST_METRICS_PORT", "LOCUST_RESULT_DIR"}
EXAMPLE = dict(re.findall(r"^(?:# ?)?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
DEFAULTS = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
USED = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
OPTIONS = """
import json, streamgauge.load
from locust.argument_parser import default_args_dict, get_parser
own = default_args_dict()
print(json.dumps([each.env_var for each in get_parser()._actions if each.dest not in own and each.env_var]))
"""


@cache
def configuration(**variables):
    """What Compose makes of docker-compose.yml, as text."""
    known = {
        name: value for name, value in os.environ.items() if name not in EXAMPLE and not name.startswith("LOCUST_")
    }
    command = ["docker", "compose", "--profile", "alerts", "config", "--format", "json"]
    done = subprocess.run(
        command, cwd=ROOT, env=known | variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def locust(**variables):
    """The environments and the commands of Locust's master and workers."""
    services = json.loads(configuration(**variables))["services"]
    return [services[name] for name in ("locust-master", "locust-worker")]


@pytest.mark.parametrize("name", EXAMPLE)
def test_a_variable_has_an_effect(docker, name):
    assert configuration(**{name: "7"}) != configuration()


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_example_says_the_default(docker, name):
    assert configuration(**{name: DEFAULTS[name]}) == configuration()


def test_the_example_names_every_variable():
    assert USED - set(EXAMPLE) == set()


def test_every_option_of_ours_reaches_master_and_workers(docker):
    found = subprocess.run([sys.executable, "-c", OPTIONS], capture_output=True, text=True, check=True)
    options = set(json.loads(found.stdout)) - SET_BY_THE_STACK
    assert options <= set(EXAMPLE)
    for service in locust(**dict.fromkeys(options, "7")):
        assert {name for name, value in service["environment"].items() if value == "7"} >= options


def test_arguments_reach_master_and_workers_as_a_shell_would_split_them(docker):
    for service in locust(LOCUST_ARGS="--stream-header 'A: b c' --loglevel DEBUG"):
        assert service["command"][-4:] == ["--stream-header", "A: b c", "--loglevel", "DEBUG"]


def test_an_option_that_is_not_set_is_not_there(docker):
    for service in locust():
        assert service["environment"]["LOCUST_STREAM_PATH"] is None
