import string
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgen.config import BOS, EOS, PAD, UNK, GenerationConfig, ModelConfig, TextConfig
from textgen.generation.writer import Continuation, Writer
from textgen.model import networks
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

WINDOW = 5
CHARACTERS = tuple(string.ascii_lowercase[:14] + " é")
CHAR = TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep")


def _model(vocabulary_size: int) -> keras.Model:
    keras.utils.set_random_seed(11)
    model = networks.build(ModelConfig(embedding=4, units=4), vocabulary_size=vocabulary_size, window=WINDOW)
    # Larger than they start with, so that what is predicted hangs on what was read.
    model.set_weights([12 * weight for weight in model.get_weights()])
    return model


def _preprocessor(config: TextConfig, tokens: tuple[str, ...]) -> Preprocessor:
    return Preprocessor(config, Vocabulary(tokens, tuple(range(len(tokens), 0, -1))))


class Pen:
    """A writer with a knob on what its model likes."""

    def __init__(self, config: TextConfig, tokens: tuple[str, ...]):
        self.preprocessor = _preprocessor(config, tokens)
        self.model = _model(4 + len(tokens))
        self.writer = Writer(self.model, self.preprocessor, boundaries=True)
        self.predict = tf.function(self.model, input_signature=[tf.TensorSpec([1, WINDOW], tf.int32)])
        self._bias = self.model.head.bias
        self._unbiased = self._bias.numpy()

    def like(self, *ids: int) -> "Pen":
        self._bias.assign(self._unbiased + 60 * np.isin(np.arange(len(self._unbiased)), ids))
        return self

    def found(self, *prompts: str, samples: int = 1, tokens: int = 20, **settings: Any) -> list[Continuation]:
        return self.writer.write(prompts, GenerationConfig(tokens=tokens, **settings), samples=samples)

    def write(self, *prompts: str, **settings: Any) -> list[str]:
        return [found.text for found in self.found(*prompts, **settings)]

    def new(self, prompt: str, **settings: Any) -> str:
        (text,) = self.write(prompt, **settings)
        assert text.startswith(prompt)
        return text[len(prompt) :]


@pytest.fixture(scope="module")
def chars() -> Pen:
    return Pen(CHAR, CHARACTERS)


@pytest.fixture(scope="module")
def words() -> Pen:
    return Pen(TextConfig(), ("the", "whale", "sea", ",", ".", "it’s", "ship"))


@pytest.fixture
def writer(chars: Pen) -> Pen:
    return chars.like()


def _greedy(writer: Pen, prompt: str, tokens: int) -> str:
    """The likeliest continuation, window by window and without the graph's loop."""
    ids = [BOS, *writer.preprocessor.encode([prompt]).to_list()[0]]
    written = []
    for _ in range(tokens):
        last = ids[-WINDOW:]
        x = last + [PAD] * (WINDOW - len(last))
        logits = writer.predict(tf.constant([x])).numpy()[0]
        written.append(4 + int(np.argmax(logits[4:])))
        ids.append(written[-1])
    return "".join(writer.preprocessor.vocabulary.texts[i] for i in written)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "abc",
        "abcdefghijklmn",
        "xyz XYZ",
        "🐋🐋",
        "👩‍👩‍👧",
        "كتاب",
        "e\u0301a",
        "\u0301",
        "a\r\nb\tc  ",
        "[EOS] [PAD]",
    ],
)
def test_any_prompt_stands_as_it_is_before_exactly_as_many_new_tokens(writer: Pen, prompt: str):
    continuation = writer.new(prompt, tokens=17)
    assert len(continuation) == 17
    assert set(continuation) <= set(CHARACTERS)


@pytest.mark.parametrize("tokens", [1, 2, WINDOW, 50])
def test_there_are_as_many_new_tokens_as_were_asked_for(writer: Pen, tokens: int):
    assert len(writer.new("ab", tokens=tokens)) == tokens


def test_the_same_seed_writes_the_same_and_another_writes_another_text(writer: Pen):
    assert writer.new("ab", seed=1, tokens=40) == writer.new("ab", seed=1, tokens=40)
    assert writer.new("ab", seed=1, tokens=40) != writer.new("ab", seed=2, tokens=40)


def test_the_samples_of_a_batch_differ(writer: Pen):
    texts = writer.write("ab", "ab", "ab", tokens=40)
    assert len(set(texts)) == 3


def test_temperature_0_writes_the_same_whatever_the_seed(writer: Pen):
    texts = [*writer.write("ab", "ab", temperature=0, seed=1), *writer.write("ab", temperature=0, seed=2)]
    assert len(set(texts)) == 1


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 1e-4, 1.0, 100.0, 1e30])
def test_what_stands_for_no_text_is_never_drawn(writer: Pen, temperature: float):
    writer.like(PAD, UNK, BOS, EOS)
    continuation = writer.new("ab", tokens=60, temperature=temperature)
    assert len(continuation) == 60
    assert set(continuation) <= set(CHARACTERS)


@pytest.mark.parametrize("prompt", ["", "ab", "abcd", "abcdefghijkl", "🐋é"])
def test_each_token_is_the_models_for_the_last_window_by_hand(writer: Pen, prompt: str):
    expected = _greedy(writer, prompt, tokens=4 * WINDOW)
    assert writer.new(prompt, tokens=4 * WINDOW, temperature=0) == expected


def test_continuations_hang_on_the_prompt(writer: Pen):
    continuations = {_greedy(writer, prompt, tokens=10) for prompt in ("", "a", "b", "nm", "éé")}
    assert len(continuations) > 1


def test_prompts_of_a_batch_do_not_touch_each_other(writer: Pen):
    prompts = ["", "ab", "abcdefghijkl", "🐋"]
    together = writer.write(*prompts, temperature=0)
    assert together == [text for prompt in prompts for text in writer.write(prompt, temperature=0)]


def test_a_prompt_is_cleaned_as_training_text_was(writer: Pen):
    composed, decomposed = writer.new("aé", temperature=0), writer.new("ae\u0301", temperature=0)
    assert composed == decomposed


def test_a_text_ends_where_the_model_ends_the_document_if_it_may(writer: Pen):
    writer.like(EOS)
    assert writer.write("ab", "", may_end=True) == ["ab", ""]
    assert len(writer.new("ab", may_end=False)) == 20


def test_a_text_that_ended_stays_ended_while_others_go_on(writer: Pen):
    writer.like(EOS)
    # So high a temperature that [EOS] is likely and not certain.
    texts = writer.write(*["b"] * 20, tokens=30, temperature=30, may_end=True)
    lengths = [len(text) - 1 for text in texts]
    assert len(set(lengths)) > 3
    assert min(lengths) < 5
    assert all(set(text[1:]) <= set(CHARACTERS) for text in texts)


def test_may_end_changes_nothing_where_the_model_does_not_end(writer: Pen):
    writer.like(*range(4, 4 + len(CHARACTERS)))
    assert writer.new("ab", may_end=True) == writer.new("ab", may_end=False)


def test_words_are_joined_as_print_joins_them(words: Pen):
    words.like(6, 7)
    continuation = words.new("The whale", tokens=30)
    assert continuation.replace(",", " ,").split(" ").count("") <= 1
    assert set(continuation.replace(",", " , ").split()) == {"sea", ","}
    assert len(continuation.replace(",", " , ").split()) == 30
    assert " ," not in continuation


def test_a_prompt_of_unknown_words_is_gone_on_from(words: Pen):
    words.like()
    continuation = words.new("Zyzzyva qwerty", tokens=12)
    known = set(words.preprocessor.vocabulary.tokens)
    tokens = continuation.replace(",", " , ").replace(".", " . ").split()
    assert len(tokens) == 12
    assert set(tokens) <= known


def test_an_lstm_goes_on_as_if_it_read_all_of_the_text_anew_for_each_token(chars: Pen):
    keras.utils.set_random_seed(11)
    config = ModelConfig(network="lstm", embedding=4, layers=2, units=(6, 5))
    model = networks.build(config, vocabulary_size=4 + len(CHARACTERS), window=WINDOW)
    model.set_weights([6 * weight for weight in model.get_weights()])
    prompts = ["", "ab", "abcdefghijklmn"]
    settings = GenerationConfig(tokens=20, temperature=(0.0,))
    texts = [found.text for found in Writer(model, chars.preprocessor, boundaries=True).write(prompts, settings)]
    ids = [[BOS, *row] for row in chars.preprocessor.encode(texts).to_list()]
    whole = model(tf.constant([row + [PAD] * (40 - len(row)) for row in ids])).numpy()
    for prompt, row, logits in zip(prompts, ids, whole, strict=True):
        assert len(row) == 1 + len(prompt) + 20
        likeliest = 4 + np.argmax(logits[:, 4:], axis=1)
        assert row[1 + len(prompt) :] == likeliest[len(prompt) : len(row) - 1].tolist()


def test_many_texts_of_a_large_vocabulary_are_the_same_as_each_alone():
    keras.utils.set_random_seed(11)
    tokens = tuple(f"w{i}" for i in range(3000))
    config = ModelConfig(network="lstm", embedding=8, units=64, layers=1)
    model = networks.build(config, vocabulary_size=4 + len(tokens), window=WINDOW)
    writer = Writer(model, _preprocessor(TextConfig(), tokens), boundaries=True)
    prompts, settings = [f"w{i}" for i in range(20)], GenerationConfig(tokens=20, seed=3)
    alone = [writer.write([prompt], settings)[0].text for prompt in prompts]
    assert [found.text for found in writer.write(prompts, settings)] == alone
    assert len(set(alone)) == len(prompts)
