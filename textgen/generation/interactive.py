"""Writing token by token: the likeliest next tokens are shown, and the user chooses, goes on, or takes back."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import tensorflow as tf

from textgen.config import BOS, EOS, PAD, RESERVED, GenerationConfig
from textgen.errors import UserError
from textgen.generation.controls import make_controls
from textgen.generation.prompts import to_bytes
from textgen.generation.writer import Writer

HELP = (
    "a number: choose that token; Enter: let the model choose; +N: let it write N tokens; =TEXT: add text; "
    "u: undo; q: quit"
)


_MAX_AT_ONCE = 100_000
"""Maximum number of tokens that one line of input lets the model write."""


class Candidate(NamedTuple):
    """A possible next token.

    Attributes:
        number: its id.
        token: its text in the vocabulary.
        probability: its probability by the network itself.
    """

    number: int
    token: str
    probability: float


class Session:
    """A text that is written step by step."""

    def __init__(self, writer: Writer, prompt: str, config: GenerationConfig, *, top: int):
        """Begins after a prompt.

        Args:
            writer: writes tokens.
            prompt: the text to continue.
            config: settings of the tokens that the model chooses.
            top: number of candidates.

        Raises:
            UserError: the prompt is too long, or the settings name an unknown token.
        """
        self._writer, self._generator = writer, writer.generator_for(config)
        self._prompts, self._config, self._top = tf.constant(to_bytes([prompt])), config, top
        self._controls = make_controls([config], writer.preprocessor)
        self._steps: list[list[int]] = []

    @property
    def text(self) -> str:
        """The prompt and all that was added."""
        added = self._generator.continue_text(self._prompts, self._ids)
        return bytes(self._prompts.numpy()[0] + added.numpy()[0]).decode(errors="replace")

    @property
    def _ids(self) -> tf.Tensor:
        ids = [number for step in self._steps for number in step]
        return tf.constant([ids], tf.int32, [1, len(ids)])

    def candidates(self) -> list[Candidate]:
        """Returns the most likely next tokens, the most likely first."""
        state = self._generator.resume(self._prompts, self._ids, self._controls).state
        # Two that are never written may be among the likeliest.
        _, written = self._generator.advance(state, self._controls, 1, self._top + len((PAD, BOS)))
        texts = self._writer.preprocessor.vocabulary.texts
        return [
            Candidate(number, texts[number], probability)
            for number, probability in zip(
                written.top_ids.numpy()[0, 0].tolist(),
                tf.exp(written.top_log_probabilities)[0, 0].numpy().tolist(),
                strict=True,
            )
            if number not in (PAD, BOS)
        ][: self._top]

    def choose(self, number: int) -> None:
        """Adds a token by its id.

        Raises:
            UserError: the token stands for no text.
        """
        if number == EOS:
            raise UserError(f"{RESERVED[EOS]} stands for no text. Choose another token, or q to end here.")
        self._steps.append([number])

    def go_on(self, count: int) -> None:
        """Lets the model write up to `count` tokens, by the settings."""
        # Random numbers of their own at each position, and the same ones after an undo.
        controls = self._controls._replace(
            samples=tf.shape(self._ids)[1:], max_tokens=tf.constant([count]), min_tokens=tf.constant([0])
        )
        state = self._generator.resume(self._prompts, self._ids, controls).state
        _, written = self._generator.advance(state, controls, count, 0)
        self._steps.append([number for number in written.ids.numpy()[0].tolist() if number != PAD])

    def add(self, text: str) -> None:
        """Adds text as its tokens."""
        ids = self._writer.preprocessor.encode(tf.constant(to_bytes([text])))
        self._steps.append(ids.values.numpy().tolist())

    def undo(self) -> bool:
        """Takes the last step back; returns whether there was one."""
        return bool(self._steps and [self._steps.pop()])


def run(session: Session, lines: Iterable[str]) -> Iterator[str]:
    """Yields what is to be shown before each line of input and at the end; see `HELP`.

    Args:
        session: the text.
        lines: what the user enters, line by line; its end ends the session.
    """
    candidates = session.candidates()
    yield _shown(session, candidates)
    for line in lines:
        word = line.strip("\r\n")
        if word.strip() in ("q", "quit"):
            break
        try:
            answer = _obey(session, word, candidates)
        except UserError as error:
            answer = str(error)
        if answer:
            yield answer
            continue
        candidates = session.candidates()
        yield _shown(session, candidates)


def _obey(session: Session, word: str, candidates: list[Candidate]) -> str:
    """Does what a line asks for; returns a message if it changes nothing."""
    stripped = word.strip()
    if not stripped:
        session.go_on(1)
    elif stripped in ("u", "undo"):
        return "" if session.undo() else "there is nothing to undo."
    elif word.startswith("="):
        session.add(word[1:])
    elif stripped.startswith("+") and stripped[1:].isdecimal() and 1 <= int(stripped[1:]) <= _MAX_AT_ONCE:
        session.go_on(int(stripped[1:]))
    elif stripped.isdecimal() and 1 <= int(stripped) <= len(candidates):
        session.choose(candidates[int(stripped) - 1].number)
    else:
        return f"{stripped!r} is no choice; {HELP}."
    return ""


def _shown(session: Session, candidates: list[Candidate]) -> str:
    rows = [f"{i:>3}  {one.probability:7.2%}  {one.token!r}" for i, one in enumerate(candidates, 1)]
    return "\n".join([session.text, *rows])
