from pathlib import Path

import pytest

from pipelines.input_checks import check_files
from textgen.config import PrepareConfig, TablesConfig, TextConfig
from textgen.corpus.readers.base import InputFile
from textgen.errors import UserError


def files(folder: Path, **contents: str) -> list[InputFile]:
    for name, content in contents.items():
        (folder / name).write_text(content)
    return [InputFile(str(folder / name), len(text), 0.0, name.rstrip("12")) for name, text in contents.items()]


def config(**settings: object) -> PrepareConfig:
    return PrepareConfig(text=TextConfig(), **settings)  # type: ignore[arg-type]


def test_what_the_files_decided_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = files(tmp_path, tsv="text\na\n", tsv1="text\nb\n", tsv2='text\n"b"\n')
    check_files(found, config(text_field="text"))
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("tsv and 1 more files are read with --quoting none")
    assert said[1].endswith("tsv2 is read with --quoting csv, since their first rows have quoted cells")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"text_field": "text"},
            r"--text-field is 'text', but no input file has columns\. .*csv, tsv, jsonl, json, parquet",
        ),
        ({"tables": TablesConfig(header="none")}, r"--header is 'none', but no input file has columns"),
    ],
)
def test_options_about_columns_need_files_with_columns(tmp_path: Path, settings: dict, message: str) -> None:
    found = files(tmp_path, lines="a\n")
    check_files(found, config())
    with pytest.raises(UserError, match=message):
        check_files(found, config(**settings))


def test_a_file_that_its_reader_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="with the column text"):
        check_files(files(tmp_path, csv="text\na\n"), config())
