"""The examples of docs/instrument-your-app.md work as written there."""

import asyncio
import importlib
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from starlette.applications import Starlette

from streamgauge.asgi import StreamMetrics

GUIDE = Path(__file__).parents[2] / "docs" / "instrument-your-app.md"
EXAMPLES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", GUIDE.read_text(), re.DOTALL))

WORKERS = ("-k", "uvicorn_worker.UvicornWorker", "-w", "2")
GUNICORN = ("-m", "gunicorn", "-c", "gunicorn_conf.py", *WORKERS, "-b", "127.0.0.1:{port}", "--log-level", "critical")


def fetched(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


@pytest.fixture
def run(tmp_path, until, free_port):
    """Run programs in a directory with the examples, on ports of their own."""
    port, metrics = free_port(), free_port()
    numbers = {"port=8000": f"port={port}", "port=9101": f"port={metrics}", "workers=4": "workers=2"}
    for name, text in EXAMPLES.items():
        (tmp_path / f"{name}.py").write_text(re.sub("|".join(numbers), lambda found: numbers[found[0]], text))
    (tmp_path / "service.py").write_text(EXAMPLES["app"].partition("app.add_middleware")[0])
    processes = []

    def start(*arguments):
        variables = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
        command = [sys.executable, *(argument.format(port=port) for argument in arguments)]
        processes.append(subprocess.Popen(command, cwd=tmp_path, env=variables))
        base, scraped = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics}/metrics"
        until(lambda: serves(base))
        return base, scraped

    yield start
    for process in processes:
        process.terminate()
        process.wait(60)


def serves(base):
    try:
        return fetched(base + "/openapi.json")
    except OSError:
        return ""


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "uvicorn", "app:app", "--port", "{port}", "--log-level", "critical"),
        ("serve.py",),
        (*GUNICORN, "workers:app"),
        (*GUNICORN, "--preload", "workers:app"),
    ],
    ids=["two lines", "several workers", "gunicorn", "gunicorn that preloads"],
)
def test_an_instrumented_app_shows_its_streams(run, until, command):
    base, scraped = run(*command)
    for _ in range(5):
        assert fetched(base + "/rooms/7/events").count("data:") == 3
    labels = 'protocol="sse",route="/rooms/{room}/events"'
    until(lambda: chunks(fetched(scraped)) == 15)
    assert labels in fetched(scraped).replace('route="/rooms/{room}/events",protocol="sse"', labels)


def chunks(text):
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("stream_server_chunks_total{"))


def loaded(name):
    found = {"__name__": name}
    exec(compile(EXAMPLES[name], f"{name}.py", "exec"), found)
    return found


def test_a_taken_metrics_port_does_not_stop_a_host_that_names_the_middleware(tmp_path, busy, monkeypatch, caplog):
    """vLLM's option --middleware names a class in a module."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "measured.py").write_text(EXAMPLES["measured"].replace("9101", str(busy)))
    app = Starlette()
    app.add_middleware(importlib.import_module("measured").StreamMetrics)
    assert (
        f"The service starts without its metrics port, which is asked for again: cannot open metrics port {busy}"
        in (caplog.text)
    )


def test_quarts_route_is_its_rule(serve, until):
    example = loaded("quart_app")
    service = serve(example["quart"], route=example["route"])
    service.get("/rooms/7/events")
    service.get("/nowhere")
    until(lambda: service.value("finished_total", route="/rooms/<room>/events", outcome="completed") == 1)
    assert service.routes("http_server_request_duration_seconds_count") == {"none"}
    assert isinstance(example["app"], StreamMetrics)


def test_the_marks_of_the_example_are_counted(serve, until):
    marks, full = loaded("marks"), [False]

    async def broken():
        yield b"data: 1\n\n"
        raise ValueError("broken")

    async def inner(scope, receive, send):
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        request = type("Request", (), {"scope": scope})
        async for chunk in marks["body"](request, broken()):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    async def app(scope, receive, send):
        if scope["type"] == "http":
            scope["state"] = {"full": full[0]}
            await marks["guard"](scope, receive, send, inner)

    service = serve(app)
    assert b"event: error" in service.get("/s")
    full[0] = True
    assert service.get("/s") == b""
    until(lambda: service.value("finished_total", outcome="error") == 1)
    assert service.value("rejected_total", reason="capacity") == 1


def test_every_example_is_tested():
    assert set(EXAMPLES) == {"app", "gunicorn_conf", "measured", "serve", "workers", "marks", "quart_app"}
    assert asyncio.iscoroutinefunction(loaded("marks")["guard"])
