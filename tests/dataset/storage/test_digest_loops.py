import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.dataset.storage.digest_loops import WORK_WORDS, digest_slices


def digests(texts: list[bytes], *, words: int = 2) -> list[bytes]:
    edges = np.cumsum([0, *map(len, texts)])
    found = np.zeros((len(texts), words), np.uint64)
    data = np.frombuffer(b"".join(texts), np.uint8)
    digest_slices(data, edges[:-1], edges[1:], np.empty(WORK_WORDS, np.uint64), found)
    return [row.tobytes() for row in found]


def test_the_digest_is_that_of_the_standard() -> None:
    # RFC 7693, appendix A.
    assert (
        digests([b"abc"], words=8)[0]
        .hex()
        .startswith("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1")
    )


@pytest.mark.parametrize("words", [1, 2, 8])
def test_texts_of_every_length_around_a_block(words: int) -> None:
    texts = [bytes(range(256))[: size % 256] + bytes(size // 256 * 256) for size in range(400)]
    expected = [hashlib.blake2b(text, digest_size=8 * words).digest() for text in texts]
    assert digests(texts, words=words) == expected


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_any_texts(texts: list[bytes]) -> None:
    assert digests(texts) == [hashlib.blake2b(text, digest_size=16).digest() for text in texts]
