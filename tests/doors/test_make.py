"""Every target of the Makefile, run in a copy of the tree.

What a target starts is real where it takes a second; else it is a stub that says how it was called, and some other test
starts the real one (``up`` and ``load``: tests/e2e/test_own_service.py; ``demo``: tests/e2e/test_demo.py).
"""

import os
import re

import pytest

from tests.doors.conftest import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {name for line in re.findall(r"^([a-z -]+):(?!=)", MAKEFILE, re.MULTILINE) for name in line.split()}
CHECKS = ("ruff format --check .", "ruff check .", "mypy", "lint-imports", "python -m monitoring.build --check")
PROGRAMS = ("ruff", "mypy", "lint-imports", "python", "streamgauge")
#: Does what `python -m venv` and pip do, as far as make can tell; $FAILS names the step that fails.
INTERPRETER = """
case "$*" in
  "deploy/check_python.py") [ "$FAILS" != check ] ;;
  "-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *) [ "$FAILS" != pip ] ;;
esac
"""


def said(command):
    """A command as a stub notes it."""
    return re.sub(r" (\S+)", r" [\1]", command)


def noted(command):
    return said(command) if " " in command else f"{command} []"


def test_help_names_every_target_with_what_it_does(tree):
    done = tree.make()
    assert done.status == 0
    lines = dict(re.findall(r"^  make ([\w-]+) +(\S.*)$", done.out, re.MULTILINE))
    assert set(lines) | {"dashboards"} == TARGETS
    assert done.out == tree.make("help").out


def test_no_phony_target_is_without_a_rule():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert set(phony.split()) == TARGETS


def test_install_takes_the_pinned_dependencies_and_does_so_once(tree):
    python = tree.stub("interpreter", INTERPRETER)
    assert tree.make("install", f"PYTHON={python}").status == 0
    check, venv, pinned, ours = tree.calls()
    assert (check, venv) == ("interpreter [deploy/check_python.py]", "interpreter [-m] [venv] [--clear] [.venv]")
    assert "[--require-hashes] [-r] [requirements/dev.txt]" in pinned
    assert "[--no-deps] [--no-build-isolation] [-e] [.]" in ours
    assert tree.make("install", f"PYTHON={python}").status == 0
    assert tree.calls() == []


@pytest.mark.parametrize("changed", ["requirements/dev.txt", "pyproject.toml"])
def test_install_follows_a_change_of_what_is_needed(tree, changed):
    python = tree.stub("interpreter", INTERPRETER)
    tree.make("install", f"PYTHON={python}")
    for age, name in ((1, "requirements/dev.txt"), (1, "pyproject.toml"), (2, ".venv/.installed"), (3, changed)):
        os.utime(tree.directory / name, (age * 1e8, age * 1e8))
    tree.calls()
    assert tree.make("install", f"PYTHON={python}").status == 0
    assert len(tree.calls()) == 4
    assert tree.make("install", f"PYTHON={python}").status == 0
    assert tree.calls() == []


@pytest.mark.parametrize("step", ["check", "pip"])
def test_an_installation_that_failed_is_tried_again(tree, step):
    python = tree.stub("interpreter", INTERPRETER)
    assert tree.make("install", f"PYTHON={python}", FAILS=step).status == 2
    tree.calls()
    assert tree.make("install", f"PYTHON={python}").status == 0
    assert len(tree.calls()) == 4


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("demo", "streamgauge [demo] [--users] [3]"),
        ("test", "python [-m] [pytest] [--users] [3]"),
        ("test-fast", "python [-m] [pytest] [--users] [3] [-m] [not slow]"),
        ("mutants", "python [tools/mutants.py] [--users] [3]"),
        ("bench", "python [-m] [benchmarks] [--users] [3]"),
    ],
)
def test_a_target_passes_its_arguments_on(tree, target, expected):
    tree.install(PROGRAMS)
    assert tree.make(target, "ARGS=--users 3").status == 0
    assert tree.calls() == [expected]


def test_check_runs_every_check(tree):
    tree.install(PROGRAMS)
    assert tree.make("check").status == 0
    assert tree.calls() == [noted(each) for each in CHECKS]


@pytest.mark.parametrize("number", range(len(CHECKS)), ids=CHECKS)
def test_check_fails_where_one_check_does(tree, number):
    tree.install(PROGRAMS)
    program, *arguments = CHECKS[number].split()
    tree.stub(program, f'[ "$*" != "{" ".join(arguments)}" ]\n', folder=tree.bin)
    assert tree.make("check").status == 2
    assert len(tree.calls()) == number + 1


def test_fmt_formats_and_fixes(tree):
    tree.install()
    ugly = tree.directory / "loadtests" / "ugly.py"
    ugly.write_text('"""Ugly."""\nimport os\nimport  sys\nprint( sys.argv )\n')
    tree.make("fmt")
    assert ugly.read_text() == '"""Ugly."""\n\nimport sys\n\nprint(sys.argv)\n'


@pytest.mark.parametrize("target", ["generate", "dashboards"])
def test_generated_files_are_written_again(tree, target):
    tree.install()
    written = [
        tree.directory / "monitoring" / each
        for each in ("generated/streamgauge-overview.json", "prometheus/rules/alerts.yml")
    ]
    before = [each.read_bytes() for each in written]
    written[0].unlink()
    written[1].write_text("groups: []\n")
    assert tree.make(target).status == 0
    assert [each.read_bytes() for each in written] == before


def test_lock_resolves_each_set_of_pinned_requirements(tree):
    tree.stub("uv", 'echo pinned > "${@: -1}"\n')
    assert tree.make("lock").status == 0
    calls = tree.calls()
    requirements = sorted((tree.directory / "requirements").iterdir())
    assert sorted(re.search(r"\[--output-file\] \[(\S+)\]", each)[1] for each in calls) == [
        f"requirements/{each.name}" for each in requirements
    ]
    assert {each.read_text() for each in requirements} == {"pinned\n"}
    for call in calls:
        (extra,) = re.findall(r"\[--extra\] \[(\w+)\]", call)
        assert f"[requirements/{extra}.txt]" in call
        assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()
        assert {"[--generate-hashes]", "[--universal]", "[--no-emit-index-url]"} <= set(call.split())


def test_lock_stops_where_nothing_can_be_resolved(tree):
    tree.stub("uv", "echo no solution >&2; exit 1\n")
    done = tree.make("lock")
    assert (done.status, len(tree.calls())) == (2, 1)
    assert "no solution" in done.err


def test_bench_lists_the_benchmarks_and_names_an_unknown_one(tree):
    tree.install()
    assert "chunk_interval" in tree.make("bench", "ARGS=--list").out
    done = tree.make("bench", "ARGS=speed")
    assert done.status == 2
    assert "got 'speed'" in done.err


@pytest.mark.parametrize("path", ["src/nowhere", "tests/wire", "/tmp", "../src"])
def test_mutants_names_a_path_that_is_wrong(tree, path):
    tree.install()
    (tree.directory / "tests" / "wire").mkdir(parents=True)
    done = tree.make("mutants", f"ARGS={path}")
    assert done.status == 2
    assert f"got '{path}'" in done.err
    assert "Traceback" not in done.err
    assert not (tree.directory / ".mutants").exists()


def test_demo_names_an_option_that_is_wrong(tree):
    tree.install()
    done = tree.make("demo", "ARGS=--users none")
    assert done.status == 2
    assert "'none'" in done.err


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("down", "docker [compose] [--profile] [alerts] [down] [--remove-orphans]"),
        ("logs", "docker [compose] [logs] [--follow]"),
    ],
)
def test_the_stack_is_stopped_and_read_by_compose(tree, target, expected):
    tree.stub("docker")
    assert tree.make(target).status == 0
    assert tree.calls() == [expected]


def test_load_turns_its_variables_into_options(tree):
    tree.stub("docker", 'case "$*" in *"ps --quiet"*) echo id;; *cat*) exit 1;; esac\n')

    def options(*variables, **around):
        done = tree.make("load", *variables, **around)
        assert done.status == 0, done.err
        (line,) = (each for each in tree.calls() if "[load.py]" in each)
        return line.partition("[load.py] ")[2]

    assert options() == "[--users] [100] [--run-time] [60]"
    load = ("USERS=3", "DURATION=2m", "HOST=http://a:1", "ARGS=--stream-path /b First")
    expected = "[--users] [3] [--run-time] [2m] [--host] [http://a:1] [--stream-path] [/b] [First]"
    assert options(*load) == expected
    # a shell's own HOST is the name of this machine, not of what to load
    assert options(HOST="http://a:1") == "[--users] [100] [--run-time] [60]"


def test_clean_removes_what_was_installed_and_written_and_nothing_else(tree):
    before = {each.relative_to(tree.directory) for each in tree.directory.rglob("*")}
    tree.install(PROGRAMS)
    written = re.findall(r"^/?(\.[a-z_]+|results)/?$", (tree.directory / ".gitignore").read_text(), re.MULTILINE)
    assert {".mypy_cache", ".coverage", "results"} <= set(written)
    settings = tree.directory / ".env"
    settings.write_text("USERS=1\n")
    for name in set(written) - {".env", ".venv"}:
        (tree.directory / name).mkdir()
    assert tree.make("clean").status == 0
    assert {each.relative_to(tree.directory) for each in tree.directory.rglob("*")} == before | {
        settings.relative_to(tree.directory)
    }
    assert tree.make("clean").status == 0
