import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import SPLITS, PrepareConfig, TextConfig
from textgen.dataset.storage.splits import DIGEST_BYTES, new_digest, split_indices, split_ranges

TEXTS = [f"document {i}".encode() for i in range(10_000)]

shares = st.tuples(st.floats(0, 60), st.floats(0, 39))


def config(validation, test, split_by="document"):
    return PrepareConfig(text=TextConfig(), validation_percent=validation, test_percent=test, split_by=split_by)


def digests(texts):
    return np.frombuffer(b"".join(new_digest(text).digest() for text in texts), np.uint8).reshape(-1, DIGEST_BYTES)


DIGESTS = digests(TEXTS)


def names(validation, test, made=DIGESTS):
    return [SPLITS[i] for i in split_indices(made, config(validation, test))]


def tails(length, validation, test):
    made = split_ranges(np.zeros((1, DIGEST_BYTES), np.uint8), np.array([length]), config(validation, test, "tail"))
    return list(zip(made.starts[:, 0].tolist(), made.ends[:, 0].tolist(), strict=True))


def test_the_split_of_a_text_is_pinned():
    # Another hash would move documents from one split to another in every dataset.
    assert " ".join(names(10, 20)[:12]) == (
        "train train test train train test test test train train validation train"
    )


@pytest.mark.parametrize(
    ("bucket", "split"),
    [(0, "validation"), (999, "validation"), (1000, "test"), (2999, "test"), (3000, "train"), (9999, "train")],
)
def test_a_bucket_falls_in_the_first_share_that_reaches_it(bucket, split):
    digest = np.frombuffer(bucket.to_bytes(DIGEST_BYTES, "little"), np.uint8)[None]
    assert names(10, 20, digest) == [split]


@given(st.lists(st.binary(), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_text_in_chunks_has_the_digest_of_the_whole(given_parts):
    digest = new_digest(given_parts[0])
    for part in given_parts[1:]:
        digest.update(part)
    assert digest.digest() == new_digest(b"".join(given_parts)).digest()


def test_the_shares_are_right_over_many_texts():
    found = names(10, 20)
    # Four standard deviations of a count of 10,000 draws.
    assert abs(found.count("validation") - 1000) < 120
    assert abs(found.count("test") - 2000) < 160
    assert found.count("train") == 10_000 - found.count("validation") - found.count("test")


@pytest.mark.parametrize(
    ("validation", "test", "expected"),
    [(0, 0, {"train"}), (10, 0, {"train", "validation"}), (0, 10, {"train", "test"})],
)
def test_a_share_of_nothing_gets_no_text(validation, test, expected):
    assert set(names(validation, test)) == expected


def test_a_larger_share_of_validation_keeps_the_texts_that_it_had():
    small, large = (np.array(names(percent, 0)) == "validation" for percent in (5, 10))
    assert (large | ~small).all() and large.sum() > small.sum()


def test_the_tail_of_a_document_is_held_out_validation_first():
    assert tails(200, 10, 5) == [(0, 170), (170, 190), (190, 200)]


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, [(0, 0), (0, 0), (0, 0)]), (1, [(0, 1), (1, 1), (1, 1)]), (9, [(0, 8), (8, 9), (9, 9)])],
)
def test_a_short_document_leaves_some_splits_nothing(length, expected):
    assert tails(length, 5, 5) == expected


@given(st.integers(0, 5000), shares)
@settings(max_examples=100, deadline=None)
def test_the_split_ranges_of_a_document_cover_its_tokens_in_order(length, held_out):
    validation, test = held_out
    made = tails(length, validation, test)
    assert [place for start, end in made for place in range(start, end)] == list(range(length))
    for (start, end), share in zip(made, (100 - validation - test, validation, test), strict=True):
        assert abs(end - start - length * share / 100) <= 1


@pytest.mark.parametrize("split_by", ["document", "tail"])
def test_a_given_document_is_held_out_whole_and_the_others_are_divided(split_by):
    lengths, settings = np.full(50, 20), config(10, 20, split_by)
    given_splits = np.array([2, 1, 0, -1] + [-1] * 46)
    made = split_ranges(DIGESTS[:50], lengths, settings, given=given_splits)
    free = split_ranges(DIGESTS[:50], lengths, settings)
    assert (made.ends - made.starts)[:, :2].T.tolist() == [[0, 0, 20], [0, 20, 0]]
    # A document that is given to train is divided as one that is not given.
    np.testing.assert_array_equal(made.starts[:, 2:], free.starts[:, 2:])
    np.testing.assert_array_equal(made.ends[:, 2:], free.ends[:, 2:])


def test_a_whole_document_belongs_to_the_split_of_its_digest():
    made = split_ranges(DIGESTS[:50], np.arange(1, 51), config(10, 20))
    for i, split in enumerate(names(10, 20)[:50]):
        lengths = (made.ends - made.starts)[:, i]
        assert lengths.tolist() == [(i + 1) * (name == split) for name in SPLITS]
