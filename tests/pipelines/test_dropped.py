from pipelines.dropped import dropped_record


def test_a_dropped_document_is_a_line_of_json() -> None:
    assert dropped_record("empty", b"\xff\n\xc3\xa9") == '{"reason": "empty", "text": "\ufffd\\né"}\n'


def test_a_rejected_item_names_its_file() -> None:
    expected = '{"reason": "malformed row", "text": "x", "file": "a.csv"}\n'
    assert dropped_record("malformed row", b"x", "a.csv") == expected
