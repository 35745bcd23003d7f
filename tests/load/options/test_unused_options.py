"""What is said of options that only ``play`` reads and that user classes did not use, in the order of the options."""

import pytest

from tests.load.play_only import GIVEN, PLAY_ONLY, SWITCHES

PATH, RECONNECT = ("--stream-path", "/other"), ("--stream-reconnect", "2")


@pytest.fixture
def said(read):
    """The sentences about options, without the advice. Of each user class is given what it used; "play" is the call."""

    def sentences(*options, unparsed=False, **used):
        found = read(*options, used=used, unparsed=unparsed)["value"]
        assert [each for each in found if not each.endswith(".")] == []
        return [each.partition(". ")[0] for each in found]

    return sentences


def test_options_are_named_with_the_classes_that_used_none_of_them(said):
    calls = ", which calls self.client.stream() and never self.play()"
    assert said(A=["play"], B=[]) == []
    assert said(*PATH, A=["play", "--stream-path"]) == []
    assert said(*PATH) == []
    assert said(unparsed=True, A=[]) == []
    assert said(*PATH, A=[]) == [f"--stream-path: not used by A{calls}"]
    assert said(*PATH, C=[], B=["play"], A=[]) == [f"--stream-path: not used by A and C{calls}"]
    *others, last = (*PLAY_ONLY, *SWITCHES)
    every = f"{', '.join(others)} and {last}: not used by A, B and C{calls}"
    assert said(*GIVEN, C=[], A=[], B=[], D=["play", "--stream-reconnect", "--stream-send", last]) == [every]


@pytest.mark.parametrize("option", PLAY_ONLY)
def test_each_option_is_named_alone(said, option):
    (words,) = said(option, PLAY_ONLY[option], A=[])
    assert words.startswith(f"{option}: not used by A, ")


def test_messages_are_missed_where_nobody_who_plays_has_websockets(said):
    streams = ", whose streams are not WebSockets"
    assert said("--stream-send", "x", A=["play", "--stream-send"], B=["play"]) == []
    assert said("--stream-send", "x", A=["play"]) == [f"--stream-send: not used by A{streams}"]


def test_reconnecting_is_missed_where_nobody_who_plays_has_event_streams(said):
    streams = ", whose streams are not event streams"
    assert said(*RECONNECT, A=["play", "--stream-reconnect"], B=["play"]) == []
    assert said(*RECONNECT, B=["play"], A=["play"]) == [f"--stream-reconnect: not used by A and B{streams}"]
    assert said(*PATH, A=["play"]) == []
    calls, plays = said(*RECONNECT, A=[], B=["play"])
    assert calls.startswith("--stream-reconnect: not used by A, which calls ")
    assert plays == f"--stream-reconnect: not used by B{streams}"


def test_asking_for_the_usage_is_missed_where_nobody_who_plays_asks_for_completions(said):
    usage, requests = "--stream-include-usage", ", whose requests ask for no completions"
    assert said(usage, A=["play", usage], B=["play"]) == []
    assert said(usage, B=["play"], A=["play"]) == [f"{usage}: not used by A and B{requests}"]
