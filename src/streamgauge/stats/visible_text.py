"""Make text visible that not every sink can carry: tables, CSV, JSON, HTML, XML, Prometheus's page, terminals.

Names come from scenarios, reasons from servers. What is counted has passed through here, so that no sink
needs to look again.
"""

import re

#: Control characters, line ends that only Unicode has, lone surrogates (no UTF-8 can hold them), and noncharacters (no
#: XML can). Everything else is kept, joiners of emoji and blanks included.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    r"""Return ``text`` with each character that a sink may not carry as an escape, such as ``\x1b`` or ``\udc80``."""
    return text if text.isprintable() else _INVISIBLE.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return ``text`` visible and on one line: white space between words becomes one blank."""
    return visible(" ".join(text.split()))


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
