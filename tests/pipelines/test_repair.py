"""What `tests/test_faults.py` leaves: what is read again, and what can't be mended."""

import dataclasses
import json
import os
import shutil
import struct
import sys
from pathlib import Path

import pytest

from pipelines import runners, tokenize, write_shards
from pipelines.prepare import prepare
from pipelines.repair import Repair, repair
from textgen import files
from textgen.config import PrepareConfig, TextConfig, to_json
from textgen.corpus import units
from textgen.dataset import read_manifest, verify
from textgen.dataset.storage import manifest
from textgen.dataset.storage.verification import Problem
from textgen.errors import UserError

SHARD = "train-000001.tfrecord"
LOST = [Problem(SHARD, 1, "missing")]
ONLY_TRAIN = {"validation_percent": 0, "test_percent": 0, "window": 4}


class Case:
    """Prepares a corpus of three files, each of which is a unit."""

    def __init__(self, folder: Path, text: TextConfig, **given: str):
        self.corpus, self.data = folder / "corpus", folder / "data"
        self.config = PrepareConfig(text=text, **ONLY_TRAIN)
        self.corpus.mkdir()
        for i in range(3):
            (self.corpus / f"{i}.txt").write_text(f"call me ishmael some years ago {i}\n" * 20)
        self.prepare(**given)
        self.content = self.files()

    def prepare(self, **given: str) -> None:
        prepare([f"{self.corpus}/*.txt"], str(self.data), self.config, **given)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.data.iterdir()}

    def lose(self, *names: str) -> None:
        for name in names:
            (self.data / name).unlink()


@pytest.fixture(scope="module", autouse=True)
def a_unit_a_file():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "unit_bytes", lambda total_bytes, most: total_bytes // 3)
        yield


@pytest.fixture(scope="module")
def made(a_unit_a_file: None, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("repair"), TextConfig())


@pytest.fixture
def case(made: Case, tmp_path: Path):
    """Yields the case, and restores its files and their times after the test."""
    for folder in (made.corpus, made.data):
        shutil.copytree(folder, tmp_path / folder.name)
    yield made
    for folder in (made.corpus, made.data):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / folder.name, folder)


def test_an_intact_dataset_is_left_unchanged(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "start", None)
    assert repair(str(case.data)) == Repair([], [], [])
    assert case.files() == case.content


def test_files_of_a_run_killed_at_its_end_are_removed(case: Case) -> None:
    (case.data / "_work" / "tokens").mkdir(parents=True)
    assert repair(str(case.data)) == Repair([], [], [])
    assert case.files() == case.content


def test_a_stale_shard_is_removed_without_a_look_at_the_input(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "start", None)
    shutil.rmtree(case.corpus)
    (case.data / "test-000000.tfrecord").touch()
    assert [problem.file for problem in repair(str(case.data)).removed] == ["test-000000.tfrecord"]
    assert verify(case.data) == []


def test_only_the_units_that_are_lost_are_read_and_written(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    for work in (tokenize.TokenizeUnit, write_shards.WriteUnit):
        process = work.process
        monkeypatch.setattr(
            work, "process", lambda self, unit, process=process: done.append(unit.index) or process(self, unit)
        )
    case.lose(SHARD)
    assert repair(str(case.data), ["--direct_num_workers=1"], yes=True) == Repair(LOST, [], [])
    assert done == [1, 1]
    assert verify(case.data) == []


def test_beams_options_are_checked_before_anything_is_done(case: Case) -> None:
    case.lose(SHARD)
    with pytest.raises(UserError, match="neither textgen nor Beam knows '--fast'"):
        repair(str(case.data), ["--fast"])
    assert verify(case.data) == LOST


def change_size(file: Path) -> None:
    file.write_text("call me\n")


def change_time(file: Path) -> None:
    os.utime(file, (0, 1_000_000_000.5))


@pytest.mark.parametrize(
    ("change", "now"),
    [
        (Path.unlink, "and it is not there now"),
        (change_size, "and it has 8 bytes, written 2"),
        (change_time, "and it has 660 bytes, written 2001-09-09 01:46:40.500000 UTC"),
    ],
)
def test_a_changed_input_file_is_an_error_and_changes_nothing(case: Case, change, now: str) -> None:
    change(case.corpus / "0.txt")
    (case.data / SHARD).write_bytes(b"damaged")
    with pytest.raises(UserError) as refused:
        repair(str(case.data), yes=True)
    message = str(refused.value)
    assert (
        f"{case.corpus / '0.txt'} is not the file that the dataset was made from: it had 660 bytes, written 2"
        in message
    )
    assert now in message
    assert "Put it back as it was, its time too, or prepare a new dataset in another folder." in message
    assert (case.data / SHARD).read_bytes() == b"damaged"
    assert not (case.data / "_work").exists()


def test_a_relative_input_path_that_is_missing_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("call me ishmael\n")
    monkeypatch.chdir(tmp_path)
    prepare(["a.txt"], "data", PrepareConfig(text=TextConfig(), **ONLY_TRAIN))
    (tmp_path / "data" / "train-000000.tfrecord").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"Its path is relative: run `textgen repair` where `textgen prepare` ran\."):
        repair("../data", yes=True)
    monkeypatch.chdir(tmp_path)
    repair("data", yes=True)
    assert verify("data") == []


def test_changed_content_with_the_same_size_and_time_is_an_error_and_the_manifest_is_kept(case: Case) -> None:
    file, before = case.corpus / "1.txt", (case.data / manifest.FILE_NAME).read_bytes()
    stamp = file.stat()
    file.write_text(file.read_text().replace("call", "tell"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    case.lose(SHARD)
    with pytest.raises(UserError, match=rf"{SHARD} differs from the original: the content of an input file"):
        repair(str(case.data), yes=True)
    assert (case.data / manifest.FILE_NAME).read_bytes() == before
    assert [problem.file for problem in verify(case.data)] == [SHARD]

    file.write_text(file.read_text().replace("tell", "call"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    repair(str(case.data), yes=True)
    assert verify(case.data) == []


def test_a_dataset_of_another_version_is_refused(case: Case) -> None:
    changed = dataclasses.replace(read_manifest(case.data), fingerprint="0" * 64)
    (case.data / manifest.FILE_NAME).write_bytes(changed.to_bytes())
    case.lose(SHARD)
    with pytest.raises(UserError, match="was made by another version of textgen or of tensorflow-text"):
        repair(str(case.data), yes=True)


def test_files_of_a_run_killed_at_its_end_do_not_replace_shards(case: Case) -> None:
    # The manifest stands, and `_work` still says that all units are done.
    committed = read_manifest(case.data)
    plan = {"fingerprint": committed.fingerprint, "config": to_json(committed.config)}
    (case.data / "_work" / "shards").mkdir(parents=True)
    (case.data / "_work" / "plan.json").write_text(json.dumps(plan))
    (case.data / "_work" / "shards" / "000001.json").write_text(json.dumps(committed.units[1].to_json()))
    case.lose(SHARD)
    assert verify(case.data) == LOST
    repair(str(case.data), yes=True)
    assert case.files() == case.content


def test_a_lost_vocabulary_that_was_given_must_be_given_again(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("call\nishmael\n")
    given = {"vocabulary": str(tmp_path / "words.txt")}
    case = Case(tmp_path, TextConfig(), **given)
    case.lose(SHARD)
    repair(str(case.data), yes=True)
    assert case.files() == case.content

    case.lose(SHARD, "vocabulary.jsonl")
    with pytest.raises(
        UserError, match=r"vocabulary\.jsonl: missing\. It was given as an option\..*the same --vocabulary"
    ):
        repair(str(case.data), yes=True)
    case.prepare(**given)
    assert case.files() == case.content


def test_a_lost_tokenizer_must_be_given_again(tmp_path: Path) -> None:
    (tmp_path / "a.model").write_bytes(sentencepiece_model())
    given = {"tokenizer_model": str(tmp_path / "a.model")}
    case = Case(tmp_path, TextConfig(tokenizer="sentencepiece", punctuation="keep", case="keep"), **given)
    case.lose(SHARD)
    repair(str(case.data), yes=True)
    assert case.files() == case.content

    (case.data / "tokenizer.model").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"tokenizer\.model: changed: .*It was given.*with the same --tokenizer-model"
    ):
        repair(str(case.data), yes=True)
    case.prepare(**given)
    assert case.files() == case.content


def sentencepiece_model() -> bytes:
    """A `sentencepiece_model.proto` ModelProto of three special pieces and the letters."""

    def piece(text: str, score: float, kind: int) -> bytes:
        name = text.encode()
        values = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", score) + b"\x18" + bytes([kind])
        return b"\x0a" + bytes([len(values)]) + values

    special = [piece("<unk>", 0, 2), piece("<s>", 0, 3), piece("</s>", 0, 3)]
    return b"".join([*special, *(piece(letter, -1, 1) for letter in "▁abcdefghijklmnopqrstuvwxyz")])


def test_a_link_in_the_place_of_the_work_folder_is_refused_before_anything_is_done(
    case: Case, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "plan.json").write_text("mine")
    (case.data / "_work").symlink_to(elsewhere)
    case.lose(SHARD)
    with pytest.raises(UserError, match="_work is a symbolic link"):
        repair(str(case.data), yes=True)
    assert (elsewhere / "plan.json").read_text() == "mine"
    assert verify(case.data) == LOST


def test_no_input_is_looked_at_before_the_user_agrees(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[str] = []

    def note(event: str, arguments: tuple) -> None:
        if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith(str(case.corpus)):
            touched.append(str(arguments[0]))

    stamp = files.stamp
    monkeypatch.setattr(files, "stamp", lambda path: note("open", (path,)) or stamp(path))
    noting = [True]
    sys.addaudithook(lambda *event: note(*event) if noting else None)
    case.lose(SHARD)
    before = case.files()
    with pytest.raises(UserError, match=r"read only if you agree\. .*Then add --yes \(yes=True in Python\), or name"):
        repair(str(case.data))
    with pytest.raises(UserError, match="read only if you agree"):
        repair(str(case.data), ask=lambda question: False)
    assert touched == []
    assert case.files() == before

    questions: list[str] = []
    repair(str(case.data), ask=lambda question: not questions.append(question))
    assert questions == ["Read these files?"]
    assert touched
    noting.clear()
    assert case.files() == case.content


def test_the_inputs_that_are_given_again_are_read_unasked(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.corpus.parent)
    # What is no text is passed over.
    (case.corpus / "empty.txt").touch()
    (case.corpus / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    for given in ([case.corpus.name], [f"{case.corpus}/[01].txt", "./corpus/2.txt"]):
        case.lose(SHARD)
        repair(str(case.data), inputs=given)
        assert case.files() == case.content


def test_given_inputs_must_be_those_of_the_dataset(case: Case) -> None:
    case.lose(SHARD)
    before = case.files()
    with pytest.raises(
        UserError, match=rf"was made from {case.corpus}/1.txt, {case.corpus}/2.txt too, which the giv"
    ):
        repair(str(case.data), inputs=[f"{case.corpus}/0.txt"], yes=True)
    (case.corpus / "3.txt").write_text("another file\n")
    with pytest.raises(UserError, match=rf"was not made from {case.corpus}/3.txt, which the given inputs have"):
        repair(str(case.data), inputs=[str(case.corpus)])
    with pytest.raises(UserError, match="no file matches"):
        repair(str(case.data), inputs=[f"{case.corpus}/9.txt"])
    assert case.files() == before
