import tensorflow as tf

from textgen.text.tokenizers import Tokenizer
from textgen.text.tokenizers.symbol_tokenizer import SymbolTokenizer
from textgen.text.vocabulary import Vocabulary


class LineTokenizer(SymbolTokenizer):
    """As a contributor would write it, without a table of its own."""

    unknown_word = "?"


def test_symbols_are_learned_counted_and_looked_up_as_tokens() -> None:
    tokenizer = LineTokenizer()
    learned = tokenizer.learn({"b": 2, "a": 3, "c": 1}, 2)
    assert learned == Vocabulary(("a", "b"), (3, 2)) and tokenizer.symbols_to_learn(2) == 2
    assert tokenizer.count(["a", "z"], {"a": 4}) == [4, 0]
    table = tokenizer.table(learned)
    assert table.ids(tf.constant(["b", "z"])).to_list() == [[5], [1]]
    assert table.texts(tf.ragged.constant([[4, 1]], tf.int32)).to_list() == [[b"a", b"?"]]
    assert tokenizer.encoder(learned).encode([b"b", b"z"]).ids.tolist() == [5, 1]


def test_a_subclass_that_splits_and_joins_is_a_whole_tokenizer() -> None:
    methods = {name for name, value in vars(Tokenizer).items() if callable(value) and not name.startswith("_")}
    assert methods - {"tokenize", "token", "is_token", "detokenize", "join"} <= set(dir(SymbolTokenizer))
    assert SymbolTokenizer().plain_text("so", ["it", "is"]) is None
