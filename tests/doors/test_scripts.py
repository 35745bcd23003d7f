"""The scripts of deploy/ and .ci/ on a wrong word, on a machine that lacks something, and where a step fails."""

import re
import socket
import subprocess

import pytest

from tests.doors.conftest import ROOT

SCRIPTS = [".ci/run", *(f"deploy/{each.name}" for each in (ROOT / "deploy").iterdir() if each.is_file())]
SHELL = [each for each in SCRIPTS if not each.endswith(".py")]
MACHINE = ("prometheus", "chromium", "docker", "images")
CONFIG = 'case "$*" in *config*) printf "target: 3000\\npublished: \\"%s\\"\\n" "$PORT";; esac\n'


@pytest.mark.parametrize("script", SHELL)
def test_a_script_can_be_read_and_started(script):
    assert subprocess.run(["bash", "-n", ROOT / script], check=False).returncode == 0
    assert (ROOT / script).stat().st_mode & 0o111


@pytest.mark.parametrize("needed", ["compose version", "info"])
def test_up_says_what_it_needs(tree, needed):
    tree.stub("docker", f'[ "$*" != "{needed}" ]\n')
    done = tree.make("up")
    assert done.status == 2
    assert "needs a running Docker Engine with Compose v2" in done.err
    assert not [call for call in tree.calls() if "[up]" in call]
    assert "Next:" not in done.out


def test_up_names_a_taken_port_and_starts_nothing(tree):
    tree.stub("docker", CONFIG)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = tree.do("deploy/up", PORT=port)
    assert done.status == 2
    assert (
        done.err
        == f"Port {port} is taken. Free it, or set GRAFANA_PORT to another port; GRAFANA_PORT=0 takes any free one\n"
    )
    assert not [call for call in tree.calls() if "[up]" in call]


def test_up_takes_back_what_did_not_start_and_has_its_status(tree):
    tree.stub("docker", 'case "$*" in *"up --build"*) echo no such image >&2; exit 17;; esac\n')
    done = tree.do("deploy/up")
    assert done.status == 17
    assert "no such image" in done.err
    assert done.err.endswith("The stack did not start; nothing of it is left running\n")
    assert tree.calls()[-1] == "docker [compose] [--profile] [alerts] [down] [--remove-orphans]"


def test_up_leaves_a_stack_alone_that_was_up_before(tree):
    tree.stub("docker", 'case "$*" in *"ps --quiet"*) echo id;; *"up --build"*) exit 1;; esac\n')
    assert tree.do("deploy/up").status == 1
    assert not [call for call in tree.calls() if "[down]" in call]


def test_load_without_a_stack_says_how_to_start_one(tree):
    tree.stub("docker")
    done = tree.do("deploy/load", "--users", "3")
    assert (done.status, done.err) == (2, "The stack is not up. Try: make up\n")
    assert not [call for call in tree.calls() if "[exec]" in call]


@pytest.mark.parametrize("status", [0, 1, 2, 3, 130])
def test_load_has_the_verdicts_status_and_brings_the_result(tree, status):
    stub = 'case "$*" in *"ps --quiet"*) echo id;; *load.py*) exit $STATUS;; *" cat "*) echo a-run;; esac\n'
    tree.stub("docker", stub)
    assert tree.do("deploy/load", "--users", "3", STATUS=str(status)).status == status
    copied = "docker [compose] [cp] [locust-master:/home/streamgauge/results/a-run] [results]"
    assert tree.calls()[-1] == copied
    assert (tree.directory / "results").is_dir()


def test_load_says_where_a_result_is_that_could_not_be_copied(tree):
    tree.stub("docker", 'case "$*" in *"ps --quiet"*) echo id;; *" cat "*) echo a-run;; *" cp "*) exit 1;; esac\n')
    done = tree.do("deploy/load")
    assert done.status == 0
    assert done.err == ("The result could not be copied to results/a-run; it is in the volume 'results' of the stack\n")


def test_lock_without_uv_names_it(tree):
    done = tree.do("deploy/lock", PATH="/usr/bin:/bin")
    assert done.status == 127
    assert "uv" in done.err
    assert (tree.directory / "requirements" / "app.txt").read_bytes() == (ROOT / "requirements/app.txt").read_bytes()


@pytest.fixture
def ci(tree):
    """Runs CI's script, whose steps are stubs; $FAILS is in the call of the one that fails."""
    machine = tree.directory.parent / "shared" / "machine"
    machine.mkdir(parents=True)
    fails = '[[ -z "$FAILS" || "$*" != *"$FAILS"* ]]\n'
    for name in MACHINE:
        tree.stub(name, fails, folder=machine)
    tree.stub("make", fails)
    return lambda fails="": tree.do(".ci/run", FAILS=fails)


def test_ci_brings_the_images_and_runs_every_check_and_test(ci, tree):
    assert ci().status == 0
    calls = tree.calls()
    assert [call.split()[0] for call in calls[:4]] == list(MACHINE)
    images = re.findall(r"^[A-Z]+_IMAGE=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert set(re.findall(r"\[(.*?)\]", calls[3])) == set(images)
    assert calls[4:] == ["make [check]", "make [test]"]


@pytest.mark.parametrize("step", ["check", "test"])
def test_ci_fails_where_a_step_does(ci, step):
    assert ci(step).status != 0
