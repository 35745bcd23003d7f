"""The user of the chat scenario: holds conversations, each turn of which is one stream."""

import logging
import os
from dataclasses import replace
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import events
from locust.env import Environment
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from streamgauge.client.http.arguments import header_pairs
from streamgauge.load.arrivals.schedule import Arrival
from streamgauge.load.chat.api_forms import ApiForm, path_below
from streamgauge.load.chat.chat_conversation import Conversation
from streamgauge.load.chat.chat_options import API, OPTIONS
from streamgauge.load.chat.chat_settings import ChatSettings, chat_settings
from streamgauge.load.chat.prompts import FilePrompts
from streamgauge.load.options import scenario_options
from streamgauge.load.own_options import declare_options
from streamgauge.load.users import StreamUser
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord

logger = logging.getLogger(__name__)

_numbers: "WeakKeyDictionary[Environment, count[int]]" = WeakKeyDictionary()


class ChatUser(StreamUser):
    """A Locust user that talks to a language model; the options ``--chat-…`` say with which words.

    ``begin()`` begins a conversation, ``ask()`` runs its next turn as a stream, and ``think()`` pauses between turns.
    Each user walks through the prompts from a place of its own, so that users do not ask the same at the same time. In
    the open model the prompts follow the arrivals instead: arrival k begins with conversation k, in whichever process.
    """

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.settings: ChatSettings = chat_settings(environment.parsed_options)
        number = next(_numbers.setdefault(environment, count()))
        worker = max(0, getattr(environment.runner, "worker_index", 0))
        self._number = self.settings.prompts.place(number, worker)
        #: The arrival whose conversation has begun.
        self._begun: Arrival | None = None
        host = str(self.host or environment.host or "")
        #: Where it asks: ``--stream-path``, or the place that the API has.
        self.path = self.options.path or path_below(self.settings.form.path, host)
        self.options = replace(self.options, path=None)  # the request is the same at every path
        self._fields = {**dict(self.settings.form.headers), **key_fields(self.settings.form)}

    def begin(self) -> Conversation:
        """Begin this user's next conversation: that of its arrival first, if it serves one."""
        if self.arrival is not None and self.arrival is not self._begun:
            self._begun = self.arrival
            return self.settings.conversation(self.arrival.number)
        conversation = self.settings.conversation(self._number)
        self._number += 1
        return conversation

    def think(self, conversation: Conversation) -> None:
        """Pause before every turn but the first. A run that ends stops a user here, and begins no further turn."""
        if not conversation.done:
            return
        if self._state == LOCUST_STATE_STOPPING:
            raise StopUser
        if self.settings.think_s[1]:
            self._state = LOCUST_STATE_WAITING
            gevent.sleep(conversation.random.uniform(*self.settings.think_s))
            if self._state == LOCUST_STATE_STOPPING:
                raise StopUser
            self._state = LOCUST_STATE_RUNNING

    def ask(self, conversation: Conversation, **more: Any) -> StreamRecord:
        """Run the next turn of a conversation as a stream, and return its record. ``more``: see ``StreamUser.play``.

        The streams of the first turns have a name for each turn. The answer is collected only if a later turn needs it.
        """
        settings, form = self.settings, self.settings.form
        messages, max_tokens = conversation.ask()
        pieces: list[str] = []
        own = more.get("on_chunk")

        def collect(frame: Any) -> object:
            pieces.append(form.text_of(frame))
            return own(frame) if own else None

        arguments = {"name": conversation.name, **more, "on_chunk": collect if conversation.needs_answer else own}
        arguments["headers"] = [*self._fields.items(), *header_pairs(more.get("headers"))]
        body = settings.body(messages, max_tokens)
        record = self.play(self.path, method="POST", protocol=form.protocol, json=body, **arguments)
        went_well = record.outcome in (Outcome.COMPLETED, Outcome.ABORTED)
        conversation.answered("".join(pieces), ended_well=went_well)
        return record


def key_fields(form: ApiForm) -> dict[str, str]:
    """Return the header fields with the API key in the environment. Raises ValueError, which does not show it."""
    key = os.environ.get(form.key_variable, "").strip() if form.key_variable else ""
    if not (key.isascii() and key.isprintable()):
        raise ValueError(f"{form.key_variable}: expected printable ASCII characters on one line, got others")
    return form.key_fields(key) if key else {}


def _check(environment: Environment, parsed: Any) -> None:
    """Raise ValueError if no user can chat with the options; read the prompts once."""
    settings = chat_settings(parsed)
    if not any(issubclass(each, ChatUser) for each in environment.user_classes):
        return
    options, form = scenario_options(parsed), settings.form
    if options.body is not None:
        raise ValueError("--stream-body: a chat makes its own bodies; use --chat-prompts and --chat-extra")
    if options.protocol not in (None, form.protocol):
        raise ValueError(
            f"--stream-protocol: {API.flag} {form.name} has protocol {form.protocol}, got {options.protocol!r}"
        )
    if isinstance(settings.prompts, FilePrompts):
        logger.info("Prompts: %d conversations of up to %d turns", len(settings.prompts), settings.prompts.most_turns)
    if key_fields(form):
        logger.info("The key in %s is sent to the host", form.key_variable)


def _begin_numbers(environment: Environment, **_: Any) -> None:
    """Number the users of a run from 0 again."""
    _numbers.pop(environment, None)


declare_options("Chat", *OPTIONS, check=_check)
events.test_start.add_listener(_begin_numbers)
