"""Types of the keyword settings of `prepare`, `train` and `Run.generate`, for editors and type checkers.

Written from the declarations in `textgen.config` by `python -m tests.api.test_keyword_types`; not edited by hand.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict


class PrepareSettings(TypedDict, total=False):
    """Settings of `prepare` by name; none is required."""

    tokenizer: Literal["word", "char", "byte", "wordpiece", "bpe", "sentencepiece"]
    vocabulary_size: int
    normalization: Literal["nfkc", "nfc", "none"]
    case: Literal["fold", "keep"]
    whitespace: Literal["collapse", "keep"]
    punctuation: Literal["keep", "separate", "strip"]
    html: Literal["keep", "strip"]
    urls: Literal["keep", "mask"]
    emails: Literal["keep", "mask"]
    mentions: Literal["keep", "mask"]
    numbers: Literal["keep", "zero", "mask"]
    redactions: Literal["keep", "mask"]
    max_repeats: int
    unknown_word: str
    line_ends: Literal["space", "token"]
    unknown: Literal["token", "drop"]
    min_tokens: int
    max_tokens: int
    min_letters_percent: float
    repetition: Literal["keep", "drop"]
    duplicates: Literal["keep", "drop"]
    near_duplicates: float
    delimiter: str | None
    quoting: Literal["auto", "csv", "none"]
    escape: str | None
    header: Literal["auto", "first", "none"]
    skip_rows: int
    skip_initial_space: bool
    join: Literal["line", "paragraph", "space", "none"]
    max_row_bytes: int
    split_by: Literal["document", "tail"]
    validation_percent: float | None
    test_percent: float | None
    split_field: str | None
    group_field: str | None
    held_out_duplicates: Literal["keep", "drop"]
    format: Literal["auto", "document", "paragraphs", "lines", "csv", "tsv", "jsonl", "json", "parquet"]
    text_field: str | None
    document_separator: str | None
    document_separator_regex: str | None
    separator_place: Literal["auto", "line", "anywhere"]
    encoding: str
    on_invalid: Literal["replace-few", "replace", "drop", "fail"]
    on_unreadable: Literal["fail", "skip"]
    keep_dropped: bool
    window: int
    stride: int
    boundaries: bool
    layout: Literal["pairs", "spans"]


class TrainSettings(TypedDict, total=False):
    """Settings of `train` by name; none is required."""

    network: Literal["bilstm", "lstm"]
    embedding: int
    layers: int
    units: int | Sequence[int]
    merge: Literal["concat", "sum", "ave", "mul"]
    pooling: Literal["last", "attention"]
    dropout: float
    tied: bool
    batch_size: int
    epochs: int
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
    learning_rate: float
    schedule: Literal["constant", "cosine", "plateau"]
    warmup_steps: int
    decay_steps: int
    plateau_patience: int
    weight_decay: float
    momentum: float
    clip_norm: float
    label_smoothing: float
    micro_batches: int
    precision: Literal["float32", "bfloat16"]
    softmax: Literal["auto", "full", "sampled"]
    sampled_tokens: int
    stateful: bool
    patience: int
    validate_every: int
    checkpoint_minutes: float
    keep_checkpoints: int
    seed: int
    sample_prompt: str
    sample_temperature: float
    sample_tokens: int
    window: int | None


class GenerateSettings(TypedDict, total=False):
    """Settings of `generate` by name; none is required."""

    tokens: int
    min_tokens: int
    stop: str | Sequence[str]
    may_end: bool
    echo: bool
    temperature: float | Sequence[float]
    top_k: int
    top_p: float
    min_p: float
    beams: int
    length_penalty: float
    seed: int
    repetition_penalty: float
    presence_penalty: float
    frequency_penalty: float
    no_repeat_ngram: int
    logit_bias: Mapping[str | int, float] | None
    ban: str | Sequence[str]
    neural_cache: int
    neural_cache_sharpness: float
    neural_cache_weight: float
    adapt: bool
    adapt_rate: float | None
    adapt_decay: float | None
    adapt_tokens: int
