import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.compiled.symbol_numbers import IntNumbers, StringNumbers


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
