"""A text that an engine writes or scores, and the pieces in which it is delivered."""

import dataclasses
from collections.abc import Callable, Sequence

from textgen.config import GenerationConfig

SCORED = "scored"
"""Reason of a piece that is a prompt with its scores."""


class EngineError(Exception):
    """Error that ended all texts at hand, which are given the same object.

    Attributes:
        cause: the error.
        is_printed: whether it was printed for the operator.
    """

    def __init__(self, cause: Exception):
        """Creates an error that was not printed yet."""
        super().__init__(type(cause).__name__)
        self.cause, self.is_printed = cause, False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Piece:
    """New tokens of a text.

    Attributes:
        texts: what each token adds to the text, bytes.
        ids: their ids.
        log_probabilities: by the network itself; None for a first token with nothing before it.
        top_ids: the most likely ids at the position of each token; empty where none were asked for.
        top_log_probabilities: their log-probabilities.
        reason: why the text ended, "" if it goes on.
        cut: number of bytes that a stop string takes from the end of the text.
    """

    texts: Sequence[bytes]
    ids: Sequence[int]
    log_probabilities: Sequence[float | None]
    top_ids: Sequence[Sequence[int]]
    top_log_probabilities: Sequence[Sequence[float]]
    reason: str = ""
    cut: int = 0


@dataclasses.dataclass(kw_only=True)
class QueuedText:
    """A text to write, or to score.

    Attributes:
        prompt: the prompt, valid UTF-8; empty if `prompt_ids` are given.
        prompt_ids: its ids without [BOS], None if it is a text.
        begins: whether [BOS] was the first of its ids.
        config: the settings.
        sample: number of the text among those of the same prompt.
        top: number of alternatives per token; None if only the text is wanted, which is then one piece of its own.
        by_pieces: whether every new piece is delivered, instead of the whole at the end.
        scored: whether the prompt is scored instead, and delivered as one piece.
        deliver: is given each piece, or the error that ended the text, by the thread of the engine.
        cancelled: whether nobody waits for the text any more.
        prompt_tokens: number of tokens of the prompt, known before the first piece.
        written: what was written so far.
    """

    prompt: bytes
    prompt_ids: tuple[int, ...] | None
    config: GenerationConfig
    sample: int
    top: int | None
    by_pieces: bool
    scored: bool
    begins: bool = False
    deliver: Callable[[Piece | Exception], None] = lambda piece: None  # noqa: E731
    cancelled: bool = False
    prompt_tokens: int = 0
    written: "WrittenSoFar" = dataclasses.field(default_factory=lambda: WrittenSoFar())


@dataclasses.dataclass
class WrittenSoFar:
    """The prompt as text, all new ids with their text if it is known, and what belongs to those not delivered yet."""

    prompt: bytes = b""
    ids: list[int] = dataclasses.field(default_factory=list)
    text: bytes | None = None
    delivered: int = 0
    log_probabilities: list[float] = dataclasses.field(default_factory=list)
    top_ids: list[list[int]] = dataclasses.field(default_factory=list)
    top_log_probabilities: list[list[float]] = dataclasses.field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether there are ids that were not delivered."""
        return len(self.ids) > self.delivered
