"""Unicode normal forms in operations of TensorFlow alone, for programs that have no tensorflow_text.

Text is decomposed, marks are put into canonical order, and characters are composed again, as in The Unicode Standard,
3.11, by tables of code points that are filled from tensorflow_text, so that both follow the same version of Unicode.
"""

import functools
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from textgen.text.cleaning.unicode_forms import TENSORFLOW_TEXT_FORMS

_CODE_POINTS = np.array([*range(0xD800), *range(0xE000, 0x30000), *range(0xE0000, 0xE1000)], np.int32)
"""Code points that may change: those of the planes that have letters, without surrogates, and the tags."""

_NONE = -1
_TEXTS = tf.TensorSpec([None], tf.string)


class _Mapping(NamedTuple):
    """Code points that become others, int32 [K] in order, and what they become: a slice of `values` for each."""

    keys: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    values: np.ndarray


class _Compositions(NamedTuple):
    """Pairs of code points that compose, int64 [P] in order, the first in the upper 32 bits; and what they become."""

    keys: np.ndarray
    values: np.ndarray


class _Characters(NamedTuple):
    """Characters of all texts, one after another.

    Attributes:
        points: int32 [N], code points.
        classes: int32 [N], combining classes; 0 for a starter, such as a letter.
        rows: int64 [N], number of the text of each.
        groups: int64 [N], rising; no two characters of different groups compose.
        tried: bool [N], whether a character is known to compose with nothing before it.
    """

    points: tf.Tensor
    classes: tf.Tensor
    rows: tf.Tensor
    groups: tf.Tensor
    tried: tf.Tensor


@functools.cache
def core_forms() -> "CoreUnicodeForms":
    """Returns the forms without operations of tensorflow_text; their tables are filled once, in about a second."""
    return CoreUnicodeForms()


class CoreUnicodeForms:
    """The forms of `TensorflowTextForms` without its operations."""

    def __init__(self) -> None:
        """Fills the tables."""
        forms = TENSORFLOW_TEXT_FORMS
        decomposed = _mapping(lambda texts: tf_text.normalize_utf8(texts, "NFD"))
        compatible = _mapping(lambda texts: tf_text.normalize_utf8(texts, "NFKD"))
        folded = _mapping(lambda texts: tf_text.normalize_utf8(forms.folded_nfkc(texts), "NFKD"))
        self._compositions = _compositions(decomposed)
        self._seconds = np.unique(self._compositions.keys & 0xFFFFFFFF).astype(np.int32)
        classes = np.array([unicodedata.combining(chr(point)) for point in _CODE_POINTS], np.int32)
        self._marks, self._classes = _CODE_POINTS[classes > 0], classes[classes > 0]
        # As functions, whose tables stand in a graph once however often they are called.
        self.nfc, self.nfkc, self.folded_nfkc = (
            tf.function(self._form(mapping), input_signature=[_TEXTS], autograph=False)
            for mapping in (decomposed, compatible, folded)
        )

    def _form(self, mapping: _Mapping) -> Callable[[tf.Tensor], tf.Tensor]:
        def form(texts: tf.Tensor) -> tf.Tensor:
            decoded = tf.strings.unicode_decode(texts, "UTF-8")
            points, origins = _decompose(decoded.flat_values, mapping)
            characters = self._ordered(points, tf.gather(decoded.value_rowids(), origins))
            found = self._compose(characters)
            rows = tf.RaggedTensor.from_value_rowids(found.points, found.rows, nrows=tf.size(texts, tf.int64))
            return tf.strings.unicode_encode(rows, "UTF-8")

        return form

    def _ordered(self, points: tf.Tensor, rows: tf.Tensor) -> _Characters:
        """Puts the marks after each starter into the order of their classes."""
        at = tf.minimum(tf.searchsorted(self._marks, points), len(self._marks) - 1)
        classes = tf.where(tf.gather(self._marks, at) == points, tf.gather(self._classes, at), 0)
        begins = _begins(rows)
        segments = tf.cumsum(tf.cast(begins | (classes == 0), tf.int64))
        order = tf.argsort(segments * 256 + tf.cast(classes, tf.int64), stable=True)
        points, classes = tf.gather(points, order), tf.gather(classes, order)
        at = tf.minimum(tf.searchsorted(self._seconds, points), len(self._seconds) - 1)
        is_second = (classes > 0) | (tf.gather(self._seconds, at) == points)
        groups = tf.cumsum(tf.cast(begins | ~is_second, tf.int64))
        return _Characters(points, classes, rows, groups, tf.zeros_like(begins))

    def _compose(self, characters: _Characters) -> _Characters:
        """Composes what can be, from the left; each pass composes the first pair of every group."""

        def compose(_: tf.Tensor, characters: _Characters) -> tuple[tf.Tensor, _Characters]:
            points, classes, rows, groups, tried = characters
            positions = tf.range(tf.size(points))
            starters, composed = self._pairs(characters)
            is_candidate = (composed != _NONE) & ~tried
            last = tf.size(points)
            firsts = tf.math.unsorted_segment_min(tf.where(is_candidate, positions, last), groups, last + 1)
            first = tf.gather(firsts, groups)
            is_first = is_candidate & (positions == first)
            starters, composed = tf.boolean_mask(starters, is_first), tf.boolean_mask(composed, is_first)
            points = tf.tensor_scatter_nd_update(points, starters[:, tf.newaxis], composed)
            found = _Characters(points, classes, rows, groups, tried | (positions <= first))
            kept = _Characters(*(tf.boolean_mask(tensor, ~is_first) for tensor in found))
            return tf.reduce_any(is_first), kept

        shapes = _Characters(*(tf.TensorShape([None]) for _ in characters))
        _, found = tf.while_loop(
            lambda goes_on, _: goes_on,
            compose,
            (tf.constant(True), characters),
            shape_invariants=(tf.TensorShape([]), shapes),
        )
        return found

    def _pairs(self, characters: _Characters) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the position of the starter before each character, and what both compose to, _NONE for nothing."""
        points, classes, rows = characters[:3]
        is_starter = classes == 0
        before = tf.cumsum(tf.cast(is_starter, tf.int32), exclusive=True)
        all_starters = tf.concat([[0], tf.cast(tf.where(is_starter)[:, 0], tf.int32)], axis=0)
        starters = tf.gather(all_starters, before)
        # A mark between both blocks the composition unless its class is lower.
        is_next = starters == tf.range(tf.size(points)) - 1
        is_open = is_next | (tf.concat([[0], classes], axis=0)[:-1] < classes)
        is_possible = (before > 0) & (tf.gather(rows, starters) == rows) & is_open
        wide = tf.cast(points, tf.int64)
        pairs = tf.bitwise.bitwise_or(tf.bitwise.left_shift(tf.gather(wide, starters), 32), wide)
        at = tf.minimum(tf.searchsorted(self._compositions.keys, pairs), len(self._compositions.keys) - 1)
        is_possible &= tf.gather(self._compositions.keys, at) == pairs
        return starters, tf.where(is_possible, tf.gather(self._compositions.values, at), _NONE)


def _begins(rows: tf.Tensor) -> tf.Tensor:
    """Returns whether each is the first of its row, for rising row numbers, int64 [N] → bool [N]."""
    return tf.concat([[-1], rows], axis=0)[:-1] != rows


def _decompose(points: tf.Tensor, mapping: _Mapping) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what code points, int32 [N], become, int32 [M], and the index of each one's origin, int32 [M]."""
    at = tf.minimum(tf.searchsorted(mapping.keys, points), len(mapping.keys) - 1)
    is_mapped = tf.gather(mapping.keys, at) == points
    lengths = tf.where(is_mapped, tf.gather(mapping.lengths, at), 1)
    origins = tf.repeat(tf.range(tf.size(points)), lengths)
    offsets = tf.range(tf.size(origins)) - tf.gather(tf.cumsum(lengths, exclusive=True), origins)
    # Of what is not mapped, the first value is looked up and not used.
    starts = tf.gather(tf.where(is_mapped, tf.gather(mapping.starts, at), 0), origins)
    return tf.where(
        tf.gather(is_mapped, origins), tf.gather(mapping.values, starts + offsets), tf.gather(points, origins)
    ), origins


def _mapping(change: Callable[[tf.Tensor], tf.Tensor]) -> _Mapping:
    """Returns the code points that change by themselves."""
    with tf.init_scope():
        texts = tf.strings.unicode_encode(_CODE_POINTS[:, np.newaxis], "UTF-8")
        found = tf.strings.unicode_decode(change(texts), "UTF-8")
        lengths = found.row_lengths().numpy().astype(np.int32)
        starts, values = found.row_starts().numpy().astype(np.int32), found.flat_values.numpy()
    changed = lengths != 1
    changed[~changed] = values[starts[~changed]] != _CODE_POINTS[~changed]
    return _Mapping(_CODE_POINTS[changed], starts[changed], lengths[changed], values)


def _compositions(decomposed: _Mapping) -> _Compositions:
    """Returns all pairs that compose, from the decompositions of the characters that NFC keeps."""
    not_kept = set(_mapping(lambda texts: tf_text.normalize_utf8(texts, "NFC")).keys.tolist())
    wholes = {
        tuple(decomposed.values[start : start + length].tolist()): int(key)
        for key, start, length in zip(decomposed.keys, decomposed.starts, decomposed.lengths, strict=True)
        if key not in not_kept
    }
    pairs = {
        (points[0] if len(points) == 2 else wholes[points[:-1]]) << 32 | points[-1]: whole
        for points, whole in wholes.items()
    }
    keys = np.array(sorted(pairs), np.int64)
    return _Compositions(keys, np.array([pairs[key] for key in keys.tolist()], np.int32))
