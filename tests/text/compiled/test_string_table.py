import numpy as np

from textgen.text.compiled.string_table import KeyedStrings, StringTable, fill_slots, number_strings

SHIFT = 64 - 3


def numbered(strings: list[bytes], keys: list[int], *, most: int = 4, room: int = 100) -> tuple[int, int, list[int]]:
    sizes = np.array([len(string) for string in strings], np.int32)
    starts = (np.cumsum(sizes) - sizes).astype(np.int64)
    numbers = np.full(len(strings), -1, np.int32)
    table = StringTable(np.zeros((8, 2), np.uint64), np.zeros(room, np.uint8), np.zeros(most + 1, np.int64), SHIFT)
    source = np.frombuffer(b"".join(strings), np.uint8)
    known, done = number_strings(KeyedStrings(source, np.array(keys, np.uint64), starts, sizes), table, 0, numbers, 0)
    return known, done, numbers.tolist()


def test_strings_with_one_key_are_told_apart() -> None:
    shared = (1 << 63) + 5
    strings = [b"longer than eight", b"of another length", b"longer than eight", b"short"]
    assert numbered(strings, [shared] * 4) == (3, 4, [0, 1, 0, 2])


def test_numbering_ends_where_there_is_no_room() -> None:
    strings = [b"a", b"b", b"a", b"c", b"a"]
    assert numbered(strings, [1, 2, 1, 3, 1], most=2) == (2, 3, [0, 1, 0, -1, -1])
    assert numbered(strings, [1, 2, 1, 3, 1], room=2) == (2, 3, [0, 1, 0, -1, -1])


def test_strings_of_equal_size_and_key_are_told_apart() -> None:
    shared = (1 << 63) + 5
    assert numbered([b"\0a", b"\0b", b"\0a"], [shared] * 3) == (2, 3, [0, 1, 0])


def test_slots_have_every_known_string() -> None:
    keys = np.array([7, 15, 23, 31], np.uint64)
    slots = np.zeros((8, 2), np.uint64)
    fill_slots(keys, slots, SHIFT)
    assert {int(key): int(number) for key, number in slots if number} == {7: 1, 15: 2, 23: 3, 31: 4}
