"""What ``streamgauge`` says of itself, and of calls that it cannot follow."""

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
    monkeypatch.setattr("streamgauge.commands.values.find_spec", lambda name: None if name == "locust" else object())
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


def test_a_result_directory_that_is_a_file_is_refused(call, tmp_path: Path):
    (tmp_path / "taken").touch()
    answer = call("demo", "--result-dir", tmp_path / "taken")
    assert answer.exit_code == 2
    assert "--result-dir" in answer.output
