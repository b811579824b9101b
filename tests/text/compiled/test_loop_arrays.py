import numpy as np

from textgen.text.compiled.loop_arrays import FoundTokens, Texts, WrittenTexts
from textgen.text.compiled.reused_arrays import ReusedArrays


def test_there_is_room_for_a_space_before_each_text_and_a_token_of_each_byte() -> None:
    edges = np.array([0, 3, 5])
    texts = Texts(np.zeros(5, np.uint8), edges[:-1], edges[1:], np.zeros(2, bool))
    written, tokens = WrittenTexts.with_room(texts, 10), FoundTokens.with_room(texts, 4, ReusedArrays())
    assert [part.shape for part in written] == [(17,), (3,), (2,)]
    assert [part.shape for part in tokens] == [(9,), (9,), (2,)]
    assert [part.dtype.name for part in (*written, *tokens)] == [
        "uint8", "int64", "int64", "int64", "int32", "int64",
    ]  # fmt: skip
