"""Shows some pairs of a dataset as text, without TensorFlow where their text needs no graph."""

from collections.abc import Sequence

from textgen.config import BOS, EOS, RESERVED, UNK
from textgen.console import import_tensorflow
from textgen.dataset.loading.first_pairs import first_pairs
from textgen.dataset.storage.manifest import Manifest
from textgen.text import vocabulary
from textgen.text.tokenizers import make_tokenizer
from textgen.text.vocabulary import Vocabulary

Row = tuple[str, list[int]]
"""The text before some ids, and the ids, which have no reserved ones but [UNK]."""


def vocabulary_and_pairs(data: str, manifest: Manifest, count: int) -> tuple[Vocabulary, list[dict[str, str]]]:
    """Returns the vocabulary and about `count` pairs, evenly spaced over the first ones of the training split.

    Args:
        data: path or URL of the dataset.
        manifest: its manifest.
        count: number of pairs; one or two more if there are.

    Returns:
        The vocabulary, and for each pair the texts `x` and `y`; of the reserved ids, [UNK] and the [BOS] at the start
        of `x` have a text.

    Raises:
        UserError: the training split is empty, or a shard, the vocabulary or the tokenizer's model is missing or
            damaged.
    """
    words = vocabulary.load_own(data, manifest.vocabulary)
    x, y = first_pairs(data, "train", manifest.config.window + 2)
    rows = range(0, len(y), max(1, len(y) // count))
    given = [
        (RESERVED[BOS] if x[row, 0] == BOS else "", [i for i in x[row].tolist() if i > EOS or i == UNK])
        for row in rows
    ]
    texts = decoded(data, manifest, words, given)
    return words, [{"x": text, "y": words.texts[y[row]]} for row, text in zip(rows, texts, strict=True)]


def decoded(data: str, manifest: Manifest, words: Vocabulary, rows: Sequence[Row]) -> list[str]:
    """Returns the text of each row.

    Args:
        data: path or URL of the dataset.
        manifest: its manifest.
        words: its vocabulary.
        rows: what to decode.

    Raises:
        UserError: the tokenizer's model is missing or damaged.
    """
    return _plain_texts(manifest, words, rows) or _texts_of_graph(data, manifest, words, rows)


def _plain_texts(manifest: Manifest, words: Vocabulary, rows: Sequence[Row]) -> list[str]:
    """Returns the text of each row; empty if only a graph can compute it."""
    if manifest.text.tokenizer_model or manifest.text.unknown_word:
        return []
    tokenizer = make_tokenizer(manifest.text)
    found = [tokenizer.plain_text(prompt, [words.texts[i] for i in ids]) for prompt, ids in rows]
    texts = [text for text in found if text is not None]
    return texts if len(texts) == len(found) else []


def _texts_of_graph(data: str, manifest: Manifest, words: Vocabulary, rows: Sequence[Row]) -> list[str]:
    """Returns the text of each row by the preprocessor of the dataset."""
    import_tensorflow(plots=False)
    import tensorflow as tf

    from textgen.text.preprocessor import load

    loaded = load(data, manifest.text, words)
    texts = loaded.decode(tf.ragged.constant([ids for _, ids in rows], tf.int32, row_splits_dtype=tf.int64))
    joined = loaded.tokenizer.join(tf.constant([prompt for prompt, _ in rows]), texts)
    return [text.decode(errors="replace") for text in joined.numpy().tolist()]
