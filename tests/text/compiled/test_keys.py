import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.text.compiled.keys import MAY_BE_SHARED, PACKED_BYTES, string_keys

# Words have no NUL.
STRINGS = st.lists(st.binary(max_size=30).map(lambda text: text.replace(b"\0", b"")), max_size=20)


@given(STRINGS)
@settings(max_examples=50, deadline=None)
def test_equal_strings_have_equal_keys_and_short_ones_of_ascii_keys_of_their_own(strings: list[bytes]) -> None:
    sizes = np.array([len(string) for string in strings], np.int32)
    starts = (np.cumsum(sizes) - sizes).astype(np.int64)
    keys = string_keys(np.frombuffer(b"".join(strings), np.uint8), starts, sizes).tolist()
    assert len(set(zip(strings, keys, strict=True))) == len(set(strings))
    short = {key: s for s, key in zip(strings, keys, strict=True) if len(s) <= PACKED_BYTES and s.isascii()}
    assert len(short) == len({s for s in strings if len(s) <= PACKED_BYTES and s.isascii()})
    assert not any(key & int(MAY_BE_SHARED) for key in short)


def test_a_nul_at_the_start_shows_in_the_key() -> None:
    strings = [b"a", b"\0a", b"\0\0a", b"\0", b"\0\0", b"\0aaaaaaa", b"a\0", b"aaaaaaa"]
    sizes = np.array([len(string) for string in strings], np.int32)
    starts = (np.cumsum(sizes) - sizes).astype(np.int64)
    keys = string_keys(np.frombuffer(b"".join(strings), np.uint8), starts, sizes).tolist()
    assert [bool(key & int(MAY_BE_SHARED)) for key in keys] == [string.startswith(b"\0") for string in strings]
