"""Find options that the user set and that the scenario did not use.

Only ``StreamUser.play`` reads the options that change the scenario's own stream.
"""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from streamgauge.load.options import RECONNECT, SEND, options_of_play
from streamgauge.wire.formats import FORMATS

#: Of options that only some streams can use: which these are, what streamgauge does with them, and their protocols.
_NEEDED = {
    RECONNECT: (
        "event streams", "reconnects", [each.name for each in reversed(FORMATS.values()) if each.can_reconnect]
    ),
    SEND: ("WebSockets", "sends messages on", [each.name for each in FORMATS.values() if each.upgrade]),
}  # fmt: skip
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
    for option, needed in _NEEDED.items():
        if players and option in given and not any(option in each for each in used.values()):
            found.append(_not_able(option, players, *needed))
    return found


def _unread(options: Iterable[str], names: list[str]) -> str:
    return (
        f"{_list(options)}: not used by {_list(names)}, which calls self.client.stream() and never self.play(). "
        "Call self.play() in the scenario, or pass the values to self.client.stream()."
    )


def _not_able(option: str, names: list[str], kind: str, does: str, able: list[str]) -> str:
    return (
        f"{option}: not used by {_list(names)}, whose streams are not {kind}. "
        f"streamgauge {does} only streams of protocol {' or '.join(able)}."
    )


def _list(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
