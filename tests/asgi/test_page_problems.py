"""A page that cannot be right is a failed scrape that says what to do; anything else is a page."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.asgi import MetricsPortError, StreamMetrics, serve_metrics


def scraped(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


async def ask(measured):
    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        pass

    await measured({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def server(registry):
    with serve_metrics(0, registry=registry) as running:
        yield running


def test_a_page_that_no_middleware_feeds_is_a_failed_scrape_logged_once(server, caplog):
    for _ in range(3):
        status, text = scraped(server.url)
        assert status == 503
        assert "Wrap the app, StreamMetrics(app)" in text or "pass the same registry" in text
    assert len(caplog.records) == 1
    assert text.strip() in caplog.text


def test_a_page_whose_middleware_the_server_does_not_call_is_a_failed_scrape(server, registry):
    measured = StreamMetrics(app, registry=registry)
    status, text = scraped(server.url)
    assert status == 503
    assert "app.add_middleware(StreamMetrics)" in text
    asyncio.run(ask(measured))
    status, text = scraped(server.url)
    assert status == 200
    assert 'http_server_request_duration_seconds_count{method="GET"' in text


def test_a_middleware_with_another_registry_is_told(server):
    asyncio.run(ask(StreamMetrics(app, registry=CollectorRegistry())))
    status, text = scraped(server.url)
    assert status == 503
    assert "pass the same registry to StreamMetrics and serve_metrics" in text


def test_a_loop_that_is_not_asyncios_costs_the_metrics_and_not_the_app(server, registry, caplog):
    trio = pytest.importorskip("trio")
    measured, sent = StreamMetrics(app, registry=registry), []

    async def send(message):
        sent.append(message["type"])

    for _ in range(2):
        trio.run(measured, {"type": "http"}, None, send)
    assert sent == ["http.response.start", "http.response.body"] * 2
    assert len([record for record in caplog.records if "on asyncio only" in record.message]) == 1
    status, text = scraped(server.url)
    assert status == 503
    assert "--worker-class asyncio" in text


def run(code, **environment):
    """Run Python code in a process of its own; return what it printed and logged."""
    variables = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    command = [sys.executable, "-c", PREAMBLE + code]
    return subprocess.run(command, env=variables | environment, capture_output=True, text=True, timeout=60, check=False)


PREAMBLE = """
import asyncio, os, shutil, sys, urllib.error, urllib.request
from pathlib import Path
from streamgauge.asgi import *
async def app(scope, receive, send):
    streams = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": streams})
    await send({"type": "http.response.body", "body": b"data: 1\\n\\n"})
async def ask(measured):
    async def receive():
        await asyncio.Event().wait()
    async def send(message):
        pass
    await measured({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)
def scrape(server):
    try:
        with urllib.request.urlopen(server.url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
"""


def test_a_fork_of_the_process_that_serves_the_page_is_told_and_the_scrape_fails():
    """A server that loads the app and then forks its workers (gunicorn --preload)."""
    done = run("""
measured = StreamMetrics(app)
server = serve_metrics(0)
if not os.fork():
    asyncio.run(ask(measured))
    os._exit(0)
os.wait()
print(*scrape(server))
""")
    assert done.stdout.startswith("503 No stream is measured in this process, which has forked")
    assert "prepare_multiprocess()" in done.stdout
    assert re.search(r"Process \d+ measures streams that no metrics page shows.*prepare_multiprocess\(\)", done.stderr)


def test_a_fork_does_not_hold_the_port_of_its_parent():
    done = run("""
import socket
server = serve_metrics(0)
port = server.port
here, there = os.pipe()
forked, fork = os.pipe()
if not os.fork():
    os.write(fork, b".")
    os.read(here, 1)
    os._exit(0)
os.read(forked, 1)
server.close()
with socket.socket() as client:
    print(client.connect_ex(("127.0.0.1", port)) != 0)
os.write(there, b".")
""")
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("shutil.rmtree(directory)", "is gone"),
        ("[file.unlink() for file in directory.glob('*.db')]", "Files of process"),
        ("[file.unlink() for file in directory.iterdir()]", "Files of process"),
    ],
    ids=["directory", "metric files", "all files"],
)
def test_files_that_are_gone_are_a_failed_scrape_and_cost_no_stream(tmp_path, loss, said):
    done = run(
        f"""
directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
measured = StreamMetrics(app)
async def main():
    await ask(StreamMetrics(app, route=lambda scope: "before"))
    with serve_metrics(0) as server:
        print((await asyncio.to_thread(scrape, server))[0])
        {loss}
        await ask(StreamMetrics(app, route=lambda scope: "after"))
        await asyncio.sleep(0.5)
        print(*await asyncio.to_thread(scrape, server))
asyncio.run(main())
""",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    )
    first, second = filter(None, done.stdout.splitlines())
    assert first == "200", done.stderr
    assert second.startswith("503 ")
    assert said in second
    assert "Restart the service, with PROMETHEUS_MULTIPROC_DIR" in second


def test_a_stream_is_served_if_the_directory_goes_before_the_first_one(tmp_path):
    done = run(
        """
directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
measured = StreamMetrics(app)
shutil.rmtree(directory)
asyncio.run(ask(measured))
""",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr


def test_before_a_worker_has_measured_anything_the_scrape_fails(tmp_path):
    done = run("print(*scrape(serve_metrics(0)))", PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert done.stdout.startswith("503 No process has measured anything in"), done.stderr


def test_serving_twice_is_one_server_until_both_are_closed(registry):
    first = serve_metrics(0, registry=registry)
    second = serve_metrics(first.port, registry=registry)
    assert second is first
    first.close()
    assert scraped(second.url)[0] == 503
    second.close()
    with pytest.raises(urllib.error.URLError):
        scraped(second.url)


def test_another_registry_on_the_same_port_is_an_error(server):
    with pytest.raises(MetricsPortError, match="this process serves another registry there"):
        serve_metrics(server.port, registry=CollectorRegistry())


def test_a_port_that_is_not_required_is_logged_and_opened_later(registry, busy_port, caplog, until, monkeypatch):
    monkeypatch.setattr("streamgauge.asgi.metrics_port.RETRY_S", 0.01)
    other, port = busy_port
    with serve_metrics(port, registry=registry, required=False) as server:
        assert not server.listening
        assert (
            f"The service starts without its metrics port, which is asked for again: cannot open metrics port {port}"
            in (caplog.text)
        )
        other.close()
        until(lambda: server.listening)
        assert scraped(server.url)[0] == 503


@pytest.fixture
def busy_port():
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other, other.getsockname()[1]


def test_a_module_that_runs_twice_in_one_process_serves_once(tmp_path, free):
    (tmp_path / "main.py").write_text(f"""
from streamgauge.asgi import StreamMetrics, serve_metrics
app = StreamMetrics(print)
server = serve_metrics(port={free})
if __name__ == "__main__":
    import main
    print(main.server is server)
""")
    done = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr
    shutil.rmtree(tmp_path)
