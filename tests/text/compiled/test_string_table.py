import numpy as np

from textgen.text.compiled.string_table import number_strings, place_strings

SHIFT = 64 - 3


def numbered(strings: list[bytes], keys: list[int], *, most: int = 4, room: int = 100) -> tuple[int, int, list[int]]:
    sizes = np.array([len(string) for string in strings], np.int32)
    starts = (np.cumsum(sizes) - sizes).astype(np.int64)
    numbers = np.full(len(strings), -1, np.int32)
    known, done = number_strings(
        np.frombuffer(b"".join(strings), np.uint8), np.array(keys, np.uint64), starts, sizes,
        np.zeros((8, 2), np.uint64), np.zeros(room, np.uint8), np.zeros(most + 1, np.int64), SHIFT, 0, numbers, 0,
    )  # fmt: skip
    return known, done, numbers.tolist()


def test_strings_with_one_key_are_told_apart() -> None:
    shared = (1 << 63) + 5
    strings = [b"longer than eight", b"of another length", b"longer than eight", b"short"]
    assert numbered(strings, [shared] * 4) == (3, 4, [0, 1, 0, 2])


def test_numbering_ends_where_there_is_no_room() -> None:
    strings = [b"a", b"b", b"a", b"c", b"a"]
    assert numbered(strings, [1, 2, 1, 3, 1], most=2) == (2, 3, [0, 1, 0, -1, -1])
    assert numbered(strings, [1, 2, 1, 3, 1], room=2) == (2, 3, [0, 1, 0, -1, -1])


def test_placed_strings_are_found() -> None:
    keys = np.array([7, 15, 23, 31], np.uint64)
    table = np.zeros((8, 2), np.uint64)
    place_strings(keys, table, SHIFT)
    placed = {int(key): int(number) for key, number in table if number}
    assert placed == {7: 1, 15: 2, 23: 3, 31: 4}
