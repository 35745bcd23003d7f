"""README.md, CONTRIBUTING.md and docs/: each block, command, option, path, metric, address and link names what exists.

Commands are parsed, not run; those that other tests follow word for word are in tests/e2e/test_own_service.py and
tests/asgi/test_documentation.py.
"""

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from itertools import pairwise

import click
import promql_parser
import pytest
import yaml

from benchmarks.__main__ import BENCHMARKS
from streamgauge.catalog import CATALOG
from streamgauge.commands import streamgauge
from streamgauge.quick_run import curl_command, curl_options
from streamgauge.verdict.slo.grammar import read_rules
from tests.doors.conftest import ROOT
from tests.doors.documents import BLOCKS, COMMANDS, FILES, FOREIGN, SETTINGS, SPANS, help_of, locust, words
from tests.doors.test_make import MAKEFILE, TARGETS

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
RULES = [
    rule["record"]
    for file in (ROOT / "monitoring" / "prometheus" / "rules").glob("*.yml")
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "record" in rule
]
#: Examples of other names than ours.
PLACEHOLDERS = {"stream_server_", "stream_client_"}
#: Documents that show what the option of a whole other program is.
OPTIONS_OF_OTHERS = {"--profile", "--scale", "--build", "--help", "--pid", "--duration", "--worker", "--workers"}
OPTIONS_OF_OTHERS |= {"--no-proxy-headers", "--graceful-timeout", "--workers-kill-timeout", "--middleware"}
#: Curl's, which a curl command behind ``streamgauge run`` may have.
OPTIONS_OF_OTHERS |= {*curl_options.VALUES, *curl_options.SWITCHES, *curl_options.NOTED_SWITCHES}
PYTHON_ELSEWHERE = ROOT / "docs" / "instrument-your-app.md"


def options_in(arguments):
    return [each.partition("=")[0] for each in arguments if re.match(r"--?[a-zA-Z]", each)]


def loads_arguments(rest):
    given = dict(each.split("=", 1) for each in rest[1:])
    return (*shlex.split(given.get("ARGS", "")), *(("--host", given["HOST"]) if "HOST" in given else ()))


@cache
def checked_by_locust():
    return locust(*dict.fromkeys(map(tuple, for_locust())))


def for_locust():
    """The arguments of each command that starts a run of Locust."""
    for command in set(COMMANDS) - SETTINGS:
        program, *rest = words(command)
        if program in ("locust", "deploy/load"):
            yield rest
        elif program == "make" and rest[0] == "load":
            yield loads_arguments(rest)


def check_locust(arguments):
    assert checked_by_locust()[1][tuple(arguments)] == ""
    for flag, value in pairwise(arguments):
        assert flag != "-f" or (ROOT / value).is_file() or any(f"--save {value}" in each for each in COMMANDS)


def check_make(arguments):
    target, *given = arguments
    assert target in TARGETS
    settings = dict(each.split("=", 1) for each in given)
    assert all(re.search(rf"\b{name}\b", MAKEFILE) for name in settings)
    passed_on = shlex.split(settings.get("ARGS", ""))
    if target == "load":
        check_locust(loads_arguments(arguments))
    elif target == "demo":
        check_streamgauge(["demo", *passed_on])
    elif target == "mutants":
        assert set(options_in(passed_on)) <= set(re.findall(r"--[a-z-]+", help_of("tools/mutants.py")))
        assert all((ROOT / each).exists() for each in passed_on if not each.startswith("-"))
    elif target == "bench":
        assert set(passed_on) <= set(BENCHMARKS)
    elif target == "test":
        assert all((ROOT / each).exists() for each in passed_on if not each.startswith("-"))


def check_streamgauge(arguments):
    if "curl" in arguments:
        at = arguments.index("curl")
        curl_command.curl_session_of_words(arguments[at + 1 :])
        arguments = arguments[:at]
    with click.Context(streamgauge) as context:
        if arguments:
            _, command, rest = streamgauge.resolve_command(context, list(arguments))
            command.make_parser(context).parse_args(rest)
            known = {option for each in command.params for option in each.opts} | {"--help"}
            assert set(options_in(rest)) <= known


def check_python(arguments):
    if arguments[0] != "-m":
        assert (ROOT / arguments[0]).is_file()
        return
    _, module, *rest = arguments
    told = help_of("-m", module)
    if module == "benchmarks" and rest:
        assert rest[0] in BENCHMARKS
        told = help_of("-m", module, rest[0])
    for option in options_in(rest):
        assert re.search(rf"{option}(?![\w-])", told), f"{option} is not in the help of {module}"


def check_docker(arguments):
    if arguments[0] == "network":
        assert arguments[1:3] == ["connect", f"{COMPOSE['name']}_default"]
        return
    assert arguments[0] == "compose"
    profiles = {name for each in COMPOSE["services"].values() for name in each.get("profiles", ())}
    for flag, value in pairwise(arguments):
        if flag == "--profile":
            assert value in profiles
        if flag == "--scale":
            assert value.partition("=")[0] in COMPOSE["services"]
    if {"ps", "logs"} & set(arguments):
        assert arguments[-1] in {*COMPOSE["services"], "ps", "logs"}


def check_pip(arguments):
    assert arguments[0] == "install"
    for extra in re.findall(r"\[(\w+)\]", " ".join(arguments)):
        assert extra in EXTRAS


CHECKS = {
    "make": check_make,
    "streamgauge": check_streamgauge,
    "locust": check_locust,
    "deploy/load": check_locust,
    "docker": check_docker,
    "pip": check_pip,
    "python": check_python,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_given(command):
    if command in SETTINGS:
        assert re.search(rf"^(# )?{command.partition('=')[0]}=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        return
    program, *arguments = words(command)
    if program not in FOREIGN:
        assert program in CHECKS, f"a test has to know how to check {program!r}"
        CHECKS[program](arguments)


def of_python(block):
    if block.file == PYTHON_ELSEWHERE and re.match(r"# \w+\.py\n", block.text):
        return  # tests/asgi/test_documentation.py runs it
    program = block.text.replace("port=9101", "port=0")
    checks = (
        "\nfound = [each for each in list(globals()) if not each.startswith('_')]\nassert found, 'nothing is defined'\n"
    )
    before = "async def app(scope, receive, send): ...\n"
    if "StreamUser" in block.text:  # its task is run, and what it calls is called as it may be
        checks += (
            "from unittest.mock import create_autospec\nfrom streamgauge.load import StreamClient\n"
            "user = create_autospec(Listener, instance=True)\n"
            "user.client = create_autospec(StreamClient, instance=True)\n"
            "Listener.on_start(user)\nListener.events(user)\n"
        )
    done = subprocess.run(
        [sys.executable, "-c", before + program + checks], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def of_plain_text(block):
    if block.text.startswith("src/"):
        folder = ROOT
        for line in block.text.splitlines():
            names = [each.strip() for each in re.split(r"   +", line.strip())[0].split(",")]
            folder = ROOT / "src" / "streamgauge" if line.startswith("  ") else ROOT
            assert all((folder / name).exists() for name in names), line
        return
    # What a demo says: each of its words is one of the program's.
    source = "\n".join(file.read_text() for file in (ROOT / "src" / "streamgauge").rglob("*.py")).lower()
    source += (ROOT / "loadtests" / "download.py").read_text()
    for word in re.findall(r"[a-z']{3,}", block.text):
        assert re.search(rf"(?<![a-z]){word}(?![a-z])", source), word


def of_promql(block):
    promql_parser.parse(block.text)


def of_yaml(block):
    (job,) = yaml.safe_load(block.text)["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:9102"]


def of_nginx(block):
    """The app reads what the proxy is told to pass on."""
    source = "\n".join(file.read_text() for file in (ROOT / "target_app").rglob("*.py")).lower()
    passed_on = re.findall(r"proxy_set_header (\S+) ", block.text)
    assert passed_on
    known = {"x-forwarded-for", "x-forwarded-proto"}  # uvicorn's own middleware reads them for the app
    assert {each.lower() for each in passed_on} <= known | set(re.findall(r'"([a-z-]+)"', source))


KINDS = {
    "nginx": of_nginx,
    "python": of_python,
    "": of_plain_text,
    "promql": of_promql,
    "toml": lambda block: read_rules("\n".join(tomllib.loads(block.text)["tool"]["streamgauge"]["slo"])),
    "yaml": of_yaml,
    "console": lambda block: None,  # by its commands
    "sh": lambda block: None,
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_of_a_kind_that_is_checked_and_right(block):
    assert block.kind in KINDS, "a test has to know how to check it"
    if block.kind in ("console", "sh"):
        assert block.commands
        assert set(block.commands) <= set(COMMANDS)
    KINDS[block.kind](block)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_metric_and_rule_that_is_named_exists(file):
    known = {name for each in CATALOG.values() for name in (each.name, *each.series)} | set(RULES)
    text = file.read_text()
    assert set(re.findall(r"\bstream_(?:server|client)_\w+", re.sub(r"[\w]+:[\w:]+", "", text))) <= known | PLACEHOLDERS
    assert set(re.findall(r"\b\w+:stream_\w+:\w+", text)) <= known


def anchors(file):
    titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in titles}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file):
    for link in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        to = (file.parent / path).resolve() if path else file
        assert to.exists(), link
        assert not anchor or anchor in anchors(to), link


@pytest.mark.parametrize("span", SPANS)
def test_what_is_named_exists(span):
    known = {*checked_by_locust()[0], *OPTIONS_OF_OTHERS, *known_to_programs()}
    if found := re.match(r"(?:GET|POST) (/.*)", span):
        assert found[1] in routes()
    if span.startswith("--"):
        assert span.split()[0].rstrip(",") in known
    top = span.split("/")[0]
    if "/" in span and " " not in span and any(each.startswith(f"{top}/") for each in TRACKED):
        assert any(True for _ in ROOT.glob(span.rstrip("/"))), span
    if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", span):
        assert re.search(rf"\b{span}\b", code()), span


@cache
def routes():
    """The paths of the sample app's own list; a WebSocket's is in no OpenAPI document."""
    source = "\n".join(file.read_text() for file in (ROOT / "target_app").rglob("*.py"))
    return set(re.findall(r"""["'](/[^"'\s]*)["']""", source))


@cache
def known_to_programs():
    modules = ("target_app", "monitoring.build", "tools.preview", "benchmarks")
    told = [*(help_of("-m", each) for each in modules), help_of("tools/mutants.py")]
    ours = {option for each in streamgauge.commands.values() for one in each.params for option in one.opts}
    return ours | {each for text in told for each in re.findall(r"--[a-z-]+", text)}


@cache
def code():
    """All of the code and settings that read variables; the sample app makes the names of its own."""
    places = ("src", "target_app", "monitoring", "docker-compose.yml", ".env.example")
    files = [each for each in TRACKED if each.startswith(places) and each.endswith((".py", ".yml", ".example"))]
    return "\n".join([help_of("-m", "target_app"), *((ROOT / each).read_text() for each in files)])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_address_on_this_machine_is_one_of_the_stacks(file):
    ports = {int(each) for each in re.findall(r"_PORT:-(\d+)", (ROOT / "docker-compose.yml").read_text())}
    assert {int(each) for each in re.findall(r"http://127\.0\.0\.1:(\d+)", file.read_text())} <= ports
