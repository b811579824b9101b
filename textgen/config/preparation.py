"""The settings of a preparation: how text becomes tokens, which documents stay, how pairs are cut and kept."""

import codecs
import dataclasses
from collections.abc import Mapping
from typing import Any

from textgen.config.checks import require_at_least, require_choice
from textgen.errors import UserError, require

FORMATS = ("document", "paragraphs", "lines", "csv", "tsv", "jsonl", "parquet")

TOKENIZERS = ("word", "char", "byte", "wordpiece", "sentencepiece")

SPLITS = ("train", "validation", "test")

VOCABULARY_FILE = "vocabulary.jsonl"
TOKENIZER_FILE = "tokenizer.model"
"""Both stand beside the manifest of a dataset and beside the settings of a run; the second only where the tokenizer
comes with a model."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How text becomes tokens. Saved with the dataset and with every model trained on it.

    `tokenizer_model` is the SHA-256 of the file of a tokenizer that comes with one, else empty. `max_repeats` is the
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
    mentions: str = "keep"
    numbers: str = "keep"
    redactions: str = "keep"
    max_repeats: int = 0
    unknown: str = "token"

    def __post_init__(self) -> None:
        require_choice("tokenizer", self.tokenizer, TOKENIZERS)
        require_choice("normalization", self.normalization, ("nfkc", "nfc"))
        require_choice("html", self.html, ("keep", "strip"))
        for name in ("urls", "emails", "mentions", "redactions"):
            require_choice(name, getattr(self, name), ("keep", "mask"))
        require_choice("numbers", self.numbers, ("keep", "zero", "mask"))
        require_at_least("max repeats", self.max_repeats, 0, "Use 0 to keep runs of any length.")
        require_choice("case", self.case, ("fold", "keep"))
        require_choice("whitespace", self.whitespace, ("collapse", "keep"))
        require_choice("punctuation", self.punctuation, ("keep", "separate", "strip"))
        require_choice("unknown", self.unknown, ("token", "drop"))
        require_at_least("vocabulary size", self.vocabulary_size, 1)
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
        require_at_least("min tokens", self.min_tokens, 0)
        require_at_least("max tokens", self.max_tokens, 0)
        require(
            not self.max_tokens or self.min_tokens <= self.max_tokens,
            f"min tokens is {self.min_tokens} and max tokens {self.max_tokens}; it must not be above that.",
        )
        require_at_least("min letters percent", self.min_letters_percent, 0)
        require(
            self.min_letters_percent <= 100,
            f"min letters percent is {self.min_letters_percent:g}; it must be at most 100.",
        )
        require_choice("repetition", self.repetition, ("keep", "drop"))
        require_choice("duplicates", self.duplicates, ("keep", "drop"))
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
        require_choice("format", self.format, ("auto", *FORMATS))
        require_choice("on-invalid", self.on_invalid, ("replace", "drop", "fail"))
        try:
            object.__setattr__(self, "encoding", codecs.lookup(self.encoding).name)
            # Some codecs are not of text, as hex.
            " ".encode(self.encoding)
        except LookupError:
            raise UserError(
                f"encoding is {self.encoding!r}, which Python does not know. Use a name as utf-8, cp1252, utf-16."
            ) from None
        require_choice("layout", self.layout, ("pairs", "spans"))
        require_choice("split-by", self.split_by, ("document", "tail"))
        require_at_least("window", self.window, 1, "It is the number of tokens that the model sees.")
        require(self.window <= 4096, f"window is {self.window}; it must be at most 4096.")
        require_at_least("stride", self.stride, 1, "Use 1 for every window.")
        require_at_least("validation percent", self.validation_percent, 0)
        require_at_least("test percent", self.test_percent, 0)
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
