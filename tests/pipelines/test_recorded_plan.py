import dataclasses
from pathlib import Path

import pytest

from pipelines.claims import claim
from pipelines.plan import Plan
from pipelines.recorded_plan import as_spelled_before, parse_plan
from textgen.config import PrepareConfig, TextConfig
from textgen.corpus.readers.base import InputFile
from textgen.errors import UserError

FILE = InputFile("a.txt", 3, 1.0, "document")
CONFIG = PrepareConfig(text=TextConfig())
WITH_TEST_FILES = PrepareConfig(text=TextConfig(), given_splits="test")
INPUTS = Plan(CONFIG, (FILE,)).inputs()


def test_the_plan_is_that_of_the_inputs() -> None:
    assert parse_plan(INPUTS, CONFIG) == parse_plan(INPUTS, CONFIG, files=1) == Plan(CONFIG, (FILE,))


@pytest.mark.parametrize(
    ("content", "config", "files", "found"),
    [
        (b'["a.txt", 3, 1.0, "document"]\n', CONFIG, 1, "line 1: it is a list of 4; it must be an object"),
        (INPUTS, CONFIG, 2, "its number of lines is 1; it must be 2"),
        (INPUTS, WITH_TEST_FILES, 1, "line 1: split is null; in this dataset it must be 'train' or 'test'"),
    ],
)
def test_inputs_that_no_preparation_writes_are_one_line(
    content: bytes, config: PrepareConfig, files: int, found: str
) -> None:
    with pytest.raises(UserError, match=rf"^inputs\.jsonl is damaged: {found}.*Run the same `textgen prepare`"):
        parse_plan(content, config, files=files)


def test_a_file_by_another_spelling_of_its_path_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = str(tmp_path / "out")
    assert as_spelled_before(Plan(CONFIG, (FILE,)), directory).files == (FILE,)
    claim(directory, Plan(CONFIG, (FILE,)))
    absolute = dataclasses.replace(FILE, path=f"{tmp_path}/a.txt")
    assert as_spelled_before(Plan(CONFIG, (absolute,)), directory).files == (FILE,)
    other = dataclasses.replace(absolute, size=4)
    assert as_spelled_before(Plan(CONFIG, (other,)), directory).files == (other,)
    (tmp_path / "out" / "inputs.jsonl").write_bytes(b"damaged")
    assert as_spelled_before(Plan(CONFIG, (absolute,)), directory).files == (absolute,)
