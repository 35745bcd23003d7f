"""Holds conversations by command lines, without a server: each line of input is a case, each of output an outcome.

It is a process of its own, because ``import locust`` patches the one it is in.
"""

import contextlib
import io
import json
import os
import sys
import warnings
from random import Random
from unittest import mock

from locust import events
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.web import WebUI

from streamgauge.load.arrivals.schedule import Arrival
from streamgauge.load.chat import ChatUser
from streamgauge.load.chat.api_forms import FORMS as APIS
from streamgauge.load.chat.api_forms import path_below
from streamgauge.load.chat.chat_settings import chat_settings
from streamgauge.load.chat.chat_user import key_fields
from streamgauge.load.chat.made_prompts import text_of
from streamgauge.load.own_options import check_own_options
from streamgauge.load.web.form import extend_form
from streamgauge.wire.decoder import BodyDescription
from streamgauge.wire.formats import FORMATS


class Chatter(ChatUser):
    """As in loadtests/chat.py."""


def talked(settings, number, answers):
    """One conversation, whose answers are given: None for a stream that failed."""
    conversation, turns = settings.conversation(number), []
    answers = iter(answers)
    while conversation.goes_on:
        name, collected = conversation.name, conversation.needs_answer
        body = json.loads(json.dumps(settings.body(*conversation.ask())))
        turns.append({"name": name, "collected": collected, "body": body})
        answer = next(answers, "fine")
        conversation.answered(answer or "", ended_well=answer is not None)
    return turns


def conversations(case):
    parsed = get_parser([]).parse_args(case["options"], config_file_contents=None, env_vars={})
    users = [Chatter] if case.get("of_chatter", True) else []
    check_own_options(Environment(user_classes=users, parsed_options=parsed, host="http://h"), parsed)
    settings = chat_settings(parsed)
    return [talked(settings, number, case.get("answers", ())) for number in case.get("numbers", (0,))]


def places(case):
    """With which conversation each user of a process begins."""
    parsed = get_parser([]).parse_args(case["options"], config_file_contents=None, env_vars={})
    prompts = chat_settings(parsed).prompts
    return [prompts.place(user, case["process"]) for user in range(case["users"])]


def begun(case):
    """The first question of each user of a run, and of each of the next run's."""
    parsed = get_parser([]).parse_args(case["options"], config_file_contents=None, env_vars={})
    environment = Environment(user_classes=[Chatter], parsed_options=parsed, host="http://h", events=events)
    runs = []
    for _ in range(2):
        events.test_start.fire(environment=environment)
        users = [Chatter(environment) for _ in range(case["begun"])]
        runs.append([user.begin().turns[0].messages[0]["content"] for user in users])
    return runs


def arrived(case):
    """The first questions that a user asks which serves these arrivals, one after another."""
    parsed = get_parser([]).parse_args(case["options"], config_file_contents=None, env_vars={})
    user, asked = Chatter(Environment(user_classes=[Chatter], parsed_options=parsed, host="http://h")), []
    for number in case["arrivals"]:
        user.arrival = Arrival(number, number / 10, "Chatter")
        asked.append([user.begin().turns[0].messages[0]["content"] for _ in range(case["each"])])
    return asked


def posted(case):
    """What Locust's web UI answers to a form, or its page where there is none; nothing listens."""
    parsed = get_parser([]).parse_args(case["options"], config_file_contents=None, env_vars={})
    environment = Environment(user_classes=[Chatter], parsed_options=parsed, host="http://h")
    environment.create_local_runner()
    web_ui = WebUI(environment, "127.0.0.1", 0, delayed_start=True)
    extend_form(environment, web_ui)
    client = web_ui.app.test_client()
    reply = client.post("/swarm", data=case["form"]) if case["form"] else client.get("/")
    return reply.get_data(as_text=True)


def answer_in(case):
    """The text of the answer in a stream."""
    form = APIS[case["stream_of"]]
    decoder = FORMATS[form.protocol].decoder(BodyDescription({}, 1 << 20))
    return "".join(form.text_of(decoder.parse(each)) for each in decoder.feed([case["stream"].encode()]))


def answer(case):
    if "stream" in case:
        return answer_in(case)
    if "begun" in case:
        return begun(case)
    if "arrivals" in case:
        return arrived(case)
    if "form" in case:
        return posted(case)
    if "help" in case:
        return get_parser([]).format_help()
    if "users" in case:
        return places(case)
    if "tokens" in case:
        return [text_of(tokens, Random(case["seed"])) for tokens in case["tokens"]]
    if "host" in case:
        return {name: path_below(form.path, case["host"]) for name, form in APIS.items()}
    if "key" in case:
        with mock.patch.dict(os.environ, case["key"]):
            return {name: key_fields(form) for name, form in APIS.items()}
    return conversations(case)


def outcome(case):
    """What a case comes to: a value, or the words that refuse it and, from the parser, the exit status."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return {"value": answer(case)}
    except SystemExit as end:
        return {"status": end.code, "said": said.getvalue()}
    except ValueError as error:
        return {"status": None, "said": str(error)}


if __name__ == "__main__":
    warnings.simplefilter("error")
    for name in [name for name in os.environ if name.startswith("LOCUST_") or name.endswith("_API_KEY")]:
        del os.environ[name]
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), flush=True)
