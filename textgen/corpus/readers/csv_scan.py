"""A compiled loop that finds the end of the last record of a delimited file, with the result of `csv_records`."""

import numpy as np

from textgen.numba_loops import WORD_BYTES, compiled, has_byte, inlined, word_at

_MARK, _LINE_FEED, _CARRIAGE_RETURN = (ord(character) for character in '"\n\r')


@inlined
def _ends_cell(byte: int, delimiter: int) -> bool:
    return byte in (delimiter, _LINE_FEED, _CARRIAGE_RETURN)


@inlined
def _has_no_cell_end(data: np.ndarray, i: int, delimiter: int) -> bool:
    """Returns whether 8 bytes from data[i] on are in the data, and none of them ends a cell that is not quoted."""
    if i + WORD_BYTES > len(data):
        return False
    word = word_at(data, np.uint64(i))
    return not (has_byte(word, delimiter) or has_byte(word, _LINE_FEED) or has_byte(word, _CARRIAGE_RETURN))


@inlined
def _quoted_end(data: np.ndarray, i: int, delimiter: int, line_end: int) -> tuple[int, bool, bool]:
    """Finds the end of consecutive quoted cells.

    Args:
        data: uint8 [S].
        i: offset after the mark that opens the first cell.
        delimiter: the byte between two cells.
        line_end: last byte of a line.

    Returns:
        The offset after the last mark, whether there is one, and whether the cells span lines.
    """
    size, spans_lines = len(data), False
    while i < size:
        if i + WORD_BYTES <= size:
            word = word_at(data, np.uint64(i))
            if not has_byte(word, _MARK):
                spans_lines |= has_byte(word, line_end)
                i += WORD_BYTES
                continue
        if data[i] != _MARK:
            spans_lines |= data[i] == line_end
            i += 1
        elif i + 1 < size and data[i + 1] == _MARK:
            i += 2
        elif i + 2 < size and data[i + 1] == delimiter and data[i + 2] == _MARK:
            i += 3
        else:
            return i + 1, True, spans_lines
    return i, False, spans_lines


@compiled
def scan_records(data: np.ndarray, delimiter: int, line_end: int) -> tuple[int, bool]:
    """Finds the last line end outside quoted cells; see `last_record_end`.

    Args:
        data: uint8 [S], from the start of a record on.
        delimiter: the byte between two cells, which is in no line end.
        line_end: last byte of a line.

    Returns:
        The offset after the line end, 0 if there is none; and whether consecutive quoted cells span lines and are
        closed within text.
    """
    size, last, suspicious = len(data), 0, False
    i, cell_starts = 0, True
    while i < size:
        if cell_starts and data[i] == _MARK:
            i, closed, spans_lines = _quoted_end(data, i + 1, delimiter, line_end)
            if closed and i < size and spans_lines:
                suspicious |= not _ends_cell(data[i], delimiter)
            cell_starts = False
            continue
        if not cell_starts and _has_no_cell_end(data, i, delimiter):
            i += WORD_BYTES
            continue
        if data[i] == line_end:
            last = i + 1
        cell_starts = _ends_cell(data[i], delimiter)
        i += 1
    return last, suspicious
