import pytest

from textgen.config.fields import Setting
from textgen.config.options import CommandParser, add_settings, given, written

SETTINGS = (
    Setting(name="max_size", kind=int, default=3, at_least=1, help="number of parts, 100 % of them", group="input",
            former="size"),
    Setting(name="case", kind=str, default="fold", choices=("fold", "keep"), help="letter case", group="cleaning"),
    Setting(name="stateful", kind=bool, default=False, help="keep states", group="batches", former="carry"),
    Setting(name="units", kind=tuple, default=(4, 5), help="number of units", group="network", advanced=True),
    Setting(name="prompt", kind=str, default="", help="prompt", group="samples"),
    Setting(name="window", kind=int, default=None, optional=True, help="window (default: the data's)", group="pairs"),
)  # fmt: skip


def parser() -> CommandParser:
    made = CommandParser(prog="textgen")
    add_settings(made, SETTINGS, varying={"char": {"case": "keep"}, "byte": {"case": "keep"}, "word": {}})
    return made


def parse(*argv: str) -> dict[str, object]:
    return given(parser().parse_args(argv), SETTINGS)


def test_only_what_was_given_is_a_value():
    assert parse() == {}
    assert parse("--max-size", "0", "--no-stateful", "--units", "7,8", "--prompt", "") == {
        "max_size": 0, "stateful": False, "units": (7, 8), "prompt": "",
    }  # fmt: skip


def test_help_shows_groups_defaults_and_choices():
    text = " ".join(parser().format_help().split())
    assert "input: --max-size N number of parts, 100 % of them (default: 3)" in text
    assert "--case {fold,keep} letter case (default: fold; keep for char, byte)" in text
    assert "--stateful, --no-stateful keep states (default: off)" in text
    assert "prompt (default: empty)" in text
    assert text.count("(default: the data's)") == 1


def test_advanced_options_are_on_the_second_page(capsys):
    assert "--units" not in parser().format_help()
    for argv, shown in (["--help"], False), (["--help-all"], True):
        with pytest.raises(SystemExit) as stopped:
            parser().parse_args(argv)
        assert stopped.value.code == 0
        assert ("--units N[,N...]" in capsys.readouterr().out) == shown


@pytest.mark.parametrize(
    ("argv", "values", "line"),
    [
        (["--size", "5"], {"max_size": 5}, "--size is now called --max-size; the old name will be removed"),
        (["--carry"], {"stateful": True}, "--carry is now called --stateful;"),
        (["--no-carry"], {"stateful": False}, "--no-carry is now called --no-stateful;"),
    ],
)
def test_a_former_name_works_and_says_the_new_one(capsys, argv: list[str], values: dict[str, object], line: str):
    assert parse(*argv) == values
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(line)
    assert argv[0] not in parser().format_help().split()


def test_units_that_are_no_numbers_are_refused(capsys):
    with pytest.raises(SystemExit):
        parse("--units", "4,b")
    assert "'4,b' must be whole numbers separated by commas, as 256,128" in capsys.readouterr().err


def test_values_are_written_as_on_the_command_line():
    assert [written(value) for value in ((4, 5), True, False, 0.5, "a")] == ["4,5", "on", "off", "0.5", "a"]


@pytest.mark.parametrize("words", [["data", ""], ["", "x"], ["data", "x", "--output", ""]])
def test_an_empty_path_is_an_error_of_usage(words, capsys):
    made = CommandParser(prog="textgen")
    made.add_argument("data", metavar="DIR")
    made.add_argument("more", nargs="*", metavar="FILE")
    made.add_argument("--output", metavar="DIR")
    made.add_argument("--model", metavar="FILE", default="")
    assert made.parse_args(["data"]).model == ""
    with pytest.raises(SystemExit) as stopped:
        made.parse_args(words)
    assert stopped.value.code == 2
    assert "is empty; it must be a path or URL" in capsys.readouterr().err
