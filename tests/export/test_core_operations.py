import pytest
import tensorflow as tf

from tests.export.conftest import build
from textgen.config import TextConfig
from textgen.errors import UserError
from textgen.export.core_operations import with_core_operations
from textgen.text.preprocessor import Preprocessor
from textgen.text.tokenizers import make_tokenizer

TEXTS = ["The whale e\u0301\u0323 ﬁsh…", "", "ΌΔΟΣ İ \U0001f433\ufe0f", "각 \u1100\u1161\u11a8 ½", "co\u00adoperate"]


@pytest.mark.parametrize("tokenizer", ["word", "char", "byte"])
def test_ids_are_the_same(tokenizer: str):
    config = TextConfig(tokenizer=tokenizer, punctuation="separate" if tokenizer == "word" else "keep")
    counts = dict.fromkeys(("the", "whale", "ẹ\u0301", "fish", "각") if tokenizer == "word" else "thewaliσ1각", 1)
    preprocessor = Preprocessor(config, make_tokenizer(config).learn(counts, 300))
    texts = tf.constant(TEXTS)
    assert with_core_operations(preprocessor).encode(texts).to_list() == preprocessor.encode(texts).to_list()


def test_a_tokenizer_that_needs_tensorflow_text_is_refused():
    trained = build("lstm", TextConfig(tokenizer="wordpiece", punctuation="keep"), ("[UNK]", "a", "##a"))
    with pytest.raises(
        UserError, match="wordpiece needs operations of tensorflow_text; core_saved_model is for char"
    ):
        with_core_operations(trained.preprocessor)
