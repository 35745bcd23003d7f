"""What the options of ``streamgauge demo`` make of it: the Locust and the sample app that it starts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamgauge.demo.sample_app import SampleApp
from streamgauge.runner.attended_run import with_ports
from streamgauge.runner.process import ChildError

URL = "http://app"
Started = Callable[..., dict[str, str]]


def by_name(options: list[str]) -> dict[str, str]:
    """Each option with its value; one that stands alone has an empty one."""
    named = {}
    for option, value in zip(options, [*options[1:], "-"], strict=True):
        if option.startswith("-"):
            assert option not in named
            named[option] = "" if value.startswith("-") else value
    return named


class Planned:
    """What a demo would do and does not."""

    def __init__(self) -> None:
        self.plan: Any = None
        self.quiet = False

    def __call__(self, plan: Any, _interrupt: object, *, quiet: bool) -> int:
        self.plan, self.quiet = plan, quiet
        return 3

    def start(self, _name: str, command: list[str], *_: object) -> None:
        """Starts the sample app, as far as ``SampleApp`` knows."""
        assert command[2:4] == ["-m", "target_app"]
        self.app = by_name(command[4:])
        raise ChildError("none is started", None)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Planned:
    planned = Planned()
    monkeypatch.setattr("streamgauge.demo.demo_run.run_demo", planned)
    return planned


@pytest.fixture
def locust(call: Any, planned: Planned, tmp_path: Path, free_port: Callable[[], int]) -> Started:
    """The options that Locust gets of a demo with these options."""

    def started(*options: object) -> dict[str, str]:
        own = ("--app-port", free_port(), "--metrics-port", free_port(), "--result-dir", tmp_path)
        answer = call("demo", *own, *options)
        assert answer.exit_code == 3, answer.output  # the demo's own status
        command = with_ports(planned.plan.load(URL), planned.plan.ports.locust).command
        assert command[2] == "-c"
        assert "run_alone" in command[3]
        return by_name(command[4:])

    return started


def test_without_options_the_mix_is_run_headless_for_half_a_minute(locust: Started, tmp_path: Path) -> None:
    found = locust()
    assert Path(found.pop("-f")).parts[-2:] == ("loadtests", "locustfile.py")
    assert found == {
        "-H": URL,
        "-u": "100",
        "-r": "33.3333",
        "-t": "30s",
        "--stream-result-dir": str(tmp_path),
        "--metrics-host": "127.0.0.1",
        "--headless": "",
        "--only-summary": "",
    }


@pytest.mark.parametrize(
    ("users", "given", "rate"),
    [(1, (), "1"), (3, (), "1"), (12, (), "4"), (12, ("--spawn-rate", "0.5"), "0.5"), (12, ("--spawn-rate", 7), "7")],
)
def test_users_start_at_the_rate_that_is_given_or_within_three_seconds(
    locust: Started, users: int, given: tuple[object, ...], rate: str
) -> None:
    found = locust("--users", users, *given)
    assert (found["-u"], found["-r"]) == (str(users), rate)


def test_each_option_reaches_locust(locust: Started, tmp_path: Path) -> None:
    (tmp_path / "own.py").touch()
    found = locust("--run-time", "1m30s", "--locustfile", tmp_path / "own.py", "--result-dir", tmp_path / "results")
    assert (found["-t"], found["-f"]) == ("90s", str(tmp_path / "own.py"))
    assert found["--stream-result-dir"] == str(tmp_path / "results")


def test_with_the_web_ui_locust_listens_at_its_port_and_waits(locust: Started, free_port: Callable[[], int]) -> None:
    port = free_port()
    found = locust("--web", "--web-port", port)
    assert (found["--web-host"], found["--web-port"]) == ("127.0.0.1", str(port))
    assert not {"--headless", "--autostart"} & set(found)


def test_several_processes_find_their_master_at_one_port(locust: Started) -> None:
    assert not any("master" in option for option in locust("--processes", 1))
    found = locust("--processes", 3)
    assert found["--processes"] == "3"
    assert found["--master-port"] == found["--master-bind-port"] != ""
    assert found["--master-host"] == found["--master-bind-host"] == "127.0.0.1"


def test_the_app_and_its_metrics_are_where_the_options_say(
    locust: Started, planned: Planned, free_port: Callable[[], int]
) -> None:
    app, metrics = free_port(), free_port()
    locust("--app-port", app, "--metrics-port", metrics)
    with pytest.raises(ChildError, match="none is started"):
        SampleApp(planned.plan.ports.app, planned.plan.ports.metrics, Path("log"), planned, None)  # type: ignore[arg-type]
    assert planned.app == {"--host": "127.0.0.1", "--port": str(app), "--metrics-port": str(metrics)}


@pytest.mark.parametrize("quiet", [False, True])
def test_a_demo_is_quiet_where_that_is_asked_for(locust: Started, planned: Planned, quiet: bool) -> None:
    locust(*["--quiet"] * quiet)
    assert planned.quiet is quiet
