"""``streamgauge run`` on the sample app, on Node and on Go, each with one line."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.testbed.server import Server
from streamgauge.runner.finished_run import run_locust
from streamgauge.runner.process import Children

pytestmark = pytest.mark.timeout(600)

SERVERS = Path(__file__).parents[1] / "e2e" / "servers"
KNOBS = "chunks=10&interval_ms=20"
CHAT = '{"model": "river", "stream": true, "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}'
RULE = "time_to_first_chunk.p50 < 60s"
LOAD = ("-u", 3, "-t", "1s")


@pytest.fixture(scope="module")
def runs(app, quick, tmp_path_factory):
    """All runs, two at a time: they mostly wait."""
    saved = tmp_path_factory.mktemp("saved") / "listener.py"
    port = app.rpartition(":")[2]
    lines = {
        "sse": (
            f"{app.removeprefix('http://')}/stream/sse?{KNOBS}",
            "--end",
            "event:done",
            "--save",
            saved,
            "--slo",
            RULE,
            *LOAD,
        ),
        "chat": (f"{app}/v1/chat/completions", "-d", CHAT, "-H", "Authorization: Bearer t0p", *LOAD),
        "websocket": (f"{app.replace('http', 'ws')}/stream/ws?{KNOBS}", "--processes", 2, "--shape", "ramp", *LOAD),
        "elsewhere": (
            f"http://river.test/stream/sse?{KNOBS}",
            *("--connect-to", f"river.test:80:there.test:{port}", "--resolve", f"there.test:{port}:127.0.0.1"),
            *("--rate", "30", "--warm-up", "1s", "--slo", RULE, "-t", "2s"),
        ),
        "nothing there": (f"{app}/no/such", "--name", "lost", *LOAD),
        "no stream": (f"{app}/healthz", *LOAD),
    }
    with ThreadPoolExecutor(2) as pool:
        found = {name: pool.submit(quick, *line) for name, line in lines.items()}
        done = {name: each.result() for name, each in found.items()}
    return {**done, "saved": saved}


def test_the_format_of_an_event_stream_is_found(runs):
    streams = runs["sse"].check().streams["/stream/sse"]
    assert (streams["protocol"], streams["chunks"]) == ("sse", streams["started"] * 11)


def test_a_rule_decides_in_the_run_and_in_its_locustfile(runs):
    (judged,) = runs["sse"].result["verdict"]["slo"]
    assert (judged["rule"], judged["passed"]) == (RULE, True)
    assert f'stream_slo="{RULE}"' in runs["saved"].read_text()


def test_a_json_body_is_posted_to_a_language_model(runs):
    streams = runs["chat"].check().streams["/v1/chat/completions"]
    assert streams["protocol"] == "openai"
    assert streams["tokens"] > 0


def test_a_websocket_is_read_by_two_processes(runs):
    done = runs["websocket"].check()
    assert done.streams["/stream/ws"]["protocol"] == "websocket"
    run = done.result["run"]
    assert (run["workers"], run["shape"]["text"]) == (2, "ramp:from=0,to=3,time=1s")


def test_options_of_locust_have_their_effects_in_the_run(runs):
    done = runs["elsewhere"].check()
    assert done.streams["/stream/sse"]["protocol"] == "sse"
    run, verdict = done.result["run"], done.result["verdict"]
    assert (run["host"], run["load_model"], run["arrivals"]["process"]) == ("http://river.test", "open", "30/s")
    assert (done.result["warm_up"]["asked"], done.result["warm_up"]["until_s"]) == ("1s", 1)
    assert [(each["rule"], each["passed"]) for each in verdict["slo"]] == [(RULE, True)]
    assert {"--connect-to", "--resolve", "--rate", "--warm-up"} <= {*run["command"].split()}


def test_a_run_shows_its_progress_its_paths_and_the_next_command(runs):
    done = runs["sse"]
    assert re.search(r"of 1 s, \S+.*: users 3, streams active", done.errors)
    assert "\x1b" not in done.output + done.errors
    assert re.search(r"^  report +\S+/report\.html$", done.output, re.MULTILINE)
    assert done.output.splitlines()[-1].startswith("  streamgauge run --result-dir "), done.output
    assert max(map(len, done.output.splitlines()[:-1])) <= max(80, len(str(done.results)) + 70)


def test_the_result_names_the_command_without_what_opens_doors(runs):
    assert runs["sse"].result["run"]["command"].startswith("streamgauge run --result-dir")
    text = json.dumps(runs["chat"].result)
    assert "t0p" not in text
    assert "t0p" not in runs["chat"].output + runs["chat"].errors
    step = runs["chat"].output.splitlines()[-1]
    assert step.startswith("  the same command with -")
    if runs["chat"].result["verdict"]["trust"] == "trusted":  # else the next step is to measure again
        assert step == "  the same command with -u 30 -t 30s"


def test_the_saved_locustfile_gives_the_same_load(runs, tmp_path):
    saved = runs["saved"]
    assert saved.stat().st_mode & 0o077 == 0
    done = run_locust(saved, "--headless", "--metrics-port", "off", result_dir=tmp_path)
    run, before = done.result["run"], runs["sse"].result["run"]
    assert {key: run[key] for key in ("users", "spawn_rate", "host")} == {
        key: before[key] for key in ("users", "spawn_rate", "host")
    }
    assert re.search(r"Run time limit set to 1 seconds", done.output)
    assert [each["rule"] for each in done.result["verdict"]["slo"]] == [RULE]
    assert done.outcomes.keys() == {"completed"}


def test_a_path_that_does_not_exist_is_explained(runs):
    done = runs["nothing there"]
    assert done.status == 1, done.output
    assert done.streams["lost"]["outcomes"].keys() == {"http_error"}
    assert "answered with status 404" in done.output


def test_what_is_no_stream_is_said_to_be_none(runs):
    done = runs["no stream"]
    assert done.status in (0, 3)
    assert "This is no stream: each response came in one piece" in done.output


def test_a_target_that_refuses_connections_is_explained(quick, free):
    done = quick(f"127.0.0.1:{free}/x", "-t", "1s", "-u", 1)
    assert done.status in (1, 3)
    assert f"Nothing answers at http://127.0.0.1:{free}." in " ".join(done.output.split())


def test_files_with_options_of_locust_do_not_change_the_run(app, quick, tmp_path):
    (tmp_path / "locust.conf").write_text("stream-path = /healthz\nusers = 7\n")
    (tmp_path / "pyproject.toml").write_text('[tool.locust]\nstream-name = "x"\n')
    done = quick(f"{app}/stream/sse?{KNOBS}", "-H", "X-Api-Key: t0p", *LOAD, cwd=tmp_path).check()
    assert done.streams.keys() == {"/stream/sse"}
    assert done.result["run"]["users"] == 3
    assert "t0p" not in json.dumps(done.result) + done.output


def test_an_option_that_locust_refuses_is_named_with_its_own_name(quick, tmp_path):
    done = quick("http://127.0.0.1:1/x", "--proxy", "ftp://x", "--save", tmp_path / "x.py")
    assert done.status == 2
    told = r"Wrote \S+/x\.py\nStarting Locust: .*\nError: --proxy: .*'ftp://x'.*\nRemoved \S+/x\.py again\n"
    assert re.fullmatch(told, done.errors), done.errors
    assert not list(done.results.iterdir())
    assert not (tmp_path / "x.py").exists()  # the corrected command may write it


@pytest.mark.node
def test_a_node_server_is_one_line(quick, program):
    with Server(program("node"), str(SERVERS / "node_http.mjs")) as source:
        done = quick(f"{source.url}/ndjson?{KNOBS}", *LOAD).check()
        assert done.streams["/ndjson"]["protocol"] == "ndjson"
        assert done.streams["/ndjson"]["chunks"] == source.log().chunks


def test_a_go_server_is_one_line(quick, program, tmp_path):
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    go = found or program("go")
    build = tmp_path / "go_http"
    with ExitStack() as stack:
        stack.enter_context(Children()).start(
            "go", [go, "build", "-o", str(build), str(SERVERS / "go_http.go")], tmp_path / "go.log"
        ).wait(300)
        source = stack.enter_context(Server(str(build)))
        done = quick("curl", "-sSN", f"{source.url}/events").check()
    streams = done.streams["/events"]
    assert (streams["protocol"], streams["chunks"]) == ("sse", streams["started"] * 11)
    assert Path(build).exists()
