"""A few of the random files that `make fuzz` reads, by a fixed seed."""

import pytest

from tests.fuzzing.cases import make_case
from tests.fuzzing.checks import Refused, check_case
from tests.fuzzing.run import main
from tests.fuzzing.trials import Failure, shrunk, try_case


@pytest.mark.parametrize("start", range(0, 160, 20))
def test_random_files_are_read_alike_in_any_division_or_refused_in_one_line(start):
    for seed in range(start, start + 20):
        check_case(make_case(f"1:{seed}"))


def test_a_case_is_made_from_its_seed_alone():
    assert make_case("1:7") == make_case("1:7") != make_case("1:8")


def test_valid_and_damaged_files_are_read_and_refused():
    found = [check_case(make_case(f"2:{seed}")) for seed in range(40)]
    refused = sum(isinstance(outcome, Refused) for outcome in found)
    assert 0 < refused < len(found)
    assert any(not isinstance(outcome, Refused) and outcome.documents for outcome in found)


def test_another_exception_is_a_failure_that_is_made_smaller(monkeypatch):
    def fail(self, *_):
        raise ZeroDivisionError

    monkeypatch.setattr("textgen.corpus.readers.lines.LineReader.read", fail)
    case = make_case("1:0")._replace(
        path="a", content=b"one\ntwo\n", format="lines", encoding="utf-8", documents=None
    )
    found = try_case(case)
    assert isinstance(found, Failure)
    assert found.kind.startswith("ZeroDivisionError in tests/test_fuzzed_files.py")
    smaller = shrunk(case, lambda other: isinstance(try_case(other), Failure))
    assert len(smaller.content) <= 1


def test_a_single_case_is_tried_again(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run", "--case", "1:7"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("1:7: ")
