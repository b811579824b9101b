import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text import minhash

NOTHING = 0xFFFFFFFF

texts = st.lists(st.sampled_from(["the", "sea", "was", "calm", "and", "dark"]), max_size=30).map(" ".join)


def signatures(*batch):
    return minhash.signatures(tf.constant(batch, tf.string))


def shingles(text):
    """The runs of five words, or all words where they are fewer."""
    words = text.split()
    return {tuple(words[i : i + 5]) for i in range(max(len(words) - 4, min(len(words), 1)))}


def jaccard(one, other):
    return len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))


def pairs(similarity, number, *, words=204, seed=0):
    """Texts of words of their own, of which two share a beginning, so that their shingles are as similar as this."""
    common = round(2 * similarity * (words - 4) / (1 + similarity)) + 4
    for i in range(number):
        yield tuple(
            " ".join(f"{seed}.{i}.{'' if j < common else side}{j}" for j in range(words)) for side in ("a", "b")
        )


def estimated(one, other):
    return minhash.similarity(minhash.sketches(one), minhash.sketches(other))


def test_a_signature_has_one_element_per_hash():
    made = signatures("call me ishmael some years ago", "")
    assert (made.shape, made.dtype) == ((2, 112), np.uint32)


def test_the_signature_of_a_text_is_fixed():
    made = signatures("call me ishmael some years ago")
    assert made[0, :4].tolist() == [543249685, 436122858, 2193495797, 2553987619]
    assert minhash.band_keys(made)[:2, 0].tolist() == [0xE916D38D69AC574E, 0xACC6D249AE5994C]
    assert minhash.sketches(made)[0, :4].tolist() == [21, 234, 245, 35]


def test_texts_without_words_have_the_maximum_in_every_element():
    assert (signatures("", " ", "\n") == NOTHING).all()
    assert (signatures("", "a", "")[1] != NOTHING).any()


@pytest.mark.parametrize("text", ["a", "a b", "a b c d"])
def test_a_text_of_fewer_words_than_a_shingle_has_one_of_all_its_words(text):
    made = signatures(text, text, text + " e", "z " + text)
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).mean() > 0.9 and (made[0] != made[3]).mean() > 0.9


def test_no_texts_have_no_signatures():
    made = signatures()
    assert made.shape == (0, 112)
    assert minhash.band_keys(made).shape == (14, 0)
    assert minhash.similarity(minhash.sketches(made), minhash.sketches(made)).shape == (0,)


@given(st.lists(texts, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_text_has_the_same_signature_in_any_batch(batch):
    together = signatures(*batch)
    alone = np.concatenate([signatures(text) for text in batch])
    np.testing.assert_array_equal(together, alone)


@given(texts, texts)
@settings(max_examples=60, deadline=None)
def test_equal_sets_of_shingles_have_equal_signatures_and_others_not(one, other):
    made = signatures(one, other)
    assert (made[0] == made[1]).all() == (shingles(one) == shingles(other))


@given(st.lists(texts, min_size=2, max_size=4))
@settings(max_examples=60, deadline=None)
def test_the_minimum_over_chunks_is_the_signature_except_for_shingles_across_chunks(parts):
    # Parts that are no shorter than a shingle have none but those of the whole.
    parts = [part for part in parts if len(part.split()) >= 5] or ["a b c d e"]
    whole, least = signatures(" ".join(parts))[0], signatures(*parts).min(axis=0)
    assert (whole <= least).all()
    across = shingles(" ".join(parts)) - set.union(*map(shingles, parts))
    crossing = signatures(*(" ".join(shingle) for shingle in across)) if across else np.full((1, 112), NOTHING)
    np.testing.assert_array_equal(whole, np.minimum(least, crossing.min(axis=0)))


@given(st.lists(texts.filter(lambda text: len(text.split()) >= 5), min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_the_estimate_is_near_the_similarity_of_any_two_texts(two):
    made = signatures(*two)
    # Five standard deviations of a mean of 112 at the most.
    assert abs(estimated(made[:1], made[1:])[0] - jaccard(*two)) < 0.24


@pytest.mark.parametrize("similarity", [0.0, 0.5, 0.8, 0.95, 1.0])
def test_the_estimate_is_unbiased_with_the_variance_of_112_hashes(similarity):
    one, other = zip(*pairs(similarity, 60), strict=True)
    truth = jaccard(one[0], other[0])
    assert truth == pytest.approx(similarity, abs=0.01)
    errors = estimated(signatures(*one), signatures(*other)) - truth
    deviation = np.sqrt(truth * (1 - truth) / 112 + 1 / 256 / 112)
    assert abs(errors.mean()) < 4 * deviation / np.sqrt(60)
    assert errors.std() < 1.5 * deviation


@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.8, 0.9])
def test_two_texts_share_a_band_as_often_as_the_formula_says(similarity):
    one, other = zip(*pairs(similarity, 300, words=104), strict=True)
    keys = [minhash.band_keys(signatures(*side)) for side in (one, other)]
    met = (keys[0] == keys[1]).any(axis=0).mean()
    s = jaccard(one[0], other[0])
    expected = 1 - (1 - s**8) ** 14
    assert met == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 300))


def test_the_key_of_a_band_depends_only_on_its_eight_hashes():
    made = signatures("call me ishmael some years ago")
    changed = np.repeat(made, 112, axis=0)
    changed[np.arange(112), np.arange(112)] ^= 1
    differ = minhash.band_keys(changed) != minhash.band_keys(made)
    np.testing.assert_array_equal(differ, np.arange(14)[:, None] == np.arange(112) // 8)


def test_a_sketch_keeps_the_low_bits():
    assert minhash.sketches(np.array([[0x1FF, 0x100]], np.uint32)).tolist() == [[0xFF, 0]]


def test_equal_sketches_have_similarity_one_and_unrelated_ones_about_zero():
    random = np.random.default_rng(0)
    one, other = random.integers(0, 256, (2, 400, 112), np.uint8)
    assert (minhash.similarity(one, one) == 1).all()
    assert abs(minhash.similarity(one, other).mean()) < 0.002
