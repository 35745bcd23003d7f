"""What an option's text may be: each parser gives its value, or raises ``ValueError`` that completes ``'text' …``."""

from collections.abc import Callable
from dataclasses import field
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

SHORTEST_KEY = 16
_SWITCH = {"on": True, "off": False}


def option(group: str, default: object, parse: Callable[[str], object], help_text: str, flag: str = "") -> Any:
    """A dataclass field that is an option: its group in the help, its default, its parser, and what it does.

    A ``flag`` of its own says that the option can be given again and again: the value is a tuple. Keys are never shown.
    """
    metadata = {"group": group, "parse": parse, "help": help_text, "flag": flag}
    return field(default=default, repr=parse is not key, metadata=metadata)


def whole(least: int, most: int, what: str) -> Callable[[str], int]:
    """A parser of whole numbers from ``least`` to ``most``."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"is not {what} from {least} to {most}")
        return int(text)

    return parse


def port_number(text: str) -> int:
    """A port."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ValueError("is not a port: 0 to 65535, where 0 takes a free one")
    return int(text)


def amount(most: float, what: str) -> Callable[[str], float]:
    """A parser of numbers from 0 to ``most``, with or without decimals."""

    def parse(text: str) -> float:
        plain = text.isascii() and text.replace(".", "", 1).isdigit()
        if not plain or float(text) > most:
            raise ValueError(f"is not {what} from 0 to {most:g}")
        return float(text)

    return parse


def host(text: str) -> str:
    """A host name or address."""
    if not text:
        raise ValueError("is not a host name or address")
    return text


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser of one word out of ``choices``."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError("is none of " + ", ".join(choices))
        return text

    return parse


def switch(text: str) -> bool:
    """``on`` or ``off``."""
    if text not in _SWITCH:
        raise ValueError("is neither on nor off")
    return _SWITCH[text]


def key(text: str) -> str:
    """An API key: what RFC 6750, section 2.1, lets a bearer token be."""
    if len(text) < SHORTEST_KEY or not text.isascii() or not text.rstrip("=").translate(_NO_PUNCTUATION).isalnum():
        raise ValueError(f"is no key: at least {SHORTEST_KEY} letters, digits and -._~+/")
    return text


_NO_PUNCTUATION = str.maketrans("", "", "-._~+/")


def origin(text: str) -> str:
    """An origin as browsers send it, or ``*`` for any."""
    parts = urlsplit(text)
    if text != "*" and (not parts.netloc or text != f"{parts.scheme}://{parts.netloc}"):
        raise ValueError("is no origin such as https://example.org, nor *")
    return text


def network(text: str) -> str:
    """An address, or a network of them."""
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("is no address or network, such as 10.0.0.0/8") from None
    return text
