"""A new counter is declared, named in the catalog and counted: three files, and everything else follows from them.

The package is copied, a counter is added to the copy, and a program that uses the copy follows it from two load
generator processes to all that shows it.
"""

import csv
import filecmp
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

import streamgauge

PACKAGE = Path(streamgauge.__file__).parent
METRIC = "stream_client_hurried_chunks_total"
#: By file, a line of it, and what is inserted before that line, with the line's indentation.
ADDED = {
    "catalog.py": (
        r"Metric\(\"stream_client_late_starts_total\".*",
        f'Metric("{METRIC}", "counter", "Chunks within 2 ms.", CLIENT_LABELS),',
    ),
    "stats/stream_quantities.py": (
        r"coalesced: Annotated\[",
        f'hurried: Annotated[int, Counter(metric="{METRIC}", heading="hurried", by_second=True)] = 0',
    ),
    "client/read/timing.py": (r"stats\.chunks \+= 1", "stats.hurried += interval_ns < 2_000_000"),
}
PROGRAM = """
import io, json, sys

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from rich.console import Console

from streamgauge.client.read.timing import ChunkTimer
from streamgauge.exporter.page import Page
from streamgauge.exporter.readings import RunLabels
from streamgauge.exporter.state import State
from streamgauge.report.build import build_result
from streamgauge.report.console import print_table
from streamgauge.report.html import render
from streamgauge.report.result import json_text
from streamgauge.report.tables import streams_csv, timeline_csv
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from threading import Lock

MS = 1_000_000
run = {
    "id": "r", "started_at": "2026-03-01T10:15:00+00:00", "duration_s": 2.0, "host": "http://host", "users": 2,
    "locustfile": "sse.py", "spawn_rate": 1.0, "workers": 2, "load_model": "closed", "interrupted": False,
    "versions": {},
}
run_stats, state = RunStats(), State(Lock())
state.begin(RunLabels("r", "sse.py", "http://host"), 0.0)
state.look(2, ("p", "q"))
for process in ("p", "q"):
    process_stats = ProcessStats()
    for name in ("a", "b"):
        timer = ChunkTimer(process_stats.begin(name, "sse"), 0, 1000 * MS)
        for arrival_ms in (10, 11, 12, 50):
            timer.chunk(arrival_ms * MS)
    all_stats, lag = process_stats.take()
    sent = json.loads(json.dumps(SecondReport(0, 1, all_stats, lag=lag, reads=8).to_dict()))
    run_stats.add(process, SecondReport.from_dict(sent), 0.95)
    state.add(process, [SecondReport.from_dict(sent)])
    assert not any(stats.hurried for stats in process_stats.all_stats.values()), "it was taken"
result = build_result(run, run_stats)
registry = CollectorRegistry()
registry.register(Page(state.read))
live = generate_latest(registry).decode()
state.end(result)
console = Console(file=io.StringIO(), width=200, color_system=None)
print_table(result, console=console)
print(json.dumps({
    "result.json": json.loads(json_text(result)),
    "streams.csv": streams_csv(result),
    "timeline.csv": timeline_csv(result),
    "terminal": console.file.getvalue(),
    "report": render(result),
    "page": live,
    "page of results": generate_latest(registry).decode(),
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package with one counter more."""
    copied = tmp_path_factory.mktemp("copied") / "streamgauge"
    copytree(PACKAGE, copied, ignore=ignore_patterns("__pycache__"))
    for name, (line, added) in ADDED.items():
        text, times = re.subn(rf"^( *)({line})$", rf"\1{added}\n\1\2", (copied / name).read_text(), flags=re.MULTILINE)
        assert times == 1, f"{name} has {times} lines like {line}"
        (copied / name).write_text(text)
    return copied


@pytest.fixture(scope="module")
def shown(copy):
    """All that shows what was counted, by what it is."""
    environment = os.environ | {"PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_new_counter_changes_three_files(copy):
    names = [path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()]
    assert len(names) > 100
    _, changed, errors = filecmp.cmpfiles(PACKAGE, copy, names, shallow=False)
    assert (sorted(changed), errors) == (sorted(ADDED), [])
    assert len(changed) == 3


def test_it_is_merged_and_in_the_result(shown):
    streams = shown["result.json"]["streams"]
    assert [(each["name"], each["chunks"], each["hurried"]) for each in streams] == [("a", 8, 4), ("b", 8, 4)]


def test_each_second_has_it(shown):
    (point,) = shown["result.json"]["timeline"]
    assert (point["hurried"], [each["hurried"] for each in point["streams"]]) == (8, [4, 4])


@pytest.mark.parametrize(("file", "counted"), [("streams.csv", ["4", "4"]), ("timeline.csv", ["8", "4", "4"])])
def test_the_tables_for_other_programs_have_it(shown, file, counted):
    assert [row["hurried"] for row in csv.DictReader(io.StringIO(shown[file]))] == counted


def test_the_terminals_table_has_a_column_and_its_total(shown):
    lines = shown["terminal"].splitlines()
    (heading,) = (line for line in lines if "hurried" in line)
    end = heading.index("hurried") + len("hurried")
    found = {line.split()[0]: line[:end].split()[-1] for line in lines if re.match(r"(a|b|all) ", line)}
    assert found == {"a": "4", "b": "4", "all": "8"}


def test_the_report_has_a_column_its_meaning_and_its_chart(shown):
    page = shown["report"]
    assert '<th rowspan="2" scope="col">Hurried</th>' in page
    assert "<dt>Hurried</dt>\n<dd>Chunks within 2 ms.</dd>" in page
    assert "<h3>Hurried per second</h3>Chunks within 2 ms in each second, by name." in page


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_exporters_page_has_it(shown, name):
    assert f'\n{METRIC}{{name="{name}",protocol="sse"}} 4.0\n' in shown["page"]
    assert f"# HELP {METRIC} Chunks within 2 ms.\n" in shown["page"]
    labels = f'metric="hurried",name="{name}",protocol="sse",run_id="r"'
    assert f"\nstream_client_result_counts{{{labels}}} 4.0\n" in shown["page of results"]
