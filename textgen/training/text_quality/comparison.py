"""Compares written texts with held-out texts of the same amount, and both with the training text."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from textgen.config import GeneratedTextConfig
from textgen.dataset.storage.manifest import Manifest
from textgen.dataset.storage.restored_text import read_restored
from textgen.errors import require
from textgen.text.preprocessor import Preprocessor
from textgen.training.text_quality import diversity
from textgen.training.text_quality.held_out_texts import equal_amounts, require_restorable, sample_texts
from textgen.training.text_quality.known_words import WordSearch
from textgen.training.text_quality.verbatim_copies import CopySearch

DISTINCT, REPEATED, BLEU, COPIED = (1, 2, 3, 4), (2, 3, 4), (2, 3, 4, 5), (2, 4, 8, 16, 32)
"""All n for which distinct-n, repetition, self-BLEU and the share of copied n-grams are computed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextFigures:
    """Figures of some texts. A share is from 0 to 1, and None where the texts have nothing to count.

    Attributes:
        texts: number of texts.
        tokens: number of tokens of all texts.
        distinct: distinct n-grams as a share of all, by n.
        self_bleu: mean BLEU-n of each text with the others as references, by n.
        repetition: mean share of a text's n-grams that repeat an earlier one in it, by n.
        known_words: share of the words that are in the vocabulary of the training text.
        copied: share of the n-grams that the training text has too, by n.
        longest_copy: number of tokens of the longest run that the training text has too.
        longest_copy_text: its text.
    """

    texts: int
    tokens: int
    distinct: Mapping[int, float | None]
    self_bleu: Mapping[int, float | None]
    repetition: Mapping[int, float | None]
    known_words: float | None
    copied: Mapping[int, float | None]
    longest_copy: int
    longest_copy_text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextQuality:
    """Figures of texts that a model has written, beside those of held-out texts of the same amount.

    Attributes:
        settings: settings with which the texts were written.
        written: figures of the written texts.
        held_out: figures of the held-out texts.
    """

    settings: GeneratedTextConfig
    written: TextFigures
    held_out: TextFigures


def require_comparable(data: str | Path, manifest: Manifest, split: str) -> None:
    """Checks that written text can be compared with a split, before any is written.

    Raises:
        UserError: the split is not held out, is empty or does not exist, there is no training text, or the shards do
            not hold every token.
    """
    require(
        split not in ("train", "all"),
        f"split is {split}; generated text is compared with held-out text. Use --split validation or test.",
    )
    for name in (split, "train"):
        manifest.shards(name)
    require_restorable(data, manifest)


def compare(
    written: Sequence[np.ndarray],
    data: str | Path,
    manifest: Manifest,
    preprocessor: Preprocessor,
    *,
    split: str,
    settings: GeneratedTextConfig,
) -> TextQuality:
    """Returns the figures of written texts and of as much held-out text.

    The held-out split and the training split are read once each. Memory does not grow with them.

    Args:
        written: ids of the written texts, int64 [T] each; empty ones are left out.
        data: folder or URL of the dataset.
        manifest: its manifest.
        preprocessor: decodes ids.
        split: "validation" or "test".
        settings: settings with which the texts were written; their seed is that of the sample of held-out texts too.

    Raises:
        UserError: the split cannot be compared with, all texts are empty, or a shard is damaged.
    """
    require_comparable(data, manifest, split)
    texts = [text for text in written if len(text)]
    require(
        bool(texts),
        f"all {len(written):,} generated texts are empty: the model ends each document at once. Train it longer.",
    )
    held_out = sample_texts(
        data, manifest, split, count=len(texts), tokens=settings.generation_tokens, seed=settings.generation_seed
    )
    require(bool(held_out), f"the {split} split of {data} has no document with a token. Name another --split.")
    sets = equal_amounts(texts, held_out)
    copies, words = CopySearch(sets, COPIED), WordSearch(sets, preprocessor)
    for block in read_restored(data, manifest, "train"):
        copies.read(block)
        if not words.is_done:
            words.read(block)
    figures = [_figures(texts, copies, words, index, preprocessor) for index, texts in enumerate(sets)]
    return TextQuality(settings=settings, written=figures[0], held_out=figures[1])


def _figures(
    texts: Sequence[np.ndarray], copies: CopySearch, words: WordSearch, index: int, preprocessor: Preprocessor
) -> TextFigures:
    ids = [text.tolist() for text in texts]
    longest = copies.longest(index)
    (copied,) = preprocessor.decode(tf.RaggedTensor.from_row_lengths(longest.ids.astype(np.int32), [longest.length]))
    return TextFigures(
        texts=len(texts),
        tokens=sum(map(len, texts)),
        distinct={n: diversity.distinct(ids, n) for n in DISTINCT},
        self_bleu={n: diversity.self_bleu(ids, n) for n in BLEU},
        repetition={n: diversity.repetition(ids, n) for n in REPEATED},
        known_words=words.share(index),
        copied=copies.shares(index),
        longest_copy=longest.length,
        longest_copy_text=copied.numpy().decode(errors="replace"),
    )


def shown_rows(quality: TextQuality) -> Iterator[tuple[str, str, str]]:
    """Yields the name of each figure, and its values for written and for held-out texts, as they are shown."""
    both = (quality.written, quality.held_out)
    for name, figures in (
        ("distinct {}-grams", [each.distinct for each in both]),
        ("self-BLEU-{}", [each.self_bleu for each in both]),
        ("repeated {}-grams in a text", [each.repetition for each in both]),
        ("words in the vocabulary", [{0: each.known_words} for each in both]),
        ("{}-grams of the training text", [each.copied for each in both]),
    ):
        for n in figures[0]:
            yield name.format(n), _percent(figures[0][n]), _percent(figures[1][n])
    yield "longest copy, tokens", f"{both[0].longest_copy:,}", f"{both[1].longest_copy:,}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
