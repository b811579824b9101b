"""The ground: reserved ids, and the settings of every stage.

Each stage's settings are one frozen dataclass: checked when made, saved as JSON beside what the stage made,
read back from there, and never asked for twice.
"""

import codecs
import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from textgen.errors import UserError, require

PAD, UNK, BOS, EOS = range(4)
"""Ids that stand for no text: padding, an unknown token, the beginning and the end of a document."""

RESERVED = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
"""How the reserved ids are written, in the order of the ids."""

FORMATS = ("document", "paragraphs", "lines", "csv", "tsv", "jsonl", "parquet")

TOKENIZERS = ("word", "char", "byte", "wordpiece", "sentencepiece")

SPLITS = ("train", "validation", "test")

VOCABULARY_FILE = "vocabulary.jsonl"
TOKENIZER_FILE = "tokenizer.model"
"""Both stand beside the manifest of a dataset and beside the settings of a run; the second only where the tokenizer
comes with a model."""


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    require(value in choices, f"{name} is {value!r}; it must be one of: {', '.join(choices)}.")


def _require_at_least(name: str, value: float, least: float, remedy: str = "") -> None:
    # `not (value >= least)`, so that NaN is refused too.
    require(
        not math.isnan(value) and value >= least,
        f"{name} is {value}; it must be at least {least}. {remedy}".rstrip(),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How text becomes tokens. Saved with the dataset and with every model trained on it.

    `tokenizer_model` is the SHA-256 of the file of a tokenizer that comes with one, else empty. `repeats` is the
    longest run of one character that is kept; 0 keeps all.
    """

    tokenizer: str = "word"
    tokenizer_model: str = ""
    vocabulary_size: int = 8000
    normalization: str = "nfkc"
    case: str = "fold"
    whitespace: str = "collapse"
    punctuation: str = "separate"
    html: str = "keep"
    urls: str = "keep"
    emails: str = "keep"
    names: str = "keep"
    numbers: str = "keep"
    redactions: str = "keep"
    repeats: int = 0
    unknown: str = "token"

    def __post_init__(self) -> None:
        _require_choice("tokenizer", self.tokenizer, TOKENIZERS)
        _require_choice("normalization", self.normalization, ("nfkc", "nfc"))
        _require_choice("html", self.html, ("keep", "strip"))
        for name in ("urls", "emails", "names", "redactions"):
            _require_choice(name, getattr(self, name), ("keep", "mask"))
        _require_choice("numbers", self.numbers, ("keep", "zero", "mask"))
        _require_at_least("repeats", self.repeats, 0, "Use 0 to keep runs of any length.")
        _require_choice("case", self.case, ("fold", "keep"))
        _require_choice("whitespace", self.whitespace, ("collapse", "keep"))
        _require_choice("punctuation", self.punctuation, ("keep", "separate", "strip"))
        _require_choice("unknown", self.unknown, ("token", "drop"))
        _require_at_least("vocabulary size", self.vocabulary_size, 1)
        require(
            self.tokenizer == "word" or self.punctuation != "separate",
            f"punctuation is 'separate' with the {self.tokenizer} tokenizer, which keeps marks apart by itself. "
            "Use 'keep' or 'strip'.",
        )
        require(
            self.tokenizer != "wordpiece" or self.whitespace == "collapse",
            "whitespace is 'keep' with the wordpiece tokenizer, which cuts at white space. Use 'collapse'.",
        )


TEXT_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "word": {},
    "char": {"vocabulary_size": 1000, "case": "keep", "whitespace": "keep", "punctuation": "keep"},
    "byte": {"vocabulary_size": 256, "case": "keep", "whitespace": "keep", "punctuation": "keep"},
    "wordpiece": {"punctuation": "keep"},
    "sentencepiece": {"case": "keep", "punctuation": "keep"},
}
"""What each tokenizer's users expect where they say nothing: a character model keeps the text as it stands."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SelectionConfig:
    """Which documents are kept. The defaults keep all that hold text; 0 is no limit.

    `near_duplicates` is the similarity, from 0 to 1, from which on two documents count as one.
    """

    min_tokens: int = 0
    max_tokens: int = 0
    min_letters_percent: float = 0.0
    repetition: str = "keep"
    duplicates: str = "keep"
    near_duplicates: float = 0.0

    def __post_init__(self) -> None:
        for name in ("min_letters_percent", "near_duplicates"):
            object.__setattr__(self, name, float(getattr(self, name)))
        _require_at_least("min tokens", self.min_tokens, 0)
        _require_at_least("max tokens", self.max_tokens, 0)
        require(
            not self.max_tokens or self.min_tokens <= self.max_tokens,
            f"min tokens is {self.min_tokens} and max tokens {self.max_tokens}; it must not be above that.",
        )
        _require_at_least("min letters percent", self.min_letters_percent, 0)
        require(
            self.min_letters_percent <= 100,
            f"min letters percent is {self.min_letters_percent:g}; it must be at most 100.",
        )
        _require_choice("repetition", self.repetition, ("keep", "drop"))
        _require_choice("duplicates", self.duplicates, ("keep", "drop"))
        require(
            self.near_duplicates == 0 or 0.5 <= self.near_duplicates < 1,
            f"near duplicates is {self.near_duplicates:g}; it must be from 0.5 to below 1. "
            "Use 0.8, or --duplicates drop for exact ones alone.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareConfig:
    """What a dataset is made of. Two datasets with the same inputs and PrepareConfig have the same bytes.

    `given_vocabulary` is the SHA-256 of the vocabulary that was given, empty where it is learned.
    """

    text: TextConfig
    selection: SelectionConfig = SelectionConfig()
    format: str = "auto"
    text_field: str | None = None
    encoding: str = "utf-8"
    on_invalid: str = "replace"
    keep_dropped: bool = False
    window: int = 44
    stride: int = 1
    boundaries: bool = True
    layout: str = "pairs"
    given_vocabulary: str = ""
    split_by: str = "document"
    validation_percent: float = 5.0
    test_percent: float = 5.0

    def __post_init__(self) -> None:
        _require_choice("format", self.format, ("auto", *FORMATS))
        _require_choice("on-invalid", self.on_invalid, ("replace", "drop", "fail"))
        try:
            object.__setattr__(self, "encoding", codecs.lookup(self.encoding).name)
            # Some codecs are not of text, as hex.
            " ".encode(self.encoding)
        except LookupError:
            raise UserError(
                f"encoding is {self.encoding!r}, which Python does not know. Use a name as utf-8, cp1252, utf-16."
            ) from None
        _require_choice("layout", self.layout, ("pairs", "spans"))
        _require_choice("split-by", self.split_by, ("document", "tail"))
        _require_at_least("window", self.window, 1, "It is the number of tokens that the model sees.")
        require(self.window <= 4096, f"window is {self.window}; it must be at most 4096.")
        _require_at_least("stride", self.stride, 1, "Use 1 for every window.")
        _require_at_least("validation percent", self.validation_percent, 0)
        _require_at_least("test percent", self.test_percent, 0)
        for name in ("validation_percent", "test_percent"):
            # 5 and 5.0 are one setting, and must be one in the JSON that plans are compared by.
            object.__setattr__(self, name, float(getattr(self, name)))
        held_out = self.validation_percent + self.test_percent
        require(
            held_out < 100,
            f"validation and test take {held_out:g} percent of the text; they must leave some to train on. "
            "Lower --validation-percent or --test-percent.",
        )

    def held_out_percent(self) -> dict[str, float]:
        """The share of each held-out split."""
        return {"validation": self.validation_percent, "test": self.test_percent}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network: Embedding → layers × Bidirectional(LSTM(units)) → Dense over the vocabulary."""

    embedding: int = 128
    layers: int = 1
    units: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _require_at_least("embedding", self.embedding, 1)
        _require_at_least("layers", self.layers, 1)
        _require_at_least("units", self.units, 1)
        require(0 <= self.dropout < 1, f"dropout is {self.dropout}; it must be at least 0 and below 1.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the network is trained. `validate_every` counts steps; 0 means once at the end of each epoch."""

    batch_size: int = 256
    epochs: int = 10
    optimizer: str = "adam"
    learning_rate: float = 0.001
    clip_norm: float = 1.0
    patience: int = 3
    validate_every: int = 0
    keep_checkpoints: int = 2
    seed: int = 0
    sample_prompt: str = ""
    sample_temperature: float = 0.8
    sample_tokens: int = 50

    def __post_init__(self) -> None:
        _require_choice("optimizer", self.optimizer, ("adam", "rmsprop", "sgd"))
        for name in ("batch_size", "epochs", "patience", "keep_checkpoints", "sample_tokens"):
            _require_at_least(name.replace("_", " "), getattr(self, name), 1)
        _require_at_least("validate every", self.validate_every, 0)
        require(0 <= self.seed < 2**31, f"seed is {self.seed}; it must be from 0 to 2,147,483,647.")
        _require_at_least("clip norm", self.clip_norm, 0, "Use 0 for no clipping.")
        _require_at_least("sample temperature", self.sample_temperature, 0, "Use 0 for the likeliest token.")
        for name in ("clip_norm", "sample_temperature"):
            value = getattr(self, name)
            require(math.isfinite(value), f"{name.replace('_', ' ')} is {value}; it must be finite.")
        require(
            0 < self.learning_rate < math.inf,
            f"learning rate is {self.learning_rate}; it must be a finite number above 0.",
        )


Config = TypeVar("Config")


def to_json(config: Any) -> dict[str, Any]:
    """A config as plain JSON values."""
    return dataclasses.asdict(config)


def from_json(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """The config that `to_json` saved.

    Raises:
        UserError: a setting is unknown to this version.
    """
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - names)
    require(
        not unknown,
        f"unknown settings {unknown}; this was written by another version of textgen. Use that one.",
    )
    if kind is PrepareConfig:
        values = {
            **values,
            "text": from_json(TextConfig, values["text"]),
            "selection": from_json(SelectionConfig, values["selection"]),
        }
    return kind(**values)
