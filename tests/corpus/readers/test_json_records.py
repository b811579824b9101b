import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.corpus.readers.base import InputFile, ReadLimits, ReadOptions
from textgen.corpus.readers.json_records import json_lines
from textgen.errors import UserError

ROWS = [{"text": "one"}, {"text": "two", "id": 10**30}, {"text": None}, {"title": "three"}]
TAKEN = [b"one", b"two"]
ERROR = "JSON file with texts at {}; no record has the field '{}'. Give one of them with --text-field"


def dumped(value, indent=None):
    return json.dumps(value, indent=indent).encode()


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "content",
    [
        lambda indent: dumped(ROWS, indent),
        lambda indent: b"\xef\xbb\xbf \n" + dumped(ROWS, indent) + b"\n\n",
        lambda indent: dumped({"version": 1, "data": ROWS, "tags": ["x"]}, indent),
        lambda indent: dumped({"response": {"count": 4, "docs": ROWS}, "time": 0.1}, indent),
        lambda indent: b"\n".join(dumped(row, indent) for row in ROWS),
        lambda indent: b"".join(dumped(row, indent) for row in ROWS),
        lambda indent: dumped(ROWS[:1], indent) + dumped(ROWS[1:], indent),
    ],
)
def test_records_are_found_in_every_form(taken_by, check, content, indent):
    check("json", content(indent))
    texts, rejected, replaced = taken_by("json", content(indent))
    assert (texts, replaced) == (TAKEN, 0)
    assert [(reason, json.loads(raw)) for reason, raw, _ in rejected] == [
        ("empty", ROWS[2]),
        ("missing field", ROWS[3]),
    ]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.integers(1, 40), st.sampled_from([None, 1]))
@settings(max_examples=100, deadline=None)
def test_json_lines_and_json_give_the_same_documents(taken_by, texts, block_bytes, indent):
    limits = ReadLimits(block_bytes=block_bytes)
    lines = b"".join(dumped({"text": text}) + b"\n" for text in texts)
    array = json.dumps([{"text": text} for text in texts], indent=indent, ensure_ascii=False)
    expected = taken_by("jsonl", lines)
    assert taken_by("json", lines, limits=limits) == expected
    assert taken_by("json", array.encode("utf-8", "surrogatepass"), limits=limits) == expected


@pytest.mark.parametrize(
    ("value", "field", "texts"),
    [
        ([{"body": {"main": "a"}}], "body.main", [b"a"]),
        ([["1", "a"], ["2", "b"]], "1", [b"a", b"b"]),
        ({"rows": [{"a.b": "x"}]}, "a.b", [b"x"]),
        ({"rows": [{"text": "x"}]}, "rows.text", [b"x"]),
        ({"old": [{"text": "x"}], "new": [{"text": "y"}]}, "new.text", [b"y"]),
        ({"text": "root", "comments": [{"text": "x"}]}, None, [b"root"]),
        (["a", "b"], None, [b"a", b"b"]),
        ({"docs": ["a", "b"], "n": 2}, None, [b"a", b"b"]),
        ({"docs": ["a"], "tags": ["x"]}, "docs", [b"a"]),
        ([], None, []),
        ({}, "text", []),
    ],
)
def test_fields_are_found_by_their_paths(taken_by, check, value, field, texts):
    check("json", dumped(value), text_field=field)
    assert taken_by("json", dumped(value), text_field=field).texts == texts


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        (ROWS, "0.text", ERROR.format("text, title", "0.text")),
        ([{"title": "a", "body": {"main": "b"}, "n": 1}], None, ERROR.format("title, body.main", "text")),
        ({"rows": [{"title": "a"}]}, "text", ERROR.format("rows.title", "text")),
        ({"old": [{"text": "x"}], "new": [{"text": "y"}]}, None, "texts at old.text, new.text; several arrays have"),
        ([1, 2], None, "holds no texts; no record has the field 'text'"),
        ([{"a\n" * 100: "x"}], None, r"texts at (a\?){49}a…; no record"),
        ("a", None, "does not start with a JSON object or array.*--format"),
    ],
)
def test_a_field_that_is_not_found_is_an_error_with_paths_that_work(check, value, field, message):
    with pytest.raises(UserError, match=message):
        check("json", dumped(value), path="a.json", text_field=field)


@pytest.mark.parametrize(
    "content",
    [b'[{"text": "a"}, {"text": "b"', b'[{"text": "a"} {"text": "b"}]', b'[{"text": "a"}]]', b'[{"text": "a'],
)
def test_damaged_json_is_an_error(taken_by, content):
    with pytest.raises(UserError, match=r"a can't be read as JSON: .* at character \d+\. .*\.jsonl"):
        taken_by("json", content)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000])
def test_deeply_nested_json_is_an_error(check, content):
    with pytest.raises(UserError, match="nested too deeply"):
        check("json", content)


def test_an_empty_file_has_no_records(taken_by, check):
    for content in (b"", b" \n"):
        check("json", content)
        assert taken_by("json", content) == ([], [], 0)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_json_may_be_in_another_encoding(taken_by, encoding):
    content = json.dumps([{"text": "café"}], ensure_ascii=False).encode(encoding)
    assert taken_by("json", content, encoding=encoding).texts == ["café".encode()]
    assert taken_by("json", gzip.compress(content), path="a.gz", encoding=encoding).texts == ["café".encode()]


def test_invalid_bytes_and_lone_surrogates_are_replaced_and_counted(taken_by):
    assert taken_by("json", b'[{"text": "caf\xe9"}, {"text": "a\\ud800"}]') == (
        ["caf\ufffd".encode(), "a\ufffd".encode()],
        [],
        2,
    )
    (rejected,) = taken_by("json", b'[{"text": "caf\xe9"}]', on_invalid="drop").rejected
    assert rejected.reason == "invalid encoding"


@pytest.mark.parametrize("field", [None, "data.text"])
def test_json_lines_of_a_file_give_the_same_documents(taken_by, field):
    content = dumped({"data": ROWS})
    file = InputFile("a.json", len(content), 0.0, "json")
    lines = b"".join(json_lines(file, lambda _: io.BytesIO(content), ReadOptions(field)))
    texts, rejected, _ = taken_by("jsonl", lines, text_field=field)
    assert texts == TAKEN
    assert [item.reason for item in rejected] == ["empty", "missing field"]


@pytest.mark.parametrize("top", [False, True])
def test_texts_of_an_array_in_each_record_are_joined(taken_by, check, top):
    record = {"messages": [{"content": "one"}, {"content": "two"}]}
    content = dumped(record if top else [record, record])
    check("json", content, text_field="messages.*.content")
    assert taken_by("json", content, text_field="messages.*.content").texts == [b"one\ntwo"] * (1 if top else 2)
    file = InputFile("a.json", len(content), 0.0, "json")
    lines = b"".join(json_lines(file, lambda _: io.BytesIO(content), ReadOptions("messages.*.content")))
    assert taken_by("jsonl", lines, text_field="messages.*.content").texts[0] == b"one\ntwo"
