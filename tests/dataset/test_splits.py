import doctest
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import PrepareConfig, TextConfig
from textgen.dataset import splits
from textgen.dataset.splits import Part, parts, split_of, tail_parts

SHARES = {"validation": 10.0, "test": 20.0}
TEXTS = [f"document {i}".encode() for i in range(10_000)]

shares = st.tuples(st.floats(0, 60), st.floats(0, 39)).map(lambda pair: {"validation": pair[0], "test": pair[1]})


def test_the_split_of_a_text_is_pinned():
    # Another hash would move documents from one split to another in every dataset.
    assert " ".join(split_of(text, SHARES) for text in TEXTS[:12]) == (
        "validation test train test train validation test train train test train validation"
    )


@pytest.mark.parametrize(
    ("bucket", "split"),
    [(0, "validation"), (999, "validation"), (1000, "test"), (2999, "test"), (3000, "train"), (9999, "train")],
)
def test_a_bucket_falls_in_the_first_share_that_reaches_it(monkeypatch, bucket, split):
    class Digest:
        def digest(self):
            return bucket.to_bytes(8, "little")

    monkeypatch.setattr(hashlib, "blake2b", lambda text, digest_size: Digest())
    assert split_of(b"text", SHARES) == split


@given(st.binary(), shares)
@settings(max_examples=60, deadline=None)
def test_equal_texts_land_in_the_same_split(text, held_out):
    assert split_of(text, held_out) == split_of(bytes(bytearray(text)), held_out)


def test_the_shares_are_right_over_many_texts():
    found = [split_of(text, SHARES) for text in TEXTS]
    # Four standard deviations of a count of 10,000 draws.
    assert abs(found.count("validation") - 1000) < 120
    assert abs(found.count("test") - 2000) < 160
    assert found.count("train") == 10_000 - found.count("validation") - found.count("test")


@pytest.mark.parametrize(
    ("held_out", "expected"),
    [
        ({"validation": 0, "test": 0}, {"train"}),
        ({"validation": 10, "test": 0}, {"train", "validation"}),
        ({"validation": 0, "test": 10}, {"train", "test"}),
    ],
)
def test_a_share_of_nothing_gets_no_text(held_out, expected):
    assert {split_of(text, held_out) for text in TEXTS} == expected


def test_a_larger_share_of_validation_keeps_the_texts_that_it_had():
    small = {text for text in TEXTS if split_of(text, {"validation": 5, "test": 0}) == "validation"}
    large = {text for text in TEXTS if split_of(text, {"validation": 10, "test": 0}) == "validation"}
    assert small < large


def test_the_tail_of_a_document_is_held_out_validation_first():
    assert tail_parts(200, {"validation": 10, "test": 5}) == [
        Part("train", 0, 170),
        Part("validation", 170, 190),
        Part("test", 190, 200),
    ]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, []),
        (1, [("train", 0, 1)]),
        (9, [("train", 0, 8), ("validation", 8, 9)]),
    ],
)
def test_parts_of_nothing_are_left_out(length, expected):
    assert tail_parts(length, {"validation": 5, "test": 5}) == expected


@given(st.integers(0, 5000), shares)
@settings(max_examples=100, deadline=None)
def test_the_parts_of_a_document_are_all_its_tokens_in_order(length, held_out):
    made = tail_parts(length, held_out)
    assert [place for part in made for place in range(part.start, part.end)] == list(range(length))
    names = [part.split for part in made]
    assert names == [split for split in ("train", "validation", "test") if split in names]
    for part in made:
        share = held_out.get(part.split, 100 - sum(held_out.values()))
        assert abs(part.end - part.start - length * share / 100) <= 1


def test_whole_documents_or_tails_are_held_out_as_the_config_says():
    by_document = PrepareConfig(text=TextConfig(), validation_percent=10, test_percent=20)
    by_tail = PrepareConfig(text=TextConfig(), validation_percent=10, test_percent=20, split_by="tail")
    (part,) = parts(TEXTS[0], 50, by_document)
    assert part == Part(split_of(TEXTS[0], SHARES), 0, 50)
    assert parts(TEXTS[0], 50, by_tail) == tail_parts(50, SHARES)


def test_examples_in_the_docstrings_hold():
    result = doctest.testmod(splits)
    assert result.attempted > 0
    assert result.failed == 0
