import doctest

import pytest

from textgen import errors
from textgen.errors import UserError, one_line, require, user_error


def test_a_user_error_is_a_value_error():
    assert issubclass(UserError, ValueError)


def test_require_raises_the_message_unless_the_condition_holds():
    require(True, "unused")
    with pytest.raises(UserError, match="^stride is 0; it must be at least 1.$"):
        require(False, "stride is 0; it must be at least 1.")


def test_a_user_error_is_found_as_it_is():
    error = UserError("the split is empty.")
    assert user_error(error) is error


@pytest.mark.parametrize("error", [ValueError("x is bad"), KeyError("x"), RuntimeError("")])
def test_another_error_tells_of_no_user_error(error):
    assert user_error(error) is None


def test_the_message_is_recovered_from_what_beam_reports():
    report = (
        "Traceback (most recent call last):\n"
        '  File "apache_beam/runners/common.py", line 1, in process\n'
        "    raise UserError('…')\n"
        "textgen.errors.UserError: a.csv has no column 'x'; it has a, b. Name one. [while running 'Units/Do-7']"
    )
    told = user_error(RuntimeError(report))
    assert isinstance(told, UserError)
    assert str(told) == "a.csv has no column 'x'; it has a, b. Name one."


def test_the_name_of_beams_step_is_no_part_of_a_message():
    assert str(user_error(UserError("it is bad. Do that. [while running 'Units/Do']"))) == "it is bad. Do that."


def test_the_message_is_recovered_from_what_a_python_function_in_tf_data_reports():
    report = (
        "{{function_node __wrapped__IteratorGetNext}} Error in a function: UserError: s differs. Delete it.\n"
        "Traceback (most recent call last):\n\n"
        "textgen.errors.UserError: s differs. Delete it.\n\n\n\t [[{{node PyFunc}}]] [Op:IteratorGetNext] name: "
    )
    assert str(user_error(RuntimeError(report))) == "s differs. Delete it."


class OtherUserError(UserError):
    """A kind of error for the user."""


def test_the_message_of_another_kind_of_user_error_is_recovered():
    report = (
        f"Error in a function: {__name__}.OtherUserError: s differs. Delete it.\nTraceback (most recent call last):\n"
    )
    assert str(user_error(RuntimeError(report))) == "s differs. Delete it."
    assert user_error(RuntimeError(report.replace("Other", "Another"))) is None


def test_a_message_at_the_very_end_of_a_report_is_recovered_whole():
    assert str(user_error(RuntimeError("textgen.errors.UserError: it is bad. Do that."))) == "it is bad. Do that."


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("No."), "No"),
        (ValueError("one\n two\n"), "one two"),
        (ValueError("type: \x0f"), r"type: \x0f"),
        (EOFError(), "EOFError"),
        (ValueError("3.5"), "3.5"),
    ],
)
def test_a_message_is_part_of_a_sentence(error, message):
    assert one_line(error) == message


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(errors)
    assert result.attempted
    assert not result.failed


def test_the_middle_of_a_long_message_is_left_out():
    message = str(UserError(f"window is {'x' * 100_000!r}; it must be a whole number."))
    assert len(message) <= 2_000
    assert message.startswith("window is 'xxx") and message.endswith("xxx'; it must be a whole number.")
    assert str(UserError(message)) == message
