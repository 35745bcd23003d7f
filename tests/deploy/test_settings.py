"""Every variable of .env.example and docker-compose.yml: it has an effect, and Locust's options reach all of Locust."""

import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

from benchmarks.testbed.server import ROOT

pytestmark = pytest.mark.docker
#: The stack's own, which the user has no reason to set.
SET_BY_THE_STACK = {"LOCUST_STREAM_METRICS_HOST", "LOCUST_STREAM_METRICS_PORT", "LOCUST_STREAM_RESULT_DIR"}
EXAMPLE = dict(re.findall(r"^(?:# ?)?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
DEFAULTS = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
USED = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
OPTIONS = """
import json, streamgauge.load.chat
from locust.argument_parser import default_args_dict, get_parser
own = default_args_dict()
print(json.dumps([each.env_var for each in get_parser()._actions if each.dest not in own and each.env_var]))
"""


@cache
def configuration(*options, file=None, **variables):
    """What Compose makes of docker-compose.yml, and perhaps of a file such as .env, as text."""
    known = {
        name: value for name, value in os.environ.items() if name not in EXAMPLE and not name.startswith("LOCUST_")
    }
    options = options or ("--profile", "alerts")
    # the folder may have an .env of its user's
    command = ["docker", "compose", *options, "--env-file", file or os.devnull, "config", "--format", "json"]
    done = subprocess.run(
        command, cwd=ROOT, env=known | variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def locust(**variables):
    """The environments and the commands of Locust's master and workers."""
    services = json.loads(configuration(**variables))["services"]
    return [services[name] for name in ("locust-master", "locust-worker")]


def services(*options, **more):
    return json.loads(configuration(*options, **more))["services"]


def test_a_copy_of_the_example_changes_nothing(docker):
    assert configuration(file=ROOT / ".env.example") == configuration()


def test_every_line_of_the_example_has_its_effect_in_the_file(docker, tmp_path):
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}=7\n" for name in EXAMPLE))
    assert configuration(file=file) == configuration(**dict.fromkeys(EXAMPLE, "7"))


def test_alertmanager_is_there_for_those_who_ask_for_alerts(docker):
    assert set(services()) - set(services("--profile", "none")) == {"alertmanager"}


def test_grafana_lets_nobody_be_more_than_a_viewer(docker):
    settings = services()["grafana"]["environment"]
    rights = {
        name: value for name, value in settings.items() if name.startswith(("GF_AUTH", "GF_USERS", "GF_SECURITY"))
    }
    assert rights == {
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "GF_AUTH_DISABLE_LOGIN_FORM": "true",
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
        "GF_USERS_VIEWERS_CAN_EDIT": "true",  # in a panel, without saving
    }


def test_every_port_is_published_on_the_loopback_address_alone(docker):
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    assert len(ports) == len({name for name in EXAMPLE if name.endswith("_PORT")})


def test_the_stack_needs_no_folder_that_a_clone_lacks(docker):
    mounts = [mount for service in services().values() for mount in service.get("volumes", ())]
    bound = {mount["source"] for mount in mounts if mount["type"] == "bind"}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for folder in bound:
        assert any((ROOT / name).is_relative_to(folder) for name in tracked), folder


def test_the_number_of_workers_is_the_services_scale_and_what_the_master_expects(docker):
    found = services(LOCUST_WORKERS="5")
    assert found["locust-worker"]["deploy"]["replicas"] == 5
    assert "--expect-workers=5" in found["locust-master"]["command"]
    # --scale sets it too, where neither a name nor a port would be there twice
    assert not {"ports", "container_name"} & set(found["locust-worker"])


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
