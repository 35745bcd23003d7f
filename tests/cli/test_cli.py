"""What ``streamgauge`` says of itself, and of calls that it cannot follow."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

_CALL = "import sys; sys.argv[0] = 'streamgauge'; from streamgauge.cli import main; "


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=180, check=False
    )


def test_help_lists_the_commands(call):
    answer = call("--help")
    assert answer.exit_code == 0
    assert "demo" in answer.output
    assert "report" in answer.output


def test_version_is_the_packages_own(call):
    assert call("--version").output == f"streamgauge {version('streamgauge')}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["demo", "--help"], ["report", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    heavy = "{'locust', 'gevent', 'plotly', 'rich', 'fastapi', 'jinja2', 'prometheus_client'}"
    watch = f"import atexit; atexit.register(lambda: print(sorted({heavy} & set(sys.modules)), file=sys.stderr)); "
    answer = _python(_CALL + watch + "main()", *arguments)
    assert answer.returncode == 0
    assert answer.stderr == "[]\n"


def test_a_missing_click_is_one_line_that_says_what_to_install():
    answer = _python("import sys; sys.modules['click'] = None; from streamgauge.cli import main; main()")
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[0].endswith("pip install 'streamgauge[demo]'")
    assert len(answer.stderr.splitlines()) == 1


def test_a_missing_package_of_the_demo_is_named(call, monkeypatch):
    monkeypatch.setattr(
        "streamgauge.commands.option_values.find_spec", lambda name: None if name == "locust" else object()
    )
    answer = call("demo")
    assert answer.exit_code == 2
    assert "locust is not installed: pip install 'streamgauge[demo]'" in answer.output


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--users", "0"),
        ("--users", "-5"),
        ("--users", "many"),
        ("--spawn-rate", "0"),
        ("--spawn-rate", "nan"),
        ("--spawn-rate", "inf"),
        ("--spawn-rate", "fast"),
        ("--run-time", "0s"),
        ("--run-time", "-3"),
        ("--run-time", ""),
        ("--run-time", "soon"),
        ("--run-time", "25h"),
        ("--run-time", "3.5s"),
        ("--processes", "0"),
        ("--app-port", "0"),
        ("--app-port", "65536"),
        ("--metrics-port", "http"),
        ("--web-port", "99999"),
        ("--locustfile", "no/such/file.py"),
        ("--result-dir", "/dev/null/results"),
    ],
)
def test_a_bad_value_is_named_with_its_option(call, option, value):
    answer = call("demo", option, value)
    assert answer.exit_code == 2
    assert option in answer.output
    assert value in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("demo", "--users", "abc"), "'--users': expected a whole number from 1 to 20000, got 'abc'"),
        (("demo", "--users", "٣"), "'--users': expected a whole number from 1 to 20000, got '٣'"),
        (("demo", "--processes", "65"), "'--processes': expected a whole number from 1 to 64, got '65'"),
        (("demo", "--app-port", "http"), "'--app-port': expected a whole number from 1 to 65535, got 'http'"),
        (("demo", "--spawn-rate", "fast"), "'--spawn-rate': expected a number above 0, got 'fast'"),
        (("demo", "--run-time", "soon"), "'--run-time': expected a duration such as 30s, 2m or 1h30m, got 'soon'"),
        (("demo", "--run-time", "25h"), "'--run-time': expected a duration from 1s to 24h, got '25h'"),
        (("demo", "--locustfile", "no.py"), "'--locustfile': expected a locustfile, got 'no.py': No such file"),
        (("demo", "--web-port", "9000"), "--web-port 9000 needs --web"),
        (("calibrate", "--users", "1.5"), "'--users': expected a whole number from 1 to 20000, got '1.5'"),
        (("calibrate", "--chunk-bytes", "3"), "'--chunk-bytes': expected a whole number from 20 to 1000000, got '3'"),
        (("calibrate", "--interval-ms", "0.01"), "'--interval-ms': expected a number of at least 0.1, got '0.01'"),
        (("calibrate", "--interval-ms", "6000"), "--interval-ms 6000: expected at most 5000"),
        (("calibrate", "-o", "no/x.json"), "expected a file to write, got 'no/x.json': its directory does not exist"),
        (("report", "no"), "'RESULT': expected a result.json or the directory of one, got 'no': No such file"),
        (
            ("report", ".", "--format", "xml"),
            "'--format': expected html, json, text, streams-csv or timeline-csv, got 'xml'",
        ),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_an_error_says_what_is_expected_and_what_came(call, arguments, expected):
    answer = call(*arguments)
    assert answer.exit_code == 2
    assert expected in answer.output


def test_no_command_has_a_kind_of_value_with_words_of_its_own():
    from streamgauge.commands import streamgauge
    from streamgauge.commands.option_values import Kind

    for command in streamgauge.commands.values():
        for option in command.params:
            assert isinstance(option.type, Kind) or getattr(option, "is_flag", False), (command.name, option.name)


def test_the_help_has_whole_sentences(call):
    listed = " ".join(call("--help").output.partition("Commands:")[2].split())
    assert "..." not in listed
    for name in ("calibrate", "demo", "report"):
        assert re.search(rf"\b{name} [A-Z][^.]*(\.json[^.]*)?\.( |$)", listed), listed


def test_a_result_directory_that_is_a_file_is_refused(call, tmp_path: Path):
    (tmp_path / "taken").touch()
    answer = call("demo", "--result-dir", tmp_path / "taken")
    assert answer.exit_code == 2
    assert "--result-dir" in answer.output
