import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.json_stream import JsonError, JsonStream

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6).map(float) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def stream_of(text, size=1, most=1 << 20):
    return JsonStream((text[i : i + size] for i in range(0, len(text), size)), max_characters=most)


@given(st.lists(values, max_size=5), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_values_do_not_depend_on_the_blocks(expected, size, indent, ascii_only):
    text = " \n".join(json.dumps(value, indent=indent, ensure_ascii=ascii_only) for value in expected)
    stream, found = stream_of(text, size), []
    while stream.peek():
        found.append(stream.value())
    assert [value for value, _ in found] == expected
    assert [json.loads(text) for _, text in found] == expected
    assert stream.characters_read == len(text)


@given(st.lists(values, max_size=5), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_an_array_is_read_item_by_item(expected, size):
    stream = stream_of(json.dumps(expected, indent=2) + " []", size)
    assert [item.value for item in stream.items()] == expected
    assert list(stream.items()) == []
    assert stream.peek() == ""


@given(st.dictionaries(st.text(max_size=4), values, max_size=5), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_an_object_is_read_member_by_member(expected, size):
    stream = stream_of(json.dumps(expected) * 3, size)
    assert {key: stream.value().value for key in stream.members()} == expected
    for _ in stream.members():
        stream.skip()
    stream.skip()
    assert stream.peek() == ""


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("text", "character"),
    [("[1, 2", 5), ("[1 2]", 3), ("[1, x]", 4), ('["a]', 1), ("[1}", 2), ("[,]", 1), ('["\\q"]', 2), ("", 0)],
)
def test_what_is_no_json_is_an_error_at_its_character(text, character, size):
    with pytest.raises(JsonError) as caught:
        list(stream_of(text, size).items())
    assert caught.value.character == character


@pytest.mark.parametrize("text", ['{"a": 1', '{"a" 1}', "{1: 2}", '{"a": 1,}'])
def test_what_is_no_object_is_an_error(text):
    with pytest.raises(JsonError):
        stream_of(text).skip()


def test_a_fault_is_noticed_before_the_rest_is_read():
    read = []

    def blocks():
        for i in range(1000):
            read.append(i)
            yield "x" * 100

    with pytest.raises(JsonError, match="Expecting value"):
        JsonStream(blocks(), max_characters=1 << 30).value()
    assert len(read) == 1


def test_a_value_that_never_ends_is_an_error_at_the_limit():
    read = []

    def blocks():
        for i in range(1000):
            read.append(i)
            yield '"' if i == 0 else "x" * 100

    with pytest.raises(JsonError, match="A value is longer than 1,000 characters"):
        JsonStream(blocks(), max_characters=1000).value()
    assert len(read) < 50


@pytest.mark.parametrize("size", [1, 5, 30, 1000])
@pytest.mark.parametrize("text", ['"' + "x" * 18 + '"', '{"a": [1, 2, 3, 4]} ', "1" * 20, "[" + "1," * 9 + "1]"])
def test_the_length_of_a_value_alone_decides_about_the_limit(text, size):
    length, more = len(text.strip()), " \n" + text * 3
    assert stream_of(text + more, size, most=length).value().text == text.strip()
    with pytest.raises(JsonError, match=f"A value is longer than {length - 1} characters") as caught:
        stream_of("  " + text + more, size, most=length - 1).value()
    assert caught.value.character == 2


@pytest.mark.parametrize("size", [1, 5, 30, 1000])
def test_a_fault_behind_the_limit_is_not_looked_for(size):
    faulty = "[" + "1," * 20 + "x]" + " " * 40
    with pytest.raises(JsonError, match="A value is longer than 40 characters"):
        stream_of(faulty, size, most=40).value()
    with pytest.raises(JsonError, match="Expecting value"):
        stream_of(faulty, size, most=41).value()


def test_deep_nesting_is_an_error():
    with pytest.raises(JsonError, match="nested too deeply"):
        stream_of("[" * 100_000, 1 << 20).value()
