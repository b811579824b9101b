"""Settings of a preparation: reading text, filtering documents, and cutting pairs."""

import dataclasses
from typing import NamedTuple

from textgen.config import document_separators
from textgen.config.checks import text_encoding
from textgen.config.fields import Settings, internal, setting
from textgen.config.splitting import SplitSettings
from textgen.config.tables import TablesConfig
from textgen.config.text_settings import TextConfig
from textgen.errors import require

FORMATS = ("document", "paragraphs", "lines", "csv", "tsv", "jsonl", "json", "parquet")
COMPRESSIONS = ("gzip", "bz2", "xz", "lzma", "zstd", "deflate")


class VocabularyRecord(NamedTuple):
    """The vocabulary as a manifest records it.

    Attributes:
        size: number of ids, the reserved ones included.
        sha256: SHA-256 of the file, as hexadecimal digits.
        tokens_sha256: SHA-256 of the tokens without their counts; if it is equal, ids mean the same.
    """

    size: int
    sha256: str
    tokens_sha256: str


_NEAR = "Use 0.8, or --duplicates drop to drop only exact duplicates."


def _similarity(value: float) -> float:
    require(
        value == 0 or 0.5 <= value < 1,
        f"near duplicates is {value:g}; it must be 0, or at least 0.5 and below 1. {_NEAR}",
    )
    return value


@dataclasses.dataclass(frozen=True, kw_only=True)
class SelectionConfig(Settings):
    """Settings of the document filters. The defaults keep every document that holds text."""

    min_tokens: int = setting(
        0, at_least=0, group="filters", help="drop documents with fewer than N tokens; 0: no limit"
    )
    max_tokens: int = setting(
        0, at_least=0, group="filters", help="drop documents with more than N tokens; 0: no limit"
    )
    min_letters_percent: float = setting(
        0.0, at_least=0, at_most=100, group="filters", metavar="PERCENT",
        help="drop documents in which fewer than PERCENT of the characters are letters",
    )  # fmt: skip
    repetition: str = setting(
        "keep", choices=("keep", "drop"), group="filters",
        help="documents that repeat themselves, by the limits of Gopher (Rae et al. 2021)",
    )  # fmt: skip
    duplicates: str = setting(
        "keep", choices=("keep", "drop"), group="filters",
        help="documents whose cleaned text equals that of an earlier document",
    )  # fmt: skip
    near_duplicates: float = setting(
        0.0, convert=_similarity, remedy=_NEAR, group="filters", metavar="SIMILARITY",
        help="drop documents with at least this estimated Jaccard similarity to another, from 0.5 to below 1 "
        "(0.8 is usual); 0: none",
    )  # fmt: skip

    def check_together(self) -> None:
        """Checks that the token limits leave a range.

        Raises:
            UserError: the minimum exceeds the maximum.
        """
        require(
            not self.max_tokens or self.min_tokens <= self.max_tokens,
            f"min tokens is {self.min_tokens} and max tokens is {self.max_tokens}; the minimum must not exceed the "
            "maximum. Lower --min-tokens, or use --max-tokens 0 for no limit.",
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareConfig(SplitSettings):
    """Settings of a dataset. Two datasets with the same inputs and the same PrepareConfig have the same bytes.

    `given_vocabulary` is the SHA-256 of the vocabulary that was given, as hexadecimal digits; empty where one is
    learned.
    """

    text: TextConfig
    selection: SelectionConfig = SelectionConfig()
    tables: TablesConfig = TablesConfig()
    format: str = setting(
        "auto", choices=("auto", *FORMATS), group="input",
        help="format of the files; auto: by the first bytes and the ending of each file, and one document per file "
        "for plain text; gzip, bz2, xz and zstd files are decompressed, and zip and tar archives opened",
    )  # fmt: skip
    text_field: str | None = setting(
        None, group="input",
        help="column that holds the documents, several joined as title,body (csv, tsv), or path to the field (json, "
        "jsonl, parquet), as data.text or messages.*.content",
    )  # fmt: skip
    document_separator: str | None = setting(
        None, convert=document_separators.separator, group="input", metavar="TEXT",
        help="text that separates the documents of plain text files, as </s> or a line of %; --format paragraphs "
        "separates them at blank lines",
    )  # fmt: skip
    document_separator_regex: str | None = setting(
        None, convert=document_separators.pattern, group="input", metavar="REGEX",
        help="regular expression that separates documents where it matches the start of a line; what it matches "
        "belongs to no document: 'CHAPTER .*' leaves the line out, and '(?=CHAPTER )' keeps it",
    )  # fmt: skip
    separator_place: str = setting(
        "auto", choices=("auto", "line", "anywhere"), group="input", advanced=True,
        help="where the text of --document-separator separates documents: as a line of its own, or anywhere; auto: "
        "anywhere for control characters and texts in brackets, as </s>, and as a line for others",
    )  # fmt: skip
    encoding: str = setting(
        "utf-8", convert=text_encoding, group="input",
        help="character encoding of the files, by its Python name; auto: detected for each file. Files with a byte "
        "order mark of UTF-16 or UTF-32 are read as such",
    )  # fmt: skip
    on_invalid: str = setting(
        "replace-few", choices=("replace-few", "replace", "drop", "fail"), group="input",
        help="documents with bytes that are invalid in the encoding: replace the bytes by U+FFFD, unless they are "
        "more than 5 percent of a file's characters, which is an error; replace any number of them; drop the "
        "document; or fail",
    )  # fmt: skip
    on_unreadable: str = setting(
        "fail", choices=("fail", "skip"), group="input",
        help="files and folders that may not be read: fail before any work begins, or skip and count them",
    )  # fmt: skip
    keep_dropped: bool = setting(
        False, group="filters", help="write the dropped documents and the reasons to dropped-*.jsonl"
    )
    window: int = setting(
        44, at_least=1, at_most=4096, remedy="It is the number of tokens that the model sees.", group="pairs",
        metavar="W", help="number of tokens before the target that a pair holds",
    )  # fmt: skip
    stride: int = setting(
        1,
        at_least=1,
        at_most=1_000_000,
        remedy="Use 1 for every window.",
        group="pairs",
        help="keep every N-th target",
    )
    boundaries: bool = setting(
        True, group="pairs", advanced=True, help="add [BOS] and [EOS] at the start and the end of each document"
    )
    layout: str = setting(
        "pairs", choices=("pairs", "spans"), group="pairs",
        help="pairs: one tf.train.Example per pair, which any TFRecord reader parses; spans: token ids, about 2 "
        "bytes per pair, from which the loader cuts the windows",
    )  # fmt: skip
    given_vocabulary: str = internal("", pattern="|[0-9a-f]{64}")

    def check_together(self) -> None:
        """Checks the splits, and the separators of documents.

        Raises:
            UserError: they do not fit together.
        """
        super().check_together()
        document_separators.check_separators(
            self.document_separator, self.document_separator_regex, self.separator_place
        )

    @property
    def separates_anywhere(self) -> bool:
        """Whether `document_separator` separates documents within lines too."""
        text = self.document_separator
        return bool(text) and document_separators.is_anywhere(text or "", self.separator_place)
