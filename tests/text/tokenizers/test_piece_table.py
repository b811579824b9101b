import tensorflow as tf

from textgen.text.tokenizers.piece_table import PieceTable
from textgen.text.vocabulary import Vocabulary

KNOWN = Vocabulary(("wh", "##ale", "##", "a"), (4, 3, 2, 1))


def test_words_have_the_ids_of_their_pieces_and_pieces_their_texts() -> None:
    table = PieceTable(KNOWN)
    # A word that reads like a reserved id, or like a piece that continues a word, is not taken for it.
    assert table.ids(tf.constant(["whale", "a", "##ale", "[BOS]"])).to_list() == [[4, 5], [7], [6, 5], [1]]
    assert table.texts(tf.ragged.constant([[4, 5], [7]], tf.int32)).to_list() == [[b" wh", b"ale"], [b" a"]]
