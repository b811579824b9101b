import numpy as np

from textgen.text.compiled.characters import CHARACTERS, number_characters


def test_characters_of_any_length_are_numbered_as_they_are_met() -> None:
    text = "\0a\x7f\x80é\u07ff\u0800日\uffff\U00010000\U0010ffff"
    table, symbols = np.full(CHARACTERS, -1, np.int32), np.empty(CHARACTERS, np.int32)
    numbers = np.empty(2 * len(text), np.uint8)
    known = number_characters(np.frombuffer(2 * text.encode(), np.uint8), table, symbols, 3, numbers)
    assert known == 3 + len(text)
    assert numbers.tolist() == 2 * list(range(3, known))
    assert symbols[3:known].tolist() == [ord(character) for character in text]
