"""Read JSON as RFC 8259 has it, which ``json.loads`` exceeds.

1. Bytes are UTF-8 (section 8.1), never UTF-16 or surrogates. A byte order mark before them is ignored.
2. ``NaN`` and ``Infinity`` are not JSON.
3. A whole number of more digits than Python reads is read as a float, as JavaScript does.

Escaped surrogates (``"\\\\ud800"``) are JSON; a text that has one is written by ``streamgauge.stats.visible_text``.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from streamgauge.wire.blanks import JSON_BLANKS

_BOM = b"\xef\xbb\xbf"
_BLANKS = re.compile(f"[{JSON_BLANKS}]*")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _whole_or_float(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_scan = json.JSONDecoder(parse_constant=_refuse).raw_decode
_scan_long = json.JSONDecoder(parse_constant=_refuse, parse_int=_whole_or_float).raw_decode


def json_of(data: bytes | str) -> Any:
    """Return the JSON value in ``data``. Raises ValueError if it is not JSON, or nested too deeply to be read."""
    text = (data.removeprefix(_BOM).decode() if isinstance(data, bytes) else data).strip(JSON_BLANKS)
    try:
        value, end = _scan(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:  # too many digits, or a constant, which the second attempt refuses again
        value, end = _scan_long(text)
    if end != len(text):
        raise ValueError(f"more follows at {end}")
    return value


def items_of(data: bytes) -> Iterator[Any]:
    """Yield the values of a JSON array one by one, so that a large one need not be held whole.

    Raises ValueError if it is not a JSON array; a ``json.JSONDecodeError`` says in which line.
    """
    text = data.removeprefix(_BOM).decode()
    at, separator = _after_blanks(text, 0), "["
    while text[at : at + 1] == separator:
        at = _after_blanks(text, at + 1)
        if separator == "[" and text[at : at + 1] == "]":
            break
        try:
            value, at = _scan_long(text, at)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        yield value
        at, separator = _after_blanks(text, at), ","
    if text[at : at + 1] != "]":
        raise json.JSONDecodeError(f"Expecting '{separator}'{' or ' + repr(']') if separator == ',' else ''}", text, at)
    if _after_blanks(text, at + 1) != len(text):
        raise json.JSONDecodeError("More follows the array", text, at + 1)


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()
