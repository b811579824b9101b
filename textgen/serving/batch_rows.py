"""Texts of several requests in one batch: rows are added while others are being written, and taken out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textgen.config import PAD
from textgen.generation.controls import UNUSED_ID, Controls
from textgen.generation.penalties import TokensSoFar
from textgen.generation.stops import LastTokens
from textgen.generation.text_state import TextState


class BatchRows(NamedTuple):
    """State and controls of texts."""

    state: TextState
    controls: Controls


def join(first: BatchRows, second: BatchRows) -> BatchRows:
    """Returns the rows of two batches, the narrower tensors of which are filled up with what has no effect."""
    a, b = first.state, second.state
    state = TextState(
        context=tuple(tf.concat(both, axis=0) for both in zip(a.context, b.context, strict=True)),
        tokens=TokensSoFar(
            _join(a.tokens.in_prompt, b.tokens.in_prompt, False),
            _join(a.tokens.counts, b.tokens.counts, 0.0),
            _join(a.tokens.history, b.tokens.history, UNUSED_ID, left=True),
        ),
        last=LastTokens(
            tf.concat([a.last.prompts, b.last.prompts], axis=0), _join(a.last.ids, b.last.ids, PAD, left=True)
        ),
        lengths=tf.concat([a.lengths, b.lengths], axis=0),
        reasons=tf.concat([a.reasons, b.reasons], axis=0),
        cuts=tf.concat([a.cuts, b.cuts], axis=0),
    )
    joined = {
        name: _join(x, y, _FILLS.get(name)) if x.shape.rank == 2 else tf.concat([x, y], axis=0)
        for name, x, y in zip(Controls._fields, first.controls, second.controls, strict=True)
    }
    return BatchRows(state, Controls(**joined))


def padded(rows: Sequence[Sequence[int]], *, left: bool = False) -> tf.Tensor:
    """Returns ids, int32 [B, N], filled up with PAD on the right, or on the left."""
    longest = max(map(len, rows), default=0)
    found = np.full((len(rows), longest), PAD, np.int32)
    for row, ids in enumerate(rows):
        if len(ids):
            found[row, slice(longest - len(ids), None) if left else slice(len(ids))] = ids
    return tf.constant(found)


def select(rows: BatchRows, indices: Sequence[int]) -> BatchRows:
    """Returns some of the rows."""
    chosen = tf.constant(indices, tf.int32)
    return tf.nest.map_structure(lambda tensor: tf.gather(tensor, chosen), rows)


_FILLS: dict[str, Any] = {"bias_ids": UNUSED_ID, "biases": 0.0, "stops": ""}
"""What fills the rows of controls up; temperatures are filled up with their last one."""


def _join(a: tf.Tensor, b: tf.Tensor, fill: Any, *, left: bool = False) -> tf.Tensor:
    width = max(a.shape[1], b.shape[1])
    return tf.concat([_widened(x, width, fill, left=left) for x in (a, b)], axis=0)


def _widened(x: tf.Tensor, width: int, fill: Any, *, left: bool) -> tf.Tensor:
    more = width - x.shape[1]
    if not more:
        return x
    filled = tf.repeat(x[:, -1:], more, axis=1) if fill is None else tf.fill([x.shape[0], more], fill)
    return tf.concat([filled, x] if left else [x, filled], axis=1)
