"""Controls of generation as tensors with one row per text, so that texts with different settings share a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from textgen.config import UNK, GenerationConfig
from textgen.errors import require
from textgen.lazy_tensorflow import tf
from textgen.model.masking import MASKED_LOGIT
from textgen.text.vocabulary import FIRST_ID

if TYPE_CHECKING:
    from textgen.text.preprocessor import Preprocessor


class Kinds(NamedTuple):
    """Kinds of controls that a graph heeds; a graph of few kinds is traced and optimized in less time.

    Attributes:
        limits: top-k, top-p and min-p.
        penalties: repetition, presence and frequency penalty.
        ngrams: n-grams that may not repeat.
        stops: stop strings.
    """

    limits: bool = True
    penalties: bool = True
    ngrams: bool = True
    stops: bool = True

    def covers(self, other: Kinds) -> bool:
        """Returns whether these are at least the other kinds."""
        return all(mine or not theirs for mine, theirs in zip(self, other, strict=True))


ALL_KINDS = Kinds()

NO_KINDS = Kinds(limits=False, penalties=False, ngrams=False, stops=False)


def kinds_of(configs: Sequence[GenerationConfig]) -> Kinds:
    """Returns the kinds of controls that some settings use."""
    return Kinds(
        limits=any(config.top_k or config.top_p < 1 or config.min_p for config in configs),
        penalties=any(
            config.repetition_penalty != 1 or config.presence_penalty or config.frequency_penalty
            for config in configs
        ),
        ngrams=any(config.no_repeat_ngram for config in configs),
        stops=any(config.stop for config in configs),
    )


UNUSED_ID = -1
"""Id that fills a row of ids up."""


class Controls(NamedTuple):
    """The settings of `GenerationConfig`, one row per text.

    Attributes:
        temperatures: float32 [B, S], one per new token; the last one holds for all further tokens.
        top_k: int32 [B]; 0 for all tokens.
        top_p: float32 [B], above 0; 1 for all tokens.
        min_p: float32 [B]; 0 for all tokens.
        repetition_penalty: float32 [B], above 0; 1 for none.
        presence_penalty: float32 [B]; 0 for none.
        frequency_penalty: float32 [B]; 0 for none.
        no_repeat_ngram: int32 [B]; 0 for none.
        bias_ids: int32 [B, K], ids of the tokens with a bias, filled up with -1.
        biases: float32 [B, K], what is added to their logits; MASKED_LOGIT for a token that is not allowed.
        stops: string [B, Z], stop strings, filled up with "".
        min_tokens: int32 [B].
        max_tokens: int32 [B]; at 0 nothing is written.
        may_end: bool [B].
        seeds: int64 [B], at least 0.
        samples: int32 [B], number of the sample among those of the same seed; at least 0.
    """

    temperatures: tf.Tensor
    top_k: tf.Tensor
    top_p: tf.Tensor
    min_p: tf.Tensor
    repetition_penalty: tf.Tensor
    presence_penalty: tf.Tensor
    frequency_penalty: tf.Tensor
    no_repeat_ngram: tf.Tensor
    bias_ids: tf.Tensor
    biases: tf.Tensor
    stops: tf.Tensor
    min_tokens: tf.Tensor
    max_tokens: tf.Tensor
    may_end: tf.Tensor
    seeds: tf.Tensor
    samples: tf.Tensor


_SHAPES_AND_DTYPES = {
    "temperatures": (2, "float32"), "top_k": (1, "int32"), "top_p": (1, "float32"), "min_p": (1, "float32"),
    "repetition_penalty": (1, "float32"), "presence_penalty": (1, "float32"), "frequency_penalty": (1, "float32"),
    "no_repeat_ngram": (1, "int32"), "bias_ids": (2, "int32"), "biases": (2, "float32"), "stops": (2, "string"),
    "min_tokens": (1, "int32"), "max_tokens": (1, "int32"), "may_end": (1, "bool"), "seeds": (1, "int64"),
    "samples": (1, "int32"),
}  # fmt: skip


_DTYPES: Mapping[str, Any] = {"string": np.object_, "bool": np.bool_}


def control_specs() -> Controls:
    """Returns the `tf.TensorSpec` of each control."""
    return Controls(
        **{
            name: tf.TensorSpec([None] * rank, getattr(tf, dtype), name)
            for name, (rank, dtype) in _SHAPES_AND_DTYPES.items()
        }
    )


def make_controls(
    configs: Sequence[GenerationConfig], preprocessor: Preprocessor, *, samples: Sequence[int] | None = None
) -> Controls:
    """Returns the controls of texts.

    Args:
        configs: settings of each of B texts.
        preprocessor: finds the ids of tokens by their texts.
        samples: number of each text among those of the same prompt and seed; 0 for all by default.

    Raises:
        UserError: a token with a bias or a banned token is no token of the vocabulary, or all tokens are banned.
    """
    biases = [bias_by_id(config, preprocessor) for config in configs]
    columns: dict[str, Any] = {
        name: [getattr(config, name) for config in configs]
        for name in Controls._fields
        if name in GenerationConfig.own_settings
    }
    columns |= {
        "temperatures": _filled([config.temperature for config in configs], fill=None),
        "bias_ids": _filled([list(by_id) for by_id in biases], fill=UNUSED_ID),
        "biases": _filled([list(by_id.values()) for by_id in biases], fill=0.0),
        "stops": _filled([[text.encode(errors="replace") for text in config.stop] for config in configs], fill=b""),
        "max_tokens": [config.tokens for config in configs],
        "seeds": [config.seed for config in configs],
        "samples": [0] * len(configs) if samples is None else list(samples),
    }
    return Controls(
        **{
            # A tensor is made faster from an array than from a list.
            name: tf.constant(np.array(columns[name], _DTYPES.get(dtype, dtype)).reshape(_shape(columns[name], rank)))
            for name, (rank, dtype) in _SHAPES_AND_DTYPES.items()
        }
    )


def _shape(rows: list[Any], rank: int) -> list[int]:
    return [len(rows)] if rank == 1 else [len(rows), len(rows[0]) if rows else 0]


def _filled(rows: Sequence[Sequence[Any]], *, fill: Any) -> list[list[Any]]:
    """Returns rows of the same length, filled up with `fill`, or with the last value of each where it is None."""
    longest = max(map(len, rows), default=0)
    return [[*row, *[row[-1] if fill is None else fill] * (longest - len(row))] for row in rows]


def bias_by_id(config: GenerationConfig, preprocessor: Preprocessor) -> dict[int, float]:
    """Returns what is added to the logits of tokens, by id.

    Raises:
        UserError: as by `make_controls`.
    """
    given = config.logit_bias or {}
    biases = dict(zip(_ids(list(given), preprocessor, setting="logit bias"), given.values(), strict=True))
    biases |= dict.fromkeys(_ids(config.ban, preprocessor, setting="ban"), MASKED_LOGIT)
    tokens = preprocessor.vocabulary.tokens
    banned = {number for number, bias in biases.items() if bias == MASKED_LOGIT and number >= FIRST_ID}
    require(
        len(banned) < len(tokens),
        f"all {len(tokens):,} tokens are banned; at least one must be allowed. Ban fewer.",
    )
    return biases


def _ids(tokens: Sequence[str | int], preprocessor: Preprocessor, *, setting: str) -> Iterator[int]:
    """Yields the id of each token, given by its text in the vocabulary, by text that has one token, or by its id.

    Raises:
        UserError: there is no such token.
    """
    if not tokens:
        return
    texts = preprocessor.vocabulary.texts
    numbers = {text: number for number, text in enumerate(texts)}
    for token in tokens:
        if isinstance(token, int):
            require(
                0 <= token < len(texts),
                f"{setting} has the id {token:,}; ids are from 0 to {len(texts) - 1:,}. Give one of these.",
            )
            yield token
        elif token in numbers:
            yield numbers[token]
        else:
            found = preprocessor.encode(tf.constant([token.encode(errors="replace")])).values.numpy()
            require(
                len(found) == 1 and found[0] != UNK,
                f"{setting} has {token!r}, which is no token of the vocabulary, but {_count(found)}. Give a token as "
                "it stands in vocabulary.jsonl.",
            )
            yield int(found[0])


def _count(ids: np.ndarray) -> str:
    if not len(ids):
        return "no text"
    return "a text with unknown tokens" if UNK in ids else f"{len(ids)} tokens"
