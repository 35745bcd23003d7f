"""The tokens of one stream, and the time per token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """The server's own count of tokens; None for each count that it does not give."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    """Part of the completion's tokens."""
    rejected_tokens: int | None = None
    """Part of the completion's tokens: those of a prediction that was not used."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The number of tokens of a stream.

    A token need not show any content: a stop token, or part of a character. Such a token is *silent* where it has a
    frame of its own.
    """

    generated: int
    """Over all choices."""
    shown: int
    """The part of them that the stream carried; a service may hide its reasoning."""
    choices: int = 1
    prompt: int | None = None
    """Tokens of the prompt; None if the server did not count them."""
    pieces: int | None = None
    """The pieces of content of all choices, if the server's count may hold silent tokens; None if it cannot."""
    silent_before: int = 0
    """Frames before the first piece of content that may each carry a silent token."""
    silent_after: int = 0
    """The same, after it."""

    @property
    def ends_silently(self) -> bool:
        """Whether the last token was a silent one, so that its frame ends the time of the tokens.

        It was, if the server counted more tokens than there were pieces of content. A stream with one piece needs more:
        a server that sends all its text at once counts many tokens, and no time passes between them.
        """
        if self.pieces is None or not self.silent_after:
            return False
        beyond = self.shown - self.pieces
        return beyond > 0 and (self.pieces > 1 or beyond <= self.silent_before + self.silent_after)

    def time_per_output_token_s(self, after_first_s: float) -> float | None:
        """Return the mean time between the tokens of one choice; ``after_first_s`` is the time after the first chunk.

        Choices are generated in parallel, and a reader of one choice waits only for its tokens. So the tokens are
        assumed to be spread evenly over the choices. Silent tokens before the first chunk are left out, since the time
        begins after them. None for fewer than two tokens per choice.
        """
        before = 0 if self.pieces is None else max(0, min(self.silent_before, self.shown - self.pieces))
        each = (self.shown - before) / max(1, self.choices)
        return None if each < 2 else after_first_s / (each - 1)
