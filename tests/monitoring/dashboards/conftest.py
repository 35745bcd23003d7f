"""Two real load tests of the real app, four workers on each side of the second, watched by a real Prometheus.

Everything is asked afterwards, as it was at a moment during the second run and at one after it.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from monitoring.config import SCRAPE_INTERVAL_S
from monitoring.promql.runs import RUN_INFO
from streamgauge.runner.load_plan import environment_without_locust, locust_command
from streamgauge.runner.runs import results_in
from tests.waiting import wait_until
from tools.preview.prometheus import Prometheus, QueryError
from tools.preview.queries import PanelQueries
from tools.preview.variables import Window, resolve

ROOT = Path(__file__).parents[3]
DEADLINE_S = 180.0
KEY = "key-of-the-load-test"
LOCUSTFILES = f"loadtests/sse.py,{Path(__file__).with_name('patience.py')}"
PATH = "/stream/sse?chunks=20&interval_ms=50"
USERS, WORKERS, FIRST_RUN_S = 8, 4, 8
#: Arrivals of the second run, in the open model; half of the users serve them.
RATE = "4/s"
#: The second run ends when all is there that the tests look at, and never by itself.
NO_END_S = 600
#: What is there then: the verdict so far, of all workers' users; a rate interval of scrapes none of which was missed;
#: and what else comes to the service.
COMPLETE = f"""
stream_client_trust
  and on (job) stream_client_workers == {WORKERS} and on (job) stream_client_users == {USERS}
  and on () min(min_over_time(up[{4 * SCRAPE_INTERVAL_S}s])) == 1
  and on () sum(rate(stream_server_rejected_total[{4 * SCRAPE_INTERVAL_S}s])) > 0
  and on () sum(rate(http_server_request_duration_seconds_count[{4 * SCRAPE_INTERVAL_S}s])) > 0
"""


@dataclass(frozen=True)
class Live:
    """What was recorded. Times are Unix seconds."""

    source: Prometheus
    results: list
    """Both runs', oldest first."""
    began_s: float
    during_s: float
    after_s: float
    _variables: dict = field(default_factory=dict)

    def asked(self, dashboard, at_s):
        """A dashboard's queries, as a reader asks them at this moment who sees everything since the beginning."""
        window, key = Window(self.began_s, at_s), (dashboard["uid"], at_s)
        if key not in self._variables:
            self._variables[key] = resolve(dashboard, self.source, window, {})
        return PanelQueries(self.source, self._variables[key])

    def samples(self, series):
        """What was scraped of the only series of this selector: times and values."""
        asked = urllib.parse.urlencode(
            {"query": f"{series}[{round(self.after_s - self.began_s) + 1}s]", "time": self.after_s}
        )
        with urllib.request.urlopen(f"{self.source.url}/api/v1/query?{asked}", timeout=DEADLINE_S) as answer:
            (found,) = json.load(answer)["data"]["result"]
        return [(float(at_s), float(text)) for at_s, text in found["values"]]

    def scraped_s(self, run):
        """When a run was scraped."""
        return [at_s for at_s, _ in self.samples(f'{RUN_INFO}{{run_id="{run["id"]}"}}')]

    def ends_s(self, run):
        """Between which moments a run can be seen to have ended: users are counted, scraped and looked for in turn.

        What was scraped last is there until the next scrape finds nothing.
        """
        began_s = datetime.fromisoformat(run["started_at"]).timestamp()
        at_s = self.scraped_s(run)
        before = [began_s, *(each for each in at_s if each <= began_s + run["duration_s"])]
        next_s = [each for each, _ in self.samples('up{job="load"}') if each > at_s[-1]]
        return before[-3:][0], min(next_s, default=self.after_s)


@contextlib.contextmanager
def running(arguments, log, **options):
    """A process that ends with the block."""
    with log.open("w") as out:
        process = subprocess.Popen(arguments, cwd=ROOT, stderr=out, text=True, **options)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def app(stack, folder):
    """The app's address and its metrics' one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TARGET_APP_")}
    arguments = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0", "--workers", str(WORKERS)]
    started = running(arguments, folder / "app.log", stdout=subprocess.PIPE, env=clean | {"TARGET_APP_API_KEYS": KEY})
    said = json.loads(stack.enter_context(started).stdout.readline())
    return said["url"], urllib.parse.urlsplit(said["metrics_url"]).netloc


def prometheus(stack, folder, port, targets):
    """A Prometheus that scrapes as the stack's does."""
    scrapes = [{"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in targets.items()]
    every = {"scrape_interval": f"{SCRAPE_INTERVAL_S}s", "scrape_timeout": f"{SCRAPE_INTERVAL_S}s"}
    alert = {"alert": "AlwaysFires", "expr": 'up{job="app"} == 1', "labels": {"severity": "info"}}
    groups = [{"name": "always", "interval": "1s", "rules": [alert]}]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
    configuration = {"global": every, "scrape_configs": scrapes, "rule_files": ["rules.yml"]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    at = f"127.0.0.1:{port}"
    arguments = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={at}"]
    stack.enter_context(running([*arguments, f"--storage.tsdb.path={folder / 'data'}"], folder / "prometheus.log"))
    return Prometheus(f"http://{at}")


def moment(source, query):
    """Now, if a query has an answer."""
    now_s = time.time()
    try:
        return now_s if source.instant(query, now_s) else None
    except QueryError:
        return None


def load(folder, url, port, run_s, *options):
    """A load test that runs now. Its process ends when its last values were scraped, however late that is."""
    options += ("--headless", "-H", url, "-u", USERS, "-r", 4, "-t", f"{run_s}s", "--stream-path", PATH)
    options += ("--stream-header", f"X-API-Key: {KEY}", "--stream-stamps", "--stream-end", "event:done")
    options += ("--metrics-port", port, "--metrics-host", "127.0.0.1", "--metrics-linger", 60)
    options += ("--result-dir", folder / "results", "--slo", "failed.ratio < 90%")
    command, around = locust_command(LOCUSTFILES, *options), environment_without_locust()
    return running(command, folder / "load.log", stdout=subprocess.DEVNULL, env=around)


def check(process, folder):
    """The load test has ended well; that this machine was too busy to be trusted, its verdict may say."""
    status = process.wait(DEADLINE_S)
    *_, verdict = (each["verdict"] for each in results_in(folder / "results"))
    assert status == (3 if verdict["trust"] == "invalid" else 0), (folder / "load.log").read_text()


def visit(url, stopped):
    """What else comes to a service: health checks, and somebody without a key."""
    while not stopped.wait(0.5):
        for path in ("/healthz", "/stream/sse"):
            with contextlib.suppress(OSError), urllib.request.urlopen(url + path, timeout=10) as answer:
                answer.read()


@pytest.fixture(scope="session")
def live(tmp_path_factory, free_port, program):
    program("prometheus")
    folder = tmp_path_factory.mktemp("live")
    with contextlib.ExitStack() as stack:
        url, metrics = app(stack, folder)
        port, began_s = free_port(), time.time()
        source = prometheus(stack, folder, free_port(), {"app": metrics, "load": f"127.0.0.1:{port}"})
        wait_until(lambda: moment(source, 'up{job="app"} == 1'), "the app is scraped")
        with load(folder, url, port, FIRST_RUN_S) as process:
            check(process, folder)
        stopped = threading.Event()
        visitor = threading.Thread(target=visit, args=(url, stopped))
        visitor.start()
        bind = free_port()
        workers = ("--processes", WORKERS, "--master-bind-port", bind, "--master-port", bind)
        with load(folder, url, port, NO_END_S, *workers, "--arrivals", RATE) as process:
            try:
                during_s = wait_until(
                    lambda: moment(source, COMPLETE) or process.poll() is not None, "all is there that a run has"
                )
                assert process.poll() is None, (folder / "load.log").read_text()
            finally:
                stopped.set()
                visitor.join()
            process.terminate()
            check(process, folder)
        # a rate interval, and the step before it
        quiet = "sum(rate(stream_server_chunks_total[12s])) == 0 and absent(rate(stream_client_chunks_total[12s]))"
        after_s = wait_until(lambda: moment(source, quiet), "nothing has streamed for a while")
        yield Live(source, results_in(folder / "results"), began_s - 2, during_s, after_s)
