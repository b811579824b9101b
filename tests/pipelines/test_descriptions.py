import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from pipelines.descriptions import Described, How, describe
from pipelines.listing import FoundFile
from textgen import files
from textgen.corpus.formats import READERS
from textgen.corpus.readers.base import FileRange, ReadOptions
from textgen.errors import UserError

HOW = How("auto", "utf-8", "replace")


def parquet() -> bytes:
    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"text": ["a"]}), file)
    return file.getvalue()


CONTENTS = {
    "b/one.txt": b"one",
    "./a/two.jsonl": b'{"text": "two"}\n{"text": "three"}\n',
    "a/four.txt.gz": gzip.compress(b"four"),
    "a/five.json": b'[{"text": "five"}]',
    "table.csv": b"text\nsix\n",
    ".hidden/x.txt": b"x",
    "__MACOSX/._one.txt": b"x",
    "empty.txt": b"",
    "picture": b"\x89PNG\r\n\x1a\n",
    "inner.zip": b"PK\3\4" + bytes(50),
    "p.txt": parquet(),
}
REASONS = {
    ".hidden/x.txt": "hidden or system",
    "__MACOSX/._one.txt": "hidden or system",
    "empty.txt": "empty",
    "picture": "not text (PNG image)",
    "inner.zip": "not text (zip archive)",
    "p.txt": "not text (Parquet in an archive)",
}


def written(path: Path) -> FoundFile:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in CONTENTS.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".txt") else "w") as archive:
            for name, content in CONTENTS.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return found_file(path)


def found_file(path: Path) -> FoundFile:
    stamp = files.stamp(str(path))
    assert stamp
    return FoundFile(str(path), stamp)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.txt"])
def test_the_files_of_an_archive_are_described_by_the_rules_of_a_folder(tmp_path: Path, name: str) -> None:
    described = describe(written(tmp_path / name), HOW)
    read = [each.file for each in described if each.file]
    assert [file.path.removeprefix(f"{tmp_path}/{name}/") for file in read] == [
        "b/one.txt", "a/two.jsonl", "a/four.txt.gz", "a/five.json", "table.csv",
    ]  # fmt: skip
    passed_over = [each.passed_over for each in described if each.passed_over]
    assert {each.path.removeprefix(f"{tmp_path}/{name}/"): each.reason for each in passed_over} == REASONS
    texts = list[bytes]()
    for file in read:
        options, reader = ReadOptions("text" if READERS[file.format].has_columns else None), READERS[file.format]
        reader.check(file, files.open_file, options)
        for start, end in reader.divide(file, 5, files.open_file, options):
            for batch in reader.read(FileRange(file, start, end), files.open_file, options):
                texts += batch.texts
    assert texts == [b"one", b"two", b"three", b"four", b"five", b"six"]


def test_of_files_with_the_same_name_the_last_one_is_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, content in (("b.txt", b"old"), ("a.txt", b"a"), ("b.txt", b"newer")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    described = describe(found_file(tmp_path / "a.tar"), HOW)
    assert [(Path(each.file.path).name, each.file.size) for each in described if each.file] == [
        ("a.txt", 1),
        ("b.txt", 5),
    ]


def test_an_archive_without_files_is_empty(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    (described,) = describe(found_file(tmp_path / "a.zip"), HOW)
    assert described.passed_over and described.passed_over.reason == "empty"


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"x")
    with pytest.raises(UserError, match=r"a\.zip can't be read as a zip archive: .*extract its files first"):
        describe(found_file(tmp_path / "a.zip"), HOW)


def test_a_file_that_is_not_there_any_more_is_unreadable(tmp_path: Path) -> None:
    (described,) = describe(FoundFile(str(tmp_path / "a.txt"), files.Stamp(1, 0.0)), HOW)
    assert described == Described(None, described.passed_over)
    assert described.passed_over and described.passed_over.detail == "No such file or directory"


@pytest.mark.parametrize(
    ("cause", "is_left_out"), [(PermissionError("no"), True), (ConnectionResetError("no"), False)]
)
def test_a_file_of_a_store_that_does_not_answer_is_not_left_out(
    monkeypatch: pytest.MonkeyPatch, cause: Exception, is_left_out: bool
) -> None:
    def read(path: str, size: int) -> bytes:
        raise OSError(5, "no answer", path) from cause

    monkeypatch.setattr(files, "read_head", read)
    found = FoundFile("gs://bucket/a.txt", files.Stamp(9, 0.0))
    if is_left_out:
        (described,) = describe(found, HOW)
        assert described.passed_over and described.passed_over.reason == "unreadable"
    else:
        with pytest.raises(OSError, match="no answer"):
            describe(found, HOW)
