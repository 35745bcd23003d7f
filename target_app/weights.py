"""How much a request wants each of what it names (RFC 9110, section 12.4.2)."""

from collections.abc import Mapping


def weights(field: str) -> Mapping[str, float]:
    """The weight of each name in ``Accept``, ``Accept-Encoding`` or their like, in lower case; 0 where it is none."""
    return dict(_weight(part) for part in field.lower().split(",") if part.strip())


def _weight(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    text = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        weight = float(text)
    except ValueError:
        return name, 0.0
    return name, weight if 0 <= weight <= 1 else 0.0
