import string

import keras
import pytest

from tests.generation.test_writer import CHAR
from textgen.config import GenerationConfig, ModelConfig
from textgen.errors import UserError
from textgen.generation.adapted_writer import AdaptedWriter
from textgen.generation.writer import Writer
from textgen.model import networks
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary

LETTERS = tuple(string.ascii_lowercase)
PREPROCESSOR = Preprocessor(CHAR, Vocabulary(LETTERS, (1,) * 26))
GREEDY = GenerationConfig(tokens=9, temperature=0, echo=False)


def _writers(network: str) -> tuple[Writer, AdaptedWriter]:
    keras.utils.set_random_seed(2)
    model = networks.build(ModelConfig(network=network, embedding=8, units=16), vocabulary_size=30, window=8)
    writer = Writer(model, PREPROCESSOR, boundaries=True)
    return writer, AdaptedWriter(writer, model, rate=3.0, decay=0.0, tokens=9)


def test_text_follows_its_own_prompt_and_the_weights_come_back():
    writer, adapted = _writers("lstm")
    prompts = ["xyz" * 60, "abab" * 50, "xyz" * 60]
    plain = [found.text for found in writer.write(prompts, GREEDY)]
    found = [found.text for found in adapted.write(prompts, GREEDY)]
    assert set(found[0]) <= set("xyz") and set(found[1]) <= set("ab") and found[2] == found[0]
    assert [found.text for found in writer.write(prompts, GREEDY)] == plain != found
    assert "".join(adapted.stream(prompts[1], GREEDY)) == found[1]
    assert [one.prompt[:1] for one in adapted.write_each(prompts[:2], GREEDY, samples=2)] == ["x", "x", "a", "a"]
    assert [found.text for found in writer.write(prompts, GREEDY)] == plain


def test_a_network_of_windows_does_not_adapt():
    with pytest.raises(UserError, match="the network bilstm reads each window by itself, and does not follow a text"):
        _writers("bilstm")
