import os

import pytest

from textgen.config.schema import SchemaError
from textgen.dataset.storage.passed_over import PassedOver, count_reasons, parse, shown, shown_accounts, to_lines

PASSED_OVER = [
    PassedOver("a.txt", "empty"),
    PassedOver("é\n.csv", "unreadable", "Permission denied"),
    PassedOver(os.fsdecode(b"\xff.txt"), "empty"),
]


def test_files_of_any_name_are_read_back_from_their_lines() -> None:
    assert to_lines(PASSED_OVER).count(b"\n") == 3
    assert parse(to_lines(PASSED_OVER)) == PASSED_OVER
    assert (to_lines([]), parse(b"")) == (b"", [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"path": "a", "reason": "empty", "detail": ""}\n' * 2, "its number of lines is 2; it must be 1"),
        (b'{"path": "a", "reason": "empty"}\n', "line 1: detail is missing"),
        (
            b'{"path": "a\\u0000", "reason": "empty", "detail": ""}\n',
            "line 1: path is .*; it must be a path without a",
        ),
        (b'["a", "empty", ""]\n', "line 1: it is a list of 3; it must be an object"),
    ],
)
def test_any_other_line_is_named_with_the_rule(content: bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=f"^{message}"):
        parse(content, count=1)


def test_the_accounts_close() -> None:
    reasons = count_reasons(PASSED_OVER)
    assert reasons == {"empty": 2, "unreadable": 1}
    assert shown_accounts(1_000, reasons) == "1,003 found: 1,000 read, passed over: 2 empty, 1 unreadable"
    assert shown_accounts(1, {}) == "1 found: 1 read, passed over: none"


def test_a_path_is_shown_on_one_line_and_can_be_printed() -> None:
    assert [shown(each.path) for each in PASSED_OVER] == ["a.txt", r"'\xe9\n.csv'", r"'\udcff.txt'"]
    assert shown("é ü.txt") == "é ü.txt"
