import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.compiled.symbol_numbers import CharacterNumbers, IntNumbers, StringNumbers


def objects(strings: list[bytes]) -> np.ndarray:
    found = np.empty(len(strings), object)
    found[:] = strings
    return found


@given(st.lists(st.lists(st.binary(min_size=1, max_size=20).filter(lambda s: 0 not in s), max_size=30), max_size=4))
@settings(max_examples=50, deadline=None)
def test_strings_are_numbered_in_order_of_first_occurrence(batches: list[list[bytes]]) -> None:
    numbers, known = StringNumbers(), dict[bytes, int]()
    for batch in batches:
        expected = [known.setdefault(string, len(known)) for string in batch]
        assert numbers.number_symbols(objects(batch)).tolist() == expected
    assert numbers.symbols().to_pylist() == list(known)
    assert (len(numbers), numbers.size) == (len(known), sum(map(len, known)))


def test_many_and_long_strings_are_numbered() -> None:
    strings = [str(i).encode() + b"-" * (i % 40) for i in range(60_000)] + [b"x" * 1_000_000]
    numbers = StringNumbers()
    for _ in range(2):
        assert numbers.number_symbols(objects(strings)).tolist() == list(range(len(strings)))
    assert numbers.symbols().to_pylist() == strings
    assert numbers.strings(60_000).to_pylist() == strings[-1:]


def test_integers_are_their_own_numbers() -> None:
    numbers = IntNumbers()
    assert numbers.symbols().equals(pa.array([], pa.int32()))
    assert numbers.number_symbols(np.array([4, 2], np.int32)).tolist() == [4, 2]
    assert numbers.symbols().to_pylist() == [0, 1, 2, 3, 4]


def test_strings_that_differ_in_their_nuls_have_numbers_of_their_own() -> None:
    strings = [b"a", b"\0a", b"\0\0a", b"\0", b"\0\0", b"\0aaaaaaa", b"a\0", b"aaaaaaa", b"\0\0aaaaaa"]
    numbers = StringNumbers()
    found = numbers.number_symbols(np.array([*strings, *reversed(strings)], object))
    assert found.tolist() == [*range(len(strings)), *reversed(range(len(strings)))]
    assert numbers.symbols().to_pylist() == strings


@given(st.lists(st.text(max_size=300), max_size=4))
@settings(max_examples=50, deadline=None)
def test_characters_are_numbered_by_text_or_by_code_point(texts: list[str]) -> None:
    numbers, found = CharacterNumbers(), []
    for text in texts:
        data = np.frombuffer(text.encode(), np.uint8)
        by_text = numbers.number_text(data, len(text))
        codes = np.array([ord(character) for character in text], np.int32)
        assert numbers.number_symbols(codes).tolist() == by_text.tolist()
        found.append(by_text)
    symbols = numbers.symbols().to_numpy()
    assert symbols[:128].tolist() == list(range(128))
    assert ["".join(map(chr, symbols[each])) for each in found] == texts
    assert len(set(symbols.tolist())) == len(symbols)


def test_the_numbers_of_few_characters_are_bytes() -> None:
    numbers = CharacterNumbers()
    few, many = ("".join(map(chr, range(0x4E00, 0x4E00 + count))) for count in (128, 129))
    assert numbers.number_text(np.frombuffer(few.encode(), np.uint8), 128).dtype == np.uint8
    assert numbers.number_text(np.frombuffer(b"ascii", np.uint8), 5).tolist() == list(b"ascii")
    found = numbers.number_text(np.frombuffer(many.encode(), np.uint8), 129)
    assert (found.dtype, found.tolist()) == (np.int32, list(range(128, 257)))
    assert numbers.number_text(np.frombuffer(few.encode(), np.uint8), 128).tolist() == list(range(128, 256))
    assert numbers.number_symbols(np.array([0x10FFFF, 97])).tolist() == [257, 97]
