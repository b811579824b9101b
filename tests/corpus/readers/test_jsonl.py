import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import CHUNK_BYTES, InputFile, ReadLimits, ReadOptions, Rejected, TableOptions
from textgen.errors import UserError

MARK = b"\xef\xbb\xbf"


def malformed(*lines):
    return [Rejected("malformed row", line) for line in lines]


valid_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | valid_text, st.lists, max_leaves=3)
lines = st.one_of(
    st.dictionaries(st.sampled_from(["text", "id", "a.b"]), values, max_size=3).map(json.dumps),
    valid_text.map(lambda text: json.dumps({"text": text}, ensure_ascii=False)),
    st.sampled_from(["", "  ", "{", "null", "[]", "no JSON", '{"text": null}']),
).map(str.encode)


def reason(line, value):
    if value is None and line.strip() != b"null":
        return "malformed row"
    if not isinstance(value, dict) or "text" not in value:
        return "missing field"
    return "empty" if value["text"] is None else "field without text"


def expected(content):
    texts, rejected = [], []
    for line in content.split(b"\n"):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        text = value.get("text", value) if isinstance(value, dict) else value
        if isinstance(value, dict) and isinstance(text, str):
            texts.append(text.encode())
        else:
            rejected.append(Rejected(reason(line, value), line.removesuffix(b"\r")))
    return texts, rejected, 0


@given(st.lists(lines, max_size=12), st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 80), st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_any_division_gives_every_line_once(taken_by, lines, line_end, unit_bytes, block_bytes):
    content = line_end.join(lines)
    limits = ReadLimits(chunk_bytes=32, block_bytes=block_bytes)
    taken = taken_by("jsonl", content, unit_bytes=unit_bytes, limits=limits)
    assert (taken.texts, len(taken.rejected)) == (expected(content)[0], len(expected(content)[1]))


@given(st.lists(lines, max_size=12).map(b"\n".join), st.integers(1, 80))
@settings(max_examples=60, deadline=None)
def test_lines_without_a_text_are_rejected_with_their_reason(taken_by, content, unit_bytes):
    assert taken_by("jsonl", content, unit_bytes=unit_bytes) == expected(content)


def test_texts_are_read_from_the_given_field(taken_by):
    content = b'{"data": {"text": "a"}, "text": "b"}\n'
    assert taken_by("jsonl", content).texts == [b"b"]
    assert taken_by("jsonl", content, text_field="data.text").texts == [b"a"]


@pytest.mark.parametrize(
    ("line", "reason", "note"),
    [
        (b"no JSON", "malformed row", ""),
        (b'{"text": "cut short', "malformed row", ""),
        (b'{"text": "a"} {"text": "b"}', "malformed row", ""),
        (b"[" * 100_000, "malformed row", ""),
        (b'{"text": ' + b"[" * 100_000, "malformed row", ""),
        (b'{"id": 1}', "missing field", ""),
        (b'"text"', "missing field", ""),
        (b'{"text": 1}', "field without text", "a number at text"),
        (b'{"text": NaN}', "field without text", "a number at text"),
        (b'{"text": ["a"]}', "field without text", "a list at text"),
        (b'{"text": {"a": 1}}', "field without text", "an object at text"),
        (b'{"text": true}', "field without text", "true or false at text"),
        (b'{"text": null}', "empty", ""),
    ],
)
def test_a_line_without_a_text_is_rejected_with_its_reason(batches_of, line, reason, note):
    (batch,) = batches_of("jsonl", b'{"text": "a"}\n' + line + b"\n")
    assert batch.texts == [b"a"]
    assert batch.rejected == [Rejected(reason, line, note)]


def test_null_is_rejected_as_empty_but_an_empty_text_is_a_document(taken_by):
    content = b'{"text": null}\n{"text": ""}\n'
    assert taken_by("jsonl", content) == ([b""], [Rejected("empty", b'{"text": null}')], 0)


def test_blank_lines_are_no_documents(taken_by):
    assert taken_by("jsonl", b'\n \t\r\n{"text": "a"}\n\n') == ([b"a"], [], 0)


def test_other_fields_may_hold_anything(taken_by):
    content = b'{"n": ' + b"9" * 5000 + b', "x": 1e999, "y": "\xff", "z": "\\ud800", "text": "a"}'
    assert taken_by("jsonl", content) == ([b"a"], [], 0)


@pytest.mark.parametrize(
    ("line", "replaced"),
    [
        (b'{"text": "a\\ud800b"}', "a\ufffdb"),
        (b'{"text": "\\udc00\\ud800"}', "\ufffd\ufffd"),
        (b'{"text": "a\xe9b"}', "a\ufffdb"),
        (b'{"text": "a\xe2\x80b\\ud83d"}', "a\ufffdb\ufffd"),
    ],
)
def test_lone_surrogates_and_invalid_bytes_are_invalid(taken_by, line, replaced):
    assert taken_by("jsonl", line) == ([replaced.encode()], [], 1)
    (rejected,) = taken_by("jsonl", line, on_invalid="drop").rejected
    assert rejected.reason == "invalid encoding"
    with pytest.raises(UserError, match=r"a\.jsonl has text that is not valid utf-8"):
        taken_by("jsonl", line, path="a.jsonl", on_invalid="fail")


def test_escaped_characters_are_what_they_stand_for(taken_by):
    assert taken_by("jsonl", b'{"text": "\\u00e9\\ud83d\\ude00\\n"}').texts == ["é😀\n".encode()]


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("unit_bytes", [5, 1000])
def test_lines_may_be_in_another_encoding(taken_by, encoding, unit_bytes):
    text = "é" if encoding == "cp1252" else "\u8868\u30bd"
    content = (json.dumps({"text": text}, ensure_ascii=False) + "\n") * 3
    taken = taken_by("jsonl", content.encode(encoding), unit_bytes=unit_bytes, encoding=encoding)
    assert taken == ([text.encode()] * 3, [], 0)


def test_a_long_text_is_split_into_chunks(batches_of, taken_by):
    long = "some words\n" * (CHUNK_BYTES // 4)
    content = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in ("a", long, "b"))
    assert taken_by("jsonl", content).texts == [b"a", long.encode(), b"b"]
    batches = batches_of("jsonl", content)
    assert all(len(text) <= CHUNK_BYTES for batch in batches for text in batch.texts)
    assert batches_of("jsonl", gzip.compress(content), path="a.jsonl.gz") == batches


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"text": "a"}\n', None),
        (b'{"text": null}\n', None),
        (b'\n{"text": "a"}\nno JSON\n', None),
        (MARK + b'{"text": "a"}', None),
        (b'{"id": 1}\n{"id": 2, "data": {"text": "a"}}\n', "data.text"),
        (b'["a", "b"]\n', "1"),
        (b"", None),
        (b"\n\n", "data.text"),
    ],
)
def test_a_file_with_the_field_passes_the_check(check, content, field):
    check("jsonl", content, text_field=field)
    check("jsonl", gzip.compress(content), path="a.gz", text_field=field)


@pytest.mark.parametrize("field", [None, "body", "id.text"])
def test_a_missing_field_is_an_error_that_lists_the_fields(check, field):
    refusal = (
        r"a\.jsonl is a JSON Lines file with the columns id, content.*with --text-field, or text_field in Python\."
    )
    with pytest.raises(UserError, match=refusal):
        check("jsonl", b'{"id": 1, "content": "a"}\n{"text": 1}\n', path="a.jsonl", text_field=field)


@pytest.mark.parametrize(
    "content", [b"Once upon a time\n", b'[\n{"text": "a"}\n]\n', b'{\n  "text": "a"\n}', b'"a"\n']
)
def test_a_file_that_does_not_start_with_an_object_is_an_error(check, content):
    with pytest.raises(UserError, match=r"a\.jsonl does not start with a JSON object; .*use another --format\."):
        check("jsonl", content, path="a.jsonl", text_field="text")


def test_only_the_first_lines_of_a_file_are_checked(check):
    content = gzip.compress(b'{"text": "a"}\n' * 200_000)
    check("jsonl", content[:-8], path="a.gz")


def test_a_file_is_divided_into_equal_ranges_if_it_can_be():
    reader = READERS["jsonl"]
    plain, packed = (InputFile("a", 100, 0.0, "jsonl", compression) for compression in ((), ("gzip",)))
    assert reader.divide(plain, 50, None, ReadOptions()) == [(0, 50), (50, 100)]
    assert reader.divide(packed, 50, None, ReadOptions()) == [(0, 100)]


@pytest.mark.parametrize(
    ("field", "join", "texts"),
    [
        ("messages.*.content", "line", [b"hello\nyou"]),
        ("messages.*.content", "paragraph", [b"hello\n\nyou"]),
        ("messages.*.content", "space", [b"hello you"]),
        ("messages.*.content", "none", [b"hello", b"", b"you"]),
        ("title,messages.0.content", "line", [b"talk\nhello"]),
        ("messages.0.content, title", "line", [b"hello\ntalk"]),
        ("title,none", "line", [b"talk"]),
    ],
)
def test_several_texts_of_a_line_are_joined(taken_by, check, field, join, texts):
    contents = ["hello", "", None, "you"]
    record = {"title": "talk", "messages": [*({"content": content} for content in contents), {"tool": 1}]}
    content = json.dumps(record).encode()
    check("jsonl", content, text_field=field)
    assert taken_by("jsonl", content, text_field=field, tables=TableOptions(join=join)) == (texts, [], 0)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"tags": []}, "empty"),
        ({"tags": [None]}, "empty"),
        ({"tags": ["a", 1]}, "field without text"),
        ({"tags": "a"}, "missing field"),
        ({}, "missing field"),
    ],
)
def test_a_line_without_texts_at_a_path_is_rejected(taken_by, record, reason):
    line = json.dumps(record).encode()
    assert taken_by("jsonl", line, text_field="tags.*") == ([], [Rejected(reason, line)], 0)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (
            {"text": ["a", "b"]},
            r"holds a list at 'text', and a document must be a string\. It has texts at text\.\*\.",
        ),
        ({"text": {"a": "b"}}, r"holds an object at 'text', .* It has texts at text\.a\."),
        ({"text": True}, r"holds true or false at 'text', .* It has no texts"),
        ({"text": 1}, r"holds a number at 'text', .* It has no texts\. Give another path with --text-field\."),
    ],
)
def test_a_field_that_never_holds_a_text_is_an_error_with_a_path_that_works(check, record, found):
    with pytest.raises(UserError, match=found):
        check("jsonl", json.dumps(record).encode() * 1, path="a.jsonl", text_field="text")


def test_a_missing_field_is_an_error_that_lists_nested_paths(check):
    content = json.dumps({"messages": [{"role": "user", "content": "a"}]}).encode()
    with pytest.raises(UserError, match=r"It has texts at messages\.\*\.role, messages\.\*\.content\."):
        check("jsonl", content)


@pytest.mark.parametrize("unit_bytes", [10, 1000])
def test_a_line_above_the_limit_is_rejected_and_not_held(batches_of, unit_bytes):
    long = b'{"text": "' + b"x" * 300 + b'"}'
    content = b'{"text": "a"}\n' + long + b'\n{"text": "b"}'
    limits, tables = ReadLimits(chunk_bytes=64, block_bytes=32), TableOptions(max_row_bytes=100)
    batches = batches_of("jsonl", content, unit_bytes=unit_bytes, limits=limits, tables=tables)
    assert [text for batch in batches for text in batch.texts] == [b"a", b"b"]
    (rejected,) = [item for batch in batches for item in batch.rejected]
    assert (rejected.reason, rejected.note) == ("row too large", f"{len(long)} bytes")
    assert rejected.content == long[:64]


def test_several_values_that_are_no_texts_are_an_error_with_a_path_that_works(check):
    content = json.dumps({"messages": [{"content": [{"type": "text", "text": "a"}]}]}).encode()
    with pytest.raises(
        UserError, match=r"holds a list at 'messages\.\*\.content'.*messages\.\*\.content\.\*\.text\."
    ):
        check("jsonl", content, text_field="messages.*.content")
