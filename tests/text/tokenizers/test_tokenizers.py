from textgen.config import TOKENIZERS
from textgen.text import tokenizers


def test_every_tokenizer_of_the_settings_is_in_the_table():
    assert set(tokenizers._MAKERS) == set(TOKENIZERS)
