"""Find options that the user set and that the scenario did not use.

Only ``StreamUser.play`` reads the options that change the scenario's own stream.
"""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from streamgauge.load.options import INCLUDE_USAGE, RECONNECT, SEND, options_of_play
from streamgauge.wire.formats import FORMATS

#: Marks, among the options that a user class used, that it called ``play``.
PLAY = "play"


def unused_options(parsed: Any, used: Mapping[str, Set[str]]) -> list[str]:
    """Return a sentence for each option that is set in Locust's parsed options and was not used.

    ``used`` has the options that each user class used.
    """
    given = options_of_play(parsed)
    classes: dict[tuple[str, ...], list[str]] = {}
    for user_class in sorted(used):
        unread = () if PLAY in used[user_class] else given
        if unread:
            classes.setdefault(unread, []).append(user_class)
    found = [_unread(options, names) for options, names in classes.items()]
    players = sorted(name for name, each in used.items() if PLAY in each)
    for option, why in _WHY.items():
        if players and option in given and not any(option in each for each in used.values()):
            found.append(why(players))
    return found


def _unread(options: Iterable[str], names: list[str]) -> str:
    return (
        f"{_list(options)}: not used by {_list(names)}, which calls self.client.stream() and never self.play(). "
        "Call self.play() in the scenario, or pass the values to self.client.stream()."
    )


def _no_event_streams(names: list[str]) -> str:
    able = [each.name for each in reversed(FORMATS.values()) if each.can_reconnect]
    return (
        f"{RECONNECT}: not used by {_list(names)}, whose streams are not event streams. "
        f"streamgauge reconnects only streams of protocol {' or '.join(able)}."
    )


def _no_web_sockets(names: list[str]) -> str:
    able = [each.name for each in FORMATS.values() if each.upgrade]
    return (
        f"{SEND}: not used by {_list(names)}, whose streams are not WebSockets. "
        f"streamgauge sends messages on only streams of protocol {' or '.join(able)}."
    )


def _no_completions(names: list[str]) -> str:
    able = [each.name for each in FORMATS.values() if each.asking_for_usage]
    return (
        f"{INCLUDE_USAGE}: not used by {_list(names)}, whose requests ask for no completions. streamgauge asks for the "
        f'count of tokens only in streams of protocol {" or ".join(able)} whose JSON body has "stream": true.'
    )


def _list(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


#: Of options that only some streams can use: what to say if no stream did.
_WHY = {RECONNECT: _no_event_streams, SEND: _no_web_sockets, INCLUDE_USAGE: _no_completions}
