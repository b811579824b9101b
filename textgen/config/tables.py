"""Settings of tables: the dialect of CSV and TSV files, and several texts in one row."""

import dataclasses
import re

from textgen.config.fields import Settings, setting
from textgen.errors import require

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "colon": ":", "space": " ", r"\t": "\t"}
"""Names of delimiters."""

_ESCAPES = {"backslash": "\\", "none": ""}
_CODE = re.compile(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})")


def _delimiter(value: str) -> str:
    """Returns the delimiter of a name, a code such as `\\x01`, or itself."""
    code = _CODE.fullmatch(value)
    found = chr(int(code[1] or code[2], 16)) if code else DELIMITERS.get(value, value)
    require(
        len(found) == 1 and found not in '"\r\n\0',
        f"delimiter is {value!r}; it must be one character, and no quotation mark or line end. Use a character, a "
        rf"code such as \x01, or one of: {', '.join(name for name in DELIMITERS if name.isalpha())}.",
    )
    return found


def _escape(value: str) -> str:
    found = _ESCAPES.get(value, value)
    require(
        found == "" or (len(found) == 1 and found.isascii() and found.isprintable() and found not in ' ",;|'),
        f"escape is {value!r}; it must be one ASCII mark, and no delimiter or quotation mark. Use backslash or none.",
    )
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class TablesConfig(Settings):
    """Settings of files that hold rows: CSV, TSV, JSON Lines and Parquet."""

    delimiter: str | None = setting(
        None, convert=_delimiter, group="tables", metavar="CHARACTER",
        help="character between two cells (csv, tsv), by itself or as comma, semicolon, tab, pipe or space; that of "
        "the format if it is not given",
    )  # fmt: skip
    quoting: str = setting(
        "auto", choices=("auto", "csv", "none"), group="tables",
        help="quotation marks at the start of a cell: csv: they enclose it; none: they are text; auto: csv for csv, "
        "and none for tsv unless the first rows have quoted cells",
    )  # fmt: skip
    escape: str | None = setting(
        None, convert=_escape, group="tables", metavar="CHARACTER",
        help="character after which a delimiter, quotation mark or line end is text, as the backslash in files of "
        "Spark and MySQL",
    )  # fmt: skip
    header: str = setting(
        "auto", choices=("auto", "first", "none"), group="tables",
        help="row of column names: first: the first row; none: there is none, and columns are named 1, 2, …; auto: "
        "the first row, unless it is clearly data, which is an error",
    )  # fmt: skip
    skip_rows: int = setting(
        0, at_least=0, group="tables", help="number of lines to skip at the start of a file (csv, tsv)"
    )
    skip_initial_space: bool = setting(
        False, group="tables", help="leave out spaces at the start of a cell, also before a quotation mark (csv, tsv)"
    )
    join: str = setting(
        "line", choices=("line", "paragraph", "space", "none"), group="tables",
        help="between several texts of a row: a line end, a blank line, or a space; none: each is a document",
    )  # fmt: skip
    max_row_bytes: int = setting(
        64 << 20, at_least=1, group="tables", metavar="BYTES", advanced=True,
        help="maximum size of a row or record (csv, tsv, json, jsonl); larger ones are left out and counted",
    )  # fmt: skip

    def check_together(self) -> None:
        """Checks that the escape character and the delimiter differ.

        Raises:
            UserError: they do not.
        """
        require(
            not self.escape or self.escape != self.delimiter,
            f"escape and delimiter are both {self.escape!r}; they must differ. Change one of them.",
        )
