"""Shows a text with each token tinted by its log-probability."""

import math
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from textgen.reporting.held_out_scores import ScoredDocument
from textgen.reporting.markup import Markup, element, join
from textgen.text.preprocessor import Preprocessor

_LIMITS = (1.0, 2.0, 4.0, 6.0, 9.0)
"""Losses in nats from which on a token has the next darker tint."""

_LISTED = 5

_SHOWN = 240
"""Maximum number of tokens of a text."""


def tinted(document: ScoredDocument, preprocessor: Preprocessor) -> Markup:
    """Returns the beginning of a document; a token's probability is shown where the pointer is.

    Args:
        document: ids with their log-probabilities.
        preprocessor: decodes ids.
    """
    ids = document.ids[:_SHOWN]
    pieces = _pieces(ids, preprocessor)
    marks = [
        element("mark", piece, title=_title(log_probability), class_=f"t{_level(log_probability)}")
        for piece, log_probability in zip(pieces, document.log_probabilities.tolist(), strict=False)
    ]
    more = ["…"] if len(document.ids) > _SHOWN else []
    return join([element("div", *marks, *more, class_="text"), _least_likely(document, pieces)])


def _least_likely(document: ScoredDocument, pieces: Sequence[str]) -> Markup:
    """Returns the tokens with the lowest probabilities as text, for those who do not see the tints."""
    rows = zip(document.log_probabilities.tolist(), pieces, strict=False)
    lowest = sorted(row for row in rows if not math.isnan(row[0]))[:_LISTED]
    return element("p", "Least likely: ", ", ".join(f"{piece!r} {math.exp(log):.2g}" for log, piece in lowest))


def legend() -> Markup:
    """Returns what the tints mean."""
    limits = [0.0, *_LIMITS]
    keys = [element("mark", f" {math.exp(-a):.2g} ", class_=f"t{level}") for level, a in enumerate(limits)]
    return element("p", "Probability of a token, the redder the less: at most ", *_spaced(keys), class_="text")


def _spaced(marks: Sequence[Markup]) -> list[Markup | str]:
    return [part for mark in marks for part in (mark, " ")]


def _title(log_probability: float) -> str:
    if math.isnan(log_probability):
        return "the first token has no probability"
    return f"probability {math.exp(log_probability):.3g}, {-log_probability:.2f} nats"


def _level(log_probability: float) -> int:
    """Returns the tint, from 0 for a likely token to 5.

    >>> _level(-0.1), _level(-3.0), _level(-20.0), _level(math.nan)
    (0, 2, 5, 0)
    """
    return 0 if math.isnan(log_probability) else sum(-log_probability >= limit for limit in _LIMITS)


def _pieces(ids: np.ndarray, preprocessor: Preprocessor) -> list[str]:
    """Returns the text that each token adds to that of the tokens before it."""
    rows = tf.RaggedTensor.from_row_lengths(
        np.concatenate([ids[:end] for end in range(1, len(ids) + 1)]).astype(np.int32), range(1, len(ids) + 1)
    )
    pieces, before = [], ""
    # Bytes of a character that are no text yet are shown with those that complete it.
    for text in (found.decode(errors="replace").rstrip("\ufffd") for found in preprocessor.decode(rows).numpy()):
        pieces.append(text[len(os.path.commonprefix([before, text])) :])
        before = text
    return pieces
