"""Faults made on purpose raise the alerts that are meant for them, and no others, in a real Prometheus.

The rules are the committed ones with shorter windows, built by the same code. Real apps stream to real load tests.
"""

import asyncio
import json
import math
import signal
import urllib.request

import pytest

from monitoring.rules.files import groups
from monitoring.rules.plan import Plan
from monitoring.rules.rule import Recording

pytestmark = pytest.mark.timeout(900)

#: What each job's fault is to raise: page and cause where users feel it, the cause alone where they do not yet.
MEANT = {
    "app-healthy": set(),
    "load-healthy": set(),
    "app-truncated": {("StreamSuccessBudgetBurn", "page"), ("StreamsErrored", "ticket")},
    "load-truncated": {("ClientStreamsTruncated", "ticket")},
    "app-silent": {("StreamsSilent", "page")},
    "load-silent": {("ClientStreamsStalled", "ticket")},
    "app-pausing": {("StreamsStalled", "ticket")},
    "app-blocked": {("EventLoopLag", "ticket")},
    "app-slowly-read": {("SlowReaders", "info")},
    "app-full": {("StreamsRefused", "ticket"), ("RequestsFailed", "ticket")},  # it refuses with a 503
    "app-down": {("StreamAppDown", "page")},
    "load-starved": {("GeneratorNotTrusted", "info")},
}
#: What a fault raises as well if the site is watched for longer, which a busy machine is.
SLOWLY = {"app-truncated": {("StreamSuccessBudgetBurn", "ticket")}}
RECORDED = [
    rule.name
    for found in groups(Plan()).values()
    for group in found
    for rule in group.rules
    if isinstance(rule, Recording)
]
UNTRUSTED = ("GeneratorNotTrusted", "info")
#: What it looks like when a process cannot run; of a target that is not scraped, after ``down_s``.
LATENESS = {
    "EventLoopLag",
    "StreamsStalled",
    "StreamsSilent",
    "StreamFirstChunkBudgetBurn",
    "StreamChunkIntervalBudgetBurn",
    "StreamAppDown",
    "ClientStreamsStalled",
}
#: As long as the longest wait and window that a cause needs, twice.
WATCHED_S = 30
PLAIN = "/stream/sse?chunks=60&interval_ms=50"


async def starve(process):
    """Take the CPU from a process for half of the time."""
    while True:
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.7)
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.7)


@pytest.fixture(scope="module")
def site(empty_site):
    """All faults at once, watched for long enough."""
    site = empty_site
    options = {job: [] for job in MEANT if job.startswith("app-")} | {"app-full": ["--max-streams", "6"]}
    apps = site.apps(options)
    site.load("load-healthy", apps["app-healthy"], PLAIN)
    site.load("load-truncated", apps["app-truncated"], "/stream/sse?chunks=60&interval_ms=50&fail_at=20&fail_how=cut")
    silent = "/stream/sse?chunks=60&fail_at=0&fail_how=stall"
    site.load("load-silent", apps["app-silent"], silent, "--first-chunk-timeout", "3")
    starved = site.load("load-starved", apps["app-healthy"], PLAIN)
    site.read(apps["app-pausing"], "/stream/sse?chunks=10000&interval_ms=20", 10)
    site.read(apps["app-pausing"], "/stream/ndjson?chunks=100&interval_ms=1500", 4)
    site.read(apps["app-blocked"], "/stream/sse?chunks=10000&interval_ms=50", 8)
    site.read(apps["app-blocked"], "/pathologies/blocking?chunks=1000&interval_ms=50&block_ms=250", 1)
    site.read(apps["app-slowly-read"], "/stream/bytes?chunks=1000&interval_ms=0&chunk_bytes=65536", 5, pause_s=1.5)
    site.read(apps["app-full"], PLAIN, 12)
    site.read(apps["app-down"], PLAIN, 4)
    site.watch()
    apps["app-down"].process.kill()
    site.background(starve(starved))
    site.wait_for(WATCHED_S)
    site.settle(lambda: all(MEANT[job] <= site.fired(job) for job in MEANT) and set(RECORDED) <= site.recorded())
    return site


def distrusted(site, job, then=""):
    """Whether a load test's verdict was ever less than trusted, by now or by ``then``."""
    return site.value(f'min_over_time(stream_client_trust{{job="{job}"}}[10m]{then}) < 2') is not None


@pytest.mark.parametrize("job", MEANT)
def test_a_fault_raises_the_alerts_meant_for_it_and_no_others(site, job):
    due = distrusted(site, job, " offset 10s")
    fired = site.fired(job)
    allowed = SLOWLY.get(job, set()) | ({UNTRUSTED} if distrusted(site, job) else set())
    if site.was_held(job):
        allowed |= {alert for alert in fired if alert[0] in LATENESS}
    assert MEANT[job] | ({UNTRUSTED} if due else set()) <= fired <= MEANT[job] | allowed


def test_what_an_alert_says_is_whole(site):
    said = [text for each in site.annotations() for text in each.values()]
    assert said
    assert not [text for text in said if "error expanding" in text or "no value" in text or "NaN" in text]


def test_an_alert_links_to_a_page_that_is_there(site):
    urls = {each["runbook_url"] for each in site.annotations()}
    assert urls
    for url in urls:
        with urllib.request.urlopen(url, timeout=60) as page:
            assert page.read().startswith(f"# {url.rsplit('/', 1)[1].removesuffix('.md')}\n".encode())


def test_every_rule_is_evaluated_without_an_error(site):
    assert site.unhealthy() == []


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_has_values_that_can_be(site, name):
    values = [float(value) for each in site.ask(f"{{__name__={json.dumps(name)}}}[10m]") for _, value in each["values"]]
    assert values
    assert all(0 <= value < math.inf for value in values)
    if "ratio_rate" in name:
        assert max(values) <= 1
