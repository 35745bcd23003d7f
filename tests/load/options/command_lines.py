"""Reads command lines as ``locust`` does: each line of its input is a case, and each of its output an outcome.

It is a process of its own, because ``import locust`` patches the one it is in.
"""

import contextlib
import dataclasses
import io
import json
import logging
import os
import sys
import warnings
from unittest import mock

from locust.argument_parser import get_parser, ui_extra_args_dict
from locust.env import Environment
from locust.web import WebUI

import streamgauge.load
from streamgauge.client.connect.target import TargetError
from streamgauge.load.hosts import check_host
from streamgauge.load.metrics.exporter_options import exporter_options
from streamgauge.load.options import scenario_options, with_form
from streamgauge.load.shapes.shape_options import plan_of_users
from streamgauge.load.slo_options import slo_rules
from streamgauge.load.unused import unused_options
from streamgauge.load.warm_up_option import WARM_UP
from streamgauge.load.web.form import extend_form

LIMITS = ("first_chunk_timeout", "idle_timeout", "total_timeout")


def rules(found):
    """Rules as a list: those that stand by themselves, then after ``not``; None where none are set."""
    if found is None:
        return None
    each = [[type(rule).__name__, *dataclasses.astuple(rule)] for rule in (*found.any_of, *found.none_of)]
    return [*each[: len(found.any_of)], *(["not", *rule] for rule in each[len(found.any_of) :])]


def given(case):
    """Locust's parsed options; None where a program makes an ``Environment`` without any."""
    if case.get("unparsed"):
        return None
    variables = case.get("variables", {})
    with mock.patch.dict(os.environ, dict.fromkeys(variables, "")):  # no environment can hold some of their values
        parser = get_parser([])
    return parser.parse_args(case["options"], config_file_contents=case.get("configuration"), env_vars=variables)


def values(case):
    """What is set, by the names that the options have in Locust."""
    parsed = given(case)
    if "form" in case:
        parsed = with_form(parsed, case["form"])
    found, plan = scenario_options(parsed), plan_of_users(parsed)
    tls, exporter = found.network.tls, exporter_options(parsed)
    return {
        "stream_shape": plan and [plan.shape.text, plan.unit, plan.end_s],
        "stream_path": found.path,
        "stream_protocol": found.protocol,
        "stream_method": found.method,
        "stream_header": found.headers,
        "stream_body": found.body if found.body is None else found.body.decode("latin-1"),
        "stream_send": found.send
        and [each if isinstance(each, str) else f"bytes {each.decode('latin-1')}" for each in found.send],
        **{f"stream_{name}": rules(getattr(found, name)) for name in ("end", "error", "chunk")},
        "stream_status": found.status and [str(found.status), len(found.status.numbers)],
        "stream_accept": found.accept,
        "stream_reconnect": found.reconnect,
        "stream_slo": [rule.text for rule in slo_rules(parsed)],
        "stream_stamps": found.stamped,
        "stream_include_usage": found.include_usage,
        **{f"stream_{name}": found.limits.get(f"{name}_s", "unset") for name in LIMITS},
        "stream_refusal_pause": found.refusal_pause_s,
        "stream_connect_to": [dataclasses.astuple(each) for each in found.network.overrides.connect_to],
        "stream_resolve": [dataclasses.astuple(each) for each in found.network.overrides.resolve],
        "stream_unix_socket": found.network.overrides.unix_socket,
        "stream_warm_up": (warm_up := WARM_UP.value(parsed)) and (warm_up.seconds or warm_up.asked),
        "stream_proxy": found.network.proxy,
        **{f"stream_{name}": getattr(tls, name) for name in ("ca_file", "client_cert", "client_key", "insecure")},
        "stream_server_name": found.network.server_name,
        "stream_metrics_port": exporter and exporter.port,
        "stream_metrics_host": exporter and exporter.host,
        "stream_metrics_linger": exporter and exporter.linger_s,
        **{name: getattr(parsed, name, None) for name in ("stream_result_dir", "stop_timeout")},
    }


def user(name, host, kind=streamgauge.load.StreamUser):
    return type(name, (kind,), {"host": host, "tasks": [lambda _: None]})


def host_checked(case):
    """The host of a run, and those of user classes that stream; of another kind there is one whose host is no URL."""
    from locust import User

    classes = [user(f"Streams{n}", host) for n, host in enumerate(case["of_users"])]
    check_host(Environment(user_classes=[*classes, user("Other", "nonsense", User)]), case["host"])


def posted(case):
    """What Locust's web UI answers to a form, or its page where there is none, and what it logs; nothing listens."""
    classes = [user("Streams", case.get("of_user"))]
    environment = Environment(user_classes=classes, parsed_options=given(case), host="http://own")
    environment.create_local_runner()
    web_ui = WebUI(environment, "127.0.0.1", 0, web_login=case.get("login", False), delayed_start=True)
    if case.get("login"):
        web_ui.app.secret_key = "secret"
        web_ui.login_manager.user_loader(lambda name: None)
    extend_form(environment, web_ui)
    client, logged = web_ui.app.test_client(), io.StringIO()
    logging.getLogger().addHandler(handler := logging.StreamHandler(logged))
    form = case["posted"]
    reply = client.get("/") if form is None else client.post("/swarm", data=form)
    logging.getLogger().removeHandler(handler)
    return {"status": reply.status_code, "text": reply.get_data(as_text=True), "logged": logged.getvalue()}


def answer(case):
    if "posted" in case:
        return posted(case)
    if "used" in case:
        return unused_options(given(case), {name: set(options) for name, options in case["used"].items()})
    if "host" in case:
        return host_checked(case)
    if "help" in case:
        return {"text": get_parser([]).format_help(), "form": ui_extra_args_dict([])}
    return values(case)


def outcome(case):
    """What a case comes to: a value, or the words that refuse it and, from the parser, the exit status."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return {"value": answer(case)}
    except SystemExit as end:
        return {"status": end.code, "said": said.getvalue()}
    except (TargetError, ValueError) as error:
        return {"status": None, "said": str(error)}


if __name__ == "__main__":
    warnings.simplefilter("error")
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), flush=True)
