"""A site with many services, each with a fault of its own, and one real Prometheus that watches them all.

Each service is a job of its own, so that all faults are made at the same time and every alert says whose it is.
"""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import yaml

from monitoring.config import OBJECTIVES
from monitoring.rules.files import generate
from monitoring.rules.plan import Plan
from tests.waiting import wait_until

DEADLINE_S = 120.0
ROOT = Path(__file__).parents[3]
#: Hours are minutes and minutes seconds. A machine that others use too keeps loops and scrapes waiting, now and then,
#: for longer than it should: such limits are wide, and what a test makes on purpose is larger.
PLAN = Plan(
    shorter=60,
    scrape_s=1,
    app_job="app-.+",
    objectives=OBJECTIVES | {"time_to_first_chunk": replace(OBJECTIVES["time_to_first_chunk"], bound_s=1.0)},
    loop_lag_s=0.2,
    down_s=480,
)


class App(NamedTuple):
    """A running ``target_app``."""

    process: "subprocess.Popen[str]"
    url: str
    metrics: str

    @property
    def address(self) -> tuple[str, int]:
        parts = urllib.parse.urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)


class Site:
    """What runs; all of it ends with the stack."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path, free_port: Callable[[], int]) -> None:
        self._stack = stack
        self._free_port = free_port
        self._folder = folder
        self._targets: dict[str, str] = {}
        self._processes: dict[str, list[int]] = {}
        self._held_s: dict[str, float] = {}
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        stack.callback(self._stop, thread)
        self.prometheus = ""

    def _stop(self, thread: threading.Thread) -> None:
        async def cancel() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel(), self._loop).result(DEADLINE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join()
        self._loop.close()

    def _start(self, name: str, command: list[str], **options: Any) -> "subprocess.Popen[str]":
        log = self._stack.enter_context((self._folder / f"{name}.log").open("w"))
        process = subprocess.Popen(command, stderr=log, text=True, cwd=ROOT, **options)
        self._stack.callback(_end, process)
        return process

    def apps(self, names: dict[str, list[str]]) -> dict[str, App]:
        """Apps by job, started side by side, each with options."""
        command = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0"]
        started = {
            job: self._start(job, [*command, *options], stdout=subprocess.PIPE) for job, options in names.items()
        }
        found = {}
        for job, process in started.items():
            assert process.stdout is not None
            self._stack.callback(process.stdout.close)
            said = json.loads(process.stdout.readline())
            found[job] = App(process, said["url"], urllib.parse.urlsplit(said["metrics_url"]).netloc)
            self._targets[job] = found[job].metrics
            self._processes[job] = [process.pid]
        return found

    def load(self, job: str, app: App, path: str, *options: str) -> "subprocess.Popen[str]":
        """A real load test, which exposes the client metrics as ``job``."""
        port = self._free_port()
        self._targets[job] = f"127.0.0.1:{port}"
        command = [str(Path(sys.executable).with_name("locust")), "-f", "loadtests/sse.py", "--headless"]
        command += [
            "-u",
            "8",
            "-r",
            "8",
            "-t",
            "300s",
            "-H",
            app.url,
            "--stream-path",
            path,
            "--stream-end",
            "event:done",
        ]
        command += ["--metrics-port", str(port), "--metrics-host", "127.0.0.1", "--result-dir", str(self._folder / job)]
        process = self._start(job, [*command, *options], stdout=subprocess.DEVNULL)
        self._processes[job] = [process.pid, app.process.pid]
        return process

    def read(self, app: App, path: str, readers: int, pause_s: float = 0) -> None:
        """Connections that read streams one after the other; a pause after each 64 KiB makes them slow."""
        for _ in range(readers):
            self.background(_read(app.address, path, pause_s))

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs until the site ends."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def watch(self) -> None:
        """Start Prometheus on all that runs; it has scraped everything once."""
        for name, text in generate(PLAN).items():
            (self._folder / name).write_text(text)
        scrapes = [{"job_name": job, "static_configs": [{"targets": [at]}]} for job, at in self._targets.items()]
        quick = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        configuration = {"global": quick, "rule_files": ["*.yml"], "scrape_configs": scrapes}
        (self._folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        at = f"127.0.0.1:{self._free_port()}"
        self.prometheus = f"http://{at}/api/v1"
        command = ["prometheus", f"--config.file={self._folder / 'prometheus.yaml'}", f"--web.listen-address={at}"]
        command += [f"--web.external-url=http://{at}", f"--web.user-assets={ROOT / 'docs' / 'runbooks'}"]
        self._start("prometheus", [*command, f"--storage.tsdb.path={self._folder / 'data'}", "--log.level=error"])
        wait_until(lambda: self.value("count(up == 1)") == len(self._targets), "every target is up")
        self.background(self._look_at_processes())

    def ask(self, query: str) -> list[dict[str, Any]]:
        """What an instant query answers."""
        url = f"{self.prometheus}/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(url, timeout=DEADLINE_S) as reply:
            return list(json.load(reply)["data"]["result"])

    def value(self, query: str) -> float | None:
        """The single value that a query answers, if Prometheus is there and has one."""
        try:
            found = self.ask(query)
        except OSError:
            return None
        return float(found[0]["value"][1]) if found else None

    def fired(self, job: str) -> set[tuple[str, str]]:
        """Names and severities of the alerts that fire on a job, or did at any moment."""
        found = self.ask(f'max_over_time(ALERTS{{alertstate="firing", job="{job}"}}[10m])')
        return {(each["metric"]["alertname"], each["metric"]["severity"]) for each in found}

    def recorded(self) -> set[str]:
        """Names of what rules recorded at any moment."""
        found = self.ask('count by (__name__) (last_over_time({__name__=~".+:.+:.+"}[10m]))')
        return {each["metric"]["__name__"] for each in found}

    def wait_for(self, seconds: int) -> None:
        """Until Prometheus has scraped and judged for so long from now on."""
        scrapes = f'max(count_over_time(up{{job="{next(iter(self._targets))}"}}[10m]))'
        begun = wait_until(lambda: self.value(scrapes), "a scrape")
        wait_until(lambda: (self.value(scrapes) or 0) >= begun + seconds, f"{seconds} scrapes")

    def settle(self, settled: Callable[[], bool]) -> None:
        """Wait for a state, and no longer than for any: what is missing of it, the tests say."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not settled() and time.monotonic() < deadline_s:
            time.sleep(0.2)

    def was_held(self, job: str) -> bool:
        """Whether its processes were kept from running in some second for as long as the plan lets a loop be late."""
        return self._held_s.get(job, 0.0) >= PLAN.loop_lag_s

    async def _look_at_processes(self) -> None:
        """Ask the kernel once a second how long each process wanted to run and could not."""
        before = {job: _waited_s(pids) for job, pids in self._processes.items()}
        while True:
            await asyncio.sleep(1)
            for job, pids in self._processes.items():
                now_s = _waited_s(pids)
                self._held_s[job] = max(self._held_s.get(job, 0.0), now_s - before[job])
                before[job] = now_s

    def unhealthy(self) -> list[str]:
        """Rules that could not be evaluated, or were not yet."""
        with urllib.request.urlopen(f"{self.prometheus}/rules", timeout=DEADLINE_S) as reply:
            groups = json.load(reply)["data"]["groups"]
        return [rule["name"] for group in groups for rule in group["rules"] if rule["health"] != "ok"]

    def annotations(self) -> list[dict[str, str]]:
        """What the alerts that are there now say."""
        with urllib.request.urlopen(f"{self.prometheus}/alerts", timeout=DEADLINE_S) as reply:
            alerts = json.load(reply)["data"]["alerts"]
        return [alert["annotations"] for alert in alerts]


def _waited_s(pids: list[int]) -> float:
    """How long these processes' event loops have waited for a processor so far, and how long it was another machine's.

    The first is of https://docs.kernel.org/scheduler/sched-stats.html. A process that has ended waits for nothing.
    """
    waited_ns = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            waited_ns += int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    return waited_ns / 1e9 + getattr(psutil.cpu_times(), "steal", 0.0)


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


async def _read(address: tuple[str, int], path: str, pause_s: float) -> None:
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode()
    while True:
        with contextlib.suppress(OSError), socket.socket() as one:
            one.setblocking(False)
            if pause_s:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await loop.sock_connect(one, address)
            await loop.sock_sendall(one, request)
            took_bytes = 0
            while got := await loop.sock_recv(one, 65536):
                took_bytes += len(got)
                if pause_s and took_bytes >= 65536:
                    took_bytes = 0
                    await asyncio.sleep(pause_s)
        await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def empty_site(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], program: Callable[..., str]
) -> Iterator[Site]:
    """A site on which nothing runs yet."""
    program("prometheus")
    with contextlib.ExitStack() as stack:
        yield Site(stack, tmp_path_factory.mktemp("site"), free_port)
