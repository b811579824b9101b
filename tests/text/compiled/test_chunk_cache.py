import numpy as np
import pytest

from textgen.text.compiled.chunk_cache import ChunkCache, GraphTokens


class Graph:
    """Cuts texts at underscores, and keeps what it was asked."""

    def __init__(self) -> None:
        self.met: list[bytes] = []
        self.fails = False

    def __call__(self, texts: list[bytes], continued: list[bool]) -> GraphTokens:
        if self.fails:
            raise MemoryError
        self.met += texts
        tokens = [token for text in texts for token in text.split(b"_") if token]
        lengths = [sum(map(bool, text.split(b"_"))) for text in texts]
        characters = [len(text.decode()) for text in texts]
        return GraphTokens(
            np.array(texts, object),
            np.array(characters),
            np.array(tokens, object),
            np.arange(len(tokens)),
            np.array(lengths),
        )


def look_up(cache: ChunkCache, *chunks: bytes) -> list[tuple[bytes, int, list[bytes]]]:
    """Returns the cleaned text, the number of characters and the tokens of each chunk."""
    sizes = np.array([len(chunk) for chunk in chunks], np.int64)
    ends = np.cumsum(sizes)
    rows, cut = cache.look_up(np.frombuffer(b"".join(chunks), np.uint8), ends - sizes, ends)
    found = []
    for row in rows:
        text = cut.text[cut.edges[row] : cut.edges[row + 1]].tobytes()
        tokens = range(cut.token_edges[row], cut.token_edges[row + 1])
        spans = [(cut.token_starts[token], cut.token_sizes[token]) for token in tokens]
        found.append((text, int(cut.characters[row]), [text[start : start + size] for start, size in spans]))
    return found


def test_a_chunk_is_cut_once() -> None:
    graph = Graph()
    cache = ChunkCache(graph)
    one, other = (b"a_b_a", 5, [b"a", b"b", b"a"]), ("é".encode(), 1, ["é".encode()])
    assert look_up(cache, b"a_b_a", "é".encode(), b"a_b_a") == [one, other, one]
    assert look_up(cache, "é".encode(), b"_") == [other, (b"_", 1, [])]
    assert graph.met == [b"a_b_a", "é".encode(), b"_"]


def test_chunks_are_forgotten_when_they_are_many() -> None:
    graph = Graph()
    cache = ChunkCache(graph, max_chunks=2)
    for chunk in (b"a", b"b", b"a", b"a"):
        assert look_up(cache, chunk) == [(chunk, 1, [chunk])]
    assert graph.met == [b"a", b"b", b"a"]


def test_chunks_that_could_not_be_cut_are_not_taken_for_known() -> None:
    graph = Graph()
    cache = ChunkCache(graph)
    graph.fails = True
    with pytest.raises(MemoryError):
        look_up(cache, b"a_b")
    graph.fails = False
    assert look_up(cache, b"a_b") == [(b"a_b", 3, [b"a", b"b"])]
