import numpy as np
import pytest

from textgen.config import TEXT_DEFAULTS, TextConfig
from textgen.errors import UserError
from textgen.text.preprocessor import Preprocessor
from textgen.text.vocabulary import Vocabulary
from textgen.text.vocabulary_encoder import VocabularyEncoder

VOCABULARIES = {
    "word": Vocabulary(("the", "whale", "’"), (3, 2, 1)),
    "char": Vocabulary(("e", "é", " "), (3, 2, 1)),
    "byte": Vocabulary(("e", "<0xC3>", "<0x20>"), (3, 2, 1)),
    "wordpiece": Vocabulary(("the", "wh", "##ale"), (3, 2, 1)),
}


@pytest.mark.parametrize("unknown", ["token", "drop"])
@pytest.mark.parametrize("tokenizer", VOCABULARIES)
def test_symbols_have_the_ids_of_the_preprocessor(tokenizer: str, unknown: str) -> None:
    config = TextConfig(tokenizer=tokenizer, unknown=unknown, **TEXT_DEFAULTS[tokenizer])
    vocabulary = VOCABULARIES[tokenizer]
    symbols = np.array([b"whale", b"ship", b"the", b"whale"], object)
    if tokenizer in ("char", "byte"):
        symbols = np.array([101, 0xE9, 0x41, 0xC3], np.int32)
    values, splits = VocabularyEncoder(config, vocabulary).encode(symbols)
    expected = Preprocessor(config, vocabulary).ids(symbols)
    assert values.tolist() == expected.values.numpy().tolist()
    assert splits.tolist() == expected.row_splits.numpy().tolist()
    assert VocabularyEncoder(config, vocabulary).encode(symbols[:0])[1].tolist() == [0]


def test_a_vocabulary_of_another_tokenizer_is_refused() -> None:
    config = TextConfig(tokenizer="char", **TEXT_DEFAULTS["char"])
    with pytest.raises(UserError, match="'the', which is no token of the char tokenizer"):
        VocabularyEncoder(config, VOCABULARIES["word"])
