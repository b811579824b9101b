import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from textgen import files, presets
from textgen.commands.prepare import add_arguments, config_from, run
from textgen.config import PrepareConfig, SelectionConfig, TablesConfig, TextConfig, to_json
from textgen.config.options import CommandParser
from textgen.config.settings_file import read_settings
from textgen.errors import UserError

AS_OF_WORDS = (
    "--case", "fold", "--whitespace", "collapse", "--punctuation", "keep", "--vocabulary-size", "8000",
    "--normalization", "nfkc",
)  # fmt: skip


def parse(*options: str) -> PrepareConfig:
    parser = CommandParser()
    add_arguments(parser)
    return config_from(parser.parse_args(["--input", "x", "--output", "y", *options]))


def test_words_with_separate_marks_and_the_pairs_layout_are_the_default() -> None:
    config = parse()
    assert config == PrepareConfig(text=TextConfig())
    assert (config.text.tokenizer, config.text.punctuation, config.layout) == ("word", "separate", "pairs")


def test_characters_keep_the_text_as_it_stands() -> None:
    text = parse("--tokenizer", "char").text
    assert (text.case, text.whitespace, text.punctuation) == ("keep", "keep", "keep")


def test_the_notebook_preset_is_the_notebook() -> None:
    config = parse("--preset", "notebook")
    assert (config.text.vocabulary_size, config.text.punctuation, config.window) == (500, "strip", 44)


def test_an_option_goes_before_its_preset() -> None:
    config = parse("--preset", "char", "--window", "20", "--case", "fold", "--split-by", "document")
    assert (config.window, config.text.case, config.split_by, config.text.tokenizer) == (
        20,
        "fold",
        "document",
        "char",
    )


def test_boundaries_can_be_left_out() -> None:
    assert parse().boundaries and not parse("--no-boundaries").boundaries


FITTING = {("normalization", "none"): ["--case", "keep"]}
"""Options without which a value is refused."""


def options() -> list[argparse.Action]:
    """What the command line takes, but for what is read elsewhere."""
    parser = CommandParser(add_help=False)
    add_arguments(parser)
    elsewhere = {"input", "output", "list", "preset", "config", "vocabulary", "tokenizer_model", "help_all"}
    elsewhere |= {"validation_input", "test_input", "detach"}
    hidden = argparse.SUPPRESS
    return [action for action in parser._actions if action.dest not in elsewhere and action.help is not hidden]


def flat(config: PrepareConfig) -> dict[str, Any]:
    values = dataclasses.asdict(config)
    return {**values.pop("text"), **values.pop("selection"), **values.pop("tables"), **values}


def other_values(action: argparse.Action) -> list[Any]:
    """Values that are not the default's."""
    if isinstance(action.metavar, str) and action.metavar.startswith("{"):
        return [choice for choice in action.metavar[1:-1].split(",") if choice != flat(parse())[action.dest]]
    if action.nargs == 0:
        return [not flat(parse())[action.dest]]
    if action.dest in ("delimiter", "escape"):
        return ["/"]
    return {int: [7], float: [0.75], str: ["cp1252"]}[action.type]


def test_every_setting_has_an_option() -> None:
    made_elsewhere = {"text", "selection", "tables", "tokenizer_model", "given_vocabulary", "given_splits"}
    parts = (PrepareConfig, TextConfig, SelectionConfig, TablesConfig)
    settings = {field.name for part in parts for field in dataclasses.fields(part)}
    assert sorted(action.dest for action in options()) == sorted(settings - made_elsewhere)


@pytest.mark.parametrize("action", options(), ids=lambda action: action.dest)
def test_every_option_reaches_the_config_and_changes_nothing_else(action: argparse.Action) -> None:
    for value in other_values(action):
        option = action.option_strings[value is False] if action.nargs == 0 else action.option_strings[0]
        given = [option] if action.nargs == 0 else [action.option_strings[0], str(value)]
        # What the tokenizer's own defaults change with it.
        if action.dest == "tokenizer":
            given += AS_OF_WORDS
        fitting = FITTING.get((action.dest, value), ())
        given += fitting
        default = flat(parse("--punctuation", "keep") if action.dest == "tokenizer" else parse(*fitting))
        made = flat(parse(*given))
        assert made.pop(action.dest) == value
        default.pop(action.dest)
        if action.dest == "split_field":
            # The field says what is held out.
            default |= {"validation_percent": 0, "test_percent": 0}
        assert made == default


def test_files_of_a_held_out_split_leave_nothing_to_hold_out_for_it() -> None:
    config = parse("--test-input", "t/*.txt", "u")
    assert (config.given_splits, config.validation_percent, config.test_percent) == ("test", 5, 0)
    with pytest.raises(UserError, match=r"test percent is 5, but --test-input names"):
        parse("--test-input", "t", "--test-percent", "5")


def test_the_manifest_of_a_dataset_with_files_of_a_split_needs_them_again(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"config": to_json(parse("--test-input", "t")), "units": []}))
    with pytest.raises(UserError, match=r"whose test split has files of its own, .* Add --test-input\."):
        parse("--config", str(manifest))
    assert parse("--config", str(manifest), "--test-input", "u") == parse("--test-input", "u")


@pytest.mark.parametrize("preset", presets.names("prepare"))
def test_a_preset_sets_what_it_names_and_nothing_else(preset: str) -> None:
    named = read_settings(presets.preset_file(preset, "prepare"), "prepare")
    tokenizer = named.get("tokenizer", "word")
    default = flat(parse("--tokenizer", tokenizer))
    assert flat(parse("--preset", preset)) == {**default, **named}


def test_an_option_may_take_a_preset_back() -> None:
    config = parse(
        "--preset", "social", "--mentions", "keep", "--max-repeats", "0", "--min-tokens", "0", "--duplicates", "keep"
    )
    assert (config.text.mentions, config.text.max_repeats, config.text.urls) == ("keep", 0, "mask")
    assert config.selection == SelectionConfig()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--window", "0"), "window is 0; it must be from 1 to 4,096"),
        (("--stride", "0"), "stride is 0; it must be from 1 to 1,000,000. Use 1 for every window"),
        (("--vocabulary-size", "0"), "vocabulary size is 0"),
        (("--validation-percent", "60", "--test-percent", "40"), "must leave some to train on"),
        (("--validation-percent", "-1"), "must be at least 0"),
        (("--validation-percent", "nan"), "must be at least 0"),
        (("--tokenizer", "char", "--punctuation", "separate"), "Use 'keep' or 'strip'"),
        (("--tokenizer", "wordpiece", "--whitespace", "keep"), "Use 'collapse'"),
        (("--encoding", "klingon"), "encoding is 'klingon', which Python does not know"),
        (("--max-repeats", "-1"), "max repeats is -1; it must be at least 0"),
        (("--min-tokens", "9", "--max-tokens", "8"), "min tokens is 9 and max tokens is 8"),
        (("--min-letters-percent", "101"), "must be from 0 to 100"),
        (("--near-duplicates", "0.2"), "it must be 0, or at least 0.5 and below 1. Use 0.8"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_its_rule(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(*options)


def test_settings_come_from_the_manifest_of_an_earlier_dataset(tmp_path: Path) -> None:
    earlier = parse("--preset", "social", "--window", "7", "--no-boundaries")
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"config": to_json(earlier), "units": []}))
    assert parse("--config", str(path)) == earlier
    assert parse("--config", str(path), "--window", "9") == dataclasses.replace(earlier, window=9)


@pytest.mark.parametrize(
    ("part", "name", "option"),
    [(None, "given_vocabulary", "--vocabulary"), ("text", "tokenizer_model", "--tokenizer-model")],
)
def test_a_file_that_the_earlier_dataset_was_made_with_must_be_named(
    tmp_path: Path, part: str | None, name: str, option: str
) -> None:
    values = to_json(parse())
    (values[part] if part else values)[name] = "5e1f"
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"config": values, "units": []}))
    with pytest.raises(
        UserError, match=f"manifest.json is of a dataset that was made with {option}, .* Add {option} FILE"
    ):
        parse("--config", str(path))
    assert parse("--config", str(path), option, "file") == parse()


@pytest.mark.parametrize(("former", "now"), [("--names", "--mentions"), ("--repeats", "--max-repeats")])
def test_former_options_work_and_say_the_new_names(capsys: pytest.CaptureFixture[str], former: str, now: str) -> None:
    value = "mask" if former == "--names" else "3"
    assert parse(former, value) == parse(now, value)
    assert f"{former} is now called {now}" in capsys.readouterr().err


def test_inputs_that_are_named_twice_add_up() -> None:
    parser = CommandParser()
    add_arguments(parser)
    assert parser.parse_args(["--output", "d", "--input", "a", "b", "--input", "c"]).input == ["a", "b", "c"]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(UserError, match="preset is 'poems'; it must be one of: char, complaints, note"):
        parse("--preset", "poems")


def listed(*options: str) -> argparse.Namespace:
    parser = CommandParser()
    add_arguments(parser)
    return parser.parse_args(["--list", *options])


def test_a_list_prints_what_would_be_read_and_what_not_and_needs_no_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in (("a.txt", b"a"), ("b\n.jsonl", b'{"text": "b"}\n'), (".c", b"c"), ("d.txt", b"")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "lost").symlink_to("none")
    run(listed("--input", "."))
    assert [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()] == [
        ["document", "utf-8", "./a.txt"],
        ["jsonl", "utf-8", r"'./b\n.jsonl'"],
        ["-", "./.c:", "hidden or system"],
        ["-", "./d.txt:", "empty"],
        ["-", "./lost:", "broken link (to none)"],
        ["files", "5", "found: 2 read, passed over: 1 broken link, 1 empty, 1 hidden or system"],
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".c", "a.txt", "b\n.jsonl", "d.txt", "lost"]


def test_a_list_ends_with_an_error_where_a_file_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_head(path: str, size: int) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "a.txt").write_text("a")
    monkeypatch.setattr(files, "read_head", read_head)
    with pytest.raises(UserError, match=r"a\.txt can't be read: Permission denied\. Nothing has been done yet\."):
        run(listed("--input", str(tmp_path)))
    assert "a.txt: unreadable (Permission denied)" in capsys.readouterr().out
    run(listed("--input", str(tmp_path), "--on-unreadable", "skip"))


def test_a_dataset_needs_a_folder() -> None:
    parser = CommandParser()
    add_arguments(parser)
    with pytest.raises(UserError, match=r"--output is missing; .* Add --output DIR\."):
        run(parser.parse_args(["--input", "a.txt"]))
