"""A compiled loop that cleans texts of which every character is kept: for tokens that are characters or bytes."""

from textgen.numba_loops import compiled
from textgen.text.compiled.byte_rules import SPACE
from textgen.text.compiled.loop_arrays import ByteTables, CutChunks, PlacedChunks, Texts, WrittenTexts
from textgen.text.compiled.text_cutting import copy_entry, is_written_space, write_gap


@compiled
def clean_texts(
    texts: Texts, rules: ByteTables, chunks: PlacedChunks, entries: CutChunks, written: WrittenTexts
) -> None:
    """Cleans texts; the arguments are those of `cut_texts`."""
    text, cleaned = texts.text, written.text
    c, chunk = 0, 0
    for row in range(len(texts.starts)):
        i, end = texts.starts[row], texts.ends[row]
        row_start, beyond, gap = c, 0, False
        written.edges[row] = c
        while i < end:
            follows = c > row_start or texts.continued[row]
            is_space = rules.kinds[text[i]] == SPACE
            if is_space and rules.collapses:
                gap = True
                i += 1
            elif chunk < len(chunks.starts) and chunks.starts[chunk] == i:
                entry = chunks.entries[chunk]
                i = chunks.ends[chunk]
                chunk += 1
                size = entries.edges[entry + 1] - entries.edges[entry]
                if size:
                    c, gap = write_gap(cleaned, c, gap and follows), False
                    c = copy_entry(entries, entry, cleaned, c)
                    beyond += size - entries.characters[entry]
            else:
                if not is_space or is_written_space(text, i, end):
                    c, gap = write_gap(cleaned, c, gap and follows), False
                    cleaned[c] = rules.mapped[text[i]]
                    c += 1
                i += 1
        written.characters[row] = c - row_start - beyond
    written.edges[len(texts.starts)] = c
