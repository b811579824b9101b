from textgen.corpus.readers.columns import missing_column_error


def test_an_error_without_a_column_lists_the_columns():
    assert str(missing_column_error("a.csv", "CSV", ["id", "text"], None)) == (
        "a.csv is a CSV file with the columns id, text. Give the one that holds the documents with --text-field, "
        "or text_field in Python."
    )


def test_an_error_for_a_missing_column_shows_its_name():
    assert str(missing_column_error("a.csv", "CSV", ["id", "text"], "Text")) == (
        "a.csv is a CSV file with the columns id, text; none is named 'Text'. Give one of them with --text-field, "
        "or text_field in Python."
    )


def test_only_the_first_of_many_columns_are_listed():
    message = str(missing_column_error("a.csv", "CSV", [f"c{i}" for i in range(1000)], None))
    assert "c0, c1, " in message
    assert "c19 and 980 more. Give" in message
    assert "c20" not in message


def test_names_that_can_not_be_printed_are_replaced():
    message = str(missing_column_error("a.jsonl", "JSON Lines", ["\ud800"], "\ud800"))
    assert b"with the columns ?; none is named" in message.encode()
