"""Whole numbers that others wrote as texts."""

#: Python refuses to read more than 4300 digits, in words of its own; what is counted needs far fewer.
MOST_DIGITS = 18


def is_whole(text: str) -> bool:
    """Whether ``text`` is nothing but ASCII digits, and few enough to be read."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
