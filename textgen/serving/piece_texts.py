"""Finds the text of new tokens of several texts."""

from collections.abc import Sequence

import tensorflow as tf

from textgen.generation.generator import Generator
from textgen.serving.batch_rows import padded
from textgen.serving.queued_text import WrittenSoFar

_TOKENS_KEPT = 32
"""Number of tokens before new ones from which the texts of these are found."""


class PieceTexts:
    """Finds the text of what was not delivered yet."""

    def __init__(self, generator: Generator):
        """Makes the finder; `generator` decodes ids."""
        # To find a graph by the arguments of each call takes as long as to run it.
        self._continue_text = generator.continue_text.get_concrete_function()
        self._token_texts = generator.token_texts.get_concrete_function()

    def as_one(self, written: Sequence[WrittenSoFar]) -> list[list[bytes]]:
        """Returns the new text of each as one piece."""
        whole = [one.text for one in written if one.text is not None]
        if len(whole) == len(written):
            return [[text] for text in whole]
        kept = [one.ids[max(one.delivered - _TOKENS_KEPT, 0) : one.delivered] for one in written]
        longer = [ids + one.ids[one.delivered :] for ids, one in zip(kept, written, strict=True)]
        # Most texts are delivered as a whole, with nothing before them.
        before = [(one.prompt, ids) for one, ids in zip(written, kept, strict=True) if ids]
        prompts = tf.constant([one.prompt for one in written] + [prompt for prompt, _ in before])
        rows = padded(longer + [ids for _, ids in before])
        texts = self._continue_text(prompts, rows).numpy().tolist()
        known = iter(texts[len(written) :])
        lengths = [len(next(known)) if ids else 0 for ids in kept]
        return [[text[length:]] for text, length in zip(texts[: len(written)], lengths, strict=True)]

    def by_token(self, written: Sequence[WrittenSoFar]) -> list[list[bytes]]:
        """Returns the text of each new token."""
        counts = [len(one.ids) - one.delivered for one in written]
        longest = max(counts)
        rows = [one.ids[-(longest + _TOKENS_KEPT) :] for one in written]
        ids = padded(rows, left=True)
        prompts = tf.constant([one.prompt for one in written])
        texts = self._token_texts(prompts, ids, tf.constant(ids.shape[1] - longest)).numpy().tolist()
        return [row[len(row) - count :] for row, count in zip(texts, counts, strict=True)]
