"""The blanks of HTTP and its formats, which are fewer than those of ``str.strip()``.

``str.strip()`` also removes NBSP, NEL, VT and others, and would turn a value that the grammar refuses into a valid one.
"""

#: Optional white space (RFC 9110 section 5.6.3).
BLANKS = " \t"
#: White space between the tokens of JSON (RFC 8259 section 2).
JSON_BLANKS = " \t\r\n"


def trimmed(text: str) -> str:
    """Return ``text`` without the blanks around it."""
    return text.strip(BLANKS)


def members(value: str) -> list[str]:
    """Return the comma-separated members of a field's value, without empty ones (RFC 9110 section 5.6.1)."""
    return [member for each in value.split(",") if (member := trimmed(each))]
