"""The tokens of one stream, and the time that each of them took."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a stream had."""

    generated: int
    """Over all choices."""
    shown: int
    """Those of them that the stream brought; a service may keep its reasoning to itself."""
    choices: int = 1

    def time_per_output_token_s(self, after_first_s: float) -> float | None:
        """Return the mean time between a choice's tokens after its first; ``after_first_s`` is for all of them.

        Choices are generated side by side, and a reader of one waits for its tokens alone: where there are several, the
        tokens are taken as spread evenly over them. None for fewer than two tokens a choice.
        """
        each = self.shown / max(1, self.choices)
        return None if each < 2 else after_first_s / (each - 1)
