"""The first pass: cleans, filters and tokenizes the documents of each unit.

Later passes read its token files: the vocabulary is counted from the tokens and the shards are written from them, so
the text is cleaned and tokenized only once.
"""

from pathlib import Path
from typing import Any

import numpy as np

from pipelines.document_builder import DocumentTableBuilder
from pipelines.text_operations import text_operations
from pipelines.token_files import TokenBatch, TokenWriter, write_symbols
from pipelines.unit_texts import UnitTexts
from pipelines.workspace import TOKENS, Workspace
from textgen import files
from textgen.config import PrepareConfig
from textgen.corpus.readers.base import ReadLimits
from textgen.corpus.units import Unit
from textgen.text.compiled.corpus_tokenizer import Tokens


class TokenizeUnit:
    """Writes the token files of a unit."""

    stage = TOKENS

    def __init__(self, config: PrepareConfig, workspace: Workspace, *, limits: ReadLimits | None = None):
        self._config, self._workspace = config, workspace
        self._limits = limits or ReadLimits()

    def setup(self) -> None:
        """Builds the text operations."""
        self._operations = text_operations(
            self._config.text, self._config.selection, self._workspace.tokenizer_model()
        )

    def process(self, unit: Unit) -> dict[str, Any]:
        """Writes the files `tokens`, `symbols`, `documents` and, if dropped documents are kept, `rejected`.

        Returns:
            The report of `UnitTexts`.

        Raises:
            UserError: a document cannot be read with these settings, or a file has changed since the command began.
        """
        texts = UnitTexts(unit, self._config, self._limits)
        with files.scratch_folder(self._workspace.work_path()) as folder:
            self._write_tokens(texts, folder)
            if self._config.keep_dropped:
                files.write_scratch(folder / "rejected", texts.rejected_records().encode())
            for file in sorted(folder.iterdir()):
                files.write_atomically(self._workspace.unit_path(TOKENS, unit.index, file.name), file)
        return texts.report()

    def _write_tokens(self, texts: UnitTexts, folder: Path) -> None:
        """Writes the files `tokens`, `symbols` and `documents` into a local folder."""
        documents = DocumentTableBuilder(
            self._operations, with_signatures=self._config.selection.near_duplicates > 0, split=texts.split
        )
        tokenizer = self._operations.tokenizer
        numbers, writer = tokenizer.numbers(), TokenWriter(folder / "tokens")
        for batch in texts.batches():
            tokens = tokenizer.tokenize(batch.texts, batch.continued, numbers)
            documents.add(tokens, batch.continued, batch.labels)
            writer.write(_token_batch(tokens, batch.texts, batch.continued, keep_texts=self._config.keep_dropped))
        writer.close()
        write_symbols(folder / "symbols", numbers.symbols())
        documents.write(folder / "documents")


def _token_batch(tokens: Tokens, texts: list[bytes], continued: list[bool], *, keep_texts: bool) -> TokenBatch:
    """Returns the tokens of a batch, with consecutive texts of the same document joined into one chunk."""
    ends = np.cumsum(tokens.lengths)
    last = np.append(~np.array(continued[1:], bool), True)
    first = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    return TokenBatch(
        tokens.numbers,
        np.concatenate([[0], ends[last]]).astype(np.int32),
        continued[0],
        [texts[i] for i in first] if keep_texts else [],
    )
