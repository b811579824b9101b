"""Settings that turn text into tokens: cleaning and the tokenizer."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from textgen.config.fields import Settings, internal, setting
from textgen.errors import require

TEXT_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "word": {},
    "char": {
        "vocabulary_size": 1000,
        "normalization": "nfc",
        "case": "keep",
        "whitespace": "keep",
        "punctuation": "keep",
    },
    "byte": {
        "vocabulary_size": 256,
        "normalization": "nfc",
        "case": "keep",
        "whitespace": "keep",
        "punctuation": "keep",
    },
    "wordpiece": {"punctuation": "keep"},
    "bpe": {"normalization": "nfc", "case": "keep", "whitespace": "keep", "punctuation": "keep"},
    "sentencepiece": {"case": "keep", "punctuation": "keep"},
}
"""Tokenizers, and their defaults of `TextConfig`: a character model, for example, keeps the text unchanged."""

TOKENIZERS = tuple(TEXT_DEFAULTS)

VOCABULARY_FILE = "vocabulary.jsonl"
TOKENIZER_FILE = "tokenizer.model"
TOKENIZER_JSON = "tokenizer.json"
"""Files in the folder of a dataset and of a run; the second one only if the tokenizer has a model, and the third one
only with `bpe`, for other programs."""

BYTES = 256
"""Number of bytes, the fewest tokens of `bpe`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextConfig(Settings):
    """Settings that turn text into tokens. Saved with the dataset and with every model trained on it.

    `tokenizer_model` is the SHA-256 of the tokenizer's model file, as hexadecimal digits; empty where it has none.
    """

    tokenizer: str = setting(
        "word", choices=TOKENIZERS, group="tokens",
        help="what a token is: a word, a character, a byte, or a subword learned by WordPiece, learned or given by "
        "byte-level BPE, or read from a SentencePiece model",
    )  # fmt: skip
    tokenizer_model: str = internal("", pattern="|[0-9a-f]{64}")
    vocabulary_size: int = setting(
        8000, at_least=1, group="tokens", help="number of most frequent tokens to keep in the vocabulary"
    )
    normalization: str = setting(
        "nfkc", choices=("nfkc", "nfc", "none"), group="cleaning", advanced=True,
        help="Unicode normal form of the text; none: no character changes but by other options",
    )  # fmt: skip
    case: str = setting(
        "fold", choices=("fold", "keep"), group="cleaning", help="letter case: lowercase or unchanged"
    )
    whitespace: str = setting(
        "collapse", choices=("collapse", "keep"), group="cleaning",
        help="runs of white space: one space or unchanged",
    )  # fmt: skip
    punctuation: str = setting(
        "separate", choices=("keep", "separate", "strip"), group="cleaning",
        help="punctuation marks: unchanged, separate tokens, or removed",
    )  # fmt: skip
    html: str = setting("keep", choices=("keep", "strip"), group="cleaning", help="HTML tags and entities")
    urls: str = setting("keep", choices=("keep", "mask"), group="cleaning", help="URLs; mask writes xxurl")
    emails: str = setting("keep", choices=("keep", "mask"), group="cleaning", help="e-mail addresses; mask: xxemail")
    mentions: str = setting(
        "keep",
        choices=("keep", "mask"),
        group="cleaning",
        former="names",
        help="mentions such as @name; mask: xxname",
    )
    numbers: str = setting(
        "keep", choices=("keep", "zero", "mask"), group="cleaning",
        help="numbers; zero writes 0 for every digit, mask: xxnumber",
    )  # fmt: skip
    redactions: str = setting(
        "keep", choices=("keep", "mask"), group="cleaning",
        help="redacted words such as XXXX and dates such as XX/XX/2015; mask: xxxx",
    )  # fmt: skip
    max_repeats: int = setting(
        0, at_least=0, remedy="Use 0 to keep runs of any length.", group="cleaning", former="repeats",
        help="maximum number of times that a character repeats in a row; more are removed; 0: no limit",
    )  # fmt: skip
    unknown_word: str = setting(
        "", group="tokens", metavar="WORD",
        help="word of the text that stands for an unknown one, such as '<unk>'; it gets the id of [UNK] (word)",
    )  # fmt: skip
    line_ends: str = setting(
        "space", choices=("space", "token"), group="tokens",
        help="line ends within documents: white space, or a token each (word)",
    )  # fmt: skip
    unknown: str = setting(
        "token", choices=("token", "drop"), group="tokens", advanced=True,
        help="tokens outside the vocabulary: the id of [UNK], or dropped; a document of nothing else is then dropped "
        "as empty",
    )  # fmt: skip

    def check_together(self) -> None:
        """Checks that punctuation, white space and special words fit the tokenizer, and the case the normal form.

        Raises:
            UserError: they do not.
        """
        require(
            self.tokenizer != "bpe" or self.vocabulary_size >= BYTES,
            f"vocabulary size is {self.vocabulary_size} with the bpe tokenizer, whose first {BYTES} tokens are the "
            f"bytes; it must be at least {BYTES}. Use --tokenizer byte for no other tokens.",
        )
        self._check_unnormalized()
        require(
            self.tokenizer == "word" or self.punctuation != "separate",
            f"punctuation is 'separate' with the {self.tokenizer} tokenizer, which separates marks by itself. "
            "Use 'keep' or 'strip'.",
        )
        require(
            self.tokenizer != "wordpiece" or self.whitespace == "collapse",
            "whitespace is 'keep' with the wordpiece tokenizer, which splits at white space. Use 'collapse'.",
        )
        require(
            self.tokenizer == "word" or not self.unknown_word,
            f"unknown word is {self.unknown_word!r} with the {self.tokenizer} tokenizer, whose tokens are no words. "
            "Leave it out, or use --tokenizer word.",
        )
        require(
            self.tokenizer == "word" or self.line_ends == "space",
            f"line ends is 'token' with the {self.tokenizer} tokenizer; only word has such a token. "
            "Use --tokenizer word, or --tokenizer char, which keeps line ends as characters.",
        )

    @property
    def changes_text(self) -> bool:
        """Whether cleaning may change a text."""
        rules = (
            self.case, self.whitespace, self.punctuation, self.html, self.urls, self.emails, self.mentions,
            self.numbers, self.redactions,
        )  # fmt: skip
        return self.normalization != "none" or set(rules) != {"keep"} or self.max_repeats > 0

    def _check_unnormalized(self) -> None:
        """Raises UserError if text without a normal form does not fit other settings."""
        if self.normalization != "none":
            return
        require(
            self.case == "keep",
            "case is 'fold' with normalization 'none', which changes no letter. Use --case keep, or --normalization "
            "nfc.",
        )
        require(
            self.tokenizer != "word" or self.whitespace == "collapse",
            "whitespace is 'keep' with normalization 'none' and the word tokenizer, whose words must not have white "
            "space. Use --whitespace collapse, or --normalization nfc.",
        )
