"""Makes the answers of the dialect from the pieces that an engine delivers."""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from textgen.generation.streaming import TextStream
from textgen.serving.queued_text import SCORED, Piece

_REASONS: Mapping[str, str | None] = {"": None, "length": "length", "stop": "stop", "end": "stop", SCORED: "length"}


class Choice:
    """One text of an answer, which grows by pieces."""

    def __init__(self, index: int, token_texts: Sequence[bytes], *, stops: Sequence[str], logprobs: int | None):
        """Begins a text.

        Args:
            index: number of the text in the answer.
            token_texts: text of each id by itself.
            stops: stop strings, before which the text ends.
            logprobs: number of alternatives; None for no log-probabilities.
        """
        self._index, self._token_texts, self._logprobs = index, token_texts, logprobs
        self._stream, self._offset = TextStream(stops), 0

    def prompt(self, text: str) -> dict[str, Any]:
        """Returns the choice of a prompt without log-probabilities."""
        self._offset += len(text)
        return self._object(text, None, None)

    def scored(self, piece: Piece) -> dict[str, Any]:
        """Returns the choice of a prompt with its scores."""
        text = b"".join(piece.texts).decode(errors="replace")
        return self._object(text, self._scores(piece) if self._logprobs is not None else None, None)

    def add(self, piece: Piece) -> dict[str, Any]:
        """Returns the choice of further text."""
        whole = b"".join(piece.texts)
        text = self._stream.end(whole, cut=piece.cut) if piece.reason else self._stream.add(whole)
        scores = self._scores(piece) if self._logprobs is not None else None
        return self._object(text, scores, _REASONS[piece.reason])

    def _object(self, text: str, scores: dict[str, Any] | None, reason: str | None) -> dict[str, Any]:
        return {"text": text, "index": self._index, "logprobs": scores, "finish_reason": reason}

    def _scores(self, piece: Piece) -> dict[str, Any]:
        """Returns the object `logprobs`; with the ids of tokens, beyond the dialect."""
        offsets, tokens = [], []
        for text in piece.texts:
            offsets.append(self._offset)
            tokens.append(shown(text))
            self._offset += len(text.decode(errors="replace"))
        best = zip(piece.ids, piece.log_probabilities, piece.top_ids, piece.top_log_probabilities, strict=True)
        return {
            "tokens": tokens,
            "token_logprobs": list(piece.log_probabilities),
            "top_logprobs": [self._alternatives(*one) for one in best] if self._logprobs else None,
            "text_offset": offsets,
            "token_ids": list(piece.ids),
        }

    def _alternatives(
        self, chosen: int, log_probability: float | None, ids: Sequence[int], values: Sequence[float]
    ) -> dict[str, float] | None:
        """Returns the most likely tokens, and the chosen one, with their log-probabilities."""
        if log_probability is None:
            return None
        found: dict[str, float] = {}
        for number, value in (*zip(ids, values, strict=True), (chosen, log_probability)):
            # Two tokens may be shown alike; the likelier one counts.
            found.setdefault(shown(self._token_texts[number]), value)
        return found


def shown(text: bytes) -> str:
    r"""Returns the text of a token; of bytes that are no characters their numbers: `bytes:\xe2\x80`."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in text)


def merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns one choice made of consecutive parts of it."""
    scores = [part["logprobs"] for part in parts if part["logprobs"] is not None]
    logprobs = None
    if scores:
        logprobs = {
            name: None if scores[0][name] is None else [one for score in scores for one in score[name]]
            for name in scores[0]
        }
    return {**parts[-1], "text": "".join(part["text"] for part in parts), "logprobs": logprobs}


class Answer:
    """The objects around the choices of one answer."""

    def __init__(self, model: str):
        """Begins an answer of a model."""
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
        }

    def body(self, choices: Sequence[dict[str, Any]], usage: dict[str, int] | None) -> dict[str, Any]:
        """Returns an answer, or one event of it."""
        return {**self._head, "choices": list(choices), **({} if usage is None else {"usage": usage})}


def usage(prompt_tokens: int, new_tokens: int) -> dict[str, int]:
    """Returns the numbers of tokens of a request."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": new_tokens,
        "total_tokens": prompt_tokens + new_tokens,
    }
