import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.config import TEXT_DEFAULTS, TextConfig
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers.byte_alphabet import ALPHABET
from textgen.text.vocabulary import Vocabulary

WORDS = ("the", "don't", ".", ",", "(", ")", "“", "”", "!", "-", "'", "é", "[", "]", "\n", "##s", "a")
TOKENS = {
    "word": WORDS,
    "char": tuple(" aé.\n("),
    "byte": ("a", "<0xC3>", "<0xA9>", "<0x20>", "!"),
    "bpe": (*ALPHABET, "Ġa", "ab"),
    "wordpiece": ("whale", "##s", "##!", "a", "##"),
}
CONFIGS = [
    *(TextConfig(tokenizer=name, **TEXT_DEFAULTS[name]) for name in TOKENS),
    TextConfig(punctuation="keep"),
    TextConfig(line_ends="token", case="keep"),
]


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_a_plain_text_is_that_of_the_graph(config: TextConfig) -> None:
    vocabulary = Vocabulary(TOKENS[config.tokenizer], (1,) * len(TOKENS[config.tokenizer]))
    preprocessor = Preprocessor(config, vocabulary)
    tokenizer = preprocessor.tokenizer

    @given(st.sampled_from(["", "[BOS]"]), st.lists(st.integers(4, vocabulary.size - 1), max_size=9))
    @settings(max_examples=60, deadline=None)
    def check(prompt: str, ids: list[int]) -> None:
        texts = preprocessor.decode(tf.ragged.constant([ids], tf.int32, row_splits_dtype=tf.int64))
        expected = tokenizer.join(tf.constant([prompt]), texts)[0].numpy().decode(errors="replace")
        found = tokenizer.plain_text(prompt, [vocabulary.texts[i] for i in ids])
        assert found == expected

    check()


def test_a_final_sigma_is_left_to_the_graph() -> None:
    config = TextConfig()
    tokenizer = Preprocessor(config, Vocabulary(("λόγοσ",), (1,))).tokenizer
    assert tokenizer.plain_text("", ["λόγοσ"]) is None
