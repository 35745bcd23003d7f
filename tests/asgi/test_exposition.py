"""What the metrics port serves."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from streamgauge.asgi import Instruments, MetricsPortError, serve_metrics
from streamgauge.asgi.recorder import Recorder


def scrape(url, accept="*/*"):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=60) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


@pytest.fixture
def server():
    registry = CollectorRegistry()
    Gauge("river_level_meters", "How high.", registry=registry).set(1.5)
    feed(registry)
    with serve_metrics(0, "127.0.0.1", registry) as running:
        yield running


def feed(registry):
    """Measure one lifespan, so that the page of this registry is right."""

    async def lifespan():
        Recorder(Instruments.of(registry)).stop()

    asyncio.run(lifespan())


def test_the_port_is_open_on_loopback_only_unless_a_host_is_given():
    with serve_metrics(0, registry=CollectorRegistry()) as running:
        assert running.url == f"http://127.0.0.1:{running.port}/metrics"


def test_the_port_is_free_again_once_it_is_closed():
    with serve_metrics(0, registry=CollectorRegistry()) as running:
        port = running.port
    with serve_metrics(port, registry=CollectorRegistry()) as again:
        assert again.port == port
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_serves_the_plain_format(server):
    content_type, text = scrape(server.url)
    assert content_type.startswith("text/plain; version=0.0.4")
    assert "river_level_meters" in {family.name for family in parse_plain(text)}
    assert "river_level_meters 1.5" in text


def test_serves_openmetrics_if_the_scrape_accepts_it(server):
    content_type, text = scrape(server.url, "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert "stream_server_started" in {family.name for family in parse_openmetrics(text)}


def test_another_path_answers_404_and_names_the_metrics_path(server):
    with pytest.raises(urllib.error.HTTPError, match="404") as answer:
        scrape(server.url.removesuffix("metrics"))
    assert b"/metrics" in answer.value.read()
    answer.value.close()


def test_the_error_names_a_port_that_is_in_use():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            MetricsPortError,
            match=rf"cannot open metrics port {port} on 127\.0\.0\.1: Address already in use; choose another port or "
            r"host\. If several workers .*prepare_multiprocess\(\)",
        ):
            serve_metrics(port, "127.0.0.1", CollectorRegistry())


@pytest.mark.parametrize("port", [-1, 65536])
def test_the_error_names_a_port_out_of_range(port):
    with pytest.raises(MetricsPortError, match=f"metrics port {port} on"):
        serve_metrics(port, "127.0.0.1", CollectorRegistry())


def test_the_error_names_an_unknown_host():
    with pytest.raises(MetricsPortError, match="on no such host"):
        serve_metrics(0, "no such host", CollectorRegistry())


def test_serves_the_metrics_of_all_processes(tmp_path):
    """Run in other processes, since prometheus_client reads the variable when it is imported."""
    write = """
import asyncio
from prometheus_client import REGISTRY
from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.recorder import Recorder
async def main():
    recorder = Recorder(Instruments.of(REGISTRY))
    recorder.series("/s", "sse").count_send(None, 0, 100)
    recorder.stop()
asyncio.run(main())
"""
    read = """
import urllib.request
from streamgauge.asgi import serve_metrics
with serve_metrics(0, "127.0.0.1") as server:
    print(urllib.request.urlopen(server.url, timeout=60).read().decode())
"""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", write], env=environment, check=True)
    (tmp_path / "counter_7.db").touch()  # a file that another process is just creating
    text = subprocess.run(
        [sys.executable, "-c", read], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert 'stream_server_chunks_total{protocol="sse",route="/s"} 2.0' in text
