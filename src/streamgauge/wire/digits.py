"""Read whole numbers in the text of a peer or a user."""

#: Python refuses to read more than 4300 digits, with its own error; no count needs more than these.
MOST_DIGITS = 18


def whole_number(text: str) -> int | None:
    """Read ASCII digits, at most ``MOST_DIGITS`` after any leading zeros; return None for any other text."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= MOST_DIGITS else None
