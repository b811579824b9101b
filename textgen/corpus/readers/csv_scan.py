"""A compiled loop that finds the end of the last record of a delimited file, with the result of `csv_records`."""

import numpy as np

from textgen.numba_loops import compiled, inlined

_MARK, _LINE_FEED, _CARRIAGE_RETURN = (ord(character) for character in '"\n\r')


@inlined
def _ends_cell(byte: int, delimiter: int) -> bool:
    return byte in (delimiter, _LINE_FEED, _CARRIAGE_RETURN)


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
        byte = data[i]
        if byte == _MARK and cell_starts:
            spans_lines, closed = False, False
            i += 1
            while i < size and not closed:
                if data[i] == line_end:
                    spans_lines = True
                if data[i] != _MARK:
                    i += 1
                elif i + 1 < size and data[i + 1] == _MARK:
                    i += 2
                elif i + 2 < size and data[i + 1] == delimiter and data[i + 2] == _MARK:
                    i += 3
                else:
                    closed = True
                    i += 1
            if closed and i < size and spans_lines:
                suspicious |= not _ends_cell(data[i], delimiter)
            cell_starts = False
            continue
        if byte == line_end:
            last = i + 1
        cell_starts = _ends_cell(byte, delimiter)
        i += 1
    return last, suspicious
