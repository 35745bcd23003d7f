"""Check whole numbers in the text of a peer or a user."""

#: Python refuses to read more than 4300 digits, with its own error; no count needs more than these.
MOST_DIGITS = 18


def is_whole(text: str) -> bool:
    """Whether ``text`` consists of 1 to ``MOST_DIGITS`` ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
