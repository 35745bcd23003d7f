"""``streamgauge demo`` as a user runs it: real app, real Locust, real signals, small numbers.

Each demo of a module is played by a function of its own; they mostly wait, and so are played side by side.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.ports import free_port
from tests.waiting import wait_until

_DEADLINE_S = 180
#: Demos at a time.
_AT_ONCE = 2
#: What Locust says where its workers were too busy to tell its master within 3 s that they live, and where another
#: master took the port between its choice and its use; and how often a demo is played anew because of that.
_DISTURBED = re.compile("failed to send heartbeat|Socket bind failure")
_RETRIES = 3
#: Demos with workers are played one after the other: their masters all like the same port best.
_ONE_MASTER = threading.Lock()
_CODE = "import sys; sys.argv[0] = 'streamgauge'; from streamgauge.cli import main; main()"


class Disturbed(Exception):
    """The machine kept Locust's master and its workers from each other."""


class Demo:
    """A demo under way, below a directory of its own."""

    def __init__(self, directory: Path, *options: str, own_ports: bool = True) -> None:
        self.results = directory / "results"
        ports = [str(free_port()) for _ in range(3)]
        if own_ports:
            options = (*options, "--app-port", ports[0], "--metrics-port", ports[1])
        if own_ports and "--web" in options:
            options = (*options, "--web-port", ports[2])
        #: Its web page, where it has one.
        self.page = b""
        #: All that it had started when its streams had begun.
        self.then: list[psutil.Process] = []
        self.output, self.errors = directory / "stdout", directory / "stderr"
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _CODE, "demo", "--result-dir", str(self.results), *options],
                stdout=output,
                stderr=errors,
                env={**os.environ, "COLUMNS": "120"},
                cwd=directory,
            )

    def wait(self) -> int:
        return self.process.wait(_DEADLINE_S)

    @property
    def run(self) -> Path:
        (found,) = self.results.glob("*Z-*")
        return found

    def address(self, name: str) -> str:
        """The address that it printed behind this name, once it has."""
        printed = re.compile(rf"{re.escape(name)} (http://[\w.:]+)")

        def found() -> str | None:
            assert self.process.poll() is None, self.errors.read_text()
            there = printed.search(self.errors.read_text())
            return there and there[1]

        return str(wait_until(found))

    def reported_runs(self) -> list[Path]:
        """The directories of the runs whose reports are written, the first one first."""
        return sorted((each.parent for each in self.results.glob("*Z-*/report.html")), key=lambda run: run.name)

    def disturbed(self) -> bool:
        return any(_DISTURBED.search(log.read_text()) for log in self.results.rglob("*locust.log"))

    def wait_for_streams(self) -> None:
        def begun() -> list[Path]:
            if self.disturbed():
                raise Disturbed
            assert self.process.poll() is None, self.errors.read_text()
            return [each for each in self.results.glob("*/timeline.ndjson") if each.stat().st_size]

        wait_until(begun)
        self.then = self.family()

    def wait_for(self, words: str) -> None:
        """Until it said that, or has ended."""
        wait_until(lambda: words in self.errors.read_text() or self.process.poll() is not None)

    def wait_for_survivors(self) -> None:
        """Until there are none."""
        wait_until(lambda: not self.survivors())

    def interrupt(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def status_without_failures(self) -> int:
        """What its exit status is where no stream failed: a machine that was too busy makes a run that is invalid."""
        return 3 if self.read("result.json")["verdict"]["trust"] == "invalid" else 0

    def survivors(self) -> list[psutil.Process]:
        """Of those that it had started, those that still live."""
        return [each for each in self.then if each.is_running()]

    def read(self, name: str) -> dict[str, Any]:
        file = self.run / name
        assert file.exists(), self.errors.read_text()
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    def totals(self) -> dict[str, tuple[int, int]]:
        lines = [line for line in self.read("server.json")["agreement"] if not line["name"]]
        return {line["subject"]: (line["client"], line["server"]) for line in lines}

    def family(self) -> list[psutil.Process]:
        """All that it started, while it lives."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def _playing(*arguments: Any, **options: Any) -> Iterator[Demo]:
    """A demo that is over at the end, one way or another."""
    with _ONE_MASTER if "--processes" in arguments else nullcontext():
        demo = Demo(*arguments, **options)
        try:
            yield demo
            demo.wait()
        finally:
            if demo.process.poll() is None:
                for child in demo.family():
                    child.kill()
                demo.process.kill()
                demo.process.wait()


def _play(play: Callable[..., Demo], directory: Path) -> Demo:
    for number in range(_RETRIES):
        (where := directory / str(number)).mkdir()
        with suppress(Disturbed):
            demo = play(_playing, where)
            if not demo.disturbed():
                return demo
    (where := directory / "last").mkdir()
    return play(_playing, where)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Demo]]:
    """Gives a demo, now over, that one of the module's ``PLAYS`` has played."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        demos = {
            name: pool.submit(_play, play, tmp_path_factory.mktemp("demo"))
            for name, play in request.module.PLAYS.items()
        }
        yield lambda name: demos[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def playing() -> Callable[..., AbstractContextManager[Demo]]:
    """A context in which a demo runs, with a directory and options."""
    return _playing


@pytest.fixture(scope="session")
def counted() -> Callable[[str, str], float]:
    """Reads a counter of the sample app, as the sum over all of its streams, at the address of its metrics."""

    def read(address: str, name: str) -> float:
        with urllib.request.urlopen(f"{address}/metrics", timeout=60) as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + "{"))

    return read
