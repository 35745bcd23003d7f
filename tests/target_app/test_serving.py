"""Starting and ending: settings, ports, signals."""

import json
import re
import signal
import socket
import subprocess
import sys

import pytest


def test_help_lists_every_setting_with_its_variable(run):
    result = run("--help")
    assert result.returncode == 0
    for option in ("host", "port", "metrics-port", "http", "grace-s", "log-level"):
        assert f"--{option} " in result.stdout
        assert f"TARGET_APP_{option.upper().replace('-', '_')}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        (["--port", "99999"], {}, "--port: must .*, got '99999'"),
        (["--port", "http"], {}, "--port: must .*, got 'http'"),
        (["--metrics-port", "-1"], {}, "--metrics-port"),
        (["--metrics-port", ""], {}, "--metrics-port: must .*, got ''"),
        (["--http", "h2"], {}, "--http: must .*, got 'h2'"),
        (["--grace-s", "1.5"], {}, "--grace-s: must .*, got '1.5'"),
        (["--log-level", "loud"], {}, "--log-level: must .*, got 'loud'"),
        (["--port", "8123", "--metrics-port", "8123"], {}, "8123"),
        (["--prot", "8000"], {}, "--prot"),
        ([], {"TARGET_APP_PORT": "x"}, "TARGET_APP_PORT: must .*, got 'x'"),
        (["--host", "no such host"], {}, "no such host"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(run, arguments, variables, named):
    result = run(*arguments, **variables)
    assert result.returncode == 2
    assert re.search(named, result.stderr)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("option", ["--port", "--metrics-port"])
def test_a_busy_port_is_named_in_one_line(run, option):
    other = "--metrics-port" if option == "--port" else "--port"
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        result = run(option, port, other, "0")
    assert result.returncode == 2
    assert f"{option} {port}" in result.stderr
    assert "Address already in use" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_environment_sets_what_the_command_line_leaves_open(start):
    app = start(TARGET_APP_HTTP="h11", TARGET_APP_PORT="1")
    assert app.announcement["url"] != "http://127.0.0.1:1"
    assert app.get("/healthz").status == 200


def test_the_announcement_names_both_addresses(start):
    app = start()
    assert app.announcement["event"] == "listening"
    assert app.announcement["pid"] == app.process.pid
    assert app.announcement["metrics_url"].endswith("/metrics")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_metrics_are_open_to_others_only_where_that_is_asked_for(start, workers):
    several = ("--host", "0.0.0.0", "--workers", workers)
    assert start(*several).announcement["metrics_url"].startswith("http://127.0.0.1:")
    asked = start(*several, TARGET_APP_METRICS_HOST="127.0.0.2")
    assert asked.announcement["metrics_url"].startswith("http://127.0.0.2:")


def test_the_module_is_the_program():
    command = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_app_at_once(start, number):
    app = start()
    app.process.send_signal(number)
    assert app.end() == 0


def test_streams_under_way_do_not_hold_the_end_up(start):
    app = start("--grace-s", "1")
    with app.connect("/stream/sse?chunks=1000&interval_ms=1000") as connection:
        assert connection.recv(65536)
        app.process.send_signal(signal.SIGTERM)
        assert app.end() == 0


def test_a_stream_that_ends_within_the_grace_time_ends_whole(start):
    app = start("--grace-s", "600")
    with app.connect("/stream/sse?chunks=20&interval_ms=50") as connection:
        received = connection.recv(65536)
        app.process.send_signal(signal.SIGTERM)
        received += b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"event: done" in received
    assert received.endswith(b"0\r\n\r\n")
    assert app.end() == 0
