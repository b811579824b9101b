import string
from typing import NamedTuple

import keras
import pytest

from textgen.config import TEXT_DEFAULTS, ModelConfig, TextConfig
from textgen.generation.writer import Writer
from textgen.model import networks
from textgen.model.language_model import LanguageModel
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers.bpe import BpeTokenizer
from textgen.text.vocabulary import Vocabulary

WINDOW = 6


class Trained(NamedTuple):
    model: LanguageModel
    preprocessor: Preprocessor


def build(network: str, config: TextConfig | None = None, tokens: tuple[str, ...] = (), **sizes) -> Trained:
    config = config or TextConfig(tokenizer="char", case="keep", whitespace="keep", punctuation="keep")
    tokens = tokens or tuple(string.ascii_lowercase + " é")
    keras.utils.set_random_seed(7)
    settings = ModelConfig(network=network, **{"embedding": 6, "units": 5, "layers": 2, **sizes})
    model = networks.build(settings, vocabulary_size=4 + len(tokens), window=WINDOW)
    # Larger than they start with, so that what is predicted depends on what was read.
    model.set_weights([6 * weight for weight in model.get_weights()])
    return Trained(model, Preprocessor(config, Vocabulary(tokens, (1,) * len(tokens))))


@pytest.fixture(scope="session")
def lstm() -> Trained:
    return build("lstm")


@pytest.fixture(scope="session")
def bilstm() -> Trained:
    return build("bilstm")


@pytest.fixture(scope="session")
def subwords() -> Trained:
    """A network by subwords of bytes."""
    learned = BpeTokenizer().learn({"the": 9, "Ġwhale": 8, "Ġthe": 7}, 256 + 8)
    return build("lstm", TextConfig(tokenizer="bpe", **TEXT_DEFAULTS["bpe"]), learned.tokens)


@pytest.fixture(scope="session")
def writer(lstm: Trained) -> Writer:
    return Writer(lstm.model, lstm.preprocessor, boundaries=True)


@pytest.fixture(scope="session")
def variants() -> list[Trained]:
    """Networks of all kinds of layers."""
    return [
        build("lstm", tied=True),
        build("bilstm", pooling="attention", layers=1),
        build("bilstm", merge="sum", tied=True, layers=1),
        build("bilstm", merge="mul", layers=1),
        build("bilstm", merge="ave", pooling="attention", layers=1),
    ]
