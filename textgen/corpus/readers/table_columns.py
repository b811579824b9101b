"""Columns of a delimited file that are read: those of the text, and those of the labels."""

from collections.abc import Iterator, Sequence

from textgen.corpus.batching import Found
from textgen.corpus.encodings import to_utf8
from textgen.corpus.readers.base import SEPARATORS, InputFile, ReadOptions
from textgen.corpus.readers.columns import column_indices, missing_column_error
from textgen.corpus.readers.csv_parsing import joined_cells
from textgen.corpus.readers.labels import Labeller
from textgen.corpus.text_files import text_encoding


class TableColumns:
    """The columns that the options of a reader name.

    Attributes:
        indices: indices of the columns, each once; empty for a file without rows.
    """

    def __init__(self, names: Sequence[str], file: InputFile, kind: str, options: ReadOptions) -> None:
        """Finds the columns.

        Args:
            names: names of all columns; empty for a file without rows.
            file: the file.
            kind: name of its format.
            options: settings of the reader.

        Raises:
            UserError: there is no such column.
        """
        self._labeller, self._separator = Labeller(options), SEPARATORS[options.tables.join]
        self._encoding = text_encoding(file)
        texts, labels = column_indices(names, options.text_field), list[int]()
        if names and not texts:
            raise missing_column_error(file.path, kind, names, options.text_field)
        if names:
            self._labeller.require(names, file.path, kind)
            labels = [names.index(field) for field in self._labeller.fields]
        self.indices = list(dict.fromkeys([*texts, *labels]))
        self._texts, self._labels = ([self.indices.index(i) for i in several] for several in (texts, labels))

    def documents(self, columns: Sequence[Sequence[bytes]]) -> Iterator[Found]:
        """Yields the documents of rows.

        Args:
            columns: cells of each column of `indices`, in the encoding of the file.
        """
        if not self._labels and len(self._texts) == 1:
            yield list(columns[self._texts[0]])
        elif not self._labels:
            yield from joined_cells([columns[i] for i in self._texts], self._separator)
        else:
            for row in zip(*columns, strict=True):
                documents = joined_cells([[row[i]] for i in self._texts], self._separator)
                yield from self._labeller.label(documents, [to_utf8(row[i], self._encoding) for i in self._labels])
