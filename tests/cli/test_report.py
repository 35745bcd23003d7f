"""``streamgauge report``: results, whole and broken."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from streamgauge.report.result import SCHEMA
from streamgauge.report.summary import summary
from streamgauge.stats.histogram import Histogram
from tests.report.printed import Shown, columns_of


@pytest.fixture
def result() -> dict[str, Any]:
    histogram = Histogram()
    histogram.record_ns(50_000_000, 1_000)  # enough for each percentile that is shown
    streams = {
        "name": "/stream/sse",
        "protocol": "sse",
        "started": 1,
        "outcomes": {"completed": 1},
        "chunks": 2,
        "bytes": 300,
        "heartbeats": 0,
        "stalls": 0,
        "coalesced_share": 0.0,
        "reasons": {},
        "chunk_delay": None,
        **{each: summary(histogram) for each in ("time_to_first_chunk", "chunk_interval", "duration")},
    }
    run = {"id": "20260301T101500Z-0a1b", "started_at": "2026-03-01T10:15:00+00:00", "duration_s": 1.0}
    run |= {"host": "http://127.0.0.1:1", "locustfile": "x.py", "users": 1, "spawn_rate": 1.0, "workers": 1}
    generator = {"timestamps": "kernel", "lag": summary(histogram), "cpu_max": 0.1}
    return {
        "schema": SCHEMA,
        "run": {**run, "load_model": "closed", "interrupted": False, "versions": {}},
        "verdict": {"trust": "trusted", "reasons": [], "slo": [], "exit_code": 0},
        "streams": [streams],
        "generator": {**generator, "late_starts": 0, "dropped_arrivals": 0, "clock_steps": 0},
        "timeline": [],
    }


@pytest.fixture
def home(tmp_path: Path, result: dict[str, Any]) -> Path:
    (tmp_path / "result.json").write_text(json.dumps(result))
    return tmp_path


@pytest.mark.parametrize("part", ["", "result.json"])
def test_html_goes_beside_the_result(call, home, part):
    answer = call("report", home / part)
    assert answer.exit_code == 0
    assert answer.output.strip() == str(home / "report.html")
    assert "/stream/sse" in (home / "report.html").read_text()


def test_a_file_can_be_named(call, home, tmp_path):
    assert call("report", home, "-o", tmp_path / "other.html").exit_code == 0
    assert (tmp_path / "other.html").read_text().startswith("<!doctype html>")


def test_json_goes_to_standard_output(call, home, result):
    answer = call("report", home, "--format", "json")
    assert json.loads(answer.output) == {**result, "server": None}


def test_text_is_the_terminals_table(call, home):
    shown = call("report", home, "--format", "text")
    assert shown.exit_code == 0
    assert "/stream/sse" in shown.output
    assert "trusted, passed" in shown.output
    call("report", home, "--format", "text", "-o", home / "table.txt")
    assert (home / "table.txt").read_text() == shown.output


def test_every_form_has_each_figure_under_its_own_label(call, home, result):
    (streams,) = result["streams"]
    streams.update(started=11, chunks=12, bytes=13, stalls=14, coalesced_share=0.15, outcomes={"stalled": 16})
    streams["time_to_first_chunk"].update(p50=0.117, p90=0.118, p99=0.119)
    streams["chunk_interval"].update(p50=0.121, p90=0.122, p99=0.123)
    streams["duration"].update(p50=0.125, p90=0.126, p99=0.127)
    point = {"active": 31, "started": 32, "finished": 33, "failed": 34, "chunks": 35, "bytes": 36}
    point["time_to_first_chunk"], point["chunk_interval"] = {"p50": 0.37, "p99": 0.38}, {"p50": 0.39, "p99": 0.4}
    result["timeline"] = [{"t_s": 30, **point}]
    (home / "result.json").write_text(json.dumps(result))
    assert columns_of(call("report", home, "--format", "text").output) == [
        {"": "/stream/sse", "streams": "11", "failed": "16", "TTFC p50": "117 ms", "TTFC p99": "119 ms",
         "interval p50": "121 ms", "interval p99": "123 ms", "chunks per s": "12.0", "chunks": "12", "body": "13 B",
         "stalls": "14", "coalesced": "15.0 %"}
    ]  # fmt: skip
    (row, _) = Shown(call("report", home, "-o", "-").output).tables[0]
    assert row == {
        "Name": "/stream/sse sse", "Started": "11", "Outcomes": "16 stalled", "Failed": "100 %",
        "Time to first chunk p50": "117 ms", "Time to first chunk p90": "118 ms", "Time to first chunk p99": "119 ms",
        "Chunk interval p50": "121 ms", "Chunk interval p90": "122 ms", "Chunk interval p99": "123 ms",
        "Duration p50": "125 ms", "Duration p90": "126 ms", "Duration p99": "127 ms",
        "Chunks": "12", "Chunks/s": "12.0", "Body": "13 B", "Stalls": "14", "Coalesced": "15.0 %",
    }  # fmt: skip
    (second,) = csv.DictReader(io.StringIO(call("report", home, "--format", "timeline-csv").output))
    assert {name: value for name, value in second.items() if value} == {
        "t_s": "30", "scope": "all", "active": "31", "started": "32", "finished": "33", "failed": "34", "chunks": "35",
        "bytes": "36", "time_to_first_chunk_p50_s": "0.37", "time_to_first_chunk_p99_s": "0.38",
        "chunk_interval_p50_s": "0.39", "chunk_interval_p99_s": "0.4",
    }  # fmt: skip


def test_the_servers_view_beside_the_result_is_in_the_report(call, home):
    line = {"name": "", "subject": "chunks", "client": 2, "server": 3, "equal": False, "text": "2 ≠ 3 here", "why": ""}
    (home / "server.json").write_text(json.dumps({"routes": [], "agreement": [line]}))
    call("report", home)
    assert "2 ≠ 3 here" in (home / "report.html").read_text()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"schema": "other/9"}', json.dumps({"schema": SCHEMA}), "\x00"],
    ids=["empty", "half", "list", "null", "other schema", "schema alone", "zero"],
)
def test_a_broken_result_is_named_without_a_traceback(call, tmp_path, content):
    (tmp_path / "result.json").write_text(content)
    answer = call("report", tmp_path)
    assert answer.exit_code == 2
    assert "result.json" in answer.output or str(tmp_path) in answer.output
    assert not isinstance(answer.exception, KeyError)
    assert not (tmp_path / "report.html").exists()


def test_a_result_with_a_part_of_another_kind_is_refused(call, home, result):
    (home / "result.json").write_text(json.dumps({**result, "streams": 5}))
    assert call("report", home).exit_code == 2


def test_a_broken_view_is_named(call, home):
    (home / "server.json").write_text("[]")
    answer = call("report", home)
    assert answer.exit_code == 2
    assert "server.json" in answer.output


def test_a_directory_without_a_result_is_named(call, tmp_path):
    answer = call("report", tmp_path)
    assert answer.exit_code == 2
    assert "no such file" in answer.output.lower()


def test_an_output_that_cannot_be_written_is_named(call, home):
    answer = call("report", home, "-o", home / "missing" / "report.html")
    assert answer.exit_code == 2
    assert "--output" in answer.output


@pytest.mark.parametrize("broken", ["!!!!", ""])
def test_buckets_that_cannot_be_read_are_said_to_be_the_files(call, home, result, broken):
    result["streams"][0]["chunk_interval"]["hdr"] = broken
    (home / "result.json").write_text(json.dumps(result))
    answer = call("report", home)
    assert answer.exit_code == 2
    assert f"{str(home)!r} is not a complete result" in answer.output


def test_json_that_is_nested_too_deep_is_no_result(call, tmp_path):
    (tmp_path / "result.json").write_text("[" * 100_000)
    answer = call("report", tmp_path)
    assert answer.exit_code == 2
    assert "cannot be read as JSON" in answer.output


def test_a_number_that_json_does_not_have_is_not_written_as_json(call, home, result):
    result["run"]["duration_s"] = float("inf")
    (home / "result.json").write_text(json.dumps(result))
    assert call("report", home, "--format", "json").exit_code == 2


def test_a_name_that_is_no_text_is_in_the_report_all_the_same(call, home, result):
    result["streams"][0]["name"] = "/\udcff"
    (home / "result.json").write_text(json.dumps(result))
    assert call("report", home).exit_code == 0


@pytest.mark.parametrize(("form", "first"), [("streams-csv", "name,protocol,started"), ("timeline-csv", "t_s,scope,")])
def test_tables_go_to_standard_output_or_to_a_file(call, home, tmp_path, form, first):
    answer = call("report", home, "--format", form)
    assert answer.exit_code == 0
    assert answer.output.startswith(first)
    assert call("report", home, "--format", form, "-o", tmp_path / "x.csv").exit_code == 0
    assert (tmp_path / "x.csv").read_text() == answer.output
    assert not (home / "report.html").exists()


def test_the_table_of_names_has_the_results_figures(call, home):
    (row,) = csv.DictReader(io.StringIO(call("report", home, "--format", "streams-csv").output))
    assert (row["name"], row["completed"], row["chunks"], row["bytes"]) == ("/stream/sse", "1", "2", "300")
    assert (row["lost"], row["chunk_delay_p99_s"]) == ("", "")


def test_a_format_that_there_is_not_is_refused(call, home):
    answer = call("report", home, "--format", "csv")
    assert answer.exit_code == 2
    assert "'csv'" in answer.output
    assert "streams-csv" in answer.output
