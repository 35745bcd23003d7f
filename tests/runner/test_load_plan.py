"""What Locust is started with."""

import sys
from dataclasses import replace
from pathlib import Path

from streamgauge.runner.load_plan import LoadPlan, environment_without_locust

PLAN = LoadPlan(
    locustfile=Path("mine.py"),
    host="http://127.0.0.1:8000",
    users=20,
    spawn_rate=2.5,
    run_time_s=30,
    result_dir=Path("results"),
    log=Path("results/locust.log"),
    environment={},
)
LOAD = "-f mine.py -H http://127.0.0.1:8000 -u 20 -r 2.5 -t 30s --stream-result-dir results"
MASTER = "--master-bind-host 127.0.0.1 --master-bind-port 5557 --master-host 127.0.0.1 --master-port 5557"


def options(plan):
    assert plan.command[:3] == [sys.executable, "-P", "-c"]
    return " ".join(plan.command[4:])


def test_a_plan_without_a_web_port_is_headless():
    assert options(PLAN) == f"{LOAD} --headless --only-summary"


def test_a_plan_with_a_web_port_has_the_web_ui_there_on_this_machine_alone():
    assert options(replace(PLAN, web_port=8089)) == f"{LOAD} --web-host 127.0.0.1 --web-port 8089"


def test_what_other_options_say_is_left_to_them():
    plan = replace(PLAN, users=None, spawn_rate=None, run_time_s=None)
    assert options(plan).startswith("-f mine.py -H http://127.0.0.1:8000 --stream-result-dir results")
    assert plan.form == [("user_count", "1"), ("spawn_rate", "1"), ("run_time", "")]


def test_workers_and_their_master_meet_at_the_workers_port():
    several = replace(PLAN, processes=3, workers_port=5557)
    assert options(several) == f"{LOAD} --headless --only-summary --processes 3 {MASTER}"


def test_further_options_come_last():
    assert options(replace(PLAN, options=("--stream-end", "event:done"))).endswith(
        "--only-summary --stream-end event:done"
    )


def test_the_form_of_the_web_ui_holds_the_same_run():
    assert PLAN.form == [("user_count", "20"), ("spawn_rate", "2.5"), ("run_time", "30s")]


def test_a_run_can_be_kept_from_locusts_variables(monkeypatch):
    monkeypatch.setenv("LOCUST_USERS", "7")
    monkeypatch.setenv("OTHER", "kept")
    found = environment_without_locust({"LOCUST_TAGS": "added"})
    assert "LOCUST_USERS" not in found
    assert (found["OTHER"], found["LOCUST_TAGS"]) == ("kept", "added")
