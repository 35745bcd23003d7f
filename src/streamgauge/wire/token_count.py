"""The tokens of one stream, and the time per token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The number of tokens of a stream."""

    generated: int
    """Over all choices."""
    shown: int
    """The part of them that the stream carried; a service may hide its reasoning."""
    choices: int = 1

    def time_per_output_token_s(self, after_first_s: float) -> float | None:
        """Return the mean time between the tokens of one choice; ``after_first_s`` is the time after the first chunk.

        Choices are generated in parallel, and a reader of one choice waits only for its tokens. So the tokens are
        assumed to be spread evenly over the choices. None for fewer than two tokens per choice.
        """
        each = self.shown / max(1, self.choices)
        return None if each < 2 else after_first_s / (each - 1)
