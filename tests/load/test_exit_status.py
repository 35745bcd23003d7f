"""The exit status of ``locust``: that of Locust and of the test itself, joined with the verdict on the streams."""

import html

import pytest

SCENARIO = """
import os

import gevent
from locust import HttpUser, constant, events, task
from locust.exception import StopUser
from streamgauge.load import StreamUser

WHAT = os.environ.get("WHAT", "").split()
FAILING = "/status/503" if "failing" in WHAT else "/events"

class Listener(StreamUser):
    wait_time = constant(0.1)
    fixed_count = 1

    @task
    def listen(self):
        if "silent" in WHAT:
            raise StopUser
        if "raising" in WHAT:
            raise LookupError("of the scenario")
        self.client.stream("GET", FAILING, protocol="sse", end="event:done")
        if "checking" in WHAT:
            self.environment.events.request.fire(
                request_type="CHECK", name="events", response_time=0, response_length=0, context={},
                exception=ValueError("too few"),
            )

if "others" in WHAT:
    class Other(HttpUser):
        wait_time = constant(0.1)
        fixed_count = 1

        @task
        def ask(self):
            self.client.get("/status/500")

def codes(when):
    return [int(each.partition("=")[2]) for each in WHAT if each.startswith(when)]

@events.init.add_listener
def watch(environment, **_):
    def quit():
        gevent.sleep(1)
        while "others" in WHAT and not environment.stats.total.num_failures:
            gevent.sleep(0.1)
        (environment.process_exit_code,) = codes("watchdog")
        environment.runner.quit()
    if codes("watchdog") and environment.parsed_options.expect_workers:
        gevent.spawn(quit)

def setter(when):
    def on_event(environment, **_):
        for code in codes(when):
            environment.process_exit_code = code
        if "breaking" in WHAT and when == "quitting":
            raise RuntimeError("of a listener")
    return on_event

events.test_stop.add_listener(setter("stop"))
events.quitting._handlers.insert(0, setter("quitting"))  # called after all others
"""
OTHERS, RAISED = "Locust counted ", "the scenario raised "
OWN, FAILURES = "the test itself set the exit status {}", "--exit-code-on-error sets the exit status {} for failures"
#: What happens, options, the exit status, and the causes that the verdict gives.
CASES = {
    "": ((), 0, ()),
    "failing": ((), 1, ()),
    "others": ((), 1, (OTHERS,)),
    "checking": ((), 1, (OTHERS,)),
    "raising": ((), 3, (RAISED,)),
    "stop=9": ((), 9, (OWN.format(9),)),
    "quitting=9 failing": ((), 9, (OWN.format(9),)),
    "watchdog=7 others": ((), 7, (OTHERS, OWN.format(7))),
    "quitting=0 failing": ((), 0, (OWN.format(0),)),
    "stop=1 silent": ((), 3, ()),
    "stop=9 silent": ((), 9, (OWN.format(9),)),
    "breaking": ((), 2, ("an exception outside the scenario ",)),
    "failing others": (("--exit-code-on-error", 5), 5, (OTHERS, FAILURES.format(5))),
    "failing checking": (("--exit-code-on-error", 0), 0, (OTHERS, FAILURES.format(0))),
    "checking failing": (("--slo", "failed.ratio <= 100%"), 1, (OTHERS,)),
    "others stop=3": (("--exit-code-on-error", 0), 3, (OTHERS, OWN.format(3))),
}
OF_WORKERS = ("", "others", "checking", "watchdog=7 others", "quitting=0 failing", "failing others")


@pytest.fixture
def run(start, recorder, tmp_path):
    """Runs the scenario in which ``what`` happens."""
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(SCENARIO)

    def ended(what, *options, run_time="2s"):
        run_time = "120s" if "watchdog" in what else run_time  # the watchdog ends it
        more = {"locustfile": locustfile, "result_dir": tmp_path / "results", "variables": {"WHAT": what}}
        fixed = ("--stop-timeout", 5, "--metrics-port", "off", *options)
        done = start.headless(recorder.url, *fixed, users=2, run_time=run_time, **more).wait()
        return done, "".join(each.read_text() for each in (tmp_path / "results").rglob("report.html"))

    return ended


def check(done, report, status, causes):
    """Compare the status of the process, and its causes, with the result, the report and the printed verdict."""
    verdict = done.result["verdict"]
    machine = verdict["trust"] == "invalid" and status in (0, 1, 5)  # too busy to measure
    assert done.status == verdict["exit_code"] == (3 if machine else status), done.output
    for cause in causes if not machine else ():
        (said,) = [reason for reason in verdict["reasons"] if reason.startswith(cause)]
        assert f"  - {said[:40]}" in done.output
        assert said in html.unescape(report)


@pytest.mark.parametrize("what", CASES)
def test_the_worse_of_both_is_the_exit_status_and_the_verdict_says_why(run, what):
    options, status, causes = CASES[what]
    check(*run(what, *options), status, causes)


@pytest.mark.parametrize("what", OF_WORKERS)
def test_it_is_the_same_with_workers(run, two_processes, what):
    options, status, causes = CASES[what]
    # Long enough for each of the workers to have done everything, also on a busy machine.
    check(*run(what, *two_processes(), *options, run_time="6s"), status, causes)


def test_failures_beside_the_streams_are_counted_alone(run):
    done, _ = run("failing checking")
    (failed,) = [sum(each["outcomes"].values()) for each in done.result["streams"]]
    assert f"Locust counted {failed} failures that are not streams" in done.output


def test_a_worker_elsewhere_changes_nothing_and_keeps_the_status_that_its_own_listeners_set(
    start, recorder, free_port, tmp_path
):
    locustfile, port = tmp_path / "scenario.py", free_port()
    locustfile.write_text(SCENARIO)
    more = {"locustfile": locustfile, "variables": {"WHAT": "others failing stop=9"}}
    worker = start("--worker", "--master-port", port, **more)
    master = ("--master", "--expect-workers", 1, "--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    options = (*master, "--metrics-port", "off")
    more["result_dir"] = tmp_path / "results"
    done = start.headless(recorder.url, *options, users=2, run_time="2s", **more).wait()
    assert done.status == done.result["verdict"]["exit_code"] == 9, done.output
    assert OTHERS in done.output
    assert worker.wait().status == 9
