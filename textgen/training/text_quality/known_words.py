"""Finds which words of texts are in the vocabulary: words that the training text has, which is read once.

A word is a run of letters and digits, with apostrophes inside it. Where tokens are words, the vocabulary of the
dataset says which there are; otherwise the training text is decoded, and only the words of the texts are in memory.
Then the first and the last word of a text are left out, since the text may begin or end inside them.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from textgen.config import EOS, UNK
from textgen.dataset.storage.records import RestoredIds
from textgen.text.preprocessor import Preprocessor

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_OVERLAP = 64
"""Number of ids that are decoded again with the next block, so that a word of fewer ids is whole in one of both."""


class WordSearch:
    """Looks for the words of sets of texts in the training text.

    The training text is given block by block to `read`, until `is_done`.
    """

    def __init__(self, sets: Sequence[Sequence[np.ndarray]], preprocessor: Preprocessor):
        """Decodes the texts.

        Args:
            sets: sets of texts, each int [T].
            preprocessor: decodes ids.
        """
        self._preprocessor, self._before = preprocessor, np.empty(0, np.int64)
        self._has_words = preprocessor.config.tokenizer == "word"
        self._words = [Counter(self._decoded_words(texts)) for texts in sets]
        self._unknown = [sum(int((np.asarray(text) == UNK).sum()) for text in texts) for texts in sets]
        self._missing = set().union(*self._words)
        if self._has_words:
            tokens, counts = preprocessor.vocabulary
            seen = [token for token, count in zip(tokens, counts, strict=True) if count] or tokens
            self._missing -= {word for token in seen for word in _WORD.findall(token)}
            self.is_done = True
        else:
            self.is_done = not self._missing

    def read(self, restored: RestoredIds) -> None:
        """Looks for words in a block of the training text."""
        ids = np.concatenate([self._before, restored.ids])
        starts = restored.starts + len(self._before)
        runs = [run for part in np.split(ids, starts) for run in np.split(part, np.flatnonzero(part <= EOS))]
        texts = self._texts(runs)
        found = [_WORD.findall(text) for text in texts]
        # Words at the cuts may be parts of words.
        if len(self._before) and found and self._before[0] > EOS:
            del found[0][:1]
        if found and ids[-1] > EOS:
            del found[-1][-1:]
        self._missing.difference_update(*found)
        self._before = ids[-_OVERLAP:]
        self.is_done = not self._missing

    def share(self, index: int) -> float | None:
        """Returns the share of the words of a set of texts that are in the vocabulary; None if there are no words.

        Each [UNK] counts as a word that is not.
        """
        words = self._words[index]
        total = words.total() + self._unknown[index]
        return sum(count for word, count in words.items() if word not in self._missing) / total if total else None

    def _decoded_words(self, texts: Sequence[np.ndarray]) -> list[str]:
        found: list[str] = []
        for text in texts:
            runs = self._texts(np.split(text, np.flatnonzero(text <= EOS)))
            words = [word for run in runs for word in _WORD.findall(run)]
            found += words if self._has_words else words[1:-1]
        return found

    def _texts(self, runs: Sequence[np.ndarray]) -> list[str]:
        """Returns the text of each run of ids; a reserved id at its start is left out."""
        known = [run[run > EOS] for run in runs]
        if not known:
            return []
        ids = tf.RaggedTensor.from_row_lengths(
            tf.constant(np.concatenate(known), tf.int32), [len(run) for run in known], validate=False
        )
        return [text.decode(errors="replace") for text in self._preprocessor.decode(ids).numpy()]
