"""The server's families beside those of other owners: the app's own metrics, and OpenTelemetry's."""

import asyncio
import os
import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from streamgauge.asgi import Instruments, StreamMetrics

REQUESTS = "http_server_request_duration_seconds"


async def plain(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


def ask(measured):
    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(measured(scope, receive, send))


def names(registry):
    return {sample.name for family in registry.collect() for sample in family.samples}


@pytest.fixture
def registry():
    return CollectorRegistry()


def test_the_apps_own_metrics_keep_their_created_series_and_ours_have_none():
    code = """
from prometheus_client import Counter, CollectorRegistry
registry = CollectorRegistry()
Counter("own", "Own.", registry=registry).inc()
from streamgauge.asgi import Instruments
Instruments.of(registry).started.labels("/", "sse").inc()
print(sorted(s.name for f in registry.collect() for s in f.samples if s.name.endswith("_created")))
"""
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_DISABLE_CREATED_SERIES"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "['own_created']\n", done.stderr


def test_a_name_that_the_registry_has_is_an_error_that_names_it_and_registers_nothing(registry):
    taken = Counter("stream_server_chunks_total", "Own.", registry=registry)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"already has a metric named 'stream_server_chunks'.*registry=Coll"):
            StreamMetrics(plain, registry=registry)
    registry.unregister(taken)
    StreamMetrics(plain, registry=registry)


def test_requests_can_be_left_out(registry):
    own = Histogram(REQUESTS, "Own.", registry=registry)
    measured = StreamMetrics(plain, registry=registry, requests=False)
    ask(measured)
    own.observe(1)
    assert registry.get_sample_value(f"{REQUESTS}_count") == 1


def test_requests_are_left_out_of_instruments_that_already_have_them(registry):
    Instruments.of(registry)
    ask(StreamMetrics(plain, registry=registry, requests=False))
    assert not {name for name in names(registry) if name.startswith(REQUESTS)}
    assert "event_loop_lag_seconds_count" in names(registry)


OPENTELEMETRY = """
import os
os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from streamgauge.asgi import StreamMetrics
metrics.set_meter_provider(MeterProvider(metric_readers=[PrometheusMetricReader({options})]))
api = FastAPI()
@api.get("/")
async def index() -> str:
    return ""
FastAPIInstrumentor.instrument_app(api)
client = TestClient(StreamMetrics(api))
for _ in range(3):
    client.get("/")
    page = generate_latest(REGISTRY).decode()
    list(text_string_to_metric_families(openmetrics(REGISTRY).decode()))
counts = [line for line in page.splitlines() if "http_server_request_duration_seconds_count" in line]
print([(line.split("{{")[0], line.split()[-1], "http_route" in line) for line in counts])
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", [(f"{REQUESTS}_count", "3.0", True)]),
        ("prefix='otel'", [(f"{REQUESTS}_count", "3.0", False), (f"otel_{REQUESTS}_count", "3.0", True)]),
    ],
    ids=["same name", "prefix"],
)
def test_a_page_with_opentelemetrys_requests_is_valid_and_counts_each_once(options, expected):
    pytest.importorskip("opentelemetry.exporter.prometheus")
    code = OPENTELEMETRY.format(options=options)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert sorted(eval(done.stdout)) == expected
    assert done.stderr.count("OpenTelemetry exports http_server_request_duration_seconds") == (not options)


def test_the_page_of_all_families_is_valid_in_both_formats(registry):
    ask(StreamMetrics(plain, registry=registry))
    assert list(parse_openmetrics(openmetrics(registry).decode()))
    text = generate_latest(registry).decode()
    types = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
